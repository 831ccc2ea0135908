package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"sluice/engine"
	"sluice/server"
	"sluice/server/schema"
)

func schemaCommand() command {
	return command{
		name:  "schema",
		about: "Writes the JSON Schema of flow files, for editors.",
		more: `It knows the nodes of this binary, and those that are flows. Editors that know the
YAML language server take it from the first line of a flow:

  # yaml-language-server: $schema=../schema.json

Examples:

  sluice schema
  sluice schema -o flows/schema.json
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			out := flags.String("o", "", "File to write to, instead of the screen.")
			return func(_ context.Context, c *call) error { return c.schema(*out) }
		},
	}
}

func (c *call) schema(out string) error {
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return err
	}
	opts := append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)
	nodes, err := server.Nodes(opts...)
	if err != nil {
		return err
	}
	// Editors need the schema most while flows have mistakes.
	flows, err := server.Check(conf, opts...)
	if wrong := (engine.Problems)(nil); errors.As(err, &wrong) {
		fmt.Fprintf(c.Stderr, "sluice: the schema lacks the nodes that are flows, because of %s\n", summed(wrong))
	} else if err != nil {
		return err
	}
	for _, n := range flows.Nodes {
		nodes = append(nodes, n.Node)
	}
	text, err := schema.Flows(nodes)
	if err != nil {
		return err
	}
	if out != "" && !filepath.IsAbs(out) {
		out = filepath.Join(c.Dir, out)
	}
	return c.put(out, string(text))
}
