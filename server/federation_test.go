package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	authn "github.com/descope/virtualwebauthn"

	"sluice/nodes/oidc/oidctest"
	"sluice/server"
)

const acme = "name=acme;issuer=https://accounts.example.com;client-id=c=1;redirect=https://app.example.com/in"

func TestSetReadsAProvider(t *testing.T) {
	var got server.Config
	if err := got.Set("oidc-providers", acme+";secret-env=ACME_SECRET;scopes=email+groups;trust-email=true", strings.Replace(acme, "acme", "other", 1)); err != nil {
		t.Fatalf("Set(oidc-providers) = %v, want nil", err)
	}
	want := []server.Provider{
		{Name: "acme", Issuer: "https://accounts.example.com", ClientID: "c=1", Redirect: "https://app.example.com/in", SecretEnv: "ACME_SECRET", Scopes: []string{"email", "groups"}, TrustEmail: true},
		{Name: "other", Issuer: "https://accounts.example.com", ClientID: "c=1", Redirect: "https://app.example.com/in"},
	}
	if !reflect.DeepEqual(got.Providers, want) {
		t.Errorf("Set(oidc-providers) = %+v, want %+v", got.Providers, want)
	}
}

func TestSetRefusesAWeakProvider(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "want name, issuer",
		"acme":                    "want name, issuer",
		acme + ";secret=abc":      "want name, issuer",
		acme + ";name=twice":      "want name, issuer",
		acme + ";scopes=":         "want name, issuer",
		acme + ";trust-email=yes": "trust-email=true or",
		acme + ";secret-env=A-B":  "environment variable",
		acme + ";scopes=a\u00e9":  "scope",
		"name=acme":               "no client id",
		strings.Replace(acme, "https://accounts", "http://accounts", 1): "must begin with https://",
		strings.Replace(acme, "https://app", "http://app", 1):           "must begin with https://",
	} {
		if err := new(server.Config).Set("oidc-providers", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Set(oidc-providers, %q) = %v, want %q", text, err, want)
		}
	}
}

func TestWhatCannotBeSafeDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want string
	}{
		"no secret":              {map[string]string{"oidc-providers": acme + ";secret-env=ACME_SECRET"}, "there is no such environment variable"},
		"page of another domain": {map[string]string{"passkey-domain": "example.com", "passkey-origins": "https://evilexample.com"}, "not of the domain"},
		"page without TLS":       {map[string]string{"passkey-domain": "example.com", "passkey-origins": "http://app.example.com"}, "https://"},
		"every page":             {map[string]string{"passkey-domain": "example.com", "passkey-origins": "*"}, "is no page"},
		"a domain of all":        {map[string]string{"passkey-domain": "com"}, "cannot be bound"},
		"a URL as domain":        {map[string]string{"passkey-domain": "https://example.com"}, "cannot be bound"},
	} {
		conf := server.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0"}
		for k, v := range c.set {
			if err := conf.Set(k, v); err != nil {
				t.Fatalf("%s: Set(%s, %q) = %v, want nil", name, k, v, err)
			}
		}
		s, err := server.New(t.Context(), conf, server.Getenv(func(string) string { return "" }))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: New() = %v, %v, want %q", name, s, err, c.want)
		}
	}
}

// A visitor keeps the cookies of the server, which it takes as over TLS.
type visitor struct {
	t       *testing.T
	url     string
	cookies []*http.Cookie
	token   string
}

// call posts a body, or gets where there is none, and wants a status.
func (b *visitor) call(method, path, body string, status int) map[string]any {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if b.token != "" {
		req.Header.Set("Session", b.token)
	}
	for _, c := range b.cookies {
		if c.MaxAge >= 0 {
			req.AddCookie(c)
		}
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if set := res.Cookies(); len(set) > 0 {
		b.cookies = set
	}
	text, err := io.ReadAll(res.Body)
	var answer map[string]any
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || res.StatusCode != status {
		b.t.Fatalf("%s %s = %s, %s, %v, want %d", method, path, res.Status, text, err, status)
	}
	return answer
}

// part is a text inside an answer.
func part(answer map[string]any, names ...string) string {
	var v any = answer
	for _, n := range names {
		inside, _ := v.(map[string]any)
		v = inside[n]
	}
	text, _ := v.(string)
	return text
}

func TestShippedFlowsSignInAtAProvider(t *testing.T) {
	const redirect = "https://app.example.com/in"
	acme := oidctest.Need(t, redirect)
	signIn := func(address string) string {
		q := acme.SignIn(t, address)
		body, err := json.Marshal(map[string]string{"state": q.Get("state"), "code": q.Get("code")})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	var conf server.Config
	if err := conf.Set("oidc-providers", "name=acme;issuer="+acme.Issuer+";client-id="+oidctest.Client+";redirect="+redirect+";secret-env=ACME"); err != nil {
		t.Fatal(err)
	}
	s := run(t, conf, server.Getenv(func(string) string { return oidctest.Secret }))
	b := &visitor{t: t, url: s.url}

	back := signIn(part(b.call("POST", "/auth/oidc/acme/start", "", 200), "url"))
	(&visitor{t: t, url: s.url}).call("POST", "/auth/oidc/finish", back, 401) // another browser
	back = signIn(part(b.call("POST", "/auth/oidc/acme/start", "", 200), "url"))
	first := b.call("POST", "/auth/oidc/finish", back, 201)
	if got := part(first, "user", "email"); got != oidctest.Email {
		t.Errorf("the account has the address %q, want that of the provider", got)
	}
	back = signIn(part(b.call("POST", "/auth/oidc/acme/start", "", 200), "url"))
	again := b.call("POST", "/auth/oidc/finish", back, 200)
	if part(again, "user", "id") != part(first, "user", "id") {
		t.Errorf("the second sign-in is of user %s, want %s", part(again, "user", "id"), part(first, "user", "id"))
	}
	b.token = part(again, "session", "token")
	list, _ := b.call("GET", "/auth/identities", "", 200)["identities"].([]any)
	if len(list) != 1 {
		t.Fatalf("identities = %v, want one", list)
	}
	b.call("DELETE", "/auth/identities/"+part(list[0].(map[string]any), "id"), "", 409) // the only way to sign in

	eve := &visitor{t: t, url: s.url}
	eve.token = part(eve.call("POST", "/auth/sign-up", `{"email": "eve@example.com", "password": "a ferry across the river"}`, 201), "session", "token")
	back = signIn(part(eve.call("POST", "/auth/identities/acme/start", "", 200), "url"))
	eve.call("POST", "/auth/identities", back, 409) // it is another user's
}

func TestShippedFlowsSignInByAPasskey(t *testing.T) {
	s := run(t, server.Config{})
	b := &visitor{t: t, url: s.url}
	up := b.call("POST", "/auth/sign-up", `{"email": "ada@example.com", "password": "a ferry across the river"}`, 201)
	b.token = part(up, "session", "token")
	page := authn.RelyingParty{ID: "localhost", Name: "localhost", Origin: "http://localhost:8080"} // run takes port 0
	device := authn.NewAuthenticatorWithOptions(authn.AuthenticatorOptions{UserHandle: []byte(part(up, "user", "id"))})
	key := authn.NewCredential(authn.KeyTypeEC2)
	options := func(answer map[string]any) string {
		text, err := json.Marshal(map[string]any{"publicKey": answer["options"]})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	offer := b.call("POST", "/auth/passkeys/offer", "", 200)
	creation, err := authn.ParseAttestationOptions(options(offer))
	if err != nil {
		t.Fatal(err)
	}
	b.call("POST", "/auth/passkeys", `{"attempt": "`+part(offer, "attempt")+`", "name": "phone", "credential": `+
		authn.CreateAttestationResponse(page, device, key, *creation)+`}`, 201)

	b.token = ""
	asked := b.call("POST", "/auth/passkey/challenge", "", 200)
	request, err := authn.ParseAssertionOptions(options(asked))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"attempt": "` + part(asked, "attempt") + `", "credential": ` + authn.CreateAssertionResponse(page, device, key, *request) + `}`
	in := b.call("POST", "/auth/passkey/sign-in", body, 200)
	if part(in, "user", "email") != "ada@example.com" || !strings.HasPrefix(part(in, "session", "token"), "sls_") {
		t.Errorf("sign-in by a passkey = %v, want a session of ada", in)
	}
	b.call("POST", "/auth/passkey/sign-in", body, 401) // once
}
