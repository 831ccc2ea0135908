package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const greeting = "about: Greets.\nnode: greeting.make\nparams: {name: string}\nsteps:\n  - return: {text: \"Hello, {$params.name}.\"}\n"

func TestSchemaKnowsNodesThatAreFlows(t *testing.T) {
	files := map[string]string{"flows/a.yaml": hello("/a"), "flows/greeting.yaml": greeting}
	code, stdout, stderr := try{args: "schema", files: files}.run(t)
	var doc struct {
		Defs map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 0 || stderr != "" {
		t.Fatalf("sluice schema = %d, %s, %v, want JSON", code, stderr, err)
	}
	for _, want := range []string{"with.greeting.make", "with.user.fetch", "step.respond"} {
		if doc.Defs[want] == nil {
			t.Errorf("sluice schema lacks %s", want)
		}
	}
}

func TestSchemaIsWrittenWhileFlowsHaveMistakes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "schema.json")
	code, stdout, stderr := try{args: "schema -o " + out, files: map[string]string{"flows/a.yaml": hello("a"), "flows/greeting.yaml": greeting}}.run(t)
	if want := "sluice: the schema lacks the nodes that are flows, because of 1 problem in 1 file\n"; code != 0 || stdout != "" || stderr != want {
		t.Errorf("sluice schema -o = %d, %s, %s, want 0 and %s", code, stdout, stderr, want)
	}
	if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), `"with.user.fetch"`) {
		t.Errorf("%s = %.20s, %v, want the schema", out, text, err)
	}
}
