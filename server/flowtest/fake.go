package flowtest

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// errFaked is what a node that is told to break returns.
var errFaked = errors.New("broken by the test")

// fakes reads what stands in for the nodes of steps.
func (r *reader) fakes(n *yaml.Node) map[string]engine.Fake {
	fakes := map[string]engine.Fake{}
	for _, e := range r.mapping(n, "fake") {
		node, ok := r.steps[e.key.Value]
		if !ok {
			node, ok = r.inner[e.key.Value]
		}
		if !ok {
			r.unknownStep(e.key)
			continue
		}
		fakes[e.key.Value] = r.fake(e.value, node)
	}
	return fakes
}

func (r *reader) unknownStep(n *yaml.Node) {
	r.problem(n, hint(n.Value, slices.Collect(maps.Keys(r.steps)), ""), "%s has no step %q with a node", r.flow.File, n.Value)
}

// fake reads one of them; without a word it is a success that is made up.
func (r *reader) fake(n *yaml.Node, node *engine.Node) engine.Fake {
	var f engine.Fake
	entries := r.mapping(n, "a fake", fakeKeys...)
	if len(entries) > 1 {
		r.problem(n, "", "a fake is one of outcome, out and error")
	}
	for _, e := range entries {
		switch e.key.Value {
		case "outcome":
			f.Outcome = r.text(e.value, "outcome")
			var known []string
			for _, o := range node.Outcomes {
				known = append(known, o.Name)
			}
			if !slices.Contains(known, f.Outcome) {
				r.problem(e.value, hint(f.Outcome, known, "it has none"), "%s has no outcome %q", node.Name, f.Outcome)
			}
		case "out":
			text, err := json.Marshal(plainValue(e.value, func(s string) any { return s }))
			if err != nil || e.value.Kind != yaml.MappingNode {
				r.problem(e.value, "as in out: {id: u1}", "out must be a mapping of results to values")
			}
			f.Out = text
		case "error":
			f.Err = errFaked
			if what := r.text(e.value, "error"); what != "" {
				f.Err = errors.New(what)
			}
		}
	}
	return f
}
