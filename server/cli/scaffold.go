package cli

import (
	"fmt"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sluice/flows"
)

// What new writes.

const helloFlow = `# yaml-language-server: $schema=schema.json
about: Greet whoever asks.
endpoint: GET /hello
session: none                    # anybody may call; "required" would want a session

input:
  query:
    name?: {type: string, minLength: 1, maxLength: 100}

steps:
  - if: $query.name
    then:
      - respond: 200
        body: {greeting: "Hello, {$query.name}."}
  - respond: 200
    body: {greeting: "Hello."}
`

const helloTest = `- name: somebody with a name is greeted by it
  send: {query: {name: Ada}}
  want: {status: 200, body: {greeting: "Hello, Ada."}}

- name: others are greeted too
  want: {status: 200, body: {greeting: "Hello."}}

- name: an empty name is refused
  send: {query: {name: ""}}
  want: {status: 400}
`

const errorsFile = `# The errors that flows can fail with: the code, the status of the answer, and a sentence
# that the caller's user may read. "fail: CODE" uses them.

sold_out:
  status: 409
  message: There are none left.
`

const appMain = `// Command NAME serves the flows of this folder, with nodes of its own.
//
// The flows need no Go: sluice serve serves them as they are. Once there are nodes
// of your own, a go.mod makes this folder a module:
//
//	go mod init NAME
//	go mod edit -require=sluice@v0.0.0 -replace=sluice=../sluice
//	go mod tidy
//	go run . serve
//
// Here ../sluice is where the source of Sluice is. Nodes are named in main, such as
// what "sluice new node stock.reserve" makes:
//
//	func main() { cli.Run(server.With(stock.Reserve)) }
package main

import "sluice/server/cli"

func main() { cli.Run() }
`

// authFlows are the shipped flows for accounts and sessions, with their tests and
// errors.
func authFlows() (files []made, err error) {
	err = fs.WalkDir(flows.FS, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || file != "errors.yaml" && !strings.HasPrefix(file, "auth/") && !strings.HasPrefix(file, "mail/") {
			return err
		}
		text, err := fs.ReadFile(flows.FS, file)
		files = append(files, made{"flows/" + file, string(text)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the flows that come with Sluice: %w", err)
	}
	return files, nil
}

var (
	flowName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*$`)
	pathNames = regexp.MustCompile(`\{([^}]*)\}`)
)

// A newFlow is a flow that is made.
type newFlow struct {
	name, endpoint, session string
	schema                  string // where its schema is, from the flow; "" for nowhere
}

// takes lists the names in the path, and whether there is a body.
func (f newFlow) takes() (names []string, body bool) {
	for _, m := range pathNames.FindAllStringSubmatch(f.endpoint, -1) {
		names = append(names, m[1])
	}
	method, _, _ := strings.Cut(f.endpoint, " ")
	return names, slices.Contains([]string{"POST", "PUT", "PATCH"}, method)
}

// gives is the body of the answer, by references or, in the test, by values.
func (f newFlow) gives(value func(group, name string) string) string {
	names, body := f.takes()
	var all []string
	for _, n := range names {
		all = append(all, n+": "+value("path", n))
	}
	if body {
		all = append(all, "note: "+value("body", "note"))
	}
	if len(all) == 0 {
		all = []string{"done: true"}
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func (f newFlow) text() string {
	var b strings.Builder
	if f.schema != "" {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", f.schema)
	}
	fmt.Fprintf(&b, "about: Say in a sentence what this endpoint is for.\nendpoint: %s\nsession: %s\n", f.endpoint, f.session)
	names, body := f.takes()
	if len(names) > 0 || body {
		b.WriteString("\ninput:\n")
	}
	if len(names) > 0 {
		b.WriteString("  path:\n")
		for _, n := range names {
			fmt.Fprintf(&b, "    %s: {type: string, maxLength: 100}\n", n)
		}
	}
	if body {
		b.WriteString("  body:\n    note: {type: string, maxLength: 1000}\n")
	}
	fmt.Fprintf(&b, "\nsteps:\n  - respond: 200\n    body: %s\n", f.gives(func(group, name string) string { return "$" + group + "." + name }))
	return b.String()
}

func (f newFlow) test() string {
	names, body := f.takes()
	var send []string
	if len(names) > 0 {
		var values []string
		for _, n := range names {
			values = append(values, n+": one")
		}
		send = append(send, "path: {"+strings.Join(values, ", ")+"}")
	}
	if body {
		send = append(send, "body: {note: one}")
	}
	sent := ""
	if send != nil {
		sent = "  send: {" + strings.Join(send, ", ") + "}\n"
	}
	var b strings.Builder
	b.WriteString("- name: a caller is answered\n")
	if f.session != "none" {
		b.WriteString("  given:\n    users: [{email: ada@example.com}]\n    session: ada\n")
	}
	fmt.Fprintf(&b, "%s  want: {status: 200, body: %s}\n", sent, f.gives(func(string, string) string { return "one" }))
	if f.session == "required" {
		fmt.Fprintf(&b, "\n- name: a caller without a session is refused\n%s  want: {status: 401}\n", sent)
	}
	return b.String()
}

var nodeName = regexp.MustCompile(`^([a-z][a-z0-9]*)\.([a-z][A-Za-z0-9]*)$`)

func (c *call) newNode(name string) error {
	m := nodeName.FindStringSubmatch(name)
	if m == nil || token.IsKeyword(m[1]) || m[1] == "main" {
		return misused(fmt.Sprintf("%q cannot name a node in Go; write noun.verb, as in stock.reserve", name))
	}
	family, verb := m[1], m[2]
	// The function is named after the verb, unless that means something in Go.
	fn := verb
	if token.IsKeyword(verb) || types.Universe.Lookup(verb) != nil || slices.Contains([]string{"init", "main", "context", "engine", "errors", "testing"}, verb) {
		fn += "It"
	}
	dir := filepath.Join(c.Dir, family)
	others, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return fmt.Errorf("looking for nodes: %w", err)
	}
	about := "// Package " + family + " holds nodes for flows.\n"
	if len(others) > 0 {
		about = "" // one of them says it
	}
	filled := strings.NewReplacer("ABOUT", about, "FAMILY", family, "NAME", name, "EXPORTED", strings.ToUpper(verb[:1])+verb[1:], "VERB", verb, "FUNC", fn)
	file := strings.ToLower(verb)
	if strings.HasSuffix(file, "test") || slices.Contains([]string{"linux", "windows", "darwin", "unix", "js", "wasm"}, file) {
		file += "node" // Go reads the ends of file names
	}
	files := []made{
		{path.Join(family, file+".go"), filled.Replace(nodeCode)},
		{path.Join(family, file+"_test.go"), filled.Replace(nodeTest)},
	}
	if err := c.place(c.Dir, files); err != nil {
		return err
	}
	c.tellPlaced(c.Dir, files)
	if _, err := os.Stat(filepath.Join(c.Dir, "go.mod")); err != nil {
		fmt.Fprintln(c.Stdout, "It needs a go.mod; \"sluice new app\" makes a main that says how.")
	}
	fmt.Fprintf(c.Stdout, "Name it in main: cli.Run(server.With(%s.%s))\n", family, strings.ToUpper(verb[:1])+verb[1:])
	return nil
}

const nodeCode = `ABOUTpackage FAMILY

import (
	"context"

	"sluice/engine"
)

var VERBRefused = engine.NewOutcome("refused", engine.Invalid, "This cannot be done.")

// EXPORTED is the node NAME.
var EXPORTED = engine.Define("NAME", "Says in a sentence what the node does.", FUNC, VERBRefused)

type VERBIn struct {
	Text string ` + "`json:\"text\" doc:\"What to do it with.\" max:\"100\"`" + `
}

type VERBOut struct {
	Text string ` + "`json:\"text\" doc:\"What came of it.\"`" + `
}

func FUNC(_ context.Context, in VERBIn) (VERBOut, error) {
	if in.Text == "" {
		return VERBOut{}, VERBRefused
	}
	return VERBOut{Text: in.Text}, nil
}
`

const nodeTest = `package FAMILY

import (
	"errors"
	"testing"
)

func TestEXPORTED(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want string
		err  error
	}{
		"a text":  {in: "one", want: "one"},
		"nothing": {err: VERBRefused},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FUNC(t.Context(), VERBIn{Text: c.in})
			if got.Text != c.want || !errors.Is(err, c.err) {
				t.Errorf("FUNC(%q) = %q, %v, want %q, %v", c.in, got.Text, err, c.want, c.err)
			}
		})
	}
}
`
