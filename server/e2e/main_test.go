// Package e2e tests the whole of Sluice from outside: the real binary, built
// once and run as a child process, spoken to over loopback and by its exit code,
// its console and its files. README.md says which test keeps which promise.
//
// Two tests run the server in this process instead, so that the race detector
// sees it: [TestNobodyIsTakenForAnother] and [TestLogsHoldNoSecret].
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the path of the built sluice.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "sluice-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "sluice")
	build := exec.Command("go", "build", "-o", binary, "sluice/server/cmd/sluice")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building sluice:", err)
		return 1
	}
	return m.Run()
}

// long tells whether the tests may take minutes; SLUICE_E2E=long asks for it.
func long() bool { return os.Getenv("SLUICE_E2E") == "long" }

// times picks how often a test repeats: with -short, as a rule, and with
// SLUICE_E2E=long.
func times(short, rule, most int) int {
	switch {
	case testing.Short():
		return short
	case long():
		return most
	}
	return rule
}
