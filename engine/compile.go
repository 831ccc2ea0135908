package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
}

// compile checks the flow whole. The program is of use only where no problem
// was reported.
func (d *draft) compile(env *Env, nodes map[string]*Node, declared map[string]Declared) {
	c := &compiler{draft: d, env: env, nodes: nodes, declared: declared, fails: map[string]Failure{}}
	session := env.Session
	if d.Session == SessionNone {
		session = nil
	}
	for i, t := range []*Type{d.Input.Path, d.Input.Query, d.Input.Headers, d.Input.Body, session, env.Request, env.vars} {
		c.slots = append(c.slots, slot{name: rootNames[i], t: t})
	}
	c.nameSteps(d.steps, map[string]Pos{})
	c.state = state{slots: make([]presence, len(c.slots)), proven: map[string]bool{}}
	for i := range rootSlots {
		c.state.slots[i] = set
	}
	if d.Session == SessionOptional {
		c.state.slots[slotSession] = optional
	}
	if d.Limit != nil {
		for _, v := range d.limitKey {
			c.limitPart(v)
		}
	}
	if d.steps != nil {
		c.block(d.steps)
		if !c.state.dead && len(d.steps.steps) > 0 {
			last := d.steps.steps[len(d.steps.steps)-1]
			c.noAnswer(last)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(c.fails)) {
		d.Fails = append(d.Fails, c.fails[code])
	}
	d.Program = &Program{ops: c.ops, slots: len(c.slots), vars: env.varsAt, takes: [slotEnv]*Type{
		d.Input.Path, d.Input.Query, d.Input.Headers, d.Input.Body, session, env.Request,
	}}
}

// noAnswer reports a way that runs out of the flow, where it does.
func (c *compiler) noAnswer(last *step) {
	hint := "every way must end in respond or fail"
	if last.verb == "if" && last.els == nil {
		hint = "end it in an else or with a step behind the if; " + hint
	}
	c.problem(last.pos, hint, "there is a way through here that ends without an answer")
}

// nameSteps gives every id of the flow its slot, so that a reference to a step
// further down can be told from one to nothing.
func (c *compiler) nameSteps(b *block, seen map[string]Pos) {
	if b == nil {
		return
	}
	for _, st := range b.steps {
		if st.id != "" {
			if first, twice := seen[st.id]; twice {
				c.problem(st.idAt, fmt.Sprintf("first in line %d", first.Line), "id %q is given twice", st.id)
			} else if i := slices.Index(rootNames, st.id); i >= 0 && (i != slotSession || c.Session != SessionNone) {
				c.problem(st.idAt, "choose another", "id %q would hide $%s", st.id, st.id)
			} else {
				c.slots = append(c.slots, slot{name: st.id, pos: st.idAt})
			}
			seen[st.id] = st.idAt
		}
		for _, b := range st.on {
			c.nameSteps(b.block, seen)
		}
		c.nameSteps(st.then, seen)
		c.nameSteps(st.els, seen)
	}
}

// slotOf returns the slot of the step with an id, or -1. A step may be called
// session where the endpoint has none of its own.
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
	for _, st := range b.steps {
		if c.state.dead {
			c.problem(st.pos, "remove it", "this step never runs, every way above it has ended")
			return
		}
		switch st.verb {
		case "node":
			c.node(st)
		case "if":
			c.branch(st)
		case "respond":
			c.respond(st)
		case "fail":
			c.fail(st)
		}
	}
}

func (c *compiler) node(st *step) {
	n := c.nodes[st.word]
	if n == nil {
		if st.word != "" {
			hint := didYouMean(st.word, knownNodes(c.nodes))
			if hint == "" {
				hint = "sluice nodes lists them"
			}
			c.problem(st.wordAt, hint, "there is no node %q", st.word)
		}
		c.brokenNode(st)
		return
	}
	o := op{code: opNode, node: n, proto: n.zero(), slot: -1, pos: st.pos, step: st.id}
	if st.id == "" {
		o.step = n.Name
	}
	c.parameters(st, n, &o)
	if st.id != "" {
		if o.slot = c.slotOf(st.id); o.slot >= 0 {
			c.slots[o.slot].t = n.Out
		}
	}
	at := c.emit(o)
	before := c.state.clone()
	if o.slot >= 0 {
		c.state.slots[o.slot] = set
	}
	routed := map[*Outcome]bool{}
	var jumps []int
	for _, b := range st.on {
		out := n.outcome(b.name)
		if out == nil {
			c.problem(b.at, didYouMean(b.name, outcomeNames(n)), "%s has no outcome %q", n.Name, b.name)
			if b.block == nil {
				continue
			}
		}
		routed[out] = true
		after := c.state
		c.state = before.clone()
		if o.slot >= 0 {
			c.state.slots[o.slot] = optional
		}
		if b.goOn {
			c.ops[at].routes = append(c.ops[at].routes, route{out, -1})
		} else {
			c.ops[at].routes = append(c.ops[at].routes, route{out, len(c.ops)})
			c.block(b.block)
			if !c.state.dead {
				jumps = append(jumps, c.emit(op{code: opJump}))
			}
		}
		c.state = meet(after, c.state)
	}
	end := len(c.ops)
	for _, j := range jumps {
		c.ops[j].next = end
	}
	c.ops[at].next = end
	for i := range c.ops[at].routes {
		if r := &c.ops[at].routes[i]; r.next < 0 {
			r.next = end
		}
	}
	for _, out := range n.Outcomes {
		if !routed[out] {
			f := Failure{Code: out.Name, Kind: out.Kind}
			if d, ok := c.declared[out.Name]; ok {
				f.Status = d.Status
				c.ops[at].declared = append(c.ops[at].declared, d)
			}
			c.fails[out.Name] = f
		}
	}
}

// brokenNode checks what can be checked of a step whose node is not known.
func (c *compiler) brokenNode(st *step) {
	for _, m := range st.with {
		c.plainMaker(m.v)
	}
	if i := c.slotOf(st.id); st.id != "" && i >= 0 {
		c.state.slots[i] = set
	}
}

func outcomeNames(n *Node) []string {
	names := make([]string, len(n.Outcomes))
	for i, o := range n.Outcomes {
		names[i] = o.Name
	}
	return names
}

// parameters compiles with: into the prototype of the node's input and moves.
func (c *compiler) parameters(st *step, n *Node, o *op) {
	given := map[string]bool{}
	c.defaults(st, n, o)
	for _, m := range st.with {
		p := n.In.prop(m.name)
		if p == nil {
			c.problem(m.at, didYouMean(m.name, n.In.propNames()), "%s has no parameter %q", n.Name, m.name)
			st.misspelt = true
			continue
		}
		given[m.name] = true
		c.parameter(m.v, n, p, o)
	}
	for _, p := range n.In.Props {
		if !given[p.Name] && !p.Optional && !st.misspelt {
			c.problem(st.wordAt, p.Doc, "%s needs %q", n.Name, p.Name)
		}
	}
	if !st.misspelt {
		c.alternatives(st, n, given)
	}
}

// defaults puts the defaults of all parameters in place. What the flow gives is
// written over them, unless it turns out to be absent.
func (c *compiler) defaults(st *step, n *Node, o *op) {
	for _, p := range n.In.Props {
		switch {
		case !p.HasDefault:
		case strings.HasPrefix(p.Default, "$"):
			if c.env.Request != nil || !strings.HasPrefix(p.Default, "$request.") {
				c.parameter(&value{kind: refValue, pos: st.wordAt, path: strings.Split(p.Default[1:], ".")}, n, p, o)
			}
		default:
			p.Type.parseText(p.Default, p.held(unsafe.Add(o.proto, p.offset))) // Define has proved it
		}
	}
}

func (c *compiler) parameter(v *value, n *Node, p *Prop, o *op) {
	what := n.Name + "." + p.Name
	if v.kind == refValue && !p.Optional {
		if from, ok := c.quietLookup(v.path); ok && from.optional {
			c.problem(v.pos, askFirst(from), "%s needs a value, %s may be absent", what, from.text)
			return
		}
	}
	moves := c.place(v, p.Type, p.pointer, o.proto, p.offset, what)
	o.moves = append(o.moves, moves...)
	if len(moves) > 0 && p.Type.bounded() {
		if from, ok := c.quietLookup(v.path); ok && from.t.Format == p.Type.Format && p.Type.Min == nil && p.Type.Max == nil && len(p.Type.Enum) == 0 {
			return // the request's own check has proved it
		}
		o.checks = append(o.checks, check{p, what})
	}
}

// quietLookup is lookup without reporting.
func (c *compiler) quietLookup(path []string) (typed, bool) {
	if len(path) == 0 {
		return typed{}, false
	}
	n := len(c.problems)
	v, ok := c.lookup(path, Pos{})
	c.problems = c.problems[:n]
	return v, ok
}

// alternatives checks that exactly one group of parameters is given.
func (c *compiler) alternatives(st *step, n *Node, given map[string]bool) {
	if n.alternatives == nil {
		return
	}
	var whole []string
	for _, group := range n.alternatives {
		missing := slices.IndexFunc(group, func(p string) bool { return !given[p] })
		if missing < 0 {
			whole = append(whole, strings.Join(group, " and "))
		}
	}
	count := 0
	for _, p := range slices.Concat(n.alternatives...) {
		if given[p] {
			count++
		}
	}
	groups := make([]string, len(n.alternatives))
	for i, group := range n.alternatives {
		groups[i] = strings.Join(group, " and ")
	}
	if len(whole) != 1 || count != len(strings.Split(whole[0], " and ")) {
		c.problem(st.wordAt, "", "%s needs either %s", n.Name, strings.Join(groups, " or "))
	}
}

func (c *compiler) branch(st *step) {
	o := op{code: opIf, pos: st.pos, step: "if"}
	proves, not := "", false
	if st.cond != nil {
		o.test, proves = c.compileCondition(st.cond)
		not = st.cond.not
	}
	at := c.emit(o)
	before := c.state.clone()
	prove := func(holds bool) {
		if proves != "" && holds {
			c.state.proven[proves] = true
		}
	}
	prove(!not)
	if st.then != nil {
		c.block(st.then)
	}
	then := c.state
	jump := -1
	if !then.dead {
		jump = c.emit(op{code: opJump})
	}
	c.ops[at].els = len(c.ops)
	c.state = before
	prove(not)
	if st.els != nil {
		c.block(st.els)
	}
	if jump >= 0 {
		c.ops[jump].next = len(c.ops)
	}
	c.state = meet(then, c.state)
}

func (c *compiler) respond(st *step) {
	o := op{code: opRespond, status: st.status, pos: st.pos, step: "respond"}
	for _, m := range st.header {
		o.headers = append(o.headers, c.header(m))
	}
	if st.body != nil {
		if st.status == 204 || st.status == 304 {
			c.problem(st.body.pos, "respond: 200 has one", "an answer with status %d has no body", st.status)
		}
		o.body = c.jsonPieces(st.body, nil)
		if c.Output != nil && st.status < 300 {
			c.output(st.body, c.Output, "respond.body")
		}
	} else if c.Output != nil && st.status < 300 && len(c.Output.Props) > 0 {
		c.problem(st.pos, "the flow declares one under output:", "the answer has no body")
	}
	c.emit(o)
	c.state.dead = true
}

var ownHeaders = []string{
	"content-type", "content-length", "transfer-encoding", "connection", "cache-control", "set-cookie", "date", "server", "trailer", "upgrade",
}

func (c *compiler) header(m member) headerOp {
	h := headerOp{name: m.name}
	lower := strings.ToLower(m.name)
	if !validHeaderName(m.name) {
		c.problem(m.at, "letters, digits and -", "%q cannot be the name of a header", m.name)
	} else if slices.Contains(ownHeaders, lower) {
		c.problem(m.at, "", "header %s is the server's own", m.name)
	}
	switch v := m.v; v.kind {
	case literalValue:
		text, ok := v.lit.(string)
		if !ok {
			text = string(appendAny(nil, v.lit))
		}
		h.parts = []textPart{{text: string(escapeHeader(nil, text))}}
	case refValue:
		h.parts = c.textParts([]rawPart{{path: v.path, at: v.pos}}, escapeHeader, "header "+m.name)
	case textValue:
		h.parts = c.textParts(v.parts, escapeHeader, "header "+m.name)
	default:
		c.problem(v.pos, "", "header %s must be a text", m.name)
	}
	return h
}

func validHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

func (c *compiler) fail(st *step) {
	d, ok := c.declared[st.word]
	if !ok && st.word != "" {
		hint := didYouMean(st.word, slices.Sorted(maps.Keys(c.declared)))
		if !strings.HasPrefix(hint, "did you mean") {
			hint = "declare it in errors.yaml with a status and a message"
		}
		c.problem(st.wordAt, hint, "error %q is not declared", st.word)
	}
	o := op{code: opFail, fail: d, pos: st.pos, step: "fail " + st.word}
	if st.body != nil {
		o.body = c.jsonPieces(st.body, nil)
	}
	c.fails[st.word] = Failure{Code: st.word, Kind: kindOf(d.Status), Status: d.Status}
	c.emit(o)
	c.state.dead = true
}

// Env is what flows can use beside what stands in them.
type Env struct {
	Nodes   []*Node
	Session *Type             // of $session; nil where there are no sessions
	Request *Type             // of $request
	Vars    map[string]string // of $env; treated as secrets
	Timeout time.Duration     // of flows that name none; 0 means 30 s

	vars   *Type
	varsAt unsafe.Pointer
}

func (e *Env) timeout() time.Duration {
	if e.Timeout > 0 {
		return e.Timeout
	}
	return 30 * time.Second
}
