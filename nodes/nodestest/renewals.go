package nodestest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/session"
)

// Renewals tests what a session store does to a session that stays, and to the
// oldest ones of a user who may have only some.
func Renewals(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"who acts and when the identity was proved survive", actorSurvives},
		{"a new token takes the place of the old one, which is dead", tokenRotates},
		{"a rotated session is rotated again, changed, touched and ended as any", rotatedIsWhole},
		{"of many who rotate a token one wins", rotateRaces},
		{"no rotation brings back a session that ended meanwhile", rotateRevivesNothing},
		{"the proof of a session moves forwards only, and nothing else of it moves", proofMoves},
		{"what is not live is not renewed", deadAreNotRenewed},
		{"the oldest sessions end that are too many", oldestEnd},
		{"many at once never leave more sessions than a user may have", withinRaces},
	})
}

// renew renews the session with an id, whose hash is h.
func renew(t *testing.T, s nodes.Stores, h session.Hash, r session.Renewal, now time.Time) session.Session {
	t.Helper()
	got, err := s.Sessions.Renew(t.Context(), h, r, now)
	if err != nil {
		t.Fatalf("Sessions.Renew(%+v) = %v, want nil", r, err)
	}
	return *got
}

// at fails the test unless a token has the session that is wanted.
func at(t *testing.T, s nodes.Stores, h session.Hash, want session.Session, now time.Time) {
	t.Helper()
	if got, err := s.Sessions.Get(t.Context(), h, now); err != nil || !sameSession(*got, want) {
		t.Fatalf("Sessions.Get(token) = %+v, %v, want %+v", got, err, want)
	}
}

// noneAt fails the test unless a token is dead.
func noneAt(t *testing.T, s nodes.Stores, h session.Hash, now time.Time) {
	t.Helper()
	if got, err := s.Sessions.Get(t.Context(), h, now); !errors.Is(err, session.ErrNoSession) {
		t.Fatalf("Sessions.Get(a dead token) = %+v, %v, want %v", got, err, session.ErrNoSession)
	}
}

func actorSurvives(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := newSession(proof(t, s, u.ID), now)
	made.AuthenticatedDtm = now.Add(-time.Minute)
	made.ImpersonatedBy = &session.Impersonation{UserID: newID(), SessionID: newID(), Reason: `ticket "42": $set {a.b} é`}
	create(t, s, made)
	wantSession(t, s, made, now)
	wantSession(t, s, made, now)
	n, err := s.Sessions.Update(t.Context(), session.Which{UserID: u.ID}, session.Groups{Add: []string{"a"}}, now)
	wantCount(t, "Sessions.Update(all)", n, err, 1)
	made.AccessGroupKeys = []string{"a"}
	wantSession(t, s, made, now)
}

func tokenRotates(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made, other := newSession(proof(t, s, u.ID), now), addSession(t, s, u.ID, now)
	made.AccessGroupKeys, made.AuthenticatedDtm = []string{"staff"}, now
	create(t, s, made)
	old, next := hashOf(made.ID), hashOf("new token of "+made.ID)
	at(t, s, old, made, now)
	if got := renew(t, s, old, session.Renewal{Hash: next}, now); !sameSession(got, made) {
		t.Errorf("Sessions.Renew(new token) = %+v, want %+v", got, made)
	}
	noneAt(t, s, old, now)
	at(t, s, next, made, now)
	if got := ids(list(t, s, u.ID, "", 10, now)); !slices.Equal(got, []string{other.ID, made.ID}) {
		t.Errorf("Sessions.List() = %q, want both sessions, once", got)
	}
	at(t, s, hashOf(other.ID), other, now)
}

func rotatedIsWhole(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	tokens := []session.Hash{hashOf(made.ID)}
	for i := range 3 {
		tokens = append(tokens, hashOf(fmt.Sprint(made.ID, i)))
		renew(t, s, tokens[i], session.Renewal{Hash: tokens[i+1]}, now)
	}
	last := tokens[3]
	for _, h := range tokens[:3] {
		noneAt(t, s, h, now)
		n, err := s.Sessions.End(t.Context(), session.Which{Hash: h}, now)
		wantCount(t, "Sessions.End(a dead token)", n, err, 0)
		n, err = s.Sessions.Update(t.Context(), session.Which{Hash: h}, session.Groups{Add: []string{"x"}}, now)
		wantCount(t, "Sessions.Update(a dead token)", n, err, 0)
		s.Sessions.Touch(h, now.Add(30*time.Minute))
	}
	time.Sleep(50 * time.Millisecond)
	at(t, s, last, made, now)

	n, err := s.Sessions.Update(t.Context(), session.Which{Hash: last}, session.Groups{Add: []string{"a"}}, now)
	wantCount(t, "Sessions.Update(the last token)", n, err, 1)
	n, err = s.Sessions.Update(t.Context(), session.Which{UserID: u.ID, ID: made.ID}, session.Groups{Add: []string{"b"}}, now)
	wantCount(t, "Sessions.Update(id)", n, err, 1)
	made.AccessGroupKeys = []string{"a", "b"}
	at(t, s, last, made, now)
	later := now.Add(30 * time.Minute)
	s.Sessions.Touch(last, later)
	for range 500 {
		if got, err := s.Sessions.Get(t.Context(), last, later); err == nil && got.LastSeenDtm.Equal(later) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	made = *made.Touched(later)
	at(t, s, last, made, later)
	noneAt(t, s, last, made.ExpiresDtm)

	n, err = s.Sessions.End(t.Context(), session.Which{Hash: last}, later)
	wantCount(t, "Sessions.End(the last token)", n, err, 1)
	for _, h := range tokens {
		noneAt(t, s, h, later)
	}
	if got := list(t, s, u.ID, "", 10, later); len(got) != 0 {
		t.Errorf("Sessions.List() = %q, want none", ids(got))
	}
}

func rotateRaces(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	next := func(i int) session.Hash { return hashOf(fmt.Sprint(made.ID, i)) }
	errs := together(16, func(i int) error {
		_, err := s.Sessions.Renew(t.Context(), hashOf(made.ID), session.Renewal{Hash: next(i)}, now)
		return err
	})
	won := wantOne(t, "Sessions.Renew", errs, session.ErrNoSession)
	for i := range errs {
		if i == won {
			at(t, s, next(i), made, now)
		} else {
			noneAt(t, s, next(i), now)
		}
	}
	noneAt(t, s, hashOf(made.ID), now)
}

func rotateRevivesNothing(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	for i := range 20 {
		made := addSession(t, s, u.ID, now)
		next := hashOf("new token of " + made.ID)
		w := []session.Which{{UserID: u.ID, ID: made.ID}, {UserID: u.ID}}[i%2]
		together(2, func(i int) error {
			if i == 0 {
				_, _ = s.Sessions.Renew(t.Context(), hashOf(made.ID), session.Renewal{Hash: next}, now) // whoever is first
				return nil
			}
			_, err := s.Sessions.End(t.Context(), w, now)
			return err
		})
		noneAt(t, s, hashOf(made.ID), now)
		noneAt(t, s, next, now)
	}
}

func proofMoves(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	for _, step := range []struct{ to, want time.Time }{
		{now.Add(time.Minute), now.Add(time.Minute)}, {now, now.Add(time.Minute)}, {time.Time{}, now.Add(time.Minute)}, {now.Add(time.Hour / 2), now.Add(time.Hour / 2)},
	} {
		made.AuthenticatedDtm = step.want
		if got := renew(t, s, hashOf(made.ID), session.Renewal{AuthenticatedDtm: step.to}, now); !sameSession(got, made) {
			t.Fatalf("Sessions.Renew(%v) = %+v, want %+v", step.to, got, made)
		}
		wantSession(t, s, made, now)
	}
	next := hashOf("new token of " + made.ID)
	made.AuthenticatedDtm = now.Add(40 * time.Minute)
	renew(t, s, hashOf(made.ID), session.Renewal{Hash: next, AuthenticatedDtm: made.AuthenticatedDtm}, now)
	at(t, s, next, made, now)
}

func deadAreNotRenewed(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	ended, expired, all := addSession(t, s, u.ID, now), addSession(t, s, u.ID, now), addUser(t, s)
	everywhere := addSession(t, s, all.ID, now)
	for _, w := range []session.Which{{Hash: hashOf(ended.ID)}, {UserID: all.ID}} {
		n, err := s.Sessions.End(t.Context(), w, now)
		wantCount(t, "Sessions.End", n, err, 1)
	}
	for name, c := range map[string]struct {
		id  string
		now time.Time
	}{
		"ended": {ended.ID, now}, "ended with all": {everywhere.ID, now}, "expired": {expired.ID, expired.ExpiresDtm}, "unknown": {newID(), now},
	} {
		next := hashOf("new token of " + c.id)
		for _, r := range []session.Renewal{{Hash: next}, {AuthenticatedDtm: c.now}} {
			if got, err := s.Sessions.Renew(t.Context(), hashOf(c.id), r, c.now); !errors.Is(err, session.ErrNoSession) {
				t.Errorf("Sessions.Renew(%s) = %+v, %v, want %v", name, got, err, session.ErrNoSession)
			}
		}
		noneAt(t, s, next, c.now)
	}
}

func opensWithin(t *testing.T, s nodes.Stores, made session.Session, most, want int) {
	t.Helper()
	n, err := s.Sessions.CreateWithin(t.Context(), hashOf(made.ID), made, most)
	wantCount(t, fmt.Sprintf("Sessions.CreateWithin(%d)", most), n, err, want)
}

func oldestEnd(t *testing.T, s nodes.Stores) {
	now, u, bystander := present(), addUser(t, s), addUser(t, s)
	theirs := addSession(t, s, bystander.ID, now)
	p := proof(t, s, u.ID)
	made := []session.Session{addSession(t, s, u.ID, now)} // without a limit, and it counts as any
	open := func(most, ended int) {
		t.Helper()
		next := newSession(p, now)
		opensWithin(t, s, next, most, ended)
		made = append(made, next)
	}
	left := func(which ...int) {
		t.Helper()
		for i, m := range made {
			if slices.Contains(which, i) {
				wantLive(t, s, m.ID, now)
			} else {
				wantDead(t, s, m, now)
			}
		}
		if got := list(t, s, u.ID, "", 100, now); len(got) != len(which) {
			t.Fatalf("Sessions.List() = %q, want %d", ids(got), len(which))
		}
	}
	open(3, 0)
	open(3, 0)
	left(0, 1, 2)
	open(3, 1)
	left(1, 2, 3)
	n, err := s.Sessions.End(t.Context(), session.Which{Hash: hashOf(made[2].ID)}, now)
	wantCount(t, "Sessions.End(token)", n, err, 1)
	open(3, 0) // one has ended, so there is room
	left(1, 3, 4)
	open(1, 3)
	left(5)
	next := hashOf("new token of " + made[5].ID)
	renew(t, s, hashOf(made[5].ID), session.Renewal{Hash: next}, now)
	at(t, s, next, made[5], now)
	opensWithin(t, s, newSession(p, now), 1, 1) // whose id is lost
	noneAt(t, s, next, now)
	wantLive(t, s, theirs.ID, now)

	n, err = s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End(all)", n, err, 1)
	stale := newSession(p, now)
	if _, err := s.Sessions.CreateWithin(t.Context(), hashOf(stale.ID), stale, 3); !errors.Is(err, session.ErrStaleProof) {
		t.Errorf("Sessions.CreateWithin(a stale proof) = %v, want %v", err, session.ErrStaleProof)
	}
	noneAt(t, s, hashOf(stale.ID), now)
}

func withinRaces(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	p := proof(t, s, u.ID)
	made := make([]session.Session, 12)
	for i := range made {
		made[i] = newSession(p, now)
	}
	opened := 0
	for i, err := range together(len(made), func(i int) error {
		_, err := s.Sessions.CreateWithin(t.Context(), hashOf(made[i].ID), made[i], 3)
		return err
	}) {
		if err != nil {
			t.Fatalf("Sessions.CreateWithin(%d) = %v, want nil", i, err)
		}
	}
	for _, m := range made {
		if _, err := s.Sessions.Get(t.Context(), hashOf(m.ID), now); err == nil {
			opened++
		}
	}
	if listed := len(list(t, s, u.ID, "", 100, now)); opened != 3 || listed != 3 {
		t.Errorf("%d at once with a limit of 3 = %d live sessions, %d listed, want 3", len(made), opened, listed)
	}
}
