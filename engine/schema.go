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
	"type": Any, "description": Any, "default": Any,
	"format": String, "minLength": String, "maxLength": String, "pattern": String, "enum": String,
	"minimum": Number, "maximum": Number,
	"items": Array, "minItems": Array, "maxItems": Array, "uniqueItems": Array,
	"properties": Object,
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
			if n.Content[i].Value == "type" && n.Content[i+1].Kind == yaml.ScalarNode {
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
		hint := didYouMean(n.Value, append(slices.Sorted(maps.Keys(typeWords)), s.types.names()...))
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
			Optional: optional || d.hasDefault, pointer: optional && !d.hasDefault,
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
			base, ok := s.typeWord(e.value)
			if !ok {
				return d
			}
			t.Base = base
		}
	}
	for _, e := range entries {
		of, ok := schemaWords[e.key]
		if !ok {
			hint := didYouMean(e.key, known)
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
			s.problem(s.at(e.value), didYouMean(f, slices.Sorted(maps.Keys(formats))), "format %q is not known", f)
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
	case "enum":
		t.Enum = s.texts(e.value, "enum")
	case "minLength", "minItems", "minimum":
		t.Min = s.bound(e)
	case "maxLength", "maxItems", "maximum":
		t.Max = s.bound(e)
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
	if e.key != "minimum" && e.key != "maximum" && f < 0 {
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
