// Package flowtest runs the tests that stand beside flows: sign-in.test.yaml
// tests sign-in.yaml. Each test is one HTTP request, made in memory, to the
// real endpoint with the real nodes and a store of its own.
//
//   - name: a wrong password says nothing about the account
//     given:
//     users: [{email: ada@example.com, password: a ferry across the river}]
//     send: {body: {email: ada@example.com, password: another ferry}}
//     want: {status: 401, code: invalid_credentials, skipped: [session]}
//
// What a test can say:
//
//	name      what the endpoint promises; unique in the file
//	given     users: {as, email, phone, name, password, disabled, emailVerified, phoneVerified, groups, totp}; as is
//	          the name of the user in this test, and without it the part of the address before
//	          @; totp: a second factor that is active, or enrolled and not confirmed yet
//	          session: the caller's, as the name of a user or {user, groups, proved, by}:
//	          proved is how long ago the user proved who they are, as in 20m, without it
//	          just now; by is the session of who acts as the user
//	          sessions: others, {as, user, groups, proved, by}
//	          codes: that were made before, {as, purpose, user, email, digits, uses, age}; a
//	          code of digits where digits: true, for the user's address unless email says
//	          another one, and as old as age: says
//	          documents: of collections, as in products: [{as: pen, sku: PEN-1}]
//	          env: values of variables that the setting vars names
//	send      body, or raw for what is no JSON; path, query, headers, ip, userAgent.
//	          An API key goes along where the flow wants one. times: how often the request
//	          is made; what is wanted is about the last answer
//	fake      what a step does in the place of its node, by its id, or its node where it has
//	          none, or inside a node flow by both, as in account.greeting/user:
//	          {outcome: NAME}, {out: {...}} (what is missing is made up), {error: TEXT}
//	want      status; code of the first error, or codes; body; headers;
//	          events: what was sent, how many or which {event, id, data};
//	          stored: users, sessions and documents: {COLLECTION: ...} that are there afterwards,
//	          how many or which;
//	          mail: what was sent, how many mails or which: {to, subject, text, html}
//	          ran: the steps whose nodes ran, all of them in order; skipped: steps that did not;
//	          audited: the audit events, all of them in order, each as its kind or as
//	          {kind, actor, subject, outcome, details, ...}
//	each      a list of cases: the test runs for each, with $case.NAME for what the case has
//	same      parts of the answer (status, body, headers, time) that must not differ between
//	          cases:, each with given, send and fake of its own or else those of the test.
//	          Times differ where medians and shortest of {runs: 15} do by more than
//	          {within: 25} percent, and still do after twice as many more; time: changes both
//
// Texts in send and want, and in documents, refer to what is given as $ada.id, $ada.email,
// $ada.name, $ada.totp (the code that the program shows now), $ada.recovery (a recovery
// code), $session.id, $session.token, $session.userId, $link.code of a code that is named
// link, and $pen.id or another field, whole or as {$ada.id} inside a
// text. $$ begins a text that begins with a dollar.
//
// A wanted body is a part: properties that it does not name can be anything,
// unless exact: true stands beside it. In the place of a value can stand
// {is: uuid} (or email, time, text, number, integer, boolean, object, list),
// {matches: REGEXP}, {any: true} and {absent: true}.
//
// Runs also find out which ways out of the steps were taken. [Report.WriteCoverage]
// writes them as
//
//	{"ways": 60, "covered": 58, "flows": [
//	  {"file": "auth/sign-in.yaml", "ways": 12, "covered": 11, "steps": [
//	    {"line": 15, "column": 5, "step": "user", "way": "notFound", "times": 3}]}]}
//
// with every way of every flow, also those that were taken no times.
//
// [Suite.Paths] needs no tests: it walks all ways through a flow with made-up
// nodes, and checks what must hold for every flow.
package flowtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/data"
	"sluice/nodes/mail"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/server/endpoint"
)

const ending = ".test.yaml"

// Settings say how flows are loaded. The zero value is good for the core nodes.
type Settings struct {
	Dir         string         // where the flows are, as file names in what is told begin
	Vars        []string       // variables that flows may read
	Timeout     time.Duration  // of flows that name none; default 30 s
	Nodes       []*engine.Node // beside the core nodes
	MinPassword int            // characters; default 15
	MaxBody     int            // bytes; default 64 KiB
	SQLite      bool           // each test has the embedded store instead of one in memory
}

// A Suite is the flows of a folder with their tests, ready to run. One run at a
// time: the nodes of a suite share one stage.
type Suite struct {
	set    Settings
	fs     fs.FS
	stage  *stage
	app    *engine.App
	apps   map[string]*engine.App // by the values of the variables
	byName map[string]*engine.Node
	files  []*file
	cover  *coverage
	ranMu  sync.Mutex // of the list of steps that ran
}

// A file is one file of tests.
type file struct {
	name  string // as the user can open it
	flow  string // the file of the flow
	tests []*test
}

// Load loads the flows and their tests. Where either has mistakes, the error is
// engine.Problems, with all of them.
func Load(fsys fs.FS, set Settings) (*Suite, error) {
	if set.MaxBody == 0 {
		set.MaxBody = 64 << 10
	}
	hasher, err := password.NewHasher(password.Settings{MinLength: set.MinPassword})
	if err != nil {
		return nil, fmt.Errorf("setting passwords up: %w", err)
	}
	s := &Suite{set: set, fs: fsys, stage: newStage(hasher, set.SQLite), apps: map[string]*engine.App{}, byName: map[string]*engine.Node{}}
	templates, problems := mail.ReadTemplates(fsys)
	if len(problems) > 0 {
		for i := range problems {
			problems[i].File = s.path(problems[i].File)
		}
		return nil, problems
	}
	s.set.Nodes = append(nodes.Core(s.stage.stores(), hasher, s.stage.post(templates), nodes.Trust{}), set.Nodes...)
	if s.app, err = s.load(nil); err != nil {
		return nil, err
	}
	for _, n := range s.set.Nodes {
		s.byName[n.Name] = n
	}
	for _, n := range s.app.Nodes {
		s.byName[n.Name] = n.Node
	}
	s.cover = newCoverage(s.app)
	return s, s.read()
}

// load compiles the flows for some values of variables; those that are not
// given have a value that is easy to know.
func (s *Suite) load(env map[string]string) (*engine.App, error) {
	vars := map[string]string{}
	for _, name := range s.set.Vars {
		vars[name] = engine.SecretSample + " " + name
	}
	maps.Copy(vars, env)
	key := fmt.Sprint(vars) // maps print in the order of their keys
	if app := s.apps[key]; app != nil {
		return app, nil
	}
	app, err := engine.Load(s.fs, engine.Env{
		Nodes: s.set.Nodes, Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[endpoint.Facts](), Document: engine.TypeOf[data.Head](),
		APIKey: engine.TypeOf[apikey.Caller](),
		Vars:   vars, Timeout: s.set.Timeout,
	})
	var problems engine.Problems
	if errors.As(err, &problems) {
		for i := range problems {
			problems[i].File = s.path(problems[i].File)
		}
	}
	if err != nil {
		return nil, err
	}
	s.apps[key] = app
	return app, nil
}

// path is the name of a file as the user can open it.
func (s *Suite) path(file string) string {
	if s.set.Dir == "" {
		return file
	}
	return filepath.Join(s.set.Dir, filepath.FromSlash(file))
}

// read reads all test files.
func (s *Suite) read() error {
	var problems engine.Problems
	err := fs.WalkDir(s.fs, ".", func(name string, d fs.DirEntry, err error) error {
		hidden := name != "." && (d.Name()[0] == '.' || d.Name()[0] == '_')
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden || !strings.HasSuffix(name, ending):
			return nil
		}
		text, err := fs.ReadFile(s.fs, name)
		if err != nil {
			return err
		}
		f, ps := s.readFile(name, text)
		problems = append(problems, ps...)
		s.files = append(s.files, f)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading flow tests: %w", err)
	}
	return sorted(problems).Err()
}

func (s *Suite) readFile(name string, data []byte) (*file, engine.Problems) {
	f := &file{name: s.path(name), flow: strings.TrimSuffix(name, ending) + ".yaml"}
	src := source{file: f.name}
	flow := find(s.app, f.flow)
	if flow == nil {
		why := "the tests of orders.yaml are in orders.test.yaml"
		if slices.ContainsFunc(s.app.Nodes, func(n *engine.NodeFlow) bool { return n.File == f.flow }) {
			why = "a node is tested by the flows that use it"
		}
		start := engine.Pos{File: f.name, Line: 1, Column: 1}
		return f, engine.Problems{{Pos: start, Message: "there is no endpoint in " + s.path(f.flow) + " to test", Hint: why}}
	}
	root := src.parse(data)
	if root == nil {
		return f, src.problems
	}
	r := &reader{src, newSubject(flow, s.byName, s.app, s.set.Vars)}
	f.tests = r.tests(root)
	return f, r.problems
}

// find returns the endpoint of a file, or nil.
func find(app *engine.App, file string) *engine.Flow {
	i := slices.IndexFunc(app.Flows, func(f *engine.Flow) bool { return f.File == file })
	if i < 0 {
		return nil
	}
	return app.Flows[i]
}

// flow returns the flow of a file, with the values of variables that a test gives.
func (s *Suite) flow(f *file, g given) (*engine.Flow, error) {
	app, err := s.load(g.env)
	if err != nil {
		return nil, err
	}
	return find(app, f.flow), nil
}

// once makes the call of a test on an empty stage and hands what came of it to
// look, while the stores are still there.
func (s *Suite) once(ctx context.Context, f *file, t *test, look func(*answer, names) error) (err error) {
	flow, err := s.flow(f, t.given)
	if err != nil {
		return err
	}
	off, err := s.stage.clear(ctx, s.app.Collections)
	if err != nil {
		return fmt.Errorf("opening store: %w", err)
	}
	defer func() { err = errors.Join(err, off()) }()
	ns, token, err := s.stage.set(ctx, t.given)
	if err != nil {
		return err
	}
	a, err := s.call(ctx, flow, t, ns, token)
	if err != nil {
		return err
	}
	return look(a, ns)
}
