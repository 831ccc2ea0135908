package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckWritesSARIF(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"flows/my flow.yaml": hello("/a"), "other/a.yaml": hello("a"), "sluice.yaml": "timeout: 30\n",
	})
	expect(t, dir, "lock other", 1, "DIR/sluice.yaml:1:10: timeout: want a duration with a unit, as in 500ms, 30s or 2m, not \"30\"\n")
	write(t, dir, map[string]string{"flows/flows.lock": "GET /b\n  session: none\n"})
	if code, output := in(t, dir, "check --sarif out.sarif flows other"); code != 1 {
		t.Errorf("sluice check --sarif = %d\n%s\nwant 1", code, output)
	}

	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			ColumnKind string
			Results    []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "out.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 {
		t.Fatalf("SARIF = %s, want version 2.1.0 with a schema and one run", data)
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name != "Sluice" || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("SARIF = %s, want the tool Sluice, which counts code points", data)
	}
	type row struct {
		rule, uri, message string
		line, column       int
	}
	var got []row
	for _, r := range run.Results {
		rule := run.Tool.Driver.Rules[r.RuleIndex]
		if rule.ID != r.RuleID || rule.ShortDescription.Text == "" || r.Level != "error" || len(r.Locations) != 1 {
			t.Errorf("result %+v is of rule %+v, want one that is described, an error and one place", r, rule)
			continue
		}
		at := r.Locations[0].PhysicalLocation
		got = append(got, row{r.RuleID, at.ArtifactLocation.URI, r.Message.Text, at.Region.StartLine, at.Region.StartColumn})
	}
	want := []row{
		{"flow", "other/a.yaml", "a path begins with a slash (write /a)", 2, 15},
		{"lock", "flows/my%20flow.yaml", "GET /a: new endpoint for everybody, which flows.lock does not allow (run sluice lock flows if this is meant)", 2, 11},
		{"setting", "sluice.yaml", `timeout: want a duration with a unit, as in 500ms, 30s or 2m, not "30"`, 1, 10},
	}
	if len(got) != len(want) {
		t.Fatalf("results = %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("result %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestSARIFOfNothingHasResultsAllTheSame(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	expect(t, dir, "check --sarif out.sarif", 0, "1 flow, no problems\n")
	var log struct{ Runs []map[string]json.RawMessage }
	data, err := os.ReadFile(filepath.Join(dir, "out.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	if got := string(log.Runs[0]["results"]); got != "[]" {
		t.Errorf("results = %s, want []", got)
	}
}
