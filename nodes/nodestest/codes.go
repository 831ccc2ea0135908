package nodestest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/code"
)

// Codes tests a store of codes.
func Codes(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a taken code comes back as it was put", codeComesBack},
		{"a code is taken once", codeIsTakenOnce},
		{"a code of many uses is taken as often", codeOfManyUses},
		{"a wrong try of a token costs nothing", wrongTokenIsFree},
		{"digits have so many tries and are dead after them", digitsDie},
		{"right digits end with their first use", digitsAreTakenOnce},
		{"a code ends at its very end", codeEnds},
		{"a newer code ends the one before, and none else", newerCodeEnds},
		{"a code cannot follow too soon, but an expired or a used one is no hindrance", codeTooSoon},
		{"of many who take a code one gets it", codeTakesRace},
		{"many guesses at once have no more tries", guessesRace},
		{"of many who put codes at once one is kept", putsRace},
		{"a cancelled context is an error", codesCancel},
	})
}

// newCode returns a token of one use and ten minutes in a slot of its own.
func newCode(now time.Time) code.Code {
	c := code.Code{
		Left: 1, CreatedDtm: now, ExpiresDtm: now.Add(10 * time.Minute), UserID: newID(), To: "Ada@Example.com",
		State: sha256.Sum256([]byte("state")),
	}
	rand.Read(c.Slot[:])
	rand.Read(c.Hash[:])
	return c
}

// newDigits returns digits of five tries.
func newDigits(now time.Time) code.Code {
	c := newCode(now)
	c.Digits, c.Left = true, 5
	return c
}

func putCode(t *testing.T, s nodes.Stores, c code.Code) {
	t.Helper()
	if err := s.Codes.Put(t.Context(), c, c.CreatedDtm); err != nil {
		t.Fatalf("Codes.Put(%+v) = %v, want nil", c, err)
	}
}

// wantCodeTaken fails the test unless the code is there to be taken.
func wantCodeTaken(t *testing.T, s nodes.Stores, what string, c code.Code, now time.Time) code.Code {
	t.Helper()
	got, err := s.Codes.Take(t.Context(), c.Slot, c.Hash, now)
	if err != nil {
		t.Fatalf("Codes.Take(%s) = %v, want nil", what, err)
	}
	return got
}

// wantNoCode fails the test unless a hash takes nothing.
func wantNoCode(t *testing.T, s nodes.Stores, what string, slot code.Slot, h code.Hash, now time.Time) {
	t.Helper()
	if got, err := s.Codes.Take(t.Context(), slot, h, now); !errors.Is(err, code.ErrNoCode) {
		t.Fatalf("Codes.Take(%s) = %+v, %v, want %v", what, got, err, code.ErrNoCode)
	}
}

// wrong is a hash that no code has.
func wrong() (h code.Hash) {
	rand.Read(h[:])
	return h
}

func codeComesBack(t *testing.T, s nodes.Stores) {
	now := present()
	for name, text := range texts() {
		for _, c := range []code.Code{newCode(now), newDigits(now)} {
			c.To, c.UserID = text, text
			putCode(t, s, c)
			got := wantCodeTaken(t, s, name, c, now)
			wantTime(t, "CreatedDtm", got.CreatedDtm, c.CreatedDtm)
			wantTime(t, "ExpiresDtm", got.ExpiresDtm, c.ExpiresDtm)
			got.CreatedDtm, got.ExpiresDtm, c.Left = c.CreatedDtm, c.ExpiresDtm, c.Left-1
			if got != c {
				t.Errorf("Codes.Take(%s) = %+v, want %+v", name, got, c)
			}
		}
	}
}

func codeIsTakenOnce(t *testing.T, s nodes.Stores) {
	now := present()
	c := newCode(now)
	wantNoCode(t, s, "never there", c.Slot, c.Hash, now)
	putCode(t, s, c)
	wantCodeTaken(t, s, "first", c, now)
	wantNoCode(t, s, "second", c.Slot, c.Hash, now)
}

func codeOfManyUses(t *testing.T, s nodes.Stores) {
	now := present()
	c := newCode(now)
	c.Left = 3
	putCode(t, s, c)
	for left := 2; left >= 0; left-- {
		if got := wantCodeTaken(t, s, "again", c, now); got.Left != left {
			t.Errorf("Codes.Take() leaves %d uses, want %d", got.Left, left)
		}
	}
	wantNoCode(t, s, "once more", c.Slot, c.Hash, now)
}

func wrongTokenIsFree(t *testing.T, s nodes.Stores) {
	now := present()
	c := newCode(now)
	putCode(t, s, c)
	for range 20 {
		wantNoCode(t, s, "wrong", c.Slot, wrong(), now)
	}
	wantCodeTaken(t, s, "right", c, now)
}

func digitsDie(t *testing.T, s nodes.Stores) {
	now := present()
	last, dead := newDigits(now), newDigits(now)
	putCode(t, s, last)
	putCode(t, s, dead)
	for range 4 {
		wantNoCode(t, s, "wrong", last.Slot, wrong(), now)
		wantNoCode(t, s, "wrong", dead.Slot, wrong(), now)
	}
	wantCodeTaken(t, s, "right, with the last try", last, now)
	wantNoCode(t, s, "wrong, with the last try", dead.Slot, wrong(), now)
	wantNoCode(t, s, "right, without a try left", dead.Slot, dead.Hash, now)
}

func digitsAreTakenOnce(t *testing.T, s nodes.Stores) {
	now := present()
	c := newDigits(now)
	putCode(t, s, c)
	wantNoCode(t, s, "wrong", c.Slot, wrong(), now)
	wantCodeTaken(t, s, "right", c, now)
	wantNoCode(t, s, "right again", c.Slot, c.Hash, now)
}

func codeEnds(t *testing.T, s nodes.Stores) {
	now := present()
	early, late := newCode(now), newDigits(now)
	putCode(t, s, early)
	putCode(t, s, late)
	wantCodeTaken(t, s, "just before its end", early, early.ExpiresDtm.Add(-time.Millisecond))
	wantNoCode(t, s, "at its end", late.Slot, late.Hash, late.ExpiresDtm)
}

func newerCodeEnds(t *testing.T, s nodes.Stores) {
	now := present()
	old, other := newDigits(now), newCode(now)
	putCode(t, s, old)
	putCode(t, s, other)
	for range 3 {
		wantNoCode(t, s, "wrong", old.Slot, wrong(), now)
	}
	newer := newCode(now.Add(time.Second))
	newer.Slot = old.Slot
	putCode(t, s, newer)
	wantNoCode(t, s, "of the old code", old.Slot, old.Hash, newer.CreatedDtm)
	if got := wantCodeTaken(t, s, "of the newer code", newer, newer.CreatedDtm); got.UserID != newer.UserID || got.Digits {
		t.Errorf("Codes.Take() = %+v, want %+v", got, newer)
	}
	wantCodeTaken(t, s, "of the other slot", other, newer.CreatedDtm)
}

func codeTooSoon(t *testing.T, s nodes.Stores) {
	now := present()
	again := func(c code.Code, at time.Time) code.Code {
		n := newCode(at)
		n.Slot = c.Slot
		return n
	}
	put := func(what string, c code.Code, since time.Time, want error) {
		t.Helper()
		if err := s.Codes.Put(t.Context(), c, since); !errors.Is(err, want) {
			t.Fatalf("Codes.Put(%s) = %v, want %v", what, err, want)
		}
	}
	first := newDigits(now)
	put("first", first, now.Add(-time.Minute), nil)
	put("right behind it", again(first, now.Add(time.Second)), now.Add(-59*time.Second), code.ErrTooSoon)
	for range 5 {
		wantNoCode(t, s, "wrong", first.Slot, wrong(), now)
	}
	put("behind one without tries", again(first, now.Add(59*time.Second)), now.Add(-time.Second), code.ErrTooSoon)
	second := again(first, now.Add(time.Minute))
	put("a minute later", second, now, nil)
	wantCodeTaken(t, s, "second", second, second.CreatedDtm)
	third := again(first, second.CreatedDtm.Add(time.Second))
	put("behind a used one", third, second.CreatedDtm.Add(-time.Minute), nil)
	put("behind an expired one", again(first, third.ExpiresDtm), now, nil)
}

func codeTakesRace(t *testing.T, s nodes.Stores) {
	now := present()
	for _, made := range []func(time.Time) code.Code{newCode, newDigits} {
		for range 10 {
			c := made(now)
			putCode(t, s, c)
			errs := together(16, func(int) error {
				_, err := s.Codes.Take(t.Context(), c.Slot, c.Hash, now)
				return err
			})
			wantOne(t, "Codes.Take from many", errs, code.ErrNoCode)
			wantNoCode(t, s, "after the race", c.Slot, c.Hash, now)
		}
	}
	c := newCode(now)
	c.Left = 5
	putCode(t, s, c)
	var taken atomic.Int32
	for _, err := range together(32, func(int) error {
		_, err := s.Codes.Take(t.Context(), c.Slot, c.Hash, now)
		if err == nil {
			taken.Add(1)
		}
		return err
	}) {
		if err != nil && !errors.Is(err, code.ErrNoCode) {
			t.Fatalf("Codes.Take from many = %v, want nil or %v", err, code.ErrNoCode)
		}
	}
	if n := taken.Load(); n != 5 {
		t.Errorf("a code of 5 uses was taken %d times by 32 at once, want 5", n)
	}
}

// guessesRace looks for tries that were not paid: whatever the order of right
// and wrong ones, after 32 of them the digits are dead, and where the right one
// came too late it came too late.
func guessesRace(t *testing.T, s nodes.Stores) {
	now := present()
	for range 10 {
		c := newDigits(now)
		putCode(t, s, c)
		errs := together(32, func(int) error {
			_, err := s.Codes.Take(t.Context(), c.Slot, wrong(), now)
			return err
		})
		for _, err := range errs {
			if !errors.Is(err, code.ErrNoCode) {
				t.Fatalf("Codes.Take(wrong) = %v, want %v", err, code.ErrNoCode)
			}
		}
		wantNoCode(t, s, "right, behind many wrong ones", c.Slot, c.Hash, now)
	}
}

func putsRace(t *testing.T, s nodes.Stores) {
	now := present()
	first := newCode(now)
	codes := make([]code.Code, 16)
	errs := together(len(codes), func(i int) error {
		codes[i] = newCode(now)
		codes[i].Slot = first.Slot
		return s.Codes.Put(t.Context(), codes[i], now.Add(-time.Minute))
	})
	won := wantOne(t, "Codes.Put from many", errs, code.ErrTooSoon)
	wantCodeTaken(t, s, "of the winner", codes[won], now)
}

func codesCancel(t *testing.T, s nodes.Stores) {
	now := present()
	c, free := newCode(now), newCode(now)
	putCode(t, s, c)
	wantCancelled(t, map[string]func(context.Context) error{
		"Codes.Put":  func(ctx context.Context) error { return s.Codes.Put(ctx, free, now) },
		"Codes.Take": func(ctx context.Context) error { _, err := s.Codes.Take(ctx, c.Slot, c.Hash, now); return err },
	})
	wantNoCode(t, s, "whose Put was cancelled", free.Slot, free.Hash, now)
	wantCodeTaken(t, s, "whose Take was cancelled", c, now)
}
