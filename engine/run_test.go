package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"sluice/engine"
)

// load compiles one flow; the file name and errors.yaml are those of the tests.
func load(t testing.TB, flow string, more ...txtar.File) *engine.Flow {
	t.Helper()
	return loadWith(t, testEnv(), flow, more...)
}

func loadWith(t testing.TB, env engine.Env, flow string, more ...txtar.File) *engine.Flow {
	t.Helper()
	files := fstest.MapFS{
		"flow.yaml":   {Data: []byte(flow)},
		"errors.yaml": {Data: []byte("sold_out: {status: 409, message: There are none left.}\nnotFound: {status: 410, message: Gone.}\n")},
	}
	for _, f := range more {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	app, err := engine.Load(files, env)
	if err != nil {
		t.Fatal(err)
	}
	return app.Flows[0]
}

// call runs a flow with a JSON body, and a query of one text a name, and prints what came of it.
func call(t testing.TB, f *engine.Flow, body, query string, withSession bool) string {
	t.Helper()
	in := engine.Inputs{Request: engine.ValueOf(&requestFacts{IP: "10.0.0.7"})}
	if withSession {
		in.Session = engine.ValueOf(&sess{ID: "s9", UserID: proven{"u9"}, Token: "t9"})
	}
	var faults, more []engine.Fault
	if f.Input.Body != nil {
		in.Body, faults = f.Input.Body.ReadJSON([]byte(body), "body")
	}
	if f.Input.Query != nil {
		texts := map[string][]string{}
		for _, pair := range strings.Fields(query) {
			name, value, _ := strings.Cut(pair, "=")
			texts[name] = append(texts[name], value)
		}
		in.Query, more = f.Input.Query.ReadTexts("query", func(name string) []string { return texts[name] })
	}
	if faults = append(faults, more...); len(faults) > 0 {
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = f.Message
		}
		return strings.Join(lines, "\n")
	}
	sent := ""
	in.Send = func(_ context.Context, e engine.Event) error {
		sent += fmt.Sprintf("%s %q %s\n", e.Name, e.ID, e.Data)
		return nil
	}
	a, err := f.Program.Run(t.Context(), in)
	if err != nil {
		var e *engine.Error
		if !errors.As(err, &e) {
			t.Fatalf("Run = %v, want an *engine.Error", err)
		}
		out := sent + fmt.Sprintf("%v %d", e.Kind, e.Status)
		for _, it := range e.Items {
			out += fmt.Sprintf(" %s %q %s", it.Code, it.Message, it.Details)
		}
		log, _, _ := strings.Cut(e.Error(), "\ngoroutine")
		return out + "\nlog: " + log
	}
	out := sent + fmt.Sprint(a.Status)
	for _, h := range a.Headers {
		out += fmt.Sprintf("\n%s: %s", h.Name, h.Value)
	}
	if a.Type != "" {
		return out + "\n" + a.Type + fmt.Sprintf("\n%q", a.Body)
	}
	if a.Body != nil {
		out += "\n" + string(a.Body)
	}
	return out
}

// TestRuns keeps the promise that a flow that loads does what it says: each
// archive below testdata/runs holds a flow, and calls with their exact answers.
// A call is a line "body QUERY", where body is JSON or -, in a file whose name ends in .call.
func TestRuns(t *testing.T) {
	archives, err := filepath.Glob("testdata/runs/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("found %d archives (%v)", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var more []txtar.File
			for _, file := range a.Files[1:] {
				if strings.HasSuffix(file.Name, ".yaml") {
					more = append(more, file)
				}
			}
			f := load(t, string(a.Files[0].Data), more...)
			for i := range a.Files {
				file := &a.Files[i]
				if !strings.HasSuffix(file.Name, ".call") {
					continue
				}
				request, want, _ := strings.Cut(string(file.Data), "\n")
				body, query, _ := strings.Cut(request, " ?")
				got := call(t, f, body, query, strings.Contains(file.Name, "session")) + "\n"
				if *update {
					file.Data = []byte(request + "\n" + got)
				} else if got != want {
					t.Errorf("%s: %s gave\n%s\nwant\n%s", file.Name, request, got, want)
				}
			}
			if *update {
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A run ends when its context does, and says so as a timeout or as a shutdown.
func TestRunEndsWithItsContext(t *testing.T) {
	f := load(t, "about: x\nendpoint: GET /x\nsession: none\nsteps:\n  - node: user.fetch\n    with: {id: u1}\n  - respond: 204\n")
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	gone, cancel2 := context.WithCancel(t.Context())
	cancel2()
	for name, tt := range map[string]struct {
		ctx  context.Context
		want engine.Kind
	}{"deadline": {late, engine.Timeout}, "shutdown": {gone, engine.Unavailable}} {
		_, err := f.Program.Run(tt.ctx, engine.Inputs{})
		var e *engine.Error
		if !errors.As(err, &e) || e.Kind != tt.want {
			t.Errorf("%s: Run = %v, want %v", name, err, tt.want)
		}
	}
}

// A value of a wrong Go type is the caller's bug and is caught before it is read.
func TestRunRefusesInputsOfAnotherType(t *testing.T) {
	f := load(t, "about: x\nendpoint: GET /x\nsession: required\nsteps:\n  - respond: 200\n    body: $session\n")
	defer func() {
		if recover() == nil {
			t.Error("Run took a text for a session")
		}
	}()
	text := "s"
	f.Program.Run(t.Context(), engine.Inputs{Session: engine.ValueOf(&text)})
}
