package schema

import "sluice/engine"

// typeSchema describes a type that is written with words.
func typeSchema(withDefault bool) schema {
	size := schema{"type": "integer", "minimum": 0}
	number := schema{"type": "number"}
	truth := schema{"type": "boolean"}
	known := schema{
		"type": schema{"description": "What sort of value it is, or a list of sorts.", "anyOf": []schema{
			{"enum": typeWords},
			{"type": "array", "items": schema{"enum": append([]any{nil, "null"}, words()...)}, "minItems": 1, "uniqueItems": true},
		}},
		"title":       schema{"type": "string"},
		"description": schema{"type": "string", "description": "What the value is, in a sentence."},
		"examples":    schema{"type": "array"},
		"deprecated":  truth,
		"format":      schema{"enum": engine.Formats(), "description": "What the text must be. Passwords are secrets: no answer and no log shows them."},
		"minLength":   size, "maxLength": size, "minItems": size, "maxItems": size, "minProperties": size, "maxProperties": size,
		"minContains": size, "maxContains": size,
		"minimum": number, "maximum": number, "exclusiveMinimum": number, "exclusiveMaximum": number,
		"multipleOf":            schema{"type": "number", "exclusiveMinimum": 0},
		"pattern":               schema{"type": "string", "format": "regex", "description": "Regular expression, matched anywhere in the text."},
		"enum":                  schema{"type": "array", "minItems": 1, "description": "The allowed values."},
		"const":                 schema{"description": "The only allowed value."},
		"uniqueItems":           described(truth, "Whether all items differ."),
		"items":                 schema{"anyOf": []schema{ref("type"), truth}},
		"prefixItems":           described(typeList(), "Types of the first items; items is of those behind them."),
		"contains":              described(ref("type"), "What at least one item must be."),
		"properties":            ref("properties"),
		"additionalProperties":  schema{"anyOf": []schema{ref("type"), truth}},
		"patternProperties":     schema{"type": "object", "propertyNames": schema{"format": "regex"}, "additionalProperties": ref("type")},
		"propertyNames":         ref("type"),
		"dependentRequired":     schema{"type": "object", "additionalProperties": ref("texts")},
		"dependentSchemas":      schema{"type": "object", "additionalProperties": ref("type")},
		"unevaluatedProperties": schema{"const": false},
		"oneOf":                 described(typeList(), "Types of which a value has exactly one."),
		"anyOf":                 described(typeList(), "Types of which a value has at least one."),
		"allOf":                 described(typeList(), "Types that are merged into one."),
		"not":                   described(ref("type"), "What the value must not be."),
		"if":                    described(ref("type"), "What decides whether then or else must hold."),
		"then":                  ref("type"), "else": ref("type"),
		"discriminator": schema{"description": "Property whose const tells the objects of oneOf apart.", "anyOf": []schema{
			{"type": "string"},
			closed(schema{"propertyName": schema{"type": "string"}, "mapping": schema{"type": "object", "additionalProperties": schema{"type": "string"}}}, "propertyName"),
		}},
		"default": described(schema{}, "What holds where the request leaves it out."),
		// Only properties can have these.
		"readOnly": described(truth, "Answers hold it, requests must not."), "writeOnly": described(truth, "Requests hold it, and no answer shows it: it is secret."),
	}
	props := only(known, engine.TypeKeys())
	if !withDefault {
		delete(props, "default")
		delete(props, "readOnly")
	}
	s := closed(props)
	s["anyOf"] = worded()["anyOf"]
	return s
}

// words are the sorts of values, for a list.
func words() []any {
	list := make([]any, len(typeWords))
	for i, w := range typeWords {
		list[i] = w
	}
	return list
}
