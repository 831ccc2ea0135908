package cli

import (
	"context"
	"flag"
	"path/filepath"

	"sluice/server/openapi"
)

func openapiCommand() command {
	return command{
		name: "openapi", args: "[DIR]", most: 1,
		about: "Describes the endpoints in OpenAPI 3.1, for those who call them.",
		more: `The same flows give the same text, so it can be committed beside them, and a test
can tell when it is stale. Generators make typed clients of it.

Examples:

  sluice openapi
  sluice openapi -o flows/openapi.json
  sluice openapi --title "Shop" --of 2.1 ./flows
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			out := flags.String("o", "", "File to write to, instead of the screen.")
			var info openapi.Info
			flags.StringVar(&info.Title, "title", "Endpoints", "What the document calls itself.")
			flags.StringVar(&info.Version, "of", "1", "Version of the endpoints.")
			return func(_ context.Context, c *call) error { return c.openapi(*out, info) }
		},
	}
}

func (c *call) openapi(out string, info openapi.Info) error {
	flows, err := c.flows()
	if err != nil {
		return err
	}
	text, err := openapi.Document(info, flows.Served)
	if err != nil {
		return err
	}
	if out != "" && !filepath.IsAbs(out) {
		out = filepath.Join(c.Dir, out)
	}
	return c.put(out, string(text))
}
