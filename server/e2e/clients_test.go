package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestAltogicClient keeps the promise that programs written for Altogic run here: its
// client as it is on npm passes the tests in clients/altogic.
func TestAltogicClient(t *testing.T) { npmTests(t, "clients/altogic", 60) }

// TestTenantClients keeps the same promise of programs written for Contember's
// tenant API.
func TestTenantClients(t *testing.T) { npmTests(t, "clients/tenant", 60) }

// TestAltogicStarters keeps the promise that front ends written for Altogic run here,
// in a browser, from the first page to the last.
func TestAltogicStarters(t *testing.T) {
	wantChromium(t)
	npmTests(t, "clients/starters", 2)
}

func wantChromium(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skipf("the pages are opened in Chromium: %v", err)
	}
}

var passed = regexp.MustCompile(`(?m)^(?:#|ℹ) pass (\d+)$`)

// npmTests runs the tests of a folder on node's own test runner, with the packages
// that its lock file names; at least so many have to pass.
func npmTests(t *testing.T, folder string, least int) {
	t.Helper()
	if testing.Short() {
		t.Skip("it installs packages of npm and starts servers; run without -short")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the client needs %s: %v", tool, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	t.Cleanup(cancel)
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// npm writes where it installs. What stands beside a folder comes along.
	parent := t.TempDir()
	if err := os.CopyFS(parent, os.DirFS(filepath.Dir(folder))); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = filepath.Join(parent, filepath.Base(folder))
		cmd.Env = append(os.Environ(), "SLUICE="+binary, "SLUICE_MODULE="+module)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		if ping, away := run("npm", "ping"); away != nil {
			t.Skipf("npm's registry cannot be reached: %v\n%s", away, ping)
		}
		t.Fatalf("npm ci = %v\n%s", err, out)
	}
	out, err := run("npm", "test")
	if err != nil {
		t.Fatalf("npm test = %v\n%s", err, out)
	}
	if got := number(t, passed, out); got < least {
		t.Errorf("%d tests of %s passed, want at least %d\n%s", got, folder, least, out)
	}
}

// number is what a pattern finds in a text.
func number(t *testing.T, pattern *regexp.Regexp, text string) int {
	t.Helper()
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no %s in\n%s", pattern, text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
