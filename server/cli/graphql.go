package cli

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"

	"sluice/engine"
	"sluice/server/graphql"
)

func graphqlCommand() command {
	return command{
		name: "graphql", args: "[DIR]", most: 1,
		about: "Writes the schema of the flows that are fields of GraphQL.",
		more: `The same flows give the same text, so it can be committed beside them, and a test
can tell when it is stale. Each path at which fields are served has a schema of its own.

Examples:

  sluice graphql
  sluice graphql -o flows/schema.graphql
  sluice graphql --at /tenant
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			out := flags.String("o", "", "File to write to, instead of the screen.")
			at := flags.String("at", engine.DefaultAt, "Path at which the fields are served.")
			return func(_ context.Context, c *call) error { return c.graphql(*out, *at) }
		},
	}
}

func (c *call) graphql(out, at string) error {
	flows, err := c.flows()
	if err != nil {
		return err
	}
	if paths := graphql.Paths(flows.Served); !slices.Contains(paths, at) {
		return fmt.Errorf("%s", withHint("no flow is a field of GraphQL at "+at, engine.DidYouMean(at, paths)))
	}
	if out != "" && !filepath.IsAbs(out) {
		out = filepath.Join(c.Dir, out)
	}
	return c.put(out, graphql.SDL(at, flows.Served))
}
