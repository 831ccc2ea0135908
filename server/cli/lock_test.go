package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/server/cli"
)

// in runs a command line in a folder that stays, which the output names DIR.
func in(t *testing.T, dir, args string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &out, Dir: dir, Getenv: func(string) string { return "" }}
	code = cli.Main(t.Context(), env, strings.Fields(args))
	return code, strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "DIR/")
}

// expect runs a command line and compares what it prints.
func expect(t *testing.T, dir, args string, wantCode int, want string) {
	t.Helper()
	if code, got := in(t, dir, args); code != wantCode || got != want {
		t.Errorf("sluice %s = %d\n%s\nwant %d\n%s", args, code, got, wantCode, want)
	}
}

// edit replaces a text in a file, which must be there.
func edit(t *testing.T, file, old, now string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFailsOnlyWhereTheLockIsExceeded(t *testing.T) {
	dir := t.TempDir()
	flow := filepath.Join(dir, "flows", "orders.yaml")
	write(t, dir, map[string]string{"flows/orders.yaml": strings.Replace(hello("/orders"), "session: none", "session: required", 1)})
	expect(t, dir, "check", 0, "1 flow, no problems\n")
	expect(t, dir, "lock", 0, "DIR/flows/flows.lock is written, 1 endpoint\n")
	expect(t, dir, "lock", 0, "DIR/flows/flows.lock is up to date, 1 endpoint\n")
	expect(t, dir, "check", 0, "1 flow, no problems\n")

	edit(t, flow, "session: required", "session: none")
	expect(t, dir, "check", 1, "DIR/flows/orders.yaml:3:10: GET /orders: session required -> none, which flows.lock does not allow (run sluice lock if this is meant)\n"+
		"1 problem in 1 file\n")
	expect(t, dir, "lock", 0, "DIR/flows/flows.lock is written, 1 endpoint\nGET /orders\n  ! session required -> none\n")
	expect(t, dir, "check", 0, "1 flow, no problems\n")

	edit(t, flow, "session: none", "session: required")
	expect(t, dir, "check", 0, "1 flow, no problems\nflows.lock can be tightened: sluice lock\n")

	write(t, dir, map[string]string{"flows/new.yaml": hello("/new")})
	expect(t, dir, "check", 1, "DIR/flows/new.yaml:2:11: GET /new: new endpoint for everybody, which flows.lock does not allow (run sluice lock if this is meant)\n"+
		"1 problem in 1 file\n")
	edit(t, filepath.Join(dir, "flows", "new.yaml"), "session: none", "session: none\nenabled: false")
	expect(t, dir, "check", 0, "2 flows, no problems\nflows.lock can be tightened: sluice lock\n")

	edit(t, filepath.Join(dir, "flows", "flows.lock"), "  session: none", "  sesion: none")
	expect(t, dir, "check", 1, "DIR/flows/flows.lock:5:1: GET /orders has no session (sluice lock writes it anew)\n"+
		"DIR/flows/flows.lock:6:1: \"sesion: none\" says nothing about an endpoint (sluice lock writes it anew)\n2 problems in 1 file\n")
	expect(t, dir, "lock", 0, "DIR/flows/flows.lock is written, 1 endpoint\n")
}

func TestCheckOfAFolderNamesItInTheHint(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"one/a.yaml": hello("/a"), "two/b.yaml": hello("/b")})
	expect(t, dir, "lock two", 0, "DIR/two/flows.lock is written, 1 endpoint\n")
	edit(t, filepath.Join(dir, "two", "b.yaml"), "GET", "POST")
	expect(t, dir, "check one two", 1, "DIR/two/b.yaml:2:11: POST /b: new endpoint for everybody, which flows.lock does not allow (run sluice lock two if this is meant)\n"+
		"1 problem in 1 file\n")
}

// Whichever shipped flow it is: without its session, check is red and says why,
// also where the steps miss the session and so do not compile.
func TestNoShippedFlowLosesItsSessionUnseen(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "flows"), os.DirFS("../../flows")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "flows", "auth", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".test.yaml") || !strings.Contains(string(text), "\nsession: required") {
			continue
		}
		tried++
		edit(t, file, "\nsession: required", "\nsession: none")
		code, got := in(t, dir, "check")
		if want := ": session required -> none, which flows.lock does not allow (run sluice lock if this is meant)\n"; code != 1 || strings.Count(got, want) != 1 {
			t.Errorf("sluice check without the session of %s = %d\n%s\nwant 1 and a line with%s", filepath.Base(file), code, got, want)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if tried < 5 {
		t.Errorf("tried %d flows, want those with a session", tried)
	}
	if code, got := in(t, dir, "check"); code != 0 {
		t.Errorf("sluice check = %d\n%s\nwant 0", code, got)
	}
}

func TestCheckOfBrokenFlowsSaysNothingOfNewEndpoints(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	expect(t, dir, "lock", 0, "DIR/flows/flows.lock is written, 1 endpoint\n")
	write(t, dir, map[string]string{"flows/b.yaml": strings.Replace(hello("/b"), "steps:\n", "steps:\n  - fail: nothing\n", 1)})
	code, got := in(t, dir, "check")
	if code != 1 || strings.Contains(got, "new endpoint") {
		t.Errorf("sluice check = %d\n%s\nwant 1 and the mistakes of the flow alone", code, got)
	}
}

func TestLockNeedsFlowsThatLoad(t *testing.T) {
	check(t, map[string]try{
		"nothing to lock": {args: "lock", code: 1, stderr: "sluice: there is no folder flows here to write a lock in\n"},
		"a problem": {args: "lock", code: 1, files: map[string]string{"flows/a.yaml": hello("a")},
			stderr: "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\n"},
		"no folder": {args: "lock nowhere", code: 1, stderr: "sluice: there is no folder DIR/nowhere to load flows from\n"},
	})
}
