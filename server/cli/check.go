package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"

	"sluice/engine"
	"sluice/server"
)

func checkCommand() command {
	return command{
		name: "check", args: "[DIR...]", most: -1,
		about: "Checks flows and settings, and tells everything that is wrong with them.",
		more: `Without a folder it checks the one that serve would serve. Each line is
file:line:column: what is wrong (what to do about it). It exits with 1 where there
are problems.

Examples:

  sluice check
  sluice check ./flows ../shop/flows
  sluice check --json
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			asJSON := flags.Bool("json", false, "Print a JSON list of the problems, for editors and CI.")
			return func(_ context.Context, c *call) error { return c.check(*asJSON) }
		},
	}
}

func (c *call) check(asJSON bool) error {
	conf, problems, err := c.configure(nil)
	if err != nil {
		return err
	}
	dirs := []string{conf.Flows}
	if len(c.args) > 0 {
		dirs, conf.Folders = c.args, nil // folders are those below flows
	}
	flows, shipped := 0, false
	for _, dir := range dirs {
		conf.Flows = dir
		checked, err := server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
		var more engine.Problems
		if err != nil && !errors.As(err, &more) {
			return err
		}
		problems = append(problems, more...)
		flows += len(checked.All)
		shipped = shipped || err == nil && checked.Dir == ""
	}
	if asJSON {
		return c.printProblems(problems)
	}
	if len(problems) > 0 {
		fmt.Fprintf(c.Stdout, "%v\n%s\n", problems, summed(problems))
		return errTold
	}
	more := ""
	if shipped {
		more = " (they come with Sluice; there is no folder flows here)"
	}
	fmt.Fprintf(c.Stdout, "%s, no problems%s\n", count(flows, "flow"), more)
	return nil
}

func (c *call) printProblems(problems engine.Problems) error {
	type row struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	}
	rows := make([]row, len(problems))
	for i, p := range problems {
		rows[i] = row{p.File, p.Line, p.Column, p.Message, p.Hint}
	}
	if err := c.printJSON(rows); err != nil {
		return err
	}
	if len(rows) > 0 {
		return errTold
	}
	return nil
}

func (c *call) printJSON(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}
