package engine

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"unsafe"
)

// A Node is one kind of step: a Go function with a typed input, a typed output
// and named outcomes. Make one with [Define].
type Node struct {
	Name     string     // noun.verb, as flows write it
	Doc      string     // one sentence or more
	In, Out  *Type      // objects; their properties are the parameters and results
	Outcomes []*Outcome // the ways out that are not success
	Touches  Touches    // what it works on beside its parameters
	Example  string     // a step that uses it, for documentation; "" where its parameters tell enough

	alternatives [][]string          // groups of parameters of which exactly one is given
	only         map[*Outcome]string // parameters without which an outcome cannot come
	alloc        func(proto unsafe.Pointer) (in, out unsafe.Pointer)
	call         func(ctx context.Context, in, out unsafe.Pointer) error
	zero         func() unsafe.Pointer // a fresh In, for the prototype of a step
	flow         *Program              // of a node that is a flow; nil for a function
	fails        []Failure             // of a node that is a flow: its errors beside the outcomes
	template     func(*Use) Action     // of a node that is another one in each step; nil otherwise
	broken       bool                  // it was reported and stands for nothing
}

// None is the output of a node that has nothing to say.
type None struct{}

// Alternatives is implemented by an input of which exactly one group of
// parameters must be given, as in "a token, or a user id with a session id".
type Alternatives interface {
	Alternatives() [][]string
}

var nodeName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)+$`)

// Define makes a node of a function. In and Out are structs whose tags are the
// only description of the node:
//
//	json     the name in YAML, JSON, documentation and studio; "-" hides a field
//	doc      what the field means (mandatory)
//	default  the value when the flow gives none; may be a reference such as $request.ip
//	min max  bounds: of a number, of a text's code points, of a list's items, of a duration
//	enum     the allowed texts, separated by |
//	format   email, password, uuid, uri, html, header ... (how a text is checked or escaped)
//	secret   "true": never logged, traced or answered; "once": only answered by the flow that made it
//	guard    "groups": of $session, only there in endpoints that demand access groups
//
// A field is required unless it is a pointer, omitzero or has a default. Fields
// can be string, bool, int, int64, float64, time.Time, time.Duration, []byte,
// map[string]any, any, structs and slices of these, and pointers to them.
//
// The function must not keep or change what its input points to. It leaves by
// one of the outcomes by returning it as its error; any other error is
// [Internal]. Define panics where the definition is wrong: that is a bug in the
// node, not in a flow.
func Define[In, Out any](name, doc string, fn func(context.Context, In) (Out, error), outcomes ...*Outcome) *Node {
	if !nodeName.MatchString(name) {
		panic(fmt.Sprintf("engine: node name %q is not noun.verb", name))
	}
	if doc == "" {
		panic("engine: node " + name + " has no documentation")
	}
	n := &Node{
		Name: name, Doc: doc, Outcomes: outcomes,
		In:  structType(reflect.TypeFor[In](), name+" input"),
		Out: structType(reflect.TypeFor[Out](), name+" output"),
	}
	for _, p := range n.In.Props {
		if p.instead != "" && n.In.prop(p.instead) == nil {
			panic("engine: node " + name + " has no parameter " + p.instead + " for where " + p.Name + " is absent")
		}
	}
	for i, o := range outcomes {
		if slices.ContainsFunc(outcomes[:i], func(p *Outcome) bool { return p.Name == o.Name }) {
			panic("engine: node " + name + " names outcome " + o.Name + " twice")
		}
	}
	if a, ok := any(*new(In)).(Alternatives); ok {
		n.alternatives = a.Alternatives()
		for _, p := range slices.Concat(n.alternatives...) {
			if n.In.prop(p) == nil {
				panic("engine: node " + name + " has no parameter " + p + " for its alternatives")
			}
		}
	}
	// In and Out of one step live and die together, so they share one allocation.
	type box struct {
		in  In
		out Out
	}
	n.zero = func() unsafe.Pointer { return unsafe.Pointer(new(In)) }
	n.alloc = func(proto unsafe.Pointer) (in, out unsafe.Pointer) {
		b := &box{in: *(*In)(proto)}
		return unsafe.Pointer(&b.in), unsafe.Pointer(&b.out)
	}
	n.call = func(ctx context.Context, in, out unsafe.Pointer) (err error) {
		*(*Out)(out), err = fn(ctx, *(*In)(in))
		return err
	}
	return n
}

// Alternatives returns the groups of parameters of which exactly one must be
// given, or nil.
func (n *Node) Alternatives() [][]string { return n.alternatives }

// Only notes that the node leaves by some of its outcomes only where a flow gives
// a parameter. A step without it has no such outcomes. It returns the node.
func (n *Node) Only(param string, outcomes ...*Outcome) *Node {
	if n.In.prop(param) == nil {
		panic("engine: node " + n.Name + " has no parameter " + param + " for its outcomes")
	}
	if n.only == nil {
		n.only = map[*Outcome]string{}
	}
	for _, o := range outcomes {
		n.only[o] = param
	}
	return n
}

// given returns the node as it is in a step that gives some parameters.
func (n *Node) given(given map[string]bool) *Node {
	cannot := func(o *Outcome) bool { return n.only[o] != "" && !given[n.only[o]] }
	if !slices.ContainsFunc(n.Outcomes, cannot) {
		return n
	}
	own := *n
	own.Outcomes = slices.DeleteFunc(slices.Clone(n.Outcomes), cannot)
	return &own
}

// Touches says what a node works on: names of data such as users, and of what
// is called outside.
type Touches struct {
	Reads, Writes, Calls []string
}

// Reading notes data that the node reads. It returns the node.
func (n *Node) Reading(what ...string) *Node {
	n.Touches.Reads = append(n.Touches.Reads, what...)
	return n
}

// Writing notes data that the node creates, changes or removes. It returns the node.
func (n *Node) Writing(what ...string) *Node {
	n.Touches.Writes = append(n.Touches.Writes, what...)
	return n
}

// Calling notes what the node calls outside the server. It returns the node.
func (n *Node) Calling(what ...string) *Node {
	n.Touches.Calls = append(n.Touches.Calls, what...)
	return n
}

func (n *Node) outcome(name string) *Outcome {
	for _, o := range n.Outcomes {
		if o.Name == name {
			return o
		}
	}
	return nil
}
