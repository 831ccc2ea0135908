package cli_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"sluice/server/cli"
)

func TestKeysAreMadeListedSuspendedAndEnded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": strings.Replace(hello("/orders/{id}"), "none\n", "none\napiKey: required\n", 1)})
	key := func(args ...string) (code int, out string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		env := cli.Env{Stdout: &stdout, Stderr: &stderr, Dir: dir, Getenv: func(string) string { return "" }}
		code = cli.Main(t.Context(), env, append([]string{"key"}, args...))
		return code, stdout.String() + stderr.String()
	}
	want := func(pattern string, args ...string) []string {
		t.Helper()
		code, out := key(args...)
		m := regexp.MustCompile(pattern).FindStringSubmatch(out)
		if code != 0 || m == nil {
			t.Fatalf("sluice key %q = %d\n%s\nwant %s", args, code, out, pattern)
		}
		return m
	}
	made := want(`(?s)^id   ([0-9a-f-]{36})\nkey  (slk_[0-9A-Za-z]{43})\n.*not shown again`, "add", "--name", "importer", "--scope", "only", "--endpoint", "GET /orders/{id}", "--expires", "90d")
	id, secret := made[1], made[2]
	want(`(?m)^`+id+` +importer +only GET /orders/\{id\} +- +good +20\d\d-.* never +-$`, "list")
	login := want(`id   ([0-9a-f-]{36})\nkey  slk_`, "add", "--name", "pages", "--role", "login", "--role", "admin")[1]
	want(`(?m)^`+login+` +pages +full +admin login +good +never`, "list")
	want("^"+login+" is ended\n$", "end", login)
	want("^"+id+" is suspended\n$", "suspend", id)
	want(`importer .* suspended`, "list")
	want("^"+id+" is resumed\n$", "resume", id)
	want(`importer .* good`, "list")
	if _, out := key("list"); strings.Contains(out, secret) {
		t.Errorf("sluice key list tells the key:\n%s", out)
	}
	want("^"+id+" is ended\n$", "end", id)
	if _, out := key("list"); strings.Contains(out, id) {
		t.Errorf("sluice key list has the ended key:\n%s", out)
	}
	if code, out := key("end", id); code != 1 || !strings.Contains(out, "There is no API key") {
		t.Errorf("sluice key end of an ended key = %d %s, want 1 and that there is none", code, out)
	}
}

func TestKeysAreNotMadeByMistake(t *testing.T) {
	flows := map[string]string{
		"flows/a.yaml": strings.Replace(hello("/a"), "none\n", "none\napiKey: optional\n", 1), "flows/b.yaml": hello("/b"),
	}
	const more = "sluice help key says more.\n"
	check(t, map[string]try{
		"nothing":          {args: "key", code: 2, stderr: "sluice: key wants to know what: list, add, suspend, resume, end\n" + more},
		"another word":     {args: "key resum", code: 2, stderr: "sluice: key does not do \"resum\" (did you mean resume?)\n" + more},
		"no name":          {args: "key add --scope full", code: 2, stderr: "sluice: key add wants --name, and --scope or --role\n" + more},
		"no scope":         {args: "key add --name x", code: 2, stderr: "sluice: key add wants --name, and --scope or --role\n" + more},
		"another scope":    {args: "key add --name x --scope all", code: 1, stderr: "sluice: The scope of a key is full, readOnly, only or except.\n"},
		"an id for add":    {args: "key add y --name x --scope full", code: 2, stderr: "sluice: key add takes 0 words behind it, not 1\n" + more},
		"no id":            {args: "key end", code: 2, stderr: "sluice: key end takes 1 word behind it, not 0\n" + more},
		"a scope for list": {args: "key list --scope full", code: 2, stderr: "sluice: --name, --scope, --endpoint, --role and --expires are for key add\n" + more},
		"no unit":          {args: "key add --name x --scope full --expires 90", code: 2, stderr: "sluice: --expires: want a duration from 1m on, as in 12h or 90d, not \"90\"\n" + more},
		"in the past":      {args: "key add --name x --scope full --expires -1h", code: 2, stderr: "sluice: --expires: want a duration from 1m on, as in 12h or 90d, not \"-1h\"\n" + more},
		"no database yet":  {args: "key list", code: 1, stderr: "sluice: there is no database yet in DIR/data; sluice serve makes it, or sluice user add (or is it elsewhere? see --data)\n"},
		"a misspelt endpoint": {args: "key add --name x --scope except --endpoint /aa", files: flows, code: 1,
			stderr: "sluice: no endpoint \"/aa\" takes API keys (known: GET /a)\n"},
		"nothing listed": {args: "key add --name x --scope only", files: flows, code: 1, stderr: "sluice: A key of scope only or except lists endpoints.\n"},
	})
}
