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
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Users tests a user store.
func Users(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a created user is found by id and by address", userIsFound},
		{"any text survives", userTextsSurvive},
		{"times come back in UTC to the millisecond", userTimesSurvive},
		{"an unknown user is ErrNoUser", userIsUnknown},
		{"an address has one user under 100 parallel creates", createsAreUnique},
		{"an address has one user under 50 parallel updates", updatesAreUnique},
		{"an update sets what it names and nothing else", updateSets},
		{"an address can be left, taken by another and kept", addressMoves},
		{"an update to a taken address changes nothing", takenChangesNothing},
		{"a user is found by a phone number, with or without an address", numberIsFound},
		{"a number has one user under 100 parallel creates", numbersAreUnique},
		{"a number has one user under 50 parallel updates", numberUpdatesAreUnique},
		{"a number can be left, taken by another, taken away and kept", numberMoves},
		{"the number of a user without an address is not taken away", lastNameStays},
		{"what is refused for a taken number changes nothing", takenNumberChangesNothing},
		{"a deleted user leaves the number", deletedUserLeavesNumber},
		{"disabling ends the user's sessions and proofs in the same step", disablingEnds},
		{"no sign-in slips past a disabling", disablingRaces},
		{"groups come back in order, and share nothing", userGroupsAreOwn},
		{"setting groups ends the user's sessions and proofs in the same step", regroupingEnds},
		{"all users are listed once, page by page, greatest id first", usersAreListed},
		{"a deleted user is gone with sessions, proofs and password, and leaves the address", deletedUserIsGone},
		{"no sign-in slips past a deletion", deletionRaces},
		{"a cancelled context is an error", usersCancel},
	})
}

// sameUser compares two users but for their epochs, which stores count as they like.
func sameUser(a, b user.User) bool {
	same := a.CreationDtm.Equal(b.CreationDtm) && a.UpdatedDtm.Equal(b.UpdatedDtm)
	a.CreationDtm, a.UpdatedDtm, a.Epoch = b.CreationDtm, b.UpdatedDtm, b.Epoch
	same = same && slices.Equal(a.Groups, b.Groups)
	a.Groups, b.Groups = nil, nil
	return same && reflect.DeepEqual(a, b)
}

// wantUser fails the test unless a user is stored as it is wanted, by id, by
// address and by phone number.
func wantUser(t *testing.T, s nodes.Stores, want user.User) {
	t.Helper()
	if got, err := s.Users.ByID(t.Context(), want.ID); err != nil || !sameUser(got, want) {
		t.Errorf("Users.ByID(%s) = %+v, %v, want %+v", want.ID, got, err, want)
	}
	if got, err := s.Users.ByEmail(t.Context(), want.EmailKey); want.EmailKey != "" && (err != nil || !sameUser(got, want)) {
		t.Errorf("Users.ByEmail(%q) = %+v, %v, want %+v", want.EmailKey, got, err, want)
	}
	if got, err := s.Users.ByPhone(t.Context(), want.Phone); want.Phone != "" && (err != nil || !sameUser(got, want)) {
		t.Errorf("Users.ByPhone(%q) = %+v, %v, want %+v", want.Phone, got, err, want)
	}
}

func userIsFound(t *testing.T, s nodes.Stores) {
	plain := newUser()
	full := newUser()
	full.EmailVerified, full.Name, full.Groups = true, "Ada", []string{"admin", "staff"}
	shut := newUser()
	shut.Disabled = true
	for _, u := range []user.User{plain, full, shut} {
		if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
			t.Fatalf("Users.Create(%+v) = %v, want nil", u, err)
		}
	}
	for _, u := range []user.User{plain, full, shut} {
		wantUser(t, s, u)
	}
	if p := proof(t, s, plain.ID); p.Epoch != 0 {
		t.Errorf("epoch of a new user = %d, want 0", p.Epoch)
	}
}

func userTextsSurvive(t *testing.T, s nodes.Stores) {
	for name, text := range texts() {
		u := newUser()
		u.Email, u.EmailKey, u.Name = text, "key "+text, text
		if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
			t.Errorf("Users.Create with a text that is %s = %v, want nil", name, err)
			continue
		}
		wantUser(t, s, u)
		back := "back " + text
		if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Name: &back}, u.UpdatedDtm); err != nil {
			t.Errorf("Users.Update with a text that is %s = %v, want nil", name, err)
		}
		u.Name = back
		wantUser(t, s, u)
	}
}

func userTimesSurvive(t *testing.T, s nodes.Stores) {
	u := newUser()
	u.CreationDtm = time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, time.FixedZone("", 3*3600))
	u.UpdatedDtm = u.CreationDtm.Add(time.Nanosecond)
	if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", u.ID, err)
	}
	got, err := s.Users.ByID(t.Context(), u.ID)
	if err != nil {
		t.Fatalf("Users.ByID(%s) = %v, want nil", u.ID, err)
	}
	wantTime(t, "CreationDtm", got.CreationDtm, u.CreationDtm)
	wantTime(t, "UpdatedDtm", got.UpdatedDtm, u.UpdatedDtm)
}

// wantTime fails the test unless a stored time is the wanted one to the millisecond.
func wantTime(t *testing.T, field string, got, want time.Time) {
	t.Helper()
	if !got.Truncate(time.Millisecond).Equal(want.Truncate(time.Millisecond)) {
		t.Errorf("%s = %v, want %v", field, got, want)
	}
}

func userIsUnknown(t *testing.T, s nodes.Stores) {
	addUser(t, s)
	name := "x"
	for _, id := range []string{"", newID(), "%", "' or 1=1 --", "\x00", texts()["long"]} {
		if _, err := s.Users.ByID(t.Context(), id); !errors.Is(err, user.ErrNoUser) {
			t.Errorf("Users.ByID(%.20q) = %v, want %v", id, err, user.ErrNoUser)
		}
		if _, err := s.Users.ByEmail(t.Context(), id); !errors.Is(err, user.ErrNoUser) {
			t.Errorf("Users.ByEmail(%.20q) = %v, want %v", id, err, user.ErrNoUser)
		}
		if _, err := s.Users.Update(t.Context(), id, user.Change{Name: &name}, present()); !errors.Is(err, user.ErrNoUser) {
			t.Errorf("Users.Update(%.20q) = %v, want %v", id, err, user.ErrNoUser)
		}
	}
}

func createsAreUnique(t *testing.T, s nodes.Stores) {
	for round := range 5 {
		rivals := make([]user.User, 100)
		for i := range rivals {
			rivals[i] = newUser()
			rivals[i].EmailKey = fmt.Sprintf("one%d@example.com", round)
		}
		errs := together(len(rivals), func(i int) error {
			return s.Users.Create(t.Context(), rivals[i], "hash")
		})
		won := wantOne(t, "Users.Create of one address", errs, user.ErrEmailTaken)
		wantUser(t, s, rivals[won])
		for i, u := range rivals {
			if i == won {
				continue
			}
			if _, err := s.Users.ByID(t.Context(), u.ID); !errors.Is(err, user.ErrNoUser) {
				t.Fatalf("Users.ByID of a user who was refused = %v, want %v", err, user.ErrNoUser)
			}
			if _, err := s.Passwords.Hash(t.Context(), u.ID); !errors.Is(err, password.ErrNoPassword) {
				t.Fatalf("Passwords.Hash of a user who was refused = %v, want %v", err, password.ErrNoPassword)
			}
		}
	}
}

func updatesAreUnique(t *testing.T, s nodes.Stores) {
	rivals := make([]user.User, 50)
	for i := range rivals {
		rivals[i] = addUser(t, s)
	}
	key, now := "one@example.com", present()
	errs := together(len(rivals), func(i int) error {
		_, err := s.Users.Update(t.Context(), rivals[i].ID, user.Change{Email: &key, EmailKey: &key}, now)
		return err
	})
	won := wantOne(t, "Users.Update to one address", errs, user.ErrEmailTaken)
	for i, u := range rivals {
		if i == won {
			u.Email, u.EmailKey, u.UpdatedDtm = key, key, now
		}
		wantUser(t, s, u)
	}
}

func updateSets(t *testing.T, s nodes.Stores) {
	bystander, u := addUser(t, s), addUser(t, s)
	yes, no, name, none := true, false, "Ada", ""
	email, key, number := "New@Example.com", "new@example.com", "+14155550100"
	steps := []struct {
		change user.Change
		apply  func(u *user.User)
	}{
		{user.Change{Name: &name}, func(u *user.User) { u.Name = name }},
		{user.Change{EmailVerified: &yes}, func(u *user.User) { u.EmailVerified = true }},
		{user.Change{Email: &email, EmailKey: &key}, func(u *user.User) { u.Email, u.EmailKey = email, key }},
		{user.Change{Phone: &number}, func(u *user.User) { u.Phone = number }},
		{user.Change{PhoneVerified: &yes}, func(u *user.User) { u.PhoneVerified = true }},
		{user.Change{Disabled: &yes}, func(u *user.User) { u.Disabled = true }},
		{user.Change{Disabled: &no, EmailVerified: &no}, func(u *user.User) { u.Disabled, u.EmailVerified = false, false }},
		{user.Change{Name: &none}, func(u *user.User) { u.Name = "" }},
		{user.Change{Groups: []string{"a", "b"}}, func(u *user.User) { u.Groups = []string{"a", "b"} }},
		{user.Change{Name: &name}, func(u *user.User) { u.Name = name }},
		{user.Change{Groups: []string{}}, func(u *user.User) { u.Groups = nil }},
	}
	for i, step := range steps {
		u.UpdatedDtm = u.UpdatedDtm.Add(time.Second)
		step.apply(&u)
		got, err := s.Users.Update(t.Context(), u.ID, step.change, u.UpdatedDtm)
		if err != nil || !sameUser(got, u) {
			t.Errorf("step %d: Users.Update(%s) = %+v, %v, want %+v", i, u.ID, got, err, u)
		}
		wantUser(t, s, u)
	}
	wantUser(t, s, bystander)
}

func addressMoves(t *testing.T, s nodes.Stores) {
	first, second := addUser(t, s), addUser(t, s)
	old, next := first.EmailKey, "moved@example.com"
	if _, err := s.Users.Update(t.Context(), first.ID, user.Change{Email: &next, EmailKey: &next}, present()); err != nil {
		t.Fatalf("Users.Update to a free address = %v, want nil", err)
	}
	if _, err := s.Users.ByEmail(t.Context(), old); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByEmail of an address that was left = %v, want %v", err, user.ErrNoUser)
	}
	if _, err := s.Users.Update(t.Context(), second.ID, user.Change{Email: &old, EmailKey: &old}, present()); err != nil {
		t.Errorf("Users.Update to an address that was left = %v, want nil", err)
	}
	shown := "MOVED@example.com"
	got, err := s.Users.Update(t.Context(), first.ID, user.Change{Email: &shown, EmailKey: &next}, present())
	if err != nil || got.Email != shown {
		t.Errorf("Users.Update to the user's own address = %q, %v, want %q, nil", got.Email, err, shown)
	}
	if got, err := s.Users.ByEmail(t.Context(), old); err != nil || got.ID != second.ID {
		t.Errorf("Users.ByEmail(%q) = %s, %v, want %s", old, got.ID, err, second.ID)
	}
}

func takenChangesNothing(t *testing.T, s nodes.Stores) {
	first, second := addUser(t, s), addUser(t, s)
	made := addSession(t, s, second.ID, present())
	name, yes := "Eve", true
	c := user.Change{Email: &first.Email, EmailKey: &first.EmailKey, EmailVerified: &yes, Name: &name, Disabled: &yes}
	if _, err := s.Users.Update(t.Context(), second.ID, c, present()); !errors.Is(err, user.ErrEmailTaken) {
		t.Errorf("Users.Update to a taken address = %v, want %v", err, user.ErrEmailTaken)
	}
	wantUser(t, s, first)
	wantUser(t, s, second)
	wantLive(t, s, made.ID, made.CreationDtm)
}

func disablingEnds(t *testing.T, s nodes.Stores) {
	now := present()
	u, bystander := addUser(t, s), addUser(t, s)
	mine := []session.Session{addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)}
	other := addSession(t, s, bystander.ID, now)
	old := proof(t, s, u.ID)
	yes, no, name := true, false, "Ada"

	if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Name: &name, Disabled: &no}, now); err != nil {
		t.Fatalf("Users.Update(%s) = %v, want nil", u.ID, err)
	}
	wantLive(t, s, mine[0].ID, now)
	shut, err := s.Users.Update(t.Context(), u.ID, user.Change{Disabled: &yes}, now)
	if err != nil || !shut.Disabled {
		t.Fatalf("Users.Update(%s) = disabled %t, %v, want disabled", u.ID, shut.Disabled, err)
	}
	for _, m := range mine {
		wantDead(t, s, m, now)
	}
	wantLive(t, s, other.ID, now)
	wantStale(t, s, "while the user is disabled", old, now)
	wantStale(t, s, "made while the user is disabled", proof(t, s, u.ID), now)

	if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Disabled: &no}, now); err != nil {
		t.Fatalf("Users.Update(%s) = %v, want nil", u.ID, err)
	}
	for _, m := range mine {
		wantDead(t, s, m, now)
	}
	wantStale(t, s, "of before the user was disabled", old, now)
	wantLive(t, s, addSession(t, s, u.ID, now).ID, now)
}

// wantStale fails the test unless a proof opens no session.
func wantStale(t *testing.T, s nodes.Stores, when string, p user.ProvenID, now time.Time) {
	t.Helper()
	made := newSession(p, now)
	if err := s.Sessions.Create(t.Context(), hashOf(made.ID), made); !errors.Is(err, session.ErrStaleProof) {
		t.Errorf("Sessions.Create with a proof %s = %v, want %v", when, err, session.ErrStaleProof)
	}
	wantDead(t, s, made, now)
}

// slipsPast fails the test where a session that is created while the user is
// shut out lives on.
func slipsPast(t *testing.T, s nodes.Stores, what string, shut func(id string, now time.Time) error) {
	t.Helper()
	for range 30 {
		now, u := present(), addUser(t, s)
		made := make([]session.Session, 16)
		for i := range made {
			made[i] = newSession(user.ProvenID{ID: u.ID}, now)
		}
		errs := together(len(made)+1, func(i int) error {
			if i == len(made) {
				return shut(u.ID, now)
			}
			err := s.Sessions.Create(t.Context(), hashOf(made[i].ID), made[i])
			if errors.Is(err, session.ErrStaleProof) {
				return nil
			}
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("Sessions.Create beside %s = %v, want nil or %v", what, err, session.ErrStaleProof)
		}
		for _, m := range made {
			wantDead(t, s, m, now)
		}
	}
}

func disablingRaces(t *testing.T, s nodes.Stores) {
	yes := true
	slipsPast(t, s, "Users.Update", func(id string, now time.Time) error {
		_, err := s.Users.Update(t.Context(), id, user.Change{Disabled: &yes}, now)
		return err
	})
}

func deletionRaces(t *testing.T, s nodes.Stores) {
	slipsPast(t, s, "Users.Delete", func(id string, now time.Time) error { return s.Users.Delete(t.Context(), id, now) })
}

func userGroupsAreOwn(t *testing.T, s nodes.Stores) {
	u := newUser()
	u.Groups = []string{"admin", "staff"}
	given := slices.Clone(u.Groups)
	if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", u.ID, err)
	}
	u.Groups[0] = "changed by the caller"
	for range 2 {
		got, err := s.Users.ByID(t.Context(), u.ID)
		if err != nil || !slices.Equal(got.Groups, given) {
			t.Fatalf("Users.ByID(%s) = groups %q, %v, want %q", u.ID, got.Groups, err, given)
		}
		got.Groups[0] = "changed by another caller"
	}
}

func regroupingEnds(t *testing.T, s nodes.Stores) {
	now := present()
	u, bystander := addUser(t, s), addUser(t, s)
	mine, other, old := addSession(t, s, u.ID, now), addSession(t, s, bystander.ID, now), proof(t, s, u.ID)
	for _, groups := range [][]string{{"staff"}, {}} {
		got, err := s.Users.Update(t.Context(), u.ID, user.Change{Groups: groups}, now)
		if err != nil || !slices.Equal(got.Groups, groups) {
			t.Fatalf("Users.Update(%s) = groups %q, %v, want %q", u.ID, got.Groups, err, groups)
		}
		wantDead(t, s, mine, now)
		wantStale(t, s, "of before the groups changed", old, now)
		mine, old = addSession(t, s, u.ID, now), proof(t, s, u.ID)
	}
	wantLive(t, s, mine.ID, now)
	wantLive(t, s, other.ID, now)
}

func usersAreListed(t *testing.T, s nodes.Stores) {
	if page, err := s.Users.List(t.Context(), "", 10); err != nil || len(page) != 0 {
		t.Fatalf("Users.List of an empty store = %v, %v, want none", page, err)
	}
	var want []user.User
	for range 7 {
		want = append([]user.User{addUser(t, s)}, want...)
	}
	for _, limit := range []int{1, 3, 7, 100} {
		var got []user.User
		for after := ""; ; after = got[len(got)-1].ID {
			page, err := s.Users.List(t.Context(), after, limit)
			if err != nil || len(page) > limit {
				t.Fatalf("Users.List(%q, %d) = %d users, %v, want at most %d", after, limit, len(page), err, limit)
			}
			if got = append(got, page...); len(page) < limit {
				break
			}
		}
		if !slices.EqualFunc(got, want, sameUser) {
			t.Errorf("Users.List in pages of %d = %+v, want %+v", limit, got, want)
		}
	}
	if err := s.Users.Delete(t.Context(), want[2].ID, present()); err != nil {
		t.Fatalf("Users.Delete(%s) = %v, want nil", want[2].ID, err)
	}
	if page, err := s.Users.List(t.Context(), want[2].ID, 2); err != nil || !slices.EqualFunc(page, want[3:5], sameUser) {
		t.Errorf("Users.List behind a user who is gone = %+v, %v, want %+v", page, err, want[3:5])
	}
}

func deletedUserIsGone(t *testing.T, s nodes.Stores) {
	now := present()
	u, bystander := addUser(t, s), addUser(t, s)
	mine, other, old := addSession(t, s, u.ID, now), addSession(t, s, bystander.ID, now), proof(t, s, u.ID)
	if err := s.Users.Delete(t.Context(), u.ID, now); err != nil {
		t.Fatalf("Users.Delete(%s) = %v, want nil", u.ID, err)
	}
	if _, err := s.Users.ByID(t.Context(), u.ID); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByID of a deleted user = %v, want %v", err, user.ErrNoUser)
	}
	if _, err := s.Users.ByEmail(t.Context(), u.EmailKey); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByEmail of a deleted user = %v, want %v", err, user.ErrNoUser)
	}
	if _, err := s.Passwords.Hash(t.Context(), u.ID); !errors.Is(err, password.ErrNoPassword) {
		t.Errorf("Passwords.Hash of a deleted user = %v, want %v", err, password.ErrNoPassword)
	}
	wantDead(t, s, mine, now)
	wantStale(t, s, "of a deleted user", old, now)
	wantLive(t, s, other.ID, now)
	if err := s.Users.Delete(t.Context(), u.ID, now); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("second Users.Delete(%s) = %v, want %v", u.ID, err, user.ErrNoUser)
	}
	next := newUser()
	next.Email, next.EmailKey = u.Email, u.EmailKey
	if err := s.Users.Create(t.Context(), next, "hash"); err != nil {
		t.Errorf("Users.Create with the address of a deleted user = %v, want nil", err)
	}
	wantUser(t, s, next)
}

func usersCancel(t *testing.T, s nodes.Stores) {
	u, name := addUser(t, s), "Ada"
	wantCancelled(t, map[string]func(context.Context) error{
		"Users.Create": func(ctx context.Context) error { return s.Users.Create(ctx, newUser(), "hash") },
		"Users.ByID":   func(ctx context.Context) error { _, err := s.Users.ByID(ctx, u.ID); return err },
		"Users.ByEmail": func(ctx context.Context) error {
			_, err := s.Users.ByEmail(ctx, u.EmailKey)
			return err
		},
		"Users.ByPhone": func(ctx context.Context) error {
			_, err := s.Users.ByPhone(ctx, "+14155550100")
			return err
		},
		"Users.List":   func(ctx context.Context) error { _, err := s.Users.List(ctx, "", 1); return err },
		"Users.Delete": func(ctx context.Context) error { return s.Users.Delete(ctx, u.ID, present()) },
		"Users.Update": func(ctx context.Context) error {
			_, err := s.Users.Update(ctx, u.ID, user.Change{Name: &name}, present())
			return err
		},
	})
	wantUser(t, s, u)
}
