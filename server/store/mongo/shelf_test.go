package mongo

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/session"
)

// withoutDatabase is a cache of which the stream works, without a database.
func withoutDatabase(bound time.Duration, read func(context.Context, string) (*account, error)) *recent {
	r := &recent{bound: bound, base: time.Now()}
	r.accounts = newShelf(r, read)
	r.sessions = newShelf(r, func(context.Context, session.Hash) (*document, error) { return nil, nil })
	r.heard.Store(1)
	return r
}

func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(*recent)
		want      bool // it is kept
	}{
		"nothing":              {func(*recent) {}, true},
		"a change":             {func(r *recent) { r.forgetUser("a") }, false},
		"a change of another":  {func(r *recent) { r.forgetUser("b") }, true},
		"a change by filter":   {func(r *recent) { r.forgetUsers(where(is("_id", "a"), is("epoch", 1))) }, false},
		"a change of unknown":  {func(r *recent) { r.forgetUsers(where(is("key", "a"))) }, false},
		"a change of all":      {func(r *recent) { r.forgetAll() }, false},
		"a change and a check": {func(r *recent) { r.forgetUser("a"); r.accounts.look(context.Background(), "b", false) }, false},
		"a break": {func(r *recent) {
			r.heard.Store(0)
			r.forgetAll()
			r.forgetAll()
			r.hear()
		}, false},
		"silence": {func(r *recent) {
			time.Sleep(silence + 1)
			r.hear()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started, goOn := make(chan bool, 1), make(chan bool)
				r := withoutDatabase(time.Minute, func(_ context.Context, id string) (*account, error) {
					if id == "a" {
						started <- true
						<-goOn
					}
					return &account{ID: id}, nil
				})
				go r.accounts.look(t.Context(), "a", false)
				<-started
				tt.meanwhile(r)
				close(goOn)
				synctest.Wait()
				_, old, err := r.accounts.look(t.Context(), "a", false)
				if old != tt.want || err != nil || len(r.accounts.reading) != 0 {
					t.Errorf("look() is of a kept one: %t, %v, and %d are being read, want %t, nil and 0", old, err, len(r.accounts.reading), tt.want)
				}
			})
		})
	}
}

func TestNothingIsKeptForLongerThanTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 300 * time.Millisecond
		r := withoutDatabase(time.Second, func(context.Context, string) (*account, error) {
			time.Sleep(slow)
			return &account{}, nil
		})
		for _, step := range []struct {
			after time.Duration
			want  bool
		}{{0, false}, {0, true}, {time.Second - slow - 1, true}, {1, false}} {
			time.Sleep(step.after)
			r.hear()
			if _, old, _ := r.accounts.look(t.Context(), "a", false); old != step.want {
				t.Errorf("look() %v later is of a kept one: %t, want %t", step.after, old, step.want)
			}
		}
		time.Sleep(silence)
		if r.trusted() {
			t.Errorf("the stream is trusted after %v without a word", silence)
		}
	})
}

func TestTheCacheStaysWithinItsSize(t *testing.T) {
	r := withoutDatabase(time.Minute, func(context.Context, string) (*account, error) { return &account{}, nil })
	for n := range maxKept + 100 {
		r.hear()
		r.accounts.look(t.Context(), fmt.Sprint(n), false)
	}
	if n := len(r.accounts.kept); n != maxKept {
		t.Errorf("%d users are kept, want %d", n, maxKept)
	}
}
