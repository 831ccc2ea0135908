package endpoint

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestContextsOfADeadlineEndWithIt(t *testing.T) {
	for range 2000 { // the order in which contexts learn of the end is anybody's
		d := deadlineIn(t.Context(), time.Now().Add(time.Hour))
		inner, cancel := context.WithCancel(d)
		plain, stop := context.WithCancel(struct{ context.Context }{d}) // of a type that context does not know
		d.stop()
		<-inner.Done()
		<-plain.Done()
		if err := d.Err(); !errors.Is(err, context.Canceled) || !errors.Is(inner.Err(), context.Canceled) {
			t.Fatalf("after the request Err = %v, and of a context made of it %v, want %v", err, inner.Err(), context.Canceled)
		}
		cancel()
		stop()
	}
}

func TestDeadlineEndsAtItsTime(t *testing.T) {
	d := deadlineIn(t.Context(), time.Now().Add(10*time.Millisecond))
	defer d.stop()
	inner, cancel := context.WithCancel(d)
	defer cancel()
	if err := d.Err(); err != nil {
		t.Errorf("Err = %v before the time, want nil", err)
	}
	<-inner.Done()
	if err := d.Err(); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(inner.Err(), context.DeadlineExceeded) {
		t.Errorf("Err = %v and %v, want %v", err, inner.Err(), context.DeadlineExceeded)
	}
}

func TestDeadlineEndsWithItsParent(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	d := deadlineIn(parent, time.Now().Add(time.Hour))
	defer d.stop()
	done := d.Done()
	cancel()
	<-done
	if err := d.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("Err = %v, want %v", err, context.Canceled)
	}
}
