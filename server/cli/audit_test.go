package cli_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/server/cli"
)

// sluice runs a command in a folder.
func sluice(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &errs, Dir: dir, Getenv: func(string) string { return "" }}
	code = cli.Main(t.Context(), env, args)
	return code, out.String(), errs.String()
}

// want fails the test unless a command ends with a code and prints what matches.
func want(t *testing.T, dir string, code int, pattern string, args ...string) {
	t.Helper()
	got, stdout, stderr := sluice(t, dir, args...)
	if got != code || !regexp.MustCompile(pattern).MatchString(stdout+stderr) {
		t.Errorf("sluice %s = %d\n%s%s\nwant %d and %s", strings.Join(args, " "), got, stdout, stderr, code, pattern)
	}
}

func TestAuditShowsAndVerifiesWhatAServerWrote(t *testing.T) {
	dir := t.TempDir()
	stdout, _, stop := serve(t, dir, nil)
	url := stdout.await(t, `address  (http://\S+)`)[1]
	post := func(path, body string) {
		t.Helper()
		a, err := http.Post(url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatalf("POST %s = %v, want nil", path, err)
		}
		a.Body.Close()
	}
	post("/auth/sign-up", `{"email": "ada@example.com", "password": "a ferry across the river"}`)
	post("/auth/sign-in", `{"email": "ada@example.com", "password": "a ferry to the moon and back"}`)
	post("/auth/sign-in", `{"email": "eve@example.com", "password": "a ferry to the moon and back"}`)
	want(t, dir, 0, `(?s)started.*userCreated.*signIn .*signInFailed.*signInFailed[^\n]*\n$`, "audit") // beside the server
	want(t, dir, 0, `(?m)^5 events, unbroken`, "audit", "verify")
	if code := stop(); code != 0 {
		t.Fatalf("serve = %d, want 0", code)
	}

	want(t, dir, 0, `(?s)started.*userCreated.*signIn .*signInFailed.*signInFailed[^\n]*\n$`, "audit")
	want(t, dir, 0, `^[^\n]* signInFailed     outcome=mismatch  subject=~[a-z2-7]{26}  ip=127\.0\.0\.1  flow=auth/sign-in\.yaml  reason="no such user"\n$`,
		"audit", "--user", "eve@example.com", "--since", "1h")
	want(t, dir, 0, `(?s)^[^\n]*userCreated[^\n]*\n[^\n]*signIn [^\n]*\n[^\n]*reason="wrong password"\n$`, "audit", "--user", "ada@example.com")
	want(t, dir, 0, `^\{"id":"main:1",[^\n]*"kind":"started"[^\n]*\}\n$`, "audit", "--kind", "started", "--json")
	want(t, dir, 2, `no event is of this kind \(did you mean signInFailed\?\)`, "audit", "--kind", "signinFailed")
	want(t, dir, 2, `audit does not know "veryfy", only verify`, "audit", "veryfy")
	want(t, dir, 2, `a head is CHAIN:NUMBER:SEAL`, "audit", "verify", "--head", "5")
	want(t, dir, 0, `^5 events, unbroken\nhead main:5:[0-9a-f]{64}\n$`, "audit", "verify")
	want(t, dir, 0, `^5 events, unbroken`, "audit", "verify")

	_, text, _ := sluice(t, dir, "audit", "verify")
	head := regexp.MustCompile(`main:5:\w+`).FindString(text)
	want(t, dir, 0, `unbroken`, "audit", "verify", "--head", head)
	want(t, dir, 1, `(?s)^main:6: the end was cut off: 1 event is missing.*the log is not as it was written: 1 flaw in 5 events`,
		"audit", "verify", "--head", strings.Replace(head, "main:5", "main:6", 1))
	if err := os.Remove(filepath.Join(dir, "data", "audit.head")); err != nil {
		t.Fatal(err)
	}
	want(t, dir, 0, `no head of the log is known: whether its end was cut off cannot be told\n5 events, unbroken`, "audit", "verify")
}

func TestNoSecretIsInTheAuditLogOrOnTheWayThere(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, stop := serve(t, dir, nil)
	url := stdout.await(t, `address  (http://\S+)`)[1]
	const email, password, wrong = "nobody.known@example.com", "a ferry across the river", "a ferry to the moon and back"
	for _, p := range []string{password, wrong} {
		a, err := http.Post(url+"/auth/sign-in", "application/json", strings.NewReader(`{"email": "`+email+`", "password": "`+p+`"}`))
		if err != nil {
			t.Fatalf("POST = %v, want nil", err)
		}
		a.Body.Close()
	}
	stop()
	_, list, _ := sluice(t, dir, "audit", "--json")
	if strings.Count(list, "signInFailed") != 2 {
		t.Fatalf("audit =\n%s\nwant two failed sign-ins", list)
	}
	key, err := os.ReadFile(filepath.Join(dir, "data", "audit.key"))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the list": list, "the server's log": stderr.text} {
		for _, secret := range []string{email, "nobody.known", password, wrong, strings.TrimSpace(string(key))} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q, want it nowhere", what, secret)
			}
		}
	}
}
