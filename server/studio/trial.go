package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/endpoint"
	"sluice/server/flowtest"
	"sluice/server/flowtext"
	"sluice/server/lsp"
)

// Keep asks to write a run down as a test beside the flow.
type Keep struct {
	Run  string `json:"run"`  // id
	Name string `json:"name"` // what the endpoint promises
	Fake bool   `json:"fake"` // steps that work on a store do what they did, in place of their nodes
}

// Kept is the test that was made.
type Kept struct {
	File    string     `json:"file"`    // NAME.test.yaml
	Test    string     `json:"test"`    // the text of the test
	Text    string     `json:"text"`    // of the whole file
	Written bool       `json:"written"` // it passes, and stands in the file
	Result  TestResult `json:"result"`  // of running it
}

// A TestRun asks to run the tests of flows.
type TestRun struct {
	File string `json:"file"` // of a flow, for its tests only; "" for all
	Name string `json:"name"` // of one test; "" for all
}

// A TestReport is what came of running tests.
type TestReport struct {
	Passed  int           `json:"passed"`
	Failed  int           `json:"failed"`
	Ways    int           `json:"ways"`
	Covered int           `json:"covered"`
	Took    float64       `json:"took"` // milliseconds
	Files   []TestFile    `json:"files"`
	Flows   []FlowCovered `json:"flows"`
}

// A TestFile is what came of one file of tests.
type TestFile struct {
	File  string       `json:"file"` // of the tests
	Flow  string       `json:"flow"` // that they test
	Took  float64      `json:"took"`
	Tests []TestResult `json:"tests"`
}

// A TestResult is what came of one test.
type TestResult struct {
	Name  string     `json:"name"`
	Line  int        `json:"line"`
	Took  float64    `json:"took"`
	Fails []TestFail `json:"fails"` // none where it passed
}

// A TestFail is an expectation that was not met.
type TestFail struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
}

// FlowCovered tells which ways of a flow tests took.
type FlowCovered struct {
	File    string       `json:"file"`
	Ways    int          `json:"ways"`
	Covered int          `json:"covered"`
	Steps   []WayCovered `json:"steps"`
}

// A WayCovered is a way out of a step.
type WayCovered struct {
	Place string `json:"place"`
	Way   string `json:"way"`
	Times int    `json:"times"`
}

const testEnding = ".test.yaml"

func testFileOf(flow string) string { return strings.TrimSuffix(flow, ".yaml") + testEnding }

// test runs tests, and tells each file when it is done.
func (s *Studio) test(ctx context.Context, r *endpoint.Request) (any, error) {
	in, err := asked[TestRun](r)
	if err != nil {
		return nil, err
	}
	if !s.testing.TryLock() {
		return nil, engine.Fail(engine.Conflict, "busy", "Tests are running already.")
	}
	defer s.testing.Unlock()
	suite, err := s.Tests(s.Files)
	if err != nil {
		return nil, err
	}
	var lost error // that the page went away
	o := flowtest.Options{Only: onlyTests(in), Done: func(f flowtest.File) {
		if lost == nil {
			lost = sendEvent(ctx, r, "file", testFile(f))
		}
	}}
	done, err := suite.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	report := s.reportOf(done)
	if in == (TestRun{}) {
		s.mu.Lock()
		s.report = &report
		s.mu.Unlock()
	}
	return nil, errors.Join(lost, sendEvent(ctx, r, "report", report))
}

// onlyTests matches the tests that are asked for; nil for all.
func onlyTests(in TestRun) *regexp.Regexp {
	if in == (TestRun{}) {
		return nil
	}
	file, name := ".*", ".*"
	if in.File != "" {
		file = regexp.QuoteMeta(testFileOf(in.File))
	}
	if in.Name != "" {
		name = regexp.QuoteMeta(in.Name)
	}
	return regexp.MustCompile("(?s)^" + file + ": " + name + "$")
}

func testFile(f flowtest.File) TestFile {
	out := TestFile{File: f.Name, Flow: strings.TrimSuffix(f.Name, testEnding) + ".yaml", Took: millis(f.Took)}
	for _, t := range f.Tests {
		out.Tests = append(out.Tests, testResult(t))
	}
	return out
}

func testResult(t flowtest.Result) TestResult {
	out := TestResult{Name: t.Name, Line: t.Pos.Line, Took: millis(t.Took)}
	for _, f := range t.Fails {
		out.Fails = append(out.Fails, TestFail{f.Pos.Line, f.Pos.Column, f.What})
	}
	return out
}

// reportOf tells a whole run, with the ways at their steps.
func (s *Studio) reportOf(done *flowtest.Report) TestReport {
	r := TestReport{Took: millis(done.Took)}
	r.Passed, r.Failed = done.Counts()
	r.Ways, r.Covered = done.Ways()
	for _, f := range done.Files {
		r.Files = append(r.Files, testFile(f))
	}
	for _, f := range done.Flows {
		covered := FlowCovered{File: f.File, Ways: f.All, Covered: f.Done}
		p := s.placesOf(f.File)
		for _, w := range f.Ways {
			place := ""
			if p != nil {
				place = bare(p.step(engine.Pos{Line: w.Line, Column: w.Column}))
			}
			covered.Steps = append(covered.Steps, WayCovered{place, w.Name, w.Times})
		}
		r.Flows = append(r.Flows, covered)
	}
	return r
}

func (s *Studio) lastTests(context.Context) (TestReport, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report == nil {
		return TestReport{}, engine.Fail(engine.NotFound, "no_report", "The tests were not run yet.")
	}
	return *s.report, nil
}

// keep writes a run down as a test. One that does not pass is shown and not written.
func (s *Studio) keep(ctx context.Context, in Keep) (Kept, error) {
	run := s.runs.get(in.Run)
	switch {
	case run == nil:
		return Kept{}, missing("The run is not remembered any more.")
	case run.trace.Answer == nil:
		return Kept{}, refused("no_answer", "The run stopped before it answered, so there is nothing to want of it.")
	case strings.TrimSpace(in.Name) == "":
		return Kept{}, refused("bad_input", "A test needs a name: what the endpoint promises.")
	}
	out := Kept{File: testFileOf(run.run.File)}
	var err error
	if out.Test, err = testOf(run, in); err != nil {
		return Kept{}, err
	}
	before, rev, err := s.disk(out.File)
	if err != nil {
		return Kept{}, err
	}
	out.Text = out.Test
	if strings.TrimSpace(before) != "" {
		out.Text = strings.TrimRight(before, "\n") + "\n\n" + out.Test
	}
	if !s.testing.TryLock() {
		return Kept{}, engine.Fail(engine.Conflict, "busy", "Tests are running already.")
	}
	defer s.testing.Unlock()
	files := map[string]string{out.File: out.Text}
	if run.run.Text != nil {
		files[run.run.File] = *run.run.Text
	}
	suite, err := s.Tests(lsp.Unsaved(s.Files, files))
	if err != nil {
		return Kept{}, err
	}
	done, err := suite.Run(ctx, flowtest.Options{Only: onlyTests(TestRun{run.run.File, in.Name})})
	if err != nil {
		return Kept{}, err
	}
	for _, f := range done.Files {
		for _, t := range f.Tests {
			out.Result = testResult(t)
		}
	}
	if len(out.Result.Fails) > 0 {
		return out, nil
	}
	_, err = s.change(out.File, rev, func(root *os.Root) error { return write(root, out.File, out.Text) })
	out.Written = err == nil
	return out, err
}

// testOf is a run as the text of a test.
func testOf(run *recording, in Keep) (string, error) {
	var b strings.Builder
	line := func(key string, v any) error {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("writing the test: %w", err)
		}
		n, err := flowtext.FromJSON(text)
		if err == nil {
			b.WriteString(strings.Join(flowtext.Entry(key, n, 2), "\n") + "\n")
		}
		return err
	}
	fmt.Fprintf(&b, "- name: %s\n", flowtext.Inline(flowtext.Word(strings.TrimSpace(in.Name))))
	var errs []error
	if who := run.run.Session; who != nil && run.flow.Session != engine.SessionNone {
		caller := map[string]any{"user": "ada"}
		if len(who.Groups) > 0 {
			caller["groups"] = who.Groups
		}
		errs = append(errs, line("given", map[string]any{"users": []any{map[string]any{"email": "ada@example.com"}}, "session": caller}))
	}
	if send := sent(run.run.Input); len(send) > 0 {
		errs = append(errs, line("send", send))
	}
	if fakes := fakesOf(run, in.Fake); len(fakes) > 0 {
		errs = append(errs, line("fake", fakes))
	}
	a := run.trace.Answer
	want := struct {
		Status int    `json:"status"`
		Code   string `json:"code,omitempty"`
		Body   any    `json:"body,omitempty"`
	}{Status: a.Status, Code: a.Code}
	var body any
	if a.Code == "" && a.Type == "" && json.Unmarshal(a.Body, &body) == nil && body != nil {
		want.Body = wanted(body)
	}
	errs = append(errs, line("want", want))
	return b.String(), errors.Join(errs...)
}

// sent is the request of a run as tests have it.
func sent(in Input) map[string]any {
	send := map[string]any{}
	var body any
	if len(in.Body) > 0 && json.Unmarshal(in.Body, &body) == nil && body != nil {
		send["body"] = dollars(body)
	}
	if len(in.Path) > 0 {
		send["path"] = in.Path
	}
	if len(in.Query) > 0 {
		send["query"] = in.Query
	}
	if len(in.Headers) > 0 {
		send["headers"] = in.Headers
	}
	return send
}

// fakesOf are what steps did: those that were faked, and with all those that work on a store.
func fakesOf(run *recording, all bool) map[string]any {
	fakes := map[string]any{}
	for place, calls := range run.calls {
		c := calls[0]
		told, faked := run.run.Fakes[place]
		works := c.Node != nil && len(c.Node.Touches.Reads)+len(c.Node.Touches.Writes)+len(c.Node.Touches.Calls) > 0
		if !faked && !(all && works) {
			continue
		}
		var out any
		switch {
		case c.Outcome == "error":
			fakes[c.Step] = map[string]any{"error": "It broke."}
		case c.Outcome != "":
			fakes[c.Step] = map[string]any{"outcome": c.Outcome}
		case len(told.Out) > 0 && json.Unmarshal(told.Out, &out) == nil && out != nil:
			fakes[c.Step] = map[string]any{"out": out}
		case json.Unmarshal(c.Out, &out) == nil:
			fakes[c.Step] = map[string]any{"out": unmasked(out)}
		}
	}
	return fakes
}

// masked is what stands for a secret in a trace, which a test makes up instead.
const masked = "•••"

// unmasked is a value without what is masked in it.
func unmasked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			if inner != masked {
				out[k] = unmasked(inner)
			}
		}
		return out
	case []any:
		return slices.DeleteFunc(v, func(inner any) bool { return inner == masked })
	}
	return v
}

var (
	uuidText = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	madeText = regexp.MustCompile(`^(sls|slk)_`)
)

// wanted is a value of an answer as a test wants it: what differs each time only by
// its form.
func wanted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			if k != "ip" && k != "userAgent" { // which say who called
				out[k] = wanted(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = wanted(inner)
		}
		return out
	case string:
		switch {
		case uuidText.MatchString(v):
			return map[string]any{"is": "uuid"}
		case timeText.MatchString(v):
			return map[string]any{"is": "time"}
		case madeText.MatchString(v):
			return map[string]any{"is": "text"}
		}
	}
	return dollars(v)
}

// dollars are values of which no text is a reference.
func dollars(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			out[k] = dollars(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = dollars(inner)
		}
		return out
	case string:
		if strings.HasPrefix(v, "$") {
			return "$" + v
		}
	}
	return v
}
