package nodestest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/factor"
)

// Factors tests a store of second factors.
func Factors(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a factor counts from its first use on", factorCounts},
		{"a user without a factor has none, whatever is asked", noFactor},
		{"a factor that does not count is replaced, and one that counts is not", factorIsReplaced},
		{"a step is used once, and none before it", stepIsUsedOnce},
		{"of many who use a step one does", stepsRace},
		{"tries are paid, and come back with time and with success", triesArePaid},
		{"many tries at once are no more than the limit", triesRace},
		{"a recovery code is used once, and new ones end the old", recoveryIsUsedOnce},
		{"of many who use a recovery code one does", recoveriesRace},
		{"a deleted factor is gone with all it had, and nobody else's", factorIsDeleted},
		{"a cancelled context is an error", factorsCancel},
	})
}

func enroll(t *testing.T, s nodes.Stores, userID string) (secret []byte) {
	t.Helper()
	secret = make([]byte, 49)
	rand.Read(secret)
	if err := s.Factors.Enroll(t.Context(), userID, secret); err != nil {
		t.Fatalf("Factors.Enroll(%s) = %v, want nil", userID, err)
	}
	return secret
}

// activate gives a new user a factor that counts, of which step 1 was used.
func activate(t *testing.T, s nodes.Stores) (userID string, secret []byte) {
	t.Helper()
	userID = addUser(t, s).ID
	secret = enroll(t, s, userID)
	wantFactorErr(t, "Use(step 1)", s.Factors.Use(t.Context(), userID, secret, 1), nil)
	return userID, secret
}

func wantFactorErr(t *testing.T, call string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("Factors.%s = %v, want %v", call, got, want)
	}
}

func wantActive(t *testing.T, s nodes.Stores, userID string, want bool) {
	t.Helper()
	if got, err := s.Factors.Active(t.Context(), userID); err != nil || got != want {
		t.Fatalf("Factors.Active(%s) = %t, %v, want %t, nil", userID, got, err, want)
	}
}

func try(t *testing.T, s nodes.Stores, userID string, now time.Time) factor.Factor {
	t.Helper()
	f, err := s.Factors.Try(t.Context(), userID, now)
	wantFactorErr(t, "Try", err, nil)
	return f
}

func factorCounts(t *testing.T, s nodes.Stores) {
	u, now := addUser(t, s), present()
	wantActive(t, s, u.ID, false)
	secret := enroll(t, s, u.ID)
	wantActive(t, s, u.ID, false)
	if f := try(t, s, u.ID, now); !slices.Equal(f.Secret, secret) || f.Active || f.Step != 0 || len(f.Recovery) > 0 {
		t.Errorf("Factors.Try() before the first use = %+v, want %x and no more", f, secret)
	}
	wantFactorErr(t, "SetRecovery before the first use", s.Factors.SetRecovery(t.Context(), u.ID, []factor.Hash{{1}}), factor.ErrNoFactor)
	wantFactorErr(t, "Use", s.Factors.Use(t.Context(), u.ID, secret, 58_000_000), nil)
	wantActive(t, s, u.ID, true)
	if f := try(t, s, u.ID, now); !slices.Equal(f.Secret, secret) || !f.Active || f.Step != 58_000_000 {
		t.Errorf("Factors.Try() = %+v, want %x, active, used to 58000000", f, secret)
	}
}

func noFactor(t *testing.T, s nodes.Stores) {
	for _, id := range []string{addUser(t, s).ID, newID(), "", texts()["quotes"]} {
		wantActive(t, s, id, false)
		_, err := s.Factors.Try(t.Context(), id, present())
		wantFactorErr(t, "Try", err, factor.ErrNoFactor)
		wantFactorErr(t, "Use", s.Factors.Use(t.Context(), id, []byte("secret"), 1), factor.ErrNoFactor)
		wantFactorErr(t, "SetRecovery", s.Factors.SetRecovery(t.Context(), id, []factor.Hash{{1}}), factor.ErrNoFactor)
		wantFactorErr(t, "Recover", s.Factors.Recover(t.Context(), id, factor.Hash{1}), factor.ErrUsed)
		wantFactorErr(t, "Delete", s.Factors.Delete(t.Context(), id), nil)
	}
}

func factorIsReplaced(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	first := enroll(t, s, u.ID)
	second := enroll(t, s, u.ID)
	wantFactorErr(t, "Use of the first", s.Factors.Use(t.Context(), u.ID, first, 1), factor.ErrNoFactor)
	wantFactorErr(t, "Use of the second", s.Factors.Use(t.Context(), u.ID, second, 1), nil)
	wantFactorErr(t, "Enroll", s.Factors.Enroll(t.Context(), u.ID, first), factor.ErrActive)
	wantFactorErr(t, "Use of the second again", s.Factors.Use(t.Context(), u.ID, second, 2), nil)
}

func stepIsUsedOnce(t *testing.T, s nodes.Stores) {
	id, secret := activate(t, s)
	wantFactorErr(t, "Use(step 10)", s.Factors.Use(t.Context(), id, secret, 10), nil)
	for _, step := range []int64{10, 9, 1, 0, -1} {
		wantFactorErr(t, "Use of a step before", s.Factors.Use(t.Context(), id, secret, step), factor.ErrUsed)
	}
	wantFactorErr(t, "Use(step 11)", s.Factors.Use(t.Context(), id, secret, 11), nil)
}

func stepsRace(t *testing.T, s nodes.Stores) {
	id, secret := activate(t, s)
	for step := int64(2); step < 12; step++ {
		wantOne(t, "Factors.Use from many", together(16, func(int) error { return s.Factors.Use(t.Context(), id, secret, step) }), factor.ErrUsed)
	}
}

func triesArePaid(t *testing.T, s nodes.Stores) {
	id, secret := activate(t, s)
	now := present()
	throttled := func(when string, at time.Time) {
		t.Helper()
		_, err := s.Factors.Try(t.Context(), id, at)
		wantFactorErr(t, "Try "+when, err, factor.ErrThrottled)
	}
	for i := range factor.MaxTries {
		try(t, s, id, now.Add(time.Duration(i)*time.Second))
	}
	throttled("too many", now.Add(time.Minute))
	throttled("at the end of the window", now.Add(factor.Window-time.Millisecond))
	now = now.Add(factor.Window)
	for range factor.MaxTries - 1 {
		try(t, s, id, now)
	}
	wantFactorErr(t, "Use", s.Factors.Use(t.Context(), id, secret, 2), nil)
	for range factor.MaxTries {
		try(t, s, id, now)
	}
	throttled("too many after a success", now)
	wantFactorErr(t, "Use", s.Factors.Use(t.Context(), id, secret, 2), factor.ErrUsed)
	throttled("after a use that was none", now)
}

func triesRace(t *testing.T, s nodes.Stores) {
	now := present()
	for range 5 {
		id, _ := activate(t, s)
		var passed atomic.Int32
		for _, err := range together(32, func(int) error {
			_, err := s.Factors.Try(t.Context(), id, now)
			if err == nil {
				passed.Add(1)
			}
			return err
		}) {
			if err != nil && !errors.Is(err, factor.ErrThrottled) {
				t.Fatalf("Factors.Try from many = %v, want nil or %v", err, factor.ErrThrottled)
			}
		}
		if n := passed.Load(); n != factor.MaxTries {
			t.Errorf("%d of 32 tries at once passed, want %d", n, factor.MaxTries)
		}
	}
}

func recoveryIsUsedOnce(t *testing.T, s nodes.Stores) {
	id, _ := activate(t, s)
	recover := func(what string, h factor.Hash, want error) {
		t.Helper()
		wantFactorErr(t, "Recover("+what+")", s.Factors.Recover(t.Context(), id, h), want)
	}
	old := []factor.Hash{{1}, {2}, {3}}
	wantFactorErr(t, "SetRecovery", s.Factors.SetRecovery(t.Context(), id, old), nil)
	old[0] = factor.Hash{9}
	recover("wrong", factor.Hash{9}, factor.ErrUsed)
	recover("first", factor.Hash{1}, nil)
	recover("first again", factor.Hash{1}, factor.ErrUsed)
	if f := try(t, s, id, present()); !slices.Equal(f.Recovery, []factor.Hash{{2}, {3}}) {
		t.Errorf("Factors.Try() has recovery codes %v, want the second and the third", f.Recovery)
	}
	wantFactorErr(t, "SetRecovery", s.Factors.SetRecovery(t.Context(), id, []factor.Hash{{4}}), nil)
	recover("of the old ones", factor.Hash{2}, factor.ErrUsed)
	recover("of the new ones", factor.Hash{4}, nil)
	for range factor.MaxTries {
		try(t, s, id, present())
	}
}

func recoveriesRace(t *testing.T, s nodes.Stores) {
	id, _ := activate(t, s)
	codes := make([]factor.Hash, 10)
	for i := range codes {
		codes[i] = factor.Hash{byte(i + 1)}
	}
	wantFactorErr(t, "SetRecovery", s.Factors.SetRecovery(t.Context(), id, codes), nil)
	for _, h := range codes {
		wantOne(t, "Factors.Recover from many", together(16, func(int) error { return s.Factors.Recover(t.Context(), id, h) }), factor.ErrUsed)
	}
}

func factorIsDeleted(t *testing.T, s nodes.Stores) {
	id, secret := activate(t, s)
	other, _ := activate(t, s)
	wantFactorErr(t, "SetRecovery", s.Factors.SetRecovery(t.Context(), id, []factor.Hash{{1}}), nil)
	wantFactorErr(t, "Delete", s.Factors.Delete(t.Context(), id), nil)
	wantActive(t, s, id, false)
	wantActive(t, s, other, true)
	wantFactorErr(t, "Use", s.Factors.Use(t.Context(), id, secret, 5), factor.ErrNoFactor)
	wantFactorErr(t, "Recover", s.Factors.Recover(t.Context(), id, factor.Hash{1}), factor.ErrUsed)
	enroll(t, s, id)
	wantActive(t, s, id, false)
}

func factorsCancel(t *testing.T, s nodes.Stores) {
	id, secret := activate(t, s)
	wantCancelled(t, map[string]func(context.Context) error{
		"Factors.Active":      func(ctx context.Context) error { _, err := s.Factors.Active(ctx, id); return err },
		"Factors.Enroll":      func(ctx context.Context) error { return s.Factors.Enroll(ctx, id, secret) },
		"Factors.Try":         func(ctx context.Context) error { _, err := s.Factors.Try(ctx, id, present()); return err },
		"Factors.Use":         func(ctx context.Context) error { return s.Factors.Use(ctx, id, secret, 2) },
		"Factors.SetRecovery": func(ctx context.Context) error { return s.Factors.SetRecovery(ctx, id, nil) },
		"Factors.Recover":     func(ctx context.Context) error { return s.Factors.Recover(ctx, id, factor.Hash{1}) },
		"Factors.Delete":      func(ctx context.Context) error { return s.Factors.Delete(ctx, id) },
	})
	wantActive(t, s, id, true)
}
