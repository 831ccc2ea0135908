package engine

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// Template makes a node that is another one in each step: what a flow writes
// under with: says what the step takes and gives. In and Out are structs as for
// [Define], which only document the parameters and results; the tags of In say
// which of them are needed.
//
// While a flow is loaded, make is called for each step that uses the node. It
// reads what the step says, reports what is wrong with it, claims a [Slot] for
// each value that is only known in a run, sets what the step gives, and returns
// the function that runs it. Where it reports a problem it may return nil.
func Template[In, Out any](name, doc string, make func(*Use) Action, outcomes ...*Outcome) *Node {
	n := Define(name, doc, func(context.Context, In) (out Out, err error) { return out, nil }, outcomes...)
	n.template = make
	return n
}

// An Action runs one step of a template: it reads the step's values and fills in
// its result. It leaves by an outcome as a function of [Define] does.
type Action func(ctx context.Context, in Args, out Result) error

// A Use is one step that uses a template, while it is compiled.
type Use struct {
	Touches  Touches    // what the step works on; set by the template
	Outcomes []*Outcome // that the step can leave by; those of the node, unless the template leaves some out

	c     *compiler
	st    *step
	node  *Node
	in    *Type
	slots []*Slot
	gives *Type
}

// With returns what stands under with:, a mapping of parameters; those that the
// template does not know were reported.
func (u *Use) With() []Entry {
	var all []Entry
	for _, m := range u.st.with {
		if u.node.In.prop(m.name) != nil {
			all = append(all, Entry{m.name, m.at, m.v})
		}
	}
	return all
}

// Pos is the place of the step's node.
func (u *Use) Pos() Pos { return u.st.wordAt }

// Problem reports a mistake of the flow.
func (u *Use) Problem(at Pos, hint, format string, args ...any) {
	u.c.problem(at, hint, format, args...)
}

// Warn reports what works and is better done otherwise.
func (u *Use) Warn(at Pos, hint, format string, args ...any) {
	u.c.warnings = append(u.c.warnings, Problem{Pos: at, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

// Collection returns the collection of a name, or nil after reporting that
// there is none.
func (u *Use) Collection(e Entry) *Collection {
	name, ok := e.Text()
	if !ok {
		u.Problem(e.Pos(), "the name itself, not a reference", "%s.%s is fixed in the flow", u.node.Name, e.Name)
		return nil
	}
	all := u.c.env.types.collections
	if all[name] == nil {
		names := make([]string, 0, len(all))
		for n := range all {
			names = append(names, n)
		}
		slices.Sort(names)
		hint := DidYouMean(name, names)
		if len(names) == 0 {
			hint = "types.yaml declares them, as in Product: {collection: products, fields: {name: string}}"
		}
		u.Problem(e.Pos(), hint, "there is no collection %q", name)
	}
	return all[name]
}

// An Entry is one key of a mapping that a flow wrote, or one item of a list.
type Entry struct {
	Name string // "" of an item
	At   Pos    // of the key
	v    *value
}

// Pos is the place of the value.
func (e Entry) Pos() Pos { return e.v.pos }

// Literal returns a text, number, boolean or nil that is written as it is.
func (e Entry) Literal() (v any, ok bool) { return e.v.lit, e.v.kind == literalValue }

// Text returns a text that is written as it is.
func (e Entry) Text() (string, bool) {
	s, ok := e.v.lit.(string)
	return s, ok && e.v.kind == literalValue
}

// Broken tells whether the value was reported as a mistake already.
func (e Entry) Broken() bool { return e.v.kind == brokenValue }

// List returns the items of a list that is written out.
func (e Entry) List() (items []Entry, ok bool) {
	for _, v := range e.v.items {
		items = append(items, Entry{At: v.pos, v: v})
	}
	return items, e.v.kind == listValue
}

// Object returns the members of a mapping that is written out.
func (e Entry) Object() (members []Entry, ok bool) {
	for _, m := range e.v.members {
		members = append(members, Entry{m.name, m.at, m.v})
	}
	return members, e.v.kind == objectValue
}

// A Slot is a value that a step takes in each run.
type Slot struct {
	v    *value
	prop *Prop // of the step's input
	read func(unsafe.Pointer) any
}

// Slot claims a value of a type for the step; what names it in messages. With
// lax a reference may be absent, and the slot is empty then.
func (u *Use) Slot(e Entry, t *Type, lax bool, what string) *Slot {
	s := &Slot{v: e.v, prop: &Prop{Name: what, Type: t, Optional: lax, pointer: true}, read: plainOf(t)}
	u.in.Props = append(u.in.Props, s.prop)
	u.slots = append(u.slots, s)
	return s
}

// Likely returns the type that a value has, or nil where that is not known.
func (u *Use) Likely(e Entry) *Type {
	from, ok := u.c.infer(e.v)
	if !ok {
		return nil
	}
	return from.t
}

// Gives says what the step gives: the properties of an object.
func (u *Use) Gives(t *Type) { u.gives = t }

// Args are the values of one run of a step.
type Args struct{ p unsafe.Pointer }

// Value returns a value as plain data: string, bool, int64, float64, time.Time,
// []any, map[string]any. It is nil where the slot is empty, or is nil itself.
func (s *Slot) Value(in Args) any {
	if s == nil {
		return nil
	}
	if p := *(*unsafe.Pointer)(unsafe.Add(in.p, s.prop.offset)); p != nil {
		return s.read(p)
	}
	return nil
}

// Empty tells whether the value is absent.
func (s *Slot) Empty(in Args) bool {
	return s == nil || *(*unsafe.Pointer)(unsafe.Add(in.p, s.prop.offset)) == nil
}

// AppendJSON appends the value as JSON, without what is hidden in it; an absent one as null.
func (s *Slot) AppendJSON(b []byte, in Args) []byte {
	if s.Empty(in) {
		return append(b, "null"...)
	}
	return s.prop.Type.appendJSON(b, *(*unsafe.Pointer)(unsafe.Add(in.p, s.prop.offset)))
}

// A Result is where a step puts what it gives.
type Result struct {
	p unsafe.Pointer
	t *Type
}

// SetJSON reads the result from JSON that comes from a store. It is forgiving,
// as what is stored may be older than the flow: unknown properties are skipped,
// bounds are not looked at, and what is missing is its default or empty.
func (r Result) SetJSON(data []byte) error {
	reader := &jsonReader{data: data, stored: true}
	reader.path = []byte("stored")
	reader.value(r.t, r.p)
	switch {
	case reader.broken != "":
		return fmt.Errorf("reading stored JSON: it %s (at byte %d)", reader.broken, reader.i)
	case len(reader.faults) > 0:
		return fmt.Errorf("reading stored JSON: %s", reader.faults[0].Message)
	}
	return nil
}

// NewType makes the type of an object from its properties, which it takes over.
func NewType(name string, props ...*Prop) *Type {
	return (&Type{Base: Object, Name: name, Props: ownProps(props)}).held()
}

// ListOf makes the type of a list with at most so many items; 0 is any number.
func ListOf(items *Type, most int) *Type {
	t := &Type{Base: Array, Items: items}
	if most > 0 {
		max := float64(most)
		t.Max = &max
	}
	return t.held()
}

// Unbounded returns the type without its bounds, for values that are only compared.
func (t *Type) Unbounded() *Type {
	return &Type{Base: t.Base, goType: t.goType, Items: t.Items, Props: t.Props, Open: t.Open}
}

// IsTime tells whether values of the type are times.
func (t *Type) IsTime() bool { return t.goType == timeType }

// Prop returns a property, or nil.
func (t *Type) Prop(name string) *Prop { return t.prop(name) }

// made makes the node of one step that uses a template, with the moves of its values.
func (c *compiler) made(st *step, n *Node, o *op) *Node {
	c.given(st, n)
	u := &Use{c: c, st: st, node: n, in: &Type{Base: Object}, Touches: n.Touches, Outcomes: n.Outcomes}
	problems := len(c.problems)
	action := n.template(u)
	broken := len(c.problems) > problems && u.gives == nil
	if u.gives == nil {
		u.gives = (&Type{Base: Object}).held()
	}
	in, out := u.in.held(), u.gives
	m := &Node{
		Name: n.Name, Doc: n.Doc, In: in, Out: out, Outcomes: u.Outcomes, Touches: u.Touches, broken: broken,
		zero: func() unsafe.Pointer { return newOf(in) },
		alloc: func(proto unsafe.Pointer) (unsafe.Pointer, unsafe.Pointer) {
			v := reflect.New(in.goType)
			v.Elem().Set(reflect.NewAt(in.goType, proto).Elem())
			return v.UnsafePointer(), newOf(out)
		},
		call: func(ctx context.Context, p, to unsafe.Pointer) error {
			return action(ctx, Args{p}, Result{to, out})
		},
	}
	o.node, o.proto = m, m.zero()
	for _, s := range u.slots {
		c.slotValue(s, n, o)
	}
	return m
}

// slotValue compiles the value of a slot.
func (c *compiler) slotValue(s *Slot, n *Node, o *op) {
	p := s.prop
	moves := c.place(s.v, target{t: p.Type, pointer: true, lax: p.Optional, what: n.Name + "." + p.Name}, o.proto, p.offset)
	c.moved(s.v, p, moves, o)
}

// IsText tells whether values of the type are texts as they stand, and not times,
// durations or bytes in the form of one.
func (t *Type) IsText() bool { return t.goType.Kind() == reflect.String }
