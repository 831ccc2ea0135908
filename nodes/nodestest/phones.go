package nodestest

import (
	"errors"
	"fmt"
	"testing"

	"sluice/nodes"
	"sluice/nodes/user"
)

// withNumber returns a user with a phone number, and without an address.
func withNumber(number string) user.User {
	u := newUser()
	u.Email, u.EmailKey, u.Phone = "", "", number
	return u
}

// addNumber creates a user with a phone number only.
func addNumber(t *testing.T, s nodes.Stores, number string) user.User {
	t.Helper()
	u := withNumber(number)
	if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", number, err)
	}
	return u
}

func wantNobody(t *testing.T, s nodes.Stores, number string) {
	t.Helper()
	if u, err := s.Users.ByPhone(t.Context(), number); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByPhone(%q) = %s, %v, want %v", number, u.ID, err, user.ErrNoUser)
	}
}

func numberIsFound(t *testing.T, s nodes.Stores) {
	addUser(t, s)
	both := newUser()
	both.Phone, both.PhoneVerified = "+14155550101", true
	if err := s.Users.Create(t.Context(), both, "hash"); err != nil {
		t.Fatalf("Users.Create(%+v) = %v, want nil", both, err)
	}
	for _, u := range []user.User{addNumber(t, s, "+14155550102"), addNumber(t, s, "+14155550103"), both} {
		wantUser(t, s, u)
	}
	for _, number := range []string{"", "+14155550100", "14155550101", "%", "\x00"} {
		wantNobody(t, s, number)
	}
	if u, err := s.Users.ByEmail(t.Context(), ""); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByEmail of nothing = %s, %v, want %v", u.ID, err, user.ErrNoUser)
	}
	if u, err := s.Users.ByEmail(t.Context(), both.Phone); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByEmail of a number = %s, %v, want %v", u.ID, err, user.ErrNoUser)
	}
	wantNobody(t, s, both.EmailKey)
}

func numbersAreUnique(t *testing.T, s nodes.Stores) {
	for round := range 5 {
		rivals := make([]user.User, 100)
		for i := range rivals {
			rivals[i] = withNumber(fmt.Sprint("+1415555020", round))
		}
		errs := together(len(rivals), func(i int) error { return s.Users.Create(t.Context(), rivals[i], "hash") })
		won := wantOne(t, "Users.Create of one number", errs, user.ErrPhoneTaken)
		wantUser(t, s, rivals[won])
	}
}

func numberUpdatesAreUnique(t *testing.T, s nodes.Stores) {
	rivals := make([]user.User, 50)
	for i := range rivals {
		rivals[i] = addUser(t, s)
	}
	number, now := "+14155550100", present()
	errs := together(len(rivals), func(i int) error {
		_, err := s.Users.Update(t.Context(), rivals[i].ID, user.Change{Phone: &number}, now)
		return err
	})
	won := wantOne(t, "Users.Update to one number", errs, user.ErrPhoneTaken)
	for i, u := range rivals {
		if i == won {
			u.Phone, u.UpdatedDtm = number, now
		}
		wantUser(t, s, u)
	}
}

func numberMoves(t *testing.T, s nodes.Stores) {
	old, next, none, yes, now := "+14155550100", "+14155550101", "", true, present()
	first, second := addNumber(t, s, old), addUser(t, s)
	for _, step := range []struct {
		of     *user.User
		number *string
	}{{&first, &next}, {&second, &old}, {&second, &none}, {&first, &old}, {&second, &next}, {&second, &next}} {
		got, err := s.Users.Update(t.Context(), step.of.ID, user.Change{Phone: step.number, PhoneVerified: &yes}, now)
		step.of.Phone, step.of.PhoneVerified, step.of.UpdatedDtm = *step.number, true, now
		if err != nil || !sameUser(got, *step.of) {
			t.Fatalf("Users.Update to the number %q = %+v, %v, want %+v", *step.number, got, err, *step.of)
		}
		wantUser(t, s, first)
		wantUser(t, s, second)
	}
	// An address can come to a number, and both can change at once.
	email, key := "Moved@example.com", "moved@example.com"
	if _, err := s.Users.Update(t.Context(), first.ID, user.Change{Email: &email, EmailKey: &key, Phone: &none}, now); err != nil {
		t.Fatalf("Users.Update from a number to an address = %v, want nil", err)
	}
	first.Email, first.EmailKey, first.Phone = email, key, ""
	wantUser(t, s, first)
	wantNobody(t, s, old)
}

func lastNameStays(t *testing.T, s nodes.Stores) {
	u, none, name := addNumber(t, s, "+14155550100"), "", "Eve"
	if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Phone: &none, Name: &name}, present()); !errors.Is(err, user.ErrNameless) {
		t.Errorf("Users.Update that takes the only number away = %v, want %v", err, user.ErrNameless)
	}
	wantUser(t, s, u)
}

func takenNumberChangesNothing(t *testing.T, s nodes.Stores) {
	first, second := addNumber(t, s, "+14155550100"), addUser(t, s)
	made := addSession(t, s, second.ID, present())
	name, yes := "Eve", true
	c := user.Change{Phone: &first.Phone, PhoneVerified: &yes, Name: &name, Disabled: &yes}
	if _, err := s.Users.Update(t.Context(), second.ID, c, present()); !errors.Is(err, user.ErrPhoneTaken) {
		t.Errorf("Users.Update to a taken number = %v, want %v", err, user.ErrPhoneTaken)
	}
	wantUser(t, s, first)
	wantUser(t, s, second)
	wantLive(t, s, made.ID, made.CreationDtm)

	refused := newUser()
	refused.Phone = first.Phone
	if err := s.Users.Create(t.Context(), refused, "hash"); !errors.Is(err, user.ErrPhoneTaken) {
		t.Errorf("Users.Create with a taken number = %v, want %v", err, user.ErrPhoneTaken)
	}
	next := newUser()
	next.Email, next.EmailKey = refused.Email, refused.EmailKey
	if err := s.Users.Create(t.Context(), next, "hash"); err != nil {
		t.Errorf("Users.Create with the address of who was refused for a number = %v, want nil", err)
	}
}

func deletedUserLeavesNumber(t *testing.T, s nodes.Stores) {
	u := addNumber(t, s, "+14155550100")
	if err := s.Users.Delete(t.Context(), u.ID, present()); err != nil {
		t.Fatalf("Users.Delete(%s) = %v, want nil", u.ID, err)
	}
	wantNobody(t, s, u.Phone)
	wantUser(t, s, addNumber(t, s, u.Phone))
}
