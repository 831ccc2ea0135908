package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server"
	"sluice/server/contract"
)

func diffCommand() command {
	return command{
		name: "diff", args: "REV [DIR]", most: 2,
		about: "Tells what changed in the behaviour of the endpoints since a revision in git.",
		more: `It compares the flows of the folder with those that git has at the revision: who
may call, how often, what is taken, answered, read, written and called. Both are
loaded with the nodes of this program. An exclamation mark stands in front of what
permits more than before.

It exits with 0 where nothing permits more, with 1 where something does or where
one side does not load, and with 2 where there is no such revision.

Examples:

  sluice diff main
  sluice diff HEAD~3 ./flows
  sluice diff --json v1.2.0
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			asJSON := flags.Bool("json", false, "Print a JSON list of the changes.")
			return func(ctx context.Context, c *call) error { return c.diff(ctx, *asJSON) }
		},
	}
}

func (c *call) diff(ctx context.Context, asJSON bool) error {
	if len(c.args) == 0 {
		return misused("diff wants a revision, as in sluice diff main")
	}
	rev := c.args[0]
	flows, err := c.load(c.args[1:])
	if err != nil {
		return err
	}
	if flows.Dir == "" {
		return errors.New("there is no folder flows here to compare")
	}
	then, err := c.loadRevision(ctx, flows.Dir, rev)
	if err != nil {
		return err
	}
	changes := contract.Diff(contracts(then), contracts(flows))
	wider := 0
	for _, change := range changes {
		if change.Wider {
			wider++
		}
	}
	if asJSON {
		err = c.printChangesJSON(flows.Dir, changes)
	} else {
		printChanges(c.Stdout, changes)
		fmt.Fprintln(c.Stdout, summedChanges(len(changes), wider, rev))
	}
	if err == nil && wider > 0 {
		return errTold
	}
	return err
}

// loadRevision loads the flows that a folder held at a revision.
func (c *call) loadRevision(ctx context.Context, dir, rev string) (server.Flows, error) {
	old, err := os.MkdirTemp("", "sluice-diff-")
	if err != nil {
		return server.Flows{}, fmt.Errorf("making a folder for the old flows: %w", err)
	}
	defer os.RemoveAll(old) // what is left of it is the system's to clear
	if err := extract(ctx, dir, rev, old); err != nil {
		return server.Flows{}, err
	}
	flows, err := c.load([]string{old})
	var problems engine.Problems
	if errors.As(err, &problems) {
		for i, p := range problems {
			if name, err := filepath.Rel(old, p.File); err == nil {
				problems[i].File = rev + ":" + filepath.ToSlash(name)
			}
		}
		return server.Flows{}, fmt.Errorf("the flows at %s do not load with the nodes of this program:\n%w", rev, problems)
	}
	return flows, err
}

func summedChanges(all, wider int, rev string) string {
	switch {
	case all == 0:
		return "no change of behaviour since " + rev
	case wider == 0:
		return fmt.Sprintf("%s since %s, none permits more", count(all, "change"), rev)
	case wider == 1:
		return fmt.Sprintf("%s since %s, 1 permits more (!)", count(all, "change"), rev)
	}
	return fmt.Sprintf("%s since %s, %d permit more (!)", count(all, "change"), rev, wider)
}

func (c *call) printChangesJSON(dir string, changes []contract.Change) error {
	type row struct {
		Endpoint string `json:"endpoint"`
		What     string `json:"what"`
		Change   string `json:"change"`
		Wider    bool   `json:"wider"`
		File     string `json:"file,omitempty"`
		Line     int    `json:"line,omitempty"`
		Column   int    `json:"column,omitempty"`
	}
	rows := make([]row, len(changes))
	for i, ch := range changes {
		rows[i] = row{ch.Endpoint, ch.What, ch.Text, ch.Wider, "", ch.Pos.Line, ch.Pos.Column}
		if ch.Pos.File != "" {
			rows[i].File = filepath.Join(dir, filepath.FromSlash(ch.Pos.File))
		}
	}
	return c.printJSON(rows)
}

// flowFile tells whether a file is one that is loaded with flows.
func flowFile(name string) bool {
	return filepath.IsLocal(name) && slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(name)))
}
