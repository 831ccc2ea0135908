package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const example = `For a first look, in a folder of its own:

  sluice serve
  curl http://127.0.0.1:8080/auth/sign-up -H 'Content-Type: application/json' \
    -d '{"email": "ada@example.com", "password": "a ferry across the river"}'
`

func helpCommand() command {
	return command{
		name: "help", args: "[COMMAND]", most: 1,
		about: "Says what sluice or one of its commands does.",
		more:  "Example:\n\n  sluice help serve\n",
		define: func(*flag.FlagSet) func(context.Context, *call) error {
			return func(_ context.Context, c *call) error {
				if len(c.args) == 0 {
					overview(c.Stdout)
					return nil
				}
				cmd, err := find(c.args[0])
				if err != nil {
					return err
				}
				cmd.help(c.Stdout)
				return nil
			}
		},
	}
}

// overview tells all commands.
func overview(w io.Writer) {
	fmt.Fprint(w, "Sluice turns flows, which are YAML files, into HTTP endpoints with sessions.\n\nUsage: sluice COMMAND [FLAGS]\n\n")
	t := table(w)
	for _, cmd := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", cmd.name, cmd.about)
	}
	t.Flush() // its errors are those of w, which nothing is left to do about
	fmt.Fprintf(w, "\nsluice help COMMAND tells its flags.\n\n%s", example)
}

// help tells one command.
func (cmd *command) help(w io.Writer) {
	flags := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	cmd.define(flags)
	usage := "sluice " + cmd.name
	any := false
	flags.VisitAll(func(*flag.Flag) { any = true })
	if any {
		usage += " [FLAGS]"
	}
	if cmd.args != "" {
		usage += " " + cmd.args
	}
	fmt.Fprintf(w, "%s\n\nUsage: %s\n", cmd.about, usage)
	if any {
		fmt.Fprintln(w)
	}
	flags.VisitAll(func(f *flag.Flag) {
		if _, setting := f.Value.(settingFlag); !setting {
			dashes := "--"[:min(2, len(f.Name))]
			fmt.Fprintf(w, "  %s%s\n      %s\n", dashes, f.Name, f.Usage)
		}
	})
	if cmd.name == "serve" || cmd.name == "doctor" {
		helpSettings(w)
	}
	if cmd.more != "" {
		fmt.Fprintf(w, "\n%s", cmd.more)
	}
}

// table aligns lines whose columns are separated by tabs.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// wrapped breaks a text into lines of at most width, each with an indent.
func wrapped(text, indent string, width int) string {
	var b strings.Builder
	line := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == 0:
			b.WriteString(indent)
		case line+1+len(word) > width:
			b.WriteString("\n" + indent)
			line = 0
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	return b.String() + "\n"
}
