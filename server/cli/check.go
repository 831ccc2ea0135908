package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"slices"

	"sluice/engine"
	"sluice/server"
	"sluice/server/contract"
)

func checkCommand() command {
	return command{
		name: "check", args: "[DIR...]", most: -1,
		about: "Checks flows and settings, and tells everything that is wrong with them.",
		more: `Without a folder it checks the one that serve would serve. Of a folder within
one that has an errors.yaml or a types.yaml it tells what is wrong there, and in
these two. Each line is
file:line:column: what is wrong (what to do about it). Where a folder has a file
flows.lock, it is wrong too that an endpoint permits more than stands there; see
sluice help lock. It exits with 1 where there are problems.

Examples:

  sluice check
  sluice check ./flows ../shop/flows
  sluice check --json
  sluice check --sarif flows.sarif
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			var f checkFlags
			flags.BoolVar(&f.json, "json", false, "Print a JSON list of the problems, for editors and CI.")
			flags.StringVar(&f.sarif, "sarif", "", "Also write the problems into this file as SARIF 2.1.0, for code hosts.")
			flags.BoolVar(&f.snippet, "snippet", false, "Show the line of each problem, as on a terminal.")
			return func(_ context.Context, c *call) error { return c.check(f) }
		},
	}
}

type checkFlags struct {
	json, snippet bool
	sarif         string // file, "" for none
}

// findings are the problems that check found, by what they are about.
type findings struct {
	settings, flows, lock engine.Problems
	warnings              engine.Problems // they do not fail the check
	notes                 []string        // sentences about what is no problem
}

func (f *findings) problems() engine.Problems { return slices.Concat(f.settings, f.flows, f.lock) }

func (c *call) check(flags checkFlags) error {
	if c.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the process ends before most of it would be collected
	}
	conf, problems, err := c.configure(nil)
	if err != nil {
		return err
	}
	found := findings{settings: problems}
	dirs := []string{conf.Flows}
	if len(c.args) > 0 {
		dirs, conf.Folders = c.args, nil // folders are those below flows
	}
	flows, shipped := 0, false
	for _, dir := range dirs {
		part := part{dir: dir}
		if len(c.args) > 0 {
			if part, err = c.partOf(dir); err != nil {
				return err
			}
		}
		conf.Flows = part.dir
		checked, err := server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
		var more engine.Problems
		loaded := !errors.As(err, &more)
		if !loaded {
			found.flows = append(found.flows, part.of(more)...)
			checked, err = c.tops(part.dir)
		}
		if err != nil {
			return err
		}
		flows += part.count(checked.All, checked.Dir)
		found.warnings = append(found.warnings, part.of(checked.Warnings)...)
		shipped = shipped || checked.Dir == ""
		command := "sluice lock"
		if len(c.args) > 0 {
			command += " " + part.dir
		}
		exceeded, tight, err := c.checkLock(checked, loaded, command)
		if err != nil {
			return err
		}
		found.lock = append(found.lock, part.of(exceeded)...)
		if !tight {
			found.notes = append(found.notes, contract.File+" can be tightened: "+command)
		}
	}
	if flags.sarif != "" {
		if err := c.writeSARIF(flags.sarif, &found); err != nil {
			return err
		}
	}
	if flags.json {
		return c.printProblems(found.problems(), found.warnings)
	}
	snippet := flags.snippet || isTerminal(c.Stdout)
	c.tell(found.warnings, snippet)
	if problems := found.problems(); len(problems) > 0 {
		c.tell(problems, snippet)
		fmt.Fprintln(c.Stdout, summed(problems))
		return errTold
	}
	result, more := "no problems", ""
	if n := len(found.warnings); n > 0 {
		result = count(n, "warning")
	}
	if shipped {
		more = " (they come with Sluice; there is no folder flows here)"
	}
	fmt.Fprintf(c.Stdout, "%s, %s%s\n", count(flows, "flow"), result, more)
	for _, note := range found.notes {
		fmt.Fprintln(c.Stdout, note)
	}
	return nil
}

// tell prints problems as lines that editors can jump to, and where they are
// asked for, the lines that they are about.
func (c *call) tell(problems engine.Problems, snippet bool) {
	lines := snippets{}
	for _, p := range problems {
		fmt.Fprintln(c.Stdout, p)
		if snippet {
			fmt.Fprint(c.Stdout, lines.of(p.Pos))
		}
	}
}

// printProblems fails where there is more than warnings.
func (c *call) printProblems(problems, warnings engine.Problems) error {
	type row struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Warning bool   `json:"warning,omitempty"`
	}
	rows := []row{}
	for _, p := range slices.Concat(problems, warnings) {
		rows = append(rows, row{p.File, p.Line, p.Column, p.Message, p.Hint, p.Warning})
	}
	if err := c.printJSON(rows); err != nil {
		return err
	}
	if len(problems) > 0 {
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
