package user_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/user"
)

// plain "hashes" a password by marking it, and notes the words it is given.
type plain struct{ words []string }

func (p *plain) New(_ context.Context, password string, words ...string) (string, error) {
	p.words = words
	switch password {
	case "weak":
		return "", user.WeakPassword.Saying("The password must have more.")
	case "flood":
		return "", user.Busy
	}
	return "hash of " + password, nil
}

func create(t *testing.T, s nodes.Stores, email string) user.User {
	t.Helper()
	out, err := user.Create(t.Context(), s.Users, &plain{}, user.CreateIn{Email: email, Password: "long enough"})
	if err != nil {
		t.Fatalf("create(%q) = %v, want nil", email, err)
	}
	return out.User
}

func TestCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := memory.New(), &plain{}
		out, err := user.Create(t.Context(), s.Users, h, user.CreateIn{Email: "Ada@Example.com", Password: "long enough", Name: "Ada"})
		if err != nil {
			t.Fatalf("create = %v, want nil", err)
		}
		now := time.Now().UTC()
		want := user.User{
			ID: out.User.ID, Email: "Ada@Example.com", EmailKey: "ada@example.com", Name: "Ada",
			Groups: []string{}, CreationDtm: now, UpdatedDtm: now,
		}
		if !reflect.DeepEqual(out.User, want) || len(want.ID) != 36 {
			t.Errorf("create = %+v, want %+v", out.User, want)
		}
		if proof := (user.ProvenID{ID: want.ID, Time: now}); out.UserID != proof {
			t.Errorf("create proves %+v, want %+v", out.UserID, proof)
		}
		if got, err := s.Users.ByID(t.Context(), want.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("stored user = %+v, %v, want %+v", got, err, want)
		}
		if got, err := s.Passwords.Hash(t.Context(), want.ID); err != nil || got != "hash of long enough" {
			t.Errorf("stored hash = %q, %v, want %q", got, err, "hash of long enough")
		}
		if words := []string{"Ada@Example.com", "ada@example.com", "Ada", "Ada", ""}; !slices.Equal(h.words, words) {
			t.Errorf("words against the password = %q, want %q", h.words, words)
		}
	})
}

func TestCreateLeavesByOutcome(t *testing.T) {
	s := memory.New()
	create(t, s, "ada@example.com")
	for name, tt := range map[string]struct {
		email, password string
		want            error
	}{
		"taken":             {"ada@example.com", "long enough", user.EmailTaken},
		"taken, other case": {"ADA@EXAMPLE.com", "long enough", user.EmailTaken},
		"taken, wide":       {"\uff41da@example.com", "long enough", user.EmailTaken},
		"no address":        {"ada", "long enough", user.InvalidEmail},
		"weak":              {"bob@example.com", "weak", user.WeakPassword},
		"flood":             {"bob@example.com", "flood", user.Busy},
	} {
		t.Run(name, func(t *testing.T) {
			in := user.CreateIn{Email: tt.email, Password: tt.password}
			if out, err := user.Create(t.Context(), s.Users, &plain{}, in); !errors.Is(err, tt.want) {
				t.Errorf("create(%+v) = %+v, %v, want %v", in, out, err, tt.want)
			}
		})
	}
	if _, err := s.Users.ByEmail(t.Context(), "bob@example.com"); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("ByEmail of a user who was refused = %v, want %v", err, user.ErrNoUser)
	}
}

func TestUserHasAnAddressOrANumberOrBoth(t *testing.T) {
	s := memory.New()
	for _, tt := range []struct {
		email, phone string
		want         error
	}{
		{"", "+1 (415) 555-0100", nil},
		{"ada@example.com", "+14155550101", nil},
		{"bob@example.com", "", nil},
		{"", "", user.InvalidEmail},
		{"", "+14155550100", user.PhoneTaken},
		{"eve@example.com", "+1-415-555-0100", user.PhoneTaken},
		{"ada@example.com", "+14155550109", user.EmailTaken},
		{"eve@example.com", "4155550109", user.InvalidPhone},
		{"eve", "+14155550109", user.InvalidEmail},
	} {
		in := user.CreateIn{Email: tt.email, Phone: tt.phone, Password: "long enough"}
		out, err := user.Create(t.Context(), s.Users, &plain{}, in)
		if !errors.Is(err, tt.want) {
			t.Errorf("create(%+v) = %v, want %v", in, err, tt.want)
		}
		if u := out.User; err == nil && (u.Email != tt.email || strings.ContainsAny(u.Phone, " ()-") || u.PhoneVerified) {
			t.Errorf("create(%+v) = %+v, want what was given, and nothing verified", in, u)
		}
	}
	for phone, want := range map[string]error{"+14155550100": nil, "+1 415 555-0101": nil, "+14155550109": user.NotFound, "0100": user.NotFound, "+1": user.NotFound} {
		u, err := user.Fetch(t.Context(), s.Users, user.FetchIn{Phone: phone})
		if !errors.Is(err, want) || err == nil && u.Phone[:10] != "+141555501" {
			t.Errorf("fetch(%s) = %+v, %v, want %v", phone, u, err, want)
		}
	}
}

func TestUpdateOfThePhoneNumber(t *testing.T) {
	yes, no, empty := true, false, ""
	number, own, taken, bad := "+1 415 555 0109", "+1 (415) 555-0100", "+14155550101", "555"
	for title, tt := range map[string]struct {
		in       user.UpdateIn // of the user with an address and a verified number
		number   string
		verified bool
		want     error
	}{
		"own number respelt":      {user.UpdateIn{Phone: &own}, "+14155550100", true, nil},
		"new number":              {user.UpdateIn{Phone: &number}, "+14155550109", false, nil},
		"new verified number":     {user.UpdateIn{Phone: &number, PhoneVerified: &yes}, "+14155550109", true, nil},
		"not verified any more":   {user.UpdateIn{PhoneVerified: &no}, "+14155550100", false, nil},
		"taken away":              {user.UpdateIn{Phone: &empty, PhoneVerified: &yes}, "", false, nil},
		"taken by another":        {user.UpdateIn{Phone: &taken}, "+14155550100", true, user.PhoneTaken},
		"no number":               {user.UpdateIn{Phone: &bad}, "+14155550100", true, user.InvalidPhone},
		"taken away from another": {user.UpdateIn{UserID: "bob", Phone: &empty}, "+14155550100", true, user.LastWay},
		"of nobody":               {user.UpdateIn{UserID: "eve", Phone: &number}, "+14155550100", true, user.NotFound},
	} {
		s := memory.New()
		ada := user.User{ID: "ada", Email: "ada@example.com", EmailKey: "ada@example.com", Phone: "+14155550100", PhoneVerified: true}
		if err := errors.Join(s.Users.Create(t.Context(), ada, ""), s.Users.Create(t.Context(), user.User{ID: "bob", Phone: taken}, "")); err != nil {
			t.Fatal(err)
		}
		if tt.in.UserID == "" {
			tt.in.UserID = "ada"
		}
		_, err := user.Update(t.Context(), s.Users, tt.in)
		got, _ := s.Users.ByID(t.Context(), "ada")
		if !errors.Is(err, tt.want) || got.Phone != tt.number || got.PhoneVerified != tt.verified {
			t.Errorf("%s: update(%+v) = %v and leaves %q, verified %t, want %v, %q and %t", title, tt.in, err, got.Phone, got.PhoneVerified, tt.want, tt.number, tt.verified)
		}
	}
}

func TestFetch(t *testing.T) {
	s := memory.New()
	ada := create(t, s, "ada@example.com")
	for name, tt := range map[string]struct {
		in   user.FetchIn
		want error
	}{
		"by address":           {user.FetchIn{Email: "ada@example.com"}, nil},
		"by address, any case": {user.FetchIn{Email: "ADA@Example.com"}, nil},
		"by id":                {user.FetchIn{ID: ada.ID}, nil},
		"unknown address":      {user.FetchIn{Email: "bob@example.com"}, user.NotFound},
		"no address":           {user.FetchIn{Email: "no address"}, user.NotFound},
		"huge address":         {user.FetchIn{Email: strings.Repeat("a", 1<<20)}, user.NotFound},
		"unknown id":           {user.FetchIn{ID: "unknown"}, user.NotFound},
		"nothing":              {user.FetchIn{}, user.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := user.Fetch(t.Context(), s.Users, tt.in)
			if !errors.Is(err, tt.want) || err == nil && !reflect.DeepEqual(got, ada) {
				t.Errorf("fetch(%.80v) = %+v, %v, want %+v, %v", tt.in, got, err, ada, tt.want)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	yes, no := true, false
	name, email, own, taken, bad := "Ada L.", "New@Example.com", "ADA@example.com", "bob@example.com", "bad"
	for title, tt := range map[string]struct {
		in      user.UpdateIn // of the user with the verified address ada@example.com
		want    func(u *user.User)
		wantErr error
	}{
		"nothing":  {user.UpdateIn{}, func(*user.User) {}, nil},
		"name":     {user.UpdateIn{Name: &name}, func(u *user.User) { u.Name = name }, nil},
		"disabled": {user.UpdateIn{Disabled: &yes}, func(u *user.User) { u.Disabled, u.Epoch = true, 1 }, nil},
		"groups": {user.UpdateIn{Groups: []string{"b", "a", "b"}}, func(u *user.User) {
			u.Groups, u.Epoch = []string{"a", "b"}, 1
		}, nil},
		"no groups":            {user.UpdateIn{Groups: []string{}}, func(u *user.User) { u.Epoch = 1 }, nil},
		"no group":             {user.UpdateIn{Groups: []string{""}}, nil, user.InvalidGroup},
		"not verified":         {user.UpdateIn{EmailVerified: &no}, func(u *user.User) { u.EmailVerified = false }, nil},
		"own address respelt":  {user.UpdateIn{Email: &own}, func(u *user.User) { u.Email = own }, nil},
		"new verified address": {user.UpdateIn{Email: &email, EmailVerified: &yes}, func(u *user.User) { u.Email, u.EmailKey = email, "new@example.com" }, nil},
		"new address is not verified": {user.UpdateIn{Email: &email}, func(u *user.User) {
			u.Email, u.EmailKey, u.EmailVerified = email, "new@example.com", false
		}, nil},
		"taken address":             {user.UpdateIn{Email: &taken, Name: &name}, nil, user.EmailTaken},
		"no address":                {user.UpdateIn{Email: &bad}, nil, user.InvalidEmail},
		"unknown user":              {user.UpdateIn{UserID: "unknown", Name: &name}, nil, user.NotFound},
		"unknown user with address": {user.UpdateIn{UserID: "unknown", Email: &email}, nil, user.NotFound},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory.New()
				create(t, s, "bob@example.com")
				want := create(t, s, "ada@example.com")
				if _, err := s.Users.Update(t.Context(), want.ID, user.Change{EmailVerified: &yes}, want.CreationDtm); err != nil {
					t.Fatal(err)
				}
				want.EmailVerified = true
				time.Sleep(time.Minute)
				if tt.in.UserID == "" {
					tt.in.UserID = want.ID
				}
				got, err := user.Update(t.Context(), s.Users, tt.in)
				if !errors.Is(err, tt.wantErr) {
					t.Fatalf("update(%+v) = %v, want %v", tt.in, err, tt.wantErr)
				}
				if err == nil {
					tt.want(&want)
					want.UpdatedDtm = time.Now().UTC()
					if !reflect.DeepEqual(got, want) {
						t.Errorf("update(%+v) = %+v, want %+v", tt.in, got, want)
					}
				}
				if got, err := s.Users.ByID(t.Context(), want.ID); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("stored user = %+v, %v, want %+v", got, err, want)
				}
			})
		})
	}
}

// away is a store that cannot be reached.
type away struct{ user.Store }

var errAway = errors.New("away")

func (away) ByID(context.Context, string) (user.User, error)    { return user.User{}, errAway }
func (away) ByEmail(context.Context, string) (user.User, error) { return user.User{}, errAway }
func (away) ByPhone(context.Context, string) (user.User, error) { return user.User{}, errAway }
func (away) Create(context.Context, user.User, string) error    { return errAway }
func (away) Update(context.Context, string, user.Change, time.Time) (user.User, error) {
	return user.User{}, errAway
}

func TestStoreErrorsAreNoOutcomes(t *testing.T) {
	email, ctx := "ada@example.com", t.Context()
	_, byEmail := user.Fetch(ctx, away{}, user.FetchIn{Email: email})
	_, byPhone := user.Fetch(ctx, away{}, user.FetchIn{Phone: "+14155550100"})
	_, byID := user.Fetch(ctx, away{}, user.FetchIn{ID: "id"})
	_, created := user.Create(ctx, away{}, &plain{}, user.CreateIn{Email: email})
	_, updated := user.Update(ctx, away{}, user.UpdateIn{UserID: "id"})
	_, moved := user.Update(ctx, away{}, user.UpdateIn{UserID: "id", Email: &email})
	for name, err := range map[string]error{
		"fetch by address": byEmail, "fetch by number": byPhone, "fetch by id": byID, "create": created, "update": updated, "update of the address": moved,
	} {
		if !errors.Is(err, errAway) || errors.Is(err, user.NotFound) {
			t.Errorf("%s = %v, want it to wrap %v", name, err, errAway)
		}
	}
}

func TestAddWithoutAPassword(t *testing.T) {
	s := memory.New()
	u, err := user.AddOne(t.Context(), s.Users, user.AddIn{Email: "Ada@Example.com", Name: "Ada", Groups: []string{"staff"}})
	if err != nil || u.Email != "Ada@Example.com" || !slices.Equal(u.Groups, []string{"staff"}) {
		t.Fatalf("add = %+v, %v, want Ada of staff", u, err)
	}
	if hash, err := s.Passwords.Hash(t.Context(), u.ID); err == nil {
		t.Errorf("Hash(%s) = %q, want none", u.ID, hash)
	}
	for email, want := range map[string]error{"ada@example.com": user.EmailTaken, "ada": user.InvalidEmail} {
		if _, err := user.AddOne(t.Context(), s.Users, user.AddIn{Email: email}); !errors.Is(err, want) {
			t.Errorf("add(%s) = %v, want %v", email, err, want)
		}
	}
}

func TestAddGivesGroups(t *testing.T) {
	s := memory.New()
	u, err := user.Add(t.Context(), s.Users, &plain{}, nil, user.User{Email: "ada@example.com", Groups: []string{"staff", "admin", "staff"}}, "long enough")
	if want := []string{"admin", "staff"}; err != nil || !slices.Equal(u.Groups, want) {
		t.Errorf("Add = groups %q, %v, want %q", u.Groups, err, want)
	}
	for _, group := range []string{"", "a\nb", strings.Repeat("x", 65), "\xff"} {
		who := user.User{Email: "bob@example.com", Groups: []string{group}}
		if _, err := user.Add(t.Context(), s.Users, &plain{}, nil, who, "long enough"); !errors.Is(err, user.InvalidGroup) {
			t.Errorf("Add with the group %q = %v, want %v", group, err, user.InvalidGroup)
		}
	}
}
