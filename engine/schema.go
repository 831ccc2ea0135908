package engine

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// typeWords are the values of type:.
var typeWords = map[string]Base{"any": Any, "string": String, "boolean": Boolean, "integer": Integer, "number": Number, "object": Object, "array": Array}

// otherWords are what other languages call the types.
var otherWords = map[string]string{
	"text": "string", "str": "string", "int": "integer", "long": "integer", "float": "number", "double": "number",
	"decimal": "number", "bool": "boolean", "list": "array", "map": "object", "dict": "object", "struct": "object",
}

// schemaWords are the keys of a type, each with the base it is for (Any: for all).
var schemaWords = map[string]Base{
	"type": Any, "title": Any, "description": Any, "examples": Any, "deprecated": Any, "default": Any, "enum": Any, "const": Any,
	"format": String, "minLength": String, "maxLength": String, "pattern": String,
	"minimum": Number, "maximum": Number, "exclusiveMinimum": Number, "exclusiveMaximum": Number, "multipleOf": Number,
	"items": Array, "minItems": Array, "maxItems": Array, "uniqueItems": Array,
	"properties": Object, "additionalProperties": Object, "minProperties": Object, "maxProperties": Object,
}

// declared is a type as a flow writes it, with what belongs to its place.
type declared struct {
	t          *Type
	doc        string
	standard   string // default
	hasDefault bool
}

// parseType reads a type: a word, a schema with type:, or the properties of an
// object. It returns nil where there is no telling what was meant.
func (s *source) parseType(n *yaml.Node, what string) *Type {
	d := s.parseDeclared(n, what)
	if d.hasDefault {
		s.problem(s.at(n), "", "%s cannot have a default, only properties can", what)
	}
	return d.t
}

func (s *source) parseDeclared(n *yaml.Node, what string) declared {
	switch n.Kind {
	case yaml.ScalarNode:
		if t := s.types.named(n.Value); t != nil {
			return declared{t: t}
		}
		base, ok := s.typeWord(n)
		if !ok {
			return declared{}
		}
		return declared{t: (&Type{Base: base, Open: base == Object, Items: itemsOf(base)}).held()}
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if k, v := n.Content[i], n.Content[i+1]; k.Value == "type" && v.Kind != yaml.MappingNode {
				return s.parseSchema(n, what)
			}
		}
		t := &Type{Base: Object}
		s.parseProps(n, what, t)
		return declared{t: t.held()}
	}
	s.problem(s.at(n), "a type such as string, or the properties of an object", "%s must be a type", what)
	return declared{}
}

func itemsOf(b Base) *Type {
	if b == Array {
		return (&Type{}).held()
	}
	return nil
}

func (t *Type) held() *Type {
	t.goType = goHeld(t)
	return t
}

func (s *source) typeWord(n *yaml.Node) (Base, bool) {
	base, ok := typeWords[n.Value]
	if !ok || n.Tag != "!!str" {
		hint := DidYouMean(n.Value, append(slices.Sorted(maps.Keys(typeWords)), s.types.names()...))
		if word := otherWords[strings.ToLower(n.Value)]; word != "" {
			hint = "did you mean " + word + "?"
		}
		s.problem(s.at(n), hint, "there is no type %q", n.Value)
		return Any, false
	}
	return base, true
}

// parseProps reads name: type pairs; name? marks one that may be absent.
func (s *source) parseProps(n *yaml.Node, what string, t *Type) {
	for _, e := range s.mapping(n, what) {
		name, optional := strings.CutSuffix(e.key, "?")
		if name == "" || strings.ContainsAny(name, "?$.{} ") {
			s.problem(e.at, "letters, digits, _ and -", "%q cannot be the name of a property", e.key)
			continue
		}
		if t.prop(name) != nil {
			s.problem(e.at, "", "property %q is there twice, with and without ?", name)
			continue
		}
		d := s.parseDeclared(e.value, what+"."+name)
		if d.t == nil {
			d.t = (&Type{}).held() // so that references to it are no second mistake
		}
		t.Props = append(t.Props, &Prop{
			Name: name, Doc: d.doc, Type: d.t, Default: d.standard, HasDefault: d.hasDefault,
			Optional: optional || d.hasDefault, pointer: optional && !d.hasDefault || d.t.Null,
		})
	}
}

func (s *source) parseSchema(n *yaml.Node, what string) declared {
	var d declared
	known := slices.Sorted(maps.Keys(schemaWords))
	t := &Type{}
	entries := s.mapping(n, what)
	for _, e := range entries {
		if e.key == "type" {
			word := s.nullable(e.value, t)
			if word == nil {
				return d
			}
			base, ok := s.typeWord(word)
			if !ok {
				return d
			}
			t.Base = base
		}
	}
	for _, e := range entries {
		of, ok := schemaWords[e.key]
		if !ok {
			hint := DidYouMean(e.key, known)
			if !strings.HasPrefix(hint, "did") {
				hint = "an object's properties stand under properties:"
			}
			s.problem(e.at, hint, "unknown key %q", e.key)
			continue
		}
		if of != Any && of != t.Base && !(of == Number && t.Base == Integer) {
			s.problem(e.at, "", "%s is for %ss, %s is %s", e.key, of, what, article(&Type{Base: t.Base, Items: &Type{}}))
			continue
		}
		s.schemaWord(t, e, what, &d)
	}
	if t.Base == Object {
		t.Open = t.Props == nil
		if t.Items != nil && !t.Open {
			s.problem(s.at(n), "name the properties, or say what any of them is", "%s cannot have both properties and additionalProperties", what)
		}
	}
	if t.Base == Array && t.Items == nil {
		t.Items = itemsOf(Array)
	}
	if t.Min != nil && t.Max != nil && *t.Min > *t.Max {
		s.problem(s.at(n), "", "%s can never be right, its least is more than its most", what)
	}
	d.t = t.held()
	if d.hasDefault {
		s.checkDefault(n, d, what)
	}
	return d
}

func (s *source) schemaWord(t *Type, e entry, what string, d *declared) {
	switch e.key {
	case "description":
		d.doc, _ = s.text(e.value, "description")
	case "default":
		if e.value.Kind != yaml.ScalarNode {
			s.problem(s.at(e.value), "", "a default must be a text, a number or a boolean")
			return
		}
		d.standard, d.hasDefault = e.value.Value, true
	case "format":
		f, ok := s.text(e.value, "format")
		if ok && formats[f] == nil {
			s.problem(s.at(e.value), DidYouMean(f, slices.Sorted(maps.Keys(formats))), "format %q is not known", f)
			return
		}
		t.Format = f
		if f == "password" {
			t.Secrecy = Hidden
		}
	case "pattern":
		p, ok := s.text(e.value, "pattern")
		re, err := regexp.Compile(p)
		if ok && err != nil {
			s.problem(s.at(e.value), "RE2 syntax", "pattern is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return
		}
		t.Pattern = re
	case "enum", "const":
		s.enum(t, e, what)
	case "minLength", "minItems", "minimum", "minProperties":
		t.Min = s.bound(e)
	case "maxLength", "maxItems", "maximum", "maxProperties":
		t.Max = s.bound(e)
	case "exclusiveMinimum":
		t.Above = s.bound(e)
	case "exclusiveMaximum":
		t.Below = s.bound(e)
	case "multipleOf":
		if t.Step = s.bound(e); t.Step != nil && *t.Step <= 0 {
			s.problem(s.at(e.value), "", "multipleOf must be more than 0")
			t.Step = nil
		}
	case "additionalProperties":
		switch {
		case e.value.Tag == "!!bool" && e.value.Value == "true":
		case e.value.Tag == "!!bool":
			if t.Props == nil {
				t.Props = []*Prop{} // none at all
			}
		default:
			t.Items = s.parseType(e.value, what+" properties")
		}
	case "uniqueItems":
		t.Unique, _ = s.parseValue(e.value).lit.(bool)
	case "items":
		if t.Items = s.parseType(e.value, what+" items"); t.Items == nil {
			t.Items = itemsOf(Array)
		}
	case "properties":
		t.Props = []*Prop{}
		s.parseProps(e.value, what, t)
	}
}

// nullable reads type: [string, "null"]: it notes the null and returns the other word.
func (s *source) nullable(n *yaml.Node, t *Type) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return n
	}
	var word *yaml.Node
	for _, c := range n.Content {
		if c.Tag == "!!null" || c.Value == "null" {
			t.Null = true
		} else if word == nil {
			word = c
		} else {
			word = nil
			break
		}
	}
	if word == nil || !t.Null {
		s.problem(s.at(n), `as in type: [string, "null"]`, "a list of types can only be one type and null")
		return nil
	}
	return word
}

// enum reads the allowed values of a text or a number; const is a list of one.
func (s *source) enum(t *Type, e entry, what string) {
	v := s.parseValue(e.value)
	items := v.items
	if v.kind != listValue {
		items = []*value{v}
	}
	if len(items) == 0 || e.key == "enum" && v.kind != listValue {
		s.problem(v.pos, "as in [small, large]", "enum must be a list")
		return
	}
	for _, i := range items {
		_, isText := i.lit.(string)
		_, isInt := i.lit.(int64)
		_, isFloat := i.lit.(float64)
		if !(t.Base == String && isText || t.Base == Integer && isInt || t.Base == Number && (isInt || isFloat)) {
			s.problem(i.pos, "", "%s is %s and cannot be %s", what, article(&Type{Base: t.Base, Items: &Type{}}), caseKey(i.lit))
			continue
		}
		text := caseKey(i.lit)
		if isFloat {
			text = plainNumber(i.lit.(float64))
		}
		t.Enum = append(t.Enum, text)
	}
}

func (s *source) bound(e entry) *float64 {
	var f float64
	switch v := s.parseValue(e.value).lit.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	default:
		s.problem(s.at(e.value), "", "%s must be a number", e.key)
		return nil
	}
	if strings.HasSuffix(e.key, "s") && f < 0 || strings.HasSuffix(e.key, "Length") && f < 0 {
		s.problem(s.at(e.value), "", "%s cannot be negative", e.key)
		return nil
	}
	return &f
}

// checkDefault proves that a default can be read whenever a request leaves the
// property out.
func (s *source) checkDefault(n *yaml.Node, d declared, what string) {
	if d.t.Base == Array || d.t.Base == Object || d.t.Base == Any {
		s.problem(s.at(n), "", "%s is %s and cannot have a default", what, article(d.t))
		return
	}
	if why := d.t.parseText(d.standard, newOf(d.t)); why != "" {
		s.problem(s.at(n), "", "the default of %s %s", what, why)
	}
}

// TakesNothing tells whether an empty object is a value of the type.
func (t *Type) TakesNothing() bool {
	return t.Base == Any || t.Base == Object && !slices.ContainsFunc(t.Props, func(p *Prop) bool { return !p.Optional })
}
