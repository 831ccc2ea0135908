package oidc_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/oidc"
	"sluice/nodes/user"
)

func addUser(t *testing.T, s nodes.Stores, id string, verified, disabled bool) {
	t.Helper()
	u := user.User{ID: id, Email: id + "@example.com", EmailKey: id + "@example.com", EmailVerified: verified, Disabled: disabled}
	if err := s.Users.Create(t.Context(), u, ""); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", id, err)
	}
}

func vouched(subject, email string, verified bool) oidc.Verified {
	return oidc.Verified{Subject: subject, Issuer: "https://accounts.example.com", Provider: "acme", Email: email, EmailVerified: verified}
}

func TestAnAddressLinksOnlyWhereBothSidesVerifiedIt(t *testing.T) {
	for name, c := range map[string]struct {
		here, there, disabled bool
		email                 string
		want                  error
	}{
		"both":                   {true, true, false, "ADA@example.com", nil},
		"only the provider":      {false, true, false, "ada@example.com", oidc.Unlinked},
		"only here":              {true, false, false, "ada@example.com", oidc.Unlinked},
		"neither":                {false, false, false, "ada@example.com", oidc.Unlinked},
		"another address":        {true, true, false, "eve@example.com", oidc.Unlinked},
		"no address":             {true, true, false, "", oidc.Unlinked},
		"what is no address":     {true, true, false, "ada", oidc.Unlinked},
		"a user who is shut out": {true, true, true, "ada@example.com", user.Stale},
	} {
		s := memory.New()
		l := oidc.NewLinks(s.Identities, s.Users, s.Factors, nil)
		addUser(t, s, "ada", c.here, c.disabled)
		got, err := l.LinkByEmail(t.Context(), vouched("7", c.email, c.there))
		if !errors.Is(err, c.want) || c.want == nil && got.UserID.ID != "ada" {
			t.Errorf("%s: linkByEmail = %+v, %v, want %v", name, got, err, c.want)
		}
		if has, err := s.Identities.OfUser(t.Context(), "ada"); err != nil || (len(has) == 1) != (c.want == nil) {
			t.Errorf("%s: ada has %+v, %v, want one only where it was linked", name, has, err)
		}
	}
}

func TestAnIdentityIsLinkedToOneUserWhoseProofHolds(t *testing.T) {
	s := memory.New()
	l := oidc.NewLinks(s.Identities, s.Users, s.Factors, nil)
	addUser(t, s, "ada", false, false)
	addUser(t, s, "eve", false, false)
	addUser(t, s, "out", false, true)
	v, now := vouched("7", "", false), time.Now()
	for _, c := range []struct {
		id   user.ProvenID
		want error
	}{
		{user.ProvenID{ID: "nobody", Time: now}, user.Stale},
		{user.ProvenID{ID: "out", Time: now}, user.Stale},
		{user.ProvenID{ID: "ada", Time: now, Epoch: 1}, user.Stale},
		{user.ProvenID{ID: "ada"}, user.Stale}, // somebody else vouched for ada
		{user.ProvenID{ID: "ada", Time: now, Actor: "eve"}, user.Stale},
		{user.ProvenID{ID: "ada", Time: now, Lacks: true}, user.SecondFactorRequired},
		{user.ProvenID{ID: "ada", Time: now}, nil},
		{user.ProvenID{ID: "ada", Time: now}, nil},
		{user.ProvenID{ID: "eve", Time: now}, oidc.Taken},
	} {
		if _, err := l.Link(t.Context(), oidc.LinkIn{Identity: v, UserID: c.id}); !errors.Is(err, c.want) {
			t.Errorf("link to %+v = %v, want %v", c.id, err, c.want)
		}
	}
	if got, err := l.Prove(t.Context(), v); err != nil || got.UserID.ID != "ada" {
		t.Errorf("prove = %+v, %v, want ada", got, err)
	}
	yes := true
	if _, err := s.Users.Update(t.Context(), "ada", user.Change{Disabled: &yes}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Prove(t.Context(), v); !errors.Is(err, user.Stale) {
		t.Errorf("prove of a disabled user = %v, want %v", err, user.Stale)
	}
}

// A provider knows nothing of the second factor that a user has here.
func TestTheProofOfAProviderLacksTheSecondFactor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		l := oidc.NewLinks(s.Identities, s.Users, s.Factors, nil)
		addUser(t, s, "ada", true, false)
		if _, err := l.Link(t.Context(), oidc.LinkIn{Identity: vouched("7", "", false), UserID: user.ProvenID{ID: "ada", Time: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		want := user.ProvenID{ID: "ada", Time: time.Now().UTC()}
		if got, err := l.Prove(t.Context(), vouched("7", "", false)); err != nil || got.UserID != want || got.SecondFactor {
			t.Errorf("prove without a second factor = %+v, %v, want %+v", got, err, want)
		}
		if err := s.Factors.Enroll(t.Context(), "ada", []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		if err := s.Factors.Use(t.Context(), "ada", []byte("sealed"), 1); err != nil {
			t.Fatal(err)
		}
		want.Lacks = true
		if got, err := l.Prove(t.Context(), vouched("7", "", false)); err != nil || got.UserID != want || !got.SecondFactor {
			t.Errorf("prove with a second factor = %+v, %v, want %+v", got, err, want)
		}
		if got, err := l.LinkByEmail(t.Context(), vouched("8", "ada@example.com", true)); err != nil || got.UserID != want || !got.SecondFactor {
			t.Errorf("linkByEmail with a second factor = %+v, %v, want %+v", got, err, want)
		}
		if has, err := s.Identities.OfUser(t.Context(), "ada"); err != nil || len(has) != 1 {
			t.Errorf("ada has %+v, %v, want no identity more: the second factor was not shown", has, err)
		}
	})
}

func TestAUserHasABoundedNumberOfIdentities(t *testing.T) {
	s := memory.New()
	l := oidc.NewLinks(s.Identities, s.Users, s.Factors, nil)
	addUser(t, s, "ada", false, false)
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = l.Link(t.Context(), oidc.LinkIn{Identity: vouched(string(rune('A'+n)), "", false), UserID: user.ProvenID{ID: "ada", Time: time.Now()}})
	}
	if !errors.Is(err, oidc.Full) || n != 21 {
		t.Errorf("link number %d = %v, want %v at 21", n, err, oidc.Full)
	}
}

func TestSignUpNeedsAnAddressThatIsFree(t *testing.T) {
	s := memory.New()
	l := oidc.NewLinks(s.Identities, s.Users, s.Factors, nil)
	addUser(t, s, "ada", true, false)
	for _, c := range []struct {
		v    oidc.Verified
		want error
	}{
		{vouched("7", "", false), oidc.NoEmail},
		{vouched("7", "bob", false), oidc.NoEmail},
		{vouched("7", "ADA@example.com", true), user.EmailTaken},
		{vouched("7", "bob@example.com", false), nil},
		{vouched("7", "carol@example.com", false), oidc.Taken},
	} {
		got, err := l.SignUp(t.Context(), c.v)
		if !errors.Is(err, c.want) || got.User.EmailVerified {
			t.Errorf("signUp(%+v) = %+v, %v, want %v, not verified", c.v, got, err, c.want)
		}
	}
}

func TestTheLastWayToSignInStays(t *testing.T) {
	s := memory.New()
	ways := 1
	l := oidc.NewLinks(s.Identities, s.Users, s.Factors, func(context.Context, string) (int, error) { return ways, nil })
	addUser(t, s, "ada", true, false)
	addUser(t, s, "eve", true, false)
	ada, eve := user.ProvenID{ID: "ada", Time: time.Now()}, user.ProvenID{ID: "eve", Time: time.Now()}
	made, err := l.Link(t.Context(), oidc.LinkIn{Identity: vouched("7", "", false), UserID: ada})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in   oidc.UnlinkIn
		ways int
		want error
	}{
		{oidc.UnlinkIn{UserID: ada, ID: made.ID}, 1, user.LastWay},
		{oidc.UnlinkIn{UserID: eve, ID: made.ID}, 2, oidc.NotFound},
		{oidc.UnlinkIn{UserID: user.ProvenID{ID: "ada"}, ID: made.ID}, 2, user.Stale},
		{oidc.UnlinkIn{UserID: user.ProvenID{ID: "ada", Time: ada.Time, Lacks: true}, ID: made.ID}, 2, user.SecondFactorRequired},
		{oidc.UnlinkIn{UserID: ada, ID: "another"}, 2, oidc.NotFound},
		{oidc.UnlinkIn{UserID: ada, ID: made.ID}, 2, nil},
		{oidc.UnlinkIn{UserID: ada, ID: made.ID}, 2, oidc.NotFound},
	} {
		ways = c.ways
		if _, err := l.Unlink(t.Context(), c.in); !errors.Is(err, c.want) {
			t.Errorf("unlink(%+v) with %d ways = %v, want %v", c.in, c.ways, err, c.want)
		}
	}
}
