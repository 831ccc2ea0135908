package engine

import (
	"maps"
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
	"format": Any, "oneOf": Any, "anyOf": Any, "allOf": Any, "not": Any, "if": Any, "then": Any, "else": Any, "discriminator": Any,
	"readOnly": Any, "writeOnly": Any,
	"minLength": String, "maxLength": String, "pattern": String,
	"minimum": Number, "maximum": Number, "exclusiveMinimum": Number, "exclusiveMaximum": Number, "multipleOf": Number,
	"items": Array, "minItems": Array, "maxItems": Array, "uniqueItems": Array,
	"prefixItems": Array, "contains": Array, "minContains": Array, "maxContains": Array,
	"properties": Object, "additionalProperties": Object, "minProperties": Object, "maxProperties": Object,
	"patternProperties": Object, "propertyNames": Object, "dependentRequired": Object, "dependentSchemas": Object,
	"unevaluatedProperties": Object,
}

// strangers are words of JSON Schema and of OpenAPI that types do without, and
// what to write instead.
var strangers = map[string]string{
	"$ref": "write the name of a type of types.yaml", "$defs": "types.yaml names types", "definitions": "types.yaml names types",
	"$anchor": "types.yaml names types", "$dynamicRef": "write the name of a type of types.yaml", "$dynamicAnchor": "types.yaml names types",
	"$id": "leave it out", "$schema": "leave it out", "$vocabulary": "leave it out", "$comment": "write a comment: # ...",
	"required": "all is required but what has a ? behind its name", "nullable": `type: [string, "null"]`, "example": "examples: [...]",
	"unevaluatedItems": "items: false, behind prefixItems", "additionalItems": "items:, behind prefixItems",
	"dependencies": "dependentRequired or dependentSchemas", "contentEncoding": "format: byte", "contentMediaType": "leave it out",
	"contentSchema": "leave it out", "xml": "leave it out", "externalDocs": "leave it out",
}

// declared is a type as a flow writes it, with what belongs to its place.
type declared struct {
	t          *Type
	doc        string
	standard   string // default
	hasDefault bool
	readOnly   bool
	notes      Notes
	absent     bool // the default is null, so it may be absent
}

// parseType reads a type: a word, a schema with type:, or the properties of an
// object. It returns nil where there is no telling what was meant.
func (s *source) parseType(n *yaml.Node, what string) *Type {
	d := s.parseDeclared(n, what)
	if d.hasDefault {
		s.problem(s.at(n), "", "%s cannot have a default, only properties can", what)
	}
	if d.readOnly {
		s.problem(s.at(n), "", "%s cannot be readOnly, only properties can", what)
	}
	if d.t != nil && d.t.Null {
		return s.orNull(n, d.t, what)
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
		if IsSchema(n) {
			return s.parseSchema(n, what)
		}
		t := &Type{Base: Object, Loose: s.conditional}
		s.parseProps(n, what, t)
		return declared{t: s.measured(n, t.held(), what)}
	}
	s.problem(s.at(n), "a type such as string, or the properties of an object", "%s must be a type", what)
	return declared{}
}

// IsSchema tells a type that is written with words, such as type: or oneOf:, from
// the properties of an object.
func IsSchema(n *yaml.Node) bool {
	if n == nil || n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k, v := n.Content[i].Value, n.Content[i+1]; {
		case k == "type" && v.Kind != yaml.MappingNode:
			return true
		case (k == "oneOf" || k == "anyOf" || k == "allOf") && v.Kind == yaml.SequenceNode:
			return true
		}
	}
	return false
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
		if instead := strangers[e.key]; strings.HasPrefix(e.key, "$") && instead != "" {
			s.problem(e.at, instead, "types have no %s", e.key)
			continue
		}
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
			Optional: optional || d.hasDefault || d.absent, ReadOnly: d.readOnly, Notes: d.notes,
			pointer: (optional || d.absent) && !d.hasDefault || d.t.Null || d.readOnly,
		})
	}
}

// parseSchema reads a type that is written with words.
func (s *source) parseSchema(n *yaml.Node, what string) declared {
	var d declared
	t := &Type{Loose: s.conditional}
	entries := s.mapping(n, what)
	if !s.baseOf(t, entries) {
		return d
	}
	w := &wording{source: s, t: t, d: &d, what: what, node: n, at: s.at(n)}
	for _, e := range entries {
		w.hasType = w.hasType || e.key == "type"
		w.typed = w.typed || e.key == "type" || schemaWords[e.key] != Any
	}
	for _, e := range entries {
		of, ok := schemaWords[e.key]
		if !ok {
			s.unknownWord(e)
			continue
		}
		to := t.sort(of)
		if to == nil && (w.hasType || t.Base != Any) {
			s.problem(e.at, "", "%s is for %ss, %s is %s", e.key, of, what, article(jsonName(t)))
			continue
		}
		if to == nil { // beside allOf or forms it says what sort of value it is
			to = t
			if t.Base = of; of == Object && t.Loose {
				t.Props = []*Prop{}
			}
		}
		w.word(to, e)
	}
	for _, to := range append([]*Type{t}, t.Union...) {
		s.complete(n, to, what)
	}
	if t = w.formed(); t == nil {
		return declared{}
	}
	if t.Base == Object && t.Rules != nil {
		s.checkNames(n, t, what)
	}
	d.t = s.measured(n, t.held(), what)
	for _, example := range d.notes.Examples {
		c := complaints{path: []byte("an example of " + what)}
		if c.check(d.t, example); c.bad {
			s.problem(s.at(n), "", "%s", c.faults[0].Message)
		}
	}
	if d.hasDefault {
		s.checkDefault(n, d, what)
	}
	return d
}

// baseOf reads type: into a type. Where it lists several they become the forms
// of a union.
func (s *source) baseOf(t *Type, entries []entry) bool {
	for _, e := range entries {
		if e.key != "type" {
			continue
		}
		words := []*yaml.Node{e.value}
		if e.value.Kind == yaml.SequenceNode {
			words = s.nullable(e.value, t)
		}
		for _, word := range words {
			base, ok := s.typeWord(word)
			switch {
			case !ok:
				return false
			case len(words) == 1:
				t.Base = base
			case t.sort(base) != nil && base != Any:
				s.problem(s.at(word), "", "%s is in the list already", t.sort(base).Base)
			default:
				t.Union = append(t.Union, &Type{Base: base, Loose: t.Loose})
			}
		}
		return len(words) > 0
	}
	return true
}

// sort returns the type that a word for types of a base is of: the type itself,
// or a form that type: lists; nil for none.
func (t *Type) sort(of Base) *Type {
	for _, form := range append([]*Type{t}, t.Union...) {
		if of == Any || of == form.Base || of == Number && form.Base == Integer {
			return form
		}
	}
	return nil
}

func (s *source) unknownWord(e entry) {
	if instead := strangers[e.key]; instead != "" {
		s.problem(e.at, instead, "types have no %s", e.key)
		return
	}
	hint := DidYouMean(e.key, slices.Sorted(maps.Keys(schemaWords)))
	if !strings.HasPrefix(hint, "did") {
		hint = "an object's properties stand under properties:"
	}
	s.problem(e.at, hint, "unknown key %q", e.key)
}

// complete makes whole what the words of a type left open.
func (s *source) complete(n *yaml.Node, t *Type, what string) {
	switch t.Base {
	case Object:
		t.Open = t.Props == nil && !t.Loose
		patterns := t.Rules != nil && t.Rules.Patterns != nil
		sealed := patterns && t.Items == nil && !t.More && !t.Loose
		t.More = !t.Open && !t.Loose && (t.More || t.Items != nil || patterns)
		if r := t.Rules; r != nil {
			r.Sealed = sealed
		}
	case Array:
		if t.Items == nil {
			t.Items = itemsOf(Array)
		}
		s.completePrefix(n, t, what)
		if t.Unique && t.Items.hides() {
			s.problem(s.at(n), "", "%s holds secrets, which cannot be compared", what)
		}
	}
	if t.Min != nil && t.Max != nil && *t.Min > *t.Max {
		s.problem(s.at(n), "", "%s can never be right, its least is more than its most", what)
	}
}

// completePrefix makes what prefixItems and items say one: the items are held as
// data, and items is of those behind the first ones.
func (s *source) completePrefix(n *yaml.Node, t *Type, what string) {
	r := t.Rules
	switch {
	case r == nil:
	case r.Prefix == nil && r.Sealed:
		s.problem(s.at(n), "maxItems: 0", "items: false of %s is for what comes behind prefixItems", what)
		r.Sealed = false
	case r.Prefix != nil:
		if r.Sealed {
			most := float64(len(r.Prefix))
			t.Max, r.Sealed = smaller(t.Max, &most), false
		} else if t.Items.Base != Any || t.Items.ruled() {
			r.Behind = t.Items
		}
		for _, item := range append(slices.Clone(r.Prefix), t.Items) {
			s.keepOpen(n, item, what)
		}
		t.Items = itemsOf(Array)
	}
	if r != nil && r.Contains == nil && (r.Least != nil || r.Most != nil) {
		s.problem(s.at(n), "contains: says of which", "%s counts items and does not say which", what)
	}
}

// nullable reads the words of type: [string, "null"]: it notes the null and
// returns the others.
func (s *source) nullable(n *yaml.Node, t *Type) []*yaml.Node {
	var words []*yaml.Node
	for _, c := range n.Content {
		if isNull(c) {
			t.Null = true
		} else {
			words = append(words, c)
		}
	}
	if len(words) == 0 {
		s.problem(s.at(n), `as in type: [string, "null"]`, "a list of types must name one")
	}
	return words
}

// isNull tells whether a type is null and nothing else.
func isNull(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "type" {
		n = n.Content[1]
	}
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Value == "null")
}

// enum reads the allowed values; const is a list of one. Those of scalars are
// kept as text, others as data.
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
	if !t.scalar() {
		for _, i := range items {
			data, ok := i.constant()
			if !ok {
				s.problem(i.pos, "", "%s cannot hold references", e.key)
			}
			t.rules().Values = append(t.rules().Values, data)
		}
		return
	}
	for _, i := range items {
		_, isBool := i.lit.(bool)
		if i.kind == literalValue && i.lit == nil && t.Null {
			continue // which type: allows
		}
		_, isText := i.lit.(string)
		_, isInt := i.lit.(int64)
		_, isFloat := i.lit.(float64)
		if !(t.Base == String && isText || t.Base == Boolean && isBool || t.Base == Integer && isInt || t.Base == Number && (isInt || isFloat)) {
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
	if d.t.scalar() {
		if why := d.t.parseText(d.standard, newOf(d.t)); why != "" {
			s.problem(s.at(n), "", "the default of %s %s", what, why)
		}
		return
	}
	if _, faults := d.t.ReadJSON([]byte(d.standard), "the default of "+what); len(faults) > 0 {
		s.problem(s.at(n), "", "%s", faults[0].Message)
	}
}

// TakesNothing tells whether an empty object is a value of the type.
func (t *Type) TakesNothing() bool {
	return t.Base == Any && (!t.ruled() || t.holds(map[string]any{})) || t.Base == Object && !slices.ContainsFunc(t.Props, func(p *Prop) bool { return !p.Optional })
}
