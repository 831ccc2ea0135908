package limit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/limit"
)

// attempt makes an attempt and returns how long it was held back, and whether
// the answer would have been looked at.
func attempt(t *testing.T, th *limit.Throttle, account, ip string, right bool) (held time.Duration, looked bool) {
	t.Helper()
	began := time.Now()
	a, err := th.Begin(t.Context(), account, ip)
	held = time.Since(began)
	if errors.Is(err, limit.Throttled) {
		return held, false
	}
	if err != nil {
		t.Fatalf("Begin(%s, %s) = %v, want nil or %v", account, ip, err, limit.Throttled)
	}
	if right {
		if err := a.Succeeded(t.Context()); err != nil {
			t.Fatalf("Succeeded() = %v, want nil", err)
		}
	}
	return held, true
}

func TestWrongAnswersAreHeldBackThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{})
		var held []time.Duration
		for range 10 {
			h, looked := attempt(t, th, "ada", "192.0.2.7", false)
			if !looked {
				t.Fatalf("attempt %d was refused, want ten", len(held)+1)
			}
			held = append(held, h)
		}
		ms := time.Millisecond
		if got, want := fmt.Sprint(held), fmt.Sprint([]time.Duration{0, 0, 0, 0, 0, 250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms}); got != want {
			t.Errorf("ten wrong answers were held back for %s, want %s", got, want)
		}
		if h, looked := attempt(t, th, "ada", "192.0.2.7", true); looked || h != 0 {
			t.Errorf("the right answer behind ten wrong ones was looked at: %t, after %v, want it refused at once", looked, h)
		}
		if _, looked := attempt(t, th, "bob", "192.0.2.7", true); !looked {
			t.Error("another account was refused, want it let in")
		}
		time.Sleep(6 * time.Minute) // one of ten an hour
		if _, looked := attempt(t, th, "ada", "192.0.2.7", true); !looked {
			t.Error("the right answer was refused when one of the allowance was back, want it looked at")
		}
	})
}

func TestAnswersOfNobodyAreCountedForTheirAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{Address: 20})
		for i := range 30 {
			a, err := th.BeginUnclaimed(t.Context(), "192.0.2.7")
			switch {
			case i < 20 && err != nil, i >= 20 && !errors.Is(err, limit.Throttled):
				t.Fatalf("attempt %d = %v, want 20 to be looked at", i+1, err)
			case i == 0: // nobody looked at it
				err = a.Undo(t.Context())
			case i == 1: // and this one was right
				err = a.Succeeded(t.Context())
			}
			if i < 2 && err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				for range 2 {
					if _, err := th.BeginUnclaimed(t.Context(), "192.0.2.7"); err != nil {
						t.Fatalf("attempt in place of one given back = %v, want nil", err)
					}
				}
			}
		}
		if _, looked := attempt(t, th, "ada", "192.0.2.7", true); looked {
			t.Error("an account was let in behind the allowance of the address, want one count for both")
		}
		if _, err := th.BeginUnclaimed(t.Context(), "192.0.2.8"); err != nil {
			t.Errorf("attempt from another address = %v, want nil", err)
		}
	})
}

func TestExactlyTheAllowedAnswersAreLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{})
		var looked atomic.Int64
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if _, ok := attempt(t, th, "ada", fmt.Sprintf("192.0.%d.7", i), false); ok {
					looked.Add(1)
				}
			})
		}
		wg.Wait()
		if n := looked.Load(); n != 10 {
			t.Errorf("of 200 wrong answers at once from 200 addresses %d were looked at, want 10", n)
		}
	})
}

// Who floods an account does not shut its owner out of the places that the
// owner signs in from.
func TestFloodShutsNoOwnerOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{})
		if _, looked := attempt(t, th, "ada", "192.0.2.7", true); !looked {
			t.Fatal("the owner's first sign-in was refused")
		}
		for i := range 50 {
			attempt(t, th, "ada", fmt.Sprintf("198.51.100.%d", i), false)
		}
		for _, c := range []struct {
			ip     string
			looked bool
		}{{"198.51.100.7", false}, {"203.0.113.7", false}, {"2001:db8::7", false}, {"192.0.2.7", true}, {"192.0.2.200", true}} {
			if _, looked := attempt(t, th, "ada", c.ip, true); looked != c.looked {
				t.Errorf("the owner's answer from %s during the flood was looked at: %t, want %t", c.ip, looked, c.looked)
			}
		}
		// The known place has an allowance, too, not none.
		n := 0
		for range 50 {
			if _, looked := attempt(t, th, "ada", "192.0.2.9", false); looked {
				n++
			}
		}
		if n != 10 {
			t.Errorf("of 50 wrong answers at the known place %d were looked at, want 10", n)
		}
		time.Sleep(31 * 24 * time.Hour)
		for i := range 50 {
			attempt(t, th, "ada", fmt.Sprintf("198.51.100.%d", i), false)
		}
		if _, looked := attempt(t, th, "ada", "192.0.2.7", true); looked {
			t.Error("a place that the owner left a month ago is still known, want it forgotten")
		}
	})
}

// Nobody gets more guesses at others by signing in to an account of one's own.
func TestOwnSuccessClearsNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{Address: 20})
		looked := 0
		for i := range 100 {
			attempt(t, th, "mallory", "2001:db8::1", true)
			if _, ok := attempt(t, th, fmt.Sprint("victim ", i), fmt.Sprintf("2001:db8::%x", i), false); ok {
				looked++
			}
		}
		if looked != 20 {
			t.Errorf("of 100 wrong answers from one /64 %d were looked at, want 20", looked)
		}
	})
}

func TestSuccessForgetsWhatWasWrongAtThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{})
		attempt(t, th, "ada", "192.0.2.7", true)
		for range 20 {
			for range 5 {
				attempt(t, th, "ada", "192.0.2.7", false)
			}
			if _, looked := attempt(t, th, "ada", "192.0.2.7", true); !looked {
				t.Fatal("the owner was refused behind five wrong answers, want them forgotten at each success")
			}
		}
	})
}

func TestAnAttemptThatIsLeftStaysCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := limit.NewThrottle(nil, limit.Policy{Account: 3})
		ctx, leave := context.WithCancel(t.Context())
		attempt(t, th, "ada", "", false)
		time.AfterFunc(time.Millisecond, leave)
		if _, err := th.Begin(ctx, "ada", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("Begin() of a caller who leaves = %v, want %v", err, context.Canceled)
		}
		attempt(t, th, "ada", "", false)
		if _, looked := attempt(t, th, "ada", "", true); looked {
			t.Error("a fourth attempt was looked at, want those who leave counted")
		}
	})
}
