package data_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"sluice/engine"
	"sluice/nodes/data"
	"sluice/nodes/memory"
	"sluice/nodes/session"
)

var update = flag.Bool("update", false, "write what the tests got as what they want")

// TestProblems keeps the promise that a mistake in a step of documents is told
// with its place, what is wrong and what to do: each archive below
// testdata/problems holds flows and the exact messages.
func TestProblems(t *testing.T) {
	archives, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(archives) < 4 {
		t.Fatalf("found %d archives (%v), want at least 4", len(archives), err)
	}
	types, err := os.ReadFile("testdata/types.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := fstest.MapFS{"types.yaml": {Data: types}}
			var want []byte
			for _, f := range a.Files {
				files[f.Name] = &fstest.MapFile{Data: f.Data}
				if f.Name == "want" {
					want = f.Data
				}
			}
			got := told(t, files)
			if *update {
				if i := len(a.Files) - 1; a.Files[i].Name == "want" {
					a.Files = a.Files[:i]
				}
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("Load told\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// told is every problem or else every warning of some flows, a line each.
func told(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	app, err := engine.Load(files, engine.Env{
		Nodes: data.Nodes(memory.New().Data), Session: engine.TypeOf[session.Session](), Document: engine.TypeOf[data.Head](),
	})
	var problems engine.Problems
	switch {
	case errors.As(err, &problems):
	case err != nil:
		t.Fatal(err)
	default:
		problems = app.Warnings
	}
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}
