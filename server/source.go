package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/flows"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/data"
	"sluice/nodes/mail"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/server/endpoint"
)

// Flows are the flows of a folder, which passed every check together.
type Flows struct {
	Dir    string             // "" for those that come with Sluice
	All    []*engine.Flow     // in the order of their files
	Served []*engine.Flow     // those of them that are enabled and in one of the folders to serve
	Nodes  []*engine.NodeFlow // nodes made of flows

	Collections []*data.Collection // of types.yaml
	Warnings    engine.Problems    // what works and is better done otherwise
}

// A source is where flows are loaded from, and what they can use.
type source struct {
	dir     string // "" for the flows that come with Sluice
	fs      fs.FS
	folders []string   // to serve; none for all
	compat  []string   // folders of other systems' clients that are served
	env     engine.Env // but for its Nodes
	nodes   func(*mail.Templates) []*engine.Node
}

// compatible are the folders whose flows are there for the clients of other
// systems, and served only where they are wanted.
var compatible = []string{"altogic", "tenant"}

// newSource finds the flows of a complete configuration. Where it is strict,
// every variable that flows may read must have a value.
func newSource(c *Config, o options, strict bool) (*source, error) {
	s := &source{dir: c.path(c.Flows), folders: c.Folders, compat: c.Compat, env: c.env(o)}
	for _, name := range c.Vars {
		if strict && s.env.Vars[name] == "" {
			return nil, fmt.Errorf("vars names %s, but there is no such environment variable", name)
		}
	}
	var standard Config
	if err := standard.complete(); err != nil {
		return nil, err
	}
	switch info, err := os.Stat(s.dir); {
	case errors.Is(err, fs.ErrNotExist) && c.Flows == standard.Flows:
		s.dir, s.fs = "", flows.FS
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no folder %s to load flows from", s.dir)
	case err != nil:
		return nil, fmt.Errorf("looking for flows: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; flows are loaded from a folder", s.dir)
	default:
		s.fs = os.DirFS(s.dir)
	}
	return s, nil
}

// env is what flows can use, without the nodes.
func (c *Config) env(o options) engine.Env {
	env := engine.Env{
		Session:  engine.TypeOf[session.Session](),
		Request:  engine.TypeOf[endpoint.Facts](),
		APIKey:   engine.TypeOf[apikey.Key](),
		Document: engine.TypeOf[data.Head](),
		Vars:     map[string]string{},
		Timeout:  c.Timeout,
	}
	for _, name := range c.Vars {
		env.Vars[name] = o.getenv(name)
	}
	return env
}

// load compiles the flows. Problems name files as they can be opened from the
// working directory.
func (s *source) load() (Flows, error) {
	templates, problems := mail.ReadTemplates(s.fs)
	env := s.env
	env.Nodes = s.nodes(templates)
	app, err := engine.Load(s.fs, env)
	if found := (engine.Problems{}); errors.As(err, &found) {
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		err = problems
		s.open(problems)
	}
	if err != nil {
		return Flows{}, err
	}
	for _, folder := range s.folders {
		if slices.Contains(compatible, folder) {
			return Flows{}, fmt.Errorf("folders names %s, which the setting compat switches on", folder)
		}
		if !slices.ContainsFunc(app.Flows, func(f *engine.Flow) bool { return below(folder, f) }) {
			return Flows{}, fmt.Errorf("folders names %s, but there is no flow in it", folder)
		}
	}
	for _, system := range s.compat {
		if !slices.ContainsFunc(app.Flows, func(f *engine.Flow) bool { return below(system, f) }) {
			return Flows{}, fmt.Errorf("compat names %s, but there is no folder of flows for its clients", system)
		}
	}
	s.open(app.Warnings)
	loaded := Flows{Dir: s.dir, All: app.Flows, Nodes: app.Nodes, Warnings: app.Warnings}
	for _, c := range app.Collections {
		loaded.Collections = append(loaded.Collections, data.FromEngine(c))
	}
	for _, f := range app.Flows {
		if f.Enabled && s.chosen(f) {
			loaded.Served = append(loaded.Served, f)
		}
	}
	return loaded, nil
}

// chosen tells whether the settings have a flow served.
func (s *source) chosen(f *engine.Flow) bool {
	in := func(folder string) bool { return below(folder, f) }
	if slices.ContainsFunc(compatible, in) {
		return slices.ContainsFunc(s.compat, in)
	}
	return len(s.folders) == 0 || slices.ContainsFunc(s.folders, in)
}

// open names the files of problems as they can be opened from the working directory.
func (s *source) open(problems engine.Problems) {
	if s.dir == "" {
		return
	}
	for i := range problems {
		problems[i].File = filepath.Join(s.dir, filepath.FromSlash(problems[i].File))
	}
}

// below tells whether the file of a flow is in a folder, at any depth.
func below(folder string, f *engine.Flow) bool { return strings.HasPrefix(f.File, folder+"/") }

// Check loads the flows as [New] does, without a store: what it returns can be
// looked at but not run. Where flows have mistakes, the error is engine.Problems.
func Check(c Config, opts ...Option) (Flows, error) {
	if err := c.complete(); err != nil {
		return Flows{}, err
	}
	s, err := newSource(&c, newOptions(opts), false)
	if err != nil {
		return Flows{}, err
	}
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		return Flows{}, fmt.Errorf("setting passwords up: %w", err)
	}
	s.nodes = func(t *mail.Templates) []*engine.Node {
		return append(nodes.Core(nodes.Stores{}, hasher, nodes.Post{Post: mail.Post{Templates: t}}, nodes.Trust{}), newOptions(opts).nodes...)
	}
	return s.load()
}

// Language returns the folder of the flows, which need not be there, and what
// flows can use, to be looked at but not run.
func Language(c Config, opts ...Option) (dir string, env engine.Env, err error) {
	if err := c.complete(); err != nil {
		return "", env, err
	}
	env = c.env(newOptions(opts))
	env.Nodes, err = Nodes(opts...)
	return c.path(c.Flows), env, err
}

// Nodes returns the nodes that flows can use, to be looked at but not run: they
// have no store.
func Nodes(opts ...Option) ([]*engine.Node, error) {
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		return nil, fmt.Errorf("setting passwords up: %w", err)
	}
	return append(nodes.Core(nodes.Stores{}, hasher, nodes.Post{}, nodes.Trust{}), newOptions(opts).nodes...), nil
}
