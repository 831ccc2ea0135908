package engine

import (
	"maps"
	"reflect"
	"unsafe"
)

// A maker makes data of no declared type.
type maker func(frame) (any, error)

// plainMaker compiles a value to what makes data of it. It never returns nil.
func (c *compiler) plainMaker(v *value) maker {
	nothing := func(frame) (any, error) { return nil, nil }
	switch v.kind {
	case brokenValue:
		return nothing
	case exprValue:
		e := c.compileExpression(v.lit.(string), v.pos)
		if e == nil {
			return nothing
		}
		plain := plainOf(e.t)
		return func(f frame) (any, error) {
			result, err := e.eval(f)
			if err != nil {
				return nil, err
			}
			v := newOf(e.t)
			if err := e.t.store(result, v); err != nil {
				return nil, err
			}
			return plain(v), nil
		}
	case refValue:
		from, ok := c.lookup(v.path, v.pos)
		if !ok {
			return nothing
		}
		if from.t.Secrecy != Public {
			c.problem(v.pos, "only parameters that are marked secret take one", "%s is secret and cannot be part of data", from.text)
			return nothing
		}
		make, r := plainOf(from.t), from.ref
		return func(f frame) (any, error) {
			if p := r.at(f); p != nil {
				return make(p), nil
			}
			return nil, nil
		}
	case textValue:
		parts := c.textParts(v.parts, nil, "the text", Public)
		return func(f frame) (any, error) { return joinParts(parts, f), nil }
	case listValue:
		return c.listMaker(v)
	case objectValue:
		return c.objectMaker(v)
	}
	lit := v.lit
	return func(frame) (any, error) { return lit, nil }
}

func (c *compiler) listMaker(v *value) maker {
	makers := make([]maker, len(v.items))
	for i, item := range v.items {
		makers[i] = c.plainMaker(item)
	}
	return func(f frame) (any, error) {
		list := make([]any, len(makers))
		for i, m := range makers {
			var err error
			if list[i], err = m(f); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
}

func (c *compiler) objectMaker(v *value) maker {
	makers := map[string]maker{}
	for _, m := range v.members {
		makers[m.name] = c.plainMaker(m.v)
	}
	return func(f frame) (any, error) {
		object := make(map[string]any, len(makers))
		for name, m := range makers {
			var err error
			if object[name], err = m(f); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
}

// plainOf makes a value without a declared type of one with: objects become
// maps, without what is hidden in them.
func plainOf(t *Type) func(unsafe.Pointer) any {
	switch {
	case t.goType == anyType:
		return func(p unsafe.Pointer) any { return *(*any)(p) }
	case t.Nominal:
		return func(p unsafe.Pointer) any { return *(*string)(p) }
	case t.Base == Integer:
		return func(p unsafe.Pointer) any { return *(*int64)(p) }
	case t.Base == Array && t.goType != bytesType:
		item, size := plainOf(t.Items), t.goType.Elem().Size()
		return func(p unsafe.Pointer) any {
			list := make([]any, sliceLen(p))
			first := slicePointer(p)
			for i := range list {
				list[i] = item(unsafe.Add(first, uintptr(i)*size))
			}
			return list
		}
	case t.By != "":
		return plainUnion(t)
	case t.Base == Object && !t.Open:
		return plainObject(t)
	}
	return func(p unsafe.Pointer) any { return reflect.NewAt(t.goType, p).Elem().Interface() }
}

func plainObject(t *Type) func(unsafe.Pointer) any {
	makers := map[*Prop]func(unsafe.Pointer) any{}
	for _, prop := range t.Props {
		if prop.Type.Secrecy == Public {
			makers[prop] = plainOf(prop.Type)
		}
	}
	return func(p unsafe.Pointer) any {
		object := make(map[string]any, len(makers))
		for prop, m := range makers {
			v := unsafe.Add(p, prop.offset)
			if prop.pointer {
				v = *(*unsafe.Pointer)(v)
			}
			if v != nil {
				object[prop.Name] = m(v)
			}
		}
		if t.More {
			maps.Copy(object, *(*map[string]any)(unsafe.Add(p, t.more)))
		}
		return object
	}
}
