package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
)

func TestNoFileAndNoLogHoldsATokenOrPassword(t *testing.T) {
	t.Parallel()
	dir := open(t)
	s := serve(t, dir, "--log-format", "json")
	c := newClient(s.url)
	c.keep = true
	secrets := map[string]string{} // and what each is
	const wrong, better = "quite another ferry entirely", "a ferry back over the river"
	secrets[password], secrets[wrong], secrets[better] = "password", "wrong password", "new password"
	for n := range 20 {
		email := fmt.Sprintf("user%d@example.com", n)
		m := c.enter(t, "/auth/sign-up", email, password)
		for range 4 {
			var more me
			if err := c.want(t, 200, "POST", "/test/again", m.Session.Token, "").into(&more); err != nil {
				t.Fatal(err)
			}
			secrets[more.Session.Token] = "token of " + email
		}
		secrets[m.Session.Token] = "token of " + email
		switch n % 4 {
		case 0:
			c.want(t, 204, "POST", "/auth/sign-out", m.Session.Token, "")
			c.want(t, 401, "GET", "/auth/me", m.Session.Token, "")
		case 1:
			c.want(t, 401, "POST", "/auth/sign-in", "", credentials(email, wrong))
			c.want(t, 400, "POST", "/auth/sign-in", "", `{"email": "`+email+`", "password": "`+wrong+`", "more": 1}`)
		case 2:
			a := c.want(t, 200, "POST", "/auth/change-password", m.Session.Token, fmt.Sprintf(`{"current": %q, "new": %q}`, password, better))
			secrets[token.FindString(a.text)] = "renewed token of " + email
		}
	}
	tokens := openMany(t, s.url, times(0, 1000, 1_000_000))
	for _, h := range c.heard {
		if strings.Contains(h.text, "argon2") || strings.Contains(h.text, password) {
			t.Errorf("%s = %s, want no secret in it", h.call, h.text)
		}
	}

	files := 0
	look := func(when string) {
		err := filepath.WalkDir(filepath.Join(dir, "data"), func(file string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Type() == os.ModeSocket {
				return err // a socket holds nothing
			}
			text, err := os.ReadFile(file)
			files++
			shows(t, when+", "+d.Name(), text, secrets)
			showsOne(t, when+", "+d.Name(), text, tokens)
			return err
		})
		if err != nil {
			t.Fatalf("reading the data: %v", err)
		}
	}
	look("while it serves")
	s.stop(t)
	look("after the stop")
	shows(t, "standard output", []byte(s.stdout.String()), secrets)
	shows(t, "standard error", []byte(s.stderr.String()), secrets)
	showsOne(t, "standard output", []byte(s.stdout.String()), tokens)
	showsOne(t, "standard error", []byte(s.stderr.String()), tokens)
	if t.Failed() {
		return
	}
	t.Logf("%d secrets looked for in %d files and the console, 0 found", len(secrets)+len(tokens), files)
}

// A beginning is that of a token's random part, 95 bits of it.
type beginning [16]byte

// openMany opens n sessions, from eight clients at once, and returns how their
// tokens begin. It fails where two begin alike.
func openMany(t *testing.T, url string, n int) map[beginning]bool {
	t.Helper()
	const clients = 8
	made := make([][]beginning, clients)
	var wg sync.WaitGroup
	for i := range made {
		c := newClient(url)
		m := c.enter(t, "/auth/sign-up", fmt.Sprintf("many%d@example.com", i), password)
		wg.Go(func() {
			for range n / clients {
				a, err := c.try(t.Context(), "POST", "/test/again", m.Session.Token, "")
				found := token.FindString(a.text)
				if err != nil || a.status != 200 || found == "" {
					t.Errorf("POST /test/again = %d %s, %v, want a token", a.status, a.text, err)
					return
				}
				made[i] = append(made[i], beginning([]byte(strings.TrimPrefix(found, "sls_"))))
			}
		})
	}
	wg.Wait()
	tokens := make(map[beginning]bool, n)
	for _, b := range slices.Concat(made...) {
		if tokens[b] {
			t.Errorf("two tokens begin with %s, want none", b)
		}
		tokens[b] = true
	}
	return tokens
}

// showsOne fails where a text holds the beginning of a token.
func showsOne(t *testing.T, where string, text []byte, tokens map[beginning]bool) {
	t.Helper()
	for i := range max(len(text)-len(beginning{})+1, 0) {
		if b := beginning(text[i:]); tokens[b] {
			t.Errorf("%s holds the token that begins with %s, want it nowhere", where, b)
			return
		}
	}
}

// shows fails where a text holds a secret, or a token's random part.
func shows(t *testing.T, where string, text []byte, secrets map[string]string) {
	t.Helper()
	for secret, what := range secrets {
		if bytes.Contains(text, []byte(strings.TrimPrefix(secret, "sls_"))) {
			t.Errorf("%s holds a %s, want it nowhere", where, what)
		}
	}
}

// What names a session or proves it in the store is no token.
func TestOnlyTheTokenIsAToken(t *testing.T) {
	t.Parallel()
	c := newClient(serve(t, open(t)).url)
	m := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	tok := m.Session.Token
	sum := sha256.Sum256([]byte(tok))
	for name, sent := range map[string]string{
		"the public id":          m.Session.ID,
		"the id with a prefix":   "sls_" + m.Session.ID,
		"its SHA-256":            hex.EncodeToString(sum[:]),
		"its SHA-256, prefixed":  "sls_" + hex.EncodeToString(sum[:]),
		"without its prefix":     strings.TrimPrefix(tok, "sls_"),
		"in another case":        strings.ToUpper(tok),
		"one character less":     tok[:len(tok)-1],
		"one character more":     tok + "0",
		"another last character": tok[:len(tok)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(tok, "0")],
		"as Basic":               "Basic " + tok,
		"twice":                  "Bearer " + tok + ", " + tok,
		"the user's id":          m.User.ID,
	} {
		t.Run(name, func(t *testing.T) {
			if a := c.want(t, 401, "GET", "/auth/me", sent, ""); a.code() != "invalid_session_token" {
				t.Errorf("GET /auth/me with %s = %s, want invalid_session_token", name, a.text)
			}
		})
	}
	c.want(t, 401, "GET", "/auth/me?session="+tok+"&access_token="+tok+"&token="+tok, "", "")
	lives(t, c, m)
}

// TestLogsHoldNoSecret lets a node break and panic, which is what gets into the
// log, with everything secret in the request.
func TestLogsHoldNoSecret(t *testing.T) {
	dir := open(t)
	for _, verb := range []string{"break", "panic"} {
		write(t, filepath.Join(dir, "flows", "test", verb+".yaml"), `
about: Break.
endpoint: POST /test/`+verb+`/{part}
session: required
input:
  path:
    part: {type: string}
  query:
    word: {type: string}
  body:
    email:    {type: string, format: email}
    password: {type: string, format: password}
steps:
  - node: test.`+verb+`
    with: {password: $body.password, email: $body.email}
  - respond: 204
`)
	}
	type in struct {
		Email    string `json:"email" doc:"Address."`
		Password string `json:"password" secret:"true" doc:"Password."`
	}
	fails := engine.Define("test.break", "Breaks.", func(context.Context, in) (engine.None, error) {
		return engine.None{}, errors.New("the disk is on fire")
	})
	panics := engine.Define("test.panic", "Panics.", func(context.Context, in) (engine.None, error) {
		panic("the disk is on fire")
	})
	log := &screen{}
	c := inside(t, dir, slog.NewJSONHandler(log, nil), server.With(fails, panics))
	m := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	const part, word = "part-of-a-path", "word-of-a-query"
	for _, verb := range []string{"break", "panic"} {
		a := c.want(t, 500, "POST", "/test/"+verb+"/"+part+"?word="+word, m.Session.Token, credentials("ada@example.com", password))
		if a.code() != "internal_error" || strings.Contains(a.text, "fire") || strings.Contains(a.text, "goroutine") {
			t.Errorf("POST /test/%s = %s, want internal_error and nothing of its cause", verb, a.text)
		}
	}
	text := log.String()
	if n := strings.Count(text, "the disk is on fire"); n < 2 || strings.Count(audited.ReplaceAllString(text, ""), "\n") != 2 {
		t.Errorf("log =\n%s\nwant two lines with the cause", text)
	}
	for what, secret := range map[string]string{"token": m.Session.Token, "password": password, "address": "ada@example.com", "path": part, "query": word} {
		if strings.Contains(text, secret) {
			t.Errorf("log =\n%s\nwant no %s in it", text, what)
		}
	}
}

func TestEveryAnswerHasTheHeadersOfSafety(t *testing.T) {
	t.Parallel()
	c := newClient(serve(t, open(t)).url)
	m := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	tok := m.Session.Token
	rule := map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
	const json = "application/json"
	for _, h := range []struct {
		status                    int
		method, path, token, body string
		more                      map[string]string // headers beside the rule, Date and Content-Length
	}{
		{200, "GET", "/auth/me", tok, "", map[string]string{"Content-Type": json}},
		{200, "GET", "/auth/sessions", tok, "", map[string]string{"Content-Type": json}},
		{200, "POST", "/auth/sign-in", "", credentials("ada@example.com", password), map[string]string{"Content-Type": json}},
		{200, "GET", "/healthz", "", "", map[string]string{"Content-Type": json}},
		{400, "POST", "/auth/sign-in", "", "{", map[string]string{"Content-Type": json}},
		{401, "GET", "/auth/me", "", "", map[string]string{"Content-Type": json, "Www-Authenticate": "Bearer"}},
		{401, "GET", "/auth/me", wellFormed("1"), "", map[string]string{"Content-Type": json, "Www-Authenticate": `Bearer error="invalid_token"`}},
		{403, "GET", "/examples/beta", tok, "", map[string]string{"Content-Type": json, "Www-Authenticate": `Bearer error="insufficient_scope"`}},
		{404, "GET", "/nowhere", "", "", map[string]string{"Content-Type": json}},
		{405, "GET", "/auth/sign-in", "", "", map[string]string{"Content-Type": json, "Allow": "OPTIONS, POST"}},
		{409, "POST", "/auth/sign-up", "", credentials("ada@example.com", password), map[string]string{"Content-Type": json}},
		{204, "POST", "/auth/sign-out", tok, "", nil},
	} {
		a := c.want(t, h.status, h.method, h.path, h.token, h.body)
		got := map[string]string{}
		for name, values := range a.header {
			if name != "Date" && name != "Content-Length" {
				got[name] = strings.Join(values, " and ")
			}
		}
		want := maps.Clone(rule)
		maps.Copy(want, h.more)
		if !maps.Equal(got, want) {
			t.Errorf("headers of %s %s (%d) = %v, want %v", h.method, h.path, h.status, got, want)
		}
	}
}

// TestEveryFailureHasOneShape sends what is refused at each stage of reading.
func TestEveryFailureHasOneShape(t *testing.T) {
	t.Parallel()
	s := serve(t, open(t))
	c := newClient(s.url)
	m := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	post := func(headers, body string) string {
		return fmt.Sprintf("POST /auth/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n%s", len(body), headers, body)
	}
	const json = "Content-Type: application/json\r\n"
	for name, h := range map[string]struct {
		send   string
		status int
		code   string
	}{
		"no such path":              {"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, "not_found"},
		"no such method":            {"DELETE /auth/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, "method_not_allowed"},
		"a body that is too long":   {post(json, strings.Repeat("a", 65<<10)), 413, "body_too_large"},
		"another type":              {post("Content-Type: text/plain\r\n", "{}"), 415, "unsupported_media_type"},
		"compressed":                {post(json+"Content-Encoding: gzip\r\n", "{}"), 415, "unsupported_encoding"},
		"a head that is too long":   {post("X: "+strings.Repeat("a", 16<<10)+"\r\n", ""), 431, "headers_too_large"},
		"not JSON":                  {post(json, "{"), 400, "invalid_input"},
		"not HTTP":                  {"HELO\r\n\r\n", 400, "bad_request"},
		"a later HTTP":              {"GET /auth/me HTTP/9.9\r\nHost: a\r\n\r\n", 505, "version_not_supported"},
		"an object for an address":  {post(json, `{"email": {"$ne": null}, "password": "x"}`), 400, "invalid_input"},
		"an object for a password":  {post(json, `{"email": "ada@example.com", "password": {"$gt": ""}}`), 400, "invalid_input"},
		"two different credentials": {"GET /auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nSession: " + wellFormed("1") + "\r\nAuthorization: Bearer " + wellFormed("2") + "\r\n\r\n", 400, "ambiguous_credentials"},
		"no token":                  {"GET /auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 401, "missing_session_token"},
	} {
		t.Run(name, func(t *testing.T) {
			statuses, got, err := exchange(s.addr(), []byte(h.send), 2*time.Second)
			_, body, _ := strings.Cut(string(got), "\r\n\r\n")
			if err != nil || !slices.Equal(statuses, []int{h.status}) {
				t.Fatalf("%.60q = %v %s, %v, want %d", h.send, statuses, got, err, h.status)
			}
			var shape map[string][]map[string]any
			if err := (answer{text: body}).into(&shape); err != nil || len(shape) != 1 || len(shape["errors"]) == 0 {
				t.Fatalf("%.60q = %s, %v, want a list of errors and nothing else", h.send, body, err)
			}
			for _, e := range shape["errors"] {
				for _, key := range []string{"origin", "code", "message"} {
					if text, ok := e[key].(string); !ok || text == "" {
						t.Errorf("%.60q = %s, want a text %s", h.send, body, key)
					}
				}
				delete(e, "origin")
				delete(e, "message")
				delete(e, "details")
				if len(e) != 1 {
					t.Errorf("%.60q = %s, want no more than origin, code, message and details", h.send, body)
				}
			}
			if code := (answer{text: body}).code(); code != h.code {
				t.Errorf("%.60q = %s, want %s", h.send, body, h.code)
			}
		})
	}
	var page struct{ Sessions []view }
	if err := c.want(t, 200, "GET", "/auth/sessions", m.Session.Token, "").into(&page); err != nil || len(page.Sessions) != 1 {
		t.Errorf("GET /auth/sessions = %+v, %v, want the one of the sign-up", page, err)
	}
}
