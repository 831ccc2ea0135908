package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server"
	"sluice/server/endpoint"
	"sluice/server/graphql"
)

// files are the flows of the tests.
var files = map[string]string{
	"types.yaml": `Colour: {type: string, enum: [red, green]}
Pot: {title: Paint, type: object, properties: {colour: Colour, "litres?": number, "of?": PotShop}}
PotShop: {title: Shop, type: object, properties: {name: string}}
Thing: {id: integer, "note?": string}
Brush: {allOf: [Thing, {type: object, properties: {width: integer}}]}
Roller: {allOf: [Thing]}
`,
	"errors.yaml": "empty: {status: 409, message: The pot is empty.}\nBadColour: {status: 400, message: There is no such colour.}\n",
	"echo.yaml": `about: Gives back what it takes.
endpoint: POST /echo/{id}
graphql: query echo
session: none
input:
  path: {id: integer}
  query: {"tags?": {type: array, items: string}}
  headers: {"x-trace?": string}
  body:
    n?: {type: integer, format: int32}
    big?: integer
    colour: {type: string, enum: [red, green], default: red}
    maybe: {type: [string, "null"]}
    inner?: {a: string, "b?": boolean}
    free?: any
steps:
  - respond: 200
    body: {id: $path.id, tags: $query.tags, trace: $headers.x-trace, n: $body.n, big: $body.big, colour: $body.colour, maybe: $body.maybe, inner: $body.inner, free: $body.free}
`,
	"paint.yaml": `about: Paints.
graphql: mutation paint
session: required
groups: [painters]
limit: {rate: 100/min}
output: Pot
steps:
  - respond: 200
    body: {colour: green, of: {name: Hues}}
`,
	"who.yaml": `about: Tells who calls.
graphql: {query: who, at: /guarded}
session: required
apiKey: instead
steps:
  - if: $session
    then:
      - respond: 200
        body: {user: $session.userId}
  - respond: 200
    body: {key: $apiKey.name}
`,
	"fail.yaml": `about: Fails.
graphql: mutation fail
session: none
input: {body: {how: {type: string, enum: [declared, capital, broken]}}}
steps:
  - switch: $body.how
    cases:
      declared: [{fail: empty}]
      capital: [{fail: BadColour}]
      broken: [{node: test.broken}, {respond: 204}]
`,
	"brush.yaml":  "about: x\ngraphql: {query: brush, at: /things}\nsession: none\noutput: Brush\nsteps: [{respond: 200, body: {id: 1, width: 2}}]\n",
	"roller.yaml": "about: x\ngraphql: {query: roller, at: /things}\nsession: none\noutput: Roller\nsteps: [{respond: 200, body: {id: 3, note: soft}}]\n",
	"done.yaml":   "about: x\ngraphql: mutation done\nsession: optional\nsteps: [{respond: 204}]\n",
}

// A world has the mounts of files, a painter's session, another one's and a key.
type world struct {
	mounts                []*graphql.Mount
	painter, visitor, key string
	log                   bytes.Buffer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	s := memory.New()
	broken := engine.Define("test.broken", "Breaks.", func(context.Context, engine.None) (engine.None, error) {
		return engine.None{}, errors.New("a secret of the server")
	})
	app, err := engine.Load(fsys, engine.Env{
		Nodes: append(nodes.Core(s, hasher, nodes.Post{}, nodes.Trust{}), broken), Session: engine.TypeOf[session.Session](),
		Request: engine.TypeOf[endpoint.Facts](), APIKey: engine.TypeOf[apikey.Caller](),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := s.Users.Create(t.Context(), user.User{ID: "u1", Email: "a@b.c", EmailKey: "a@b.c"}, ""); err != nil {
		t.Fatal(err)
	}
	open := func(id string, groups ...string) string {
		token, hash := session.NewToken()
		err := s.Sessions.Create(t.Context(), hash, session.Session{
			ID: id, UserID: user.ProvenID{ID: "u1"}, CreationDtm: now, LastSeenDtm: now, Idle: time.Hour,
			End: now.Add(time.Hour), ExpiresDtm: now.Add(time.Hour), AccessGroupKeys: groups,
		})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	w.painter, w.visitor = open("s1", "painters"), open("s2")
	if w.key, _, err = apikey.Make(t.Context(), s.Keys, nil, apikey.Key{Name: "importer", Scope: apikey.Full}); err != nil {
		t.Fatal(err)
	}
	w.mounts, err = graphql.New(app.Flows, endpoint.Deps{Sessions: s.Sessions, APIKeys: s.Keys, Limits: s.Limits, MaxBody: 1 << 16}, slog.New(slog.NewTextHandler(&w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ask sends a body to a path and returns status and body of the answer.
func (w *world) ask(t testing.TB, path, token, body string) (int, string) {
	t.Helper()
	i := slices.IndexFunc(w.mounts, func(m *graphql.Mount) bool { return m.Path() == path })
	a, err := w.mounts[i].Call(t.Context(), &endpoint.Request{
		ID: "r1", Token: token, Body: []byte(body), Header: func(string) []string { return nil },
	})
	if err != nil {
		t.Fatalf("Call(%s) = %v, want an answer", body, err)
	}
	return a.Status, string(a.Body)
}

// query is the body of a request.
func query(document string, variables map[string]any) string {
	text, _ := json.Marshal(map[string]any{"query": document, "variables": variables})
	return string(text)
}

func TestAFieldIsACallOfItsFlow(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		document  string
		variables map[string]any
		want      string
	}{
		"arguments go where the flow takes them": {`{echo(id: 7, tags: ["a", "b"], n: -1, big: 9007199254740993, colour: green, maybe: "m", inner: {a: "x"}, free: {k: [1, null]}) {id tags n big colour maybe inner {a b} free trace}}`, nil,
			`{"data":{"echo":{"id":7,"tags":["a","b"],"n":-1,"big":9007199254740993,"colour":"green","maybe":"m","inner":{"a":"x","b":null},"free":{"k":[1,null]},"trace":null}}}`},
		"absent is not null": {`query ($n: Int, $c: EchoColour, $free: Json) {echo(id: 1, n: $n, colour: $c, maybe: null, free: $free) {n colour maybe free}}`, nil,
			`{"data":{"echo":{"n":null,"colour":"red","maybe":null,"free":null}}}`},
		"null of what may be absent is absent": {`query ($n: Int, $b: Boolean) {echo(id: 1, n: $n, maybe: null, inner: {a: "x", b: $b}) {n inner {b}}}`, map[string]any{"n": nil, "b": nil},
			`{"data":{"echo":{"n":null,"inner":{"b":null}}}}`},
		"a variable in an object": {`query ($a: String!) {echo(id: 1, maybe: null, inner: {a: $a}) {inner {a}}}`, map[string]any{"a": "z"}, `{"data":{"echo":{"inner":{"a":"z"}}}}`},
		"one value for a list":    {`{echo(id: 1, tags: "a", maybe: null) {tags}}`, nil, `{"data":{"echo":{"tags":["a"]}}}`},
		"aliases":                 {`{a: echo(id: 1, maybe: null) {x: id} b: echo(id: 2, maybe: null) {id}}`, nil, `{"data":{"a":{"x":1},"b":{"id":2}}}`},
		"fragments are merged": {`{...Q ... on Query {echo(id: 1, maybe: null) {id}}} fragment Q on Query {echo(id: 1, maybe: null) {...E colour}} fragment E on EchoResult {__typename maybe}`, nil,
			`{"data":{"echo":{"__typename":"EchoResult","maybe":null,"colour":"red","id":1}}}`},
		"directives":      {`query ($t: Boolean!) {echo(id: 1, maybe: null) {id @skip(if: $t) colour @include(if: $t)} __typename @skip(if: true)}`, map[string]any{"t": true}, `{"data":{"echo":{"colour":"red"}}}`},
		"no body is true": {`mutation {done}`, nil, `{"data":{"done":true}}`},
		"what fails is null beside the rest": {`mutation {a: fail(how: declared) b: fail(how: capital) done}`, nil,
			`{"data":{"a":null,"b":null,"done":true},"errors":[{"message":"The pot is empty.","locations":[{"line":1,"column":11}],"path":["a"],"extensions":{"code":"empty"}},` +
				`{"message":"There is no such colour.","locations":[{"line":1,"column":34}],"path":["b"],"extensions":{"code":"BadColour"}}]}`},
		"input that the flow refuses": {`{echo(id: 99999999999999999999, maybe: null) {id}}`, nil,
			`{"data":{"echo":null},"errors":[{"message":"Path.id must be an integer.","locations":[{"line":1,"column":2}],"path":["echo"],"extensions":{"code":"UserInputError","details":{"field":"path.id"}}}]}`},
		"what breaks keeps its cause": {`mutation {fail(how: broken)}`, nil,
			`{"data":{"fail":null},"errors":[{"message":"Internal server error","locations":[{"line":1,"column":11}],"path":["fail"],"extensions":{"code":"internal_error","details":{"requestId":"r1"}}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := w.ask(t, "/graphql", "", query(tt.document, tt.variables))
			if status != 200 || got != tt.want {
				t.Errorf("%s = %d %s\nwant 200 %s", tt.document, status, got, tt.want)
			}
		})
	}
	if !strings.Contains(w.log.String(), "a secret of the server") {
		t.Errorf("the log has %q, want the cause of what broke", w.log.String())
	}
}

// What allOf is made of is an interface of the type.
func TestTypesOfAllOfHaveItsPartsAsInterfaces(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ document, want string }{
		"fields": {`{brush {width ... on Thing {id note}} roller {...T}} fragment T on Thing {__typename id note}`,
			`{"data":{"brush":{"width":2,"id":1,"note":null},"roller":{"__typename":"Roller","id":3,"note":"soft"}}}`},
		"of the interface": {`{__type(name: "Thing") {kind fields {name} interfaces {name} possibleTypes {name}}}`,
			`{"data":{"__type":{"kind":"INTERFACE","fields":[{"name":"id"},{"name":"note"}],"interfaces":[],"possibleTypes":[{"name":"Brush"},{"name":"Roller"}]}}}`},
		"of a type": {`{__type(name: "Roller") {kind interfaces {name} possibleTypes {name}}}`,
			`{"data":{"__type":{"kind":"OBJECT","interfaces":[{"name":"Thing"}],"possibleTypes":null}}}`},
	} {
		if status, got := w.ask(t, "/things", "", query(c.document, nil)); status != 200 || got != c.want {
			t.Errorf("%s: %s = %d %s, want %s", name, c.document, status, got, c.want)
		}
	}
}

func TestCallersAreLetInAsOverREST(t *testing.T) {
	w := newWorld(t)
	dead, _ := session.NewToken()
	const paint, who = `{"query":"mutation {paint {colour of {name}}}"}`, `{"query":"{who {user key}}"}`
	for name, tt := range map[string]struct {
		path, token, body string
		status            int
		want              string // part of the body
	}{
		"the group":                     {"/graphql", w.painter, paint, 200, `{"data":{"paint":{"colour":"green","of":{"name":"Hues"}}}}`},
		"another group":                 {"/graphql", w.visitor, paint, 200, `"extensions":{"code":"ForbiddenError"}`},
		"no session":                    {"/graphql", "", paint, 401, `{"errors":[{"code":401,"message":"`},
		"a dead session":                {"/graphql", dead, paint, 401, `{"errors":[{"code":401,"message":"`},
		"a dead session, public field":  {"/graphql", dead, `{"query":"mutation {done}"}`, 401, `"code":401`},
		"a dead session, no document":   {"/graphql", dead, `{`, 401, `"code":401`},
		"no session, no document":       {"/guarded", "", `{`, 401, `"code":401`},
		"a session":                     {"/guarded", w.visitor, who, 200, `{"data":{"who":{"user":"u1","key":null}}}`},
		"a key behind Bearer":           {"/guarded", w.key, who, 200, `{"data":{"who":{"user":null,"key":"importer"}}}`},
		"a slash behind the path":       {"/guarded/", w.key, who, 200, `"importer"`},
		"a key is no session":           {"/graphql", w.key, paint, 200, `"ForbiddenError"`},
		"schema, for who may not paint": {"/graphql", "", `{"query":"{__typename}"}`, 200, `{"data":{"__typename":"Query"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := w.ask(t, tt.path, tt.token, tt.body)
			if status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("%s = %d %s\nwant %d with %s", tt.body, status, got, tt.status, tt.want)
			}
		})
	}
}

func TestWhatCannotRunIsRefused(t *testing.T) {
	w := newWorld(t)
	deep := "{__type(name: \"Query\") " + strings.Repeat("{ofType ", 25) + "{name}" + strings.Repeat("}", 25) + "}"
	bomb := "{...F0}"
	for i := range 30 {
		next := "F" + string(rune('A'+i))
		if i == 29 {
			next = ""
		}
		name := "F0"
		if i > 0 {
			name = "F" + string(rune('A'+i-1))
		}
		inner := "..." + next + " ..." + next
		if next == "" {
			inner = "__typename"
		}
		bomb += " fragment " + name + " on Query {" + inner + "}"
	}
	var aliases, roots strings.Builder
	for i := range 60 {
		aliases.WriteString("a" + strings.Repeat("b", i) + ":id ")
	}
	for i := range 6 {
		roots.WriteString("m" + strings.Repeat("n", i) + ": done ")
	}
	for name, body := range map[string]string{
		"nothing":             ``,
		"no JSON":             `{`,
		"a list":              `[]`,
		"more behind":         `{"query":"{__typename}"} {}`,
		"no query":            `{"variables":{}}`,
		"query is no text":    `{"query":1}`,
		"variables of a list": `{"query":"{__typename}","variables":[]}`,
		"syntax":              query("{", nil),
		"no such field":       query("{nope}", nil),
		"a subscription":      query("subscription {done}", nil),
		"missing argument":    query("{echo(maybe: null) {id}}", nil),
		"missing variable":    query("query ($i: Long!) {echo(id: $i, maybe: null) {id}}", nil),
		"null variable":       query("query ($i: Long!) {echo(id: $i, maybe: null) {id}}", map[string]any{"i": nil}),
		"text for Int":        query("query ($n: Int) {echo(id: 1, n: $n, maybe: null) {id}}", map[string]any{"n": "5"}),
		"Int beyond 32 bits":  query("query ($n: Int) {echo(id: 1, n: $n, maybe: null) {id}}", map[string]any{"n": 1 << 40}),
		"enum in capitals":    query("query ($c: EchoColour) {echo(id: 1, colour: $c, maybe: null) {id}}", map[string]any{"c": "RED"}),
		"unknown in object":   query("query ($i: EchoInnerInput) {echo(id: 1, inner: $i, maybe: null) {id}}", map[string]any{"i": map[string]any{"a": "x", "z": 1}}),
		"several operations":  query("query A {__typename} query B {__typename}", nil),
		"unknown operation":   `{"query":"query A {__typename}","operationName":"B"}`,
		"a circle":            query("{...A} fragment A on Query {...A}", nil),
		"too deep":            query(deep, nil),
		"a bomb":              query(bomb, nil),
		"too many aliases":    query("{echo(id: 1, maybe: null) {"+aliases.String()+"}}", nil),
		"too many mutations":  query("mutation {"+roots.String()+"}", nil),
		"too many tokens":     query("{"+strings.Repeat("__typename ", 6000)+"}", nil),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			status, got := w.ask(t, "/graphql", "", body)
			if status != 400 || !strings.HasPrefix(got, `{"errors":[{"message":"`) {
				t.Errorf("%.200s = %d %s, want 400 with errors and no data", body, status, got)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%.200s took %v, want it refused at once", body, took)
			}
		})
	}
}

func TestSchemaTellsOfItself(t *testing.T) {
	w := newWorld(t)
	for document, want := range map[string]string{
		`{__type(name: "Paint") {kind name fields {name type {kind name ofType {name}}}}}`: `{"data":{"__type":{"kind":"OBJECT","name":"Paint","fields":[{"name":"colour","type":{"kind":"NON_NULL","name":null,"ofType":{"name":"Colour"}}},` +
			`{"name":"litres","type":{"kind":"SCALAR","name":"Float","ofType":null}},{"name":"of","type":{"kind":"OBJECT","name":"Shop","ofType":null}}]}}}`,
		`{__type(name: "Colour") {enumValues {name isDeprecated}}}`:                          `{"data":{"__type":{"enumValues":[{"name":"red","isDeprecated":false},{"name":"green","isDeprecated":false}]}}}`,
		`{__type(name: "Nobody") {name}}`:                                                    `{"data":{"__type":null}}`,
		`{__schema {queryType {name} mutationType {fields {name}} subscriptionType {name}}}`: `{"data":{"__schema":{"queryType":{"name":"Query"},"mutationType":{"fields":[{"name":"done"},{"name":"fail"},{"name":"paint"}]},"subscriptionType":null}}}`,
		`{__type(name: "Query") {fields {args {name defaultValue}}}}`:                        `{"data":{"__type":{"fields":[{"args":[{"name":"id","defaultValue":null},{"name":"tags","defaultValue":null},{"name":"n","defaultValue":null},{"name":"big","defaultValue":null},{"name":"colour","defaultValue":"red"},{"name":"maybe","defaultValue":null},{"name":"inner","defaultValue":null},{"name":"free","defaultValue":null}]}]}}}`,
	} {
		if status, got := w.ask(t, "/graphql", "", query(document, nil)); status != 200 || got != want {
			t.Errorf("%s = %d %s\nwant 200 %s", document, status, got, want)
		}
	}
}

// What is committed is what the shipped flows make.
func TestSchemaIsFresh(t *testing.T) {
	loaded, err := server.Check(server.Config{Dir: "../..", Flows: "flows", Compat: []string{"tenant"}})
	if err != nil {
		t.Fatal(err)
	}
	for path, file := range map[string]string{"/graphql": "flows/schema.graphql", "/tenant": "flows/tenant/schema.graphql"} {
		committed, err := os.ReadFile("../../" + file)
		if want := graphql.SDL(path, loaded.Served); err != nil || string(committed) != want {
			t.Errorf("%s is stale, %v; write it anew with go run ./server/cmd/sluice graphql --at %s -o %s", file, err, path, file)
		}
	}
}

// No request makes the server fail, and every answer is JSON.
func FuzzCall(f *testing.F) {
	w := newWorld(f)
	for _, body := range []string{
		query(`query ($n: Int = 1, $i: EchoInnerInput) {e: echo(id: 1, n: $n, maybe: null, inner: $i) {...E}} fragment E on EchoResult {id inner {a}}`, map[string]any{"n": 2, "i": map[string]any{"a": "x"}}),
		query(`mutation {fail(how: declared) done @skip(if: true)}`, nil), query(`{__schema {types {name fields {name}}}}`, nil),
		`{"query":"{","operationName":null}`, `[]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		status, got := w.ask(t, "/graphql", "", body)
		if status != 200 && status != 400 && status != 401 || !json.Valid([]byte(got)) {
			t.Errorf("%q = %d %q, want 200, 400 or 401 with JSON", body, status, got)
		}
	})
}
