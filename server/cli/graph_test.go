package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGraphNamesAFlowByFileOrEndpoint(t *testing.T) {
	files := map[string]string{"flows/deep/a.yaml": hello("/a"), "flows/b.yaml": hello("/b/{id}")}
	for _, name := range []string{"deep/a.yaml", "flows/deep/a.yaml", "./flows/deep/a.yaml"} {
		code, stdout, stderr := try{args: "graph " + name, files: files}.run(t)
		if code != 0 || !strings.HasPrefix(stdout, "<svg") || !strings.Contains(stdout, "GET /a") || stderr != "" {
			t.Errorf("sluice graph %s = %d, %.60s, %s, want the drawing of GET /a", name, code, stdout, stderr)
		}
	}
	check(t, map[string]try{
		"mermaid": {args: "graph --mermaid deep/a.yaml", files: files, stdout: `%% GET /a: Say hello. And no more.
flowchart TD
  start(["GET /a"])
  n1(["204 No Content"]):::good
  start --> n1
  classDef good fill:#dafbe1,stroke:#2da44e,color:#116329
  classDef refused fill:#fff8c5,stroke:#bf8700,color:#6a4a00
  classDef broken fill:#ffebe9,stroke:#cf222e,color:#a40e26
  classDef other fill:#eff2f5,stroke:#818b98,color:#1f2328
`},
		"no such flow": {args: "graph deep/c.yaml", files: files, code: 1, stderr: "sluice: there is no flow \"deep/c.yaml\" (did you mean deep/a.yaml?)\n"},
		"all, nowhere": {args: "graph", files: files, code: 2, stderr: "sluice: graph wants a flow, or -o with a folder for the drawings of all\nsluice help graph says more.\n"},
		"a mistake": {args: "graph a.yaml", files: map[string]string{"flows/a.yaml": hello("a")}, code: 1,
			stderr: "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\n"},
	})
}

func TestGraphDrawsAllIntoAFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "drawings")
	files := map[string]string{"flows/deep/a.yaml": hello("/a"), "flows/b.yaml": hello("/b")}
	if code, stdout, stderr := (try{args: "graph -o " + out, files: files}).run(t); code != 0 || stdout != "2 drawings in "+out+"\n" {
		t.Errorf("sluice graph -o = %d, %s, %s, want two drawings", code, stdout, stderr)
	}
	for _, name := range []string{"deep/a.svg", "b.svg"} {
		if text, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(name))); err != nil || !strings.HasPrefix(string(text), "<svg") {
			t.Errorf("%s = %.20s, %v, want a drawing", name, text, err)
		}
	}
}
