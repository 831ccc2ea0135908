package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// pageOf serves the page of an application, and returns its address by a name of
// this machine.
func pageOf(t *testing.T, host string) (origin string) {
	t.Helper()
	s := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", host, 1)
}

// A passkey as the page of an application has it, in a browser and with its
// authenticator, from its registration to its end.
func TestPasskeysWorkInABrowser(t *testing.T) {
	own, other, number := pageOf(t, "localhost"), pageOf(t, "localhost"), pageOf(t, "127.0.0.1")
	dir := t.TempDir()
	settings := []string{"--origins", own, "--origins", other, "--origins", number, "--passkey-origins", own}
	c := serve(t, dir, settings...)
	page := func(origin string) string { return origin + "/passkeys.html?api=" + c.url }
	b := browse(t, page(own))

	b.run(t, `enter('/auth/sign-up', {email: 'ada@example.com', password: 'a ferry across the river'})`, 201, "")
	var made struct{ Passkey struct{ ID, Name string } }
	if err := b.run(t, `register('phone')`, 201, "").into(&made); err != nil || made.Passkey.Name != "phone" {
		t.Fatalf("register = %+v, %v, want the passkey phone", made, err)
	}
	b.refuses(t, `register('again')`, "InvalidStateError") // the device has one for this user

	signedIn := func(script string) {
		t.Helper()
		var m me
		if err := b.run(t, script, 200, "").into(&m); err != nil || m.User.Email != "ada@example.com" || m.Session.Token == "" {
			t.Fatalf("%s = %+v, %v, want a session of ada", script, m, err)
		}
		b.run(t, `call('GET', '/auth/me')`, 200, "")
	}
	signedIn(`signIn()`)
	signedIn(`signIn()`) // the counter of the device went up
	b.run(t, `confirm()`, 200, "")
	b.run(t, `call('GET', '/auth/me')`, 200, "")

	// An answer of the device is good once, and the passkey outlives a crash.
	b.do(t, map[string]any{"run": `signed('/auth/passkey/challenge').then(s => { window.kept = s })`})
	signedIn(`enter('/auth/passkey/sign-in', kept)`)
	b.run(t, `enter('/auth/passkey/sign-in', kept)`, 401, "expired")
	c.kill()
	c = serve(t, dir, settings...)
	b.do(t, map[string]any{"open": page(own)})
	signedIn(`signIn()`)

	// A device that does not verify its user says so, and the browser does not ask it.
	b.do(t, map[string]any{"verified": false})
	b.refuses(t, `signIn()`, "NotAllowedError")
	b.do(t, map[string]any{"verified": true})

	// A page that the settings do not name gets an answer of the device, which the
	// server refuses; one of another domain gets none.
	b.do(t, map[string]any{"open": page(other)})
	b.run(t, `signIn()`, 401, "refused")
	b.do(t, map[string]any{"open": page(number)})
	b.refuses(t, `signIn()`, "SecurityError")

	b.do(t, map[string]any{"open": page(own)})
	signedIn(`signIn()`)
	b.run(t, `call('DELETE', '/auth/passkeys/`+made.Passkey.ID+`')`, 204, "")
	b.run(t, `signIn()`, 401, "refused") // the device has it still
	b.run(t, `call('GET', '/auth/me')`, 401, "missing_session_token")
}
