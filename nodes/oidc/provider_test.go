package oidc_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/oidc"
	"sluice/nodes/oidc/oidctest"
	"sluice/nodes/user"
)

const redirect = "https://app.example.com/signed-in"

// A world is a provider, and a server that knows it.
type world struct {
	nodes.Stores
	*oidctest.Provider
	t         *testing.T
	providers *oidc.Providers
	links     oidc.Links
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, Stores: memory.New(), Provider: oidctest.Need(t, redirect)}
	w.providers = provider(t, oidc.Provider{Issuer: w.Issuer, TrustEmail: true})
	w.links = oidc.NewLinks(w.Identities, w.Users, w.Factors, nil)
	return w
}

// provider returns a provider acme for a client of the test.
func provider(t *testing.T, p oidc.Provider) *oidc.Providers {
	t.Helper()
	p.Name, p.ClientID, p.Secret, p.Redirect = "acme", oidctest.Client, oidctest.Secret, redirect
	ps, err := oidc.NewProviders(p)
	if err != nil {
		t.Fatalf("NewProviders(%+v) = %v, want nil", p, err)
	}
	return ps
}

// start begins a sign-in.
func (w *world) start(in oidc.StartIn) oidc.StartOut {
	w.t.Helper()
	in.Provider = "acme"
	out, err := oidc.Start(w.t.Context(), w.providers, w.Attempts, in)
	if err != nil {
		w.t.Fatalf("start = %v, want nil", err)
	}
	return out
}

// follow is what a browser does at the provider until it comes back.
func (w *world) follow(address string) oidc.FinishIn {
	w.t.Helper()
	q := w.SignIn(w.t, address)
	return oidc.FinishIn{State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss")}
}

func (w *world) finish(in oidc.FinishIn) (oidc.FinishOut, error) {
	return oidc.Finish(w.t.Context(), w.providers, w.Attempts, in)
}

// cookie is how a browser sends the secret.
func cookie(s oidc.StartOut) string { return "theme=dark; " + oidc.Cookie + "=" + s.Browser }

func TestAProviderVouchesForWhoSignsInThere(t *testing.T) {
	w := newWorld(t)
	began := w.start(oidc.StartIn{})
	u, err := url.Parse(began.URL)
	if err != nil {
		t.Fatalf("start gave %q, want a URL", began.URL)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "sluice", "redirect_uri": redirect, "scope": "openid email profile", "code_challenge_method": "S256",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("start sends the browser with %s=%q, want %q", name, got, want)
		}
	}
	if strings.Contains(began.URL, began.Browser) {
		t.Errorf("start puts the browser's secret into %s", began.URL)
	}
	back := w.follow(began.URL)
	back.Cookies = cookie(began)
	got, err := w.finish(back)
	want := oidc.FinishOut{Provider: "acme", Subject: oidctest.Subject, Email: oidctest.Email, EmailVerified: true, Name: oidctest.Name}
	want.Identity = got.Identity
	if err != nil || got != want {
		t.Fatalf("finish = %+v, %v, want %+v", got, err, want)
	}

	if _, err := w.finish(back); !errors.Is(err, oidc.Expired) {
		t.Errorf("finish again = %v, want %v", err, oidc.Expired)
	}
	if _, err := w.links.Prove(t.Context(), got.Identity); !errors.Is(err, oidc.Unlinked) {
		t.Errorf("prove before sign-up = %v, want %v", err, oidc.Unlinked)
	}
	made, err := w.links.SignUp(t.Context(), got.Identity)
	if err != nil || made.User.Email != got.Email || !made.User.EmailVerified || made.UserID.ID != made.User.ID {
		t.Fatalf("signUp = %+v, %v, want a user with a verified address", made, err)
	}
	if again, err := w.links.Prove(t.Context(), got.Identity); err != nil || !reflect.DeepEqual(again.User, made.User) || again.UserID.ID != made.User.ID || again.UserID.Time.IsZero() {
		t.Errorf("prove = %+v, %v, want %+v", again, err, made)
	}
}

func TestASignInIsFinishedOnlyWhereItWasBegun(t *testing.T) {
	ada, bob := user.ProvenID{ID: "ada"}, user.ProvenID{ID: "bob"}
	for name, c := range map[string]struct {
		begin  oidc.StartIn
		change func(*oidc.FinishIn)
		want   error
	}{
		"no cookie":                  {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Cookies = "" }, oidc.Expired},
		"another browser":            {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Cookies = oidc.Cookie + "=AAAA" }, oidc.Expired},
		"two cookies":                {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Cookies += "; " + oidc.Cookie + "=AAAA" }, oidc.Expired},
		"no state":                   {oidc.StartIn{}, func(in *oidc.FinishIn) { in.State = "" }, oidc.Expired},
		"another state":              {oidc.StartIn{}, func(in *oidc.FinishIn) { in.State += "x" }, oidc.Expired},
		"another provider":           {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Issuer = "https://evil.example" }, oidc.Refused},
		"no code":                    {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Code = "" }, oidc.Refused},
		"another code":               {oidc.StartIn{}, func(in *oidc.FinishIn) { in.Code = "AAAA" }, oidc.Refused},
		"a link ended as a sign-in":  {oidc.StartIn{UserID: &ada}, func(*oidc.FinishIn) {}, oidc.Expired},
		"a sign-in ended as a link":  {oidc.StartIn{}, func(in *oidc.FinishIn) { in.UserID = &ada }, oidc.Expired},
		"a link of another user":     {oidc.StartIn{UserID: &ada}, func(in *oidc.FinishIn) { in.UserID = &bob }, oidc.Expired},
		"a link of the user herself": {oidc.StartIn{UserID: &ada}, func(in *oidc.FinishIn) { in.UserID = &ada }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			began := w.start(c.begin)
			back := w.follow(began.URL)
			back.Cookies = cookie(began)
			changed := back
			c.change(&changed)
			if _, err := w.finish(changed); !errors.Is(err, c.want) {
				t.Errorf("finish = %v, want %v", err, c.want)
			}
			if changed.State == back.State {
				if _, err := w.finish(back); !errors.Is(err, oidc.Expired) {
					t.Errorf("finish after that = %v, want %v: nobody tries twice", err, oidc.Expired)
				}
			}
		})
	}
}

func TestACodeIsGoodOnceAndForItsSignInOnly(t *testing.T) {
	w := newWorld(t)
	mine, victims := w.start(oidc.StartIn{}), w.start(oidc.StartIn{})
	back := w.follow(victims.URL)
	stolen := w.follow(mine.URL)
	stolen.Code, stolen.Cookies = back.Code, cookie(mine)
	if _, err := w.finish(stolen); !errors.Is(err, oidc.Refused) {
		t.Errorf("finish with the code of another sign-in = %v, want %v", err, oidc.Refused)
	}

	third := w.start(oidc.StartIn{})
	once := w.follow(third.URL)
	once.Cookies = cookie(third)
	if _, err := w.finish(once); err != nil {
		t.Fatalf("finish = %v, want nil", err)
	}
	fourth := w.start(oidc.StartIn{})
	again := w.follow(fourth.URL)
	again.Code, again.Cookies = once.Code, cookie(fourth)
	if _, err := w.finish(again); !errors.Is(err, oidc.Refused) {
		t.Errorf("finish with a code that was used = %v, want %v", err, oidc.Refused)
	}
}

func TestAnUnknownProviderIsTold(t *testing.T) {
	s := memory.New()
	for _, ps := range []*oidc.Providers{nil, provider(t, oidc.Provider{Issuer: "https://accounts.example.com"})} {
		if _, err := oidc.Start(t.Context(), ps, s.Attempts, oidc.StartIn{Provider: "nobody"}); !errors.Is(err, oidc.UnknownProvider) {
			t.Errorf("start = %v, want %v", err, oidc.UnknownProvider)
		}
	}
}
