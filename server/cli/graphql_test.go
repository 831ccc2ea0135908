package cli_test

import (
	"strings"
	"testing"
)

func TestGraphqlWritesTheSchemaOfOnePath(t *testing.T) {
	field := func(graphql string) string {
		return "about: Say it.\ngraphql: " + graphql + "\nsession: none\nsteps: [{respond: 200, body: {said: true}}]\n"
	}
	files := map[string]string{"flows/a.yaml": field("query a"), "flows/b.yaml": field("{mutation: b, at: /team}"), "flows/c.yaml": hello("/c")}
	for args, want := range map[string]string{
		"graphql":            "type Query {\n  \"Say it.\"\n  a: AResult\n}\n",
		"graphql --at /team": "type Mutation {\n  \"Say it.\"\n  b: BResult\n}\n",
	} {
		code, stdout, stderr := try{args: args, files: files}.run(t)
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("sluice %s = %d %s\n%s\nwant %s", args, code, stderr, stdout, want)
		}
	}
	check(t, map[string]try{
		"another path": {args: "graphql --at /tame", files: files, code: 1, stderr: "sluice: no flow is a field of GraphQL at /tame (did you mean /team?)\n"},
		"routes": {args: "routes", files: files, stdout: "METHOD    PATH        SESSION  GROUPS  FLOW    ABOUT\n" +
			"GET       /c          none     -       c.yaml  Say hello.\n" +
			"QUERY     /graphql#a  none     -       a.yaml  Say it.\nMUTATION  /team#b     none     -       b.yaml  Say it.\n"},
	})
}
