package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server"
	"sluice/server/contract"
	"sluice/server/schema"
)

func newCommand() command {
	return command{
		name: "new", args: "app DIR | flow NAME | node NAME", most: 2,
		about: "Makes a new application, flow or node, ready to be changed.",
		more: `An app is a folder with flows, a test, settings and the main of a binary with nodes
of its own. A flow comes with a test, in the folder that serve would serve; its name
is its file, as in orders/list. A node comes as Go code with a test, in a folder of
its family. Nothing that is there is written over.

Examples:

  sluice new app shop --auth
  sluice new flow orders/get --endpoint 'GET /orders/{id}'
  sluice new node stock.reserve
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			endpoint := flags.String("endpoint", "", "Method and path of a flow, as in 'POST /orders'. Default: GET and the name of the flow.")
			session := flags.String("session", "required", "Whether the callers of a flow need a session: required, optional or none. Default: required")
			auth := flags.Bool("auth", false, "Give an app the flows that sign users up, in and out.")
			return func(_ context.Context, c *call) error {
				if len(c.args) < 2 {
					return misused("new wants to know what: app DIR, flow NAME or node NAME")
				}
				switch kind, name := c.args[0], c.args[1]; kind {
				case "app":
					return c.newApp(name, *auth)
				case "flow":
					return c.newFlow(name, *endpoint, *session)
				case "node":
					return c.newNode(name)
				default:
					return misused(withHint(fmt.Sprintf("new does not make %q", kind), engine.DidYouMean(kind, []string{"app", "flow", "node"})))
				}
			}
		},
	}
}

// A made file is one that new writes.
type made struct {
	name string // slash-separated, from the folder it is made in
	text string
}

// place writes files that are not there yet: all of them, or none.
func (c *call) place(dir string, files []made) error {
	path := func(f made) string { return filepath.Join(dir, filepath.FromSlash(f.name)) }
	for _, f := range files {
		switch _, err := os.Lstat(path(f)); {
		case err == nil:
			return fmt.Errorf("%s is there already, and nothing was written", path(f))
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("looking for files: %w", err)
		}
	}
	for i, f := range files {
		if err := c.put(path(f), f.text); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(path(written)))
			}
			return err
		}
	}
	return nil
}

// tellPlaced lists files that were written.
func (c *call) tellPlaced(dir string, files []made) {
	for _, f := range files {
		fmt.Fprintln(c.Stdout, "made", filepath.Join(dir, filepath.FromSlash(f.name)))
	}
}

func (c *call) newApp(name string, auth bool) error {
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, dir)
	}
	whole, err := filepath.Abs(dir) // so that new app . has a name
	if err != nil {
		return fmt.Errorf("looking for the folder: %w", err)
	}
	nodes, err := server.Nodes(c.opts...)
	if err != nil {
		return err
	}
	described, err := schema.Flows(nodes)
	if err != nil {
		return err
	}
	files := []made{
		{".gitignore", "/data/\n/" + filepath.Base(whole) + "\n"},
		{"sluice.yaml", settingsFile()},
		{"main.go", strings.ReplaceAll(appMain, "NAME", filepath.Base(whole))},
		{"flows/schema.json", string(described)},
		{"flows/hello.yaml", helloFlow},
		{"flows/hello.test.yaml", helloTest},
	}
	if auth {
		shipped, err := authFlows()
		if err != nil {
			return err
		}
		files = append(files, shipped...)
	} else {
		files = append(files, made{"flows/errors.yaml", errorsFile})
	}
	if err := c.place(dir, files); err != nil {
		return err
	}
	c.tellPlaced(dir, files)
	fmt.Fprintf(c.Stdout, "\nNow:\n\n  cd %s\n  sluice test\n  sluice serve\n  curl 'http://127.0.0.1:8080/hello?name=Ada'\n", dir)
	return nil
}

// settingsFile is a sluice.yaml that says what there is to set, and sets nothing.
func settingsFile() string {
	var b strings.Builder
	b.WriteString("# Settings of the server. What stands here as a comment is not set, and shows the default\n# or an example. Flags and environment variables come before this file.\n")
	for _, s := range server.Settings() {
		fmt.Fprintf(&b, "\n%s# %s: %s\n", wrapped(s.Doc, "# ", 90), s.Name, settingSample(s))
	}
	return b.String()
}

// settingSample is a value that can stand in the file.
func settingSample(s server.Setting) string {
	value := s.Default
	if sample, ok := map[string]string{
		"folders": "auth", "store": "/var/lib/sluice", "vars": "SHOP_TOKEN", "origins": "https://app.example.com", "trusted-proxies": "10.0.0.0/8",
		"api-key-hashes": strings.Repeat("0", 64), "secret-key": strings.Repeat("0", 64),
		"mail-url": "smtps://user:password@mail.example.com", "sms-url": "https://texts.example.com/send", "sms-secret": "what-the-webhook-knows", "mail-from": "Shop <shop@example.com>", "app-url": "https://app.example.com", "studio-group": "owners",
		"compat": "altogic", "server-url": "https://api.example.com", "base-path": "/e:abc", "client-keys": "5f0b63",
	}[s.Name]; ok {
		value = sample
	}
	if s.List {
		return "[" + value + "]"
	}
	return value
}

func (c *call) newFlow(name, endpoint, session string) error {
	name = strings.TrimSuffix(filepath.ToSlash(name), ".yaml")
	if !filepath.IsLocal(filepath.FromSlash(name)) || !flowName.MatchString(name) {
		return misused(fmt.Sprintf("%q cannot name a flow; use letters, digits, - and _, with / between folders", name))
	}
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return err
	}
	below := cmp.Or(conf.Flows, "flows")
	dir := below
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, dir)
	}
	_, err = os.Stat(dir)
	first := errors.Is(err, fs.ErrNotExist)
	flow := newFlow{name: name, endpoint: cmp.Or(endpoint, "GET /"+name), session: session}
	if _, err := os.Stat(filepath.Join(dir, "schema.json")); err == nil {
		flow.schema = strings.Repeat("../", strings.Count(name, "/")) + "schema.json"
	}
	files := []made{{name + ".yaml", flow.text()}, {name + ".test.yaml", flow.test()}}
	if err := c.place(dir, files); err != nil {
		return err
	}
	if err := c.sound(conf, filepath.Join(dir, filepath.FromSlash(files[0].name))); err != nil {
		for _, f := range files {
			err = errors.Join(err, os.Remove(filepath.Join(dir, filepath.FromSlash(f.name))))
		}
		return err
	}
	c.tellPlaced(dir, files)
	if _, err := os.Stat(filepath.Join(dir, contract.File)); err == nil {
		fmt.Fprintf(c.Stdout, "%s does not allow it yet: sluice lock does, once it is what you want.\n", contract.File)
	}
	if first {
		fmt.Fprintf(c.Stdout, "The flows that come with Sluice are not served any more, now that there is a folder %s.\n", below)
	}
	return nil
}

// sound checks the flows and returns the problems of a file among them.
func (c *call) sound(conf server.Config, file string) error {
	_, err := server.Check(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
	var problems engine.Problems
	if !errors.As(err, &problems) {
		return err
	}
	return slices.DeleteFunc(problems, func(p engine.Problem) bool { return p.File != file }).Err()
}
