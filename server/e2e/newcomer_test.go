package e2e

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Two browsers as they introduce themselves.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)

var token = regexp.MustCompile(`sls_\w{20,}`)

func TestNewcomersGetTheWholeOfSessions(t *testing.T) {
	t.Parallel()
	dir := shipped(t)
	s := serve(t, dir)
	s.stdout.await(t, `^Sluice \S.*\n
  address  http://127\.0\.0\.1:\d+
  flows    \d+ flows from \S+, \d+ not served, reloaded when they change
  store    SQLite in \S+
  studio   .*
  ready    in \d+ ms
`)
	phone, desk := newClient(s.url), newClient(s.url)
	phone.agent, phone.keep, desk.agent, desk.keep = safari, true, firefox, true
	const email = "ada@example.com"

	// Nobody is let in without a token, and the answer says what is missing.
	if a := desk.want(t, 401, "GET", "/auth/me", "", ""); a.code() != "missing_session_token" {
		t.Errorf("GET /auth/me without a token = %s, want missing_session_token", a.text)
	}
	up := desk.enter(t, "/auth/sign-up", email, password)
	here, there := desk.enter(t, "/auth/sign-in", email, password), phone.enter(t, "/auth/sign-in", email, password)

	var who me
	a := desk.want(t, 200, "GET", "/auth/me", here.Session.Token, "")
	if err := a.into(&who); err != nil || who.User.ID != up.User.ID || who.User.Email != email || who.Session.ID != here.Session.ID || who.Session.Token != "" {
		t.Errorf("GET /auth/me = %s, want the user %s and the session %s without its token", a.text, up.User.ID, here.Session.ID)
	}

	var page struct{ Sessions []view }
	a = desk.want(t, 200, "GET", "/auth/sessions", here.Session.Token, "")
	if err := a.into(&page); err != nil || len(page.Sessions) != 3 {
		t.Fatalf("GET /auth/sessions = %s, want three", a.text)
	}
	for i, want := range []struct {
		id, family, major, os string
		current               bool
	}{
		{there.Session.ID, "Safari", "17", "iOS", false},
		{here.Session.ID, "Firefox", "128", "Linux", true},
		{up.Session.ID, "Firefox", "128", "Linux", false},
	} {
		got := page.Sessions[i]
		if got.ID != want.id || got.UserAgent.Family != want.family || got.UserAgent.Major != want.major || got.UserAgent.OS.Family != want.os || got.Current != want.current {
			t.Errorf("GET /auth/sessions lists %d as %+v, want %+v", i, got, want)
		}
	}

	// A group that one device gets is seen by the very next request of another.
	phone.want(t, 403, "GET", "/examples/beta", there.Session.Token, "")
	desk.want(t, 200, "POST", "/examples/beta", here.Session.Token, "")
	phone.want(t, 200, "GET", "/examples/beta", there.Session.Token, "")
	desk.want(t, 200, "GET", "/examples/beta", here.Session.Token, "")
	desk.want(t, 204, "DELETE", "/examples/beta", here.Session.Token, "")
	phone.want(t, 403, "GET", "/examples/beta", there.Session.Token, "")

	// Each way to end sessions ends exactly those that it names.
	desk.want(t, 204, "DELETE", "/auth/sessions/"+up.Session.ID, here.Session.Token, "")
	ends(t, desk, up)
	lives(t, desk, here, there)
	desk.want(t, 404, "DELETE", "/auth/sessions/"+up.Session.ID, here.Session.Token, "")

	phone.want(t, 204, "POST", "/auth/sign-out", there.Session.Token, "")
	ends(t, phone, there)
	lives(t, desk, here)

	one, two := phone.enter(t, "/auth/sign-in", email, password), phone.enter(t, "/auth/sign-in", email, password)
	if a := desk.want(t, 200, "POST", "/auth/sign-out-others", here.Session.Token, ""); a.text != `{"ended":2}` {
		t.Errorf("POST /auth/sign-out-others = %s, want 2 ended", a.text)
	}
	ends(t, desk, one, two)
	lives(t, desk, here)

	// A new password ends every other session and renews this one.
	other := phone.enter(t, "/auth/sign-in", email, password)
	const better = "a ferry back over the river"
	desk.want(t, 403, "POST", "/auth/change-password", here.Session.Token, `{"current": "a ferry along the river", "new": "`+better+`"}`)
	lives(t, desk, here, other)
	var changed me
	a = desk.want(t, 200, "POST", "/auth/change-password", here.Session.Token, `{"current": "`+password+`", "new": "`+better+`"}`)
	if err := a.into(&changed); err != nil || changed.Session.Token == "" {
		t.Fatalf("POST /auth/change-password = %s, want a new session", a.text)
	}
	ends(t, desk, here, other)
	lives(t, desk, changed)
	desk.want(t, 401, "POST", "/auth/sign-in", "", credentials(email, password))
	last := phone.enter(t, "/auth/sign-in", email, better)

	desk.want(t, 200, "POST", "/auth/sign-out-all", changed.Session.Token, "")
	ends(t, desk, changed, last)

	tokensAreShownOnce(t, slices.Concat(desk.heard, phone.heard))
	if code := s.stop(t); code != 0 {
		t.Errorf("sluice serve, told to stop = %d, want 0", code)
	}
	s.stdout.await(t, `\nstopped\n$`)
	if log := audited.ReplaceAllString(s.stderr.String(), ""); log != "" {
		t.Errorf("stderr = %s, want nothing but audit events", log)
	}
	wantAudited(t, dir)
}

// lives checks that sessions can be used.
func lives(t *testing.T, c *client, sessions ...me) {
	t.Helper()
	for _, s := range sessions {
		c.want(t, 200, "GET", "/auth/me", s.Session.Token, "")
	}
}

// ends checks that sessions can be used in no way.
func ends(t *testing.T, c *client, sessions ...me) {
	t.Helper()
	for _, s := range sessions {
		for _, sent := range []string{s.Session.Token, "Bearer " + s.Session.Token} {
			if a := c.want(t, 401, "GET", "/auth/me", sent, ""); a.code() != "invalid_session_token" {
				t.Errorf("GET /auth/me after the end = %s, want invalid_session_token", a.text)
			}
		}
	}
}

// tokensAreShownOnce checks that each token stands in one answer only, that of
// an endpoint which opens sessions, and that no answer shows a hash.
func tokensAreShownOnce(t *testing.T, all []heard) {
	t.Helper()
	shown := map[string]string{}
	for _, h := range all {
		for _, tok := range token.FindAllString(h.text, -1) {
			if before, twice := shown[tok]; twice {
				t.Errorf("%s shows the token that %s showed, want it shown once", h.call, before)
			}
			shown[tok] = h.call
			switch h.call {
			case "POST /auth/sign-up", "POST /auth/sign-in", "POST /auth/change-password":
			default:
				t.Errorf("%s = %s, want no token in it", h.call, h.text)
			}
		}
		if strings.Contains(h.text, "argon2") {
			t.Errorf("%s = %s, want no hash in it", h.call, h.text)
		}
	}
	t.Logf("%d answers, %d tokens, each shown once", len(all), len(shown))
}

func TestFlowsAreServedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := shipped(t)
	s := serve(t, dir)
	c := newClient(s.url)
	const greet = "about: Greet.\nendpoint: GET /greet\nsession: none\nsteps:\n  - respond: 200\n    body: {greeting: hello}\n"
	file := filepath.Join(dir, "flows", "greet.yaml")

	c.want(t, 404, "GET", "/greet", "", "")
	write(t, file, greet)
	s.stdout.await(t, `\nreloaded: \d+ flows in \d+ ms\n$`)
	c.want(t, 200, "GET", "/greet", "", "")

	write(t, file, strings.Replace(greet, "respond", "respnd", 1))
	s.stdout.await(t, `\n\S*greet\.yaml:5:5: [^\n]*respnd[^\n]*\n.*still serving the last good version\n`)
	c.want(t, 200, "GET", "/greet", "", "")
	c.want(t, 401, "GET", "/auth/me", "", "")

	write(t, file, strings.Replace(greet, "hello", "good evening", 1))
	s.stdout.await(t, `still serving the last good version\nreloaded: \d+ flows in \d+ ms\n$`)
	if a := c.want(t, 200, "GET", "/greet", "", ""); !strings.Contains(a.text, "good evening") {
		t.Errorf("GET /greet = %s, want the new version", a.text)
	}
}

func TestCommandsTellAboutFlows(t *testing.T) {
	t.Parallel()
	good, bad := shipped(t), shipped(t)
	for name, text := range map[string]string{
		"a": "about: A.\nendpoint: GET a\nsession: none\nsteps:\n  - respond: 204\n",
		"b": "about: B.\nendpoint: GET /b\nsession: none\ncolour: red\nsteps:\n  - node: user.fech\n    with: {email: x}\n  - respond: 204\n",
	} {
		write(t, filepath.Join(bad, "flows", name+".yaml"), text)
	}
	for name, c := range map[string]struct {
		dir  string
		args []string
		code int
		out  []string
	}{
		"flows without a mistake":    {good, []string{"check"}, 0, []string{`\d+ flows, no problems`}},
		"every mistake of all files": {bad, []string{"check"}, 1, []string{`(?m)^\S*a\.yaml:2:15: `, `(?m)^\S*b\.yaml:4:1: .*colour`, `(?m)^\S*b\.yaml:6:11: .*user\.fetch`, `3 problems in 2 files`}},
		"the endpoints":              {good, []string{"routes"}, 0, []string{`(?m)^GET +/auth/me +required +- +auth/me.yaml `, `(?m)^POST +/auth/sign-in +none `, `(?m)^GET +/examples/beta +required +beta `}},
		"a node":                     {good, []string{"nodes", "user.fetch"}, 0, []string{`(?m)^ +email +string `, `(?m)^ +notFound `, `node: user\.fetch`}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := sluice(t, c.dir, c.args...)
			if code != c.code || stderr != "" {
				t.Errorf("sluice %s = %d, %s%s, want %d", strings.Join(c.args, " "), code, stdout, stderr, c.code)
			}
			for _, want := range c.out {
				if !regexp.MustCompile(want).MatchString(stdout) {
					t.Errorf("sluice %s says\n%s\nwant %s", strings.Join(c.args, " "), stdout, want)
				}
			}
		})
	}
}
