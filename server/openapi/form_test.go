package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestDocumentTellsForms keeps the promise that unions, and what must hold beside,
// are in the document as flows declare them, with names where they have some.
func TestDocumentTellsForms(t *testing.T) {
	text := document(t, load(t, map[string]string{
		"types.yaml": "Card: {kind: {type: string, const: card}, no: {type: string, format: password}}\nCash: {kind: {type: string, enum: [cash, coins]}}\nPay: {oneOf: [Card, Cash]}\n",
		"pay.yaml": `about: Pay.
endpoint: POST /pay
session: none
input:
  body:
    pay: Pay
    tip: {type: [integer, "null", string], minimum: 1}
    made: {type: object, properties: {id: {type: string, readOnly: true}, pin: {type: string, writeOnly: true}}}
    pair: {type: array, prefixItems: [string, integer], items: false, contains: {type: string, const: a}}
    some: {type: object, properties: {"a?": string, "b?": {type: integer, format: int32}}, anyOf: [{a: string}, {b: integer}], not: {a: string, b: integer}, dependentRequired: {a: [b]}}
    list: {type: array, items: string, default: [a], title: A list, examples: [[b]], deprecated: true}
output: {pay: Pay, made: {type: object, properties: {id: {type: string, readOnly: true}}}}
steps:
  - respond: 200
    body: {pay: $body.pay, made: {id: x}}
`,
	}))
	if ok, errs := judge(t, text).ValidateDocument(); !ok {
		t.Errorf("ValidateDocument() = %v, want no error", errs)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	const in, out = "paths /pay post requestBody content application/json schema properties ", "paths /pay post responses 200 content application/json schema properties "
	for name, c := range map[string]struct{ way, want string }{
		"a union by its name":          {in + "pay", `{"$ref":"#/components/schemas/PayInput"}`},
		"its forms, and how to tell":   {"components schemas PayInput", `{"discriminator":{"mapping":{"card":"#/components/schemas/CardInput","cash":"#/components/schemas/CashInput","coins":"#/components/schemas/CashInput"},"propertyName":"kind"},"oneOf":[{"$ref":"#/components/schemas/CardInput"},{"$ref":"#/components/schemas/CashInput"}]}`},
		"that an answer hides":         {out + "pay oneOf 0 properties no", `null`},
		"several types and null":       {in + "tip", `{"anyOf":[{"anyOf":[{"minimum":1,"type":"integer"},{"type":"string"}]},{"type":"null"}]}`},
		"no readOnly in a request":     {in + "made properties id", `null`},
		"writeOnly in a request":       {in + "made properties pin", `{"type":"string","writeOnly":true}`},
		"readOnly in an answer":        {out + "made properties id", `{"readOnly":true,"type":"string"}`},
		"a tuple":                      {in + "pair", `{"contains":{"enum":["a"],"type":"string"},"maxItems":2,"prefixItems":[{"type":"string"},{"type":"integer"}],"type":"array"}`},
		"forms that are asked beside":  {in + "some anyOf 0", `{"properties":{"a":{"type":"string"}},"required":["a"],"type":"object"}`},
		"what must not be":             {in + "some not required", `["a","b"]`},
		"what goes together":           {in + "some dependentRequired", `{"a":["b"]}`},
		"the bits of an integer":       {in + "some properties b", `{"format":"int32","maximum":2147483647,"minimum":-2147483648,"type":"integer"}`},
		"a default that is a list":     {in + "list default", `["a"]`},
		"notes":                        {in + "list", `{"default":["a"],"deprecated":true,"examples":[["b"]],"items":{"type":"string"},"title":"A list","type":"array"}`},
		"that others are still closed": {in[:len(in)-len("properties ")] + "additionalProperties", `false`},
	} {
		got, err := json.Marshal(at(doc, doc, strings.Fields(c.way)...))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s = %s, want %s", name, c.way, got, c.want)
		}
	}
}
