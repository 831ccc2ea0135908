package engine

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// bodyType is the type of a body as a flow declares it, with types by name.
func bodyType(t testing.TB, body, types string) *Type {
	t.Helper()
	files := fstest.MapFS{"flow.yaml": {Data: []byte("about: x\nendpoint: POST /x\nsession: none\ninput:\n  body: " + body + "\nsteps:\n  - respond: 204\n")}}
	if types != "" {
		files["types.yaml"] = &fstest.MapFile{Data: []byte(types)}
	}
	app, err := Load(files, Env{})
	if err != nil {
		t.Fatal(err)
	}
	return app.Flows[0].Input.Body
}

// took is the shortest of some times that reading takes.
func took(t *Type, text []byte) time.Duration {
	least := time.Hour
	for range 5 {
		start := time.Now()
		t.ReadJSON(text, "body")
		least = min(least, time.Since(start))
	}
	return least
}

// Forms inside forms cost as much as they may be looked at, however a request is
// made: the time is that of reading data, some times over, and grows no faster
// than the request.
func TestNestedFormsHaveABound(t *testing.T) {
	const types = `
L0: {anyOf: [{a: string, b: integer}, {type: array, items: {type: integer, maximum: 0}}]}
L1: {oneOf: [{type: array, items: L0}, {type: array, items: {oneOf: [L0, {type: array, items: L0}]}}]}
L2: {anyOf: [L1, {type: array, items: L1}, {a: L1}]}
L3: {oneOf: [L2, {type: array, items: L2}]}
`
	deep := bodyType(t, "{x: L3}", types)
	if deep.looks < 20 {
		t.Fatalf("a value is looked at %d times, which shows little", deep.looks)
	}
	data := TypeOf[any]()
	for name, item := range map[string]string{"lists": "[[[[1]]]],", "objects": `{"a":{"a":1}},`, "numbers": "1,", "nulls": "[[null,null]],"} {
		text := []byte(`{"x":[` + strings.TrimSuffix(strings.Repeat(item, 64<<10/len(item)), ",") + "]}")
		if least, most := took(data, text), took(deep, text); most > 400*least+50*time.Millisecond {
			t.Errorf("%s: reading takes %v, and %v as data", name, most, least)
		}
	}
	if _, faults := deep.ReadJSON([]byte(`{"x":`+strings.Repeat("[", 60)+strings.Repeat("]", 60)+"}"), "body"); len(faults) != 1 {
		t.Errorf("ReadJSON(60 lists) = %v, want one fault", faults)
	}
}

// Where the tag of an object stands does not matter, and looking for it costs no
// more than the objects that it is in.
func TestTagMayStandLast(t *testing.T) {
	const types = `
In: {oneOf: [{kind: {type: string, const: a}, text: string}, {kind: {type: string, const: b}}]}
Mid: {oneOf: [{kind: {type: string, const: c}, in: In, pad: string}, {kind: {type: string, const: d}}]}
Out: {oneOf: [{kind: {type: string, const: e}, mid: Mid, pad: string}, {kind: {type: string, const: f}}]}
`
	out := bodyType(t, "{x: Out}", types)
	pad := strings.Repeat("p", 1<<16)
	text := `{"x":{"mid":{"in":{"text":"` + pad + `","kind":"a"},"pad":"` + pad + `","kind":"c"},"pad":"` + pad + `","kind":"e"}}`
	v, faults := out.ReadJSON([]byte(text), "body")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got := string(out.appendJSON(nil, v.p)); len(got) != len(text) {
		t.Errorf("wrote %d bytes of %d", len(got), len(text))
	}
}

// What is made up for a test or a drawing is a value of the type.
func TestSamplesAreValues(t *testing.T) {
	for name, body := range map[string]string{
		"tagged union":   "{oneOf: [{k: {type: integer, enum: [3, 4]}, n: {type: integer, minimum: 7}}, {k: {type: integer, const: 5}}]}",
		"union as data":  "{oneOf: [{type: string, format: hostname}, integer]}",
		"tuple":          "{type: array, prefixItems: [{type: string, format: date-time}, boolean], items: false}",
		"boolean":        "{ok: {type: boolean, const: false}}",
		"numbers":        "{a: {type: integer, enum: [4, 5]}, b: {type: number, exclusiveMinimum: 3}, c: {type: number, exclusiveMinimum: 0, exclusiveMaximum: 0.5}, d: {type: integer, multipleOf: 4}}",
		"values":         "{type: any, enum: [[1], 2]}",
		"read only":      "{id: {type: string, readOnly: true}, a: string}",
		"others":         "{type: object, properties: {a: string}, additionalProperties: integer}",
		"formats":        "{a: {type: string, format: time}, b: {type: string, format: json-pointer}, c: {type: string, format: regex}, d: {type: string, format: iri}, e: {type: string, format: uri-template}, f: {type: string, format: relative-json-pointer}, g: {type: string, format: idn-email}, h: {type: string, format: idn-hostname}, i: {type: string, format: uri-reference}, j: {type: string, format: iri-reference}}",
		"merged objects": "{allOf: [{a: string}, {b: {type: integer, minimum: 2}}]}",
	} {
		of := bodyType(t, body, "")
		text := of.appendJSON(nil, of.Sample().p)
		if _, faults := of.ReadJSON(text, "body"); len(faults) > 0 {
			t.Errorf("%s: the sample %s is none: %v", name, text, faults)
		}
	}
}

// A trace and data of a union hold nothing secret.
func TestFormsKeepTheirSecrets(t *testing.T) {
	of := bodyType(t, "{pay: {oneOf: [{by: {type: string, const: card}, no: {type: string, format: password}, n: integer}, {by: {type: string, const: cash}}]}}", "")
	v, faults := of.ReadJSON([]byte(`{"pay":{"by":"card","no":"4111","n":1}}`), "body")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for name, got := range map[string]string{
		"answer": string(of.appendJSON(nil, v.p)), "data": string(appendAny(nil, plainOf(of)(v.p))), "trace": string(masked(of, v.p)),
	} {
		if strings.Contains(got, "4111") || !strings.Contains(got, `"by":"card"`) || !strings.Contains(got, `"n":1`) {
			t.Errorf("%s = %s", name, got)
		}
	}
}

// A default goes where the value would, be that behind a pointer or not.
func TestDefaultsOfValuesThatMayBeNull(t *testing.T) {
	of := bodyType(t, `{a: {type: [string, "null"], default: x}, b: {type: [integer, "null"], default: null}, c: {type: array, items: string, default: [y]}, d: {oneOf: [integer, string], default: 7}}`, "")
	for text, want := range map[string]string{
		`{}`:                 `{"a":"x","c":["y"],"d":7}`,
		`{"a":null,"d":"e"}`: `{"c":["y"],"d":"e"}`,
	} {
		v, faults := of.ReadJSON([]byte(text), "body")
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if got := string(of.appendJSON(nil, v.p)); got != want {
			t.Errorf("ReadJSON(%s) = %s, want %s", text, got, want)
		}
	}
}

func TestFormats(t *testing.T) {
	for format, c := range map[string]struct{ right, wrong []string }{
		"time":                  {[]string{"12:00:00Z", "23:59:59.5+02:00"}, []string{"12:00", "12:00:00", "25:00:00Z", ""}},
		"hostname":              {[]string{"a", "a-1.example.com"}, []string{"", "-a", "a-", "a..b", "a_b", "é.com", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "aa"}},
		"idn-hostname":          {[]string{"é.com", "a"}, []string{"", "é..com", "a b"}},
		"uri-reference":         {[]string{"/a?b#c", "https://x.org", ""}, []string{"/a b", "é", "\\a", "%zz"}},
		"iri":                   {[]string{"https://é.org/é"}, []string{"/é", "https://a b"}},
		"iri-reference":         {[]string{"/é"}, []string{"<é>"}},
		"uri-template":          {[]string{"/a/{b}{?c*}", ""}, []string{"/{a", "/a}", "/{a{b}}", "/ a"}},
		"json-pointer":          {[]string{"", "/", "/a~0b/~1"}, []string{"a", "/~", "/~2"}},
		"relative-json-pointer": {[]string{"0", "1/a", "12#"}, []string{"", "/a", "01", "-1", "1a"}},
		"regex":                 {[]string{"^a+$", ""}, []string{"(", `(?=a)`}},
	} {
		f := formats[format]
		for _, s := range c.right {
			if !f.valid(s) {
				t.Errorf("%s: %q is none, want it to be one", format, s)
			}
		}
		for _, s := range c.wrong {
			if f.valid(s) {
				t.Errorf("%s: %q is one, want it to be none", format, s)
			}
		}
	}
}

// A number is a multiple of a step exactly, but for what binary fractions cannot say.
func TestMultiples(t *testing.T) {
	for _, c := range []struct {
		n, step float64
		want    bool
	}{
		{0.3, 0.1, true}, {0.35, 0.1, false}, {2147483648, 3, false}, {2147483649, 3, true}, {1e9 + 0.01, 0.1, false}, {-4, 2, true}, {9007199254740991, 2, false}, {1e15, 7, false},
	} {
		if got := multiple(c.n, c.step); got != c.want {
			t.Errorf("multiple(%v, %v) = %t, want %t", c.n, c.step, got, c.want)
		}
	}
}
