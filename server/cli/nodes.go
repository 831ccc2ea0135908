package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server"
)

func nodesCommand() command {
	return command{
		name: "nodes", args: "[NAME]", most: 1,
		about: "Lists the nodes that flows can use, or tells everything of one.",
		more: `Example:

  sluice nodes
  sluice nodes password.check
`,
		define: func(*flag.FlagSet) func(context.Context, *call) error {
			return func(_ context.Context, c *call) error {
				all, err := server.Nodes(c.opts...)
				if err != nil {
					return err
				}
				if len(c.args) == 0 {
					return c.listNodes(all)
				}
				return c.tellNode(all, c.args[0])
			}
		},
	}
}

func (c *call) listNodes(all []*engine.Node) error {
	t := table(c.Stdout)
	fmt.Fprintln(t, "NODE\tOUTCOMES\tABOUT")
	for _, n := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", n.Name, dash(strings.Join(outcomeNames(n), ", ")), firstSentence(n.Doc))
	}
	return t.Flush()
}

func outcomeNames(n *engine.Node) []string {
	names := make([]string, len(n.Outcomes))
	for i, o := range n.Outcomes {
		names[i] = o.Name
	}
	return names
}

func (c *call) tellNode(all []*engine.Node, name string) error {
	names := make([]string, len(all))
	for i, n := range all {
		names[i] = n.Name
	}
	i := slices.Index(names, name)
	if i < 0 {
		hint := engine.DidYouMean(name, names)
		if hint == "" {
			hint = "sluice nodes lists them"
		}
		return fmt.Errorf("%s", withHint(fmt.Sprintf("there is no node %q", name), hint))
	}
	n := all[i]
	fmt.Fprintf(c.Stdout, "%s\n\n%s", n.Name, wrapped(n.Doc, "", 80))
	t := table(c.Stdout)
	if len(n.In.Props) > 0 {
		fmt.Fprintln(t, "\nParameters")
	}
	for _, p := range n.In.Props {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", p.Name, describe(p.Type), presence(n, p), p.Doc)
	}
	if len(n.Out.Props) > 0 {
		fmt.Fprintln(t, "\nResults")
	}
	results(t, "", n.Out)
	if len(n.Outcomes) > 0 {
		fmt.Fprintln(t, "\nOutcomes")
	}
	for _, o := range n.Outcomes {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", o.Name, o.Kind, o.Doc)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "\nExample\n%s", sample(n))
	return nil
}

// results writes a line for each property of an object, and of the objects in it,
// as flows refer to them.
func results(w io.Writer, path string, object *engine.Type) {
	for _, p := range object.Props {
		may := ""
		if p.Optional {
			may = "may be absent"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", path+p.Name, describe(p.Type), may, p.Doc)
		switch t := p.Type; t.Base {
		case engine.Object:
			results(w, path+p.Name+".", t)
		case engine.Array:
			results(w, path+p.Name+"[].", t.Items)
		}
	}
}

// presence says what happens where a parameter is not given.
func presence(n *engine.Node, p *engine.Prop) string {
	groups := n.Alternatives()
	if slices.ContainsFunc(groups, func(g []string) bool { return slices.Contains(g, p.Name) }) {
		texts := make([]string, len(groups))
		for i, g := range groups {
			texts[i] = strings.Join(g, " and ")
		}
		return "either " + strings.Join(texts, " or ")
	}
	switch {
	case p.HasDefault:
		return "default " + p.Default
	case p.Optional:
		return "optional"
	}
	return "required"
}

// describe tells a type with its bounds, as in "integer from 1 to 100".
func describe(t *engine.Type) string {
	text := t.String()
	if len(t.Enum) > 0 {
		text = strings.Join(t.Enum, " or ")
	}
	if t.Format != "" && t.Format != "duration" && t.Format != "date-time" {
		text += " (" + t.Format + ")"
	}
	switch bounds := bounded(t); {
	case bounds == "":
	case t.Base == engine.Array:
		text += "," + bounds + " items"
	case t.Base == engine.String && t.Format != "duration":
		text += "," + bounds + " characters"
	default:
		text += bounds
	}
	switch t.Secrecy {
	case engine.Hidden:
		text += ", secret"
	case engine.Once:
		text += ", secret, shown once"
	}
	return text
}

// bounded tells the bounds of a type, as in " from 1 to 9" or " up to 200".
func bounded(t *engine.Type) (text string) {
	if t.Min != nil {
		text += " from " + bound(t, *t.Min)
	}
	if t.Max != nil {
		if t.Min == nil {
			text += " up"
		}
		text += " to " + bound(t, *t.Max)
	}
	return text
}
