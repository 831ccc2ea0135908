// Package clients_test runs the tests of each folder here, which drive a server by
// clients of other systems, as these are on npm.
package clients_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// unreachable matches what npm says where there is no registry to install from.
var unreachable = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT`)

func TestClientsOfOtherSystems(t *testing.T) {
	if testing.Short() {
		t.Skip("it installs packages and starts servers")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("there is no npm")
	}
	program := filepath.Join(t.TempDir(), "sluice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "sluice/server/cmd/sluice").CombinedOutput(); err != nil {
		t.Fatalf("go build = %v\n%s", err, out)
	}
	packages, err := filepath.Glob("*/package.json")
	if err != nil || len(packages) == 0 {
		t.Fatalf("Glob = %v, %v, want the folders of clients", packages, err)
	}
	for _, file := range packages {
		dir := filepath.Dir(file)
		t.Run(dir, func(t *testing.T) {
			out, err := run(t.Context(), dir, nil, "npm", "ci", "--no-audit", "--no-fund")
			switch {
			case err != nil && unreachable.MatchString(out):
				t.Skipf("the registry is not reachable:\n%s", out)
			case err != nil:
				t.Fatalf("npm ci = %v\n%s", err, out)
			}
			out, err = run(t.Context(), dir, []string{"SLUICE=" + program}, "node", "--test")
			if err != nil {
				t.Fatalf("node --test = %v\n%s", err, out)
			}
			t.Log(summary(out))
		})
	}
}

// run runs a program in a folder and returns all that it says.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &out, &out
	err := cmd.Run()
	return out.String(), errors.Join(err, ctx.Err())
}

// summary is how many tests node ran.
func summary(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "# tests") || strings.HasPrefix(line, "# pass") {
			lines = append(lines, strings.TrimSpace(line[2:]))
		}
	}
	return strings.Join(lines, ", ")
}
