package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"sluice/engine"
	"sluice/server"
	"sluice/server/admin"
	"sluice/server/control"
	"sluice/server/store"
)

// An action is what one word behind a command such as user does.
type action struct {
	name string
	args int  // how many words it takes behind its name
	make bool // it makes the database where there is none
	run  func(ctx context.Context, c *call, carrier admin.Carrier, args []string) error
}

// act runs the action that the first word names, on the store of the settings.
func (c *call) act(ctx context.Context, command string, set given, actions []action) error {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.name
	}
	if len(c.args) == 0 {
		return misused(fmt.Sprintf("%s wants to know what: %s", command, strings.Join(names, ", ")))
	}
	for _, a := range actions {
		if a.name != c.args[0] {
			continue
		}
		if n := len(c.args) - 1; n != a.args {
			return misused(fmt.Sprintf("%s %s takes %s behind it, not %d", command, a.name, count(a.args, "word"), n))
		}
		conf, problems, err := c.configure(set)
		if err := cmp.Or(err, problems.Err()); err != nil {
			return err
		}
		return c.carried(ctx, conf, a.make, func(carrier admin.Carrier) error { return a.run(ctx, c, carrier, c.args[1:]) })
	}
	return misused(withHint(fmt.Sprintf("%s does not do %q", command, c.args[0]), engine.DidYouMean(c.args[0], names)))
}

// carried runs do with a carrier to the store, and says in plain words why that
// does not go.
func (c *call) carried(ctx context.Context, conf server.Config, make bool, do func(admin.Carrier) error) error {
	carrier, err := server.Admin(ctx, conf, make, c.options()...)
	switch {
	case errors.Is(err, server.ErrNoStore):
		return fmt.Errorf("%w; sluice serve makes it, or sluice user add (or is it elsewhere? see --data)", err)
	case errors.Is(err, control.ErrNobody):
		return fmt.Errorf("another process has the database and does not answer commands; it may be of an older release: stop it, and try again")
	case err != nil:
		return plainly(err, conf)
	}
	return errors.Join(do(carrier), carrier.Close())
}

// options are those of every server, with what the command line knows.
func (c *call) options() []server.Option {
	return append([]server.Option{server.Getenv(c.Getenv), server.Version(version())}, c.opts...)
}

// storeFlags defines the flags of the settings that name a store.
func storeFlags(flags *flag.FlagSet) given {
	g := given{}
	for _, s := range server.Settings() {
		if s.Name == "data" || s.Name == "store" {
			flags.Var(settingFlag{s, g}, s.Name, s.Doc)
		}
	}
	return g
}

// page are the flags of lists.
type page struct {
	after string
	limit int
	json  bool
}

func pageFlags(flags *flag.FlagSet) *page {
	p := &page{}
	flags.StringVar(&p.after, "after", "", "Where a list begins: behind the id that the page before ended with.")
	flags.IntVar(&p.limit, "limit", 100, "Most lines of a list, up to 1000. Default: 100")
	flags.BoolVar(&p.json, "json", false, "Print JSON, a line for each thing.")
	return p
}

// next says where the next page begins, where there is one.
func (p *page) next(c *call, id string) {
	if id != "" {
		fmt.Fprintf(c.Stderr, "There are more: --after %s\n", id)
	}
}

// printLine prints a thing as one line of JSON.
func (c *call) printLine(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}

// shown is a text that somebody else wrote, fit for a terminal and a table.
func shown(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// clock writes a time to the second, in UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// password reads a password from standard input: its first line.
func (c *call) password(given bool) (string, error) {
	if !given {
		return "", misused("the password comes from standard input: give --password-stdin")
	}
	const most = 8 << 10
	text, err := io.ReadAll(io.LimitReader(c.Stdin, most))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("there is no password on standard input")
	}
	return line, nil
}

// ownStore opens the store of a configuration for this command alone.
func (c *call) ownStore(ctx context.Context, conf server.Config) (*store.Store, error) {
	s, err := server.OpenStore(ctx, conf)
	return s, owned(err, conf)
}

// owned says in plain words that a server has a store.
func owned(err error, conf server.Config) error {
	switch {
	case errors.Is(err, store.ErrOwned):
		return errors.New("a server has the database open: stop it first")
	case err != nil:
		return plainly(err, conf)
	}
	return nil
}
