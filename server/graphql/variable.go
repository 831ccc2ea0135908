package graphql

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// coerceVariables returns the variables of an operation that have a value: what
// was sent, checked against the declared types, or their defaults. One that was
// not sent and has none stays out, which is not the same as null.
//
// The library's own function takes "5" for an Int and any spelling of an enum.
func (s *fieldSchema) coerceVariables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	values := map[string]any{}
	for _, def := range op.VariableDefinitions {
		v, ok := sent[def.Variable]
		switch {
		case ok:
			value, err := s.coerce(def.Type, v, "$"+def.Variable)
			if err != nil {
				return nil, err
			}
			values[def.Variable] = value
		case def.DefaultValue != nil:
			values[def.Variable], _ = literal(def.DefaultValue, nil)
		case def.Type.NonNull:
			return nil, fmt.Errorf("variable $%s of type %s is missing", def.Variable, def.Type)
		}
	}
	return values, nil
}

// coerce checks a value against a type, and makes a list of a single value where
// one is wanted.
func (s *fieldSchema) coerce(t *ast.Type, v any, what string) (any, error) {
	switch {
	case v == nil && t.NonNull:
		return nil, fmt.Errorf("variable %s of type %s cannot be null", what, t)
	case v == nil:
		return nil, nil
	case t.Elem != nil:
		items, ok := v.([]any)
		if !ok {
			items = []any{v}
		}
		list := make([]any, len(items))
		for i, item := range items {
			var err error
			if list[i], err = s.coerce(t.Elem, item, what+"["+strconv.Itoa(i)+"]"); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	def := s.Types[t.NamedType]
	switch {
	case def == nil:
		return nil, fmt.Errorf("variable %s is of type %s, which is not there", what, t)
	case def.Kind == ast.InputObject:
		return s.coerceObject(def, v, what)
	case def.Kind == ast.Enum:
		if name, ok := v.(string); !ok || def.EnumValues.ForName(name) == nil {
			return nil, mistyped(what, t)
		}
		return v, nil
	case !fits(t.NamedType, v):
		return nil, mistyped(what, t)
	}
	return v, nil
}

func mistyped(what string, t *ast.Type) error {
	return fmt.Errorf("variable %s has a value that is no %s", what, t.Name())
}

func (s *fieldSchema) coerceObject(def *ast.Definition, v any, what string) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("variable %s has a value that is no %s", what, def.Name)
	}
	object := make(map[string]any, len(given))
	for _, f := range def.Fields {
		at := what + "." + f.Name
		inner, there := given[f.Name]
		switch {
		case there:
			value, err := s.coerce(f.Type, inner, at)
			if err != nil {
				return nil, err
			}
			object[f.Name] = value
		case f.Type.NonNull && f.DefaultValue == nil:
			return nil, fmt.Errorf("variable %s of type %s is missing", at, f.Type)
		}
	}
	if len(object) < len(given) {
		var unknown []string
		for name := range given {
			if _, ok := object[name]; !ok {
				unknown = append(unknown, name)
			}
		}
		return nil, fmt.Errorf("variable %s has a field %.100q, which %s does not have", what, slices.Min(unknown), def.Name)
	}
	return object, nil
}

// fits tells whether a value of a request can be one of a scalar.
func fits(scalar string, v any) bool {
	number, isNumber := v.(json.Number)
	_, isText := v.(string)
	switch scalar {
	case "Int":
		n, err := strconv.ParseInt(number.String(), 10, 64)
		return isNumber && err == nil && n >= math.MinInt32 && n <= math.MaxInt32
	case longScalar:
		_, err := strconv.ParseInt(number.String(), 10, 64)
		return isNumber && err == nil
	case "Float":
		return isNumber
	case "String":
		return isText
	case "ID":
		return isText || isNumber
	case "Boolean":
		_, ok := v.(bool)
		return ok
	}
	return true // data of any form
}

// literal returns the value of a literal, with variables in it. It is not there
// where it is a variable without a value; so is a field of an object.
func literal(v *ast.Value, variables map[string]any) (value any, there bool) {
	switch v.Kind {
	case ast.Variable:
		value, there = variables[v.Raw]
		return value, there
	case ast.NullValue:
		return nil, true
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw), true
	case ast.BooleanValue:
		return v.Raw == "true", true
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, c := range v.Children {
			list[i], _ = literal(c.Value, variables)
		}
		return list, true
	case ast.ObjectValue:
		object := map[string]any{}
		for _, c := range v.Children {
			if inner, ok := literal(c.Value, variables); ok {
				object[c.Name] = inner
			}
		}
		return object, true
	}
	return v.Raw, true // texts and enums
}
