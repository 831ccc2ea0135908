package nodestest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/limit"
)

// Limits tests a store of counters.
func Limits(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"an allowance may be spent at once and comes back evenly", allowanceComesBack},
		{"what is refused is not counted", refusedIsNotCounted},
		{"counters do not meet", countersDoNotMeet},
		{"of many at once exactly the allowed ones pass", takesRace},
		{"what is given back can be taken again", givenComesBack},
		{"a counter is set, and cleared", counterIsSet},
		{"a cancelled context is an error", limitsCancel},
	})
}

func newCounter() limit.Key { return limit.KeyOf("test", newID()) }

// tenAMinute is the rate of most tests.
func tenAMinute() limit.Rate { return limit.Rate{Count: 10, Each: time.Minute} }

// wantTaken takes one and fails the test unless it is counted as the used-th, or,
// with a wait, refused for about that long.
func wantTaken(t *testing.T, s nodes.Stores, k limit.Key, r limit.Rate, now time.Time, used int, wait time.Duration) {
	t.Helper()
	got, err := s.Limits.Take(t.Context(), k, r, now)
	if err != nil || got.Used != used || (got.Wait-wait).Abs() > time.Millisecond {
		t.Fatalf("Limits.Take(%v) = %+v, %v, want %d used and to wait %v", now, got, err, used, wait)
	}
}

func allowanceComesBack(t *testing.T, s nodes.Stores) {
	k, r, now := newCounter(), tenAMinute(), present()
	for i := range 10 {
		wantTaken(t, s, k, r, now, i+1, 0)
	}
	wantTaken(t, s, k, r, now, 10, 6*time.Second)
	now = now.Add(5 * time.Second)
	wantTaken(t, s, k, r, now, 10, time.Second)
	now = now.Add(time.Second)
	wantTaken(t, s, k, r, now, 10, 0)
	wantTaken(t, s, k, r, now, 10, 6*time.Second)
	now = now.Add(30 * time.Second)
	wantTaken(t, s, k, r, now, 6, 0)
	now = now.Add(24 * time.Hour)
	wantTaken(t, s, k, r, now, 1, 0)
	once := limit.Rate{Count: 1, Each: 24 * time.Hour}
	k = newCounter()
	wantTaken(t, s, k, once, now, 1, 0)
	wantTaken(t, s, k, once, now, 1, 24*time.Hour)
}

func refusedIsNotCounted(t *testing.T, s nodes.Stores) {
	k, r, now := newCounter(), tenAMinute(), present()
	for i := range 10 {
		wantTaken(t, s, k, r, now, i+1, 0)
	}
	for range 50 {
		wantTaken(t, s, k, r, now, 10, 6*time.Second)
	}
	wantTaken(t, s, k, r, now.Add(6*time.Second), 10, 0)
}

func countersDoNotMeet(t *testing.T, s nodes.Stores) {
	r, now := limit.Rate{Count: 1, Each: time.Hour}, present()
	for range 50 {
		wantTaken(t, s, newCounter(), r, now, 1, 0)
	}
}

func takesRace(t *testing.T, s nodes.Stores) {
	for round := range 5 {
		k, r, now := newCounter(), limit.Rate{Count: 10, Each: time.Hour}, present()
		if round%2 == 1 { // one whose time has come
			if _, err := s.Limits.Take(t.Context(), k, limit.Rate{Count: 1, Each: time.Millisecond}, now.Add(-time.Hour)); err != nil {
				t.Fatalf("Limits.Take() = %v, want nil", err)
			}
		}
		var passed, refused atomic.Int64
		for _, err := range together(200, func(int) error {
			got, err := s.Limits.Take(t.Context(), k, r, now)
			if got.Wait > 0 {
				refused.Add(1)
			} else if err == nil {
				passed.Add(1)
			}
			return err
		}) {
			if err != nil {
				t.Fatalf("Limits.Take() = %v, want nil", err)
			}
		}
		if passed.Load() != 10 || refused.Load() != 190 {
			t.Errorf("of 200 at once %d passed and %d were refused, want 10 and 190", passed.Load(), refused.Load())
		}
	}
}

func givenComesBack(t *testing.T, s nodes.Stores) {
	k, r, now := newCounter(), tenAMinute(), present()
	give := func() {
		t.Helper()
		if err := s.Limits.Give(t.Context(), k, r, now); err != nil {
			t.Fatalf("Limits.Give() = %v, want nil", err)
		}
	}
	give() // of nothing gives nothing
	for i := range 10 {
		wantTaken(t, s, k, r, now, i+1, 0)
	}
	wantTaken(t, s, k, r, now, 10, 6*time.Second)
	give()
	wantTaken(t, s, k, r, now, 10, 0)
	wantTaken(t, s, k, r, now, 10, 6*time.Second)
}

func counterIsSet(t *testing.T, s nodes.Stores) {
	k, r, now := newCounter(), tenAMinute(), present()
	until := func(want time.Time) {
		t.Helper()
		got, err := s.Limits.Until(t.Context(), k, now)
		if err != nil || got.After(now) != want.After(now) || want.After(now) && got.Sub(want).Abs() > time.Millisecond {
			t.Fatalf("Limits.Until() = %v, %v, want %v, nil", got, err, want)
		}
	}
	set := func(at time.Time) {
		t.Helper()
		if err := s.Limits.Set(t.Context(), k, at, now); err != nil {
			t.Fatalf("Limits.Set(%v) = %v, want nil", at, err)
		}
	}
	until(now)
	set(now.Add(30 * 24 * time.Hour))
	until(now.Add(30 * 24 * time.Hour))
	set(now.Add(time.Minute))
	until(now.Add(time.Minute))
	wantTaken(t, s, k, r, now, 10, 6*time.Second)
	set(time.Time{})
	until(now)
	wantTaken(t, s, k, r, now, 1, 0)
	until(now.Add(6 * time.Second))
}

func limitsCancel(t *testing.T, s nodes.Stores) {
	k, r, now := newCounter(), tenAMinute(), present()
	wantCancelled(t, map[string]func(context.Context) error{
		"Limits.Take":  func(ctx context.Context) error { _, err := s.Limits.Take(ctx, k, r, now); return err },
		"Limits.Give":  func(ctx context.Context) error { return s.Limits.Give(ctx, k, r, now) },
		"Limits.Until": func(ctx context.Context) error { _, err := s.Limits.Until(ctx, k, now); return err },
		"Limits.Set":   func(ctx context.Context) error { return s.Limits.Set(ctx, k, now.Add(time.Hour), now) },
	})
	wantTaken(t, s, k, r, now, 1, 0)
}
