package nodestest

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/nodes/code"
	"sluice/nodes/factor"
	"sluice/nodes/memory"
	"sluice/nodes/record"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// usedCodeHasEvent tells that a try that was right has an event of its user, and
// that one that was wrong, which a store keeps as well, has none.
func usedCodeHasEvent(t *testing.T, s nodes.Stores) {
	now, rec := present(), recorder(s)
	c := newDigits(now)
	putCode(t, s, c)
	take := func(h code.Hash) error {
		return rec.Do(t.Context(), audit.Event{Kind: audit.CodeRedeemed}, func(ctx context.Context) error {
			got, err := s.Codes.Take(ctx, c.Slot, h, now)
			code.Recorded(ctx, got, err == nil)
			return err
		})
	}
	if err := take(wrong()); !errors.Is(err, code.ErrNoCode) {
		t.Fatalf("Codes.Take of wrong digits = %v, want %v", err, code.ErrNoCode)
	}
	wantKinds(t, s, "of a wrong try", c.UserID)
	if err := take(c.Hash); err != nil {
		t.Fatalf("Codes.Take = %v, want nil", err)
	}
	if err := take(c.Hash); !errors.Is(err, code.ErrNoCode) {
		t.Fatalf("Codes.Take once more = %v, want %v", err, code.ErrNoCode)
	}
	wantKinds(t, s, "of three tries", c.UserID, audit.CodeRedeemed)
	if n := len(events(t, s, audit.Query{Kinds: []audit.Kind{audit.CodeRedeemed}})); n != 1 {
		t.Errorf("%d codes were redeemed, want 1", n)
	}
	nobody := newDigits(now)
	nobody.UserID = ""
	putCode(t, s, nobody)
	c = nobody
	if err := take(c.Hash); err != nil {
		t.Fatalf("Codes.Take of nobody's = %v, want nil", err)
	}
	if n := len(events(t, s, audit.Query{Kinds: []audit.Kind{audit.CodeRedeemed}})); n != 1 {
		t.Errorf("%d codes were redeemed with nobody's, want 1", n)
	}
	wantWhole(t, s, -1)
}

func factorHasEvent(t *testing.T, s nodes.Stores) {
	userID, _ := activate(t, s)
	rec := recorder(s)
	remove := func(userID string) {
		t.Helper()
		err := rec.Do(t.Context(), audit.Event{Kind: audit.FactorRemoved, Subject: userID}, func(ctx context.Context) error { return s.Factors.Delete(ctx, userID) })
		if err != nil {
			t.Fatalf("Do(%s) = %v, want nil", audit.FactorRemoved, err)
		}
	}
	err := rec.Do(t.Context(), audit.Event{Kind: audit.RecoveryUsed, Subject: userID}, func(ctx context.Context) error {
		return s.Factors.Recover(ctx, userID, factor.Hash{1})
	})
	if !errors.Is(err, factor.ErrUsed) {
		t.Fatalf("Factors.Recover of a wrong code = %v, want %v", err, factor.ErrUsed)
	}
	remove(userID)
	remove(userID) // nothing is there any more
	wantKinds(t, s, "of a second factor", userID, audit.FactorRemoved)
}

// displacedIsTold tells that events name the session that was renewed, and how
// many a new one ended.
func displacedIsTold(t *testing.T, s nodes.Stores) {
	u, now, rec := addUser(t, s), present(), recorder(s)
	create := func() session.Session {
		t.Helper()
		made := newSession(proof(t, s, u.ID), now)
		err := rec.Do(t.Context(), audit.Event{Kind: audit.SignIn, Subject: u.ID}, func(ctx context.Context) error {
			n, err := s.Sessions.CreateWithin(ctx, hashOf(made.ID), made, 2)
			session.Displaced(ctx, n)
			return err
		})
		if err != nil {
			t.Fatalf("Do(%s) = %v, want nil", audit.SignIn, err)
		}
		return made
	}
	create()
	create()
	last := create()
	renew := func(h session.Hash) error {
		return rec.Do(t.Context(), audit.Event{Kind: audit.Confirmed}, func(ctx context.Context) error {
			got, err := s.Sessions.Renew(ctx, h, session.Renewal{AuthenticatedDtm: now.Add(time.Second)}, now)
			if err == nil {
				session.Renewed(ctx, got)
			}
			return err
		})
	}
	if err := renew(hashOf(newID())); !errors.Is(err, session.ErrNoSession) {
		t.Fatalf("Sessions.Renew of none = %v, want %v", err, session.ErrNoSession)
	}
	if err := renew(hashOf(last.ID)); err != nil {
		t.Fatalf("Sessions.Renew = %v, want nil", err)
	}
	got := about(t, s, u.ID)
	if len(got) != 4 || got[1].Details["ended"] != "" || got[2].Details["ended"] != "1" || got[3].Kind != audit.Confirmed || got[3].SessionID != last.ID {
		t.Errorf("events = %+v, want three sign-ins of which the last ended 1, and one of session %s", got, last.ID)
	}
}

func deletedUserHasEvent(t *testing.T, s nodes.Stores) {
	u, rec := addUser(t, s), recorder(s)
	for i := range 2 {
		err := rec.Do(t.Context(), audit.Event{Kind: audit.UserDeleted, Subject: u.ID}, func(ctx context.Context) error { return s.Users.Delete(ctx, u.ID, present()) })
		if want := []error{nil, user.ErrNoUser}[i]; !errors.Is(err, want) {
			t.Fatalf("Users.Delete = %v, want %v", err, want)
		}
	}
	wantKinds(t, s, "of a user who was deleted twice", u.ID, audit.UserDeleted)
}

// logSurvives tells that a log is verified wherever it moves, from another store
// and into one, goes on there, and that what was done to it is still told.
func logSurvives(t *testing.T, s nodes.Stores) {
	now, from := present(), memory.New()
	for _, store := range []nodes.Stores{from, s} {
		appendEvent(t, store, newEvent("first"))
		appendEvent(t, store, newEvent("second"))
	}
	into := moved(t, s, now)
	wantWhole(t, into, len(events(t, s, audit.Query{})))
	wantKinds(t, into, "that moved", "second", audit.SignIn)
	appendEvent(t, into, newEvent("third"))
	wantWhole(t, into, -1)

	var some []record.Record
	for r, err := range record.All(t.Context(), from.Records, now) {
		if err != nil {
			t.Fatalf("Records.Export = %v, want nil", err)
		}
		some = append(some, r)
	}
	take(t, s, some, true)
	wantWhole(t, s, 2)
	r, err := audit.Verify(t.Context(), s.Audit)
	if err != nil {
		t.Fatalf("Verify = %v, want nil", err)
	}
	appendEvent(t, s, audit.ImportedEvent(r.Chains))
	appendEvent(t, s, newEvent("third"))
	wantWhole(t, s, -1)

	var cut []record.Record
	for _, r := range some {
		if e, ok := r.(*record.Event); !ok || e.Subject != "first" {
			cut = append(cut, r)
		}
	}
	take(t, s, cut, true)
	if r, err := audit.Verify(t.Context(), s.Audit); err != nil || len(r.Flaws) == 0 {
		t.Errorf("Verify of a log that moved without its first event = %+v, %v, want a flaw", r, err)
	}
}
