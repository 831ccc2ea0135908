package cli

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/server"
)

// configured reads settings from the three places they come from.
func configured(t *testing.T, file string, vars map[string]string, args ...string) (server.Config, string) {
	t.Helper()
	dir := t.TempDir()
	if file != "" {
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	set := settingFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	c := &call{Env: Env{Dir: dir, Getenv: func(name string) string { return vars[name] }}}
	conf, problems, err := c.configure(set)
	text := strings.ReplaceAll(problems.Error(), dir+string(filepath.Separator), "")
	if err != nil {
		text += err.Error()
	}
	return conf, text
}

func TestFlagsComeBeforeEnvironmentBeforeFileBeforeDefault(t *testing.T) {
	file := "addr: 127.0.0.1:1\nflows: of-file\ndata: of-file\ntimeout: 1s\nvars: [A, B]\nno-watch: true\n"
	vars := map[string]string{"SLUICE_ADDR": "127.0.0.1:2", "SLUICE_FLOWS": "of-env", "SLUICE_VARS": "C, D,E", "SLUICE_DATA": ""}
	got, wrong := configured(t, file, vars, "--addr", "127.0.0.1:3", "--no-watch=false", "--origins", "http://a.test,http://b.test", "--origins", "http://c.test")
	if wrong != "" {
		t.Fatalf("configure() = %s, want nil", wrong)
	}
	for name, c := range map[string][2]any{
		"addr of the flag":                           {got.Addr, "127.0.0.1:3"},
		"flows of the environment":                   {got.Flows, "of-env"},
		"data of the file, as the variable is empty": {got.Data, "of-file"},
		"timeout of the file":                        {got.Timeout, time.Second},
		"vars, a list, replaced as a whole":          {strings.Join(got.Vars, " "), "C D E"},
		"no-watch, a switch turned off again":        {got.NoWatch, false},
		"origins of two flags":                       {len(got.Origins), 3},
		"max-body of nobody":                         {got.MaxBody, server.Size(0)},
	} {
		if c[0] != c[1] {
			t.Errorf("%s = %v, want %v", name, c[0], c[1])
		}
	}
}

func TestFileIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"empty":            {"", ""},
		"comments":         {"# nothing\n", ""},
		"unknown key":      {"adr: x\n", `sluice.yaml:1:1: unknown key "adr" (did you mean addr?)`},
		"key twice":        {"data: a\ndata: b\n", `sluice.yaml:2:1: key "data" is given twice (first in line 1)`},
		"merge key":        {"<<: {data: a}\n", `sluice.yaml:1:1: unknown key "<<"`},
		"alias":            {"data: &a x\nflows: *a\n", "sluice.yaml:2:8: flows must be one value"},
		"no unit":          {"timeout: 30\n", "sluice.yaml:1:10: timeout: want a duration with a unit, as in 500ms, 30s or 2m, not \"30\""},
		"zero":             {"timeout: 0s\n", "sluice.yaml:1:10: timeout: want at least 1ms, not 0s"},
		"negative":         {"timeout: -1s\n", "sluice.yaml:1:10: timeout: want at least 1ms, not -1s"},
		"weak":             {"min-password: 4\n", "sluice.yaml:1:15: min-password: want at least 6, not 4"},
		"nothing":          {"flows:\n", "sluice.yaml:1:7: flows must be one value"},
		"list for a text":  {"flows: [a, b]\n", "sluice.yaml:1:8: flows must be one value"},
		"weak part":        {"oidc-providers:\n  - {name: acme, issuer: \"http://accounts.example.com\", client-id: c, redirect: \"https://app.example.com/in\"}\n", `sluice.yaml:2:5: oidc-providers: want a provider that is safe: issuer of acme: it must begin with https://, or be on this machine, not "name=acme;issuer=http://accounts.example.com;client-id=c;redirect=https://app.example.com/in"`},
		"parts":            {"oidc-providers:\n  - name: acme\n    issuer: https://accounts.example.com\n    client-id: c\n    redirect: https://app.example.com/in\n    scopes: [email, profile]\n    trust-email: true\n", ""},
		"mapping in parts": {"oidc-providers: [{name: {a: b}}]\n", "sluice.yaml:1:18: oidc-providers must be a list of values"},
		"mapping in list":  {"vars: [{a: b}]\n", "sluice.yaml:1:8: vars must be a list of values"},
		"item of a list":   {"vars:\n  - GOOD\n  - B-AD\n", `sluice.yaml:3:5: vars: want the name of an environment variable, not "B-AD"`},
		"second document":  {"data: a\n---\ndata: b\n", "sluice.yaml:2:1: there is a second document behind ---"},
		"no mapping":       {"- data\n", "sluice.yaml:1:1: settings must be a mapping of names to values (as in addr: 127.0.0.1:8080)"},
		"no YAML":          {"data: a\n\tflows: b\n", "sluice.yaml:2:1: this is not YAML: found a tab character that violates indentation"},
		"several mistakes": {"adr: x\ntimeout: 1\n", "sluice.yaml:1:1: unknown key \"adr\" (did you mean addr?)\nsluice.yaml:2:10: timeout: want a duration with a unit, as in 500ms, 30s or 2m, not \"1\""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := configured(t, c.file, nil); got != c.want {
				t.Errorf("configure() of %q = %s, want %s", c.file, got, c.want)
			}
		})
	}
}

func TestSettingsMayStandBesideTheFlows(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("flows/sluice.yaml", "compat: [altogic]\nmin-password: 4\n")
	c := &call{Env: Env{Dir: dir, Getenv: func(string) string { return "" }}}
	conf, problems, err := c.configure(nil)
	if err != nil || len(conf.Compat) != 1 || len(problems) != 1 || !strings.HasSuffix(problems[0].File, filepath.Join("flows", "sluice.yaml")) {
		t.Errorf("configure() = %v, %v, %v, want what stands in flows/sluice.yaml and its problem", conf.Compat, problems, err)
	}
	write("sluice.yaml", "addr: 127.0.0.1:1\n")
	if conf, problems, err := c.configure(nil); err != nil || problems != nil || conf.Compat != nil {
		t.Errorf("configure() = %v, %v, %v, want sluice.yaml alone", conf.Compat, problems, err)
	}
}

func TestEnvironmentIsStrict(t *testing.T) {
	_, got := configured(t, "", map[string]string{"SLUICE_MIN_PASSWORD": "4", "SLUICE_ADDR": "x"})
	want := "SLUICE_ADDR: want host:port, as in 127.0.0.1:8080, not \"x\"\nSLUICE_MIN_PASSWORD: want at least 6, not 4"
	if got != want {
		t.Errorf("configure() = %s, want %s", got, want)
	}
}

func TestHelpNamesEverySettingInAllItsSpellings(t *testing.T) {
	var b bytes.Buffer
	helpSettings(&b)
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, s := range server.Settings() {
		for _, want := range []string{"--" + s.Name, variable(s.Name), s.Name + ":", s.Doc} {
			if !strings.Contains(text, want) {
				t.Errorf("help of serve lacks %q", want)
			}
		}
		if s.Default != "" && !s.Switch && !strings.Contains(text, s.Doc+" Default: "+s.Default) {
			t.Errorf("help of serve lacks the default of %s", s.Name)
		}
	}
}
