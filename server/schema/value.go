package schema

import (
	"encoding/json"
	"strconv"

	"sluice/engine"
)

// value describes what a flow can write where a value of a type is wanted: the
// value itself, or a reference to one.
func value(t *engine.Type) schema {
	literal := schema{}
	switch {
	case t.Nominal:
		return ref("reference") // nobody can write one
	case t.Base == engine.Any:
		return schema{}
	case t.Base == engine.String && t.Format == "duration":
		literal = ref("duration")
	case t.Base == engine.String:
		literal["type"] = "string"
		if len(t.Enum) == 0 {
			return literal // a reference is a string too
		}
		literal["enum"] = t.Enum
	case t.Base == engine.Boolean:
		literal["type"] = "boolean"
	case t.Base == engine.Integer || t.Base == engine.Number:
		literal["type"] = t.Base.String()
		bounds(literal, t, "minimum", "maximum")
	case t.Base == engine.Array:
		literal["type"], literal["items"] = "array", value(t.Items)
		bounds(literal, t, "minItems", "maxItems")
	case t.By != "":
		forms := make([]schema, len(t.Union))
		for i, form := range t.Union {
			forms[i] = value(form)
		}
		return schema{"anyOf": forms}
	case t.Open:
		literal["type"] = "object"
	default:
		props := schema{}
		var required []string
		for _, p := range t.Props {
			props[p.Name] = described(value(p.Type), p.Doc)
			if !p.Optional {
				required = append(required, p.Name)
			}
		}
		if literal = closed(props, required...); t.More {
			delete(literal, "additionalProperties")
		}
	}
	return schema{"anyOf": []schema{literal, ref("reference")}}
}

func bounds(s schema, t *engine.Type, least, most string) {
	if t.Min != nil {
		s[least] = *t.Min
	}
	if t.Max != nil {
		s[most] = *t.Max
	}
}

// Default is the default of a property, as JSON has it.
func Default(p *engine.Prop) any {
	switch p.Type.Base {
	case engine.Boolean:
		return p.Default == "true"
	case engine.Integer, engine.Number:
		if f, err := strconv.ParseFloat(p.Default, 64); err == nil {
			return f
		}
	case engine.Array, engine.Object, engine.Any:
		var v any
		if err := json.Unmarshal([]byte(p.Default), &v); err == nil {
			return v
		}
	}
	return p.Default
}

// anyType describes how flows write types: a word, a schema with type:, or the
// properties of an object.
func anyType() schema {
	return schema{"anyOf": []schema{typeWord(), typeSchema(false), ref("properties")}}
}

// typeList describes a list of types.
func typeList() schema { return schema{"type": "array", "items": ref("form"), "minItems": 1} }

// form is a type, or null.
func form() schema {
	return schema{"anyOf": []schema{ref("type"), {"enum": []any{nil, "null"}}, nullSchema()}}
}

func nullSchema() schema { return closed(schema{"type": schema{"enum": []any{nil, "null"}}}, "type") }

// property is a type that can have a default.
func property() schema {
	return schema{"anyOf": []schema{typeWord(), typeSchema(true), ref("properties")}}
}

// properties describes name: type pairs.
func properties() schema {
	return schema{
		"type": "object", "not": worded(),
		"patternProperties":    schema{`^[^?$.{} ]+\??$`: ref("property")},
		"additionalProperties": false,
	}
}

var typeWords = []string{"any", "string", "boolean", "integer", "number", "object", "array"}

// worded tells types that are written with words from the properties of an object.
func worded() schema {
	ways := []schema{{"properties": schema{"type": schema{"type": []string{"string", "array"}}}, "required": []string{"type"}}}
	for _, word := range []string{"oneOf", "anyOf", "allOf"} {
		ways = append(ways, schema{"properties": schema{word: schema{"type": "array"}}, "required": []string{word}})
	}
	return schema{"anyOf": ways}
}

func typeWord() schema {
	return schema{"anyOf": []schema{
		{"enum": typeWords},
		{"type": "string", "pattern": "^([A-Z][A-Za-z0-9]*|[a-z]+( [a-z]+)+)$", "description": "A type of types.yaml, or of a node."},
	}}
}
