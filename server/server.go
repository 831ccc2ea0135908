// Package server is the one place where all parts meet: a store, the nodes that
// work on it, the flows that use the nodes, and the transport that serves them.
//
//	s, err := server.New(ctx, server.Config{Flows: "flows"}, server.With(role.Require))
//	...
//	err = s.Run(ctx)
//
// [New] opens the store, loads the flows, all of them or none, and takes the
// address to listen on: behind it only the network can fail. [Server.Run]
// serves until its context ends, and loads the flows again when their files
// change. The command of package cli is a thin layer over these two.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/data"
	"sluice/nodes/limit"
	"sluice/nodes/mail"
	"sluice/nodes/password"
	"sluice/server/endpoint"
	"sluice/server/rest"
	"sluice/server/store"
	"sluice/server/studio"
)

const (
	lastCalls = 10 * time.Second // that calls which still run get when the server stops
)

// A Server serves the flows of a folder.
type Server struct {
	options
	conf    Config
	flows   *source
	store   *store.Store
	deps    endpoint.Deps
	rest    *rest.Server
	post    *post
	ln      net.Listener
	control net.Listener // for commands; nil where there is none
	hasher  *password.Hasher
	watch   *watch         // nil where the files of the flows are not watched
	studio  *studio.Studio // nil where it is not served
	again   chan struct{}  // asks for the flows to be loaded again
	now     Flows          // that are served
	keyless bool           // there was no API key at the start
}

// options are what Options change.
type options struct {
	nodes    []*engine.Node // beside the core nodes
	log      *slog.Logger
	getenv   func(string) string
	reloaded func(Reload)
	version  string
}

// An Option adds to a server what is Go code and so no setting.
type Option func(*options)

// With lets flows use nodes beside the core ones.
func With(nodes ...*engine.Node) Option {
	return func(o *options) { o.nodes = append(o.nodes, nodes...) }
}

// Log sends log lines to l instead of the default logger.
func Log(l *slog.Logger) Option { return func(o *options) { o.log = l } }

// Getenv reads environment variables by get instead of os.Getenv.
func Getenv(get func(string) string) Option { return func(o *options) { o.getenv = get } }

// OnReload calls told after each reload of the flows, instead of logging it.
func OnReload(told func(Reload)) Option { return func(o *options) { o.reloaded = told } }

// Version says which Sluice this is, for backups.
func Version(text string) Option { return func(o *options) { o.version = text } }

func newOptions(opts []Option) options {
	o := options{log: slog.Default(), getenv: os.Getenv}
	o.reloaded = func(r Reload) { r.log(o.log) }
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// New makes a server that is ready to run. Where flows have mistakes, the error
// is engine.Problems, with all of them; nothing is left open then.
func New(ctx context.Context, c Config, opts ...Option) (_ *Server, err error) {
	s := &Server{conf: c, options: newOptions(opts), again: make(chan struct{}, 1)}
	if err := s.conf.complete(); err != nil {
		return nil, err
	}
	if s.conf.sameSite() != "" && slices.Contains(s.conf.Origins, "*") {
		return nil, errors.New("session-cookie is set, and origins is *: then every page could act for whoever is signed in; name the pages in origins")
	}
	if s.flows, err = newSource(&s.conf, s.options, true); err != nil {
		return nil, err
	}
	s.hasher, err = password.NewHasher(password.Settings{
		MinLength: s.conf.MinPassword, Wrong: limit.Policy{Account: s.conf.SignInFailures, Address: s.conf.HostFailures},
	})
	if err != nil {
		return nil, fmt.Errorf("setting passwords up: %w", err)
	}
	trust, err := s.conf.trust(s.getenv)
	if err != nil {
		return nil, err
	}
	if s.post, err = newPost(&s.conf, s.log); err != nil {
		return nil, err
	}
	address, err := s.conf.storeURL()
	if err != nil {
		return nil, err
	}
	keys, err := s.conf.SealingKeys()
	if err == nil {
		s.store, err = store.Open(ctx, address, keys...)
	}
	if err != nil {
		s.post.stop(ctx)
		return nil, err
	}
	s.store.Recorder = s.conf.recorder(s.store, s.log)
	defer func() {
		if err != nil {
			s.watch.stop()
			s.post.stop(ctx)
			err = errors.Join(err, s.store.Close())
		}
	}()
	s.flows.nodes = func(t *mail.Templates) []*engine.Node {
		return append(nodes.Core(s.store.Stores, s.hasher, s.post.with(t), trust), s.nodes...)
	}
	s.deps = endpoint.Deps{
		Sessions: s.store.Sessions, Repeats: s.store.Repeats, APIKeys: s.store.Keys, Cookie: s.conf.sameSite(),
		Keys: endpoint.Keys{}, Clients: s.conf.ClientKeys, Limits: s.store.Limits, MaxBody: int(s.conf.MaxBody), Audit: s.store.Recorder,
	}
	for _, k := range s.conf.APIKeys {
		s.deps.Keys[k] = true
	}
	if s.conf.hasStudio() {
		if s.studio, err = s.newStudio(); err != nil {
			return nil, err
		}
		s.deps.Watch = s.studio.Watch
	}
	s.rest = rest.New(rest.Options{
		Logger: s.log, BodyLimit: max(int(s.conf.MaxBody), s.studio.MaxBody()), TrustedProxies: s.conf.TrustedProxies, Origins: s.conf.Origins, Base: s.conf.BasePath, KeyInQuery: s.conf.APIKeyInQuery, Cookie: s.conf.sameSite(),
		Ready: s.store.Ready, Notice: s.conf.Notice,
	})
	if !s.conf.NoWatch && s.flows.dir != "" {
		s.watch = s.follow()
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	found, err := s.store.Keys.List(ctx, "", "", 1)
	if err != nil {
		return nil, fmt.Errorf("looking for API keys: %w", err)
	}
	s.keyless = len(found) == 0 && len(s.conf.APIKeys) == 0
	if s.ln, err = net.Listen("tcp", s.conf.Addr); err != nil {
		return nil, fmt.Errorf("taking the address: %w", err)
	}
	s.listen(address)
	s.post.at(s.ln.Addr().(*net.TCPAddr))
	return s, nil
}

// sameSite is the SameSite of the session's cookie, or "" where there is none.
func (c *Config) sameSite() string {
	return map[string]string{"lax": endpoint.Lax, "strict": endpoint.Strict}[c.SessionCookie]
}

func (c *Config) storeURL() (string, error) {
	if c.Store != "" {
		return c.Store, nil
	}
	dir, err := filepath.Abs(c.path(c.Data)) // a relative one could look like a URL
	if err != nil {
		return "", fmt.Errorf("looking for the data folder: %w", err)
	}
	return dir, nil
}

// load compiles the flows and serves them in place of those before. On an error
// nothing changes.
func (s *Server) load(ctx context.Context) error {
	loaded, err := s.flows.load()
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, loaded.Collections); err != nil {
		return err
	}
	eps := make([]rest.Endpoint, len(loaded.Served))
	for i, f := range loaded.Served {
		eps[i] = endpoint.New(f, s.deps)
	}
	if s.studio != nil {
		eps = append(eps, s.studio.Endpoints()...)
	}
	if err := s.rest.Swap(eps); err != nil {
		return err
	}
	s.now = loaded
	if s.studio != nil {
		s.studio.Loaded(loaded.All, loaded.Served, nil)
	}
	return nil
}

// prepare makes the store ready for the collections, which may take as long as
// it takes to build an index.
func (s *Server) prepare(ctx context.Context, all []*data.Collection) error {
	if len(all) == 0 && len(s.now.Collections) == 0 {
		return nil
	}
	if err := s.store.Data.Prepare(ctx, all); err != nil {
		return fmt.Errorf("making collections ready: %w", err)
	}
	return nil
}

// Run serves until ctx ends, and then stops in order: /readyz says no, calls
// that run are answered, for ten seconds at most, and the store closes. It must
// be called once.
func (s *Server) Run(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	followed, started := make(chan struct{}), len(s.now.Served)
	go func() {
		defer close(followed)
		s.reloadOnChange(following)
	}()
	go paceCollector(following)
	served := make(chan error, 1)
	go func() { served <- s.rest.Serve(s.ln) }()
	commanding, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	commanded := make(chan error, 1)
	go func() { commanded <- s.command(commanding) }()
	audited := make(chan struct{})
	go func() {
		defer close(audited)
		s.keepAudit(following, started)
	}()

	var broken error
	select {
	case <-ctx.Done():
	case broken = <-served:
		served <- nil
	}
	stop()
	<-followed
	<-audited
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.conf.Notice+lastCalls)
	defer cancel()
	err := s.rest.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("calls were cut off, they ran for too long after the stop")
		err = nil
	}
	hangUp()
	err = errors.Join(broken, err, <-served, <-commanded)
	s.post.stop(ending)
	s.flushAudit(ending)
	return errors.Join(err, s.store.Close())
}

// A Summary is what a server has to say of itself when it starts.
type Summary struct {
	Flows
	Addr   *net.TCPAddr // it listens on
	Watch  bool         // the files of the flows are watched
	Studio bool         // it has a studio
	Store  string       // where users and sessions are, without credentials
	Notes  []string     // what its owner should know, in sentences
}

// Summary returns what is true before Run.
func (s *Server) Summary() Summary {
	sum := Summary{Flows: s.now, Addr: s.ln.Addr().(*net.TCPAddr), Watch: s.watch != nil, Studio: s.studio != nil, Store: s.storeName()}
	keyed := slices.IndexFunc(s.now.Served, func(f *engine.Flow) bool { return f.APIKey == engine.KeyRequired })
	if keyed >= 0 && s.keyless {
		sum.Notes = append(sum.Notes, fmt.Sprintf("Nobody can call %s: it wants an API key, and there is none (sluice key add makes one).", s.now.Served[keyed].File))
	}
	switch n := s.conf.MinPassword; {
	case n < 8:
		sum.Notes = append(sum.Notes, fmt.Sprintf("Passwords may have %d characters, which a few days of guessing find. Set min-password to 15, or to 8 beside a second factor, as soon as your users can bear it.", n))
	case n < 15:
		sum.Notes = append(sum.Notes, fmt.Sprintf("Passwords may have %d characters, which is only enough beside a second factor.", n))
	}
	sum.Notes = append(sum.Notes, s.post.notes(s.now.Served)...)
	if !s.store.Audit.Keys().Seal() {
		sum.Notes = append(sum.Notes, "The audit log has no key, so that whoever can write to the database can rewrite it unseen: set audit-keys.")
	}
	return sum
}

// storeName names the store without what must not be shown.
func (s *Server) storeName() string {
	if s.conf.Store == "" {
		return "SQLite in " + s.conf.path(s.conf.Data)
	}
	if u, err := url.Parse(s.conf.Store); err == nil {
		return u.Redacted()
	}
	return "as set"
}
