package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// paths are our endpoints for the kinds of hostile inputs.
func paths() map[string]string {
	return map[string]string{
		"sign_in":               "/auth/sign-in",
		"sign_up":               "/auth/sign-up",
		"session_required":      "/auth/me",
		"session_required_post": "/auth/sign-out-others",
		"list_sessions":         "/auth/sessions",
		"revoke_session_by_id":  "/auth/sessions",
		"change_password":       "/auth/change-password",
		"update_session":        "/admin/users/{{OTHER_UID}}/sessions/{{OTHER_SID}}",
		"get_session_by_id":     "/auth/sessions",
		"admin_impersonate":     "/admin/impersonate",
		"admin_create_session":  "/admin/sessions",
	}
}

const mail = "Carol@example.com"

// victims signs up those whom hostile inputs are about.
func victims(t *testing.T, c *client, apiKey string) vars {
	t.Helper()
	carol, other := c.enter(t, "/auth/sign-up", mail, password), c.enter(t, "/auth/sign-up", "other@example.com", password)
	c.enter(t, "/auth/sign-up", "mike@example.com", password)
	admin := c.enter(t, "/auth/sign-up", "admin@example.com", password)
	c.want(t, 204, "POST", "/test/promote", admin.Session.Token, "")
	off := c.enter(t, "/auth/sign-up", "disabled@example.com", password)
	c.want(t, 204, "POST", "/test/disable", off.Session.Token, "")
	v := vars{
		"EMAIL": mail, "PW": password, "PW_SWAPCASE": strings.ToUpper(password), "UID": carol.User.ID, "TOKEN": carol.Session.Token,
		"OTHER_UID": other.User.ID, "OTHER_SID": other.Session.ID, "OTHER_TOKEN": other.Session.Token,
		"DISABLED_USER_TOKEN": off.Session.Token, "APIKEY": apiKey,
		// Nothing makes these yet. They look like tokens and are none.
		"EXPIRED_TOKEN": wellFormed("1"), "DELETED_USER_TOKEN": wellFormed("2"),
		"IMPERSONATED_TOKEN": c.impersonate(t, admin, other), "ADMIN": admin.Session.Token, "ADMIN_UID": admin.User.ID,
		"PATH_SIGNIN": "/auth/sign-in", "PATH_ME": "/auth/me", "PATH": "/auth/me",
		"PATH_UPPER": "/AUTH/ME", "PATH_ENC_SLASH": "%2fauth/me",
	}
	sum := sha256.Sum256([]byte(v["TOKEN"]))
	v["TOKEN_SHA256_HEX"] = hex.EncodeToString(sum[:])
	v["TOKEN_PREFIX"] = v["TOKEN"][:len(v["TOKEN"])-1]
	twice := "/"
	for _, b := range []byte("auth/me") {
		twice += fmt.Sprintf("%%25%02x", b)
	}
	v["PATH_DBL_ENC"] = twice
	return v
}

// impersonate has an administrator act as a user, and returns the token.
func (c *client) impersonate(t *testing.T, admin, as me) string {
	t.Helper()
	var acting me
	a := c.want(t, 201, "POST", "/admin/impersonate", admin.Session.Token, fmt.Sprintf(`{"userId": %q, "reason": "Ticket 42"}`, as.User.ID))
	if err := a.into(&acting); err != nil || acting.Session.Token == "" {
		t.Fatalf("POST /admin/impersonate = %s, want a session", a.text)
	}
	return acting.Session.Token
}

// wellFormed is a text of the form of tokens.
func wellFormed(digit string) string { return "sls_" + strings.Repeat(digit, 43) }

func TestHostileRequestsDoNothing(t *testing.T) {
	const key, growth = "key-of-the-tests", 64 // MiB
	sum := sha256.Sum256([]byte(key))
	s := serve(t, open(t), "--api-key-hashes", hex.EncodeToString(sum[:]), "--sign-in-failures", "100")
	c := newClient(s.url)
	v := victims(t, c, key)
	sessions := func() int {
		var page struct{ Sessions []view }
		a := c.want(t, 200, "GET", "/auth/sessions?limit=100", v["TOKEN"], "")
		if err := a.into(&page); err != nil {
			t.Fatal(err)
		}
		return len(page.Sessions)
	}
	where, sent, before := paths(), 0, sessions()
	for _, h := range hostiles(t) {
		if h.Method == "LOAD" {
			continue
		}
		silence := 15 * time.Second
		if h.Method == "RAW" {
			silence = time.Second
		}
		memory := rss(s.cmd.Process.Pid)
		statuses, got, err := exchange(s.addr(), h.request(t, where, v), silence)
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		wrong := h.judge(statuses, got)
		if grown := rss(s.cmd.Process.Pid) - memory; memory > 0 && grown > growth {
			wrong = append(wrong, fmt.Sprintf("it cost %d MiB", grown))
		}
		c.want(t, 200, "GET", "/healthz", "", "")
		opened := 0 // by a sign-in or an administrator, who were let through
		for _, status := range statuses {
			if (h.Kind == "sign_in" || h.Kind == "admin_create_session") && (status == 200 || status == 201) && h.Method == "POST" {
				opened++
			}
		}
		after := sessions()
		if after != before+opened {
			wrong = append(wrong, fmt.Sprintf("%d sessions where there were %d", after, before))
		}
		before = after
		if wrong != nil {
			t.Errorf("%s = %v %.300s: %s, want: %s", h.Name, statuses, got, strings.Join(wrong, ", "), h.Expectation)
		}
		sent++
	}
	t.Logf("%d requests", sent)

	// Whatever was asked for, the others are as they were.
	c.enter(t, "/auth/sign-in", mail, password)
	lives(t, c, me{Session: view{Token: v["OTHER_TOKEN"]}})
	for line := range strings.Lines(s.stderr.String()) {
		if !strings.HasPrefix(line, "time=") || strings.ContainsRune(line, 0x1b) {
			t.Errorf("log line %q, want none that a caller wrote", line)
		}
	}
}

// TestUnfinishedRequestsAreHungUpOn sends what never ends to be a request.
func TestUnfinishedRequestsAreHungUpOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for 10 s")
	}
	t.Parallel()
	s := serve(t, open(t))
	v := vars{"PATH_ME": "/auth/me", "PATH_SIGNIN": "/auth/sign-in", "TOKEN": wellFormed("1")}
	for _, h := range hostiles(t) {
		if h.Method != "RAW" || !h.SilenceAllowed && h.Name != "raw_tls_hello" {
			continue
		}
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			statuses, got, err := exchange(s.addr(), h.request(t, nil, v), 20*time.Second)
			if took := time.Since(began); err != nil || took > 12*time.Second {
				t.Errorf("%s = %v %s, %v, after %v, want the connection closed within 10 s", h.Name, statuses, got, err, took)
			}
		})
	}
}

func TestHostileFlowFilesDoNotLoad(t *testing.T) {
	n := 0
	for _, h := range hostiles(t) {
		if h.Method != "LOAD" {
			continue
		}
		n++
		t.Run(h.Name, func(t *testing.T) { refuses(t, h.Name, h.Body, "") })
	}
	t.Logf("%d flow files", n)
}

// The flow files of the list are written in another language. These are the same
// mistakes in ours.
func TestUnsafeFlowsDoNotLoad(t *testing.T) {
	const about = "about: A flow.\n"
	const respond = "steps:\n  - respond: 204\n"
	for name, c := range map[string]struct{ flow, want string }{
		"session as a text":             {about + "endpoint: GET /me\nsession: \"true\"\n" + respond, `a\.yaml:3:10: .*none, optional, required`},
		"session without a value":       {about + "endpoint: GET /me\nsession:\n" + respond, `a\.yaml:3:\d+: `},
		"no session line":               {about + "endpoint: GET /me\n" + respond, `a\.yaml:\d+:\d+: .*session`},
		"a second document":             {about + "endpoint: GET /me\nsession: none\n" + respond + "---\nendpoint: GET /you\n", `a\.yaml:\d+:\d+: .*document`},
		"two flows at one address":      {about + "endpoint: GET /users/{id}\nsession: none\n" + respond, `\w\.yaml:2:\d+: .*/users/`},
		"a step that leads up":          {about + "endpoint: GET /me\nsession: required\nsteps:\n  - id: a\n    node: user.fetch\n    with: {id: $b.id}\n  - id: b\n    node: user.fetch\n    with: {id: $a.id}\n  - respond: 204\n", `a\.yaml:7:\d+: .*\$b`},
		"a session for an id of a body": {about + "endpoint: POST /login\nsession: none\ninput: {body: {userId: string}}\nsteps:\n  - id: s\n    node: session.create\n    with: {userId: $body.userId}\n  - respond: 204\n", `a\.yaml:8:20: .*proven`},
		"a check without a consequence": {about + "endpoint: POST /login\nsession: none\ninput: {body: {email: string, password: {type: string, format: password}}}\nsteps:\n  - id: u\n    node: user.fetch\n    with: {email: $body.email}\n  - id: p\n    node: password.check\n    with: {user: $u, password: $body.password}\n    on: {mismatch: continue}\n  - node: session.create\n    with: {userId: $u.id}\n  - respond: 204\n", `a\.yaml:14:20: .*proven`},
		"a password in an answer":       {about + "endpoint: POST /p\nsession: none\ninput: {body: {p: {type: string, format: password}}}\nsteps:\n  - respond: 200\n    body: {p: $body.p}\n", `a\.yaml:7:\d+: .*secret`},
		"a merge key":                   {about + "endpoint: GET /me\nsession: none\n<<: {session: none}\n" + respond, `a\.yaml:4:1: `},
		"an anchor":                     {about + "endpoint: GET /me\nsession: &s none\n" + respond, `a\.yaml:3:\d+: `},
		"a tab":                         {about + "endpoint: GET /me\nsession: none\nsteps:\n\t- respond: 204\n", `a\.yaml:5:1: `},
		"a relative path":               {about + "endpoint: GET me\nsession: none\n" + respond, `a\.yaml:2:15: .*slash`},
		"a lower-case method":           {about + "endpoint: get /me\nsession: none\n" + respond, `a\.yaml:2:11: `},
		"a negative duration":           {about + "endpoint: GET /me\nsession: none\ntimeout: -1s\n" + respond, `a\.yaml:4:10: `},
		"a duration without a unit":     {about + "endpoint: GET /me\nsession: none\ntimeout: 30\n" + respond, `a\.yaml:4:10: `},
		"a session for ever":            {about + "endpoint: GET /me\nsession: required\nsteps:\n  - node: session.create\n    with: {userId: $session.userId, lifetime: 0s}\n  - respond: 204\n", `a\.yaml:6:\d+: `},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, name, c.flow, c.want) })
	}
}

// refuses checks that a folder with one flow file passes neither check nor
// serve, and that both say where the mistake is.
func refuses(t *testing.T, name, text, want string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "flows", "a.yaml"), text)
	write(t, filepath.Join(dir, "flows", "b.yaml"), "about: Another flow.\nendpoint: GET /users/{name}\nsession: none\nsteps:\n  - respond: 204\n")
	if want == "" {
		want = `a\.yaml:\d+`
	}
	place := regexp.MustCompile(`(?m)^\S*` + want)
	if code, stdout, stderr := sluice(t, dir, "check", "flows"); code != 1 || stderr != "" || !place.MatchString(stdout) {
		t.Errorf("sluice check with %s = %d, %.500s%.500s, want 1 and %s", name, code, stdout, stderr, place)
	}
	code, stdout, stderr := sluice(t, dir, "serve", "--addr", "127.0.0.1:0")
	if code != 1 || stdout != "" || !place.MatchString(stderr) {
		t.Errorf("sluice serve with %s = %d, %.500s%.500s, want 1, %s and no address", name, code, stdout, stderr, place)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "sluice.db-wal")); err == nil {
		t.Errorf("sluice serve with %s left the database open", name)
	}
}

func TestWeakSettingsDoNotStart(t *testing.T) {
	for name, c := range map[string]struct{ settings, want string }{
		"short passwords":      {"min-password: 4\n", `sluice\.yaml:1:15: .*at least 6`},
		"weak hashes":          {"password: {algorithm: argon2id, memory_kib: 8}\n", `sluice\.yaml:1:1: .*password`},
		"a negative duration":  {"timeout: -1s\n", `sluice\.yaml:1:10: .*at least`},
		"one without a unit":   {"timeout: 30\n", `sluice\.yaml:1:10: .*unit`},
		"a body without bound": {"max-body: 100MiB\n", `sluice\.yaml:1:11: .*at most`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := shipped(t)
			write(t, filepath.Join(dir, "sluice.yaml"), c.settings)
			code, stdout, stderr := sluice(t, dir, "serve", "--addr", "127.0.0.1:0")
			if code != 1 || stdout != "" || !regexp.MustCompile(c.want).MatchString(stderr) {
				t.Errorf("sluice serve with %q = %d, %s%s, want 1 and %s", c.settings, code, stdout, stderr, c.want)
			}
		})
	}
}
