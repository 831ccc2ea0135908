package mongo

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

// A pair are two processes with one database on a stand-in for a replica set.
// The first keeps what its checks read.
type pair struct {
	set         *mongotest.Set
	here, there *DB
	told        *recorder // what here tells the database
	now         time.Time
}

func newPair(t *testing.T, bound time.Duration) *pair {
	t.Helper()
	needFerret(t)
	p := &pair{set: mongotest.NewSet(t, shared.Addr()), told: &recorder{}, now: time.Now()}
	name := newName()
	p.there = openWith(t, settingsOf(t, p.set.URI()).SetTimeout(patience), name)
	p.here = openWith(t, settingsOf(t, p.set.URI()).SetTimeout(patience).SetMonitor(p.told.monitor()), name)
	if err := p.here.keepRecent(t.Context(), bound); err != nil {
		t.Fatalf("keepRecent() = %v, want nil", err)
	}
	return p
}

// signIn makes a user and a session that here knows of.
func (p *pair) signIn(t *testing.T) (user.User, session.Hash, session.Session) {
	t.Helper()
	u := addUser(t, p.there, bson.NewObjectID().Hex()+"@example.com")
	h, s := p.again(t, user.ProvenID{ID: u.ID})
	return u, h, s
}

// again makes another session of a user that here knows of.
func (p *pair) again(t *testing.T, of user.ProvenID) (session.Hash, session.Session) {
	t.Helper()
	h, s := newSession(of)
	if err := (Sessions{p.there}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	p.visit(t, h)
	return h, s
}

// renewed is signIn, and the session has a later token that here knows of.
func (p *pair) renewed(t *testing.T) (user.User, session.Hash, session.Session) {
	t.Helper()
	u, h, s := p.signIn(t)
	next, _ := newSession(s.UserID)
	if _, err := (Sessions{p.there}).Renew(t.Context(), h, session.Renewal{Hash: next}, p.now); err != nil {
		t.Fatalf("Renew() = %v, want nil", err)
	}
	p.visit(t, next)
	return u, next, s
}

// within is signIn, of a user who may have two sessions.
func (p *pair) within(t *testing.T) (user.User, session.Hash, session.Session) {
	t.Helper()
	u := addUser(t, p.there, bson.NewObjectID().Hex()+"@example.com")
	h, s := newSession(user.ProvenID{ID: u.ID})
	if _, err := (Sessions{p.there}).CreateWithin(t.Context(), h, s, 2); err != nil {
		t.Fatalf("CreateWithin() = %v, want nil", err)
	}
	p.visit(t, h)
	return u, h, s
}

// visit lets here know of a session.
func (p *pair) visit(t *testing.T, h session.Hash) {
	t.Helper()
	for range 2 {
		if _, err := (Sessions{p.here}).Get(t.Context(), h, p.now); err != nil {
			t.Fatalf("Get() of a live session = %v, want nil", err)
		}
	}
}

// reads is how often here has asked the database since the last call.
func (p *pair) reads() (n int) {
	for _, command := range p.told.taken() {
		if _, err := command.LookupErr("find"); err == nil {
			n++
		}
	}
	return n
}

// wantTrust waits until here trusts what it keeps, or does not.
func (p *pair) wantTrust(t *testing.T, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); p.here.recent.trusted() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the cache is trusted: %t after 20 s, want %t", !want, want)
		}
	}
}

// A change is one after which a check answers otherwise.
type change struct {
	make func(ctx context.Context, s nodes.Stores, h session.Hash, of session.Session) error
	seen func(s *session.Session) bool // of what a check answers; nil for no session
}

func ended(s *session.Session) bool { return s == nil }

// changes are all that stores of sessions and users know.
func changes() map[string]change {
	end := func(which func(session.Hash, session.Session) session.Which) change {
		return change{func(ctx context.Context, s nodes.Stores, h session.Hash, of session.Session) error {
			_, err := s.Sessions.End(ctx, which(h, of), time.Now())
			return err
		}, ended}
	}
	alter := func(ch user.Change) change {
		return change{func(ctx context.Context, s nodes.Stores, _ session.Hash, of session.Session) error {
			_, err := s.Users.Update(ctx, of.UserID.ID, ch, time.Now())
			return err
		}, ended}
	}
	regroup := func(which func(session.Hash, session.Session) session.Which) change {
		return change{func(ctx context.Context, s nodes.Stores, h session.Hash, of session.Session) error {
			_, err := s.Sessions.Update(ctx, which(h, of), session.Groups{Set: []string{"b"}}, time.Now())
			return err
		}, func(s *session.Session) bool { return s != nil && slices.Equal(s.AccessGroupKeys, []string{"b"}) }}
	}
	renew := func(seen func(*session.Session) bool, r session.Renewal) change {
		return change{func(ctx context.Context, s nodes.Stores, h session.Hash, of session.Session) error {
			if r.AuthenticatedDtm.IsZero() {
				r.Hash, _ = newSession(of.UserID)
			}
			_, err := s.Sessions.Renew(ctx, h, r, time.Now())
			return err
		}, seen}
	}
	byHash := func(h session.Hash, _ session.Session) session.Which { return session.Which{Hash: h} }
	byID := func(_ session.Hash, s session.Session) session.Which {
		return session.Which{UserID: s.UserID.ID, ID: s.ID}
	}
	all := func(_ session.Hash, s session.Session) session.Which { return session.Which{UserID: s.UserID.ID} }
	but := func(_ session.Hash, s session.Session) session.Which {
		return session.Which{UserID: s.UserID.ID, Except: "another"}
	}
	yes, proved := true, time.UnixMilli(1)
	return map[string]change{
		"sign-out":                   end(byHash),
		"sign-out by id":             end(byID),
		"sign-out everywhere":        end(all),
		"sign-out of the others":     end(but),
		"disabled user":              alter(user.Change{Disabled: &yes}),
		"groups of a user":           alter(user.Change{Groups: []string{"x"}}),
		"groups of a session":        regroup(byHash),
		"groups of a session by id":  regroup(byID),
		"groups of all the sessions": regroup(all),
		"new token":                  renew(ended, session.Renewal{}),
		"proof": renew(func(s *session.Session) bool { return s != nil && s.AuthenticatedDtm.Equal(proved) },
			session.Renewal{AuthenticatedDtm: proved}),
		"one session too many": {func(ctx context.Context, s nodes.Stores, _ session.Hash, of session.Session) error {
			h, made := newSession(of.UserID)
			_, err := s.Sessions.CreateWithin(ctx, h, made, 1)
			return err
		}, ended},
		"deleted user": {func(ctx context.Context, s nodes.Stores, _ session.Hash, of session.Session) error {
			return s.Users.Delete(ctx, of.UserID.ID, time.Now())
		}, ended},
	}
}

// change does to stores what changes a session that here knows of, once for each
// change and kind of session.
func (p *pair) change(t *testing.T, s nodes.Stores, then func(name string, h session.Hash, seen func(*session.Session) bool)) {
	t.Helper()
	for kind, open := range map[string]func(*testing.T) (user.User, session.Hash, session.Session){
		"plain": p.signIn, "renewed": p.renewed, "one of few": p.within,
	} {
		for name, c := range changes() {
			_, h, of := open(t)
			name = kind + ", " + name
			if err := c.make(t.Context(), s, h, of); err != nil {
				t.Fatalf("%s = %v, want nil", name, err)
			}
			then(name, h, c.seen)
		}
	}
}

// knows tells whether a process answers as it must after a change.
func knows(t *testing.T, db *DB, h session.Hash, seen func(*session.Session) bool) bool {
	t.Helper()
	s, err := Sessions{db}.Get(t.Context(), h, time.Now())
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Get() = %v, want a session or %v", err, session.ErrNoSession)
		return false
	}
	return seen(s)
}
