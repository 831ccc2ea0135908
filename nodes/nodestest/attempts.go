package nodestest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/attempt"
)

// Attempts tests a store of proofs that are under way.
func Attempts(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"an attempt is taken once, as it was begun", attemptOnce},
		{"an attempt is gone at its very end", attemptEnds},
		{"of many who take an attempt one gets it", attemptsRace},
		{"a cancelled context is an error", attemptsCancel},
	})
}

func newAttempt(data []byte, until time.Time) attempt.Attempt {
	return attempt.Attempt{Hash: attempt.HashOf("test", newID()), Data: data, Until: until}
}

func begin(t *testing.T, s nodes.Stores, a attempt.Attempt) {
	t.Helper()
	if err := s.Attempts.Begin(t.Context(), a); err != nil {
		t.Fatalf("Attempts.Begin() = %v, want nil", err)
	}
}

func attemptOnce(t *testing.T, s nodes.Stores) {
	now := present()
	for name, data := range map[string][]byte{"nothing": {}, "bytes": {0, 1, 255, '$', '\''}, "longest": bytes.Repeat([]byte("x"), 16<<10)} {
		a, other := newAttempt(data, now.Add(time.Minute)), newAttempt([]byte("other"), now.Add(time.Minute))
		begin(t, s, a)
		begin(t, s, other)
		if got, err := s.Attempts.Take(t.Context(), a.Hash, now); err != nil || !bytes.Equal(got, data) {
			t.Errorf("Attempts.Take(%s) = %.40q, %v, want %.40q, nil", name, got, err, data)
		}
		if _, err := s.Attempts.Take(t.Context(), a.Hash, now); !errors.Is(err, attempt.ErrNoAttempt) {
			t.Errorf("Attempts.Take(%s) again = %v, want %v", name, err, attempt.ErrNoAttempt)
		}
		if got, err := s.Attempts.Take(t.Context(), other.Hash, now); err != nil || string(got) != "other" {
			t.Errorf("Attempts.Take(another) = %q, %v, want other, nil", got, err)
		}
	}
}

func attemptEnds(t *testing.T, s nodes.Stores) {
	now := present()
	until := now.Add(time.Minute)
	last, gone := newAttempt([]byte("x"), until), newAttempt([]byte("x"), until)
	begin(t, s, last)
	begin(t, s, gone)
	if _, err := s.Attempts.Take(t.Context(), last.Hash, until.Add(-time.Millisecond)); err != nil {
		t.Errorf("Attempts.Take(just before its end) = %v, want nil", err)
	}
	if _, err := s.Attempts.Take(t.Context(), gone.Hash, until); !errors.Is(err, attempt.ErrNoAttempt) {
		t.Errorf("Attempts.Take(at its end) = %v, want %v", err, attempt.ErrNoAttempt)
	}
}

func attemptsRace(t *testing.T, s nodes.Stores) {
	now := present()
	for range 5 {
		a := newAttempt([]byte("x"), now.Add(time.Minute))
		begin(t, s, a)
		wantOne(t, "Attempts.Take", together(16, func(int) error {
			_, err := s.Attempts.Take(t.Context(), a.Hash, now)
			return err
		}), attempt.ErrNoAttempt)
	}
}

func attemptsCancel(t *testing.T, s nodes.Stores) {
	a := newAttempt([]byte("x"), present().Add(time.Minute))
	wantCancelled(t, map[string]func(context.Context) error{
		"Attempts.Begin": func(ctx context.Context) error { return s.Attempts.Begin(ctx, a) },
		"Attempts.Take": func(ctx context.Context) error {
			_, err := s.Attempts.Take(ctx, a.Hash, present())
			return err
		},
	})
}
