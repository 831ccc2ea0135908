package graphql

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/engine"
	"sluice/server/schema"
)

// SDL returns the schema of the fields at a path, in GraphQL's schema language. The
// same flows give the same text.
func SDL(path string, flows []*engine.Flow) string { return newBuilder(at(path, flows)).print() }

// A definition is a type of the schema that has a name.
type definition struct {
	kind    string // type, interface, input or enum
	fields  []member
	shares  []string // interfaces of a type
	values  []string // of an enum
	written bool     // by a types.yaml, which may mean several types by one name
}

// A member is a field or an argument.
type member struct {
	name, about string
	t           string // without the ! of required
	required    bool   // it is never null
	standard    string // default as a literal; "" for none
	deprecated  bool
	args        []member
}

// Names that types of flows cannot have.
const (
	jsonScalar = "Json"
	longScalar = "Long"
)

var builtIn = []string{"Query", "Mutation", "Subscription", "Int", "Float", "String", "Boolean", "ID", jsonScalar, longScalar}

// A builder makes the schema of some fields. Types of answers come first, so that
// those of arguments get out of their way.
type builder struct {
	roots map[string][]member // by operation
	defs  map[string]*definition
}

func newBuilder(flows []*engine.Flow) *builder {
	b := &builder{roots: map[string][]member{}, defs: map[string]*definition{}}
	results := make([]string, len(flows))
	for i, f := range flows {
		results[i] = b.result(f)
	}
	for i, f := range flows {
		m := member{name: f.GraphQL.Name, about: f.About, t: results[i]}
		for _, t := range []*engine.Type{f.Input.Path, f.Input.Query, f.Input.Body} {
			if t != nil {
				m.args = append(m.args, b.inputs(t, capital(m.name))...)
			}
		}
		b.roots[f.GraphQL.Op] = append(b.roots[f.GraphQL.Op], m)
	}
	return b
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// result is the type of what a flow answers: that of its bodies together. One
// without any is true when it is done.
func (b *builder) result(f *engine.Flow) string {
	var bodies []*engine.Type
	for _, r := range f.Replies {
		if r.Body != nil && r.Status < 300 {
			bodies = append(bodies, r.Body)
		}
	}
	name := capital(f.GraphQL.Name) + "Result"
	switch {
	case len(bodies) == 0:
		return "Boolean"
	case len(bodies) == 1 || slices.ContainsFunc(bodies, func(t *engine.Type) bool { return !whole(t) }):
		text, _ := b.answered(bodies[0], name)
		for _, t := range bodies[1:] {
			if other, _ := b.answered(t, name); other != text {
				return jsonScalar
			}
		}
		return text
	}
	var merged []member
	for i, t := range bodies {
		merged = join(merged, b.outputs(t, name), i > 0)
	}
	return b.define(called(bodies[0], name), &definition{kind: "type", fields: merged, written: bodies[0].Called != ""})
}

// whole tells whether a type is an object that GraphQL can select from.
func whole(t *engine.Type) bool {
	return t.Base == engine.Object && !t.Open && !t.More && t.Union == nil && len(t.Props) > 0 &&
		!slices.ContainsFunc(t.Props, func(p *engine.Prop) bool { return !engine.ValidField(p.Name) })
}

// called is the name of a type, or one that is made for it.
func called(t *engine.Type, otherwise string) string {
	switch {
	case t.Called != "":
		return t.Called
	case t.Name != "" && !t.Nominal && engine.ValidField(t.Name):
		return t.Name
	}
	return otherwise
}

// join is the fields of two forms of one type: what only one has can be missing,
// and what differs is data of any form.
func join(a, b []member, both bool) []member {
	all := slices.Clone(a)
	for _, m := range b {
		i := slices.IndexFunc(all, func(o member) bool { return o.name == m.name })
		if i < 0 {
			m.required = m.required && !both
			all = append(all, m)
			continue
		}
		all[i].required = all[i].required && m.required
		if all[i].t != m.t {
			all[i].t, all[i].required = jsonScalar, false
		}
	}
	for i := range all {
		if both && !slices.ContainsFunc(b, func(m member) bool { return m.name == all[i].name }) {
			all[i].required = false
		}
	}
	return all
}

// answered is the type of a value in an answer, and whether it is never null.
func (b *builder) answered(t *engine.Type, name string) (text string, required bool) {
	if t.Base == engine.Array && t.Union == nil {
		return list(b.answered(t.Items, name)), !t.Null
	}
	if whole(t) {
		name = called(t, name)
		d := &definition{kind: "type", fields: b.outputs(t, name), shares: b.interfaces(t), written: t.Called != ""}
		return b.define(name, d), !t.Null
	}
	text = b.scalar(t, name)
	return text, !t.Null && text != jsonScalar
}

// interfaces are the types of types.yaml of which allOf made one.
func (b *builder) interfaces(t *engine.Type) []string {
	var all []string
	for _, s := range t.Shares {
		if whole(s) {
			all = append(all, b.define(s.Called, &definition{kind: "interface", fields: b.outputs(s, s.Called), written: true}))
		}
	}
	return all
}

// head is a type with those of its interfaces whose fields it has: forms of one name
// may have made some of its own optional.
func (b *builder) head(name string, d *definition) string {
	shares := slices.DeleteFunc(slices.Clone(d.shares), func(s string) bool {
		return slices.ContainsFunc(b.defs[s].fields, func(f member) bool {
			return !slices.ContainsFunc(d.fields, func(own member) bool { return own.name == f.name && own.text() == f.text() })
		})
	})
	if len(shares) == 0 {
		return name
	}
	return name + " implements " + strings.Join(shares, " & ")
}

func list(item string, required bool) string {
	if required {
		item += "!"
	}
	return "[" + item + "]"
}

func (b *builder) outputs(t *engine.Type, name string) []member {
	var all []member
	for _, p := range t.Props {
		if p.Type.Secrecy == engine.Hidden {
			continue
		}
		text, required := b.answered(p.Type, name+capital(p.Name))
		all = append(all, member{name: p.Name, about: p.Doc, t: text, required: required && !p.Optional, deprecated: p.Notes.Deprecated})
	}
	return all
}

// inputs are the properties of an object that a request sends.
func (b *builder) inputs(t *engine.Type, name string) []member {
	var all []member
	for _, p := range t.Props {
		if p.ReadOnly {
			continue
		}
		m := member{name: p.Name, about: p.Doc, required: !p.Optional && !p.Type.Null && p.Type.Base != engine.Any, deprecated: p.Notes.Deprecated && p.Optional}
		m.t = b.taken(p.Type, name+capital(p.Name))
		if p.HasDefault {
			m.standard = b.literal(m.t, schema.Default(p))
		}
		all = append(all, m)
	}
	return all
}

// taken is the type of a value in a request.
func (b *builder) taken(t *engine.Type, name string) string {
	switch {
	case t.Base == engine.Array && t.Union == nil:
		return list(b.taken(t.Items, name), !t.Items.Null && t.Items.Base != engine.Any)
	case whole(t):
		inner := called(t, name)
		if name = called(t, name+"Input"); b.defs[name] != nil && b.defs[name].kind != "input" {
			name += "Input"
		}
		return b.define(name, &definition{kind: "input", fields: b.inputs(t, inner), written: t.Called != ""})
	}
	return b.scalar(t, name)
}

// Bounds of Int.
const (
	leastInt = -1 << 31
	mostInt  = 1<<31 - 1
)

// scalar is the type of a value that is selected as a whole.
func (b *builder) scalar(t *engine.Type, name string) string {
	switch {
	case t.Union != nil:
	case t.Base == engine.String && len(t.Enum) > 0 && !slices.ContainsFunc(t.Enum, func(v string) bool { return !enumerable(v) }):
		return b.define(called(t, name), &definition{kind: "enum", values: t.Enum})
	case t.Base == engine.String:
		return "String"
	case t.Base == engine.Boolean:
		return "Boolean"
	case t.Base == engine.Number:
		return "Float"
	case t.Base == engine.Integer && t.Min != nil && *t.Min >= leastInt && t.Max != nil && *t.Max <= mostInt:
		return "Int"
	case t.Base == engine.Integer:
		return longScalar
	}
	return jsonScalar
}

// enumerable tells whether a text can be the value of an enum.
func enumerable(v string) bool {
	return engine.ValidField(v) && v != "true" && v != "false" && v != "null"
}

// define gives a definition its name, or that name with a number where another
// one has it. Types of one name in types.yaml are forms of one.
func (b *builder) define(name string, d *definition) string {
	for key, n := name, 2; ; key, n = name+strconv.Itoa(n), n+1 {
		old := b.defs[key]
		switch {
		case slices.Contains(builtIn, key):
		case old == nil:
			b.defs[key] = d
			return key
		case old.kind != d.kind:
		case d.kind == "enum" && slices.Equal(old.values, d.values):
			return key
		case d.kind != "enum" && (old.written && d.written || sameMembers(old.fields, d.fields)):
			old.fields = join(old.fields, d.fields, true)
			return key
		}
	}
}

func sameMembers(a, b []member) bool {
	return slices.EqualFunc(a, b, func(a, b member) bool { return a.name == b.name && a.t == b.t })
}

// literal writes a default in GraphQL's words; "" where it has none.
func (b *builder) literal(t string, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	switch s, isText := v.(string); {
	case isText && b.defs[t] != nil && b.defs[t].kind == "enum":
		return s
	case t == "Int" || t == "Long" || t == "Float" || t == "Boolean" || t == "String":
		return string(text)
	}
	return ""
}

// print writes the schema: the roots, then the types by name.
func (b *builder) print() string {
	var w strings.Builder
	if len(b.roots["query"]) == 0 {
		b.roots["query"] = []member{{name: "_", about: "Nothing: a schema has at least one query.", t: "Boolean"}}
	}
	printMembers(&w, "type", "Query", b.roots["query"])
	if len(b.roots["mutation"]) > 0 {
		printMembers(&w, "type", "Mutation", b.roots["mutation"])
	}
	names := make([]string, 0, len(b.defs))
	for name := range b.defs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d := b.defs[name]
		if d.kind != "enum" {
			printMembers(&w, d.kind, b.head(name, d), d.fields)
			continue
		}
		fmt.Fprintf(&w, "enum %s {\n", name)
		for _, v := range d.values {
			fmt.Fprintf(&w, "  %s\n", v)
		}
		w.WriteString("}\n\n")
	}
	w.WriteString("\"Data of any form.\"\nscalar " + jsonScalar + "\n\n\"An integer of 64 bits.\"\nscalar " + longScalar + "\n")
	return w.String()
}

func printMembers(w *strings.Builder, kind, name string, members []member) {
	fmt.Fprintf(w, "%s %s {\n", kind, name)
	for _, m := range members {
		printAbout(w, "  ", m.about)
		w.WriteString("  " + m.name)
		if len(m.args) > 0 {
			printArguments(w, m.args)
		}
		w.WriteString(": " + m.text() + "\n")
	}
	w.WriteString("}\n\n")
}

func printArguments(w *strings.Builder, args []member) {
	w.WriteString("(\n")
	for _, a := range args {
		printAbout(w, "    ", a.about)
		w.WriteString("    " + a.name + ": " + a.text() + "\n")
	}
	w.WriteString("  )")
}

// text is the type of a member with what else is said of it.
func (m *member) text() string {
	s := m.t
	if m.required {
		s += "!"
	}
	if m.standard != "" {
		s += " = " + m.standard
	}
	if m.deprecated {
		s += " @deprecated"
	}
	return s
}

func printAbout(w *strings.Builder, indent, about string) {
	if about = strings.Join(strings.Fields(about), " "); about != "" {
		w.WriteString(indent + quote(about) + "\n")
	}
}

// quote writes a text as GraphQL and JSON have it.
func quote(s string) string {
	var w strings.Builder
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("graphql: " + err.Error()) // a text marshals
	}
	return strings.TrimSuffix(w.String(), "\n")
}
