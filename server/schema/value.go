package schema

import (
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
		literal = closed(props, required...)
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
	}
	return p.Default
}

// anyType describes how flows write types: a word, a schema with type:, or the
// properties of an object.
func anyType() schema {
	return schema{"anyOf": []schema{typeWord(), typeSchema(false), ref("properties")}}
}

// property is a type that can have a default.
func property() schema {
	return schema{"anyOf": []schema{typeWord(), typeSchema(true), ref("properties")}}
}

// properties describes name: type pairs.
func properties() schema {
	return schema{
		"type": "object", "not": schema{"properties": schema{"type": schema{"type": "string"}}, "required": []string{"type"}},
		"patternProperties":    schema{`^[^?$.{} ]+\??$`: ref("property")},
		"additionalProperties": false,
	}
}

var typeWords = []string{"any", "string", "boolean", "integer", "number", "object", "array"}

func typeWord() schema {
	return schema{"anyOf": []schema{
		{"enum": typeWords},
		{"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$", "description": "A type of types.yaml, or of a node."},
	}}
}

// typeSchema describes a type that is written with type:.
func typeSchema(withDefault bool) schema {
	size := schema{"type": "integer", "minimum": 0}
	known := schema{
		"type":        schema{"enum": typeWords},
		"description": schema{"type": "string", "description": "What the value is, in a sentence."},
		"format":      schema{"enum": engine.Formats(), "description": "What the text must be. Passwords are secrets: no answer and no log shows them."},
		"minLength":   size, "maxLength": size, "minItems": size, "maxItems": size,
		"minimum": schema{"type": "number"}, "maximum": schema{"type": "number"},
		"pattern":     schema{"type": "string", "format": "regex", "description": "Regular expression, matched anywhere in the text."},
		"enum":        ref("texts"),
		"uniqueItems": schema{"type": "boolean", "description": "Whether all items differ."},
		"items":       ref("type"),
		"properties":  ref("properties"),
		"default":     schema{"type": []string{"string", "number", "boolean"}, "description": "What holds where the request leaves it out."},
	}
	props := only(known, engine.TypeKeys())
	if !withDefault {
		delete(props, "default")
	}
	return closed(props, "type")
}
