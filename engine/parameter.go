package engine

import (
	"slices"
	"strings"
	"unsafe"
)

// brokenNode checks what can be checked of a step whose node is not known.
func (c *compiler) brokenNode(st *step, unknown bool) {
	if st.word != "" && unknown {
		hint := DidYouMean(st.word, knownNodes(c.nodes))
		if hint == "" {
			hint = "sluice nodes lists them"
		}
		c.problem(st.wordAt, hint, "there is no node %q", st.word)
	}
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

// parameters compiles with: into the prototype of the node's input and moves. It
// returns the node with the outcomes that the step can have.
func (c *compiler) parameters(st *step, n *Node, o *op) *Node {
	given := c.given(st, n)
	c.defaults(st, n, o)
	for _, m := range st.with {
		if p := n.In.prop(m.name); p != nil {
			c.parameter(m.v, n, p, o)
		}
	}
	if !st.misspelt {
		c.alternatives(st, n, given)
	}
	o.node = n.given(given)
	return o.node
}

// given returns the names that a step gives, after reporting those that its
// node does not have and those that it needs.
func (c *compiler) given(st *step, n *Node) map[string]bool {
	given := map[string]bool{}
	for _, m := range st.with {
		given[m.name] = true
		if n.In.prop(m.name) == nil {
			c.problem(m.at, DidYouMean(m.name, n.In.propNames()), "%s has no parameter %q", n.Name, m.name)
			st.misspelt = true
		}
	}
	for _, m := range st.with {
		if p := n.In.prop(m.name); p != nil && p.instead != "" && !given[p.instead] {
			c.standIn(m.v, n, p)
		}
	}
	for _, p := range n.In.Props {
		if !given[p.Name] && !p.Optional && !st.misspelt {
			c.problem(st.wordAt, p.Doc, "%s needs %q", n.Name, p.Name)
		}
	}
	return given
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
			p.setDefault(unsafe.Add(o.proto, p.offset)) // Define has proved it
		}
	}
}

func (c *compiler) parameter(v *value, n *Node, p *Prop, o *op) {
	c.moved(v, p, c.place(v, p.of(n.Name), o.proto, p.offset), o)
}

// moved adds the moves of a parameter to a step, and the check of what they bring.
func (c *compiler) moved(v *value, p *Prop, moves []move, o *op) {
	o.moves = append(o.moves, moves...)
	if len(moves) == 0 || p.Type.unbounded() {
		return
	}
	if from, ok := c.quietLookup(v.path); ok && proved(from.t, p.Type) {
		return
	}
	o.checks = append(o.checks, check{p})
}

// proved tells whether the check of one type, as a request has been through it,
// makes that of another needless.
func proved(s, t *Type) bool {
	return s == t || s.Base == String && t.Base == String && s.Format == t.Format && !t.limited()
}

// standIn asks for the parameter that is needed where another one may be absent.
func (c *compiler) standIn(v *value, n *Node, p *Prop) {
	if v.kind != refValue {
		return
	}
	if from, ok := c.quietLookup(v.path); ok && from.optional {
		c.problem(v.pos, n.In.prop(p.instead).Doc, "%s may be absent, so %s needs %q too", from.text, n.Name, p.instead)
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
	groups := make([]string, len(n.alternatives))
	fits := false
	for i, group := range n.alternatives {
		groups[i] = strings.Join(group, " and ")
		// The parameters that are given are those of the group, whatever others share some.
		fits = fits || !slices.ContainsFunc(slices.Concat(n.alternatives...), func(p string) bool { return given[p] != slices.Contains(group, p) })
	}
	if !fits {
		c.problem(st.wordAt, "", "%s needs either %s", n.Name, strings.Join(groups, " or "))
	}
}
