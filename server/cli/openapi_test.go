package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenapiDescribesWhatIsServed(t *testing.T) {
	files := map[string]string{"flows/a.yaml": hello("/a"), "other/b.yaml": hello("/b"), "other/off.yaml": "enabled: false\n" + hello("/off")}
	out := filepath.Join(t.TempDir(), "docs", "openapi.json")
	for args, want := range map[string]string{
		"openapi":                         "/a",
		"openapi other":                   "/b",
		"openapi --title Shop --of 2.1":   "/a",
		"openapi other -o " + out + "":    "/b",
		"openapi -o " + out + " ./other/": "/b",
	} {
		code, stdout, stderr := try{args: args, files: files}.run(t)
		text := []byte(stdout)
		if stdout == "" {
			var err error
			if text, err = os.ReadFile(out); err != nil {
				t.Fatal(err)
			}
		}
		var doc struct {
			Info  struct{ Title, Version string }
			Paths map[string]any
		}
		if err := json.Unmarshal(text, &doc); err != nil || code != 0 || stderr != "" || len(doc.Paths) != 1 || doc.Paths[want] == nil {
			t.Errorf("sluice %s = %d, %s, %v, %v, want %s only", args, code, stderr, doc.Paths, err, want)
		}
		if args == "openapi --title Shop --of 2.1" && (doc.Info.Title != "Shop" || doc.Info.Version != "2.1") {
			t.Errorf("sluice %s = %+v, want Shop 2.1", args, doc.Info)
		}
	}
}

func TestOpenapiNeedsFlowsThatLoad(t *testing.T) {
	check(t, map[string]try{
		"mistake": {args: "openapi", files: map[string]string{"flows/a.yaml": hello("a")}, code: 1,
			stderr: "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\n"},
		"too much": {args: "openapi a b", code: 2, stderr: "sluice: openapi does not take \"b\"\nsluice help openapi says more.\n"},
	})
}
