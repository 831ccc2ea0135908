package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/flows"
	"sluice/server"
)

// A browser keeps cookies, over TLS, as browsers do.
type browser struct {
	t      *testing.T
	client *http.Client
	url    string
}

// browse returns a browser and a server with a setting, behind a proxy that ends TLS.
func browse(t *testing.T, c server.Config) *browser {
	t.Helper()
	behind, err := url.Parse(run(t, c).url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(behind))
	t.Cleanup(proxy.Close)
	b := &browser{t: t, client: proxy.Client(), url: proxy.URL}
	if b.client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// ask sends a request with headers, as "Name: value" lines, and returns the answer
// with its body.
func (b *browser) ask(method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	q, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header.Set(name, value)
	}
	res, err := b.client.Do(q)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(text)
}

func (b *browser) want(status int, method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	res, text := b.ask(method, path, body, headers...)
	if res.StatusCode != status {
		b.t.Fatalf("%s %s %q = %d %s, want %d", method, path, headers, res.StatusCode, text, status)
	}
	return res, text
}

// kept returns the cookie that the browser has.
func (b *browser) kept() string {
	b.t.Helper()
	at, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "__Host-session" {
			return c.Value
		}
	}
	return ""
}

const (
	samePage = "Sec-Fetch-Site: same-origin"
	evilPage = "Sec-Fetch-Site: cross-site"
	ada      = `{"email": "ada@example.com", "password": "a ferry across the river"}`
)

func TestBrowsersKeepTheTokenInACookieThatNoScriptReads(t *testing.T) {
	b := browse(t, server.Config{SessionCookie: "lax"})
	res, text := b.want(201, "POST", "/auth/sign-up", ada, samePage)
	set := res.Header.Get("Set-Cookie")
	for _, part := range []string{"__Host-session=sls_", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=86"} {
		if !strings.Contains(set, part) {
			t.Errorf("Set-Cookie = %q, want %q in it", set, part)
		}
	}
	if !json.Valid([]byte(text)) || strings.Contains(text, "sls_") || strings.Contains(text, `"token"`) || !strings.Contains(text, `"accessGroupKeys"`) {
		t.Errorf("POST /auth/sign-up = %s, want the session without its token", text)
	}
	token := b.kept()
	b.want(200, "GET", "/auth/me", "", samePage)
	b.want(200, "GET", "/auth/me", "") // where a link leads here

	b.want(200, "POST", "/auth/renew-token", "", samePage)
	if next := b.kept(); next == token || next == "" {
		t.Errorf("the cookie behind POST /auth/renew-token = %q, want another token than %q", next, token)
	}
	b.want(200, "GET", "/auth/me", "", samePage)
	res, _ = b.want(204, "POST", "/auth/sign-out", "", samePage)
	if set := res.Header.Get("Set-Cookie"); !strings.Contains(set, "Max-Age=0") || b.kept() != "" {
		t.Errorf("Set-Cookie of POST /auth/sign-out = %q, the browser has %q, want the cookie gone", set, b.kept())
	}
	b.want(401, "GET", "/auth/me", "", samePage)
}

func TestPagesOfOtherSitesDoNothingByACookie(t *testing.T) {
	b := browse(t, server.Config{SessionCookie: "strict", Origins: []string{"https://app.example.com"}})
	res, _ := b.want(201, "POST", "/auth/sign-up", ada, samePage)
	if set := res.Header.Get("Set-Cookie"); !strings.Contains(set, "; SameSite=Strict") {
		t.Errorf("Set-Cookie = %q, want SameSite=Strict in it", set)
	}
	for name, headers := range map[string][]string{
		"another site":           {evilPage},
		"a neighbour":            {"Sec-Fetch-Site: same-site"},
		"another origin":         {"Origin: https://evil.example"},
		"an origin like ours":    {"Origin: " + b.url + ".evil.example"},
		"no origin to be seen":   {"Origin: null"},
		"neither of the two":     {},
		"another, as if of ours": {evilPage, "Origin: " + b.url},
	} {
		res, text := b.ask("POST", "/examples/beta", "", headers...)
		if res.StatusCode != 403 || !strings.Contains(text, `"cross_site"`) {
			t.Errorf("POST /examples/beta from %s = %d %s, want 403 cross_site", name, res.StatusCode, text)
		}
	}
	b.want(403, "GET", "/examples/beta", "") // nothing was joined
	for _, header := range []string{samePage, "Origin: " + b.url, "Origin: https://app.example.com", "Sec-Fetch-Site: none"} {
		b.want(200, "POST", "/examples/beta", "", header)
	}
	b.want(200, "POST", "/examples/beta", "", evilPage, "Session: "+b.kept()) // who knows the token may use it
}

func TestACookieAndAnotherTokenAreAmbiguous(t *testing.T) {
	b := browse(t, server.Config{SessionCookie: "lax"})
	b.want(201, "POST", "/auth/sign-up", ada, samePage)
	jar := b.client.Jar
	b.client.Jar = nil // a program
	_, text := b.want(200, "POST", "/auth/sign-in", ada)
	b.client.Jar = jar
	var other struct{ Session struct{ Token string } }
	if err := json.Unmarshal([]byte(text), &other); err != nil || other.Session.Token == "" {
		t.Fatalf("POST /auth/sign-in by a program = %s, want a token", text)
	}
	for _, header := range []string{"Session: ", "Authorization: Bearer "} {
		if _, text := b.want(400, "GET", "/auth/me", "", samePage, header+other.Session.Token); !strings.Contains(text, "ambiguous_credentials") {
			t.Errorf("GET /auth/me with two tokens = %s, want ambiguous_credentials", text)
		}
		b.want(200, "GET", "/auth/me", "", samePage, header+b.kept())
	}
}

// A list that shows the token as it was sent shows it to no script that has it from
// the cookie.
func TestNoAnswerShowsWhatTheCookieHolds(t *testing.T) {
	b := browse(t, server.Config{SessionCookie: "lax", Compat: []string{"altogic"}})
	b.want(201, "POST", "/auth/sign-up", ada, samePage)
	_, text := b.want(200, "GET", "/_api/rest/v1/auth/sessions", "", samePage, "X-Client-Key: page")
	if strings.Contains(text, "sls_") || !strings.Contains(text, `"token":"0`) {
		t.Errorf("GET sessions = %s, want a session by its id", text)
	}
	_, text = b.want(200, "GET", "/_api/rest/v1/auth/sessions", "", "X-Client-Key: page", "Session: "+b.kept())
	if !strings.Contains(text, b.kept()) {
		t.Errorf("GET sessions = %s, want the token that was sent", text)
	}
}

func TestASessionOfSomebodyElseTakesNoCookiesPlace(t *testing.T) {
	dir := t.TempDir()
	promote := "about: Make the caller an administrator.\nendpoint: POST /promote\nsession: required\nsteps:\n" +
		"  - node: session.update\n    with: {userId: $session.userId, addGroups: [admin]}\n  - respond: 204\n"
	c := server.Config{SessionCookie: "lax", Dir: dir}
	if err := os.CopyFS(filepath.Join(dir, "flows"), flows.FS); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"flows/promote.yaml": promote})
	b := browse(t, c)
	_, text := b.want(201, "POST", "/auth/sign-up", strings.Replace(ada, "ada@", "bob@", 1), samePage)
	var bob struct{ User struct{ ID string } }
	if err := json.Unmarshal([]byte(text), &bob); err != nil {
		t.Fatal(err)
	}
	b.want(201, "POST", "/auth/sign-up", ada, samePage)
	b.want(204, "POST", "/promote", "", samePage)
	own := b.kept()
	for path, body := range map[string]string{
		"/admin/sessions":    `{"userId": "` + bob.User.ID + `"}`,
		"/admin/impersonate": `{"userId": "` + bob.User.ID + `", "reason": "Ticket 42"}`,
	} {
		_, text := b.want(201, "POST", path, body, samePage)
		if b.kept() != own || !strings.Contains(text, `"token":"sls_`) {
			t.Errorf("POST %s = %s, the cookie is %q, want the token in the body and the cookie %q", path, text, b.kept(), own)
		}
	}
}

func TestADeadCookieIsTakenAway(t *testing.T) {
	b := browse(t, server.Config{SessionCookie: "lax"})
	b.want(201, "POST", "/auth/sign-up", ada, samePage)
	token := b.kept()
	b.client.Jar, _ = cookiejar.New(nil)
	b.want(200, "POST", "/auth/sign-out-all", "", "Session: "+token)
	at, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "__Host-session", Value: token, Path: "/", Secure: true}})
	b.want(401, "GET", "/auth/me", "", samePage)
	if b.kept() != "" {
		t.Errorf("the browser keeps %q behind its 401, want nothing", b.kept())
	}
}

func TestWithoutTheSettingNoCookieIsReadOrSet(t *testing.T) {
	b := browse(t, server.Config{})
	res, text := b.want(201, "POST", "/auth/sign-up", ada, samePage)
	if res.Header.Get("Set-Cookie") != "" || !strings.Contains(text, `"token":"sls_`) {
		t.Errorf("POST /auth/sign-up = %q %s, want the token in the body alone", res.Header.Get("Set-Cookie"), text)
	}
	_, token, _ := strings.Cut(text, `"token":"`)
	b.want(401, "GET", "/auth/me", "", "Cookie: __Host-session="+token[:47])
}

func TestACookieForEveryPageDoesNotStart(t *testing.T) {
	c := server.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", SessionCookie: "lax", Origins: []string{"*"}}
	if s, err := server.New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "origins") {
		t.Errorf("New(%+v) = %v, %v, want a word about origins", c, s, err)
	}
}
