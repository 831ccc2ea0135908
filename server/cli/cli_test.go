package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/server/cli"
)

// write puts files into a folder; their names have slashes.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A try is one command line in a folder with some files.
type try struct {
	args  string
	files map[string]string
	vars  map[string]string // of the environment

	code   int
	stdout string // whole; DIR stands for the folder
	stderr string
}

func (c try) run(t *testing.T) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, c.files)
	var out, errs bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &errs, Dir: dir, Getenv: func(name string) string { return c.vars[name] }}
	code = cli.Main(t.Context(), env, strings.Fields(c.args))
	plain := func(b *bytes.Buffer) string {
		return strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "DIR/")
	}
	return code, plain(&out), plain(&errs)
}

func check(t *testing.T, tries map[string]try) {
	t.Helper()
	for name, c := range tries {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := c.run(t)
			if code != c.code || stdout != c.stdout || stderr != c.stderr {
				t.Errorf("sluice %s = %d\nstdout:\n%s\nstderr:\n%s\nwant %d\nstdout:\n%s\nstderr:\n%s",
					c.args, code, stdout, stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

// hello is a flow that answers GET path.
func hello(path string) string {
	return "about: Say hello. And no more.\nendpoint: GET " + path + "\nsession: none\nsteps:\n  - respond: 204\n"
}

func TestMisuseSaysWhatWasMeant(t *testing.T) {
	check(t, map[string]try{
		"command": {args: "sevre", code: 2, stderr: "sluice: there is no command \"sevre\" (did you mean serve?)\nsluice help says more.\n"},
		"flag":    {args: "serve --adr x", code: 2, stderr: "sluice: there is no flag --adr (did you mean --addr?)\nsluice help serve says more.\n"},
		"flag behind an argument": {args: "check flows --jsn", code: 2,
			stderr: "sluice: there is no flag --jsn (did you mean --json?)\nsluice help check says more.\n"},
		"flag without its value": {args: "serve --addr", code: 2, stderr: "sluice: flag needs an argument: -addr\nsluice help serve says more.\n"},
		"value of a flag": {args: "serve --timeout 30", code: 2,
			stderr: "sluice: --timeout: want a duration with a unit, as in 500ms, 30s or 2m, not \"30\"\nsluice help serve says more.\n"},
		"argument": {args: "serve flows", code: 2, stderr: "sluice: serve does not take \"flows\"\nsluice help serve says more.\n"},
		"help for nothing": {args: "help rotues", code: 2,
			stderr: "sluice: there is no command \"rotues\" (did you mean routes?)\nsluice help says more.\n"},
	})
}

func TestCheckTellsEveryProblemOfEveryFile(t *testing.T) {
	broken := map[string]string{
		"flows/b.yaml":       hello("/b") + "timout: 1s\nenabeld: true\n",
		"flows/a.yaml":       hello("a"),
		"flows/deep/ok.yaml": hello("/ok"),
	}
	problems := `DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)
DIR/flows/b.yaml:6:1: unknown key "timout" (did you mean timeout?)
DIR/flows/b.yaml:7:1: unknown key "enabeld" (did you mean enabled?)
`
	check(t, map[string]try{
		"all is well": {args: "check", files: map[string]string{"flows/a.yaml": hello("/a"), "flows/b/c.yaml": hello("/c")}, stdout: "2 flows, no problems\n"},
		"problems":    {args: "check", files: broken, code: 1, stdout: problems + "3 problems in 2 files\n"},
		"folders": {args: "check one two", code: 1, files: map[string]string{"one/a.yaml": hello("/a"), "two/a.yaml": hello("a")},
			stdout: "DIR/two/a.yaml:2:15: a path begins with a slash (write /a)\n1 problem in 1 file\n"},
		"a folder within one that declares": {args: "check flows/deep/er", code: 1, files: map[string]string{
			"flows/errors.yaml": "gone: {status: 410, message: It is gone.}\n", "flows/a.yaml": hello("a"),
			"flows/deep/er/b.yaml": hello("b"), "flows/deep/er/c.yaml": "about: No more.\nendpoint: GET /c\nsession: none\nsteps:\n  - fail: gone\n",
		}, stdout: "DIR/flows/deep/er/b.yaml:2:15: a path begins with a slash (write /b)\n1 problem in 1 file\n"},
		"a good folder beside a bad one": {args: "check sub/good", files: map[string]string{
			"errors.yaml": "gone: {status: 410, message: It is gone.}\n", "sub/bad.yaml": hello("a"), "sub/good/b.yaml": hello("/b"),
		}, stdout: "1 flow, no problems\n"},
		"a folder of flows is its own": {args: "check flows", files: map[string]string{
			"types.yaml": "not: of: ours\n", "other.yaml": "x: 1\n", "flows/a.yaml": hello("/a"),
		}, stdout: "1 flow, no problems\n"},
		"no folder within one that declares": {args: "check flows/atuh", code: 1, files: map[string]string{"flows/errors.yaml": "", "flows/a.yaml": hello("/a")},
			stderr: "sluice: there is no folder DIR/flows/atuh to load flows from\n"},
		"no folder": {args: "check flws", code: 1, stderr: "sluice: there is no folder DIR/flws to load flows from\n"},
		"settings": {args: "check", code: 1, files: map[string]string{"flows/a.yaml": hello("/a"), "sluice.yaml": "addr: 127.0.0.1:8080\ntimeout: 30\nflws: x\n"},
			stdout: `DIR/sluice.yaml:2:10: timeout: want a duration with a unit, as in 500ms, 30s or 2m, not "30"
DIR/sluice.yaml:3:1: unknown key "flws" (did you mean flows?)
2 problems in 1 file
`},
		"variables without a value": {args: "check", vars: map[string]string{"SLUICE_VARS": "TOKEN"}, files: map[string]string{
			"flows/a.yaml": strings.Replace(hello("/a"), "  - respond", "  - node: session.get\n    with: {token: $env.TOKEN}\n  - respond", 1),
		}, stdout: "1 flow, no problems\n"},
		"json": {args: "check --json", files: map[string]string{"flows/a.yaml": hello("a")}, code: 1, stdout: `[
  {
    "file": "DIR/flows/a.yaml",
    "line": 2,
    "column": 15,
    "message": "a path begins with a slash",
    "hint": "write /a"
  }
]
`},
		"json of nothing": {args: "check --json flows", files: map[string]string{"flows/a.yaml": hello("/a")}, stdout: "[]\n"},
	})
}

func TestCheckWithoutAFolderChecksWhatIsServed(t *testing.T) {
	code, stdout, stderr := try{args: "check"}.run(t)
	if want := " flows, no problems (they come with Sluice; there is no folder flows here)\n"; code != 0 || !strings.HasSuffix(stdout, want) {
		t.Errorf("sluice check = %d, %q, %q, want a number of%s", code, stdout, stderr, want)
	}
}

func TestRoutesAreSortedByPathThenMethod(t *testing.T) {
	files := map[string]string{
		"flows/z.yaml":   hello("/a"),
		"flows/a.yaml":   strings.NewReplacer("GET", "POST", "session: none", "session: required\ngroups: [staff, admin]").Replace(hello("/b")),
		"flows/b.yaml":   strings.NewReplacer("GET", "DELETE", "session: none", "session: optional\napiKey: required").Replace(hello("/b")),
		"flows/off.yaml": hello("/off") + "enabled: false\n",
	}
	check(t, map[string]try{
		"table": {args: "routes", files: files, stdout: `METHOD  PATH  SESSION         GROUPS        FLOW    ABOUT
GET     /a    none            -             z.yaml  Say hello.
DELETE  /b    optional + key  -             b.yaml  Say hello.
POST    /b    required        staff, admin  a.yaml  Say hello.
`},
		"json": {args: "routes --json other", files: map[string]string{"other/a.yaml": hello("/a")}, stdout: `[
  {
    "method": "GET",
    "path": "/a",
    "session": "none",
    "groups": [],
    "apiKey": "none",
    "flow": "a.yaml",
    "about": "Say hello. And no more."
  }
]
`},
		"a problem": {args: "routes", files: map[string]string{"flows/a.yaml": hello("a")}, code: 1,
			stderr: "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\n"},
	})
}

func TestHelpKnowsEveryCommandInEverySpelling(t *testing.T) {
	code, overview, stderr := try{args: "help"}.run(t)
	if code != 0 || stderr != "" {
		t.Errorf("sluice help = %d, %q", code, stderr)
	}
	for _, args := range []string{"-h", "--help", "help"} {
		if _, stdout, _ := (try{args: args}).run(t); stdout != overview {
			t.Errorf("sluice %s says\n%s\nwant what help says", args, stdout)
		}
	}
	if code, stdout, stderr := (try{}).run(t); code != 2 || stdout != "" || stderr != overview {
		t.Errorf("sluice without a command = %d, %q, %q, want 2 and the overview on standard error", code, stdout, stderr)
	}
	for _, name := range []string{"serve", "check", "lock", "diff", "routes", "nodes", "version", "help"} {
		if !strings.Contains(overview, "\n  "+name+" ") {
			t.Errorf("sluice help does not name %s", name)
		}
		_, want, _ := try{args: "help " + name}.run(t)
		if !strings.Contains(want, "Usage: sluice "+name) || !strings.Contains(want, "Example") {
			t.Errorf("sluice help %s says\n%s\nwant its usage and an example", name, want)
		}
		for _, flag := range []string{" -h", " --help"} {
			if code, got, _ := (try{args: name + flag}).run(t); code != 0 || got != want {
				t.Errorf("sluice %s%s = %d\n%s\nwant what help %s says", name, flag, code, got, name)
			}
		}
	}
}

func TestVersionIsOneLine(t *testing.T) {
	for _, args := range []string{"version", "--version"} {
		code, stdout, _ := try{args: args}.run(t)
		if code != 0 || !strings.HasPrefix(stdout, "sluice ") || strings.Count(stdout, "\n") != 1 {
			t.Errorf("sluice %s = %d, %q, want one line", args, code, stdout)
		}
	}
}
