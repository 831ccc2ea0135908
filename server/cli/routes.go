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
		about: "Lists the endpoints that serve would serve.",
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
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return err
	}
	if len(c.args) > 0 {
		conf.Flows, conf.Folders = c.args[0], nil // folders are those below flows
	}
	flows, err := server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
	if err != nil {
		return err
	}
	slices.SortFunc(flows.Served, func(a, b *engine.Flow) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	if asJSON {
		return c.printRoutes(flows.Served)
	}
	t := table(c.Stdout)
	fmt.Fprintln(t, "METHOD\tPATH\tSESSION\tGROUPS\tFLOW\tABOUT")
	for _, f := range flows.Served {
		session := f.Session.String()
		if f.APIKey == engine.KeyRequired {
			session += " + key"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Method, f.Path, session, dash(strings.Join(f.Groups, ", ")), f.File, firstSentence(f.About))
	}
	return t.Flush()
}

func (c *call) printRoutes(flows []*engine.Flow) error {
	type row struct {
		Method  string   `json:"method"`
		Path    string   `json:"path"`
		Session string   `json:"session"`
		Groups  []string `json:"groups"`
		APIKey  string   `json:"apiKey"`
		Flow    string   `json:"flow"`
		About   string   `json:"about"`
	}
	rows := make([]row, len(flows))
	for i, f := range flows {
		rows[i] = row{f.Method, f.Path, f.Session.String(), append([]string{}, f.Groups...), f.APIKey.String(), f.File, f.About}
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
