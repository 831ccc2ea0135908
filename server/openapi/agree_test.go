package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/engine"
)

// A pair is a type of a flow and the JSON Schema of the same values, written by
// hand, with some values of it.
type pair struct {
	name, yaml, schema string
	values             []string
}

const shapes = `{oneOf: [{kind: {type: string, const: circle}, radius: number}, {kind: {type: string, const: square}, side: {type: integer, minimum: 1}, "note?": string}]}`
const shapesSchema = `{"oneOf": [
	{"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"], "additionalProperties": false},
	{"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "integer", "minimum": 1}, "note": {"type": "string"}}, "required": ["kind", "side"], "additionalProperties": false}]}`

var pairs = []pair{
	{"tagged union", shapes, shapesSchema, []string{`{"kind":"circle","radius":1.5}`, `{"side":2,"kind":"square","note":"a"}`}},
	{"list of tagged unions", `{type: array, items: ` + shapes + `, maxItems: 3, uniqueItems: true}`,
		`{"type":"array","items":` + shapesSchema + `,"maxItems":3,"uniqueItems":true}`, []string{`[{"kind":"circle","radius":1},{"kind":"square","side":2}]`, `[]`}},
	{"tag that is a number", `{oneOf: [{v: {type: integer, const: 1}, a: string}, {v: {type: integer, enum: [2, 3]}, b: boolean}]}`,
		`{"oneOf":[{"type":"object","properties":{"v":{"const":1},"a":{"type":"string"}},"required":["v","a"],"additionalProperties":false},
		 {"type":"object","properties":{"v":{"enum":[2,3]},"b":{"type":"boolean"}},"required":["v","b"],"additionalProperties":false}]}`,
		[]string{`{"v":1,"a":"x"}`, `{"v":3,"b":true}`, `{"v":1.0,"a":"x"}`}},
	{"union of scalars", `{oneOf: [integer, {type: string, maxLength: 2}, boolean]}`,
		`{"oneOf":[{"type":"integer"},{"type":"string","maxLength":2},{"type":"boolean"}]}`, []string{`1`, `"ab"`, `true`}},
	{"overlapping oneOf", `{oneOf: [{type: integer, multipleOf: 2}, {type: integer, multipleOf: 3}]}`,
		`{"oneOf":[{"type":"integer","multipleOf":2},{"type":"integer","multipleOf":3}]}`, []string{`2`, `3`, `4`}},
	{"overlapping anyOf", `{anyOf: [{type: number, multipleOf: 2}, {type: number, minimum: 3}]}`,
		`{"anyOf":[{"type":"number","multipleOf":2},{"type":"number","minimum":3}]}`, []string{`2`, `3`, `4.5`}},
	{"union with null", `{anyOf: [string, integer, {type: "null"}]}`, `{"type":["string","integer","null"]}`, []string{`null`, `1`, `"a"`}},
	{"list of types", `{type: [string, integer, "null"], minLength: 2, maximum: 3, enum: [1, ab, abc, null]}`,
		`{"type":["string","integer","null"],"minLength":2,"maximum":3,"enum":[1,"ab","abc",null]}`, []string{`1`, `"ab"`, `null`}},
	{"nullable items", `{type: array, items: {type: [string, "null"], maxLength: 2}}`, `{"type":"array","items":{"type":["string","null"],"maxLength":2}}`, []string{`["a",null]`, `[null]`}},
	{"union of objects without a tag", `{anyOf: [{a: string}, {b: integer, "c?": boolean}]}`,
		`{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},
		 {"type":"object","properties":{"b":{"type":"integer"},"c":{"type":"boolean"}},"required":["b"],"additionalProperties":false}]}`, []string{`{"a":"x"}`, `{"b":1,"c":true}`}},
	{"allOf", `{allOf: [{a: string, "b?": {type: integer, minimum: 1}}, {type: object, properties: {"b?": {type: integer, maximum: 3}, c: boolean}}]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer","minimum":1,"maximum":3},"c":{"type":"boolean"}},"required":["a","c"],"additionalProperties":false}`,
		[]string{`{"a":"x","c":true}`, `{"a":"x","b":2,"c":true}`}},
	{"allOf with a union", `{allOf: [{id: string}, ` + shapes + `]}`,
		`{"allOf":[{"properties":{"id":{"type":"string"}},"required":["id"]},{"oneOf":[
		 {"type":"object","properties":{"id":true,"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"],"additionalProperties":false},
		 {"type":"object","properties":{"id":true,"kind":{"const":"square"},"side":{"type":"integer","minimum":1},"note":{"type":"string"}},"required":["kind","side"],"additionalProperties":false}]}]}`,
		[]string{`{"kind":"circle","radius":1.5,"id":"a"}`, `{"side":2,"kind":"square","note":"a","id":"b"}`}},
	{"not", `{type: string, not: {type: string, enum: [admin, a]}}`, `{"type":"string","not":{"enum":["admin","a"]}}`, []string{`"b"`, `"ab"`}},
	{"not of an object", `{type: object, properties: {"a?": string, "b?": integer}, not: {a: string, b: integer}}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"additionalProperties":false,"not":{"required":["a","b"]}}`, []string{`{"a":"x"}`, `{"b":1}`, `{}`}},
	{"if then else", `{type: object, properties: {kind: string, "a?": string, "b?": integer}, if: {kind: {type: string, const: circle}}, then: {a: string}, else: {b: {type: integer, minimum: 2}}}`,
		`{"type":"object","properties":{"kind":{"type":"string"},"a":{"type":"string"},"b":{"type":"integer"}},"required":["kind"],"additionalProperties":false,
		 "if":{"properties":{"kind":{"const":"circle"}}},"then":{"required":["a"]},"else":{"required":["b"],"properties":{"b":{"minimum":2}}}}`,
		[]string{`{"kind":"circle","a":"x"}`, `{"kind":"x","b":2}`}},
	{"one of several groups", `{type: object, properties: {"a?": string, "b?": integer}, oneOf: [{a: string}, {b: integer}]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"additionalProperties":false,"oneOf":[{"required":["a"]},{"required":["b"]}]}`, []string{`{"a":"x"}`, `{"b":1}`}},
	{"properties and others", `{type: object, properties: {a: string}, additionalProperties: {type: integer, minimum: 0}}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":{"type":"integer","minimum":0}}`, []string{`{"a":"x"}`, `{"a":"x","b":1,"x1":2}`}},
	{"properties and any others", `{type: object, properties: {a: string}, additionalProperties: true, maxProperties: 3}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"maxProperties":3}`, []string{`{"a":"x"}`, `{"a":"x","b":null,"x1":[2]}`}},
	{"patterns", `{type: object, patternProperties: {"^x": integer, "1$": {type: integer, maximum: 3}}}`,
		`{"type":"object","patternProperties":{"^x":{"type":"integer"},"1$":{"type":"integer","maximum":3}},"additionalProperties":false}`, []string{`{"x1":2}`, `{"x":7,"a1":1}`, `{}`}},
	{"patterns and properties", `{type: object, properties: {a: string}, patternProperties: {"^x": integer}, additionalProperties: boolean}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}`,
		[]string{`{"a":"b","x1":2}`, `{"a":"b","b":true}`}},
	{"names", `{type: object, propertyNames: {type: string, pattern: "^[ax]", maxLength: 3}, minProperties: 1}`,
		`{"type":"object","propertyNames":{"pattern":"^[ax]","maxLength":3},"minProperties":1}`, []string{`{"a":1}`, `{"x1":null,"a":[]}`}},
	{"least of a closed object", `{type: object, properties: {"a?": string, "b?": integer}, minProperties: 1, maxProperties: 1}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"additionalProperties":false,"minProperties":1,"maxProperties":1}`, []string{`{"a":"x"}`, `{"b":1}`}},
	{"what goes together", `{type: object, properties: {"a?": string, "b?": integer, "c?": boolean}, dependentRequired: {a: [b]}, dependentSchemas: {c: {b: {type: integer, minimum: 2}}}}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"boolean"}},"additionalProperties":false,"dependentRequired":{"a":["b"]},
		 "dependentSchemas":{"c":{"required":["b"],"properties":{"b":{"minimum":2}}}}}`, []string{`{"a":"x","b":1}`, `{"c":true,"b":2}`, `{}`}},
	{"tuple", `{type: array, prefixItems: [string, {type: integer, minimum: 0}], items: boolean, minItems: 2}`,
		`{"type":"array","prefixItems":[{"type":"string"},{"type":"integer","minimum":0}],"items":{"type":"boolean"},"minItems":2}`, []string{`["a",1]`, `["a",1,true]`}},
	{"closed tuple", `{type: array, prefixItems: [string, integer], items: false}`,
		`{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false}`, []string{`["a",1]`, `[]`, `["b"]`}},
	{"contains", `{type: array, items: integer, contains: {type: integer, minimum: 3}, minContains: 1, maxContains: 2}`,
		`{"type":"array","items":{"type":"integer"},"contains":{"minimum":3},"minContains":1,"maxContains":2}`, []string{`[3]`, `[1,4,5]`}},
	{"contains none", `{type: array, contains: {type: string, const: a}, minContains: 0, maxContains: 1}`,
		`{"type":"array","contains":{"const":"a"},"minContains":0,"maxContains":1}`, []string{`[]`, `["a",1]`, `[1]`}},
	{"values of any sort", `{type: any, enum: [1, a, null, [1, {a: true}]]}`, `{"enum":[1,"a",null,[1,{"a":true}]]}`, []string{`1`, `"a"`, `null`, `[1,{"a":true}]`}},
	{"const of a boolean", `{ok: {type: boolean, const: true}}`, `{"type":"object","properties":{"ok":{"const":true}},"required":["ok"],"additionalProperties":false}`, []string{`{"ok":true}`}},
	{"unique objects", `{type: array, items: {a: string, "b?": integer}, uniqueItems: true}`,
		`{"type":"array","uniqueItems":true,"items":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"],"additionalProperties":false}}`,
		[]string{`[{"a":"x"},{"a":"x","b":1}]`, `[{"a":"x"},{"a":"y"}]`}},
	{"union inside a union", `{oneOf: [integer, {type: array, items: {oneOf: [string, {type: array, items: {anyOf: [integer, boolean]}}]}}]}`,
		`{"oneOf":[{"type":"integer"},{"type":"array","items":{"oneOf":[{"type":"string"},{"type":"array","items":{"anyOf":[{"type":"integer"},{"type":"boolean"}]}}]}}]}`,
		[]string{`1`, `["a",[1,true]]`, `[]`}},
	{"32 bits", `{type: integer, format: int32}`, `{"type":"integer","minimum":-2147483648,"maximum":2147483647}`, []string{`1`, `2147483647`}},
	{"bounds of a pointer", `{type: string, format: json-pointer, minLength: 1}`, `{"type":"string","format":"json-pointer","minLength":1}`, []string{`"/a"`, `"/a~0/1"`}},
}

// typeFor reads a type as a flow declares it.
func typeFor(t testing.TB, yaml string) *engine.Type {
	t.Helper()
	app, err := engine.Load(fstest.MapFS{"flow.yaml": {Data: []byte("about: x\nendpoint: POST /x\nsession: none\ninput:\n  body: " + yaml + "\nsteps:\n  - respond: 204\n")}}, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return app.Flows[0].Input.Body
}

// schemaOf compiles a schema as other programs do, with the components that it names.
func schemaOf(t testing.TB, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("type.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("type.json")
	if err != nil {
		t.Fatalf("%s is no schema: %v", text, err)
	}
	return s
}

var (
	words = []string{"a", "b", "ab", "abc", "circle", "square", "admin", "/a", "", "~", "é"}
	names = []string{"a", "b", "c", "kind", "radius", "side", "note", "id", "v", "ok", "x", "x1", "a1"}
)

// random makes data of any form.
func random(r *rand.Rand, depth int) any {
	n := 8
	if depth <= 0 {
		n = 6
	}
	switch r.IntN(n) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2, 3:
		return []any{-1, 0, 1, 2, 3, 4, 6, 2.5, 2147483648}[r.IntN(9)]
	case 4, 5:
		return words[r.IntN(len(words))]
	case 6:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = random(r, depth-1)
		}
		return list
	}
	object := map[string]any{}
	for range r.IntN(4) {
		object[names[r.IntN(len(names))]] = random(r, depth-1)
	}
	return object
}

// bent is data with one thing in it changed.
func bent(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		keys := slices.Sorted(maps.Keys(m))
		switch n := r.IntN(4); {
		case n == 0 || len(keys) == 0:
			m[names[r.IntN(len(names))]] = random(r, 1)
		case n == 1:
			delete(m, keys[r.IntN(len(keys))])
		default:
			k := keys[r.IntN(len(keys))]
			m[k] = bent(r, m[k])
		}
		return m
	case []any:
		list := slices.Clone(v)
		switch n := r.IntN(4); {
		case n == 0 || len(list) == 0:
			return append(list, random(r, 1))
		case n == 1:
			return append(list, list[r.IntN(len(list))])
		default:
			i := r.IntN(len(list))
			list[i] = bent(r, list[i])
		}
		return list
	}
	return random(r, 2)
}

// A judged pair is one that is ready to judge values.
type judged struct {
	pair
	t            *engine.Type
	hand, ours   *jsonschema.Schema
	right, wrong int
}

func judgedPair(t testing.TB, p pair) *judged {
	j := &judged{pair: p, t: typeFor(t, p.yaml), hand: schemaOf(t, []byte(p.schema))}
	c := newComponents()
	s := with(c.taken(j.t), "components", object{"schemas": c.schemas})
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	j.ours = schemaOf(t, text)
	return j
}

// judge compares what the three say of a value.
func (j *judged) judge(t testing.TB, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, faults := j.t.ReadJSON(text, "body")
	taken, byHand, documented := len(faults) == 0, j.hand.Validate(doc) == nil, j.ours.Validate(doc) == nil
	if taken != byHand || documented != byHand {
		t.Errorf("%s: %s: taken %t, by the schema %t, by the document %t %v", j.name, text, taken, byHand, documented, faults)
	}
	for _, f := range faults {
		if f.Field == "" || strings.Contains(f.Message, "  ") || !strings.HasPrefix(f.Message, f.Field+" ") {
			t.Errorf("%s: %s: a fault is %q", j.name, text, f.Message)
		}
	}
	if taken {
		j.right++
	} else {
		j.wrong++
	}
}

// try judges the values of a pair and what random numbers make of them.
func (j *judged) try(t testing.TB, r *rand.Rand, rounds int) {
	for _, text := range j.values {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		j.judge(t, v)
		for range rounds {
			j.judge(t, bent(r, v))
			j.judge(t, bent(r, bent(r, v)))
			j.judge(t, random(r, 2))
		}
	}
}

// A request is taken exactly when the JSON Schema of its type says so, be that
// written by hand or in the document of the endpoints.
func TestTypesAgreeWithJSONSchema(t *testing.T) {
	for i, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			j := judgedPair(t, p)
			for _, text := range p.values {
				if _, faults := j.t.ReadJSON([]byte(text), "body"); len(faults) > 0 {
					t.Errorf("%s is refused: %v", text, faults)
				}
			}
			j.try(t, rand.New(rand.NewPCG(7, uint64(i))), 300)
			if j.right < 5 || j.wrong < 20 {
				t.Errorf("%d values were right and %d wrong, which shows little", j.right, j.wrong)
			}
		})
	}
}

// FuzzTypesAgreeWithJSONSchema is the same for other random numbers.
func FuzzTypesAgreeWithJSONSchema(f *testing.F) {
	all := make([]*judged, len(pairs))
	for i, p := range pairs {
		all[i] = judgedPair(f, p)
		f.Add(uint64(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, which, seed uint64) {
		all[which%uint64(len(all))].try(t, rand.New(rand.NewPCG(seed, which)), 3)
	})
}
