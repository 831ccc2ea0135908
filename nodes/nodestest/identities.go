package nodestest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"sluice/nodes"
	"sluice/nodes/oidc"
	"sluice/nodes/record"
	"sluice/nodes/user"
)

// Identities tests a store of identities.
func Identities(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"an identity is found as it was linked", identityIsKept},
		{"an identity belongs to one user", identityIsOne},
		{"the same subject at another issuer is another identity", issuersDoNotMeet},
		{"a user without an address of its own or an identity does not sign up", signUpIsWhole},
		{"an identity that is unlinked is gone, and free", unlinkFrees},
		{"nobody unlinks the identity of another", unlinkOwn},
		{"of many who want an identity one gets it", identitiesRace},
		{"the identities of a user who is deleted are gone, and free", deletionFreesIdentities},
		{"identities are taken and given as they were, and sign in", identitiesSurvive},
		{"a cancelled context is an error", identitiesCancel},
	})
}

// newIdentity returns an identity of a user that is in no store yet.
func newIdentity(userID string) oidc.Identity {
	return oidc.Identity{
		ID: newID(), Provider: "acme", Email: "Ada@example.com", CreationDtm: present(),
		Issuer: "https://accounts.example.com", Subject: newID(), UserID: userID,
	}
}

func link(t *testing.T, s nodes.Stores, i oidc.Identity) {
	t.Helper()
	if err := s.Identities.Link(t.Context(), i); err != nil {
		t.Fatalf("Identities.Link(%+v) = %v, want nil", i, err)
	}
}

// wantIdentities fails the test unless a user has exactly these.
func wantIdentities(t *testing.T, s nodes.Stores, userID string, want ...oidc.Identity) {
	t.Helper()
	got, err := s.Identities.OfUser(t.Context(), userID)
	if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("Identities.OfUser(%s) = %+v, %v, want %+v", userID, got, err, want)
	}
	for _, i := range want {
		if found, err := s.Identities.ByIdentity(t.Context(), i.Issuer, i.Subject); err != nil || found != i {
			t.Errorf("Identities.ByIdentity(%q, %q) = %+v, %v, want %+v", i.Issuer, i.Subject, found, err, i)
		}
	}
}

func identityIsKept(t *testing.T, s nodes.Stores) {
	for name, text := range texts() {
		u := addUser(t, s)
		first, second := newIdentity(u.ID), newIdentity(u.ID)
		first.Provider, first.Email, first.Subject = text, text, text+newID()
		second.Issuer = text + newID()
		link(t, s, second)
		link(t, s, first)
		t.Log(name)
		wantIdentities(t, s, u.ID, first, second)
	}
	if err := s.Identities.Link(t.Context(), newIdentity(newID())); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Identities.Link(of nobody) = %v, want %v", err, user.ErrNoUser)
	}
	if _, err := s.Identities.ByIdentity(t.Context(), "https://accounts.example.com", "nobody"); !errors.Is(err, oidc.ErrNoIdentity) {
		t.Errorf("Identities.ByIdentity(nobody) = %v, want %v", err, oidc.ErrNoIdentity)
	}
}

func identityIsOne(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	i := newIdentity(ada.ID)
	link(t, s, i)
	again := i
	again.ID, again.Provider = newID(), "renamed"
	link(t, s, again)
	stolen := i
	stolen.ID, stolen.UserID = newID(), bob.ID
	if err := s.Identities.Link(t.Context(), stolen); !errors.Is(err, oidc.ErrTaken) {
		t.Errorf("Identities.Link(of another user) = %v, want %v", err, oidc.ErrTaken)
	}
	wantIdentities(t, s, ada.ID, i)
	wantIdentities(t, s, bob.ID)
}

func issuersDoNotMeet(t *testing.T, s nodes.Stores) {
	for _, pair := range [][2][2]string{
		{{"https://a.example", "7"}, {"https://b.example", "7"}},
		{{"https://a.example", "x"}, {"https://a.example", "X"}},
		{{"https://c.example", "/7"}, {"https://c.example/", "7"}},
		{{"https://c.example\x00", "7"}, {"https://c.example", "\x007"}},
	} {
		ada, bob := addUser(t, s), addUser(t, s)
		a, b := newIdentity(ada.ID), newIdentity(bob.ID)
		a.Issuer, a.Subject = pair[0][0], pair[0][1]
		b.Issuer, b.Subject = pair[1][0], pair[1][1]
		link(t, s, a)
		link(t, s, b)
		wantIdentities(t, s, ada.ID, a)
		wantIdentities(t, s, bob.ID, b)
	}
}

func signUpIsWhole(t *testing.T, s nodes.Stores) {
	u := newUser()
	u.EmailVerified, u.Name = true, "Ada"
	i := newIdentity(u.ID)
	if err := s.Identities.SignUp(t.Context(), u, i); err != nil {
		t.Fatalf("Identities.SignUp() = %v, want nil", err)
	}
	wantUser(t, s, u)
	if _, err := s.Passwords.Hash(t.Context(), u.ID); err == nil {
		t.Error("Passwords.Hash() of a user who signed up at a provider = nil, want an error")
	}
	wantIdentities(t, s, u.ID, i)

	sameAddress := newUser()
	sameAddress.EmailKey = u.EmailKey
	other := newIdentity(sameAddress.ID)
	if err := s.Identities.SignUp(t.Context(), sameAddress, other); !errors.Is(err, user.ErrEmailTaken) {
		t.Errorf("Identities.SignUp(taken address) = %v, want %v", err, user.ErrEmailTaken)
	}
	if _, err := s.Identities.ByIdentity(t.Context(), other.Issuer, other.Subject); !errors.Is(err, oidc.ErrNoIdentity) {
		t.Errorf("Identities.ByIdentity() after that = %v, want %v", err, oidc.ErrNoIdentity)
	}
	sameIdentity := newUser()
	taken := i
	taken.ID, taken.UserID = newID(), sameIdentity.ID
	if err := s.Identities.SignUp(t.Context(), sameIdentity, taken); !errors.Is(err, oidc.ErrTaken) {
		t.Errorf("Identities.SignUp(taken identity) = %v, want %v", err, oidc.ErrTaken)
	}
	if err := s.Users.Create(t.Context(), sameIdentity, "hash"); err != nil {
		t.Errorf("Users.Create() after that = %v, want nil: the address is free", err)
	}
}

func unlinkFrees(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	i, stays := newIdentity(ada.ID), newIdentity(ada.ID)
	link(t, s, i)
	link(t, s, stays)
	if err := s.Identities.Unlink(t.Context(), ada.ID, i.ID); err != nil {
		t.Fatalf("Identities.Unlink() = %v, want nil", err)
	}
	if err := s.Identities.Unlink(t.Context(), ada.ID, i.ID); !errors.Is(err, oidc.ErrNoIdentity) {
		t.Errorf("Identities.Unlink() again = %v, want %v", err, oidc.ErrNoIdentity)
	}
	wantIdentities(t, s, ada.ID, stays)
	i.ID, i.UserID = newID(), bob.ID
	link(t, s, i)
	wantIdentities(t, s, bob.ID, i)
}

func unlinkOwn(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	i := newIdentity(ada.ID)
	link(t, s, i)
	if err := s.Identities.Unlink(t.Context(), bob.ID, i.ID); !errors.Is(err, oidc.ErrNoIdentity) {
		t.Errorf("Identities.Unlink(by another) = %v, want %v", err, oidc.ErrNoIdentity)
	}
	wantIdentities(t, s, ada.ID, i)
}

func identitiesRace(t *testing.T, s nodes.Stores) {
	for range 3 {
		shared, people := newIdentity(""), make([]user.User, 8)
		for n := range people {
			people[n] = addUser(t, s)
		}
		won := wantOne(t, "Identities.Link", together(len(people), func(n int) error {
			i := shared
			i.ID, i.UserID = newID(), people[n].ID
			return s.Identities.Link(t.Context(), i)
		}), oidc.ErrTaken)
		if got, err := s.Identities.ByIdentity(t.Context(), shared.Issuer, shared.Subject); err != nil || got.UserID != people[won].ID {
			t.Errorf("Identities.ByIdentity() = %+v, %v, want that of %s, who won", got, err, people[won].ID)
		}
		fresh := newIdentity("")
		wantOne(t, "Identities.SignUp", together(8, func(int) error {
			u, i := newUser(), fresh
			i.ID, i.UserID = newID(), u.ID
			return s.Identities.SignUp(t.Context(), u, i)
		}), oidc.ErrTaken)
	}
}

func deletionFreesIdentities(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	i, stays := newIdentity(ada.ID), newIdentity(bob.ID)
	link(t, s, i)
	link(t, s, stays)
	if err := s.Users.Delete(t.Context(), ada.ID, present()); err != nil {
		t.Fatalf("Users.Delete() = %v, want nil", err)
	}
	wantIdentities(t, s, ada.ID)
	if _, err := s.Identities.ByIdentity(t.Context(), i.Issuer, i.Subject); !errors.Is(err, oidc.ErrNoIdentity) {
		t.Errorf("Identities.ByIdentity() of a deleted user = %v, want %v", err, oidc.ErrNoIdentity)
	}
	i.ID, i.UserID = newID(), bob.ID
	link(t, s, i)
	wantIdentities(t, s, bob.ID, stays, i)
}

func identitiesSurvive(t *testing.T, s nodes.Stores) {
	now, u := present(), newUser()
	i, bare := newIdentity(u.ID), newIdentity(u.ID)
	bare.Email = ""
	some := []record.Record{record.UserOf(u, ""), record.IdentityOf(i), record.IdentityOf(bare)}
	take(t, s, some, false)
	wantRecords(t, s, now, lines(t, some...))
	wantIdentities(t, s, u.ID, i, bare)
	stolen := i
	stolen.ID, stolen.UserID = newID(), addUser(t, s).ID
	if err := s.Identities.Link(t.Context(), stolen); !errors.Is(err, oidc.ErrTaken) {
		t.Errorf("Identities.Link(of a moved user) = %v, want %v", err, oidc.ErrTaken)
	}
	take(t, s, []record.Record{some[0]}, true)
	wantIdentities(t, s, u.ID)
	for name, some := range map[string][]record.Record{"an identity twice": {some[0], some[1], some[1]}, "one without its user": {some[1]}} {
		if err := s.Records.Import(t.Context(), of(some, nil), true); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
	}
}

func identitiesCancel(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	i := newIdentity(u.ID)
	wantCancelled(t, map[string]func(context.Context) error{
		"Identities.SignUp": func(ctx context.Context) error { return s.Identities.SignUp(ctx, newUser(), i) },
		"Identities.Link":   func(ctx context.Context) error { return s.Identities.Link(ctx, i) },
		"Identities.ByIdentity": func(ctx context.Context) error {
			_, err := s.Identities.ByIdentity(ctx, i.Issuer, i.Subject)
			return err
		},
		"Identities.OfUser": func(ctx context.Context) error { _, err := s.Identities.OfUser(ctx, u.ID); return err },
		"Identities.Unlink": func(ctx context.Context) error { return s.Identities.Unlink(ctx, u.ID, i.ID) },
	})
}
