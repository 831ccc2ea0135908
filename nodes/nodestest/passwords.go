package nodestest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sluice/nodes"
	"sluice/nodes/password"
)

// Passwords tests a password store.
func Passwords(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"the hash of a new user is there", hashIsThere},
		{"no password and no user look the same", noHash},
		{"a hash is replaced, and only that of its user", hashIsReplaced},
		{"a hash that changed meanwhile is left", hashIsLeft},
		{"of many who replace the same hash one wins", hashRaces},
		{"a cancelled context is an error", passwordsCancel},
	})
}

func wantHash(t *testing.T, s nodes.Stores, userID, want string) {
	t.Helper()
	if got, err := s.Passwords.Hash(t.Context(), userID); err != nil || got != want {
		t.Errorf("Passwords.Hash(%s) = %.40q, %v, want %.40q, nil", userID, got, err, want)
	}
}

func setHash(t *testing.T, s nodes.Stores, userID, prev, next string) {
	t.Helper()
	if err := s.Passwords.SetHash(t.Context(), userID, prev, next); err != nil {
		t.Errorf("Passwords.SetHash(%s, %.40q, %.40q) = %v, want nil", userID, prev, next, err)
	}
}

func hashIsThere(t *testing.T, s nodes.Stores) {
	for name, text := range texts() {
		u, hash := newUser(), "h"+text
		if err := s.Users.Create(t.Context(), u, hash); err != nil {
			t.Fatalf("Users.Create with a hash that is %s = %v, want nil", name, err)
		}
		wantHash(t, s, u.ID, hash)
	}
}

func noHash(t *testing.T, s nodes.Stores) {
	u := newUser()
	if err := s.Users.Create(t.Context(), u, ""); err != nil {
		t.Fatalf("Users.Create without a password = %v, want nil", err)
	}
	for _, id := range []string{u.ID, newID(), ""} {
		if h, err := s.Passwords.Hash(t.Context(), id); !errors.Is(err, password.ErrNoPassword) {
			t.Errorf("Passwords.Hash(%q) = %q, %v, want %v", id, h, err, password.ErrNoPassword)
		}
	}
	for _, prev := range []string{"", "hash"} {
		if err := s.Passwords.SetHash(t.Context(), newID(), prev, "next"); !errors.Is(err, password.ErrNoPassword) {
			t.Errorf("Passwords.SetHash(unknown user, %q, next) = %v, want %v", prev, err, password.ErrNoPassword)
		}
	}
	setHash(t, s, u.ID, "some hash", "next")
	if h, err := s.Passwords.Hash(t.Context(), u.ID); !errors.Is(err, password.ErrNoPassword) {
		t.Errorf("Passwords.Hash after a replacement that did not fit = %q, %v, want %v", h, err, password.ErrNoPassword)
	}
	setHash(t, s, u.ID, "", "first")
	wantHash(t, s, u.ID, "first")
}

func hashIsReplaced(t *testing.T, s nodes.Stores) {
	u, bystander := addUser(t, s), addUser(t, s)
	made := addSession(t, s, u.ID, present())
	setHash(t, s, u.ID, "", "second")
	wantHash(t, s, u.ID, "second")
	setHash(t, s, u.ID, "second", "third")
	wantHash(t, s, u.ID, "third")
	wantHash(t, s, bystander.ID, "hash of "+bystander.ID)
	wantLive(t, s, made.ID, made.CreationDtm)
	wantUser(t, s, u)
}

func hashIsLeft(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	setHash(t, s, u.ID, "", "second")
	setHash(t, s, u.ID, "hash of "+u.ID, "late")
	wantHash(t, s, u.ID, "second")
}

func hashRaces(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	errs := together(50, func(i int) error {
		return s.Passwords.SetHash(t.Context(), u.ID, "hash of "+u.ID, fmt.Sprint("next ", i))
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("Passwords.SetHash from many = %v, want nil", err)
	}
	first, err := s.Passwords.Hash(t.Context(), u.ID)
	if err != nil || first == "hash of "+u.ID {
		t.Fatalf("Passwords.Hash(%s) = %q, %v, want one of the next", u.ID, first, err)
	}
	setHash(t, s, u.ID, "hash of "+u.ID, "late")
	wantHash(t, s, u.ID, first)
}

func passwordsCancel(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	wantCancelled(t, map[string]func(context.Context) error{
		"Passwords.Hash":    func(ctx context.Context) error { _, err := s.Passwords.Hash(ctx, u.ID); return err },
		"Passwords.SetHash": func(ctx context.Context) error { return s.Passwords.SetHash(ctx, u.ID, "", "next") },
	})
	wantHash(t, s, u.ID, "hash of "+u.ID)
}
