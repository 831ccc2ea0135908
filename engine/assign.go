package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"unsafe"
)

// A target is where a value is to go.
type target struct {
	t       *Type
	pointer bool   // held as a pointer, nil while absent
	lax     bool   // may stay as it is where the value turns out to be absent
	what    string // names it in messages
}

// of is the target of a property.
func (p *Prop) of(what string) target {
	return target{p.Type, p.pointer, p.Optional, what + "." + p.Name}
}

// place writes the constants of a value into a prototype, at an offset, and
// returns the moves that write the rest in each run.
func (c *compiler) place(v *value, to target, proto unsafe.Pointer, at uintptr) []move {
	t, what := to.t, to.what
	if to.pointer && v.kind != refValue && v.kind != brokenValue {
		return c.placeBehindPointer(v, t, proto, at, what)
	}
	switch v.kind {
	case brokenValue:
		return nil
	case exprValue:
		return c.placeExpression(v, t, at, what)
	case refValue:
		return c.placeRef(v, to, at)
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
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
			data, err := make(f)
			if t.Open {
				*(*map[string]any)(to), _ = data.(map[string]any)
			} else {
				*(*any)(to) = data
			}
			return err
		}}}
	case v.kind == objectValue && t.By != "":
		return c.placeForm(v, t, at, what)
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
	made := t.fresh()
	moves := c.place(v, target{t: t, what: what}, made, 0)
	if len(moves) == 0 {
		*(*unsafe.Pointer)(unsafe.Add(proto, at)) = made
		return nil
	}
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) (err error) {
		*(*unsafe.Pointer)(to), err = copyOf(t, made, moves, f)
		return err
	}}}
}

// copyOf makes a value of a prototype and the moves into it.
func copyOf(t *Type, proto unsafe.Pointer, moves []move, f frame) (unsafe.Pointer, error) {
	v := reflect.New(t.goType)
	v.Elem().Set(reflect.NewAt(t.goType, proto).Elem())
	return v.UnsafePointer(), runMoves(moves, f, v.UnsafePointer())
}

// placeExpression evaluates an expression in each run.
func (c *compiler) placeExpression(v *value, t *Type, at uintptr, what string) []move {
	e := c.compileExpression(v.lit.(string), v.pos)
	if e == nil {
		return nil
	}
	if t.Nominal || !storable(e.t, t) {
		hint := t.Hint
		if e.t.Base == Any {
			hint = "make the type known by int(), float() or string()"
		}
		c.problem(v.pos, hint, "%s wants %s, the expression gives %s", what, article(t), article(e.t))
		return nil
	}
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		result, err := e.eval(f)
		if err != nil {
			return err
		}
		return t.store(result, to)
	}}}
}

// storable tells whether results of a type can be stored as another.
func storable(from, t *Type) bool {
	switch {
	case t.Base == Any || alike(from, t):
		return true
	case from.Base == Integer:
		return t.Base == Integer || t.Base == Number
	case from.Base == Array && t.Base == Array:
		return storable(from.Items, t.Items)
	}
	return false
}

func (c *compiler) placeObject(v *value, t *Type, proto unsafe.Pointer, at uintptr, what string) []move {
	var moves []move
	given := map[string]bool{}
	for _, m := range v.members {
		p := t.prop(m.name)
		if p == nil {
			c.problem(m.at, DidYouMean(m.name, t.propNames()), "%s has no %q", what, m.name)
			continue
		}
		given[m.name] = true
		moves = append(moves, c.place(m.v, p.of(what), proto, at+p.offset)...)
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
		moves = append(moves, c.place(item, target{t: t.Items, what: fmt.Sprintf("%s.%d", what, i)}, first, uintptr(i)*size)...)
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
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		fresh := reflect.MakeSlice(t.goType, n, n)
		reflect.Copy(fresh, items)
		reflect.NewAt(t.goType, to).Elem().Set(fresh)
		return runMoves(moves, f, fresh.UnsafePointer())
	}}}
}

// placeRef moves what a reference leads to.
func (c *compiler) placeRef(v *value, to target, at uintptr) []move {
	from, ok := c.lookup(v.path, v.pos)
	if !ok {
		return nil
	}
	t, pointer, what := to.t, to.pointer, to.what
	if from.optional && !to.lax {
		c.problem(v.pos, askFirst(from), "%s needs a value, %s may be absent", what, from.text)
		return nil
	}
	if from.t.Secrecy != Public && t.Secrecy == Public {
		c.problem(v.pos, "only parameters that are marked secret take one", "%s is secret and %s is not", from.text, what)
		return nil
	}
	if pointer && alike(from.t, t) {
		return []move{{op: moveAddress, from: from.ref, to: at}}
	}
	moves, why := convert(from, t, at)
	if why == unlike && from.t.By != "" {
		if known := c.state.formWith(from, ""); known.t != from.t {
			moves, why = convert(known, t, at)
		}
	}
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
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		if r.at(f) == nil {
			return nil
		}
		v := t.fresh()
		*(*unsafe.Pointer)(to) = v
		return runMoves(moves, f, v)
	}}}
}

// unlike is why two types have nothing to do with each other.
const unlike = "unlike"

// convert returns the moves that make a value of a type of one of another, or
// why there are none.
func convert(from typed, t *Type, at uintptr) (moves []move, why string) {
	s := from.t
	switch {
	case s.By != "" || t.By != "":
		return convertForm(from, t, at)
	case alike(s, t):
		return copyMoves(t.goType, from.ref, 0, at), ""
	case t.Nominal:
		return nil, unlike
	case t.Base == Any:
		make := plainOf(s)
		r := from.ref
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
			if p := r.at(f); p != nil {
				*(*any)(to) = make(p)
			}
			return nil
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
		return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
			if p := r.at(f); p != nil {
				*(*map[string]any)(to), _ = make(p).(map[string]any)
			}
			return nil
		}}}, ""
	case s.Base == Object && t.Base == Object && !s.Open && !t.More && (t.Name == "" || t.dynamic()):
		return convertObject(from, t, at)
	case s.Base == Array && t.Base == Array && t.Items.dynamic():
		return convertList(from, t, at)
	}
	return nil, unlike
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

// knownNodes lists the names of a catalogue.
func knownNodes(nodes map[string]*Node) []string { return slices.Sorted(maps.Keys(nodes)) }
