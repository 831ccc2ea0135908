package engine

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unsafe"
)

// A compiler turns the steps of one flow into a program and reports every
// mistake on the way.
type compiler struct {
	*draft
	env      *Env
	nodes    map[string]*Node
	declared map[string]Declared
	slots    []slot
	state    state
	ops      []op
	fails    map[string]Failure
	silent   string     // why the flow cannot answer here, "" where it can
	final    string     // why the flow cannot fail here, "" where it can
	computes bool       // there is an expression
	undoing  bool       // what is compiled takes a step back
	catching [][]string // codes that the tries around catch
	in       *seen      // notes on the block that is being compiled
	gives    *Type      // of what the returns of a node flow give, once one was seen
}

// compile checks the flow whole. The program is of use only where no problem
// was reported.
func (d *draft) compile(env *Env, nodes map[string]*Node, declared map[string]Declared) {
	c := &compiler{draft: d, env: env, nodes: nodes, declared: declared, fails: map[string]Failure{}}
	session := env.Session
	if d.Session == SessionNone {
		session = nil
	}
	request, key := env.Request, env.APIKey
	if d.APIKey == KeyNone {
		key = nil
	}
	if d.params != nil {
		request = nil
	}
	for i, t := range [rootSlots]*Type{d.Input.Path, d.Input.Query, d.Input.Headers, d.Input.Body, session, request, key, env.vars, d.params, nil, nil, nil} {
		c.slots = append(c.slots, slot{name: rootNames[i], t: t})
	}
	c.nameSteps(d.steps, map[string]Pos{})
	c.state = state{slots: make([]presence, len(c.slots)), proven: map[string]bool{}}
	for i := range rootSlots {
		c.state.slots[i] = set
	}
	if d.Session == SessionOptional || d.APIKey == KeyInstead {
		c.state.slots[slotSession] = optional
	}
	if d.APIKey == KeyOptional || d.APIKey == KeyInstead {
		c.state.slots[slotAPIKey] = optional
	}
	if d.Limit != nil {
		for _, v := range d.limitKey {
			c.limitPart(v)
		}
	}
	if d.steps != nil {
		c.block(d.steps)
		c.ending(d.steps)
	} else {
		c.watch.note(c, &seen{}, Pos{}) // what its first step will see
	}
	for _, code := range slices.Sorted(maps.Keys(c.fails)) {
		d.Fails = append(d.Fails, c.fails[code])
	}
	d.Program = &Program{ops: c.ops, slots: len(c.slots), vars: env.varsAt, computes: c.computes, takes: [slotEnv]*Type{
		d.Input.Path, d.Input.Query, d.Input.Headers, d.Input.Body, session, request, key,
	}}
	d.gives = c.gives
	d.Steps = d.steps.outline()
}

// ending reports a way that runs out of the flow, where it does.
func (c *compiler) ending(b *block) {
	if c.state.dead || len(b.steps) == 0 {
		return
	}
	last := b.steps[len(b.steps)-1]
	at := last.start()
	if c.params != nil {
		if c.gives == nil {
			c.emit(op{code: opReturn, pos: at, step: "return"}) // a node flow may give nothing
			return
		}
		c.problem(at, "other ways do", "there is a way through here that returns nothing")
		return
	}
	hint := "every way must end in respond or fail"
	switch {
	case last.guards != nil:
		hint = "the step is skipped where its when: does not hold, so put another one behind it; " + hint
	case last.verb == "if" && last.inside("else") == nil:
		hint = "end it in an else or with a step behind the if; " + hint
	}
	c.problem(at, hint, "there is a way through here that ends without an answer")
}

// nameSteps gives every name of the flow its slot, so that a reference to a step
// further down can be told from one to nothing.
func (c *compiler) nameSteps(b *block, seen map[string]Pos) {
	if b == nil {
		return
	}
	for _, st := range b.steps {
		if st.id != "" {
			c.nameSlot(st.id, st.idAt, seen)
		}
		if st.verb == "let" {
			for _, m := range st.with {
				c.nameSlot(m.name, m.at, seen)
			}
		}
		if st.each != nil || st.verb == "each" {
			c.nameItems(st, seen)
		}
		for _, b := range st.blocks {
			c.nameSteps(b.block, seen)
		}
	}
}

// nameItems names what each gives its block. Several each can use one name.
func (c *compiler) nameItems(st *step, seen map[string]Pos) {
	if st.each == nil {
		st.each = &eachSyntax{as: "item", asAt: st.pos, atOnce: 1}
	}
	e := st.each
	for name, at := range map[string]Pos{e.as: e.asAt, e.index: e.indexAt} {
		if i := c.slotOf(name); name != "" && (i < 0 || !c.slots[i].item) {
			c.nameSlot(name, at, seen)
			if i := c.slotOf(name); i >= 0 {
				c.slots[i].item = true
			}
		}
	}
}

func (c *compiler) nameSlot(name string, at Pos, seen map[string]Pos) {
	if first, twice := seen[name]; twice {
		c.problem(at, fmt.Sprintf("first in line %d", first.Line), "id %q is given twice", name)
		return
	}
	seen[name] = at
	if i := slices.Index(rootNames, name); i >= 0 && (i != slotSession || c.Session != SessionNone) && (i != slotAPIKey || c.APIKey != KeyNone) {
		c.problem(at, "choose another", "id %q would hide $%s", name, name)
		return
	}
	c.slots = append(c.slots, slot{name: name, pos: at})
}

// slotOf returns the slot of a step's id, or -1. A step may be called session or
// apiKey where the endpoint has none of its own.
func (c *compiler) slotOf(id string) int {
	return slices.IndexFunc(c.slots, func(s slot) bool { return s.name == id && s.pos.File != "" })
}

func (c *compiler) limitPart(v *value) {
	from, ok := c.lookup(v.path, v.pos)
	if !ok {
		return
	}
	format := textOf(from.t, nil)
	if format == nil || from.t.Secrecy != Public {
		c.problem(v.pos, "a text or a number", "a limit cannot be per %s", from.text)
		return
	}
	c.Limit.key = append(c.Limit.key, textPart{ref: from.ref, format: format})
}

// emit adds an op that goes on behind itself and returns its index.
func (c *compiler) emit(o op) int {
	o.next = len(c.ops) + 1
	c.ops = append(c.ops, o)
	return len(c.ops) - 1
}

func (c *compiler) block(b *block) {
	in := seen{pos: b.pos}
	around := c.in
	c.in = &in
	defer func() {
		c.watch.note(c, &in, Pos{})
		c.in = around
	}()
	for _, st := range b.steps {
		c.watch.note(c, &in, st.pos)
		if c.state.dead {
			c.problem(st.start(), "remove it", "this step never runs, every way above it has ended")
			return
		}
		c.step(st)
	}
}

func (c *compiler) step(st *step) {
	if (st.verb == "each" || st.verb == "parallel" || st.verb == "try" && st.retry != nil) && st.sends() {
		c.state.sent = true // the second round and the second attempt come behind the first
	}
	switch st.verb {
	case "node":
		c.node(st)
	case "if":
		c.branch(st)
	case "switch":
		c.choose(st)
	case "each":
		c.repeat(st)
	case "parallel":
		c.lanes(st)
	case "try":
		c.try(st)
	case "let":
		c.let(st)
	case "send":
		c.send(st)
	case "respond":
		c.respond(st)
	case "fail":
		c.fail(st)
	case "return":
		c.giveBack(st)
	}
}

func (c *compiler) node(st *step) {
	n := c.nodes[st.word]
	if n == nil || n.broken {
		c.brokenNode(st, n == nil)
		return
	}
	o := op{code: opNode, node: n, proto: n.zero(), slot: -1, pos: st.pos, step: st.id, wait: st.wait, undoing: c.undoing}
	if st.id == "" {
		o.step = n.Name
	}
	if n.template != nil {
		n = c.made(st, n, &o)
	} else {
		n = c.parameters(st, n, &o)
	}
	st.node = n
	if st.id != "" {
		if o.slot = c.slotOf(st.id); o.slot >= 0 && !n.broken {
			c.slots[o.slot].t = n.Out
		}
	}
	at := c.emit(o)
	before := c.state.clone()
	c.has(o.slot, set)
	if undo := st.inside("undo"); undo != nil {
		c.undo(undo, at)
	}
	j := c.join()
	routed := map[*Outcome]bool{}
	var goOn []*Outcome
	for _, b := range st.blocks {
		if b.role != "on" {
			continue
		}
		out := n.outcome(b.name)
		if out == nil {
			c.noOutcome(st, n, b)
		}
		routed[out] = true
		j.begin(before)
		c.has(o.slot, optional)
		if b.goOn {
			goOn = append(goOn, out)
		} else {
			c.ops[at].routes = append(c.ops[at].routes, route{out, len(c.ops)})
			c.block(b.block)
		}
		j.end()
	}
	j.close()
	c.ops[at].next = len(c.ops)
	for _, out := range goOn {
		c.ops[at].routes = append(c.ops[at].routes, route{out, len(c.ops)})
	}
	for _, out := range n.Outcomes {
		if !routed[out] && !n.broken && !c.undoing {
			c.leaves(st, out, at)
		}
	}
	if !c.undoing {
		for _, f := range n.fails {
			c.fails[f.Code] = f
		}
	}
}

// noOutcome reports an on: of what is no outcome of a node, or none in this step.
func (c *compiler) noOutcome(st *step, n *Node, b branch) {
	hint := DidYouMean(b.name, outcomeNames(n))
	if whole := c.nodes[st.word]; whole.outcome(b.name) != nil && whole.only[whole.outcome(b.name)] != "" {
		hint = "it has, where " + whole.only[whole.outcome(b.name)] + " is given"
	}
	c.problem(b.at, hint, "%s has no outcome %q", n.Name, b.name)
}

// leaves notes an outcome that no on: routes.
func (c *compiler) leaves(st *step, out *Outcome, at int) {
	f := Failure{Code: out.Name, Kind: out.Kind, Message: out.Doc}
	if d, ok := c.declared[out.Name]; ok {
		f.Status, f.Message = d.Status, d.Message
		c.ops[at].declared = append(c.ops[at].declared, d)
	}
	c.fails[out.Name] = f
	if c.params != nil && c.outcome(out.Name) == nil && !c.caught(out.Name) {
		c.problem(st.wordAt, "name it under outcomes: or route it with on:", "%s can leave by %s, and this node cannot", st.word, out.Name)
	}
}

// has notes what is known of a slot; -1 is none.
func (c *compiler) has(slot int, p presence) {
	if slot >= 0 {
		c.state.slots[slot] = p
	}
}

func (c *compiler) branch(st *step) {
	o := op{code: opIf, pos: st.pos, step: "if"}
	if st.guards != nil {
		o.step = "when"
	}
	var proves []proof
	not := false
	if st.cond != nil {
		o.test, proves = c.compileCondition(st.cond)
		not = st.cond.not && st.cond.path != nil
	}
	at := c.emit(o)
	before := c.state.clone()
	prove := func(holds bool) {
		if holds {
			for _, p := range proves {
				p.hold(&c.state)
			}
		}
	}
	c.state.dead = true
	j := c.join()
	j.begin(before)
	prove(!not)
	c.state.recall(st.cond)
	if then := st.inside("then"); then != nil && st.guards == nil {
		c.block(then)
	} else if then != nil {
		c.watch.again(c, c.in)
		c.step(st.guards)
	}
	then := c.state
	j.end()
	c.ops[at].els = len(c.ops)
	j.begin(before)
	prove(not)
	if els := st.inside("else"); els != nil {
		c.block(els)
	}
	j.after = meet(j.after, c.state)
	j.close()
	if st.guards != nil && !then.dead {
		c.skippable(st, then)
	}
}

// Env is what flows can use beside what stands in them.
type Env struct {
	Nodes   []*Node
	Session *Type             // of $session; nil where there are no sessions
	Request *Type             // of $request
	APIKey  *Type             // of $apiKey; nil where there are no API keys
	Vars    map[string]string // of $env; treated as secrets
	Timeout time.Duration     // of flows that name none; 0 means 30 s

	// Document has what every document of a collection has, its id first; nil
	// where nothing keeps documents.
	Document *Type

	vars   *Type
	varsAt unsafe.Pointer
	types  *types
}

func (e *Env) timeout() time.Duration {
	if e.Timeout > 0 {
		return e.Timeout
	}
	return 30 * time.Second
}
