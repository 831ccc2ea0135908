package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// A stage is a store with Ada, who administers, and Bob.
type stage struct {
	nodes.Stores
	t     *testing.T
	admin session.Fresh
	by    session.Authority
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Stores: memory.New(), t: t}
	for _, id := range []string{"ada", "bob"} {
		if err := s.Users.Create(t.Context(), user.User{ID: id, EmailKey: id}, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.admin = s.open("ada", "admin")
	s.by = session.Authority{UserID: "ada", SessionID: s.admin.ID, Groups: []string{"admin"}}
	return s
}

// open opens a session of a user, whose identity is proved now.
func (s *stage) open(id string, groups ...string) session.Fresh {
	s.t.Helper()
	f, err := session.Create(s.t.Context(), s.Sessions, session.CreateIn{
		UserID: user.ProvenID{ID: id, Time: time.Now().UTC()}, Groups: groups, Idle: time.Hour, Lifetime: 24 * time.Hour,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// check returns what the token of a session is good for now.
func (s *stage) check(f session.Fresh) error {
	h, _ := session.HashOf(f.Token)
	_, err := session.Check(s.t.Context(), s.Sessions, h, time.Now())
	return err
}

func (s *stage) impersonate(in session.ImpersonateIn) (session.Fresh, error) {
	if in.UserID == "" {
		in.UserID = "bob"
	}
	if in.Lifetime == 0 {
		in.Lifetime = time.Hour
	}
	in.Reason = "Ticket 42"
	return session.Impersonate(s.t.Context(), s.Sessions, s.Users, in)
}

func TestImpersonationNamesWhoActsAndIsNoProof(t *testing.T) {
	s := newStage(t)
	f, err := s.impersonate(session.ImpersonateIn{By: s.by, Groups: []string{"beta"}})
	if err != nil {
		t.Fatalf("impersonate = %v, want nil", err)
	}
	want := session.Impersonation{UserID: "ada", SessionID: s.admin.ID, Reason: "Ticket 42"}
	if f.UserID.ID != "bob" || f.ImpersonatedBy == nil || *f.ImpersonatedBy != want || !f.AuthenticatedDtm.IsZero() || f.AccessGroupKeys[0] != "beta" {
		t.Errorf("impersonate = %+v by %+v, want a session of bob by %+v that nobody proved", f, f.ImpersonatedBy, want)
	}
	info, err := session.Get(t.Context(), s.Sessions, session.OneIn{Token: f.Token})
	if err != nil || info.ImpersonatedBy == nil || *info.ImpersonatedBy != want {
		t.Errorf("get = %+v, %v, want it by %+v", info, err, want)
	}
	acting := user.ProvenID{ID: "bob", Actor: "ada"}
	if _, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: acting, Idle: time.Hour, Lifetime: time.Hour}); !errors.Is(err, user.Stale) {
		t.Errorf("create by who acts = %v, want %v", err, user.Stale)
	}
	proof := user.ProvenID{ID: "bob", Time: time.Now()}
	if _, err := session.Confirm(t.Context(), s.Sessions, session.ConfirmIn{Token: f.Token, UserID: proof}); !errors.Is(err, session.NoAuthority) {
		t.Errorf("confirm of such a session = %v, want %v", err, session.NoAuthority)
	}
}

func TestNobodyActsForTheProtected(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(s *stage, in *session.ImpersonateIn)
		want    error
	}{
		"nobody's authority":    {func(_ *stage, in *session.ImpersonateIn) { in.By = session.Authority{} }, session.NoAuthority},
		"one without groups":    {func(_ *stage, in *session.ImpersonateIn) { in.By.Groups = nil }, session.NoAuthority},
		"an unknown user":       {func(_ *stage, in *session.ImpersonateIn) { in.UserID = "eve" }, user.NotFound},
		"oneself":               {func(_ *stage, in *session.ImpersonateIn) { in.UserID = "ada" }, session.Protected},
		"another administrator": {func(s *stage, _ *session.ImpersonateIn) { s.open("bob", "admin") }, session.Protected},
		"an administrator who is away": {func(s *stage, _ *session.ImpersonateIn) {
			c := user.Change{Groups: []string{"admin"}}
			if _, err := s.Users.Update(s.t.Context(), "bob", c, time.Now()); err != nil {
				s.t.Fatal(err)
			}
		}, session.Protected},
		"a member of what is listed": {func(s *stage, in *session.ImpersonateIn) { s.open("bob", "staff"); in.Protect = []string{"staff"} }, session.Protected},
		"taking a protected group":   {func(_ *stage, in *session.ImpersonateIn) { in.Groups = []string{"admin"} }, session.Protected},
		"no group":                   {func(_ *stage, in *session.ImpersonateIn) { in.Groups = []string{""} }, session.InvalidGroup},
		"a disabled user": {func(s *stage, _ *session.ImpersonateIn) {
			yes := true
			if _, err := s.Users.Update(s.t.Context(), "bob", user.Change{Disabled: &yes}, time.Now()); err != nil {
				s.t.Fatal(err)
			}
		}, session.Protected},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			in := session.ImpersonateIn{By: s.by}
			c.prepare(s, &in)
			if f, err := s.impersonate(in); !errors.Is(err, c.want) || f.Token != "" {
				t.Errorf("impersonate = %+v, %v, want %v", f, err, c.want)
			}
			if len(in.Groups) > 0 {
				return // which vouch does not take
			}
			userID := in.UserID
			if userID == "" {
				userID = "bob"
			}
			out, err := session.Vouch(t.Context(), s.Sessions, s.Users, session.VouchIn{By: &in.By, UserID: userID, Protect: in.Protect})
			if !errors.Is(err, c.want) || out.UserID.ID != "" {
				t.Errorf("vouch = %+v, %v, want %v", out, err, c.want)
			}
		})
	}
}

func TestImpersonationEndsByItselfAndWithTheActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		h := func(f session.Fresh) session.Hash { h, _ := session.HashOf(f.Token); return h }
		f, err := s.impersonate(session.ImpersonateIn{By: s.by})
		if err != nil {
			t.Fatal(err)
		}
		for range 59 {
			time.Sleep(time.Minute)
			s.Sessions.Touch(h(f), time.Now())
			s.Sessions.Touch(h(s.admin), time.Now())
		}
		if err := s.check(f); err != nil {
			t.Errorf("check after 59 minutes = %v, want nil", err)
		}
		time.Sleep(time.Minute)
		if err := s.check(f); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("check after an hour of use = %v, want %v", err, session.ErrNoSession)
		}

		if f, err = s.impersonate(session.ImpersonateIn{By: s.by}); err != nil {
			t.Fatal(err)
		}
		rotated, err := session.Rotate(t.Context(), s.Sessions, session.RotateIn{Token: s.admin.Token})
		if err != nil || s.check(f) != nil {
			t.Errorf("check after the actor's token was replaced = %v, %v, want nil", err, s.check(f))
		}
		if _, err := session.Delete(t.Context(), s.Sessions, session.OneIn{Token: rotated.Token}); err != nil {
			t.Fatal(err)
		}
		if err := s.check(f); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("check after the actor signed out = %v, want %v", err, session.ErrNoSession)
		}
		if info, err := session.Get(t.Context(), s.Sessions, session.OneIn{Token: f.Token}); !errors.Is(err, session.NotFound) {
			t.Errorf("get after the actor signed out = %+v, %v, want %v", info, err, session.NotFound)
		}
	})
}

func TestASessionThatSomebodyVouchedForIsNotProved(t *testing.T) {
	s := newStage(t)
	out, err := session.Vouch(t.Context(), s.Sessions, s.Users, session.VouchIn{By: &s.by, UserID: "bob"})
	if err != nil {
		t.Fatalf("vouch = %v, want nil", err)
	}
	f, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: out.UserID, Idle: time.Hour, Lifetime: time.Hour})
	if err != nil || f.UserID.ID != "bob" || !f.AuthenticatedDtm.IsZero() || f.ImpersonatedBy != nil {
		t.Errorf("create = %+v, %v, want a session of bob that bob did not prove", f, err)
	}
}

func TestConfirmMovesByAProofAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		bob := s.open("bob")
		began := bob.AuthenticatedDtm
		confirm := func(token string, proof user.ProvenID) (time.Time, error) {
			out, err := session.Confirm(t.Context(), s.Sessions, session.ConfirmIn{Token: token, UserID: proof})
			return out.AuthenticatedDtm, err
		}
		time.Sleep(20 * time.Minute)
		now := time.Now().UTC()
		for name, c := range map[string]struct {
			token string
			proof user.ProvenID
			want  error
		}{
			"another user":                         {bob.Token, user.ProvenID{ID: "ada", Time: now}, user.Stale},
			"an old proof":                         {bob.Token, user.ProvenID{ID: "bob", Epoch: -1, Time: now}, user.Stale},
			"a word":                               {bob.Token, user.ProvenID{ID: "bob"}, user.Stale},
			"who acts":                             {bob.Token, user.ProvenID{ID: "bob", Time: now, Actor: "ada"}, session.NoAuthority},
			"a proof that lacks the second factor": {bob.Token, user.ProvenID{ID: "bob", Time: now, Lacks: true}, user.SecondFactorRequired},
			"an unknown token":                     {"sls_" + bob.Token[5:] + "x", user.ProvenID{ID: "bob", Time: now}, session.NotFound},
			"what is no token":                     {bob.ID, user.ProvenID{ID: "bob", Time: now}, session.NotFound},
			"the session alone":                    {bob.Token, user.ProvenID{ID: "bob", Time: began}, nil},
		} {
			if got, err := confirm(c.token, c.proof); !errors.Is(err, c.want) || err == nil && !got.Equal(began) {
				t.Errorf("confirm by %s = %v, %v, want %v", name, got, err, c.want)
			}
		}
		if got, err := confirm(bob.Token, user.ProvenID{ID: "bob", Time: now}); err != nil || !got.Equal(now) {
			t.Errorf("confirm = %v, %v, want %v", got, err, now)
		}
	})
}

func TestRotateShowsANewTokenOnceAndNoOther(t *testing.T) {
	s := newStage(t)
	bob := s.open("bob", "staff")
	next, err := session.Rotate(t.Context(), s.Sessions, session.RotateIn{Token: bob.Token})
	if err != nil || next.Token == bob.Token || next.ID != bob.ID || next.AccessGroupKeys[0] != "staff" {
		t.Fatalf("rotate = %+v, %v, want another token of the same session", next, err)
	}
	if err := s.check(next); err != nil {
		t.Errorf("check of the new token = %v, want nil", err)
	}
	for name, token := range map[string]string{"the old token": bob.Token, "no token": bob.ID, "an unknown token": "sls_" + bob.Token[5:] + "x"} {
		if _, err := session.Rotate(t.Context(), s.Sessions, session.RotateIn{Token: token}); !errors.Is(err, session.NotFound) {
			t.Errorf("rotate(%s) = %v, want %v", name, err, session.NotFound)
		}
	}
}

func TestTheOldestSessionsEndThatAreTooMany(t *testing.T) {
	s := newStage(t)
	var opened []session.Fresh
	for range 4 {
		f, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: user.ProvenID{ID: "bob"}, Idle: time.Hour, Lifetime: time.Hour, Most: 3})
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, f)
	}
	for i, f := range opened {
		if err := s.check(f); (err == nil) != (i > 0) {
			t.Errorf("check of session %d of 4 with 3 at most = %v, want the first dead", i+1, err)
		}
	}
}
