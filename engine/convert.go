package engine

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// dynamic tells whether the type is an object that a flow or a file declares,
// and not a Go struct.
func (t *Type) dynamic() bool {
	return t.Base == Object && !t.Open && !t.Nominal && t.goType.Name() == ""
}

// convertObject moves an object property by property; both sides declare them.
func convertObject(from typed, t *Type, at uintptr) (moves []move, why string) {
	for _, p := range t.Props {
		q := from.t.prop(p.Name)
		switch {
		case q == nil && p.Optional:
			continue
		case q == nil:
			return nil, fmt.Sprintf("%s has no %q", from.text, p.Name)
		case q.pointer && !p.Optional:
			return nil, fmt.Sprintf("%s.%s may be absent", from.text, p.Name)
		case q.Type.Secrecy != Public && p.Type.Secrecy == Public:
			return nil, fmt.Sprintf("%s.%s is secret", from.text, p.Name)
		}
		inner := typed{t: q.Type, ref: from.ref.into(q), text: from.text + "." + p.Name}
		var m []move
		if p.pointer {
			m, why = convertBehindPointer(inner, p.Type, at+p.offset)
		} else {
			m, why = convert(inner, p.Type, at+p.offset)
		}
		if why == unlike {
			why = fmt.Sprintf("%s.%s is %s, not %s", from.text, p.Name, article(q.Type), article(p.Type))
		}
		if why != "" {
			return nil, why
		}
		moves = append(moves, m...)
	}
	return moves, ""
}

// convertBehindPointer makes what an optional property points to, where it is there.
func convertBehindPointer(from typed, t *Type, at uintptr) (moves []move, why string) {
	if alike(from.t, t) {
		return []move{{op: moveAddress, from: from.ref, to: at}}, ""
	}
	item, why := converter(from, t)
	if why != "" {
		return nil, why
	}
	r := from.ref
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		p := r.at(f)
		if p == nil {
			return nil
		}
		v := t.fresh()
		*(*unsafe.Pointer)(to) = v
		return item(p, v)
	}}}, ""
}

// convertList makes a list whose items are of another type.
func convertList(from typed, t *Type, at uintptr) (moves []move, why string) {
	item, why := converter(typed{t: from.t.Items, text: from.text + ".0"}, t.Items)
	if why != "" {
		if why != unlike {
			why = strings.Replace(why, from.text+".0", "an item of "+from.text, 1)
		}
		return nil, why
	}
	r, stride, size := from.ref, from.t.goType.Elem().Size(), t.goType.Elem().Size()
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		p := r.at(f)
		if p == nil {
			return nil
		}
		n, first := sliceLen(p), slicePointer(p)
		list := reflect.MakeSlice(t.goType, n, n)
		reflect.NewAt(t.goType, to).Elem().Set(list)
		for i := range n {
			if err := item(unsafe.Add(first, uintptr(i)*stride), unsafe.Add(list.UnsafePointer(), uintptr(i)*size)); err != nil {
				return err
			}
		}
		return nil
	}}}, ""
}

// converter returns what makes a value of a type, in a place, of one of another.
func converter(from typed, t *Type) (func(from, to unsafe.Pointer) error, string) {
	moves, why := convert(typed{t: from.t, text: from.text}, t, 0)
	return func(p, to unsafe.Pointer) error { return runMoves(moves, frame{p}, to) }, why
}

// fresh makes room for a value of the type. In an object that a flow or a file
// declares the defaults of its properties are set.
func (t *Type) fresh() unsafe.Pointer {
	p := newOf(t)
	t.setDefaults(p)
	return p
}

func (t *Type) setDefaults(p unsafe.Pointer) {
	if !t.dynamic() {
		return
	}
	for _, prop := range t.Props {
		switch {
		case prop.HasDefault && !prop.pointer:
			prop.setDefault(unsafe.Add(p, prop.offset))
		case !prop.pointer:
			prop.Type.setDefaults(unsafe.Add(p, prop.offset))
		}
	}
}

// unbounded tells whether no value of the type can be out of bounds, at any depth.
func (t *Type) unbounded() bool {
	if t.bounded() {
		return false
	}
	for _, form := range t.forms {
		if !form.Type.unbounded() {
			return false
		}
	}
	for _, p := range t.Props {
		if !p.Type.unbounded() {
			return false
		}
	}
	return t.Items == nil || t.Items.unbounded()
}

// deepFault says what is wrong with the bounds of a value and of what is in it;
// name is what it is called.
func (t *Type) deepFault(p unsafe.Pointer, name string) string {
	if why := t.flaw(name, p); why != "" {
		return why
	}
	for _, form := range t.forms {
		if v := *(*unsafe.Pointer)(unsafe.Add(p, form.offset)); v != nil && !form.Type.unbounded() {
			return form.Type.deepFault(v, name)
		}
	}
	switch {
	case t.Base == Array && t.goType != bytesType && !t.Items.unbounded():
		size := t.goType.Elem().Size()
		first := slicePointer(p)
		for i := range sliceLen(p) {
			if why := t.Items.deepFault(unsafe.Add(first, uintptr(i)*size), fmt.Sprintf("%s.%d", name, i)); why != "" {
				return why
			}
		}
	case t.Base == Object && !t.Open && !t.Nominal && t.By == "":
		for _, prop := range t.Props {
			v := unsafe.Add(p, prop.offset)
			if prop.pointer {
				v = *(*unsafe.Pointer)(v)
			}
			if v == nil || prop.omit && isZero(prop.Type.goType)(v) || prop.Type.unbounded() {
				continue
			}
			if why := prop.Type.deepFault(v, name+"."+prop.Name); why != "" {
				return why
			}
		}
	}
	return ""
}
