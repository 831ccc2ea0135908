// Package cli is the sluice command: it reads flags and settings, calls the
// packages that do the work, and says in plain words what came of it.
//
// It exits with 0 where all is well, 1 where something failed or flows have
// problems, and 2 where it was called in a way that it does not know.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"sluice/engine"
	"sluice/server"
)

// Exit codes.
const (
	ok     = 0
	failed = 1
	misuse = 2
)

// Env is what a command sees of the world around it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Dir            string // where relative paths begin; empty for the working directory
}

// Run is the main of a server with nodes of your own. It does not return.
//
//	func main() { cli.Run(server.With(role.Require)) }
func Run(opts ...server.Option) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(Main(ctx, Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}, os.Args[1:], opts...))
}

// A command is what one word after sluice does.
type command struct {
	name  string
	args  string // as its usage has them, "" for none
	most  int    // arguments; -1 for any number
	about string // one sentence
	more  string // what else its help says
	// define defines the flags of the command and returns what runs once they
	// are read.
	define func(*flag.FlagSet) func(context.Context, *call) error
}

// A call is a command as it was called.
type call struct {
	Env
	args []string // beside the flags
	opts []server.Option
}

func commands() []command {
	return []command{
		serveCommand(), checkCommand(), lockCommand(), diffCommand(), testCommand(), routesCommand(), nodesCommand(),
		fmtCommand(), graphCommand(), schemaCommand(), openapiCommand(), newCommand(), lspCommand(),
		userCommand(), sessionCommand(), keyCommand(), auditCommand(), backupCommand(), restoreCommand(), migrateCommand(), doctorCommand(), versionCommand(), helpCommand(),
	}
}

// A misused error is a call that is not understood.
type misused string

func (m misused) Error() string { return string(m) }

// errTold is a failure of which the user has been told all there is to say.
var errTold = errors.New("told before")

// Main runs one command line and returns its exit code.
func Main(ctx context.Context, env Env, args []string, opts ...server.Option) int {
	if len(args) == 0 {
		overview(env.Stderr)
		return misuse
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	cmd, err := find(name)
	if err == nil {
		err = cmd.run(ctx, &call{Env: env, opts: opts}, args[1:])
	}
	var m misused
	switch {
	case err == nil:
		return ok
	case errors.As(err, &m):
		where := "sluice help"
		if cmd != nil && cmd.name != "help" {
			where += " " + cmd.name
		}
		fmt.Fprintf(env.Stderr, "sluice: %v\n%s says more.\n", err, where)
		return misuse
	case !errors.Is(err, errTold):
		explain(env.Stderr, err)
	}
	return failed
}

// explain prints an error: problems as lines that editors can jump to, anything
// else with the name of the program in front.
func explain(w io.Writer, err error) {
	var problems engine.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(w, err)
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(w, "sluice: %s\n", strings.TrimSuffix(line, "\n"))
	}
}

func find(name string) (*command, error) {
	all := commands()
	names := make([]string, len(all))
	for i, c := range all {
		if c.name == name {
			return &c, nil
		}
		names[i] = c.name
	}
	return nil, misused(withHint(fmt.Sprintf("there is no command %q", name), engine.DidYouMean(name, names)))
}

// withHint puts a hint in parentheses behind a sentence.
func withHint(sentence, hint string) string {
	if hint == "" {
		return sentence
	}
	return sentence + " (" + hint + ")"
}

// run reads the flags, which may stand between and behind the arguments, and
// runs the command.
func (cmd *command) run(ctx context.Context, c *call, args []string) error {
	flags := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	do := cmd.define(flags)
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			cmd.help(c.Stdout)
			return nil
		case err != nil:
			return flagError(flags, err)
		}
		rest := flags.Args()
		if n := len(args) - len(rest); len(rest) == 0 || n > 0 && args[n-1] == "--" {
			c.args = append(c.args, rest...)
			break
		}
		c.args = append(c.args, rest[0])
		args = rest[1:]
	}
	if cmd.most >= 0 && len(c.args) > cmd.most {
		return misused(fmt.Sprintf("%s does not take %q", cmd.name, c.args[cmd.most]))
	}
	return do(ctx, c)
}

// flagError says what is wrong with a flag in our own words, where package flag
// has no good ones.
func flagError(flags *flag.FlagSet, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return misused(err.Error())
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	hint := engine.DidYouMean(name, known)
	if best, ok := strings.CutPrefix(hint, "did you mean "); ok {
		hint = "did you mean --" + best
	}
	return misused(withHint("there is no flag --"+name, hint))
}
