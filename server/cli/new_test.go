package cli_test

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/server"
	"sluice/server/cli"
)

// inside runs a command line in a folder that stays.
func inside(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &errs, Dir: dir, Getenv: func(string) string { return "" }}
	code = cli.Main(t.Context(), env, args)
	return code, strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "DIR/"), strings.ReplaceAll(errs.String(), dir+string(filepath.Separator), "DIR/")
}

// sound tells what check, test and fmt have to say against the flows of a folder.
func sound(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"check"}, {"test"}, {"fmt", "-l"}} {
		if code, stdout, stderr := inside(t, dir, args...); code != 0 {
			t.Errorf("sluice %s = %d, %s%s, want 0", strings.Join(args, " "), code, stdout, stderr)
		}
	}
}

func TestNewAppIsSoundAtOnce(t *testing.T) {
	for name, args := range map[string][]string{"hello": {"new", "app", "shop"}, "with accounts": {"new", "app", "shop", "--auth"}} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && len(args) > 3 {
				t.Skip("hashes passwords")
			}
			dir := t.TempDir()
			code, stdout, stderr := inside(t, dir, args...)
			if code != 0 || !strings.Contains(stdout, "made DIR/shop/flows/hello.yaml\n") || !strings.Contains(stdout, "sluice serve\n") {
				t.Fatalf("sluice new app shop = %d, %s%s, want 0", code, stdout, stderr)
			}
			sound(t, filepath.Join(dir, "shop"))
			code, _, stderr = inside(t, dir, args...)
			if want := "sluice: DIR/shop/.gitignore is there already, and nothing was written\n"; code != 1 || stderr != want {
				t.Errorf("sluice new app shop, again = %d, %s, want 1, %s", code, stderr, want)
			}
		})
	}
}

func TestNewAppShowsSettingsThatCanBeSet(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := inside(t, dir, "new", "app", "."); code != 0 {
		t.Fatalf("sluice new app . = %d, %s, want 0", code, stderr)
	}
	file := filepath.Join(dir, "sluice.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`(?m)^# ([a-z-]+: .*)$`).ReplaceAllString(string(text), "$1")
	for _, s := range server.Settings() {
		if !strings.Contains(set, "\n"+s.Name+": ") {
			t.Errorf("sluice.yaml lacks %s", s.Name)
		}
	}
	for _, folder := range []string{"folders: [auth]", "compat: [altogic]"} { // there is no such folder here
		name, _, _ := strings.Cut(folder, ":")
		set = strings.Replace(set, folder, name+": []", 1)
	}
	if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := inside(t, dir, "check"); code != 0 {
		t.Errorf("sluice check with all settings = %d, %s%s, want 0", code, stdout, stderr)
	}
}

func TestNewFlowIsSoundAtOnce(t *testing.T) {
	for _, c := range [][]string{
		{"list"},
		{"orders/get", "--endpoint", "GET /orders/{id}"},
		{"orders/put", "--endpoint", "PUT /orders/{id}/lines/{line}", "--session", "optional"},
		{"a/b/add", "--endpoint", "POST /orders", "--session", "none"},
		{"remove.yaml", "--endpoint", "DELETE /orders/{id}"},
	} {
		t.Run(c[0], func(t *testing.T) {
			dir := t.TempDir()
			if code, stdout, stderr := inside(t, dir, append([]string{"new", "flow"}, c...)...); code != 0 || !strings.Contains(stdout, "not served any more") {
				t.Fatalf("sluice new flow %s = %d, %s%s, want 0", strings.Join(c, " "), code, stdout, stderr)
			}
			sound(t, dir)
		})
	}
}

func TestNewRefusesWhatItCannotMake(t *testing.T) {
	check(t, map[string]try{
		"nothing":        {args: "new", code: 2, stderr: "sluice: new wants to know what: app DIR, flow NAME or node NAME\nsluice help new says more.\n"},
		"something else": {args: "new flwo x", code: 2, stderr: "sluice: new does not make \"flwo\" (did you mean flow?)\nsluice help new says more.\n"},
		"a flow outside": {args: "new flow ../x", code: 2, stderr: "sluice: \"../x\" cannot name a flow; use letters, digits, - and _, with / between folders\nsluice help new says more.\n"},
		"a flow that is there": {args: "new flow a", files: map[string]string{"flows/a.yaml": hello("/b")}, code: 1,
			stderr: "sluice: DIR/flows/a.yaml is there already, and nothing was written\n"},
		"an endpoint that is there": {args: "new flow b --endpoint GET_/a", files: map[string]string{"flows/a.yaml": hello("/a")}, code: 1,
			stderr: "DIR/flows/b.yaml:2:11: endpoint must be a method, a space and a path (as in POST /orders/{id})\n"},
		"a session of no kind": {args: "new flow b --session maybe", code: 1,
			stderr: "DIR/flows/b.yaml:3:10: session cannot be \"maybe\" (known: none, optional, required)\n"},
		"a node without a verb": {args: "new node stock", code: 2, stderr: "sluice: \"stock\" cannot name a node in Go; write noun.verb, as in stock.reserve\nsluice help new says more.\n"},
		"a node of Go's words":  {args: "new node type.get", code: 2, stderr: "sluice: \"type.get\" cannot name a node in Go; write noun.verb, as in stock.reserve\nsluice help new says more.\n"},
		"a node that is there": {args: "new node stock.reserve", files: map[string]string{"stock/reserve_test.go": ""}, code: 1,
			stderr: "sluice: DIR/stock/reserve_test.go is there already, and nothing was written\n"},
	})
}

func TestNewFlowTellsOfALock(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	for _, args := range [][]string{{"lock"}, {"new", "flow", "b"}} {
		code, stdout, stderr := inside(t, dir, args...)
		if code != 0 || args[0] == "new" && !strings.Contains(stdout, "flows.lock does not allow it yet") {
			t.Errorf("sluice %s = %d, %s%s, want 0 and a word on the lock", strings.Join(args, " "), code, stdout, stderr)
		}
	}
}

func TestNewFlowThatIsRefusedLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	if code, _, _ := inside(t, dir, "new", "flow", "b", "--endpoint", "GET /a"); code != 1 {
		t.Errorf("sluice new flow for an endpoint that is there = %d, want 1", code)
	}
	if all, err := os.ReadDir(filepath.Join(dir, "flows")); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v, want one file", all, err)
	}
}

// The Go code that new writes is formatted, passes vet, and so do its tests.
func TestNewGoCodeWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := filepath.Join(t.TempDir(), "shop")
	for _, args := range [][]string{
		{"new", "app", dir}, {"new", "node", "stock.reserve"}, {"new", "node", "stock.delete"}, {"new", "node", "other.init"}, {"new", "node", "other.contest"},
	} {
		at := dir
		if args[1] == "app" {
			at = filepath.Dir(dir)
		}
		if code, _, stderr := inside(t, at, args...); code != 0 {
			t.Fatalf("sluice %s = %d, %s, want 0", strings.Join(args, " "), code, stderr)
		}
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{
		"go.mod": strings.Replace(string(mod), "module sluice", "module shop", 1) + "\nrequire sluice v0.0.0\nreplace sluice => " + root + "\n",
		"go.sum": string(sum),
	})
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if got, err := format.Source(text); err != nil || !bytes.Equal(got, text) {
			t.Errorf("gofmt of %s = \n%s, %v, want it as it is", file, got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s = %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
