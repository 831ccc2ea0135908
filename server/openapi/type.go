package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"strconv"

	"sluice/engine"
	"sluice/server/schema"
)

// components are the types that have a name. A type of a request and the type of
// the same name in an answer differ: answers may come to hold more one day, and
// lack what is hidden. The one of requests has Input behind its name.
type components struct {
	schemas object
}

func newComponents() *components {
	return &components{schemas: object{
		"Errors": object{
			"description": "What every failure says.", "type": "object", "required": []string{"errors"},
			"properties": object{"errors": object{"type": "array", "minItems": 1, "items": object{"$ref": "#/components/schemas/Error"}}},
		},
		"Error": object{
			"description": "One thing that is wrong.", "type": "object", "required": []string{"origin", "code", "message"},
			"properties": object{
				"origin":  object{"description": "Whose fault it is.", "enum": []string{"client", "server"}},
				"code":    object{"description": "What is wrong, for programs.", "type": "string"},
				"message": object{"description": "What is wrong, in a sentence for people.", "type": "string"},
				"details": object{"description": "What there is to know beside it. In invalid_input, field names the part of the request."},
			},
		},
	}}
}

// taken describes what a request may send.
func (c *components) taken(t *engine.Type) object { return c.whole(t, true) }

// answered describes what an answer holds.
func (c *components) answered(t *engine.Type) object { return c.whole(t, false) }

// whole describes a type with null, where that is a value of it.
func (c *components) whole(t *engine.Type, request bool) object {
	if t.Null {
		return orNull(c.of(t, request))
	}
	return c.of(t, request)
}

var componentName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func (c *components) of(t *engine.Type, request bool) object {
	s := c.inline(t, request)
	if t.Base != engine.Object && t.Union == nil || !componentName.MatchString(t.Name) {
		return s
	}
	if request {
		return c.named(t.Name+"Input", s)
	}
	return c.named(t.Name, s)
}

// named returns a reference to a schema of a name. Of different schemas of one
// name, those behind the first are counted.
func (c *components) named(name string, s object) object {
	key := name
	for n := 2; c.schemas[key] != nil && !equal(c.schemas[key], s); n++ {
		key = name + strconv.Itoa(n)
	}
	c.schemas[key] = s
	return object{"$ref": "#/components/schemas/" + key}
}

func equal(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// inline describes a type where it stands.
func (c *components) inline(t *engine.Type, request bool) object {
	s := object{}
	if t.By == "" && t.Base != engine.Any {
		s["type"] = t.Base.String()
	}
	defer c.rules(s, t, request)
	number := func(word string, v *float64) {
		if v != nil {
			s[word] = *v
		}
	}
	switch {
	case t.Union != nil:
		c.union(s, t, request)
	case t.Base == engine.Boolean && len(t.Enum) > 0:
		s["const"] = t.Enum[0] == "true"
	case t.Base == engine.String:
		text(s, t)
		if t.Format != "duration" { // whose bounds are times
			number("minLength", t.Min)
			number("maxLength", t.Max)
		}
	case t.Base == engine.Integer || t.Base == engine.Number:
		number("minimum", t.Min)
		number("maximum", t.Max)
		number("exclusiveMinimum", t.Above)
		number("exclusiveMaximum", t.Below)
		number("multipleOf", t.Step)
		if t.Format != "" {
			s["format"] = t.Format
		}
		if len(t.Enum) > 0 {
			values := make([]json.Number, len(t.Enum))
			for i, e := range t.Enum {
				values[i] = json.Number(e)
			}
			s["enum"] = values
		}
	case t.Base == engine.Array:
		number("minItems", t.Min)
		number("maxItems", t.Max)
		if t.Unique {
			s["uniqueItems"] = true
		}
		if items := c.whole(t.Items, request); len(items) > 0 {
			s["items"] = items
		}
	case t.Base == engine.Object && t.Open:
		number("minProperties", t.Min)
		number("maxProperties", t.Max)
		if t.Items != nil {
			s["additionalProperties"] = c.whole(t.Items, request)
		}
	case t.Base == engine.Object:
		number("minProperties", t.Min)
		number("maxProperties", t.Max)
		c.properties(s, t, request)
	}
	return s
}

func (c *components) properties(s object, t *engine.Type, request bool) {
	props := object{}
	var required []string
	for _, p := range t.Props {
		if p.ReadOnly && request {
			continue // which is refused like what is not declared
		}
		inner := c.whole(p.Type, request)
		switch {
		case p.ReadOnly:
			inner = with(inner, "readOnly", true)
		case request && p.Type.Secrecy == engine.Hidden && p.Type.Format != "password":
			inner = with(inner, "writeOnly", true)
		}
		if p.Doc != "" {
			inner = with(inner, "description", p.Doc)
		}
		if p.HasDefault {
			inner = with(inner, "default", schema.Default(p))
		}
		inner = noted(inner, p.Notes)
		props[p.Name] = inner
		if !p.Optional {
			required = append(required, p.Name)
		}
	}
	s["properties"] = props
	if required != nil {
		s["required"] = required
	}
	switch {
	case t.More && t.Items != nil:
		s["additionalProperties"] = c.whole(t.Items, request)
	case request && !t.More && !t.Loose:
		s["additionalProperties"] = false // what is not declared is refused
	}
}

// text describes a text: formats of flows are those of JSON Schema, but for a few.
func text(s object, t *engine.Type) {
	switch t.Format {
	case "duration": // not the one of ISO 8601
		s["examples"] = []string{"90s", "15m", "24h"}
	case "byte":
		s["contentEncoding"] = "base64"
	case "html":
		s["contentMediaType"] = "text/html"
	case "", "header":
	default:
		s["format"] = t.Format
	}
	if len(t.Enum) > 0 {
		s["enum"] = t.Enum
	}
	if t.Pattern != nil && !goOnly.MatchString(t.Pattern.String()) {
		s["pattern"] = t.Pattern.String()
	}
}

// goOnly finds what regular expressions of flows can say and those of JSON Schema
// cannot. Such a pattern is left out, and only the server checks it.
var goOnly = regexp.MustCompile(`\(\?[a-zA-Z<-]|\\[AzQEpPaC]|\[\[:|\\x\{`)

// noted adds what documentation says of a property.
func noted(s object, n engine.Notes) object {
	if n.Title != "" {
		s = with(s, "title", n.Title)
	}
	if n.Examples != nil {
		s = with(s, "examples", n.Examples)
	}
	if n.Deprecated {
		s = with(s, "deprecated", true)
	}
	return s
}

func orNull(s object) object {
	if len(s) == 0 {
		return s // it may be anything
	}
	return object{"anyOf": []object{s, {"type": "null"}}}
}

// with returns a schema with one more word.
func with(s object, word string, v any) object {
	more := maps.Clone(s)
	more[word] = v
	return more
}
