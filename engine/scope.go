package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// presence is what is known of a slot at a place in a flow.
type presence uint8

const (
	unset    presence = iota // no way here sets it
	maybe                    // some ways here set it
	optional                 // every way here has tried; it may be absent
	set
)

// A slot is a name that references can begin with.
type slot struct {
	name string
	t    *Type // nil where it is broken, so that its uses are no second mistake
	pos  Pos   // of the step that sets it; no File for the roots
	item bool  // of an each
}

// The slots of every flow come first; those of its steps follow.
const (
	slotPath = iota
	slotQuery
	slotHeaders
	slotBody
	slotSession
	slotRequest
	slotAPIKey
	slotEnv
	slotParams
	slotError
	slotGiven   // what an item of an each gives; no name leads to it
	slotContext // the context of the run; no name leads to it
	rootSlots
)

var rootNames = []string{"path", "query", "headers", "body", "session", "request", "apiKey", "env", "params", "error", " ", "  "}

// state is what is known at a place: it grows on the way down, and where ways
// meet only that stays which all of them know.
type state struct {
	slots  []presence
	proven map[string]bool // optional references that an if found present
	dead   bool            // every way here has ended
	sent   bool            // some way here has sent an event

	forms   map[string]*Prop // of values of unions, by the references to their tags, where a switch found them out
	follows map[follow]bool  // nil where nothing follows from anything
}

func (s state) clone() state {
	return state{slices.Clone(s.slots), maps.Clone(s.proven), s.dead, s.sent, maps.Clone(s.forms), maps.Clone(s.follows)}
}

// meet joins the ways that come together below a step.
func meet(a, b state) state {
	if a.dead {
		return b
	}
	if b.dead {
		return a
	}
	m := a.clone()
	m.sent = a.sent || b.sent
	for i := range m.slots {
		x, y := a.slots[i], b.slots[i]
		switch {
		case x == y:
		case x == unset || y == unset || x == maybe || y == maybe:
			m.slots[i] = maybe
		default:
			m.slots[i] = optional
		}
	}
	maps.DeleteFunc(m.proven, func(k string, _ bool) bool { return !b.proven[k] })
	maps.DeleteFunc(m.forms, func(k string, form *Prop) bool { return b.forms[k] != form })
	maps.DeleteFunc(m.follows, func(f follow, _ bool) bool { return !b.follows[f] })
	return m
}

// A source of a value: where it is and what it is.
type typed struct {
	t        *Type
	optional bool // may be absent
	ref      ref
	text     string // as written, with its dollar sign
	lacking  string // the part of text that may be absent
	tagOf    *Type  // the union by a tag of which it is the tag
	omitted  bool   // answers leave it out when it is empty, so an if can ask for it
}

// askFirst is the hint for a value that may be absent.
func askFirst(v typed) string { return "ask if: " + v.lacking + " first" }

// lookup finds what a reference leads to, or reports why it leads nowhere.
func (c *compiler) lookup(path []string, at Pos) (typed, bool) {
	text := "$" + strings.Join(path, ".")
	i := c.slotOf(path[0])
	if i < 0 {
		i = slices.Index(rootNames, path[0])
	}
	if i < 0 {
		c.unknownName(path[0], at)
		return typed{}, false
	}
	s := c.slots[i]
	if i < rootSlots && s.t == nil {
		c.problem(at, rootHint(i, c.Flow), "%s is not here", "$"+path[0])
		return typed{}, false
	}
	switch c.state.slots[i] {
	case unset:
		hint := fmt.Sprintf("step %q is in line %d, and steps lead downwards only", s.name, s.pos.Line)
		if s.pos.Line < at.Line {
			hint = fmt.Sprintf("what is set in line %d is only known inside its block; collect: gives what an each makes", s.pos.Line)
		}
		c.problem(at, hint, "%s is not set here", "$"+path[0])
		return typed{}, false
	case maybe:
		c.problem(at, fmt.Sprintf("there is a way here that does not pass step %q in line %d", s.name, s.pos.Line), "%s is not always set here", "$"+path[0])
		return typed{}, false
	}
	if s.t == nil {
		return typed{}, false
	}
	v := typed{t: s.t, ref: ref{slot: i}, text: "$" + path[0]}
	if v.optional = c.state.slots[i] == optional && !c.state.proven[v.text]; v.optional {
		v.lacking = v.text
	}
	for _, name := range path[1:] {
		v = c.state.formWith(v, name)
		p := v.t.prop(name)
		if p == nil {
			c.unknownProp(v, name, at)
			return typed{}, false
		}
		if p.guarded && len(c.Groups) == 0 {
			c.problem(at, "groups: says which groups a session must have", "%s.%s is only there where the endpoint demands groups", v.text, name)
			return typed{}, false
		}
		v.tagOf = nil
		if v.t.By == name {
			v.tagOf = v.t
		}
		v.t, v.ref, v.text, v.omitted = p.Type, v.ref.into(p), v.text+"."+name, p.omit && !p.pointer
		switch {
		case c.state.proven[v.text]:
			v.optional = false
		case p.pointer && !v.optional:
			v.optional, v.lacking = true, v.text
		}
	}
	v.text = text
	return v, true
}

func (c *compiler) unknownName(name string, at Pos) {
	var known []string
	for _, s := range c.slots {
		if s.t != nil {
			known = append(known, s.name)
		}
	}
	hint := DidYouMean(name, known)
	if strings.HasPrefix(hint, "did you mean ") {
		hint = "did you mean $" + strings.TrimPrefix(hint, "did you mean ")
	}
	c.problem(at, hint, "there is no $%s", name)
}

func (c *compiler) unknownProp(v typed, name string, at Pos) {
	switch {
	case v.t.By != "":
		tag := v.text + "." + v.t.By
		c.problem(at, "switch: "+tag+" tells which one it is, and its cases know what it has", "%s is %s, which may have no %q", v.text, article(v.t), name)
	case v.t.Union != nil:
		c.problem(at, "give each form a property with a const of its own that tells them apart", "%s is %s, and there is no telling which", v.text, article(v.t))
	case v.t.Base == Any || v.t.Open:
		c.problem(at, "declare the type of its properties to use them", "%s is of any form", v.text)
	case v.t.Base != Object:
		c.problem(at, "", "%s is %s and has no %q", v.text, article(v.t), name)
	default:
		c.problem(at, DidYouMean(name, v.t.propNames()), "%s has no %q", v.text, name)
	}
}

// rootHint says how a flow gets a root that it lacks.
func rootHint(slot int, f *Flow) string {
	switch slot {
	case slotSession:
		if f.Session == SessionNone {
			return "this endpoint says session: none; session: required gives it a session"
		}
	case slotAPIKey:
		return "apiKey: required gives this endpoint a key"
	case slotEnv:
		return "name the variables that flows may read in the configuration"
	case slotParams:
		return "a flow with node: has params"
	case slotError:
		return "it is there inside catch"
	case slotQuery, slotHeaders, slotBody:
		return "declare it under input: " + rootNames[slot] + ":"
	}
	return ""
}
