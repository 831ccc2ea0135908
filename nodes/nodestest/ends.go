package nodestest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/session"
)

func oneEnds(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	kept := addSession(t, s, u.ID, now)
	for name, which := range map[string]func(session.Session) session.Which{
		"token": func(m session.Session) session.Which { return session.Which{Hash: hashOf(m.ID)} },
		"id":    func(m session.Session) session.Which { return session.Which{UserID: u.ID, ID: m.ID} },
	} {
		made := addSession(t, s, u.ID, now)
		n, err := s.Sessions.End(t.Context(), which(made), now)
		wantCount(t, "Sessions.End("+name+")", n, err, 1)
		wantDead(t, s, made, now)
		n, err = s.Sessions.End(t.Context(), which(made), now)
		wantCount(t, "Sessions.End("+name+") once more", n, err, 0)
	}
	wantSession(t, s, kept, now)
	next := newSession(kept.UserID, now)
	create(t, s, next) // the end of one session leaves proofs alone
	wantSession(t, s, next, now)
}

func othersDoNotEnd(t *testing.T, s nodes.Stores) {
	now, u, other := present(), addUser(t, s), addUser(t, s)
	theirs := addSession(t, s, other.ID, now)
	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, ID: theirs.ID}, now)
	wantCount(t, "Sessions.End(id of another user's session)", n, err, 0)
	wantSession(t, s, theirs, now)
}

func allEnd(t *testing.T, s nodes.Stores) {
	now, u, other := present(), addUser(t, s), addUser(t, s)
	mine := []session.Session{addSession(t, s, u.ID, now), addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)}
	theirs := addSession(t, s, other.ID, now)
	old := proof(t, s, u.ID)

	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End(all)", n, err, 3)
	for _, m := range mine {
		wantDead(t, s, m, now)
	}
	wantSession(t, s, theirs, now)
	wantStale(t, s, "of before all sessions ended", old, now)
	create(t, s, newSession(theirs.UserID, now))

	next := addSession(t, s, u.ID, now)
	wantSession(t, s, next, now)
	n, err = s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End(all) once more", n, err, 1)
	n, err = s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End(all) of a user without sessions", n, err, 0)
	wantStale(t, s, "of before all of no sessions ended", next.UserID, now)
}

func allButOneEnd(t *testing.T, s nodes.Stores) {
	now, u, other := present(), addUser(t, s), addUser(t, s)
	spared := addSession(t, s, u.ID, now)
	mine := []session.Session{addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)}
	theirs := addSession(t, s, other.ID, now)
	old := proof(t, s, u.ID)

	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, Except: spared.ID}, now)
	wantCount(t, "Sessions.End(all but one)", n, err, 2)
	for _, m := range mine {
		wantDead(t, s, m, now)
	}
	wantSession(t, s, theirs, now)
	wantStale(t, s, "of before the others ended", old, now)

	// The spared session is a proof as good as a new one.
	spared.UserID = wantLive(t, s, spared.ID, now).UserID
	if want := proof(t, s, u.ID); spared.UserID != want {
		t.Errorf("the spared session proves %+v, want %+v", spared.UserID, want)
	}
	next := newSession(spared.UserID, now)
	create(t, s, next)
	wantSession(t, s, next, now)
	later := now.Add(30 * time.Minute)
	s.Sessions.Touch(hashOf(spared.ID), later)
	wantLater(t, s, *spared.Touched(later), later)

	n, err = s.Sessions.End(t.Context(), session.Which{UserID: u.ID, Except: theirs.ID}, later)
	wantCount(t, "Sessions.End(all but one of another user)", n, err, 2)
	wantDead(t, s, spared, later)
	wantDead(t, s, next, later)
	wantSession(t, s, theirs, later)
}

func nothingEnds(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	for name, w := range map[string]session.Which{
		"nothing":             {},
		"an unknown token":    {Hash: hashOf("another")},
		"an unknown user":     {UserID: newID()},
		"an unknown id":       {UserID: u.ID, ID: newID()},
		"an id of nobody's":   {ID: made.ID},
		"all but one of none": {Except: newID()},
	} {
		n, err := s.Sessions.End(t.Context(), w, now)
		wantCount(t, "Sessions.End("+name+")", n, err, 0)
	}
	wantSession(t, s, made, now)
	create(t, s, newSession(made.UserID, now))
}

func endRaces(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	for range 50 {
		made := addSession(t, s, u.ID, now)
		counts := make([]int, 12)
		errs := together(len(counts), func(i int) (err error) {
			w := []session.Which{{Hash: hashOf(made.ID)}, {UserID: u.ID, ID: made.ID}, {UserID: u.ID}}[i%3]
			counts[i], err = s.Sessions.End(t.Context(), w, now)
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("Sessions.End from many = %v, want nil", err)
		}
		slices.Sort(counts)
		if counts[len(counts)-1] != 1 || counts[len(counts)-2] != 0 {
			t.Fatalf("Sessions.End from many counted %v, want one 1", counts)
		}
		wantDead(t, s, made, now)
	}
}

func lateWritesRace(t *testing.T, s nodes.Stores) {
	now := present()
	later := now.Add(30 * time.Minute)
	for round := range 60 {
		u := addUser(t, s)
		made := addSession(t, s, u.ID, now)
		w := []session.Which{{Hash: hashOf(made.ID)}, {UserID: u.ID, ID: made.ID}, {UserID: u.ID}}[round%3]
		errs := together(17, func(i int) error {
			switch {
			case i == 16:
				_, err := s.Sessions.End(t.Context(), w, now)
				return err
			case i%2 == 0:
				s.Sessions.Touch(hashOf(made.ID), later)
				return nil
			}
			_, err := s.Sessions.Update(t.Context(), session.Which{UserID: u.ID}, session.Groups{Add: []string{"late"}}, now)
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("Sessions.End beside Update and Touch = %v, want nil", err)
		}
		wantDead(t, s, made, now)
		if round%20 == 0 {
			time.Sleep(20 * time.Millisecond) // for touches that a store notes later
			wantDead(t, s, made, later)
		}
	}
}

func endAllRaces(t *testing.T, s nodes.Stores) {
	for round := range 30 {
		now, u := present(), addUser(t, s)
		spared := addSession(t, s, u.ID, now)
		w := session.Which{UserID: u.ID}
		if round%2 == 0 {
			w.Except = spared.ID
		}
		made := make([]session.Session, 16)
		for i := range made {
			made[i] = newSession(spared.UserID, now)
		}
		errs := together(len(made)+1, func(i int) error {
			if i == len(made) {
				_, err := s.Sessions.End(t.Context(), w, now)
				return err
			}
			err := s.Sessions.Create(t.Context(), hashOf(made[i].ID), made[i])
			if errors.Is(err, session.ErrStaleProof) {
				return nil
			}
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("Sessions.Create beside End = %v, want nil or %v", err, session.ErrStaleProof)
		}
		for _, m := range made {
			wantDead(t, s, m, now)
		}
		if w.Except != "" {
			wantLive(t, s, spared.ID, now)
		} else {
			wantDead(t, s, spared, now)
		}
	}
}
