package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/engine"
	"sluice/server"
	"sluice/server/contract"
)

func lockCommand() command {
	return command{
		name: "lock", args: "[DIR]", most: 1,
		about: "Writes down what the endpoints permit, in " + contract.File + " beside the flows.",
		more: `Commit the file. From then on, sluice check fails where an endpoint permits more
than the file says: where it is new, asks for less of a session, lets in another
group, goes without its API key or its limit, or reads, writes or calls something
new. To accept that, run sluice lock again; the change of the file is what there
is to review.

Examples:

  sluice lock
  sluice lock ./flows
`,
		define: func(*flag.FlagSet) func(context.Context, *call) error {
			return func(_ context.Context, c *call) error { return c.lock() }
		},
	}
}

func (c *call) lock() error {
	flows, err := c.load(c.args)
	if err != nil {
		return err
	}
	if flows.Dir == "" {
		return errors.New("there is no folder flows here to write a lock in")
	}
	now := contracts(flows)
	file := filepath.Join(flows.Dir, contract.File)
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading lock: %w", err)
	}
	text := contract.Lock(now)
	if bytes.Equal(old, text) {
		fmt.Fprintf(c.Stdout, "%s is up to date, %s\n", file, count(len(now), "endpoint"))
		return nil
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing lock: %w", err)
	}
	fmt.Fprintf(c.Stdout, "%s is written, %s\n", file, count(len(now), "endpoint"))
	if before, problems := contract.ParseLock(file, old); old != nil && len(problems) == 0 {
		printChanges(c.Stdout, contract.Permits(before, now))
	}
	return nil
}

// load loads the flows of the folder that is named, or else of the one that
// serve would serve. All of them count, whichever folders are served.
func (c *call) load(dir []string) (server.Flows, error) {
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return server.Flows{}, err
	}
	conf.Folders = nil
	if len(dir) > 0 {
		conf.Flows = dir[0]
	}
	return server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
}

// tops returns what can be said of flows that do not load: what stands above
// their steps. A session that is no longer asked for shall be told as that, and
// not only by the steps that miss it.
func (c *call) tops(dir string) (server.Flows, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, cmp.Or(dir, "flows"))
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return server.Flows{}, nil // they are those that come with Sluice
	}
	_, env, err := server.Language(server.Config{}, c.opts...)
	if err != nil {
		return server.Flows{}, err
	}
	tops, err := engine.Tops(os.DirFS(dir), env)
	return server.Flows{Dir: dir, All: tops}, err
}

// contracts returns the contracts of flows.
func contracts(flows server.Flows) []contract.Contract {
	return contract.Of(&engine.App{Flows: flows.All, Nodes: flows.Nodes})
}

// checkLock compares flows with the lock beside them, where there is one. Of
// flows that do not load, it is about the endpoints that the lock knows. The hints
// name the command that accepts what the flows permit. Tight is false where the
// lock permits more than the flows.
func (c *call) checkLock(flows server.Flows, loaded bool, command string) (problems engine.Problems, tight bool, err error) {
	if flows.Dir == "" {
		return nil, true, nil
	}
	file := filepath.Join(flows.Dir, contract.File)
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("reading lock: %w", err)
	}
	locked, problems := contract.ParseLock(file, data)
	if len(problems) > 0 {
		return problems, true, nil
	}
	now := contracts(flows)
	tight = true
	for _, change := range contract.Permits(locked, now) {
		switch {
		case !change.Wider:
			tight = false
			continue
		case change.What == "endpoint" && !loaded:
			continue
		}
		p := engine.Problem{
			Pos: change.Pos, Message: fmt.Sprintf("%s: %s, which %s does not allow", change.Endpoint, change.Text, contract.File),
			Hint: "run " + command + " if this is meant",
		}
		p.File = filepath.Join(flows.Dir, filepath.FromSlash(p.File))
		problems = append(problems, p)
	}
	return problems, tight, nil
}

// printChanges writes changes below their endpoints. An exclamation mark stands
// in front of those that permit more.
func printChanges(w io.Writer, changes []contract.Change) {
	endpoint := ""
	for _, change := range changes {
		if change.Endpoint != endpoint {
			endpoint = change.Endpoint
			fmt.Fprintln(w, endpoint)
		}
		mark := " "
		if change.Wider {
			mark = "!"
		}
		fmt.Fprintf(w, "  %s %s\n", mark, change.Text)
	}
}
