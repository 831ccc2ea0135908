package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"sluice/engine"
	"sluice/server/endpoint"
)

// maxValues bounds the values of an answer, which a small document can make many
// of lists in lists.
const maxValues = 200_000

// An execution runs the operation of one request.
type execution struct {
	mount    *Mount
	work     *work
	caller   *endpoint.Request
	failures []failure
	headers  []engine.Header
	values   int // written so far
}

// A field is what an answer has under one name. The same field can be selected at
// several places, and has what all of them select.
type field struct {
	key, name string
	at        location
	arguments ast.ArgumentList
	def       *ast.FieldDefinition
	sets      []ast.SelectionSet
}

// run calls the flows of the fields at the root, one after the other, and writes
// the answer.
func (x *execution) run(ctx context.Context) (engine.Answer, error) {
	fields := x.collect(x.work.root, x.work.set)
	if x.caller.Token == "" && x.caller.APIKey == "" {
		for _, f := range fields {
			if ep := x.mount.schema.fields[fieldKey(x.work.op, f.name)]; ep != nil && ep.Demands() {
				return unlet(endpoint.Missing())
			}
		}
	}
	b := []byte(`{"data":{`)
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quote(f.key)...), ':')
		b = x.root(ctx, b, f)
	}
	b = append(b, '}')
	if len(x.failures) > 0 {
		list := failures(x.failures)
		b = append(append(b, ','), list[1:len(list)-1]...)
	}
	return engine.Answer{Status: statusOK, Headers: x.headers, Body: append(b, '}')}, nil
}

// root writes the value of a field at the root; null where it failed.
func (x *execution) root(ctx context.Context, b []byte, f *field) []byte {
	v, err := x.resolve(ctx, f)
	if err != nil {
		x.fail(ctx, f, err)
		return append(b, "null"...)
	}
	mark := len(b)
	b, err = x.write(b, f.def.Type, v, f.sets)
	if err != nil {
		x.fail(ctx, f, err)
		return append(b[:mark], "null"...)
	}
	return b
}

// resolve returns the value of a field at the root.
func (x *execution) resolve(ctx context.Context, f *field) (any, error) {
	switch f.name {
	case "__typename":
		return x.work.root.Name, nil
	case "__schema":
		return x.mount.schema.asValue(), nil
	case "__type":
		name, _ := x.argument(f, "name").(string)
		if def := x.mount.schema.Types[name]; def != nil {
			return x.mount.schema.definition(def), nil
		}
		return nil, nil
	}
	ep := x.mount.schema.fields[fieldKey(x.work.op, f.name)]
	if ep == nil {
		return nil, nil // of a schema without queries
	}
	r, err := x.request(f, ep.Flow())
	if err != nil {
		return nil, err
	}
	a, err := ep.Call(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, h := range a.Headers {
		if strings.EqualFold(h.Name, "Set-Cookie") {
			x.headers = append(x.headers, h)
		}
	}
	if len(a.Body) == 0 {
		if f.def.Type.NamedType == "Boolean" {
			return true, nil
		}
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", ep.Flow().File, err)
	}
	return v, nil
}

// argument returns an argument of a field of the schema about itself, or nil.
func (x *execution) argument(f *field, name string) any {
	a := f.arguments.ForName(name)
	if a == nil {
		return nil
	}
	v, _ := literal(a.Value, x.work.variables)
	return v
}

// collect lists what a selection gives of an object, in order, each name once.
func (x *execution) collect(of *ast.Definition, sets ...ast.SelectionSet) []field {
	var all []field
	var take func(set ast.SelectionSet)
	take = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if !x.included(sel.Directives) {
					continue
				}
				if i := slices.IndexFunc(all, func(f field) bool { return f.key == sel.Alias }); i >= 0 {
					all[i].sets = append(all[i].sets, sel.SelectionSet)
					continue
				}
				f := field{key: sel.Alias, name: sel.Name, arguments: sel.Arguments, def: sel.Definition, sets: []ast.SelectionSet{sel.SelectionSet}}
				if p := sel.Position; p != nil {
					f.at = location{p.Line, p.Column}
				}
				all = append(all, f)
			case *ast.InlineFragment:
				if x.included(sel.Directives) && (sel.TypeCondition == "" || is(of, sel.TypeCondition)) {
					take(sel.SelectionSet)
				}
			case *ast.FragmentSpread:
				if x.included(sel.Directives) && is(of, sel.Definition.TypeCondition) {
					take(sel.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		take(set)
	}
	return all
}

// included tells whether @skip and @include leave a selection in.
func (x *execution) included(list ast.DirectiveList) bool {
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		if a := d.Arguments.ForName("if"); a != nil {
			if v, _ := literal(a.Value, x.work.variables); v == (d.Name == "skip") {
				return false
			}
		}
	}
	return true
}

// write appends what is selected of a value. An error says that the value is not
// of its type; then the field of the root fails.
func (x *execution) write(b []byte, t *ast.Type, v any, sets []ast.SelectionSet) ([]byte, error) {
	if x.values++; x.values > maxValues {
		return b, engine.Fail(engine.Invalid, badInput, "The answer has too many values; select less.")
	}
	items, isList := v.([]any)
	switch {
	case v == nil && t.NonNull:
		return b, fmt.Errorf("a value of type %s is null", t)
	case v == nil:
		return append(b, "null"...), nil
	case t.Elem != nil && !isList:
		return b, fmt.Errorf("a value of type %s is no list", t)
	case t.Elem != nil:
		b = append(b, '[')
		for i, item := range items {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = x.write(b, t.Elem, item, sets); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	}
	def := x.mount.schema.Types[t.NamedType]
	if def.Kind != ast.Object {
		text, err := json.Marshal(v)
		if err != nil {
			return b, fmt.Errorf("writing a value: %w", err)
		}
		return append(b, text...), nil
	}
	return x.object(b, def, v, sets)
}

func (x *execution) object(b []byte, def *ast.Definition, v any, sets []ast.SelectionSet) ([]byte, error) {
	var of func(f *field) any
	switch v := v.(type) {
	case map[string]any:
		of = func(f *field) any { return v[f.name] }
	case introspected:
		of = func(f *field) any { return v(f.name, x.argument(f, "includeDeprecated") == true) }
	default:
		return b, fmt.Errorf("a value of type %s is no object", def.Name)
	}
	b = append(b, '{')
	fields := x.collect(def, sets...)
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quote(f.key)...), ':')
		value := of(f)
		if f.name == "__typename" {
			value = def.Name
		}
		var err error
		if b, err = x.write(b, f.def.Type, value, f.sets); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// is tells whether a type is one, or has it as an interface.
func is(of *ast.Definition, name string) bool {
	return of.Name == name || slices.Contains(of.Interfaces, name)
}
