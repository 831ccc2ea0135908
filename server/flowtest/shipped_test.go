package flowtest_test

import (
	"testing"

	"sluice/flows"
	"sluice/server/flowtest"
)

// The tests beside the flows that come with Sluice pass, on both stores, and
// take every way out of every step.
func TestShippedFlows(t *testing.T) {
	for name, set := range map[string]flowtest.Settings{"memory": {}, "sqlite": {SQLite: true}} {
		t.Run(name, func(t *testing.T) {
			if set.SQLite && testing.Short() {
				t.Skip("the store has tests of its own")
			}
			s, err := flowtest.Load(flows.FS, set)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(t.Context(), flowtest.Options{Short: testing.Short() || set.SQLite})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Files {
				for _, test := range f.Tests {
					for _, fail := range test.Fails {
						t.Errorf("%v: %s: %s", test.Pos, test.Name, fail)
					}
				}
			}
			for _, way := range r.Missed() {
				t.Errorf("%s is taken by no test", way)
			}
			t.Logf("%s", r.Summary())
		})
	}
}
