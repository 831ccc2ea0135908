package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// A Fault is one thing that is wrong in a request. It never repeats what the
// request said.
type Fault struct {
	Field   string // "body.items.3.name"
	Message string // "body.items.3.name must be an integer"
}

// Limits of what is read from a request.
const (
	maxDepth  = 64 // of nesting in JSON
	maxFaults = 20 // told in one answer
)

// ReadJSON reads a JSON text strictly as a value of the type: no unknown,
// repeated or missing properties, no invalid UTF-8, nothing behind the end. It
// returns all faults at once; name is what the value is called in them.
func (t *Type) ReadJSON(data []byte, name string) (Value, []Fault) {
	v := reflect.New(t.goType)
	r := &jsonReader{data: data, complaints: complaints{path: []byte(name)}}
	if !utf8.Valid(data) {
		return Value{}, []Fault{{name, name + " must be UTF-8"}}
	}
	r.value(t, v.UnsafePointer())
	if r.space(); r.broken == "" && r.i < len(r.data) {
		r.fail("has something behind its end")
	}
	if r.broken != "" {
		return Value{}, []Fault{{name, fmt.Sprintf("%s is not valid JSON: it %s (at byte %d)", name, r.broken, r.i)}}
	}
	if len(r.faults) > 0 {
		return Value{}, r.faults
	}
	return Value{v.UnsafePointer(), t.goType}, nil
}

// jsonReader walks a JSON text and a type together.
type jsonReader struct {
	complaints
	data   []byte
	i      int
	depth  int
	broken string // why the text is not JSON, "" while it is

	stored  bool // as Result.SetJSON has it
	lenient bool // properties may be missing, and nominal types be given: for fakes
}

func (r *jsonReader) fail(why string) {
	if r.broken == "" {
		r.broken = why
	}
}

func (r *jsonReader) space() {
	for r.i < len(r.data) {
		switch r.data[r.i] {
		case ' ', '\t', '\r', '\n':
			r.i++
		default:
			return
		}
	}
}

// next is the first byte of what follows, or 0 at the end.
func (r *jsonReader) next() byte {
	r.space()
	if r.i < len(r.data) {
		return r.data[r.i]
	}
	return 0
}

func (r *jsonReader) value(t *Type, p unsafe.Pointer) {
	if r.broken != "" {
		return
	}
	if t.Base == Any {
		v := r.any()
		*(*any)(p) = v
		if t.ruled() && r.broken == "" && !r.lenient && !r.stored {
			r.check(t, v)
		}
		return
	}
	c := r.next()
	start, before := r.i, len(r.faults)
	switch {
	case c == '"' && t.Nominal && r.lenient:
		*(*string)(p) = r.text()
	case c == '"' && t.Base == String:
		s := r.text()
		if r.broken == "" {
			r.scalar(t, s, p)
		}
	case (c == '-' || c >= '0' && c <= '9') && (t.Base == Integer || t.Base == Number):
		s := r.number()
		if r.broken == "" {
			r.scalar(t, s, p)
		}
	case (c == 't' || c == 'f') && t.Base == Boolean:
		*(*bool)(p) = c == 't'
		r.word()
		if r.broken == "" && t.limited() && !r.stored {
			if why := t.fault(p); why != "" {
				r.fault(why)
			}
		}
	case c == '[' && t.Base == Array:
		r.array(t, p)
		if r.broken == "" && !r.stored {
			if why := t.fault(p); why != "" {
				r.fault(why)
			}
		}
	case c == '{' && t.By != "":
		r.form(t, p)
	case c == '{' && t.Base == Object && t.Open:
		r.openObject(t, p)
	case c == '{' && t.Base == Object:
		r.object(t, p)
	default:
		r.fault("must be " + article(jsonName(t)))
		r.any() // what stands there must be JSON all the same
		return
	}
	if t.Rules != nil && !t.scalar() && r.broken == "" && len(r.faults) == before && !r.lenient && !r.stored {
		again := jsonReader{data: r.data[:r.i], i: start, depth: r.depth}
		r.rules(t, again.any())
	}
}

// scalar reads a value that is written as a text.
func (r *jsonReader) scalar(t *Type, s string, p unsafe.Pointer) {
	why := ""
	if r.stored {
		why = t.scan(s, p)
	} else {
		why = t.parseText(s, p)
	}
	if why != "" {
		r.fault(why)
	}
}

// jsonName is a type by the word that a client knows.
func jsonName(t *Type) *Type {
	return &Type{Base: t.Base, Items: &Type{}}
}

func (r *jsonReader) array(t *Type, p unsafe.Pointer) {
	if !r.open() {
		return
	}
	slice := reflect.NewAt(t.goType, p).Elem()
	slice.Set(reflect.MakeSlice(t.goType, 0, 4))
	zero := reflect.Zero(t.goType.Elem())
	for n := 0; ; n++ {
		if r.next() == ']' && n == 0 {
			break
		}
		if t.Max != nil && float64(n) > *t.Max && !r.stored {
			r.any() // one too many is told once; the rest is not kept
		} else {
			slice.Set(reflect.Append(slice, zero))
			r.within(strconv.Itoa(n), func() { r.value(t.Items, slice.Index(n).Addr().UnsafePointer()) })
		}
		if r.broken != "" {
			return
		}
		if c := r.next(); c == ']' {
			break
		} else if c != ',' {
			r.fail("lacks a comma or ] in an array")
			return
		}
		r.i++
	}
	r.close()
}

func (r *jsonReader) object(t *Type, p unsafe.Pointer) {
	seen := make([]bool, len(t.Props))
	unknown, given := false, 0
	r.members(func(name string) {
		given++
		for i, prop := range t.Props {
			if prop.Name != name {
				continue
			}
			if seen[i] {
				r.within(prop.Name, func() { r.fault("is given twice") })
				r.any()
				return
			}
			seen[i] = true
			if prop.ReadOnly && !r.lenient {
				r.within(prop.Name, func() { r.fault("must not be given") })
				r.any()
				return
			}
			r.within(prop.Name, func() { r.property(prop, unsafe.Add(p, prop.offset)) })
			return
		}
		if t.More && r.further(t, (*map[string]any)(unsafe.Add(p, t.more)), name) {
			return
		}
		unknown = true
		r.any()
	})
	if r.broken != "" {
		return
	}
	if unknown && !r.stored {
		r.unknown(t)
	}
	if (t.Min != nil || t.Max != nil) && !r.stored {
		if why := t.count(float64(given), "property", "properties"); why != "" {
			r.fault(why)
		}
	}
	for i, prop := range t.Props {
		if seen[i] || r.lenient {
			continue
		}
		switch {
		case prop.ReadOnly:
		case !prop.Optional && !r.stored:
			r.within(prop.Name, func() { r.fault("is missing") })
		case prop.HasDefault:
			prop.setDefault(unsafe.Add(p, prop.offset))
		}
	}
}

// further reads a property beside those that are named into what holds these,
// as data. It reads nothing and returns false where the type does not allow it.
func (r *jsonReader) further(t *Type, held *map[string]any, name string) bool {
	if *held == nil {
		*held = map[string]any{}
	}
	if _, twice := (*held)[name]; twice {
		r.within("*", func() { r.fault("is given twice") })
	}
	start, depth := r.i, r.depth
	v := r.any()
	if r.broken != "" || r.other(t, name, v) {
		(*held)[name] = v
		return true
	}
	r.i, r.depth = start, depth
	return false
}

// openObject reads an object of any properties, each of the type that the
// object declares for them.
func (r *jsonReader) openObject(t *Type, p unsafe.Pointer) {
	switch {
	case t.Rules != nil && (t.Rules.Patterns != nil || t.Rules.Sealed) && !r.lenient:
		m, _ := r.any().(map[string]any)
		*(*map[string]any)(p) = m
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !r.other(t, name, m[name]) {
				r.fault("has a property whose name is not allowed")
				break
			}
		}
	case t.Items == nil || t.Items.Base == Any && !t.Items.ruled():
		*(*map[string]any)(p), _ = r.any().(map[string]any)
	default:
		m := map[string]any{}
		plain := plainOf(t.Items)
		r.members(func(name string) {
			r.within("*", func() {
				if _, twice := m[name]; twice {
					r.fault("is given twice")
				}
				v := newOf(t.Items)
				r.value(t.Items, v)
				m[name] = plain(v)
			})
		})
		*(*map[string]any)(p) = m
	}
	if r.broken == "" && !r.stored {
		if why := t.fault(p); why != "" {
			r.fault(why)
		}
	}
}

// property reads the value of a property to where it is held. A null that is
// allowed leaves it absent.
func (r *jsonReader) property(prop *Prop, p unsafe.Pointer) {
	if prop.Type.Null && r.next() == 'n' {
		r.word()
		return
	}
	r.value(prop.Type, prop.held(p))
}

// members reads an object and calls f in front of each value, which f reads.
func (r *jsonReader) members(f func(name string)) {
	if !r.open() {
		return
	}
	for n := 0; ; n++ {
		c := r.next()
		if c == '}' && n == 0 {
			break
		}
		if c != '"' {
			r.fail("lacks a property name")
			return
		}
		name := r.text()
		if r.broken == "" && r.next() != ':' {
			r.fail("lacks a colon behind a property name")
		}
		if r.broken != "" {
			return
		}
		r.i++
		if f(name); r.broken != "" {
			return
		}
		if c := r.next(); c == '}' {
			break
		} else if c != ',' {
			r.fail("lacks a comma or } in an object")
			return
		}
		r.i++
	}
	r.close()
}

func (r *jsonReader) open() bool {
	r.i++
	if r.depth++; r.depth > maxDepth {
		r.fail("is nested too deeply")
		return false
	}
	return true
}

func (r *jsonReader) close() {
	r.i++
	r.depth--
}

// any reads whatever stands there. Integers that fit become int64, other
// numbers float64.
func (r *jsonReader) any() any {
	if r.broken != "" {
		return nil
	}
	switch c := r.next(); {
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		s := r.number()
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			r.fail("has a number that is too large")
		}
		return f
	case c == 't' || c == 'f' || c == 'n':
		r.word()
		switch c {
		case 't':
			return true
		case 'f':
			return false
		}
		return nil
	case c == '[':
		list := []any{}
		if !r.open() {
			return nil
		}
		for n := 0; ; n++ {
			if r.next() == ']' && n == 0 {
				break
			}
			if list = append(list, r.any()); r.broken != "" {
				return nil
			}
			if c := r.next(); c == ']' {
				break
			} else if c != ',' {
				r.fail("lacks a comma or ] in an array")
				return nil
			}
			r.i++
		}
		r.close()
		return list
	case c == '{':
		m := map[string]any{}
		r.members(func(name string) {
			if _, twice := m[name]; twice {
				r.fault("has a property twice")
			}
			m[name] = r.any()
		})
		return m
	case c == 0:
		r.fail("ends too early")
	default:
		r.fail("has an unexpected character")
	}
	return nil
}

// Normal reads a JSON text as [Type.ReadJSON] does and writes it again: with the
// defaults of what is missing, in one form.
func (t *Type) Normal(data []byte, name string) ([]byte, []Fault) {
	v, faults := t.ReadJSON(data, name)
	if len(faults) > 0 {
		return nil, faults
	}
	return t.appendJSON(nil, v.p), nil
}
