package endpoint

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A deadline is a context that ends at a time. Unlike context.WithDeadline it
// starts no timer until somebody waits for it: most requests are over before.
type deadline struct {
	context.Context
	at time.Time

	mu    sync.Mutex
	timed atomic.Pointer[timed] // made by the first who waits; nil until then; written under mu
}

// timed is a context with a timer.
type timed struct {
	context.Context
	end context.CancelFunc
}

func deadlineIn(parent context.Context, at time.Time) *deadline {
	return &deadline{Context: parent, at: at}
}

func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Err is never nil once Done is closed, as contexts made of this one rely on.
func (d *deadline) Err() error {
	if t := d.timed.Load(); t != nil {
		if err := t.Err(); err != nil {
			return err
		}
	}
	if err := d.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

func (d *deadline) Done() <-chan struct{} { return d.waiting().Done() }

// AfterFunc spares contexts that are made of this one a goroutine each.
func (d *deadline) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(d.waiting(), f) }

func (d *deadline) waiting() *timed {
	if t := d.timed.Load(); t != nil {
		return t
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.timed.Load(); t != nil {
		return t
	}
	t := &timed{}
	t.Context, t.end = context.WithDeadline(d.Context, d.at)
	d.timed.Store(t)
	return t
}

// stop releases the timer, where there is one. Whoever still waits is told that
// the request is over.
func (d *deadline) stop() {
	if t := d.timed.Load(); t != nil {
		t.end()
	}
}
