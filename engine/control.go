package engine

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// The verbs that lead the way: switch, each, parallel, try, let, return, undo.

// inside compiles a block that ends by itself, behind the op that runs it.
func (c *compiler) inside(b *block) (at int) {
	at = len(c.ops)
	c.block(b)
	if !c.state.dead {
		c.emit(op{code: opEnd})
	}
	return at
}

// without compiles f where the flow cannot answer or, with final, not even fail.
func (c *compiler) without(silent, final string, f func()) {
	before, beforeFinal := c.silent, c.final
	if silent != "" {
		c.silent = silent
	}
	if final != "" {
		c.final = final
	}
	f()
	c.silent, c.final = before, beforeFinal
}

func (c *compiler) choose(st *step) {
	o := op{code: opSwitch, pos: st.pos, step: "switch", cases: map[string]int{}}
	from, ok := c.infer(st.value)
	if !ok {
		c.report(st.value)
	} else {
		o.key = c.caseOf(st.value, from)
	}
	at := c.emit(o)
	before := c.state.clone()
	c.state.dead = true
	j := c.join()
	var names []string
	for _, b := range st.blocks {
		if b.role != "case" {
			continue
		}
		names = append(names, b.name)
		if ok {
			c.checkCase(from, b)
		}
		j.begin(before)
		if ok && from.tagOf != nil {
			c.state.know(from.text, from.tagOf.form(b.name))
		}
		c.ops[at].cases[b.name] = len(c.ops)
		c.block(b.block)
		j.end()
	}
	c.ops[at].els = len(c.ops)
	j.begin(before)
	whole := ok && len(from.t.Enum) > 0 && !slices.ContainsFunc(from.t.Enum, func(e string) bool { return !slices.Contains(names, e) })
	if ok && from.tagOf != nil {
		c.state.know(from.text, from.tagOf.formBeside(names))
	}
	if els := st.inside("else"); els != nil {
		if whole {
			c.problem(els.pos, "remove it", "else never runs, the cases are all that %s can be", from.text)
		}
		c.block(els)
	}
	if whole {
		c.ops[at].whole, st.whole = true, true
		c.state.dead = true // there is no other way
	}
	j.after = meet(j.after, c.state)
	j.close()
}

// caseOf returns what writes the value of a switch as the name of a case.
func (c *compiler) caseOf(v *value, from typed) func(frame) (string, error) {
	if from.t.Secrecy != Public {
		c.problem(v.pos, "", "%s is secret and cannot be compared", from.text)
		return nil
	}
	if from.optional {
		c.problem(v.pos, askFirst(from), "switch needs a value, %s may be absent", from.text)
		return nil
	}
	if from.t.Base != String && from.t.Base != Integer && from.t.Base != Boolean || textOf(from.t, nil) == nil {
		c.problem(v.pos, "a text, an integer or a boolean", "switch cannot choose by %s", article(from.t))
		return nil
	}
	if v.kind == refValue {
		text, r := textOf(from.t, nil), from.ref
		plain := from.t.goType.Kind() == reflect.String || from.t.Nominal
		return func(f frame) (string, error) {
			switch p := r.at(f); {
			case p == nil: // where a probe led past what proves it
				return "", nil
			case plain:
				return *(*string)(p), nil
			default:
				return string(text(nil, p)), nil
			}
		}
	}
	make := c.plainMaker(v)
	return func(f frame) (string, error) {
		key, err := make(f)
		return fmt.Sprint(key), err
	}
}

func (c *compiler) checkCase(from typed, b branch) {
	t := from.t
	switch {
	case len(t.Enum) > 0 && !slices.Contains(t.Enum, b.name):
		c.problem(b.at, DidYouMean(b.name, t.Enum), "%s is never %q", from.text, b.name)
	case t.Base == Integer:
		if _, err := strconv.ParseInt(b.name, 10, 64); err != nil {
			c.problem(b.at, "", "%s is an integer and never %q", from.text, b.name)
		}
	case t.Base == Boolean && b.name != "true" && b.name != "false":
		c.problem(b.at, "", "%s is a boolean and never %q", from.text, b.name)
	}
}

// repeat compiles each.
func (c *compiler) repeat(st *step) {
	e := st.each
	o := op{code: opEach, pos: st.pos, step: "each", slot: -1, as: c.slotOf(e.as), index: -1, atOnce: e.atOnce}
	if e.index != "" {
		o.index = c.slotOf(e.index)
	}
	if st.id != "" {
		o.slot, o.step = c.slotOf(st.id), st.id
	}
	item := c.eachList(st, &o)
	at := c.emit(o)
	before := c.state.clone()
	if o.as < 0 || o.index < 0 && e.index != "" {
		return // a name was given twice, which was told
	}
	if c.state.slots[o.as] == set {
		c.problem(e.asAt, "name this one with as:", "$%s is that of the each around", e.as)
	}
	c.slots[o.as].t = item
	c.has(o.as, set)
	if o.index >= 0 {
		c.slots[o.index].t = TypeOf[int]()
		c.has(o.index, set)
	}
	body := st.inside("do")
	if body == nil {
		c.state = before
		return
	}
	silent := ""
	if e.atOnce > 1 {
		silent = "an each that runs several at once"
	}
	var collected *Type
	c.without(silent, "", func() {
		c.ops[at].body = len(c.ops)
		c.block(body)
		if e.collect != nil && !c.state.dead {
			collected = c.collect(e.collect)
		}
		if !c.state.dead {
			c.emit(op{code: opEnd})
		}
	})
	c.ops[at].next = len(c.ops)
	c.state = before
	if o.slot >= 0 {
		if collected == nil {
			if e.collect == nil {
				c.problem(st.idAt, "collect: says what each item gives", "each has an id but collects nothing")
			}
			collected = &Type{}
			collected.held()
		}
		list := &Type{Base: Array, Items: collected, Max: c.ops[at].most}
		c.slots[o.slot].t = list.held()
		c.ops[at].t = c.slots[o.slot].t
		c.has(o.slot, set)
	}
}

// eachList compiles the list of an each and returns the type of its items.
func (c *compiler) eachList(st *step, o *op) *Type {
	unknown := &Type{}
	unknown.held()
	from, ok := c.infer(st.value)
	if !ok {
		c.report(st.value)
		return nil
	}
	switch {
	case from.optional:
		c.problem(st.value.pos, askFirst(from), "each needs a list, %s may be absent", from.text)
		return nil
	case from.t.Base != Array || from.t.goType == bytesType:
		c.problem(st.value.pos, "", "each needs a list, this is %s", article(from.t))
		return nil
	case from.t.Max == nil:
		c.problem(st.value.pos, "give it maxItems where it is declared", "each needs a list of known length")
	}
	o.most, o.t = from.t.Max, from.t
	o.filled = from.t.Min != nil && *from.t.Min >= 1
	if st.value.kind == refValue {
		o.list = func(f frame) (unsafe.Pointer, error) { return from.ref.at(f), nil }
	} else {
		proto := newOf(from.t)
		moves := c.place(st.value, target{t: from.t, what: "each"}, proto, 0)
		o.list = func(f frame) (unsafe.Pointer, error) { return copyOf(from.t, proto, moves, f) }
	}
	o.stride = from.t.goType.Elem().Size()
	return from.t.Items
}

// collect compiles what one item gives and returns its type.
func (c *compiler) collect(v *value) *Type {
	from, ok := c.infer(v)
	if !ok {
		c.report(v)
		return nil
	}
	t := from.t
	proto := newOf(t)
	moves := c.place(v, target{t: t, what: "collect"}, proto, 0)
	c.emit(op{code: opGive, proto: proto, moves: moves, t: t})
	return t
}

func (c *compiler) lanes(st *step) {
	o := op{code: opParallel, pos: st.pos, step: "parallel"}
	at := c.emit(o)
	before := c.state.clone()
	after := c.state.clone()
	c.without("a lane of parallel", "", func() {
		for _, b := range st.blocks {
			c.state = before.clone()
			from := len(c.ops)
			c.ops[at].lanes = append(c.ops[at].lanes, from)
			c.inside(b.block)
			if c.state.dead {
				continue // it fails in any case, and then nothing goes on
			}
			for i, p := range c.state.slots {
				if p != before.slots[i] {
					after.slots[i] = p
					c.ops[at].sets = append(c.ops[at].sets, laneSlot{len(c.ops[at].lanes) - 1, i})
				}
			}
		}
	})
	c.ops[at].next = len(c.ops)
	c.state = after
}

func (c *compiler) try(st *step) {
	o := op{code: opTry, pos: st.pos, step: "try", retry: st.retry, catches: map[string]int{}, finally: -1}
	at := c.emit(o)
	before := c.state.clone()
	var caught []string
	for _, b := range st.blocks {
		if b.role == "catch" {
			caught = append(caught, b.name)
		}
	}
	c.catching = append(c.catching, caught)
	failsBefore := c.fails
	c.fails = map[string]Failure{}
	c.ops[at].body = c.inside(st.inside("try"))
	c.catching = c.catching[:len(c.catching)-1]
	inner := c.fails
	c.fails = failsBefore
	body := c.state
	for code, f := range inner {
		if !slices.Contains(caught, code) && !slices.Contains(caught, "any") {
			c.fails[code] = f
		}
	}
	if st.retry != nil {
		for _, code := range st.retry.on {
			c.knownCode(code, st.pos, inner)
		}
	}
	// Where the block failed half way, what it sets may or may not be there.
	broken := before.clone()
	broken.sent = broken.sent || st.inside("try").sends()
	for i := range broken.slots {
		if body.slots[i] != before.slots[i] || body.dead {
			if broken.slots[i] == unset && c.slots[i].pos.File != "" && within(c.slots[i].pos, st) {
				broken.slots[i] = optional
			}
		}
	}
	after := body
	for _, b := range st.blocks {
		if b.role != "catch" {
			continue
		}
		if b.name != "any" {
			c.knownCode(b.name, b.at, inner)
		}
		c.state = broken.clone()
		c.slots[slotError].t = errorType()
		c.ops[at].catches[b.name] = c.inside(b.block)
		c.slots[slotError].t = nil
		after = meet(after, c.state)
	}
	c.state = after
	if finally := st.inside("finally"); finally != nil {
		c.state = broken.clone()
		c.without("finally", "finally", func() { c.ops[at].finally = c.inside(finally) })
		c.state = after
	}
	c.ops[at].next = len(c.ops)
}

// within tells whether a place is inside a step.
func within(at Pos, st *step) bool {
	found := false
	var walk func(b *block)
	walk = func(b *block) {
		if b == nil {
			return
		}
		for _, s := range b.steps {
			found = found || s.idAt == at || slices.ContainsFunc(s.with, func(m member) bool { return m.at == at })
			for _, b := range s.blocks {
				walk(b.block)
			}
		}
	}
	walk(st.inside("try"))
	return found
}

// own are the codes of errors that no node and no errors.yaml declares.
var own = []string{"timeout", "unavailable", "internal_error", "invalid_input", "expression_failed", "too_much_work"}

// knownCode reports a code that nothing inside can fail with.
func (c *compiler) knownCode(code string, at Pos, inner map[string]Failure) {
	if _, ok := inner[code]; ok || slices.Contains(own, code) {
		return
	}
	known := slices.Clone(own)
	for code := range inner {
		known = append(known, code)
	}
	slices.Sort(known)
	hint := DidYouMean(code, known)
	if !strings.HasPrefix(hint, "did") {
		hint = "known: " + strings.Join(known, ", ") + ", and any for all"
	}
	c.problem(at, hint, "nothing in this try fails with %q", code)
}

// caught tells whether a try around catches a code.
func (c *compiler) caught(code string) bool {
	return slices.ContainsFunc(c.catching, func(codes []string) bool {
		return slices.Contains(codes, code) || slices.Contains(codes, "any")
	})
}

type caughtError struct {
	Code    string `json:"code" doc:"Code of the error."`
	Message string `json:"message" doc:"Sentence that a caller would have read."`
}

func errorType() *Type { return TypeOf[caughtError]() }

func (c *compiler) let(st *step) {
	for _, m := range st.with {
		i := c.slotOf(m.name)
		from, ok := c.infer(m.v)
		if !ok {
			c.report(m.v)
			c.has(i, set)
			continue
		}
		if i < 0 {
			continue
		}
		c.slots[i].t = from.t
		if m.v.kind == refValue {
			c.emit(op{code: opLet, slot: i, from: from.ref, pos: m.at, step: "let"})
			c.has(i, set)
			if from.optional {
				c.has(i, optional)
			}
			continue
		}
		proto := newOf(from.t)
		moves := c.place(m.v, target{t: from.t, what: m.name}, proto, 0)
		c.emit(op{code: opLet, slot: i, proto: proto, moves: moves, t: from.t, pos: m.at, step: "let"})
		c.has(i, set)
	}
}

// giveBack compiles return.
func (c *compiler) giveBack(st *step) {
	switch {
	case c.params == nil:
		c.problem(st.pos, "respond answers", "only a flow with node: returns")
	case c.silent != "":
		c.problem(st.pos, "return behind it", "%s cannot return", c.silent)
	}
	c.state.dead = true
	if c.gives == nil {
		from, ok := c.infer(st.value)
		if !ok {
			c.report(st.value)
			c.gives = (&Type{Base: Object}).held()
			return
		}
		if from.t.Base != Object || from.t.Open || from.t.Nominal {
			c.problem(st.value.pos, "as in return: {id: $user.id}", "a node returns an object, this is %s", article(from.t))
			return
		}
		c.gives = from.t
	}
	proto := newOf(c.gives)
	moves := c.place(st.value, target{t: c.gives, what: "return"}, proto, 0)
	c.emit(op{code: opReturn, proto: proto, moves: moves, t: c.gives, pos: st.pos, step: "return"})
}

// undo compiles what takes a step back when the flow fails behind it.
func (c *compiler) undo(b *block, at int) {
	after := c.state.clone()
	skip := c.emit(op{code: opJump})
	around := c.undoing
	c.undoing = true
	c.without("undo", "undo", func() { c.ops[at].undo = c.inside(b) })
	c.undoing = around
	c.ops[skip].next = len(c.ops)
	c.state = after
}
