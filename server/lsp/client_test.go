package lsp_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClient keeps the promise that editors understand the server: the built program
// is driven by the client library of VS Code, in testdata/client. It wants node, and
// npm's registry or cache.
func TestClient(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and installs the client; run without -short")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the client library needs %s: %v", tool, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if err := os.CopyFS(dir, os.DirFS("testdata/client")); err != nil {
		t.Fatal(err)
	}
	if out, err := run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		t.Skipf("the client library cannot be installed: %v\n%s", err, out)
	}
	program := filepath.Join(dir, "sluice")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "sluice/server/cmd/sluice")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	out, err := run("node", "client.js", program, filepath.Join(dir, "project"))
	if err != nil || !strings.Contains(out, "an editor got all it asked for") {
		t.Errorf("the client says\n%s(%v)", out, err)
	}
}
