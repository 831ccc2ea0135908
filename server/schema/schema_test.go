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
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"sluice/engine"
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
		if err != nil || path.Ext(file) != ".yaml" || strings.HasSuffix(file, ".test.yaml") || file == "errors.yaml" || path.Base(file) == "types.yaml" {
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

// typeFlow uses the words of types that look at several types.
const typeFlow = `
about: Take shapes.
endpoint: POST /shapes
session: none
input:
  body:
    shape:
      oneOf: [Circle, {kind: {type: string, const: square}, side: integer}, {type: "null"}]
      discriminator: {propertyName: kind, mapping: {circle: Circle}}
    size: {type: [integer, string, "null"], minimum: 1, maxLength: 9, enum: [1, big, null]}
    user: {allOf: [Base, {type: object, properties: {"name?": string}, minProperties: 1}], description: A user.}
    some: {type: object, properties: {"a?": string, "b?": integer}, anyOf: [{a: string}, {b: integer}], not: {a: string, b: integer}}
    pair: {type: array, prefixItems: [string, integer], items: false, default: [a, 1]}
    list: {type: array, items: number, contains: {type: number, minimum: 3}, minContains: 0, maxContains: 2, uniqueItems: true}
    open: {type: object, properties: {id: {type: string, readOnly: true}}, additionalProperties: true, unevaluatedProperties: false}
    names: {type: object, patternProperties: {"^x": integer}, propertyNames: {type: string, maxLength: 9}, dependentRequired: {x: [y]}, dependentSchemas: {x: {y: string}}}
    card: {type: object, properties: {by: string, "no?": string}, if: {by: {type: string, const: card}}, then: {no: string}, else: {by: string}}
    pin: {type: string, writeOnly: true, deprecated: true, title: A PIN, examples: ["1"]}
    count: {type: integer, format: int32, exclusiveMinimum: 0, multipleOf: 2}
steps:
  - respond: 204
`

func TestTypesAreJudgedAsTheEngineDoes(t *testing.T) {
	s := compiled(t)
	load := func(flow string) error {
		_, err := engine.Load(fstest.MapFS{
			"flow.yaml":  {Data: []byte(flow)},
			"types.yaml": {Data: []byte("Circle: {kind: {type: string, const: circle}, radius: number}\nBase: {id: string}\n")},
		}, engine.Env{})
		return err
	}
	if err := s.Validate(data(t, typeFlow)); err != nil {
		t.Fatalf("Validate(typeFlow) = %v, want nil", err)
	}
	if err := load(typeFlow); err != nil {
		t.Fatalf("Load(typeFlow) = %v, want nil", err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"forms that are no types": {"oneOf: [Circle", "oneOf: [circle"},
		"no forms":                {"allOf: [Base, {type: object, properties: {\"name?\": string}, minProperties: 1}]", "allOf: []"},
		"a reference":             {"{by: string, \"no?\": string}", "{$ref: string}"},
		"discriminator of a list": {"mapping: {circle: Circle}", "mappings: {circle: Circle}"},
		"required":                {"unevaluatedProperties: false", "required: [id]"},
		"needs of no names":       {"{x: [y]}", "{x: 1}"},
		"a type that is a number": {"format: int32", "format: int16"},
		"truth that is none":      {"writeOnly: true", "writeOnly: sometimes"},
		"unknown sort":            {"[integer, string, \"null\"]", "[integer, text]"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(typeFlow, c.old, c.new, 1)
			if text == typeFlow {
				t.Fatalf("%q is not in the flow", c.old)
			}
			if err := s.Validate(data(t, text)); err == nil {
				t.Errorf("Validate(flow with %q for %q) = nil, want an error", c.new, c.old)
			}
			if err := load(text); err == nil {
				t.Errorf("Load(flow with %q for %q) = nil, want an error", c.new, c.old)
			}
		})
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
		"answer of no kind":          {"session: none", "session: none\nanswer: event"},
		"when that is none":          {"  - respond: 200", "  - respond: 200\n    when: true"},
		"event named error":          {"  - respond: 200", "  - send: error\n    data: 1\n  - respond: 200"},
		"event without data":         {"  - respond: 200", "  - send: tick\n  - respond: 200"},
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
