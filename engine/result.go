package engine

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// resultType is the type of a result that the expression library typed.
func resultType(rt reflect.Type) *Type {
	switch {
	case rt == timeType || rt == durationType:
		return typeOf(rt, "result", nil)
	case rt == nil:
	case rt.Kind() == reflect.String:
		return (&Type{Base: String}).held()
	case rt.Kind() == reflect.Bool:
		return (&Type{Base: Boolean}).held()
	case rt.Kind() >= reflect.Int && rt.Kind() <= reflect.Uint64:
		return (&Type{Base: Integer}).held()
	case rt.Kind() == reflect.Float32 || rt.Kind() == reflect.Float64:
		return (&Type{Base: Number}).held()
	case rt.Kind() == reflect.Slice && rt.Elem().Kind() == reflect.String:
		return (&Type{Base: Array, Items: (&Type{Base: String}).held()}).held()
	case rt == reflect.TypeFor[[]any]():
		return (&Type{Base: Array, Items: (&Type{}).held()}).held()
	case rt == anyMapType:
		return (&Type{Base: Object, Open: true}).held()
	}
	return (&Type{}).held()
}

// store writes a result to where a value of the type is held.
func (t *Type) store(v any, p unsafe.Pointer) error {
	switch {
	case t.Base == Any:
		plain, err := plainResult(v, 0)
		*(*any)(p) = plain
		return err
	case t.Open:
		plain, err := plainResult(v, 0)
		object, ok := plain.(map[string]any)
		*(*map[string]any)(p) = object
		return errors.Join(err, mistyped(ok || err != nil, v, t))
	case t.Nominal:
		s, ok := v.(string)
		*(*string)(p) = s
		return mistyped(ok, v, t)
	case t.Base == Integer:
		n, ok := integerOf(v)
		*(*int64)(p) = n
		return mistyped(ok, v, t)
	case t.Base == Number:
		f, ok := v.(float64)
		if n, isInt := integerOf(v); !ok && isInt {
			f, ok = float64(n), true
		}
		if ok && f-f != 0 {
			return fmt.Errorf("%w: the result is no number", errExpression)
		}
		*(*float64)(p) = f
		return mistyped(ok, v, t)
	case t.Base == Array && t.goType != bytesType:
		return t.storeList(v, p)
	}
	rv := reflect.ValueOf(v)
	if !rv.IsValid() || rv.Type() != t.goType {
		return mistyped(false, v, t)
	}
	reflect.NewAt(t.goType, p).Elem().Set(rv)
	return nil
}

func (t *Type) storeList(v any, p unsafe.Pointer) error {
	rv := reflect.ValueOf(v)
	if rv.IsValid() && rv.Type() == t.goType {
		reflect.NewAt(t.goType, p).Elem().Set(rv)
		return nil
	}
	items, ok := v.([]any)
	if !ok {
		return mistyped(false, v, t)
	}
	list := reflect.MakeSlice(t.goType, len(items), len(items))
	for i, item := range items {
		if err := t.Items.store(item, list.Index(i).Addr().UnsafePointer()); err != nil {
			return err
		}
	}
	reflect.NewAt(t.goType, p).Elem().Set(list)
	return nil
}

func mistyped(ok bool, v any, t *Type) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: the result is a %T, want %s", errExpression, v, article(t))
}

func integerOf(v any) (int64, bool) {
	rv := reflect.ValueOf(v)
	switch {
	case rv.CanInt():
		return rv.Int(), true
	case rv.CanUint():
		return int64(rv.Uint()), true
	}
	return 0, false
}

// plainResult makes data of a result: nothing but what JSON has. Go structs do
// not get out of an expression, so that nothing hidden in one does.
func plainResult(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: the result is nested too deeply", errExpression)
	}
	switch v := v.(type) {
	case nil, bool, string, float64, int64:
		return v, nil
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = plainResult(item, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(v))
		for k, item := range v {
			var err error
			if object[k], err = plainResult(item, depth+1); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	if n, ok := integerOf(v); ok && reflect.TypeOf(v) != durationType {
		return n, nil
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.Pointer && rv.IsNil():
		return nil, nil
	case rv.Kind() == reflect.Pointer: // of what may be absent
		return plainResult(rv.Elem().Interface(), depth)
	case rv.Type() == timeType || rv.Type() == durationType:
		return v, nil
	case rv.Kind() == reflect.Slice:
		list := make([]any, rv.Len())
		for i := range list {
			var err error
			if list[i], err = plainResult(rv.Index(i).Interface(), depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return nil, fmt.Errorf("%w: the result holds objects; pick their properties by map", errExpression)
}
