package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"sluice/flows"
	"sluice/server"
	"sluice/server/schema"
)

// generated is the schema of the flows that come with Sluice.
func generated(t *testing.T) []byte {
	t.Helper()
	nodes, err := server.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := server.Check(server.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range shipped.Nodes {
		nodes = append(nodes, n.Node)
	}
	text, err := schema.Flows(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(generated(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("flow.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("flow.json")
	if err != nil {
		t.Fatalf("the schema is none: %v", err)
	}
	return s
}

// data reads YAML as an editor does, as JSON.
func data(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(textual(v))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// textual makes texts of keys that YAML reads as numbers or booleans.
func textual(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = textual(v[k])
		}
	case map[any]any:
		m := map[string]any{}
		for k, inner := range v {
			text, err := yaml.Marshal(k)
			if err == nil {
				m[strings.TrimSpace(string(text))] = textual(inner)
			}
		}
		return m
	case []any:
		for i := range v {
			v[i] = textual(v[i])
		}
	}
	return v
}

func TestCommittedSchemaIsUpToDate(t *testing.T) {
	committed, err := os.ReadFile("../../flows/schema.json")
	if err != nil || !bytes.Equal(committed, generated(t)) {
		t.Errorf("flows/schema.json is stale, %v; write it anew with go run ./server/cmd/sluice schema -o flows/schema.json", err)
	}
}

func TestShippedFlowsAreValidAndNameTheirSchema(t *testing.T) {
	s := compiled(t)
	seen := 0
	err := fs.WalkDir(flows.FS, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != ".yaml" || strings.HasSuffix(file, ".test.yaml") || file == "errors.yaml" || file == "types.yaml" {
			return err
		}
		seen++
		text, err := fs.ReadFile(flows.FS, file)
		if err != nil {
			return err
		}
		if err := s.Validate(data(t, string(text))); err != nil {
			t.Errorf("Validate(%s) = %v, want nil", file, err)
		}
		want := "# yaml-language-server: $schema=" + strings.Repeat("../", strings.Count(file, "/")) + "schema.json\n"
		if first, _, _ := strings.Cut(string(text), "\n"); first+"\n" != want {
			t.Errorf("%s begins with %q, want %q", file, first, want)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("saw %d flows, %v", seen, err)
	}
}

// Whatever the engine loads is valid, as far as it uses nodes that the schema
// knows.
func TestFlowsWithAllVerbsAreValid(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../graph/testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if path.Base(file) == "errors.yaml" {
			continue
		}
		if err := s.Validate(data(t, string(text))); err != nil {
			t.Errorf("Validate(%s) = %v, want nil", file, err)
		}
	}
}

const flow = `
about: Look somebody up.
endpoint: GET /somebody/{id}
session: none
limit: {rate: 10/min, per: [ip, $path.id]}
input:
  path:
    id: {type: string, format: uuid}
  query:
    q?: {type: integer, minimum: 1, default: 3}
    more?: Place
steps:
  - id: user
    node: user.fetch
    with: {id: $path.id}
    on: {notFound: continue}
  - id: page
    node: session.list
    with: {userId: $path.id, limit: 20}
  - respond: 200
    body: {user: $user}
`

func TestTypicalMistakesAreNotValid(t *testing.T) {
	s := compiled(t)
	if err := s.Validate(data(t, flow)); err != nil {
		t.Fatalf("Validate(flow) = %v, want nil", err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"unknown key":                {"about:", "abuot:"},
		"no session":                 {"session: none\n", ""},
		"session of no kind":         {"session: none", "session: maybe"},
		"no method":                  {"GET /", "/"},
		"lower case method":          {"GET /", "get /"},
		"limit without unit":         {"10/min", "10"},
		"limit per nothing known":    {"per: [ip", "per: [address"},
		"unknown type":               {"type: string,", "type: text,"},
		"unknown format":             {"format: uuid", "format: guid"},
		"unknown word of a type":     {"minimum:", "min:"},
		"unknown part of input":      {"query:", "querry:"},
		"unknown node":               {"user.fetch", "user.find"},
		"unknown parameter":          {"with: {id:", "with: {ids:"},
		"both of two alternatives":   {"with: {id: $path.id}", "with: {id: $path.id, email: $path.id}"},
		"none of two alternatives":   {"    with: {id: $path.id}\n", ""},
		"missing parameter":          {"with: {userId: $path.id, limit: 20}", "with: {limit: 20}"},
		"parameter out of bounds":    {"limit: 20", "limit: 20000"},
		"parameter of a wrong type":  {"limit: 20", "limit: many"},
		"unknown outcome":            {"notFound: continue", "missing: continue"},
		"outcome that leads nowhere": {"notFound: continue", "notFound: go"},
		"outcome of a node without":  {"limit: 20}", "limit: 20}\n    on: {notFound: continue}"},
		"two verbs":                  {"  - respond: 200", "  - respond: 200\n    fail: gone"},
		"no verb":                    {"  - respond: 200\n    body", "  - body"},
		"respond a failure":          {"respond: 200", "respond: 404"},
		"no steps":                   {flow[strings.Index(flow, "steps:"):], "steps: []\n"},
		"id with a dash":             {"id: user\n", "id: the-user\n"},
		"timeout without unit":       {"about:", "timeout: 30\nabout:"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(flow, c.old, c.new, 1)
			if text == flow {
				t.Fatalf("%q is not in the flow", c.old)
			}
			if err := s.Validate(data(t, text)); err == nil {
				t.Errorf("Validate(flow with %q for %q) = nil, want an error", c.new, c.old)
			}
		})
	}
}
