package contract

import (
	"iter"
	"slices"

	"sluice/engine"
)

// A graph knows what node flows touch: what their steps touch, at any depth.
type graph struct {
	flows map[string]*engine.NodeFlow
	known map[string]engine.Touches // of flows that were asked for
}

func newGraph(app *engine.App) *graph {
	g := &graph{map[string]*engine.NodeFlow{}, map[string]engine.Touches{}}
	for _, n := range app.Nodes {
		g.flows[n.Name] = n
	}
	return g
}

// touches returns what a step's node touches. It ends, since no node flow that
// loads calls itself.
func (g *graph) touches(step engine.Step) engine.Touches {
	flow := g.flows[step.Word]
	switch t, ok := g.known[step.Word]; {
	case ok:
		return t
	case flow == nil && step.Node != nil:
		return step.Node.Touches
	case flow == nil:
		return engine.Touches{}
	}
	var t engine.Touches
	for s := range all(flow.Steps) {
		if s.Verb == "node" {
			inner := g.touches(s)
			t.Reads = union(t.Reads, inner.Reads)
			t.Writes = union(t.Writes, inner.Writes)
			t.Calls = union(t.Calls, inner.Calls)
		}
	}
	g.known[step.Word] = t
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
