package flowtext_test

import (
	"strings"
	"testing"

	"sluice/server/flowtext"
)

const flow = `# About the whole file.
about: Sign a user in.   # a sentence
endpoint: POST /in
session: none

input:
  body:
    email:    {type: string, format: email}   # where they are
    password: {type: string, format: password}

steps:
  # Who it is.
  - id: user
    node: user.fetch   # by address
    with: {email: $body.email}
    on: {notFound: continue}   # checked below

  # Whether it is.
  - id: proof
    node: password.check
    with:
      user: $user
      # not shown
      password: $body.password
    on:
      mismatch:
        - fail: invalid_credentials

  - respond: 200
    body: {user: $user}
`

func TestEditsChangeTheirLines(t *testing.T) {
	set := func(place, json string) func(*flowtext.Tree) (string, error) {
		return func(tree *flowtext.Tree) (string, error) { return tree.Set(place, node(t, json)) }
	}
	unset := func(place string) func(*flowtext.Tree) (string, error) {
		return func(tree *flowtext.Tree) (string, error) { return tree.Unset(place) }
	}
	insert := func(place, json string) func(*flowtext.Tree) (string, error) {
		return func(tree *flowtext.Tree) (string, error) { return tree.Insert(place, node(t, json)) }
	}
	for name, c := range map[string]struct {
		do   func(*flowtext.Tree) (string, error)
		from string // what is replaced
		to   string // by what
	}{
		"a value in brackets":    {set("steps/0/with/email", `"$body.mail"`), "{email: $body.email}", "{email: $body.mail}"},
		"a value on a line":      {set("session", `"required"`), "session: none", "session: required"},
		"a value with a comment": {set("about", `"Let: somebody in."`), "about: Sign a user in.   # a", `about: "Let: somebody in."   # a`},
		"one more in brackets":   {set("steps/0/with/id", `"$body.id"`), "{email: $body.email}", "{email: $body.email, id: $body.id}"},
		"one more on a line":     {set("steps/1/with/account", `"$body.email"`), "      password: $body.password\n", "      password: $body.password\n      account: $body.email\n"},
		"a key in its order":     {set("groups", `["admin"]`), "session: none\n", "session: none\ngroups: [admin]\n"},
		"a first key":            {set("steps/2/headers/X-Note", `"a"`), "  - respond: 200\n", "  - respond: 200\n    headers: {X-Note: a}\n"},
		"a field of the input":   {set("input/body/name", `{"type": "string"}`), "format: password}\n", "format: password}\n    name: {type: string}\n"},
		"a field that may lack":  {set("input/body/name?", `"string"`), "format: password}\n", "format: password}\n    name?: string\n"},
		"one that now may lack":  {func(tree *flowtext.Tree) (string, error) { return tree.Key("input/body/email", "email?") }, "    email:", "    email?:"},
		"the same in brackets":   {func(tree *flowtext.Tree) (string, error) { return tree.Key("steps/0/with/email", "email?") }, "{email: $", `{"email?": $`},
		"a part of the input":    {set("input/query/page", `"integer"`), "input:\n  body:", "input:\n  query:\n    page: integer\n  body:"},
		"a block in brackets": {
			set("steps/0/on/notFound", `[{"fail": "gone"}]`), "on: {notFound: continue}   # checked below\n", "on:   # checked below\n      notFound:\n        - fail: gone\n",
		},
		"a block beside":              {insert("steps/1/on/throttled/0", `{"fail": "late"}`), "        - fail: invalid_credentials\n", "        - fail: invalid_credentials\n      throttled:\n        - fail: late\n"},
		"the only one":                {unset("steps/1/on/mismatch/0"), "    on:\n      mismatch:\n        - fail: invalid_credentials\n", ""},
		"one in brackets":             {unset("steps/0/on/notFound"), "    on: {notFound: continue}   # checked below\n", ""},
		"one with a comment":          {unset("steps/1/with/password"), "      # not shown\n      password: $body.password\n", ""},
		"a step":                      {unset("steps/0"), flow[strings.Index(flow, "  # Who"):strings.Index(flow, "  # Whether")], ""},
		"the last step":               {unset("steps/2"), "\n  - respond: 200\n    body: {user: $user}\n", ""},
		"a first key away":            {unset("steps/0/id"), "- id: user\n    node", "- node"},
		"a step in front":             {insert("steps/1", `{"let": {"a": 1}}`), "  # Whether", "  - let: {a: 1}\n\n  # Whether"},
		"a step behind":               {insert("steps/9", `{"let": {"a": 1}}`), "    body: {user: $user}\n", "    body: {user: $user}\n\n  - let: {a: 1}\n"},
		"a text with a number's look": {set("steps/0/with/email", `"12"`), "{email: $body.email}", `{email: "12"}`},
	} {
		got, err := c.do(read(t, flow))
		if want := strings.Replace(flow, c.from, c.to, 1); err != nil || got != want {
			t.Errorf("%s gives %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
}

func TestMoveTakesCommentsAlong(t *testing.T) {
	got, at, err := read(t, flow).Move("steps/0", "steps/1/on/mismatch/1")
	who := flow[strings.Index(flow, "  # Who"):strings.Index(flow, "\n  # Whether")]
	want := strings.Replace(flow, who+"\n", "", 1)
	inner := strings.ReplaceAll("\n"+strings.TrimSuffix(who, "\n"), "\n", "\n      ") + "\n"
	want = strings.Replace(want, "        - fail: invalid_credentials\n", "        - fail: invalid_credentials\n"+inner[1:], 1)
	if err != nil || got != want || at != "steps/0/on/mismatch/1" {
		t.Errorf("Move(steps/0) = %s, %v\n%s\nwant\n%s", at, err, got, want)
	}
	if _, _, err := read(t, flow).Move("steps/1", "steps/1/on/mismatch/0"); err == nil {
		t.Error("Move(steps/1) into itself = no error, want one")
	}
}

func TestWrapPutsAStepIntoAnother(t *testing.T) {
	got, err := read(t, flow).Wrap("steps/2", flowtext.Map("if", flowtext.Word("$user")), "then")
	want := strings.Replace(flow, "  - respond: 200\n    body: {user: $user}\n", "  - if: $user\n    then:\n      - respond: 200\n        body: {user: $user}\n", 1)
	if err != nil || got != want {
		t.Errorf("Wrap(steps/2) = %v\n%s\nwant\n%s", err, got, want)
	}
}

func TestEditsOfWhatIsNotThereAreRefused(t *testing.T) {
	tree := read(t, flow)
	for name, do := range map[string]func() (string, error){
		"unset":           func() (string, error) { return tree.Unset("steps/7/with") },
		"set below text":  func() (string, error) { return tree.Set("session/x", flowtext.Word("a")) },
		"name":            func() (string, error) { return tree.Key("inputs", "input") },
		"name twice":      func() (string, error) { return tree.Key("session", "about") },
		"insert in a map": func() (string, error) { return tree.Insert("input/0", flowtext.Word("a")) },
		"copy":            func() (string, error) { return tree.Copy("input", "steps/0") },
		"wrap":            func() (string, error) { return tree.Wrap("about", nil, "try") },
	} {
		if got, err := do(); err == nil {
			t.Errorf("%s = %q, want an error", name, got)
		}
	}
}
