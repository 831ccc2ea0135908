package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// took stands for the durations on a screen.
var took = regexp.MustCompile(`\d+ ms`)

const helloTest = `- name: a greeting says nothing
  want: {status: 204, body: {absent: true}}
- name: nothing is sent along
  send: {body: {a: 1}}
  want: {status: 400, code: invalid_input}
`

func TestTestTellsWhatFailedAndWhere(t *testing.T) {
	files := map[string]string{
		"flows/a.yaml":      hello("/a"),
		"flows/a.test.yaml": helloTest,
		"flows/b/who.yaml": "about: x\nendpoint: GET /who\nsession: required\nsteps:\n  - id: user\n    node: user.fetch\n    with: {id: $session.userId}\n" +
			"  - respond: 200\n    body: $user\n",
		"flows/b/who.test.yaml": "- name: callers learn who they are\n  given: {users: [{email: ada@example.com}], session: ada}\n  want:\n    status: 201\n    body: {email: eve@example.com}\n",
	}
	broken := map[string]string{"flows/a.yaml": hello("/a"), "flows/a.test.yaml": "- name: x\n  wnat: {}\n"}
	for name, c := range map[string]try{
		"all is well": {args: "test", files: map[string]string{"flows/a.yaml": hello("/a"), "flows/a.test.yaml": helloTest},
			stdout: "ok    DIR/flows/a.test.yaml  2 tests, N ms\n2 passed, 0 failed\n"},
		"verbose": {args: "test -v --run nothing$", files: map[string]string{"flows/a.yaml": hello("/a"), "flows/a.test.yaml": helloTest},
			stdout: "ok    DIR/flows/a.test.yaml  1 test, N ms\n  ok  a greeting says nothing, N ms\n1 passed, 0 failed\n"},
		"a failure": {args: "test flows", files: files, code: 1, stdout: `ok    DIR/flows/a.test.yaml  2 tests, N ms
FAIL  DIR/flows/b/who.test.yaml  1 test, 1 failed, N ms
  DIR/flows/b/who.test.yaml:1:3: callers learn who they are
    DIR/flows/b/who.test.yaml:4:13: status = 200, want 201
    DIR/flows/b/who.test.yaml:5:19: body.email = "ada@example.com", want "eve@example.com"
DIR/flows/b/who.yaml:6:5: user: notFound is taken by no test
2 passed, 1 failed; ways covered 1 of 2 (50 %)
`},
		"paths": {args: "test --all-paths --run greeting --store sqlite", files: files, stdout: `ok    DIR/flows/a.test.yaml  1 test, N ms
1 passed, 0 failed; ways covered 0 of 2 (0 %)
ok    DIR/flows/a.yaml  1 path, N ms
ok    DIR/flows/b/who.yaml  3 paths, N ms
4 paths walked in N ms, 0 problems
`},
		"no tests":     {args: "test", files: map[string]string{"flows/a.yaml": hello("/a")}, stdout: "no tests (those of orders.yaml are written beside it, in orders.test.yaml)\n"},
		"none of them": {args: "test --run nobody", files: files, code: 1, stderr: "sluice: no test matches \"nobody\"\n"},
		"a mistake":    {args: "test", files: broken, code: 1, stderr: "DIR/flows/a.test.yaml:1:3: a test needs want: or same: (as in want: {status: 200})\nDIR/flows/a.test.yaml:2:3: unknown key \"wnat\" of a test (did you mean want?)\n"},
		"store":        {args: "test --store mongo", code: 2, stderr: "sluice: --store: want memory or sqlite, not \"mongo\"\nsluice help test says more.\n"},
		"pattern":      {args: "test --run (", code: 2, stderr: "sluice: --run: error parsing regexp: missing closing ): `(`\nsluice help test says more.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := c.run(t)
			stdout = took.ReplaceAllString(stdout, "N ms")
			if code != c.code || stdout != c.stdout || stderr != c.stderr {
				t.Errorf("sluice %s = %d\nstdout:\n%s\nstderr:\n%s\nwant %d\nstdout:\n%s\nstderr:\n%s", c.args, code, stdout, stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

func TestTestWritesReports(t *testing.T) {
	dir := t.TempDir()
	coverage, junit := filepath.Join(dir, "coverage.json"), filepath.Join(dir, "junit.xml")
	code, _, stderr := try{
		args: "test --coverage " + coverage + " --junit " + junit, files: map[string]string{"flows/a.yaml": hello("/a"), "flows/a.test.yaml": helloTest},
	}.run(t)
	if code != 0 {
		t.Fatalf("sluice test = %d, %s, want 0", code, stderr)
	}
	for file, want := range map[string]string{coverage: `"covered": 0`, junit: `<testsuites tests="2" failures="0"`} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s holds %s, %v, want %s", filepath.Base(file), text, err, want)
		}
	}
}
