package lsp_test

import (
	"slices"
	"strings"
	"testing"
)

const errorsYAML = `
wrong_password:
  status: 403
  message: The current password is wrong.
gone:
  status: 404
  message: It is gone.
`

const typesYAML = `
Money:
  amount: integer
  currency: {type: string, enum: [EUR, USD]}
`

const greetYAML = `about: Greets a user.
node: account.greet
params:
  userId: string
  loud?: boolean
outcomes:
  silent: {kind: notFound, about: There is nobody to greet.}
steps:
  - if: $params.loud
    then:
      - fail: silent
  - return: {text: "Hello"}
`

var neighbours = map[string]string{"errors.yaml": errorsYAML, "types.yaml": typesYAML, "lib/greet.yaml": greetYAML}

// head is what the flows of the tests begin with.
const head = `about: A test.
endpoint: POST /test
session: required
input:
  body:
    email: {type: string, format: email, description: Address of the user.}
    items: {type: array, maxItems: 3, items: {name: string, count: integer}}
    note?: string
`

type completions struct {
	Items []struct {
		Label, Detail string
		Documentation struct{ Value string }
		TextEdit      struct {
			Range   struct{ Start, End struct{ Line, Character int } }
			NewText string
		}
	}
}

func (c completions) labels() []string {
	var all []string
	for _, i := range c.Items {
		all = append(all, i.Label)
	}
	return all
}

// TestComplete keeps the promise that what can stand at a place is offered there,
// and what cannot is not, in a text that is not finished as well.
func TestComplete(t *testing.T) {
	const user = `
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
`
	const pays = `about: A test.
endpoint: POST /test
session: none
input:
  body:
    pay:
      oneOf:
        - {by: {type: string, const: card}, no: string}
        - {by: {type: string, const: bill}, to: string}
steps:
  - switch: $body.pay.by
    cases:
`
	tests := map[string]struct {
		text    string
		want    []string // are among the labels
		wantNot []string
		none    bool
	}{
		"keys at the top":               {text: "about: x\nendpoint: GET /\n‸", want: []string{"session", "steps", "limit"}, wantNot: []string{"about", "endpoint", "params"}},
		"keys at the top, half typed":   {text: "about: x\nendpoint: GET /\nse‸\nsteps:\n  - respond: 200\n", want: []string{"session"}, wantNot: []string{"steps"}},
		"keys at the top of a node":     {text: "about: x\nnode: a.b\n‸", want: []string{"params", "outcomes", "steps"}, wantNot: []string{"session", "node"}},
		"words of session":              {text: "session: ‸\n", want: []string{"required", "optional", "none"}},
		"words of session, half typed":  {text: "about: x\nsession: re‸\nsteps:\n", want: []string{"required"}},
		"keys of input":                 {text: "endpoint: POST /\ninput:\n  ‸", want: []string{"path", "query", "headers", "body"}},
		"type words":                    {text: "input:\n  body:\n    a: ‸\n", want: []string{"string", "integer", "Money", "Session"}},
		"type words in a schema":        {text: "input:\n  body:\n    a: {type: ‸}\n", want: []string{"string", "Money"}},
		"keys of a schema":              {text: "input:\n  body:\n    a: {type: string, ‸}\n", want: []string{"format", "minLength", "enum"}, wantNot: []string{"type", "minimum", "items"}},
		"keys of an integer":            {text: "input:\n  body:\n    a: {type: integer, m‸\n", want: []string{"minimum", "maximum"}, wantNot: []string{"minLength"}},
		"formats":                       {text: "input:\n  body:\n    a: {type: string, format: ‸}\n", want: []string{"email", "uuid"}},
		"limit":                         {text: "limit: {‸}\n", want: []string{"rate", "per"}},
		"a new step":                    {text: head + user + "  - ‸", want: []string{"node", "if", "respond", "id"}},
		"a new step, half typed":        {text: head + user + "  - no‸\n  - respond: 200\n", want: []string{"node"}},
		"keys of a step":                {text: head + "steps:\n  - id: user\n    node: user.fetch\n    ‸\n  - respond: 200\n", want: []string{"with", "on", "timeout"}, wantNot: []string{"then", "id", "node"}},
		"the verb below an id":          {text: head + "steps:\n  - id: user\n    n‸\n", want: []string{"node", "each"}, wantNot: []string{"id"}},
		"keys of an if":                 {text: head + "steps:\n  - if: $body.note\n    ‸", want: []string{"then", "else"}, wantNot: []string{"with"}},
		"nodes":                         {text: head + "steps:\n  - node: ‸", want: []string{"user.fetch", "password.check", "account.greet"}},
		"nodes, half typed":             {text: head + "steps:\n  - node: user.f‸\n    with: {email: $body.email}\n", want: []string{"user.fetch"}},
		"parameters":                    {text: head + "steps:\n  - node: password.check\n    with: {user: $user, ‸}\n", want: []string{"password"}, wantNot: []string{"user"}},
		"parameters, bracket open":      {text: head + "steps:\n  - node: password.check\n    with: {user: $user, pa‸\n  - respond: 200\n", want: []string{"password"}, wantNot: []string{"user"}},
		"parameters in a block":         {text: head + "steps:\n  - node: password.check\n    with:\n      ‸\n  - respond: 200\n", want: []string{"user", "password"}},
		"parameters of a node flow":     {text: head + "steps:\n  - node: account.greet\n    with: {‸}\n", want: []string{"userId", "loud"}},
		"outcomes":                      {text: head + "steps:\n  - node: user.fetch\n    on: {‸}\n", want: []string{"notFound"}},
		"outcomes in a block":           {text: head + "steps:\n  - node: password.check\n    on:\n      ‸\n", want: []string{"mismatch"}},
		"outcomes of a node flow":       {text: head + "steps:\n  - node: account.greet\n    on: {s‸}\n", want: []string{"silent"}},
		"what to do on an outcome":      {text: head + "steps:\n  - node: user.fetch\n    on: {notFound: ‸}\n", want: []string{"continue"}},
		"errors":                        {text: head + "steps:\n  - fail: ‸", want: []string{"wrong_password", "gone"}},
		"errors of a node flow":         {text: strings.Replace(greetYAML, "account.greet", "account.other", 1) + "  - fail: ‸", want: []string{"silent", "gone"}},
		"names":                         {text: head + user + "  - node: password.check\n    with: {user: $‸}\n", want: []string{"$user", "$body", "$session", "$request"}, wantNot: []string{"$query", "$path", "$params"}},
		"names where nothing is typed":  {text: head + user + "  - node: password.check\n    with: {user: ‸}\n", want: []string{"$user", "$body"}},
		"a name that is not set yet":    {text: head + "steps:\n  - node: password.set\n    with: {userId: $‸}\n" + "  - id: later\n    node: user.fetch\n    with: {id: $session.userId}\n", want: []string{"$body"}, wantNot: []string{"$later"}},
		"properties":                    {text: head + user + "  - respond: 200\n    body: {id: $user.‸}\n", want: []string{"id", "email"}, wantNot: []string{"$user"}},
		"properties, half typed":        {text: head + user + "  - respond: 200\n    body:\n      id: $user.em‸\n", want: []string{"email"}},
		"properties of the body":        {text: head + "steps:\n  - respond: 200\n    body: $body.‸", want: []string{"email", "items", "note"}},
		"properties in a text":          {text: head + user + "  - respond: 200\n    body: {text: \"Hello {$user.‸\n", want: []string{"name", "email"}},
		"properties in a closed text":   {text: head + user + "  - respond: 200\n    body: {text: \"👋 Hello {$user.‸}!\"}\n", want: []string{"name", "email"}},
		"properties in an expression":   {text: head + "steps:\n  - respond: 200\n    body: {n: \"= len($body.‸)\"}\n", want: []string{"items"}},
		"properties in a condition":     {text: head + user + "  - if: not $user.‸", want: []string{"disabled"}},
		"an item of a list":             {text: head + "steps:\n  - each: $body.items\n    as: thing\n    do:\n      - node: user.fetch\n        with: {email: $thing.‸}\n", want: []string{"name", "count"}},
		"collect sees the block":        {text: head + "steps:\n  - id: all\n    each: $body.items\n    do:\n      - id: one\n        node: user.fetch\n        with: {email: $item.name}\n    collect: $‸\n", want: []string{"$one", "$item"}},
		"a caught error":                {text: head + "steps:\n  - try:\n      - node: user.fetch\n        with: {id: $session.userId}\n    catch:\n      any:\n        - respond: 200\n          body: $error.‸\n", want: []string{"code", "message"}},
		"an outcome's steps":            {text: head + "steps:\n  - id: user\n    node: user.fetch\n    with: {email: $body.email}\n    on:\n      notFound:\n        - fail: ‸\n", want: []string{"gone"}},
		"a step inside then":            {text: head + "steps:\n  - if: $body.note\n    then:\n      - ‸\n  - respond: 200\n", want: []string{"node", "respond"}},
		"named types of results":        {text: head + user + "  - let:\n      who: $user\n  - respond: 200\n    body: $who.‸\n", want: []string{"email"}},
		"broken below":                  {text: head + user + "  - respond: 200\n    body: $user.‸\n  - x: {{{\n", want: []string{"email"}},
		"broken above":                  {text: head + "  - {{{ broken\nsteps:\n  - node: password.check\n    with:\n      ‸\n", want: []string{"user", "password"}},
		"nothing in a comment":          {text: head + "# $‸\n" + user, none: true},
		"nothing in plain words":        {text: "about: a $‸\n", none: true},
		"nothing behind two dollars":    {text: head + "steps:\n  - respond: 200\n    body: {a: $$b‸}\n", none: true},
		"nothing in an id":              {text: head + "steps:\n  - id: ‸\n", none: true},
		"forms of a union":              {text: "input:\n  body:\n    a: {oneOf: [string, ‸]}\n", want: []string{"integer", "Money"}},
		"keys beside oneOf":             {text: "input:\n  body:\n    a:\n      oneOf: [string]\n      ‸\n", want: []string{"discriminator", "not"}, wantNot: []string{"oneOf"}},
		"properties of a form":          {text: pays + "      card:\n        - respond: 200\n          body: $body.pay.‸\n", want: []string{"by", "no"}, wantNot: []string{"to"}},
		"properties of a union":         {text: pays + "      card:\n        - respond: 204\n    else:\n      - respond: 200\n        body: {x: $body.‸}\n", want: []string{"pay"}},
		"words of answer":               {text: "answer: ‸\n", want: []string{"json", "events"}},
		"properties in a when":          {text: head + user + "  - respond: 200\n    when: $user.‸\n", want: []string{"disabled"}},
		"keys of a send":                {text: head + "steps:\n  - send: a\n    ‸\n", want: []string{"data", "eventId", "when"}, wantNot: []string{"body", "id"}},
		"what a send carries":           {text: head + user + "  - send: a\n    data: {id: $user.‸}\n", want: []string{"id", "email"}},
		"truths of a boolean parameter": {text: head + "steps:\n  - node: account.greet\n    with: {userId: x, loud: ‸}\n", want: []string{"true", "false", "$body"}},
	}
	e := start(t, project(t, neighbours))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := decode[completions](t, e.request("textDocument/completion", e.at("test.yaml", tt.text))).labels()
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("complete(%q) = %q, want %q among them", tt.text, got, w)
				}
			}
			for _, w := range tt.wantNot {
				if slices.Contains(got, w) {
					t.Errorf("complete(%q) = %q, want no %q", tt.text, got, w)
				}
			}
			if tt.none && len(got) > 0 {
				t.Errorf("complete(%q) = %q, want nothing", tt.text, got)
			}
		})
	}
}

// TestCompleteOtherFiles keeps the promise that the two files beside the flows are
// completed as well.
func TestCompleteOtherFiles(t *testing.T) {
	tests := map[string]struct{ file, text, want string }{
		"keys of an error":   {"errors.yaml", "gone:\n  ‸", "status"},
		"types of types":     {"types.yaml", "Money:\n  amount: ‸\n", "integer"},
		"a type of its own":  {"types.yaml", "Money: {a: string}\nPrice:\n  of: ‸\n", "User"},
		"a schema in a type": {"types.yaml", "Money: {type: string, ‸}\n", "format"},
	}
	e := start(t, project(t, neighbours))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := decode[completions](t, e.request("textDocument/completion", e.at(tt.file, tt.text))).labels()
			if !slices.Contains(got, tt.want) {
				t.Errorf("complete(%q) = %q, want %q among them", tt.text, got, tt.want)
			}
		})
	}
}

// TestCompleteTells keeps the promise that an offer says what it is, and that
// taking it changes what was typed of it and nothing else, counted as editors count.
func TestCompleteTells(t *testing.T) {
	e := start(t, project(t, neighbours))
	text := head + `steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
  - respond: 200
    body: {text: "😀 {$body.em‸"}
`
	got := decode[completions](t, e.request("textDocument/completion", e.at("test.yaml", text)))
	i := slices.Index(got.labels(), "email")
	if i < 0 {
		t.Fatalf("complete = %q, want email among them", got.labels())
	}
	item := got.Items[i]
	if item.Detail != "string (email)" || item.Documentation.Value != "Address of the user." {
		t.Errorf("email is %q, %q, want string (email), Address of the user.", item.Detail, item.Documentation.Value)
	}
	r := item.TextEdit.Range
	from := len([]rune(`    body: {text: "😀 {$body.`)) + 1 // the emoji is two
	if r.Start.Character != from || r.End.Character != from+2 || item.TextEdit.NewText != "email" {
		t.Errorf("email replaces %d to %d by %q, want %d to %d by email", r.Start.Character, r.End.Character, item.TextEdit.NewText, from, from+2)
	}
	keys := decode[completions](t, e.request("textDocument/completion", e.at("test.yaml", "se‸: none\n")))
	if i := slices.Index(keys.labels(), "session"); i < 0 || keys.Items[i].TextEdit.NewText != "session" {
		t.Errorf("complete = %+v, want session without a second colon", keys.Items)
	}
}

// TestCompleteKnowsWhatAWhenProves keeps the promise that a step with when: is
// offered what is there where the condition holds.
func TestCompleteKnowsWhatAWhenProves(t *testing.T) {
	e := start(t, project(t, neighbours))
	for when, want := range map[string]string{"": "User, may be absent", "    when: $user\n": "User"} {
		text := head + `steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  - respond: 200
` + when + `    body: {who: $us‸}
  - respond: 204
`
		got := decode[completions](t, e.request("textDocument/completion", e.at("test.yaml", text)))
		i := slices.Index(got.labels(), "$user")
		if i < 0 || got.Items[i].Detail != want {
			t.Errorf("complete(%q) = %+v, want $user as %q", text, got.Items, want)
		}
	}
}
