package engine_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"sluice/engine"
)

var update = flag.Bool("update", false, "write what the tests got as what they want")

// TestProblems keeps the promise that a mistake in a flow is told with its
// place, what is wrong and what to do, and that all are told at once: each
// archive below testdata/problems holds flow files and the exact messages.
func TestProblems(t *testing.T) {
	archives, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(archives) < 30 {
		t.Fatalf("found %d archives (%v), want at least 30", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := fstest.MapFS{}
			var want *txtar.File
			for i := range a.Files {
				if f := &a.Files[i]; f.Name == "want" {
					want = f
				} else {
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			_, err = engine.Load(files, testEnv())
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			}
			if *update {
				if want == nil {
					a.Files = append(a.Files, txtar.File{Name: "want"})
					want = &a.Files[len(a.Files)-1]
				}
				want.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want == nil || got != string(want.Data) {
				t.Errorf("Load told\n%s\nwant\n%s", got, want.Data)
			}
		})
	}
}
