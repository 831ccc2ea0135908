package limit

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sluice/engine"
)

// Throttled is the way out of nodes that check who somebody is, where there were
// too many wrong answers.
var Throttled = engine.NewOutcome("throttled", engine.TooMany, "Too many attempts. Try again later.")

// A Policy says how many wrong answers are allowed. The zero value of a field
// stands for its default.
type Policy struct {
	Account int // for one account in an hour; default 10
	Address int // from one IPv4 address or IPv6 /64 in an hour, whoever is claimed; default 300
}

const (
	knownFor    = 30 * 24 * time.Hour    // since the last success at a place
	firstDelay  = 250 * time.Millisecond // doubles with every answer more
	lastDelay   = 4 * time.Second
	maxSleepers = 1000 // attempts that are held back at a time; others are refused
)

// A Throttle holds those back who try to find out what proves somebody's
// identity. Each attempt is counted before its answer is known, so that many at
// once get no more than the allowance, and given back where the answer was
// right. Behind half of the allowance of an account, answers come later and
// later; behind all of it they are refused, whatever they are. It counts whoever
// is claimed alike, whether or not there is such an account.
//
// The allowance of an account is that of all places together. But a place, an
// IPv4 /24 or IPv6 /64, at which the account's owner succeeded lately has one of
// its own: who floods an account from elsewhere does not lock its owner out.
type Throttle struct {
	store    Store
	account  Rate
	address  Rate
	sleepers atomic.Int64
}

// NewThrottle makes a throttle that counts in s, or in memory where s is nil.
func NewThrottle(s Store, p Policy) *Throttle {
	if s == nil {
		s = NewTable(100_000)
	}
	return &Throttle{
		store:   s,
		account: Rate{cmp.Or(p.Account, 10), time.Hour},
		address: Rate{cmp.Or(p.Address, 300), time.Hour},
	}
}

// An Attempt is one answer that was counted.
type Attempt struct {
	t                          *Throttle
	counted, host, place, mark Key
	local                      bool // the caller has no address
	nobody                     bool // no account is claimed
}

// Begin counts an attempt to prove to be an account, named by any text that is
// the same for all its spellings, from an address, which may be empty. It may
// wait, and returns Throttled where the attempt must not be made.
func (t *Throttle) Begin(ctx context.Context, account, ip string) (*Attempt, error) {
	now, near := time.Now(), Network(ip, 24)
	a := &Attempt{
		t: t, counted: KeyOf("account", account), host: KeyOf("address", Network(ip, 32)),
		place: KeyOf("place", account, near), mark: KeyOf("known", account, near), local: ip == "",
	}
	until, err := t.store.Until(ctx, a.mark, now)
	if err != nil {
		return nil, fmt.Errorf("reading known places: %w", err)
	}
	if until.After(now) {
		a.counted = a.place
	}
	if err := a.takeHost(ctx, now); err != nil {
		return nil, err
	}
	taken, err := t.store.Take(ctx, a.counted, t.account, now)
	if err != nil {
		return nil, fmt.Errorf("counting for the account: %w", err)
	}
	if taken.Wait > 0 {
		if err := a.giveHost(ctx, now); err != nil {
			return nil, err
		}
		return nil, Throttled.After(taken.Wait)
	}
	if err := a.hold(ctx, t.account.delay(taken.Used)); err != nil {
		return nil, err
	}
	return a, nil
}

// BeginUnclaimed counts an attempt of which nobody can tell before its answer
// whom it claims to be, by the address that it comes from alone.
func (t *Throttle) BeginUnclaimed(ctx context.Context, ip string) (*Attempt, error) {
	a := &Attempt{t: t, host: KeyOf("address", Network(ip, 32)), local: ip == "", nobody: true}
	if err := a.takeHost(ctx, time.Now()); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Attempt) takeHost(ctx context.Context, now time.Time) error {
	if a.local {
		return nil
	}
	taken, err := a.t.store.Take(ctx, a.host, a.t.address, now)
	switch {
	case err != nil:
		return fmt.Errorf("counting for the address: %w", err)
	case taken.Wait > 0:
		return Throttled.After(taken.Wait)
	}
	return nil
}

// delay is for how long the used-th answer of an allowance is held back.
func (r Rate) delay(used int) time.Duration {
	beyond := used - r.Count/2
	if beyond < 1 {
		return 0
	}
	return min(firstDelay<<min(beyond-1, 10), lastDelay)
}

// hold waits. Whoever waits holds a timer and the stack of a call, of which
// there are not more than some.
func (a *Attempt) hold(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	defer a.t.sleepers.Add(-1)
	if a.t.sleepers.Add(1) > maxSleepers {
		if err := a.Undo(ctx); err != nil {
			return err
		}
		return Throttled.After(d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("holding an attempt back: %w", ctx.Err())
	}
}

// Succeeded says that the answer was right: nothing is counted, what was wrong
// before at this place is forgotten, and the place is known from now on.
func (a *Attempt) Succeeded(ctx context.Context) error {
	now := time.Now()
	if err := a.Undo(ctx); err != nil || a.nobody {
		return err
	}
	if err := a.t.store.Set(ctx, a.place, time.Time{}, now); err != nil {
		return fmt.Errorf("clearing the count of the place: %w", err)
	}
	if err := a.t.store.Set(ctx, a.mark, now.Add(knownFor), now); err != nil {
		return fmt.Errorf("noting the place: %w", err)
	}
	return nil
}

// Undo says that the answer was not looked at.
func (a *Attempt) Undo(ctx context.Context) error {
	now := time.Now()
	if !a.nobody {
		if err := a.t.store.Give(ctx, a.counted, a.t.account, now); err != nil {
			return fmt.Errorf("giving an attempt back: %w", err)
		}
	}
	return a.giveHost(ctx, now)
}

func (a *Attempt) giveHost(ctx context.Context, now time.Time) error {
	if a.local {
		return nil
	}
	if err := a.t.store.Give(ctx, a.host, a.t.address, now); err != nil {
		return fmt.Errorf("giving an attempt back: %w", err)
	}
	return nil
}
