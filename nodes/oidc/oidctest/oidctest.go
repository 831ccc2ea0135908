// Package oidctest gives tests a provider of OpenID Connect, in a process of its
// own, and the user who signs in there.
package oidctest

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The client that the provider knows.
const (
	Client = "sluice"
	Secret = "secret of the client"
)

// The user who signs in there.
const (
	Subject = "id1"
	Email   = "test-user@zitadel.ch"
	Name    = "Test User"

	account, password = "test-user@127.0.0.1", "verysecure"
)

// A Provider is a provider that runs.
type Provider struct {
	Issuer   string
	redirect string
}

// Need returns a provider that sends browsers back to redirect, and ends with the
// test. It skips the test with -short, and where the provider's modules cannot be had.
func Need(t testing.TB, redirect string) *Provider {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: starts a provider")
	}
	where, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "sluice/nodes/oidc").Output()
	if err != nil {
		t.Fatalf("looking for the provider = %v, want nil", err)
	}
	module, binary := filepath.Join(strings.TrimSpace(string(where)), "provider"), filepath.Join(t.TempDir(), "provider.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-C", module).CombinedOutput(); err != nil {
		t.Skipf("the modules of the provider cannot be had: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", module, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the provider = %v\n%s, want nil", err, out)
	}
	cmd := exec.Command(binary, Client, Secret, redirect)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the provider = %v, want nil", err)
	}
	t.Cleanup(func() {
		input.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("the provider ended with %v, want nil", err)
		}
	})
	issuer, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider says %q, %v, want its issuer", issuer, err)
	}
	return &Provider{strings.TrimSpace(issuer), redirect}
}

// SignIn is what a browser and its user do at the provider, from the address to
// which the browser was sent. It returns what the provider adds to the address
// to which it sends the browser back.
func (p *Provider) SignIn(t testing.TB, address string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var form url.Values // of the page for the user's password
	for range 4 {
		call := browser.Get
		if form != nil {
			call = func(address string) (*http.Response, error) { return browser.PostForm(address, form) }
		}
		res, err := call(address)
		if err != nil {
			t.Fatalf("calling the provider = %v, want nil", err)
		}
		res.Body.Close()
		to, err := res.Location()
		if err != nil {
			t.Fatalf("%s = %s, want a redirect", address, res.Status)
		}
		if strings.HasPrefix(to.String(), p.redirect) {
			return to.Query()
		}
		address, form = to.String(), nil
		if id := to.Query().Get("authRequestID"); id != "" {
			form = url.Values{"id": {id}, "username": {account}, "password": {password}}
		}
	}
	t.Fatalf("the provider never sent the browser back to %s", p.redirect)
	return nil
}
