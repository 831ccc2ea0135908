package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"sluice/engine"
)

// FuzzLoad keeps the promise that no file, however odd, makes the loader panic,
// and that every problem has a place in a file.
func FuzzLoad(f *testing.F) {
	for _, glob := range []string{"testdata/problems/*.txtar", "testdata/runs/*.txtar"} {
		names, _ := filepath.Glob(glob)
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range txtar.Parse(data).Files {
				if strings.HasSuffix(file.Name, ".yaml") {
					f.Add(string(file.Data))
				}
			}
		}
	}
	env := testEnv()
	f.Fuzz(func(t *testing.T, text string) {
		app, err := engine.Load(fstest.MapFS{"flow.yaml": {Data: []byte(text)}}, env)
		if err == nil {
			if len(app.Flows) > 1 {
				t.Fatalf("Load gave %d flows of one file", len(app.Flows))
			}
			return
		}
		problems, ok := err.(engine.Problems)
		if !ok {
			t.Fatalf("Load = %v, want problems", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.File == "" || p.Message == "" {
				t.Fatalf("problem %+v has no place or nothing to say", p)
			}
		}
	})
}

// FuzzRun keeps the promise that a request can make a flow answer or fail, but
// never panic.
func FuzzRun(f *testing.F) {
	a, err := txtar.ParseFile("testdata/runs/references.txtar")
	if err != nil {
		f.Fatal(err)
	}
	flow := load(f, string(a.Files[0].Data))
	for _, file := range a.Files[1:] {
		body, _, _ := strings.Cut(string(file.Data), "\n")
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if got := call(t, flow, body, "", false); strings.HasPrefix(got, "internal") && !strings.Contains(body, "pan") && !strings.Contains(body, "brok") {
			t.Fatalf("%q gave %s", body, got)
		}
	})
}
