package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/user"
)

const phrase = "correct horse battery staple"

// addUser adds a user with the hash of a password, or none where it is empty.
func addUser(t *testing.T, s nodes.Stores, h *password.Hasher, id, secret string) user.User {
	t.Helper()
	hash := ""
	if secret != "" {
		var err error
		if hash, err = h.New(t.Context(), secret); err != nil {
			t.Fatalf("New(%q) = %v, want nil", secret, err)
		}
	}
	u := user.User{ID: id, Email: id + "@Example.com", EmailKey: id + "@example.com", Name: "Ada Lovelace of London"}
	if err := s.Users.Create(t.Context(), u, hash); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", id, err)
	}
	return u
}

func TestCheck(t *testing.T) {
	s, h := memory.New(), password.Quick(password.Settings{})
	ada, bob := addUser(t, s, h, "ada", phrase), addUser(t, s, h, "bob", "another long password")
	bare, shut := addUser(t, s, h, "bare", ""), addUser(t, s, h, "shut", phrase)
	shut.Disabled = true
	later := ada
	later.Epoch = 7
	gone := user.User{ID: "gone"}
	for name, tt := range map[string]struct {
		user     *user.User
		password string
		want     user.ProvenID
		wantErr  error
	}{
		"right":               {&ada, phrase, user.ProvenID{ID: "ada"}, nil},
		"right, with epoch":   {&later, phrase, user.ProvenID{ID: "ada", Epoch: 7}, nil},
		"wrong":               {&ada, "wrong", user.ProvenID{}, password.Mismatch},
		"empty":               {&ada, "", user.ProvenID{}, password.Mismatch},
		"of another user":     {&bob, phrase, user.ProvenID{}, password.Mismatch},
		"nobody":              {nil, phrase, user.ProvenID{}, password.Mismatch},
		"user who is gone":    {&gone, phrase, user.ProvenID{}, password.Mismatch},
		"without a password":  {&bare, phrase, user.ProvenID{}, password.Mismatch},
		"empty, without one":  {&bare, "", user.ProvenID{}, password.Mismatch},
		"disabled":            {&shut, phrase, user.ProvenID{}, password.Mismatch},
		"disabled, and wrong": {&shut, "wrong", user.ProvenID{}, password.Mismatch},
		"1 MiB":               {&ada, strings.Repeat("a", 1<<20), user.ProvenID{}, password.Mismatch},
		"no text":             {&ada, "\xff", user.ProvenID{}, password.Mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := password.Check(t.Context(), s.Passwords, h, password.CheckIn{User: tt.user, Password: tt.password})
			if err == nil && (time.Since(got.Time) > time.Minute || time.Since(got.Time) < 0) {
				t.Errorf("check(%v) proves at %v, want now", tt.user, got.Time)
			}
			got.Time = time.Time{}
			if !errors.Is(err, tt.wantErr) || got != tt.want {
				t.Errorf("check(%v, %.20q) = %v, %v, want %v, %v", tt.user, tt.password, got, err, tt.want, tt.wantErr)
			}
		})
	}
}

// TestCheckCostsAHashForEverybody has all hashing taken, so that who needs a
// hash is turned away, and who would get an answer without one is found out.
func TestCheckCostsAHashForEverybody(t *testing.T) {
	s := memory.New()
	ready := password.Quick(password.Settings{})
	ada, bare, shut := addUser(t, s, ready, "ada", phrase), addUser(t, s, ready, "bare", ""), addUser(t, s, ready, "shut", phrase)
	shut.Disabled = true
	taken := password.Quick(password.Settings{Parallel: 1, Wait: time.Millisecond})
	defer taken.Hold(t.Context())()
	for name, u := range map[string]*user.User{"user": &ada, "nobody": nil, "without a password": &bare, "disabled": &shut} {
		for _, secret := range []string{phrase, "wrong", ""} {
			in := password.CheckIn{User: u, Password: secret}
			if got, err := password.Check(t.Context(), s.Passwords, taken, in); !errors.Is(err, user.Busy) {
				t.Errorf("check(%s, %q) = %v, %v, want %v", name, secret, got, err, user.Busy)
			}
		}
	}
}

func TestCheckRenewsTheHash(t *testing.T) {
	s, weak, strong := memory.New(), password.Quick(password.Settings{}), password.Quick(password.Settings{Memory: 128, Time: 2})
	ada := addUser(t, s, weak, "ada", phrase)
	old, err := s.Passwords.Hash(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := password.Check(t.Context(), s.Passwords, strong, password.CheckIn{User: &ada, Password: "wrong"}); !errors.Is(err, password.Mismatch) {
		t.Errorf("check(wrong) = %v, want %v", err, password.Mismatch)
	}
	if got, err := s.Passwords.Hash(t.Context(), ada.ID); err != nil || got != old {
		t.Errorf("hash after a wrong password = %q, %v, want %q", got, err, old)
	}
	for range 2 {
		if _, err := password.Check(t.Context(), s.Passwords, strong, password.CheckIn{User: &ada, Password: phrase}); err != nil {
			t.Errorf("check(right) = %v, want nil", err)
		}
	}
	if got, err := s.Passwords.Hash(t.Context(), ada.ID); err != nil || !strings.HasPrefix(got, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("hash after a right password = %q, %v, want the new parameters", got, err)
	}
}

func TestExists(t *testing.T) {
	s, h := memory.New(), password.Quick(password.Settings{})
	addUser(t, s, h, "ada", "a ferry across the river")
	addUser(t, s, h, "bob", "")
	for id, want := range map[string]bool{"ada": true, "bob": false, "nobody": false} {
		if got, err := password.Exists(t.Context(), s.Passwords, id); err != nil || got != want {
			t.Errorf("exists(%s) = %t, %v, want %t", id, got, err, want)
		}
	}
	if _, err := password.Exists(t.Context(), away{}, "ada"); !errors.Is(err, errAway) {
		t.Errorf("exists of a store that is away = %v, want %v", err, errAway)
	}
}

func TestSet(t *testing.T) {
	const next = "a new and different one"
	for name, tt := range map[string]struct {
		id       user.ProvenID
		password string
		want     error
	}{
		"new":                 {user.ProvenID{ID: "ada", Epoch: 1}, next, nil},
		"same":                {user.ProvenID{ID: "ada", Epoch: 1}, phrase, nil},
		"short":               {user.ProvenID{ID: "ada", Epoch: 1}, "short", user.WeakPassword},
		"the name":            {user.ProvenID{ID: "ada", Epoch: 1}, "ada lovelace of london", user.WeakPassword},
		"the address":         {user.ProvenID{ID: "ada", Epoch: 1}, "ADA@example.com", user.WeakPassword},
		"old proof":           {user.ProvenID{ID: "ada"}, next, user.Stale},
		"disabled":            {user.ProvenID{ID: "shut", Epoch: 1}, next, user.Stale},
		"user who is unknown": {user.ProvenID{ID: "gone"}, next, user.NotFound},
		"nobody":              {user.ProvenID{}, next, user.NotFound},
		"who acts for a user": {user.ProvenID{ID: "ada", Epoch: 1, Actor: "bob"}, next, user.Stale},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := memory.New(), password.Quick(password.Settings{})
			yes, no := true, false
			for _, id := range []string{"ada", "shut"} {
				addUser(t, s, h, id, phrase)
				if _, err := s.Users.Update(t.Context(), id, user.Change{Disabled: &yes}, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Users.Update(t.Context(), "ada", user.Change{Disabled: &no}, time.Now()); err != nil {
				t.Fatal(err)
			}
			in := password.SetIn{UserID: tt.id, Password: tt.password}
			if _, err := password.Set(t.Context(), s.Passwords, s.Users, h, in); !errors.Is(err, tt.want) {
				t.Fatalf("set(%+v) = %v, want %v", in, err, tt.want)
			}
			want := phrase
			if tt.want == nil {
				want = tt.password
			}
			ada, err := s.Users.ByID(t.Context(), "ada")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := password.Check(t.Context(), s.Passwords, h, password.CheckIn{User: &ada, Password: want}); err != nil {
				t.Errorf("check(%q) afterwards = %v, want nil", want, err)
			}
		})
	}
}

// away is a store that cannot be reached.
type away struct{ user.Store }

var errAway = errors.New("away")

func (away) Hash(context.Context, string) (string, error)          { return "", errAway }
func (away) SetHash(context.Context, string, string, string) error { return errAway }
func (away) ByID(context.Context, string) (user.User, error)       { return user.User{}, errAway }

func TestStoreErrorsAreNoOutcomes(t *testing.T) {
	s, h := memory.New(), password.Quick(password.Settings{})
	ada := addUser(t, s, h, "ada", phrase)
	id := user.ProvenID{ID: ada.ID}
	_, checked := password.Check(t.Context(), away{}, h, password.CheckIn{User: &ada, Password: phrase})
	_, nobody := password.Check(t.Context(), away{}, h, password.CheckIn{Password: phrase})
	_, read := password.Set(t.Context(), s.Passwords, away{}, h, password.SetIn{UserID: id, Password: phrase})
	_, stored := password.Set(t.Context(), away{}, s.Users, h, password.SetIn{UserID: id, Password: phrase})
	for name, err := range map[string]error{"check": checked, "check of nobody": nobody, "set, reading": read, "set, storing": stored} {
		if !errors.Is(err, errAway) || errors.Is(err, password.Mismatch) || errors.Is(err, user.NotFound) {
			t.Errorf("%s = %v, want it to wrap %v", name, err, errAway)
		}
	}
}
