package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server"
	"sluice/server/graph"
)

func graphCommand() command {
	return command{
		name: "graph", args: "[FLOW]", most: 1,
		about: "Draws a flow, or all of them.",
		more: `A flow is named by its file, its endpoint or, where it is a node, by its name. It
is drawn as SVG unless told otherwise. Without a flow all are drawn, each into a
file of its own in the folder that -o names.

Examples:

  sluice graph flows/auth/sign-in.yaml -o sign-in.svg
  sluice graph --mermaid 'POST /auth/sign-in'
  sluice graph -o drawings
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			flags.Bool("svg", true, "Draw as SVG, which is what it does anyway.")
			mermaid := flags.Bool("mermaid", false, "Write a Mermaid flowchart.")
			out := flags.String("o", "", "File to write to, instead of the screen; without a flow a folder.")
			return func(_ context.Context, c *call) error { return c.graph(*mermaid, *out) }
		},
	}
}

// A drawing is a flow that can be drawn, with what it can be called.
type drawing struct {
	file  string // from the folder of the flows
	names []string
	graph *graph.Graph
}

func (c *call) graph(mermaid bool, out string) error {
	all, err := c.drawings()
	if err != nil {
		return err
	}
	text, ending := (*graph.Graph).SVG, ".svg"
	if mermaid {
		text, ending = (*graph.Graph).Mermaid, ".mmd"
	}
	if out != "" && !filepath.IsAbs(out) {
		out = filepath.Join(c.Dir, out)
	}
	if len(c.args) == 0 {
		if out == "" {
			return misused("graph wants a flow, or -o with a folder for the drawings of all")
		}
		for _, d := range all {
			file := filepath.Join(out, filepath.FromSlash(strings.TrimSuffix(d.file, ".yaml")+ending))
			if err := c.put(file, text(d.graph)); err != nil {
				return err
			}
		}
		fmt.Fprintf(c.Stdout, "%s in %s\n", count(len(all), "drawing"), out)
		return nil
	}
	var known []string
	for _, d := range all {
		if slices.Contains(d.names, filepath.ToSlash(c.args[0])) {
			return c.put(out, text(d.graph))
		}
		known = append(known, d.names...)
	}
	hint := engine.DidYouMean(c.args[0], known)
	if hint == "" {
		hint = "sluice routes lists them"
	}
	return fmt.Errorf("%s", withHint(fmt.Sprintf("there is no flow %q", c.args[0]), hint))
}

// drawings lists the flows that can be drawn.
func (c *call) drawings() ([]drawing, error) {
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return nil, err
	}
	flows, err := server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
	if err != nil {
		return nil, err
	}
	var all []drawing
	add := func(file string, names []string, g *graph.Graph) {
		below := filepath.ToSlash(cmp.Or(conf.Flows, "flows")) // as the file is seen from here
		all = append(all, drawing{file, append(names, file, below+"/"+file, "./"+below+"/"+file), g})
	}
	for _, f := range flows.All {
		var names []string
		for _, t := range f.Triggers() {
			names = append(names, t.String())
		}
		add(f.File, names, graph.Endpoint(f))
	}
	for _, n := range flows.Nodes {
		add(n.File, []string{n.Name}, graph.NodeFlow(n))
	}
	return all, nil
}

// put writes a text to a file, whose folder it makes, or to the screen.
func (c *call) put(file, text string) error {
	if file == "" {
		fmt.Fprint(c.Stdout, text)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	return nil
}
