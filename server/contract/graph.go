package contract

import (
	"iter"
	"slices"

	"sluice/engine"
)

// A graph knows what nodes touch. A node that is a flow touches what its steps
// touch, at any depth.
type graph struct {
	known map[string]engine.Touches
	flows map[string]*engine.NodeFlow
}

func newGraph(app *engine.App, nodes []*engine.Node) *graph {
	g := &graph{map[string]engine.Touches{}, map[string]*engine.NodeFlow{}}
	for _, n := range nodes {
		g.known[n.Name] = n.Touches
	}
	for _, n := range app.Nodes {
		g.flows[n.Name] = n
	}
	return g
}

// touches returns what a node touches. It ends, since no node flow that loads
// calls itself.
func (g *graph) touches(node string) engine.Touches {
	if t, ok := g.known[node]; ok || g.flows[node] == nil {
		return t
	}
	var t engine.Touches
	for s := range all(g.flows[node].Steps) {
		if s.Verb == "node" {
			inner := g.touches(s.Word)
			t.Reads = union(t.Reads, inner.Reads)
			t.Writes = union(t.Writes, inner.Writes)
			t.Calls = union(t.Calls, inner.Calls)
		}
	}
	g.known[node] = t
	return t
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// all yields steps and those inside them, in the order of the text.
func all(steps []engine.Step) iter.Seq[engine.Step] {
	return func(yield func(engine.Step) bool) { walk(steps, yield) }
}

func walk(steps []engine.Step, yield func(engine.Step) bool) bool {
	for _, s := range steps {
		if !yield(s) {
			return false
		}
		for _, b := range s.Branches {
			if !walk(b.Steps, yield) {
				return false
			}
		}
	}
	return true
}
