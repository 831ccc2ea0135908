package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sluice/engine"
	"sluice/nodes/memory"
	"sluice/nodes/oidc"
)

// A liar is a provider that says what a test wants it to say.
type liar struct {
	*httptest.Server
	key      *rsa.PrivateKey
	document map[string]any // changes of the discovery document
	claims   map[string]any // changes of the ID token
	userinfo map[string]any
	sign     jose.SigningKey // in place of the one that is published
	token    http.HandlerFunc
	nonce    string
	asked    atomic.Int32 // how often for the document
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key, sign: jose.SigningKey{Algorithm: jose.RS256, Key: key}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		l.asked.Add(1)
		doc := map[string]any{
			"issuer": l.URL, "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token",
			"jwks_uri": l.URL + "/keys", "userinfo_endpoint": l.URL + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		}
		maps.Copy(doc, l.document)
		answer(w, doc)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) { answer(w, l.userinfo) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if l.token != nil {
			l.token(w, r)
			return
		}
		answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": l.idToken(t)})
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *liar) idToken(t *testing.T) string {
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": l.URL, "sub": "id1", "aud": "sluice", "nonce": l.nonce, "iat": now, "exp": now + 300,
		"email": "Ada@example.com", "email_verified": true, "name": "Ada",
	}
	maps.Copy(claims, l.claims)
	text, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
	}
	signer, err := jose.NewSigner(l.sign, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Error(err)
		return ""
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return compact
}

// signIn goes the whole way at the provider.
func (l *liar) signIn(t *testing.T, p oidc.Provider) (oidc.FinishOut, error) {
	t.Helper()
	p.Issuer = l.URL
	ps, s := provider(t, p), memory.New()
	began, err := oidc.Start(t.Context(), ps, s.Attempts, oidc.StartIn{Provider: "acme"})
	if err != nil {
		return oidc.FinishOut{}, err
	}
	u, err := url.Parse(began.URL)
	if err != nil {
		t.Fatal(err)
	}
	l.nonce = u.Query().Get("nonce")
	return oidc.Finish(t.Context(), ps, s.Attempts, oidc.FinishIn{State: u.Query().Get("state"), Code: "code", Cookies: cookie(began)})
}

func TestATokenThatProvesNothingIsRefused(t *testing.T) {
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, lie := range map[string]func(l *liar){
		"another nonce":             func(l *liar) { l.claims = map[string]any{"nonce": "AAAA"} },
		"no nonce":                  func(l *liar) { l.claims = map[string]any{"nonce": ""} },
		"another issuer":            func(l *liar) { l.claims = map[string]any{"iss": "https://evil.example"} },
		"another audience":          func(l *liar) { l.claims = map[string]any{"aud": "another"} },
		"no audience":               func(l *liar) { l.claims = map[string]any{"aud": []string{}} },
		"audiences without a party": func(l *liar) { l.claims = map[string]any{"aud": []string{"sluice", "another"}} },
		"another party":             func(l *liar) { l.claims = map[string]any{"azp": "another"} },
		"no subject":                func(l *liar) { l.claims = map[string]any{"sub": ""} },
		"endless subject":           func(l *liar) { l.claims = map[string]any{"sub": strings.Repeat("x", 256)} },
		"expired":                   func(l *liar) { l.claims = map[string]any{"exp": ago(2 * time.Minute)} },
		"no end":                    func(l *liar) { l.claims = map[string]any{"exp": nil} },
		"made before the sign-in":   func(l *liar) { l.claims = map[string]any{"iat": ago(2 * time.Minute)} },
		"made in the future":        func(l *liar) { l.claims = map[string]any{"iat": ago(-2 * time.Minute)} },
		"no time":                   func(l *liar) { l.claims = map[string]any{"iat": nil} },
		"another access token":      func(l *liar) { l.claims = map[string]any{"at_hash": "AAAA"} },
		"another key":               func(l *liar) { l.sign.Key = other },
		"signed with the secret": func(l *liar) {
			l.sign = jose.SigningKey{Algorithm: jose.HS256, Key: []byte("secret of the client, and some more of it")}
		},
		"userinfo of another user": func(l *liar) {
			l.claims = map[string]any{"email": ""}
			l.userinfo = map[string]any{"sub": "id2", "email": "eve@example.com"}
		},
		"not signed": func(l *liar) {
			l.token = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"access_token":"a","token_type":"Bearer","id_token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJpZDEifQ."}`))
			}
		},
		"no ID token": func(l *liar) {
			l.token = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"access_token":"a","token_type":"Bearer"}`))
			}
		},
		"code refused": func(l *liar) {
			l.token = func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t)
			lie(l)
			if got, err := l.signIn(t, oidc.Provider{}); !errors.Is(err, oidc.Refused) {
				t.Errorf("finish = %+v, %v, want %v", got, err, oidc.Refused)
			}
		})
	}
}

func TestAProviderIsBelievedAsFarAsItIsTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		trust    bool
		claims   map[string]any
		userinfo map[string]any
		email    string
		verified bool
		name     string
	}{
		"verified and trusted":       {true, nil, nil, "Ada@example.com", true, "Ada"},
		"verified, not trusted":      {false, nil, nil, "Ada@example.com", false, "Ada"},
		"not verified":               {true, map[string]any{"email_verified": false}, nil, "Ada@example.com", false, "Ada"},
		"verified as a text":         {true, map[string]any{"email_verified": "true"}, nil, "Ada@example.com", true, "Ada"},
		"verified as something else": {true, map[string]any{"email_verified": 1}, nil, "Ada@example.com", false, "Ada"},
		"no address":                 {true, map[string]any{"email": ""}, map[string]any{"sub": "id1"}, "", false, "Ada"},
		"address at userinfo":        {true, map[string]any{"email": "", "email_verified": false}, map[string]any{"sub": "id1", "email": "a@b.example", "email_verified": true}, "a@b.example", true, "Ada"},
		"name with controls":         {true, map[string]any{"name": "Ada\u202e\n"}, nil, "Ada@example.com", true, ""},
		"clocks half a minute apart": {true, map[string]any{"iat": time.Now().Unix() - 30, "exp": time.Now().Unix() - 20}, nil, "Ada@example.com", true, "Ada"},
		"audiences with the party":   {true, map[string]any{"aud": []string{"sluice", "b"}, "azp": "sluice"}, nil, "Ada@example.com", true, "Ada"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t)
			l.claims, l.userinfo = c.claims, c.userinfo
			got, err := l.signIn(t, oidc.Provider{TrustEmail: c.trust})
			if err != nil || got.Email != c.email || got.EmailVerified != c.verified || got.Name != c.name {
				t.Errorf("finish = %+v, %v, want %q verified %t, %q", got, err, c.email, c.verified, c.name)
			}
		})
	}
}

func TestAProviderThatIsAwayIsNobodysFault(t *testing.T) {
	for name, lie := range map[string]func(l *liar){
		"away":                       func(l *liar) { l.Close() },
		"names another issuer":       func(l *liar) { l.document = map[string]any{"issuer": "https://evil.example"} },
		"keys without TLS":           func(l *liar) { l.document = map[string]any{"jwks_uri": "http://keys.example/"} },
		"token address of no web":    func(l *liar) { l.document = map[string]any{"token_endpoint": "file:///etc/passwd"} },
		"client secret not known":    func(l *liar) { l.token = refuse(401, `{"error":"invalid_client"}`) },
		"broken":                     func(l *liar) { l.token = refuse(500, "oops") },
		"sends the server elsewhere": func(l *liar) { l.token = refuse(302, "") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t)
			lie(l)
			_, err := l.signIn(t, oidc.Provider{})
			if name == "sends the server elsewhere" {
				if !errors.Is(err, oidc.Refused) {
					t.Errorf("finish = %v, want %v", err, oidc.Refused)
				}
				return
			}
			if !errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("sign-in = %v, want %v", err, engine.ErrUnavailable)
			}
			if err != nil && strings.Contains(err.Error(), "secret of the client") {
				t.Errorf("the error %q shows the secret", err)
			}
		})
	}
}

func refuse(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestAProviderThatNamesItselfMustDoSo(t *testing.T) {
	l := newLiar(t)
	l.document = map[string]any{"authorization_response_iss_parameter_supported": true}
	if _, err := l.signIn(t, oidc.Provider{}); !errors.Is(err, oidc.Refused) {
		t.Errorf("finish without iss = %v, want %v", err, oidc.Refused)
	}
}

func TestAProviderIsAskedOnceForItsDocument(t *testing.T) {
	l := newLiar(t)
	ps, s := provider(t, oidc.Provider{Issuer: l.URL}), memory.New()
	errs := make(chan error)
	for range 16 {
		go func() {
			_, err := oidc.Start(t.Context(), ps, s.Attempts, oidc.StartIn{Provider: "acme"})
			errs <- err
		}()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Errorf("start = %v, want nil", err)
		}
	}
	if n := l.asked.Load(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
	l.Close()
	if _, err := oidc.Start(t.Context(), ps, s.Attempts, oidc.StartIn{Provider: "acme"}); err != nil {
		t.Errorf("start while the provider is away = %v, want nil: it is known", err)
	}
}

func TestWeakProvidersAreRefused(t *testing.T) {
	good := oidc.Provider{Name: "acme", Issuer: "https://accounts.example.com", ClientID: "c", Redirect: "https://app.example.com/in"}
	for want, change := range map[string]func(p *oidc.Provider){
		"name":                   func(p *oidc.Provider) { p.Name = "A/B" },
		"no client id":           func(p *oidc.Provider) { p.ClientID = "" },
		"issuer":                 func(p *oidc.Provider) { p.Issuer = "http://accounts.example.com" },
		"it must be a URL":       func(p *oidc.Provider) { p.Issuer = "accounts" },
		"no user, query":         func(p *oidc.Provider) { p.Issuer = "https://a:b@accounts.example.com" },
		"redirect":               func(p *oidc.Provider) { p.Redirect = "http://app.example.com/in" },
		"redirect of acme: it m": func(p *oidc.Provider) { p.Redirect = "" },
		"scope":                  func(p *oidc.Provider) { p.Scopes = []string{"a b"} },
	} {
		p := good
		change(&p)
		if _, err := oidc.NewProviders(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewProviders(%+v) = %v, want %q", p, err, want)
		}
	}
	if _, err := oidc.NewProviders(good, good); err == nil {
		t.Error("NewProviders(twice the same) = nil, want an error")
	}
}
