package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"

	"sluice/server"
	"sluice/server/store/health"
)

func doctorCommand() command {
	return command{
		name:  "doctor",
		about: "Looks at settings, flows, database, disk and clock, and says what to do where something is wrong.",
		more: `It looks through a server that runs, or by itself. It exits with 1 where something
fails; warnings are no failures.

Examples:

  sluice doctor
  sluice doctor --data /var/lib/sluice --json
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set := settingFlags(flags)
			asJSON := flags.Bool("json", false, "Print JSON, a line for each finding.")
			return func(ctx context.Context, c *call) error {
				conf, problems, err := c.configure(set)
				if err := cmp.Or(err, problems.Err()); err != nil {
					return err
				}
				found := server.Doctor(ctx, conf, c.options()...)
				if err := c.printFindings(found, *asJSON); err != nil {
					return err
				}
				if slices.ContainsFunc(found, func(f health.Finding) bool { return f.Level == health.Fail }) {
					return errTold
				}
				return nil
			}
		},
	}
}

func (c *call) printFindings(found []health.Finding, asJSON bool) error {
	out := console{w: c.Stdout, colour: coloured(c.Stdout, c.Getenv)}
	for _, f := range found {
		if asJSON {
			if err := c.printLine(f); err != nil {
				return err
			}
			continue
		}
		level := fmt.Sprintf("%-5s", f.Level)
		switch f.Level {
		case health.Warn:
			level = out.paint(yellow, level)
		case health.Fail:
			level = out.paint(red, level)
		}
		out.print(fmt.Sprintf("%s %-11s %s\n", level, f.Name, f.Text))
		if f.Do != "" {
			out.print(fmt.Sprintf("%-17s %s\n", "", f.Do))
		}
	}
	return nil
}
