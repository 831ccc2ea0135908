package engine

import (
	"encoding/json"
	"testing"
	"testing/fstest"
)

// FuzzTypes keeps three promises of any type that loads: reading never panics and
// tells a field with each fault, what was taken is written as JSON, and that is
// taken again, unless it held what no answer shows.
func FuzzTypes(f *testing.F) {
	for _, seed := range [][2]string{
		{`{oneOf: [{k: {type: string, const: a}, n: number}, {k: {type: string, enum: [b, c]}}], discriminator: k}`, `{"k":"a","n":1.5}`},
		{`{anyOf: [string, {type: array, items: {type: [integer, "null"]}}, {type: "null"}]}`, `[1,null]`},
		{`{allOf: [{a: string}, {oneOf: [{k: {type: integer, const: 1}}, {k: {type: integer, const: 2}, b: boolean}]}]}`, `{"a":"x","k":2,"b":true}`},
		{`{type: object, properties: {a: string}, additionalProperties: {type: integer}, patternProperties: {"^x": boolean}, propertyNames: {type: string, maxLength: 4}}`, `{"a":"b","x":true,"c":1}`},
		{`{type: array, prefixItems: [string, {type: string, format: time}], items: false, contains: {type: string, const: a}, maxContains: 1}`, `["a","12:00:00Z"]`},
		{`{type: object, properties: {"a?": string, "b?": {type: integer, readOnly: true}}, if: {a: {type: string, const: x}}, then: {a: string}, else: {a: string}, minProperties: 1}`, `{"a":"x"}`},
		{`{type: object, properties: {"a?": {type: string, writeOnly: true}, l: {type: array, uniqueItems: true, default: [{}]}}, not: {a: string}, dependentRequired: {a: [l]}, dependentSchemas: {l: {a: string}}}`, `{}`},
		{`{type: any, enum: [1, a, null, {b: [1.5]}], not: {type: integer}}`, `{"b":[1.5]}`},
		{`{t: {type: string, format: date-time}, d: {type: string, format: duration}, b: {type: string, format: byte}, s: {type: [string, boolean, "null"]}}`, `{"t":"2026-01-31T12:00:00Z","d":"5m","b":"AA==","s":null}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, of, text string) {
		flow := "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body: " + of + "\nsteps:\n  - respond: 204\n"
		app, err := Load(fstest.MapFS{"flow.yaml": {Data: []byte(flow)}}, Env{})
		if err != nil || len(app.Flows) == 0 || app.Flows[0].Input.Body == nil {
			return
		}
		body := app.Flows[0].Input.Body
		body.appendJSON(nil, body.Sample().p)
		masked(body, body.Sample().p)
		v, faults := body.ReadJSON([]byte(text), "body")
		for _, fault := range faults {
			if fault.Field == "" || fault.Message == "" {
				t.Fatalf("%s told %+v of %s", of, fault, text)
			}
		}
		if len(faults) > 0 {
			return
		}
		again := body.appendJSON(nil, v.p)
		if !json.Valid(again) {
			t.Fatalf("%s wrote %s of %s", of, again, text)
		}
		if body.hides() || body.loses() {
			return
		}
		if _, faults := body.ReadJSON(again, "body"); len(faults) > 0 {
			t.Fatalf("%s wrote %s of %s, and refuses that: %v", of, again, text, faults)
		}
	})
}

// loses tells whether what is written can differ from what was read: a null is
// left out, times lose what is beyond a millisecond, and a default is added.
func (t *Type) loses() bool {
	lost := t.Null || t.goType == timeType || t.Rules != nil || t.Min != nil || t.Max != nil
	for _, p := range t.Props {
		lost = lost || p.HasDefault || p.ReadOnly || p.Type.loses()
	}
	for _, form := range t.Union {
		lost = lost || form.loses()
	}
	return lost || t.Items != nil && t.Items.loses()
}
