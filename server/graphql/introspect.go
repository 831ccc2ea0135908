package graphql

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// An introspected value is a part of the schema as an object of its own types. It
// gives a field by name; types lead back to themselves, so nothing is made before
// it is asked for.
type introspected func(name string, deprecated bool) any

func (s *fieldSchema) asValue() introspected {
	return func(name string, _ bool) any {
		switch name {
		case "types":
			var all []any
			for _, key := range slices.Sorted(maps.Keys(s.Types)) {
				all = append(all, s.definition(s.Types[key]))
			}
			return all
		case "queryType":
			return s.definition(s.Query)
		case "mutationType":
			if s.Mutation != nil {
				return s.definition(s.Mutation)
			}
		case "directives":
			all := []any{}
			for _, key := range slices.Sorted(maps.Keys(s.Directives)) {
				all = append(all, s.directive(s.Directives[key]))
			}
			return all
		}
		return nil
	}
}

// definition is a type that has a name.
func (s *fieldSchema) definition(d *ast.Definition) introspected {
	return func(name string, deprecated bool) any {
		switch name {
		case "kind":
			return string(d.Kind)
		case "name":
			return d.Name
		case "description":
			return text(d.Description)
		case "fields":
			if d.Kind == ast.Object || d.Kind == ast.Interface {
				return s.fieldsOf(d, deprecated)
			}
		case "interfaces":
			if d.Kind == ast.Object || d.Kind == ast.Interface {
				all := []any{}
				for _, name := range d.Interfaces {
					all = append(all, s.definition(s.Types[name]))
				}
				return all
			}
		case "possibleTypes":
			if d.Kind == ast.Interface {
				all := []any{}
				for _, t := range s.PossibleTypes[d.Name] {
					all = append(all, s.definition(t))
				}
				return all
			}
		case "enumValues":
			if d.Kind == ast.Enum {
				all := []any{}
				for _, v := range d.EnumValues {
					all = append(all, described(v.Name, v.Description, v.Directives))
				}
				return all
			}
		case "inputFields":
			if d.Kind == ast.InputObject {
				all := []any{}
				for _, f := range d.Fields {
					if deprecated || f.Directives.ForName("deprecated") == nil {
						all = append(all, s.input(f.Name, f.Description, f.Type, f.DefaultValue, f.Directives))
					}
				}
				return all
			}
		case "isOneOf":
			if d.Kind == ast.InputObject {
				return false
			}
		}
		return nil
	}
}

func (s *fieldSchema) fieldsOf(d *ast.Definition, deprecated bool) []any {
	all := []any{}
	for _, f := range d.Fields {
		if strings.HasPrefix(f.Name, "__") || !deprecated && f.Directives.ForName("deprecated") != nil {
			continue
		}
		about := described(f.Name, f.Description, f.Directives)
		all = append(all, introspected(func(name string, deprecated bool) any {
			switch name {
			case "args":
				args := []any{}
				for _, a := range f.Arguments {
					if deprecated || a.Directives.ForName("deprecated") == nil {
						args = append(args, s.input(a.Name, a.Description, a.Type, a.DefaultValue, a.Directives))
					}
				}
				return args
			case "type":
				return s.reference(f.Type)
			}
			return about(name, deprecated)
		}))
	}
	return all
}

// reference is a type where it is used: a list, or one that is never null, around
// another one.
func (s *fieldSchema) reference(t *ast.Type) introspected {
	around := func(kind string, inner introspected) introspected {
		return func(name string, _ bool) any {
			switch name {
			case "kind":
				return kind
			case "ofType":
				return inner
			}
			return nil
		}
	}
	switch {
	case t.NonNull:
		bare := *t
		bare.NonNull = false
		return around("NON_NULL", s.reference(&bare))
	case t.Elem != nil:
		return around("LIST", s.reference(t.Elem))
	}
	return s.definition(s.Types[t.NamedType])
}

// input is an argument, or a field of what a request sends.
func (s *fieldSchema) input(called, about string, t *ast.Type, standard *ast.Value, directives ast.DirectiveList) introspected {
	general := described(called, about, directives)
	return func(name string, deprecated bool) any {
		switch name {
		case "type":
			return s.reference(t)
		case "defaultValue":
			if standard != nil {
				return standard.String()
			}
			return nil
		}
		return general(name, deprecated)
	}
}

func (s *fieldSchema) directive(d *ast.DirectiveDefinition) introspected {
	return func(name string, _ bool) any {
		switch name {
		case "name":
			return d.Name
		case "description":
			return text(d.Description)
		case "isRepeatable":
			return d.IsRepeatable
		case "locations":
			all := []any{}
			for _, l := range d.Locations {
				all = append(all, string(l))
			}
			return all
		case "args":
			args := []any{}
			for _, a := range d.Arguments {
				args = append(args, s.input(a.Name, a.Description, a.Type, a.DefaultValue, a.Directives))
			}
			return args
		}
		return nil
	}
}

// described is what fields, arguments and values of enums have in common.
func described(called, about string, directives ast.DirectiveList) introspected {
	return func(name string, _ bool) any {
		old := directives.ForName("deprecated")
		switch name {
		case "name":
			return called
		case "description":
			return text(about)
		case "isDeprecated":
			return old != nil
		case "deprecationReason":
			if old != nil {
				return "No longer supported"
			}
		}
		return nil
	}
}

// text is a text that is null where there is none.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
