package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"sluice/server/cli"
)

// A shop is a folder in which commands run one after the other.
type shop struct {
	*testing.T
	dir string
}

var varies = []struct{ pattern, instead string }{
	{`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "ID"},
	{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "TIME"},
	{`\d{4}-\d\d-\d\dT[\d:.]+Z`, "TIME"},
	{`\d+ ms`, "N ms"},
	{`\d+ KiB`, "N KiB"},
	{`by Sluice .*`, "by Sluice V"},
	{`   +`, "  "}, // of a table
	{` +\n`, "\n"},
}

// run runs a command with a text on standard input and returns what it printed,
// without what differs from run to run.
func (s shop) run(stdin string, args ...string) (code int, stdout, stderr string) {
	s.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Dir: s.dir, Getenv: func(string) string { return "" }}
	code = cli.Main(s.Context(), env, args)
	plain := func(text string) string {
		text = strings.ReplaceAll(text, s.dir+string(filepath.Separator), "DIR/")
		for _, v := range varies {
			text = regexp.MustCompile(v.pattern).ReplaceAllString(text, v.instead)
		}
		return text
	}
	return code, plain(out.String()), plain(errs.String())
}

// want runs a command and compares all that it printed.
func (s shop) want(code int, stdout, stderr, stdin string, args ...string) {
	s.Helper()
	gotCode, gotOut, gotErr := s.run(stdin, args...)
	if gotCode != code || gotOut != stdout || gotErr != stderr {
		s.Errorf("sluice %s = %d\nstdout:\n%s\nstderr:\n%s\nwant %d\nstdout:\n%s\nstderr:\n%s",
			strings.Join(args, " "), gotCode, gotOut, gotErr, code, stdout, stderr)
	}
}

const ferry = "a ferry across the river"

func TestUsersFromTheFirstDayToTheLast(t *testing.T) {
	s := shop{t, t.TempDir()}
	none := "sluice: there is no database yet in DIR/data; sluice serve makes it, or sluice user add (or is it elsewhere? see --data)\n"
	s.want(1, "", none, "", "user", "list")
	s.want(1, "", none, "", "backup", "b")
	if _, err := os.Stat(filepath.Join(s.dir, "data")); err == nil {
		t.Error("a command that only reads made a database")
	}
	s.want(0, "ID\n", "", ferry+"\n", "user", "add", "--email", "Ada@example.com", "--groups", "staff,admin", "--password-stdin")
	s.want(1, "", "sluice: The e-mail address belongs to another user.\n", ferry, "user", "add", "--email", "ada@example.com", "--password-stdin")
	s.want(1, "", "sluice: The password is made of what many people use; add words of your own.\n", "password12345678\n", "user", "add", "--email", "bob@example.com", "--password-stdin")
	s.want(1, "", "sluice: there is no password on standard input\n", "", "user", "add", "--email", "bob@example.com", "--password-stdin")
	s.want(0, "ID\n", "", ferry+"\r\n", "user", "add", "--email", "bob@example.com", "--name", "Bob\x1b[31m\tB", "--password-stdin")
	s.want(0, "ID  E-MAIL  PHONE  NAME  GROUPS  STATE  SINCE\n"+
		"ID  bob@example.com  -  Bob?[31m?B  -  unverified  TIME\n"+
		"ID  Ada@example.com  -  -  admin,staff  unverified  TIME\n", "", "", "user", "list")
	code, out, errs := s.run("", "user", "list", "--json", "--limit", "1")
	var first struct{ Name string }
	if err := json.Unmarshal([]byte(out), &first); code != 0 || err != nil || first.Name != "Bob\x1b[31m\tB" || errs != "There are more: --after ID\n" {
		t.Errorf("user list --json --limit 1 = %d %s %s, %v, want one line and where the next page begins", code, out, errs, err)
	}
	s.want(0, "Ada@example.com has the groups -, all sessions have ended\n", "", "", "user", "groups", "ada@example.com", "--groups", "")
	s.want(0, "Ada@example.com is disabled, all sessions have ended\n", "", "", "user", "disable", "ada@example.com")
	code, out, _ = s.run("", "user", "show", "ada@example.com")
	if code != 0 || !strings.Contains(out, "state  disabled\n") || !strings.Contains(out, "groups  -\n") {
		t.Errorf("user show = %d\n%s\nwant a disabled user of no groups", code, out)
	}
	s.want(0, "Ada@example.com can sign in again\n", "", "", "user", "enable", "ada@example.com")
	s.want(0, "The password is set, 0 sessions ended\n", "", "another "+ferry, "user", "password", "ada@example.com", "--password-stdin")
	s.want(0, "ID  SINCE  LAST SEEN  ENDS  GROUPS  IP  PROGRAM\n", "", "", "session", "list", "--user", "ada@example.com")
	s.want(0, "0 sessions ended\n", "", "", "session", "end-all", "--user", "ada@example.com")
	s.want(0, "0 sessions ended\n", "", "", "session", "end-all", "--everyone")
	s.want(1, "", "sluice: The user has no live session \"x\".\n", "", "session", "end", "x", "--user", "ada@example.com")
	s.want(0, "Ada@example.com is deleted, all sessions have ended\n", "", "", "user", "delete", "ada@example.com")
	s.want(1, "", "sluice: There is no user with the address \"ada@example.com\".\n", "", "user", "show", "ada@example.com")
}

func TestUserWithAPhoneNumberOnly(t *testing.T) {
	s := shop{t, t.TempDir()}
	s.want(0, "ID\n", "", ferry+"\n", "user", "add", "--phone", "+1 (415) 555-0100", "--password-stdin")
	s.want(1, "", "sluice: The phone number belongs to another user.\n", ferry, "user", "add", "--phone", "+14155550100", "--password-stdin")
	s.want(1, "", "sluice: The phone number is not one with a country code, as in +14155550100.\n", ferry, "user", "add", "--phone", "4155550100", "--password-stdin")
	s.want(0, "ID  E-MAIL  PHONE  NAME  GROUPS  STATE  SINCE\nID  -  +14155550100  -  -  unverified  TIME\n", "", "", "user", "list")
	code, out, _ := s.run("", "user", "show", "+1 415 555 0100")
	if code != 0 || !strings.Contains(out, "phone  +14155550100\n") {
		t.Errorf("user show = %d\n%s\nwant the user with the number", code, out)
	}
	s.want(1, "", "sluice: There is no user with the phone number \"+14155550101\".\n", "", "user", "show", "+14155550101")
	s.want(0, "+14155550100 is disabled, all sessions have ended\n", "", "", "user", "disable", "+14155550100")
	s.want(0, "+14155550100 is deleted, all sessions have ended\n", "", "", "user", "delete", "+14155550100")
}

func TestMisuseOfOwnersCommands(t *testing.T) {
	s := shop{t, t.TempDir()}
	for args, want := range map[string]string{
		"user":                     "user wants to know what: list, show, add, disable, enable, groups, password, delete\nsluice help user says more.\n",
		"user lst":                 "user does not do \"lst\" (did you mean list?)\nsluice help user says more.\n",
		"user show":                "user show takes 1 word behind it, not 0\nsluice help user says more.\n",
		"session list":             "session wants --user, an id or an e-mail address\nsluice help session says more.\n",
		"session end x --everyone": "--everyone goes with end-all alone\nsluice help session says more.\n",
		"session":                  "session wants to know what: list, end, end-all\nsluice help session says more.\n",
		"backup":                   "backup wants the name of a file\nsluice help backup says more.\n",
		"restore":                  "restore wants the name of a file\nsluice help restore says more.\n",
		"migrate":                  "migrate wants --from and --to\nsluice help migrate says more.\n",
		"migrate --from a":         "migrate wants --from and --to\nsluice help migrate says more.\n",
		"migrate --from a --to a":  "--from and --to name the same database\nsluice help migrate says more.\n",
	} {
		s.want(2, "", "sluice: "+want, "", strings.Fields(args)...)
	}
	s.run(ferry, "user", "add", "--email", "ada@example.com", "--password-stdin")
	for args, want := range map[string]string{
		"user add --password-stdin":        "user add wants --email or --phone",
		"user add --email bob@example.com": "the password comes from standard input: give --password-stdin",
		"user groups ada@example.com":      "user groups wants --groups, with '' for none",
	} {
		s.want(2, "", "sluice: "+want+"\nsluice help user says more.\n", "", strings.Fields(args)...)
	}
}

func TestBackupRestoreAndMigrate(t *testing.T) {
	s := shop{t, t.TempDir()}
	for _, email := range []string{"ada@example.com", "bob@example.com"} {
		s.run(ferry, "user", "add", "--email", email, "--password-stdin")
	}
	s.want(0, "DIR/a.backup has 2 users, 3 events, 1 auditKey, N KiB in N ms\n", "", "", "backup", "a.backup")
	s.want(1, "", "sluice: DIR/a.backup is there already; choose another name\n", "", "backup", "a.backup")
	if info, err := os.Stat(filepath.Join(s.dir, "a.backup")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the backup = %v, %v, want it to be its owner's alone", info.Mode(), err)
	}
	code, out, _ := s.run("", "backup", "-")
	if code != 0 || !strings.HasPrefix(out, "\x1f\x8b") {
		t.Errorf("backup - = %d, %.20q, want a gzip file", code, out)
	}
	s.want(1, "", "sluice: the database is not empty; --replace deletes what it holds\n", "", "restore", "a.backup")
	s.want(0, "2 users, 3 events, 1 auditKey restored and compared in N ms; the backup is of TIME, by Sluice V\n", "", "", "restore", "--data", "other", "a.backup")
	s.run("", "user", "delete", "bob@example.com")
	s.want(0, "2 users, 3 events, 1 auditKey restored and compared in N ms; the backup is of TIME, by Sluice V\n", "", "", "restore", "--replace", "a.backup")
	s.want(0, "2 users, 4 events, 1 auditKey copied from SQLite to SQLite and compared in N ms\n", "", "", "migrate", "--from", "data", "--to", "sqlite:third")
	s.want(1, "", "sluice: the database is not empty; --replace deletes what it holds\n", "", "migrate", "--from", "data", "--to", "sqlite:third")
	s.want(0, "2 users, 4 events, 1 auditKey copied from SQLite to SQLite and compared in N ms\n", "", "", "migrate", "--from", "data", "--to", "sqlite:third", "--replace")
	s.want(1, "", "sluice: there is no database in DIR/nowhere\n", "", "migrate", "--from", "nowhere", "--to", "sqlite:fourth")
	for _, dir := range []string{"other", "third"} {
		if code, out, errs := s.run("", "user", "list", "--data", dir); code != 0 || strings.Count(out, "@example.com") != 2 {
			t.Errorf("user list of %s = %d %s %s, want two users", dir, code, out, errs)
		}
	}
	write(t, s.dir, map[string]string{"no.backup": "not one"})
	s.want(1, "", "sluice: restoring DIR/no.backup: this is no backup: unexpected EOF\n", "", "restore", "--data", "fifth", "no.backup")
	if _, err := os.Stat(filepath.Join(s.dir, "fifth")); err == nil {
		t.Error("a restore of what is no backup made a database")
	}
}

func TestDoctorTellsWhatToDo(t *testing.T) {
	s := shop{t, t.TempDir()}
	write(t, s.dir, map[string]string{"flows/a.yaml": hello("/a")})
	code, out, errs := s.run("", "doctor")
	if want := "warn  store  There is no database in DIR/data yet\n"; code != 0 || errs != "" || !strings.Contains(strings.ReplaceAll(out, s.dir+"/", "DIR/"), want) {
		t.Errorf("doctor of nothing = %d\n%s%s\nwant %s", code, out, errs, want)
	}
	s.run(ferry, "user", "add", "--email", "ada@example.com", "--password-stdin")
	code, out, errs = s.run("", "doctor")
	if code != 0 || strings.Contains(out, "fail ") || !strings.Contains(out, "ok  integrity") || !strings.Contains(out, "ok  server  No server") {
		t.Errorf("doctor = %d\n%s%s\nwant all to be well", code, out, errs)
	}
	code, out, _ = s.run("", "doctor", "--json")
	for line := range strings.Lines(out) {
		var f struct{ Name, Level, Text string }
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Name == "" || f.Text == "" {
			t.Errorf("doctor --json says %s, %v, want a finding", line, err)
		}
	}
	if code != 0 {
		t.Errorf("doctor --json = %d, want 0", code)
	}
	write(t, s.dir, map[string]string{
		"flows/b.yaml": hello("b"),
		"sluice.yaml":  "addr: 0.0.0.0:8080\nmin-password: 8\norigins: '*'\nvars: [NO_SUCH_VARIABLE]\n",
	})
	code, out, _ = s.run("", "doctor")
	for _, want := range []string{
		"fail  flows  No server starts on these flows; problems: 1\n  sluice check tells all of them.\n",
		"fail  settings  vars names NO_SUCH_VARIABLE, but there is no such environment variable\n",
		"warn  settings  Others can reach 0.0.0.0:8080, where tokens go without TLS\n",
		"warn  settings  Passwords may have 8 characters\n",
		"warn  settings  Every web page may call from a browser\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor says\n%s\nwant %s", out, want)
		}
	}
	if code != 1 {
		t.Errorf("doctor of what cannot start = %d, want 1", code)
	}
	garbage := shop{t, t.TempDir()}
	write(t, garbage.dir, map[string]string{"data/sluice.db": strings.Repeat("no database ", 1000)})
	if code, out, _ := garbage.run("", "doctor"); code != 1 || !strings.Contains(out, "fail  store") {
		t.Errorf("doctor of a file that is no database = %d\n%s\nwant a failure", code, out)
	}
}
