package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// Options say what to run.
type Options struct {
	Only  *regexp.Regexp // of the names of tests, with the file in front: auth/me.test.yaml: a caller ...; nil for all
	Short bool           // compare no times
	Done  func(File)     // is told each file when its tests have run; may be nil
}

// A Report is what came of a run.
type Report struct {
	Files []File
	Flows []Covered // ways that were taken, by flow
	Took  time.Duration
}

// A File is what came of the tests of one file.
type File struct {
	Name  string // as the user can open it
	Tests []Result
	Took  time.Duration
}

// A Result is what came of one test.
type Result struct {
	Pos   engine.Pos
	Name  string
	Fails []Fail // none where the test passed
	Took  time.Duration
}

// A Fail is an expectation that was not met.
type Fail struct {
	Pos  engine.Pos
	What string // what was got, and what was wanted
}

func (f Fail) String() string { return f.Pos.String() + ": " + f.What }

// Counts returns how many tests passed and failed.
func (r *Report) Counts() (passed, failed int) {
	for _, f := range r.Files {
		bad := f.Failed()
		passed += len(f.Tests) - bad
		failed += bad
	}
	return passed, failed
}

// Failed returns how many tests of the file failed.
func (f File) Failed() int {
	n := 0
	for _, t := range f.Tests {
		if len(t.Fails) > 0 {
			n++
		}
	}
	return n
}

// Run runs the tests. An error is something broken that is no test's fault.
func (s *Suite) Run(ctx context.Context, o Options) (*Report, error) {
	began := time.Now()
	s.cover = newCoverage(s.app)
	report := &Report{}
	for _, f := range s.files {
		done := File{Name: f.name}
		start := time.Now()
		for _, t := range f.tests {
			if o.Only != nil && !o.Only.MatchString(f.name+": "+t.name) {
				continue
			}
			done.Tests = append(done.Tests, s.run(ctx, f, t, o))
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("running flow tests: %w", err)
			}
		}
		done.Took = time.Since(start)
		if len(done.Tests) == 0 && len(f.tests) > 0 {
			continue // none of them was asked for
		}
		report.Files = append(report.Files, done)
		if o.Done != nil {
			o.Done(done)
		}
	}
	report.Flows = s.cover.flows(s)
	report.Took = time.Since(began)
	return report, nil
}

// run runs one test.
func (s *Suite) run(ctx context.Context, f *file, t *test, o Options) (r Result) {
	r = Result{Pos: t.pos, Name: t.name}
	began := time.Now()
	defer func() { r.Took = time.Since(began) }()
	fail := func(at engine.Pos, format string, args ...any) {
		r.Fails = append(r.Fails, Fail{at, fmt.Sprintf(format, args...)})
	}
	if t.same != nil {
		s.compare(ctx, f, t, o, fail)
		return r
	}
	err := s.once(ctx, f, t, func(a *answer, ns names) error { return s.check(ctx, t, a, ns, f.name, fail) })
	if err != nil {
		fail(t.pos, "the test cannot run: %v", err)
	}
	return r
}

// check compares an answer with what is wanted.
func (s *Suite) check(ctx context.Context, t *test, a *answer, ns names, file string, fail func(engine.Pos, string, ...any)) error {
	w := t.want
	at := func(n *yaml.Node) engine.Pos { return engine.Pos{File: file, Line: n.Line, Column: n.Column} }
	m := &match{file: file, names: ns, differ: fail}
	if w.status != nil && w.status.Value != fmt.Sprint(a.status) {
		fail(at(w.status), "status = %d, want %s%s", a.status, w.status.Value, a.reason())
	}
	if w.codes != nil {
		checkCodes(at(w.codes), w, a.codes(), fail)
	}
	if w.body != nil {
		body := *m
		body.exact = w.exact
		body.value(w.body, a.json(), "body")
	}
	if w.events != nil {
		m.counted(w.events, a.shownEvents(), "events were sent", "events")
	}
	for _, h := range w.headers {
		wanted := *h.value
		if wanted.Kind == yaml.ScalarNode {
			wanted.Tag = "!!str" // 7 as well as "7"
		}
		m.value(&wanted, a.header(h.key.Value), "header "+h.key.Value)
	}
	if w.ran != nil {
		if got, want := strings.Join(a.ran, ", "), strings.Join(texts(w.ran), ", "); got != want {
			fail(at(w.ran), "ran = [%s], want [%s]", got, want)
		}
	}
	if w.skipped != nil {
		for _, name := range texts(w.skipped) {
			if slices.Contains(a.ran, name) {
				fail(at(w.skipped), "%s ran, want it skipped", name)
			}
		}
	}
	if w.mail != nil {
		shown, err := s.stage.mailbox.shown()
		if err != nil {
			return err
		}
		m.counted(w.mail, shown, "mails were sent", "mails")
	}
	if err := s.checkAudited(ctx, w, m); err != nil {
		return err
	}
	if err := s.checkDocuments(ctx, w, m); err != nil || w.users == nil && w.sessions == nil {
		return err
	}
	return s.checkStored(ctx, w, m)
}

// reason says what is known of why an answer is not the one wanted.
func (a *answer) reason() string {
	switch {
	case a.cause != "":
		return " (" + short(a.cause) + ")"
	case len(a.body) > 0 && a.status >= 300:
		return " (the answer is " + short(string(a.body)) + ")"
	}
	return ""
}

func checkCodes(at engine.Pos, w *want, got []string, fail func(engine.Pos, string, ...any)) {
	want := texts(w.codes)
	what := "codes"
	if w.oneCode {
		what, got = "code", got[:min(1, len(got))]
	}
	if !slices.Equal(got, want) {
		fail(at, "%s = %s, want %s", what, orNone(got), orNone(want))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// texts are the texts of a list, or of one text.
func texts(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	list := make([]string, len(n.Content))
	for i, c := range n.Content {
		list[i] = c.Value
	}
	return list
}

func (s *Suite) checkStored(ctx context.Context, w *want, m *match) error {
	users, sessions, err := s.stage.stored(ctx)
	if err != nil {
		return err
	}
	if w.users != nil {
		shown := make([]any, len(users))
		for i, u := range users {
			if shown[i], err = plain(u); err != nil {
				return err
			}
			if w.users.Kind != yaml.SequenceNode || i >= len(w.users.Content) {
				continue
			}
			// The hash is nothing to compare with, so the password is tried.
			if j := keyIndex(w.users.Content[i], "password"); j >= 0 {
				text := m.names.expand(w.users.Content[i].Content[j+1].Value)
				switch ok, err := s.stage.hasPassword(ctx, u.ID, text); {
				case err != nil:
					return err
				case ok:
					shown[i].(map[string]any)["password"] = text
				default:
					shown[i].(map[string]any)["password"] = "another one"
				}
			}
		}
		m.counted(w.users, shown, "users are stored", "stored users")
	}
	if w.sessions != nil {
		shown := make([]any, len(sessions))
		for i, one := range sessions {
			if shown[i], err = plain(one); err != nil {
				return err
			}
		}
		m.counted(w.sessions, shown, "sessions are stored", "stored sessions")
	}
	return nil
}

// counted compares a list with a number or a list; counts is what is said of its
// length.
func (m *match) counted(n *yaml.Node, got []any, counts, what string) {
	if n.Kind == yaml.ScalarNode {
		if n.Value != fmt.Sprint(len(got)) {
			m.differ(engine.Pos{File: m.file, Line: n.Line, Column: n.Column}, "%d %s, want %s", len(got), counts, n.Value)
		}
		return
	}
	m.value(n, got, what)
}

// plain is a value as answers would have it.
func plain(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("showing what is stored: %w", err)
	}
	return (&answer{body: text}).json(), nil
}
