package engine

import (
	"math"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// A wording is a type while its words are read.
type wording struct {
	*source
	t    *Type
	d    *declared
	what string
	node *yaml.Node
	at   Pos // of the node

	hasType bool // type: says what sort of value it is
	typed   bool // that is said, by type: or by a word for one sort
	forms   []*Type
	one     bool
	by      string // of discriminator
	byAt    Pos
	mapping []entry
	parts   []*Type // of allOf
	choice  Choice
}

// rules returns the rules of a type, made on first use.
func (t *Type) rules() *Rules {
	if t.Rules == nil {
		t.Rules = &Rules{}
	}
	return t.Rules
}

// word reads one word of a type, into the type or the form of it that the word is for.
func (w *wording) word(t *Type, e entry) {
	switch e.key {
	case "description":
		w.d.doc, _ = w.text(e.value, "description")
	case "title":
		w.d.notes.Title, _ = w.text(e.value, "title")
	case "deprecated":
		w.d.notes.Deprecated = w.truth(e)
	case "examples":
		list, ok := w.parseValue(e.value).constant()
		if w.d.notes.Examples, _ = list.([]any); !ok || w.d.notes.Examples == nil {
			w.problem(w.source.at(e.value), "as in [a, b]", "examples must be a list of values")
		}
	case "default":
		w.standard(e.value)
	case "format":
		w.format(e)
	case "pattern":
		if re := w.pattern(e.value); re != nil {
			t.Pattern = re
		}
	case "enum", "const":
		w.enum(t, e, w.what)
	case "minLength", "minItems", "minimum", "minProperties":
		t.Min = larger(t.Min, w.bound(e))
	case "maxLength", "maxItems", "maximum", "maxProperties":
		t.Max = smaller(t.Max, w.bound(e))
	case "exclusiveMinimum":
		t.Above = w.bound(e)
	case "exclusiveMaximum":
		t.Below = w.bound(e)
	case "multipleOf":
		if t.Step = w.bound(e); t.Step != nil && *t.Step <= 0 {
			w.problem(w.source.at(e.value), "", "multipleOf must be more than 0")
			t.Step = nil
		}
	case "uniqueItems":
		t.Unique, _ = w.parseValue(e.value).lit.(bool)
	case "readOnly":
		w.d.readOnly = w.truth(e)
	case "writeOnly":
		if w.truth(e) && (!w.hasType || !t.scalar()) {
			w.problem(e.at, "mark the texts and numbers in it", "%s is %s, and writeOnly is for one value", w.what, article(jsonName(t)))
		} else if w.truth(e) {
			t.Secrecy = Hidden
		}
	case "items", "prefixItems", "contains", "minContains", "maxContains":
		w.itemWord(t, e)
	case "oneOf", "anyOf", "allOf", "not", "if", "then", "else", "discriminator":
		w.ruleWord(t, e)
	default:
		w.propertyWord(t, e)
	}
}

func (w *wording) truth(e entry) bool {
	b, ok := w.parseValue(e.value).lit.(bool)
	if !ok {
		w.problem(w.source.at(e.value), "true or false", "%s must be a boolean", e.key)
	}
	return b
}

// standard reads a default.
func (w *wording) standard(n *yaml.Node) {
	if n.Tag == "!!null" {
		w.d.absent = true
		return
	}
	if n.Kind == yaml.ScalarNode && (w.t.scalar() || w.t.Base == Array && w.hasType || w.t.Base == Object && w.hasType) {
		w.d.standard, w.d.hasDefault = n.Value, true
		return
	}
	data, ok := w.parseValue(n).constant()
	if !ok {
		w.problem(w.source.at(n), "", "a default cannot hold references")
		return
	}
	w.d.standard, w.d.hasDefault = string(appendAny(nil, data)), true
}

// constant is a value without references, as data.
func (v *value) constant() (data any, ok bool) {
	switch v.kind {
	case literalValue:
		return v.lit, true
	case listValue:
		list := make([]any, len(v.items))
		for i, item := range v.items {
			if list[i], ok = item.constant(); !ok {
				return nil, false
			}
		}
		return list, true
	case objectValue:
		object := map[string]any{}
		for _, m := range v.members {
			if object[m.name], ok = m.v.constant(); !ok {
				return nil, false
			}
		}
		return object, true
	}
	return nil, false
}

// A numberFormat is a value of format: for numbers.
type numberFormat struct {
	base Base
	what string
}

var numberFormats = map[string]numberFormat{
	"int32": {Integer, "an integer of 32 bits"}, "int64": {Integer, "an integer of 64 bits, as all are"},
	"float": {Number, "a number that need not be exact"}, "double": {Number, "a number, as all are"},
}

func (w *wording) format(e entry) {
	f, ok := w.text(e.value, "format")
	t := w.t.sort(String)
	number, isNumber := numberFormats[f]
	if isNumber {
		if t = w.t.sort(number.base); t == nil || t.Base != number.base {
			w.problem(w.source.at(e.value), "", "format %s is for %ss, %s is %s", f, number.base, w.what, article(jsonName(w.t)))
			return
		}
	}
	switch {
	case !ok:
	case t == nil || t.Base == Any:
		w.problem(e.at, "", "format is for strings, %s is %s", w.what, article(jsonName(w.t)))
	case formats[f] == nil && !isNumber:
		hint := DidYouMean(f, Formats())
		if f == "binary" {
			hint = "byte is a text in base64"
		}
		w.problem(w.source.at(e.value), hint, "format %q is not known", f)
	default:
		t.Format = f
		if f == "password" {
			t.Secrecy = Hidden
		}
		if f == "int32" {
			least, most := float64(math.MinInt32), float64(math.MaxInt32)
			t.Min, t.Max = larger(t.Min, &least), smaller(t.Max, &most)
		}
	}
}

func larger(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

func smaller(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func (w *wording) pattern(n *yaml.Node) *regexp.Regexp {
	text, ok := w.text(n, "pattern")
	re, err := regexp.Compile(text)
	if ok && err != nil {
		w.problem(w.source.at(n), "RE2 syntax", "pattern is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if !ok || err != nil {
		return nil
	}
	return re
}

// condition reads a type that is asked of a value that has a type already.
func (s *source) condition(n *yaml.Node, what string) *Type {
	before := s.conditional
	s.conditional = true
	defer func() { s.conditional = before }()
	return s.parseType(n, what)
}

// typeList reads a list of types. Where each is one of a value's forms, null may
// be among them, and is told.
func (w *wording) typeList(e entry, conditions bool) (list []*Type, null bool) {
	if e.value.Kind != yaml.SequenceNode || len(e.value.Content) == 0 {
		w.problem(w.source.at(e.value), "each is a type", "%s must be a list of types", e.key)
		return nil, false
	}
	for _, n := range e.value.Content {
		var t *Type
		switch {
		case isNull(n):
			null = true
			continue
		case conditions:
			t = w.condition(n, w.what)
		default:
			t = w.parseType(n, w.what)
		}
		if t != nil {
			list = append(list, t)
		}
	}
	return list, null
}

func (w *wording) ruleWord(t *Type, e entry) {
	switch e.key {
	case "oneOf", "anyOf":
		list, null := w.typeList(e, w.typed)
		switch {
		case w.typed:
			if list != nil {
				t.rules().Any = append(t.rules().Any, Forms{list, e.key == "oneOf"})
			}
		case w.forms != nil:
			w.problem(e.at, "give it a type, of which both say more", "%s has both oneOf and anyOf", w.what)
		default:
			w.forms, w.one = list, e.key == "oneOf"
		}
		t.Null = t.Null || null
	case "allOf":
		w.parts, _ = w.typeList(e, w.conditional)
	case "not":
		if not := w.condition(e.value, w.what); not != nil {
			t.rules().Not = append(t.rules().Not, not)
		}
	case "if":
		w.choice.If = w.condition(e.value, w.what)
	case "then":
		w.choice.Then = w.condition(e.value, w.what)
	case "else":
		w.choice.Else = w.condition(e.value, w.what)
	case "discriminator":
		w.byAt = e.at
		if e.value.Kind == yaml.ScalarNode {
			w.by, _ = w.text(e.value, "discriminator")
			return
		}
		for _, f := range w.source.mapping(e.value, "discriminator", "propertyName", "mapping") {
			if f.key == "propertyName" {
				w.by, _ = w.text(f.value, "propertyName")
			} else {
				w.mapping = w.source.mapping(f.value, "mapping")
			}
		}
	}
}

func (w *wording) itemWord(t *Type, e entry) {
	isFalse := e.value.Tag == "!!bool" && e.value.Value == "false"
	switch e.key {
	case "items":
		switch {
		case isFalse:
			t.rules().Sealed = true
		case e.value.Tag == "!!bool":
			t.Items = itemsOf(Array)
		default:
			if t.Items = w.parseType(e.value, w.what+" items"); t.Items == nil {
				t.Items = itemsOf(Array)
			}
		}
	case "prefixItems":
		if e.value.Kind != yaml.SequenceNode || len(e.value.Content) == 0 {
			w.problem(w.source.at(e.value), "each is a type", "prefixItems must be a list of types")
			return
		}
		for _, n := range e.value.Content {
			item := w.parseType(n, w.what+" items")
			if item == nil {
				item = itemsOf(Array)
			}
			t.rules().Prefix = append(t.rules().Prefix, item)
		}
	case "contains":
		t.rules().Contains = w.condition(e.value, w.what+" items")
	case "minContains":
		t.rules().Least = w.bound(e)
	case "maxContains":
		t.rules().Most = w.bound(e)
	}
}

func (w *wording) propertyWord(t *Type, e entry) {
	switch e.key {
	case "additionalProperties":
		switch {
		case e.value.Tag == "!!bool" && e.value.Value == "true":
			t.More = true
		case e.value.Tag == "!!bool":
			if t.Props == nil && childOf(w.node, "patternProperties") == nil {
				t.Props = []*Prop{} // none at all
			}
		default:
			t.Items = w.parseType(e.value, w.what+" properties")
		}
	case "unevaluatedProperties":
		if e.value.Tag != "!!bool" || e.value.Value != "false" {
			w.problem(w.source.at(e.value), "additionalProperties says what others there may be", "unevaluatedProperties can only be false")
		}
	case "properties":
		if t.Props == nil {
			t.Props = []*Prop{}
		}
		w.parseProps(e.value, w.what, t)
	case "patternProperties":
		for _, f := range w.source.mapping(e.value, "patternProperties") {
			re, err := regexp.Compile(f.key)
			if err != nil {
				w.problem(f.at, "RE2 syntax", "%q is no regular expression: %s", f.key, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
				continue
			}
			if of := w.parseType(f.value, w.what+" properties"); of != nil {
				t.rules().Patterns = append(t.rules().Patterns, Pattern{re, of})
			}
		}
	case "propertyNames":
		names := w.parseType(e.value, "a name in "+w.what)
		if names != nil && (names.Base != String || names.goType != goHeld(&Type{Base: String})) {
			w.problem(w.source.at(e.value), "as in {type: string, maxLength: 20}", "names are strings")
			return
		}
		t.rules().Names = names
	case "dependentRequired":
		for _, f := range w.source.mapping(e.value, "dependentRequired") {
			t.rules().Needs = append(t.rules().Needs, Need{Prop: f.key, Props: w.texts(f.value, f.key)})
		}
	case "dependentSchemas":
		for _, f := range w.source.mapping(e.value, "dependentSchemas") {
			if of := w.condition(f.value, w.what); of != nil {
				t.rules().Needs = append(t.rules().Needs, Need{Prop: f.key, Type: of})
			}
		}
	}
}

// childOf returns what stands behind a key of a mapping, or nil.
func childOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// checkNames reports rules about properties that an object cannot have, and
// names that are declared twice.
func (s *source) checkNames(n *yaml.Node, t *Type, what string) {
	r := t.Rules
	for _, p := range t.Props {
		for _, pattern := range r.Patterns {
			if pattern.Name.MatchString(p.Name) {
				s.problem(s.at(n), "narrow the pattern", "property %q of %s matches the pattern %s", p.Name, what, pattern.Name)
			}
		}
		if r.Names != nil {
			if why := r.Names.scalarFault(p.Name); why != "" {
				s.problem(s.at(n), "", "the name %q of %s %s", p.Name, what, why)
			}
		}
	}
	if t.Open || t.More || t.Loose {
		return
	}
	known := func(name string) {
		if t.prop(name) == nil {
			s.problem(s.at(n), DidYouMean(name, t.propNames()), "%s has no %q, of which it asks something", what, name)
		}
	}
	for _, need := range r.Needs {
		known(need.Prop)
		for _, name := range need.Props {
			known(name)
		}
	}
	told := map[string]bool{}
	for _, c := range r.conditions() {
		for _, p := range c.Props {
			if c.Loose && !told[p.Name] {
				told[p.Name] = true
				known(p.Name)
			}
		}
	}
}
