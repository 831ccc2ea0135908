package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server"
)

func routesCommand() command {
	return command{
		name: "routes", args: "[DIR]", most: 1,
		about: "Lists the endpoints, and the fields of GraphQL, that serve would serve.",
		more: `Example:

  sluice routes
  sluice routes --json ./flows
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			asJSON := flags.Bool("json", false, "Print a JSON list.")
			return func(_ context.Context, c *call) error { return c.routes(*asJSON) }
		},
	}
}

func (c *call) routes(asJSON bool) error {
	flows, err := c.flows()
	if err != nil {
		return err
	}
	var routes []route
	for _, f := range flows.Served {
		for _, t := range f.Triggers() {
			routes = append(routes, route{t, f})
		}
	}
	slices.SortFunc(routes, func(a, b route) int {
		return cmp.Or(strings.Compare(a.by.Path, b.by.Path), strings.Compare(a.by.Method, b.by.Method))
	})
	if asJSON {
		return c.printRoutes(routes)
	}
	t := table(c.Stdout)
	fmt.Fprintln(t, "METHOD\tPATH\tSESSION\tGROUPS\tFLOW\tABOUT")
	for _, r := range routes {
		f, session := r.flow, r.flow.Session.String()
		switch f.APIKey {
		case engine.KeyRequired:
			session += " + key"
		case engine.KeyInstead:
			session += " or key"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.by.Method, r.by.Path, session, dash(strings.Join(f.Groups, ", ")), f.File, firstSentence(f.About))
	}
	return t.Flush()
}

// A route is a way in which a flow is called.
type route struct {
	by   engine.Trigger
	flow *engine.Flow
}

func (c *call) printRoutes(routes []route) error {
	type row struct {
		Method  string   `json:"method"`
		Path    string   `json:"path"`
		Session string   `json:"session"`
		Groups  []string `json:"groups"`
		APIKey  string   `json:"apiKey"`
		Flow    string   `json:"flow"`
		About   string   `json:"about"`
	}
	rows := make([]row, len(routes))
	for i, r := range routes {
		f := r.flow
		rows[i] = row{r.by.Method, r.by.Path, f.Session.String(), append([]string{}, f.Groups...), f.APIKey.String(), f.File, f.About}
	}
	return c.printJSON(rows)
}

func dash(s string) string { return cmp.Or(s, "-") }

// firstSentence cuts a text behind its first full stop.
func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i >= 0 {
		s = s[:i+1]
	}
	return strings.Join(strings.Fields(s), " ")
}

// flows are those of the folder that a command names, or else of the settings.
func (c *call) flows() (server.Flows, error) {
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return server.Flows{}, err
	}
	if len(c.args) > 0 {
		conf.Flows, conf.Folders = c.args[0], nil // folders are those below flows
	}
	return server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
}
