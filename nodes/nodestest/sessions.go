package nodestest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Sessions tests a session store.
func Sessions(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a created session is got as it was made", sessionIsGot},
		{"any text and many groups survive", sessionTextsSurvive},
		{"times come back in UTC to the millisecond", sessionTimesSurvive},
		{"an unknown token has no session", sessionIsUnknown},
		{"a proof that is no longer valid opens nothing", proofsGoStale},
		{"a session is dead at its very end", sessionExpires},
		{"a touch slides the session, and never past its end", touchSlides},
		{"a touch at an earlier time moves nothing back", touchNeverMovesBack},
		{"a touch brings nothing back", touchRevivesNothing},
		{"one session ends by token and by id", oneEnds},
		{"a session of another user is not ended by id", othersDoNotEnd},
		{"all sessions end and with them the proofs", allEnd},
		{"all sessions end but one, which proves on", allButOneEnd},
		{"no name ends nothing", nothingEnds},
		{"groups are set, added and removed, sorted and unique", groupsChange},
		{"groups change for one session or for all of a user", groupsChangeForWhom},
		{"a list is newest first and of one user", listIsOrdered},
		{"a walk meets every session once while others come and go", walkIsStable},
		{"a position lasts longer than its session", positionLasts},
		{"what Get returned never changes", gotIsFrozen},
		{"a cancelled context is an error", sessionsCancel},
		{"of many who end a session one counts it", endRaces},
		{"no touch or update brings back an ended session", lateWritesRace},
		{"no sign-in slips past a sign-out from everywhere", endAllRaces},
	})
}

func sameSession(a, b session.Session) bool {
	return a.ID == b.ID && a.UserID == b.UserID && a.Token == b.Token &&
		a.CreationDtm.Equal(b.CreationDtm) && a.ExpiresDtm.Equal(b.ExpiresDtm) && a.LastSeenDtm.Equal(b.LastSeenDtm) &&
		a.End.Equal(b.End) && a.Idle == b.Idle && slices.Equal(a.AccessGroupKeys, b.AccessGroupKeys) &&
		a.IP == b.IP && a.UserAgent == b.UserAgent &&
		a.AuthenticatedDtm.Equal(b.AuthenticatedDtm) && reflect.DeepEqual(a.ImpersonatedBy, b.ImpersonatedBy)
}

// wantSession fails the test unless the session is got and listed as it is wanted.
func wantSession(t *testing.T, s nodes.Stores, want session.Session, now time.Time) {
	t.Helper()
	got := wantLive(t, s, want.ID, now)
	if !sameSession(*got, want) {
		t.Errorf("Sessions.Get(%s) = %+v, want %+v", want.ID, *got, want)
	}
	for _, l := range list(t, s, want.UserID.ID, "", 1000, now) {
		if l.ID == want.ID {
			if !sameSession(l, want) {
				t.Errorf("Sessions.List(%s) has %+v, want %+v", want.UserID.ID, l, want)
			}
			return
		}
	}
	t.Errorf("Sessions.List(%s) has no %s, want it", want.UserID.ID, want.ID)
}

// wantLater waits for a touch to be noted, which a store may do a little later.
func wantLater(t *testing.T, s nodes.Stores, want session.Session, now time.Time) {
	t.Helper()
	for range 500 {
		if sameSession(*wantLive(t, s, want.ID, now), want) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	wantSession(t, s, want, now)
}

func create(t *testing.T, s nodes.Stores, made session.Session) {
	t.Helper()
	if err := s.Sessions.Create(t.Context(), hashOf(made.ID), made); err != nil {
		t.Fatalf("Sessions.Create(%s) = %v, want nil", made.ID, err)
	}
}

func sessionIsGot(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	plain, full := newSession(proof(t, s, u.ID), now), newSession(proof(t, s, u.ID), now)
	full.AccessGroupKeys = []string{"admin", "staff"}
	full.UserAgent = session.UserAgent{
		Family: "Firefox", Major: "128", Minor: "0", Patch: "1",
		Device: session.Version{Family: "Mac", Major: "1", Minor: "2", Patch: "3"},
		OS:     session.Version{Family: "macOS", Major: "14", Minor: "5", Patch: "6"},
	}
	full.IP, full.Idle, full.End = "2001:db8::1", 17*time.Minute, now.Add(8760*time.Hour)
	full.ExpiresDtm = now.Add(full.Idle)
	for _, made := range []session.Session{plain, full} {
		create(t, s, made)
	}
	for _, made := range []session.Session{plain, full} {
		wantSession(t, s, made, now)
	}
}

func sessionTextsSurvive(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	p := proof(t, s, u.ID)
	for _, text := range texts() {
		made := newSession(p, now)
		v := session.Version{Family: text, Major: text, Minor: text, Patch: text}
		made.IP, made.AccessGroupKeys = text, []string{"a" + text}
		made.UserAgent = session.UserAgent{Family: text, Major: text, Minor: text, Patch: text, Device: v, OS: v}
		create(t, s, made)
		wantSession(t, s, made, now)
	}
	made := newSession(p, now)
	for i := range 5000 {
		made.AccessGroupKeys = append(made.AccessGroupKeys, fmt.Sprintf("группа %05d", i))
	}
	create(t, s, made)
	wantSession(t, s, made, now)
}

func sessionTimesSurvive(t *testing.T, s nodes.Stores) {
	u, zone := addUser(t, s), time.FixedZone("", -5*3600)
	made := newSession(proof(t, s, u.ID), present().In(zone).Add(999_999*time.Nanosecond))
	made.End = time.Date(2999, 12, 31, 23, 59, 59, 999_999_999, zone)
	create(t, s, made)
	got := wantLive(t, s, made.ID, made.CreationDtm)
	for field, times := range map[string][2]time.Time{
		"CreationDtm": {got.CreationDtm, made.CreationDtm}, "LastSeenDtm": {got.LastSeenDtm, made.LastSeenDtm},
		"ExpiresDtm": {got.ExpiresDtm, made.ExpiresDtm}, "End": {got.End, made.End},
	} {
		wantTime(t, field, times[0], times[1])
	}
}

func sessionIsUnknown(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	for name, h := range map[string]session.Hash{"zero": {}, "unknown": hashOf("another")} {
		if got, err := s.Sessions.Get(t.Context(), h, now); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("Sessions.Get(%s hash) = %+v, %v, want %v", name, got, err, session.ErrNoSession)
		}
		s.Sessions.Touch(h, now)
	}
	for _, id := range []string{"", newID(), made.ID, "%"} {
		if got := list(t, s, id, "", 10, now); len(got) != 0 {
			t.Errorf("Sessions.List(%q) = %v, want none", id, ids(got))
		}
	}
}

func proofsGoStale(t *testing.T, s nodes.Stores) {
	now, yes, u := present(), true, addUser(t, s)
	p := proof(t, s, u.ID)
	wantStale(t, s, "of nobody", user.ProvenID{}, now)
	wantStale(t, s, "of an unknown user", user.ProvenID{ID: newID()}, now)
	wantStale(t, s, "of a later epoch", user.ProvenID{ID: u.ID, Epoch: p.Epoch + 1}, now)
	if _, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now); err != nil {
		t.Fatalf("Sessions.End(all of %s) = %v, want nil", u.ID, err)
	}
	wantStale(t, s, "of an earlier epoch", p, now)
	wantLive(t, s, addSession(t, s, u.ID, now).ID, now)

	shut := newUser()
	shut.Disabled = true
	if err := s.Users.Create(t.Context(), shut, "hash"); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", shut.ID, err)
	}
	wantStale(t, s, "of a user who never was enabled", user.ProvenID{ID: shut.ID}, now)
	if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Disabled: &yes}, now); err != nil {
		t.Fatalf("Users.Update(%s) = %v, want nil", u.ID, err)
	}
	wantStale(t, s, "of a disabled user", proof(t, s, u.ID), now)
}

func sessionExpires(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made, long := addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)
	s.Sessions.Touch(hashOf(long.ID), now.Add(30*time.Minute))
	wantLater(t, s, *long.Touched(now.Add(30 * time.Minute)), now.Add(30*time.Minute))

	end := made.ExpiresDtm
	wantSession(t, s, made, end.Add(-time.Millisecond))
	wantDead(t, s, made, end)
	wantLive(t, s, long.ID, end)
	one, all := session.Which{UserID: u.ID, ID: made.ID}, session.Which{UserID: u.ID}
	n, err := s.Sessions.Update(t.Context(), one, session.Groups{Add: []string{"a"}}, end)
	wantCount(t, "Sessions.Update(an expired session)", n, err, 0)
	n, err = s.Sessions.Update(t.Context(), session.Which{Hash: hashOf(made.ID)}, session.Groups{Add: []string{"a"}}, end)
	wantCount(t, "Sessions.Update(an expired session's token)", n, err, 0)
	n, err = s.Sessions.Update(t.Context(), all, session.Groups{Add: []string{"a"}}, end)
	wantCount(t, "Sessions.Update(all, one of two expired)", n, err, 1)
	n, err = s.Sessions.End(t.Context(), one, end)
	wantCount(t, "Sessions.End(an expired session)", n, err, 0)
	n, err = s.Sessions.End(t.Context(), all, end)
	wantCount(t, "Sessions.End(all, one of two expired)", n, err, 1)
}

func touchSlides(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := newSession(proof(t, s, u.ID), now)
	made.End = now.Add(100 * time.Minute)
	create(t, s, made)
	bystander := addSession(t, s, u.ID, now)
	for _, at := range []time.Duration{30 * time.Minute, 60 * time.Minute, 99 * time.Minute} {
		later := now.Add(at)
		s.Sessions.Touch(hashOf(made.ID), later)
		made.LastSeenDtm, made.ExpiresDtm = later, later.Add(time.Hour)
		if made.ExpiresDtm.After(made.End) {
			made.ExpiresDtm = made.End
		}
		wantLater(t, s, made, later)
	}
	wantLive(t, s, made.ID, made.End.Add(-time.Millisecond))
	wantDead(t, s, made, made.End)
	wantDead(t, s, bystander, made.End)
}

func touchNeverMovesBack(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	for _, ago := range []time.Duration{time.Millisecond, time.Minute, 50 * time.Minute, 1000 * time.Hour} {
		s.Sessions.Touch(hashOf(made.ID), now.Add(-ago))
	}
	time.Sleep(50 * time.Millisecond)
	wantSession(t, s, made, now)
	later := now.Add(40 * time.Minute)
	s.Sessions.Touch(hashOf(made.ID), later)
	s.Sessions.Touch(hashOf(made.ID), now.Add(20*time.Minute))
	wantLater(t, s, *made.Touched(later), later)
}

func touchRevivesNothing(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	ended, expired := addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)
	n, err := s.Sessions.End(t.Context(), session.Which{Hash: hashOf(ended.ID)}, now)
	wantCount(t, "Sessions.End(token)", n, err, 1)
	s.Sessions.Touch(hashOf(ended.ID), now.Add(10*time.Minute))
	s.Sessions.Touch(hashOf(expired.ID), expired.ExpiresDtm)
	time.Sleep(50 * time.Millisecond)
	wantDead(t, s, ended, now.Add(10*time.Minute))
	wantDead(t, s, expired, expired.ExpiresDtm)
}

func groupsChange(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := newSession(proof(t, s, u.ID), now)
	made.AccessGroupKeys = []string{"b"}
	create(t, s, made)
	steps := []struct {
		g    session.Groups
		want []string
	}{
		{session.Groups{Add: []string{"c", "a", "c"}}, []string{"a", "b", "c"}},
		{session.Groups{Remove: []string{"b", "x"}}, []string{"a", "c"}},
		{session.Groups{}, []string{"a", "c"}},
		{session.Groups{Set: []string{"z", "y", "z"}, Add: []string{"x"}, Remove: []string{"y"}}, []string{"x", "z"}},
		{session.Groups{Add: []string{"n"}, Remove: []string{"n"}}, []string{"x", "z"}},
		{session.Groups{Set: []string{}}, nil},
		{session.Groups{Add: []string{"é", "Z", "ä", "$set", "a.b", "\x00"}}, []string{"\x00", "$set", "Z", "a.b", "ä", "é"}},
	}
	for _, step := range steps {
		n, err := s.Sessions.Update(t.Context(), session.Which{Hash: hashOf(made.ID)}, step.g, now)
		wantCount(t, fmt.Sprintf("Sessions.Update(token, %q)", step.g), n, err, 1)
		made.AccessGroupKeys = step.want
		wantSession(t, s, made, now)
	}
}

func groupsChangeForWhom(t *testing.T, s nodes.Stores) {
	now, u, other := present(), addUser(t, s), addUser(t, s)
	mine := []session.Session{addSession(t, s, u.ID, now), addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)}
	theirs := addSession(t, s, other.ID, now)
	steps := []struct {
		call string
		w    session.Which
		n    int
		of   []int // indices of the sessions that change
	}{
		{"one by id", session.Which{UserID: u.ID, ID: mine[1].ID}, 1, []int{1}},
		{"one by token", session.Which{Hash: hashOf(mine[2].ID)}, 1, []int{2}},
		{"all but one", session.Which{UserID: u.ID, Except: mine[1].ID}, 2, []int{0, 2}},
		{"all", session.Which{UserID: u.ID}, 3, []int{0, 1, 2}},
		{"one of another user", session.Which{UserID: u.ID, ID: theirs.ID}, 0, nil},
		{"one that is not there", session.Which{UserID: u.ID, ID: newID()}, 0, nil},
		{"all of nobody", session.Which{}, 0, nil},
		{"all of an unknown user", session.Which{UserID: newID()}, 0, nil},
	}
	for _, step := range steps {
		n, err := s.Sessions.Update(t.Context(), step.w, session.Groups{Add: []string{step.call}}, now)
		wantCount(t, "Sessions.Update("+step.call+")", n, err, step.n)
		for _, i := range step.of {
			mine[i].AccessGroupKeys = append(slices.Clone(mine[i].AccessGroupKeys), step.call)
			slices.Sort(mine[i].AccessGroupKeys)
		}
		for _, m := range append(mine, theirs) {
			wantSession(t, s, m, now)
		}
	}
	wantLive(t, s, addSession(t, s, u.ID, now).ID, now)
}

func gotIsFrozen(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := newSession(proof(t, s, u.ID), now)
	groups := []string{"a", "b"}
	made.AccessGroupKeys = groups
	create(t, s, made)
	groups[0] = "overwritten by the caller"
	made.AccessGroupKeys = []string{"a", "b"}
	wantSession(t, s, made, now)

	later := now.Add(30 * time.Minute)
	for _, change := range []func() error{
		func() error { s.Sessions.Touch(hashOf(made.ID), later); return nil },
		func() error {
			_, err := s.Sessions.Update(t.Context(), session.Which{UserID: u.ID}, session.Groups{Add: []string{"c"}, Remove: []string{"a"}}, later)
			return err
		},
		func() error {
			_, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, Except: made.ID}, later)
			return err
		},
		func() error {
			_, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, later)
			return err
		},
	} {
		got, page := wantLive(t, s, made.ID, now), list(t, s, u.ID, "", 1, now)
		want, wantListed := *got, page[0] // which a touch that was noted in between tells apart
		want.AccessGroupKeys = slices.Clone(got.AccessGroupKeys)
		wantListed.AccessGroupKeys = slices.Clone(page[0].AccessGroupKeys)
		if err := change(); err != nil {
			t.Fatalf("changing sessions = %v, want nil", err)
		}
		if !sameSession(*got, want) || !sameSession(page[0], wantListed) {
			t.Errorf("what Sessions returned is now %+v and %+v, want %+v and %+v", *got, page[0], want, wantListed)
		}
	}
}

func sessionsCancel(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	h, all := hashOf(made.ID), session.Which{UserID: u.ID}
	next := newSession(made.UserID, now)
	wantCancelled(t, map[string]func(context.Context) error{
		"Sessions.Create": func(ctx context.Context) error { return s.Sessions.Create(ctx, hashOf(next.ID), next) },
		"Sessions.Get":    func(ctx context.Context) error { _, err := s.Sessions.Get(ctx, h, now); return err },
		"Sessions.List": func(ctx context.Context) error {
			_, err := s.Sessions.List(ctx, u.ID, "", 10, now)
			return err
		},
		"Sessions.Update": func(ctx context.Context) error {
			_, err := s.Sessions.Update(ctx, all, session.Groups{Set: []string{"x"}}, now)
			return err
		},
		"Sessions.End": func(ctx context.Context) error { _, err := s.Sessions.End(ctx, all, now); return err },
	})
	wantSession(t, s, made, now)
	wantDead(t, s, next, now)
}
