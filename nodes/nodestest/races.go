package nodestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/limit"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// A race is what must not win against what happens at the same moment.
type race struct {
	name string
	each int // one round is run of so many of the rounds asked for
	// round is told the user of the one who runs it, whom no other round has.
	round func(x contest, ctx context.Context, userID string) error
}

// races are the races of sessions and counters. Those behind the first few
// create users, which costs more.
var races = []race{
	{"a use beside the end", 1, func(x contest, ctx context.Context, id string) error {
		return x.ends(ctx, id, func(m session.Session) error {
			x.b.Sessions.Touch(hashOf(m.ID), present())
			return nil
		})
	}},
	{"a change of groups beside the end", 1, func(x contest, ctx context.Context, id string) error {
		return x.ends(ctx, id, func(session.Session) error {
			_, err := x.b.Sessions.Update(ctx, session.Which{UserID: id}, session.Groups{Add: []string{"late"}}, present())
			return err
		})
	}},
	{"a list beside the end", 1, func(x contest, ctx context.Context, id string) error {
		return x.ends(ctx, id, func(session.Session) error {
			_, err := x.b.Sessions.List(ctx, id, "", 10, present())
			return err
		})
	}},
	{"a new token beside the end", 1, func(x contest, ctx context.Context, id string) error {
		return x.ends(ctx, id, func(m session.Session) error {
			_, err := x.b.Sessions.Renew(ctx, hashOf(m.ID), session.Renewal{AuthenticatedDtm: present()}, present())
			if errors.Is(err, session.ErrNoSession) {
				return nil
			}
			return err
		})
	}},
	{"a sign-in beside the end of all", 5, func(x contest, ctx context.Context, id string) error {
		return x.shutsOut(ctx, id, func() error {
			_, err := x.a.Sessions.End(ctx, session.Which{UserID: id}, present())
			return err
		})
	}},
	{"a sign-in beside disabling", 5, func(x contest, ctx context.Context, id string) error {
		off, on := true, false
		err := x.shutsOut(ctx, id, func() error {
			_, err := x.a.Users.Update(ctx, id, user.Change{Disabled: &off}, present())
			return err
		})
		if err == nil {
			_, err = x.a.Users.Update(ctx, id, user.Change{Disabled: &on}, present())
		}
		return err
	}},
	{"a sign-in beside deletion", 5, func(x contest, ctx context.Context, _ string) error {
		u := newUser()
		if err := x.a.Users.Create(ctx, u, "hash"); err != nil {
			return fmt.Errorf("creating user: %w", err)
		}
		return x.shutsOut(ctx, u.ID, func() error { return x.a.Users.Delete(ctx, u.ID, present()) })
	}},
	{"many beside many at a limit", 100, contest.counts},
}

// Races runs what comes late against what ends a session, and counters against
// many at once, in many rounds. The two stores are one, seen by two processes
// where a store has that, and each side of a race waits up to two milliseconds.
func Races(t *testing.T, a, b nodes.Stores, rounds int) {
	for _, r := range races {
		t.Run(r.name, func(t *testing.T) {
			x := contest{a: a, b: b, ended: &ended{}}
			x.run(t, r, max(rounds/r.each, 1))
			time.Sleep(200 * time.Millisecond) // for touches that a store notes later
			for _, m := range x.ended.all {
				if err := x.dead(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d rounds, %d sessions looked at again", max(rounds/r.each, 1), len(x.ended.all))
		})
	}
}

// A contest is two processes at one store, and the sessions that must be dead.
type contest struct {
	a, b  nodes.Stores
	ended *ended
}

type ended struct {
	mu  sync.Mutex
	all []session.Session // guarded by mu
}

// run runs rounds of a race, some at a time, until they are done or one fails.
func (x contest) run(t *testing.T, r race, rounds int) {
	const atOnce = 32
	var next atomic.Int64
	errs := together(min(atOnce, rounds), func(int) error {
		u := newUser()
		if err := x.a.Users.Create(t.Context(), u, "hash"); err != nil {
			return fmt.Errorf("creating user: %w", err)
		}
		for next.Add(1) <= int64(rounds) {
			if err := r.round(x, t.Context(), u.ID); err != nil {
				next.Store(int64(rounds))
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// ends ends a session beside something that comes late.
func (x contest) ends(ctx context.Context, userID string, late func(session.Session) error) error {
	m, err := x.open(ctx, x.b, userID)
	if err != nil {
		return err
	}
	if err := beside(func() error { return late(m) }, func() error {
		n, err := x.a.Sessions.End(ctx, session.Which{Hash: hashOf(m.ID)}, present())
		if err == nil && n != 1 {
			err = fmt.Errorf("ending a session ended %d, want 1", n)
		}
		return err
	}); err != nil {
		return err
	}
	return x.over(ctx, m)
}

// shutsOut signs a user in on both sides of what shuts the user out.
func (x contest) shutsOut(ctx context.Context, userID string, out func() error) error {
	before, err := x.open(ctx, x.b, userID)
	if err != nil {
		return err
	}
	proved := before.UserID
	made := newSession(proved, present())
	if err := beside(out, func() error {
		err := x.b.Sessions.Create(ctx, hashOf(made.ID), made)
		if errors.Is(err, session.ErrStaleProof) {
			return nil
		}
		return err
	}); err != nil {
		return err
	}
	return errors.Join(x.over(ctx, before), x.over(ctx, made))
}

// counts takes from an allowance of 10 from 200 sides at once.
func (x contest) counts(ctx context.Context, _ string) error {
	const sides, allowed = 200, 10
	k, r, now := newCounter(), limit.Rate{Count: allowed, Each: time.Hour}, present()
	var passed atomic.Int64
	errs := together(sides, func(i int) error {
		s := x.a
		if i%2 == 1 {
			s = x.b
		}
		got, err := s.Limits.Take(ctx, k, r, now)
		if err == nil && got.Wait == 0 {
			passed.Add(1)
		}
		return err
	})
	if n := passed.Load(); n != allowed {
		errs = append(errs, fmt.Errorf("of %d at once %d passed, want %d", sides, n, allowed))
	}
	return errors.Join(errs...)
}

func (x contest) open(ctx context.Context, s nodes.Stores, userID string) (session.Session, error) {
	u, err := s.Users.ByID(ctx, userID)
	if err != nil {
		return session.Session{}, fmt.Errorf("reading user: %w", err)
	}
	m := newSession(user.ProvenID{ID: u.ID, Epoch: u.Epoch}, present())
	if err := s.Sessions.Create(ctx, hashOf(m.ID), m); err != nil {
		return session.Session{}, fmt.Errorf("opening session: %w", err)
	}
	return m, nil
}

// over notes that a session has ended, and looks whether it has.
func (x contest) over(ctx context.Context, m session.Session) error {
	x.ended.mu.Lock()
	x.ended.all = append(x.ended.all, m)
	x.ended.mu.Unlock()
	return x.dead(ctx, m)
}

// dead returns an error where a session lives on either side.
func (x contest) dead(ctx context.Context, m session.Session) error {
	for _, s := range []nodes.Stores{x.a, x.b} {
		if got, err := s.Sessions.Get(ctx, hashOf(m.ID), present()); !errors.Is(err, session.ErrNoSession) {
			return fmt.Errorf("Sessions.Get of an ended session = %+v, %v, want %v", got, err, session.ErrNoSession)
		}
	}
	return nil
}

// beside runs two at once, each after up to two milliseconds.
func beside(f, g func() error) error {
	both := [2]func() error{f, g}
	return errors.Join(together(2, func(i int) error {
		time.Sleep(rand.N(2 * time.Millisecond))
		return both[i]()
	})...)
}
