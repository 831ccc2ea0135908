package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// place writes the constants of a value into the prototype of a node's input,
// at an offset, and returns the moves that write the rest in each run. what
// names the place in messages.
func (c *compiler) place(v *value, t *Type, pointer bool, proto unsafe.Pointer, at uintptr, what string) []move {
	if pointer && v.kind != refValue && v.kind != brokenValue {
		return c.placeBehindPointer(v, t, proto, at, what)
	}
	switch v.kind {
	case brokenValue:
		return nil
	case refValue:
		return c.placeRef(v, t, pointer, at, what)
	case textValue:
		return c.placeText(v, t, at, what)
	}
	if t.Nominal {
		c.problem(v.pos, t.Hint, "%s wants a %s", what, t)
		return nil
	}
	switch {
	case t.Base == Any || t.Open && v.kind == objectValue:
		make := c.plainMaker(v)
		if t.Open {
			return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) { *(*map[string]any)(to), _ = make(f).(map[string]any) }}}
		}
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) { *(*any)(to) = make(f) }}}
	case v.kind == objectValue && t.Base == Object:
		return c.placeObject(v, t, proto, at, what)
	case v.kind == listValue && t.Base == Array:
		return c.placeList(v, t, proto, at, what)
	case v.kind != literalValue:
		c.problem(v.pos, "", "%s wants %s, this is %s", what, article(t), [...]string{listValue: "a list", objectValue: "an object"}[v.kind])
	case v.lit == nil:
		c.problem(v.pos, "leave the line out", "%s cannot be null", what)
	default:
		if why := setLiteral(t, v.lit, unsafe.Add(proto, at)); why != "" {
			c.problem(v.pos, literalHint(t, v.lit), "%s %s", what, why)
		}
	}
	return nil
}

// placeBehindPointer makes the value that an optional parameter points to.
func (c *compiler) placeBehindPointer(v *value, t *Type, proto unsafe.Pointer, at uintptr, what string) []move {
	if v.kind == literalValue && v.lit == nil {
		return nil
	}
	target := newOf(t)
	moves := c.place(v, t, false, target, 0, what)
	if len(moves) == 0 {
		*(*unsafe.Pointer)(unsafe.Add(proto, at)) = target
		return nil
	}
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) {
		*(*unsafe.Pointer)(to) = copyOf(t, target, moves, f)
	}}}
}

// copyOf makes a value of a prototype and the moves into it.
func copyOf(t *Type, proto unsafe.Pointer, moves []move, f frame) unsafe.Pointer {
	v := reflect.New(t.goType)
	v.Elem().Set(reflect.NewAt(t.goType, proto).Elem())
	for i := range moves {
		moves[i].run(f, v.UnsafePointer())
	}
	return v.UnsafePointer()
}

func (c *compiler) placeObject(v *value, t *Type, proto unsafe.Pointer, at uintptr, what string) []move {
	var moves []move
	given := map[string]bool{}
	for _, m := range v.members {
		p := t.prop(m.name)
		if p == nil {
			c.problem(m.at, didYouMean(m.name, t.propNames()), "%s has no %q", what, m.name)
			continue
		}
		given[m.name] = true
		moves = append(moves, c.place(m.v, p.Type, p.pointer, proto, at+p.offset, what+"."+m.name)...)
	}
	for _, p := range t.Props {
		if !given[p.Name] && !p.Optional {
			c.problem(v.pos, p.Doc, "%s needs %q", what, p.Name)
		}
	}
	return moves
}

func (c *compiler) placeList(v *value, t *Type, proto unsafe.Pointer, at uintptr, what string) []move {
	n := len(v.items)
	items := reflect.MakeSlice(t.goType, n, n)
	size := t.goType.Elem().Size()
	var moves []move
	for i, item := range v.items {
		first := items.UnsafePointer()
		moves = append(moves, c.place(item, t.Items, false, first, uintptr(i)*size, fmt.Sprintf("%s.%d", what, i))...)
	}
	list := reflect.New(t.goType)
	list.Elem().Set(items)
	if why := t.fault(list.UnsafePointer()); why != "" && len(moves) == 0 {
		c.problem(v.pos, "", "%s %s", what, why)
	}
	if len(moves) == 0 {
		reflect.NewAt(t.goType, unsafe.Add(proto, at)).Elem().Set(items)
		return nil
	}
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) {
		fresh := reflect.MakeSlice(t.goType, n, n)
		reflect.Copy(fresh, items)
		for i := range moves {
			moves[i].run(f, fresh.UnsafePointer())
		}
		reflect.NewAt(t.goType, to).Elem().Set(fresh)
	}}}
}

// placeRef moves what a reference leads to.
func (c *compiler) placeRef(v *value, t *Type, pointer bool, at uintptr, what string) []move {
	from, ok := c.lookup(v.path, v.pos)
	if !ok {
		return nil
	}
	if from.t.Secrecy != Public && t.Secrecy == Public {
		c.problem(v.pos, "only parameters that are marked secret take one", "%s is secret and %s is not", from.text, what)
		return nil
	}
	if from.t.goType == t.goType && pointer {
		return []move{{op: moveAddress, from: from.ref, to: at}}
	}
	moves, why := convert(from, t, at)
	if why != "" {
		hint := t.Hint
		if why != unlike {
			hint = why
		}
		c.problem(v.pos, hint, "%s wants %s, %s is %s", what, article(t), from.text, article(from.t))
		return nil
	}
	if !pointer {
		return moves
	}
	for i := range moves {
		moves[i].to -= at
	}
	r := from.ref
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) {
		if r.at(f) != nil {
			v := newOf(t)
			for i := range moves {
				moves[i].run(f, v)
			}
			*(*unsafe.Pointer)(to) = v
		}
	}}}
}

// unlike is why two types have nothing to do with each other.
const unlike = "unlike"

// convert returns the moves that make a value of a type of one of another, or
// why there are none.
func convert(from typed, t *Type, at uintptr) (moves []move, why string) {
	s := from.t
	switch {
	case s.goType == t.goType:
		return copyMoves(t.goType, from.ref, 0, at), ""
	case t.Nominal:
		return nil, unlike
	case t.Base == Any:
		make := plainOf(s)
		r := from.ref
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) {
			if p := r.at(f); p != nil {
				*(*any)(to) = make(p)
			}
		}}}, ""
	case s.Nominal && t.Base == String && t.goType.Kind() == reflect.String:
		return copyMoves(t.goType, from.ref, 0, at), ""
	case s.Base == Integer && t.Base == Integer:
		return []move{{op: move64, from: from.ref, to: at}}, ""
	case s.Base == Integer && t.Base == Number:
		return []move{{op: moveFloat, from: from.ref, to: at}}, ""
	case s.Base == Object && t.Open:
		make := plainOf(s)
		r := from.ref
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) {
			if p := r.at(f); p != nil {
				*(*map[string]any)(to), _ = make(p).(map[string]any)
			}
		}}}, ""
	case s.Base == Object && t.Base == Object && !s.Open && t.Name == "":
		return convertObject(from, t, at)
	}
	return nil, unlike
}

// convertObject moves an object property by property; both sides declare them.
func convertObject(from typed, t *Type, at uintptr) (moves []move, why string) {
	for _, p := range t.Props {
		q := from.t.prop(p.Name)
		if q == nil || q.pointer && !p.Optional {
			if p.Optional && q == nil {
				continue
			}
			return nil, fmt.Sprintf("%s has no %q", from.text, p.Name)
		}
		if q.Type.Secrecy != Public && p.Type.Secrecy == Public || p.pointer {
			return nil, fmt.Sprintf("give %q by itself", p.Name)
		}
		m, why := convert(typed{t: q.Type, ref: from.ref.into(q), text: from.text + "." + p.Name}, p.Type, at+p.offset)
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

// placeText writes a text with references in it, escaped for where it goes.
func (c *compiler) placeText(v *value, t *Type, at uintptr, what string) []move {
	if t.Base != String && t.Base != Any || t.Nominal || t.goType.Kind() != reflect.String && t.Base != Any {
		c.problem(v.pos, t.Hint, "%s wants %s, this is a text", what, article(t))
		return nil
	}
	var escape func([]byte, string) []byte
	if f := formats[t.Format]; f != nil {
		escape = f.escape
	}
	parts := c.textParts(v.parts, escape, what)
	if t.Base == Any {
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) { *(*any)(to) = joinParts(parts, f) }}}
	}
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) { *(*string)(to) = joinParts(parts, f) }}}
}

// A textPart is a stretch of a compiled text.
type textPart struct {
	text   string
	ref    ref
	format func(b []byte, p unsafe.Pointer) []byte // nil for a stretch of plain text
}

func (p *textPart) append(b []byte, f frame) []byte {
	if p.format == nil {
		return append(b, p.text...)
	}
	if v := p.ref.at(f); v != nil {
		return p.format(b, v)
	}
	return b
}

func joinParts(parts []textPart, f frame) string {
	var b []byte
	for i := range parts {
		b = parts[i].append(b, f)
	}
	return string(b)
}

func (c *compiler) textParts(raw []rawPart, escape func([]byte, string) []byte, what string) []textPart {
	var parts []textPart
	for _, r := range raw {
		if r.path == nil {
			parts = append(parts, textPart{text: r.text})
			continue
		}
		from, ok := c.lookup(r.path, r.at)
		if !ok {
			continue
		}
		format := textOf(from.t, escape)
		switch {
		case from.t.Secrecy != Public:
			c.problem(r.at, "", "%s is secret and cannot stand in a text", from.text)
		case from.optional:
			c.problem(r.at, askFirst(from), "%s needs a value, %s may be absent", what, from.text)
		case format == nil:
			c.problem(r.at, "", "%s is %s and cannot stand in a text", from.text, article(from.t))
		default:
			parts = append(parts, textPart{ref: from.ref, format: format})
		}
	}
	return parts
}

// textOf writes a value as text, or is nil where a value of the type has none.
func textOf(t *Type, escape func([]byte, string) []byte) func([]byte, unsafe.Pointer) []byte {
	if escape == nil {
		escape = func(b []byte, s string) []byte { return append(b, s...) }
	}
	switch {
	case t.goType == timeType:
		return func(b []byte, p unsafe.Pointer) []byte {
			return escape(b, (*(*time.Time)(p)).UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	case t.goType == durationType:
		return func(b []byte, p unsafe.Pointer) []byte { return escape(b, durationText(*(*time.Duration)(p))) }
	case t.goType == bytesType:
		return nil
	}
	switch t.Base {
	case String:
		return func(b []byte, p unsafe.Pointer) []byte { return escape(b, *(*string)(p)) }
	case Integer:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendInt(b, *(*int64)(p), 10) }
	case Number:
		return func(b []byte, p unsafe.Pointer) []byte { return appendFloat(b, *(*float64)(p)) }
	case Boolean:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendBool(b, *(*bool)(p)) }
	}
	return nil
}

// setLiteral writes a literal to a place, or says what is wrong with it.
func setLiteral(t *Type, lit any, p unsafe.Pointer) string {
	switch v := lit.(type) {
	case string:
		if t.Base != String {
			return fmt.Sprintf("wants %s, %q is a string", article(t), v)
		}
		if t.Nominal {
			*(*string)(p) = v
			return ""
		}
		return t.parseText(v, p)
	case bool:
		if t.Base != Boolean {
			return fmt.Sprintf("wants %s, %t is a boolean", article(t), v)
		}
		*(*bool)(p) = v
	case int64:
		switch t.Base {
		case Integer:
			*(*int64)(p) = v
		case Number:
			*(*float64)(p) = float64(v)
		default:
			return fmt.Sprintf("wants %s, %d is an integer", article(t), v)
		}
	case float64:
		if t.Base != Number {
			return fmt.Sprintf("wants %s, %s is a number", article(t), plainNumber(v))
		}
		*(*float64)(p) = v
	}
	return t.fault(p)
}

func literalHint(t *Type, lit any) string {
	if _, isText := lit.(string); isText || t.Base != String {
		return ""
	}
	if t.goType == durationType {
		return "a number with a unit: 500ms, 30s, 15m, 24h, 7d"
	}
	return "put it in quotes to make it a text"
}

// plainMaker makes a value of no declared type.
func (c *compiler) plainMaker(v *value) func(frame) any {
	switch v.kind {
	case refValue:
		from, ok := c.lookup(v.path, v.pos)
		if !ok {
			return nil
		}
		if from.t.Secrecy != Public {
			c.problem(v.pos, "only parameters that are marked secret take one", "%s is secret and cannot be part of data", from.text)
			return nil
		}
		make, r := plainOf(from.t), from.ref
		return func(f frame) any {
			if p := r.at(f); p != nil {
				return make(p)
			}
			return nil
		}
	case textValue:
		parts := c.textParts(v.parts, nil, "the text")
		return func(f frame) any { return joinParts(parts, f) }
	case listValue:
		makers := make([]func(frame) any, len(v.items))
		for i, item := range v.items {
			makers[i] = c.plainMaker(item)
		}
		return func(f frame) any {
			list := make([]any, len(makers))
			for i, m := range makers {
				list[i] = m(f)
			}
			return list
		}
	case objectValue:
		makers := map[string]func(frame) any{}
		for _, m := range v.members {
			makers[m.name] = c.plainMaker(m.v)
		}
		return func(f frame) any {
			object := make(map[string]any, len(makers))
			for name, m := range makers {
				object[name] = m(f)
			}
			return object
		}
	}
	lit := v.lit
	return func(frame) any { return lit }
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
		return object
	}
}

// knownNodes lists the names of a catalogue.
func knownNodes(nodes map[string]*Node) []string { return slices.Sorted(maps.Keys(nodes)) }

// quoted lists names for a message: "a", "b" and "c".
func quoted(names []string) string {
	for i, n := range names {
		names[i] = strconv.Quote(n)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
