package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
)

// sample writes a step that uses a node: its own example, or one with what it must be given, taken from
// where flows usually take it.
func sample(n *engine.Node) string {
	if n.Example != "" {
		return n.Example
	}
	var with []string
	for _, p := range n.In.Props {
		if needed(n, p) {
			with = append(with, p.Name+": "+sampleValue(p))
		}
	}
	given := strings.Join(with, ", ")
	id, verb, _ := strings.Cut(n.Name, ".")
	if strings.Contains(given, "$"+id+".") {
		id = verb // what it takes must not be hidden by what it gives
	}
	var b strings.Builder
	if len(n.Out.Props) > 0 {
		fmt.Fprintf(&b, "  - id: %s\n    node: %s\n", id, n.Name)
	} else {
		fmt.Fprintf(&b, "  - node: %s\n", n.Name)
	}
	if given != "" {
		fmt.Fprintf(&b, "    with: {%s}\n", given)
	}
	for _, o := range n.Outcomes {
		if o.Kind == engine.NotFound {
			fmt.Fprintf(&b, "    on: {%s: continue}\n", o.Name)
			break
		}
	}
	return b.String()
}

// needed tells whether a sample must give a parameter. Of alternatives it gives
// the first; what another step found it gives even if it may be absent.
func needed(n *engine.Node, p *engine.Prop) bool {
	groups := n.Alternatives()
	return !p.Optional || found(p.Type) || len(groups) > 0 && slices.Contains(groups[0], p.Name)
}

// found tells whether only another step can give values of a type.
func found(t *engine.Type) bool { return t.Base == engine.Object && t.Name != "" }

func sampleValue(p *engine.Prop) string {
	t := p.Type
	switch {
	case t.Nominal && t.Name == "authority":
		return "$session.authority"
	case t.Nominal:
		return "$proof." + p.Name
	case found(t):
		return "$" + p.Name
	case p.Name == "userId" || p.Name == "token": // the caller's own, and nobody else's
		return "$session." + p.Name
	case len(t.Enum) > 0:
		return t.Enum[0]
	case t.Format == "duration" && t.Min != nil:
		return bound(t, *t.Min)
	case t.Base == engine.Array && t.Items.Base == engine.String:
		return "[one, two]"
	}
	return "$body." + p.Name
}

// bound writes a bound of a type as flows do.
func bound(t *engine.Type, v float64) string {
	if t.Format != "duration" {
		return fmt.Sprintf("%g", v)
	}
	d := time.Duration(v)
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= unit.length && d%unit.length == 0 {
			return fmt.Sprintf("%d%s", d/unit.length, unit.name)
		}
	}
	return d.String()
}
