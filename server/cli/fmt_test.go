package cli_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFmtFormatsFoldersAndFiles(t *testing.T) {
	good := hello("/a")
	bad := "about: x\nendpoint: GET /b\nsession: none\nsteps:\n- respond: 204   \n"
	two := map[string]string{"flows/a.yaml": good, "flows/b.yaml": bad, "flows/.hidden.yaml": bad, "flows/_old/c.yaml": bad, "flows/d.txt": bad}
	check(t, map[string]try{
		"nothing to do": {args: "fmt", files: map[string]string{"flows/a.yaml": good}, stdout: "1 file, all formatted\n"},
		"a folder":      {args: "fmt", files: two, stdout: "formatted DIR/flows/b.yaml\n"},
		"a file":        {args: "fmt flows/a.yaml", files: two, stdout: "1 file, all formatted\n"},
		"list":          {args: "fmt -l", files: two, code: 1, stdout: "DIR/flows/b.yaml\n"},
		"list nothing":  {args: "fmt -l flows/a.yaml", files: two},
		"difference": {args: "fmt -d flows/b.yaml", files: two, code: 1, stdout: `--- DIR/flows/b.yaml
+++ DIR/flows/b.yaml, formatted
@@ -2,4 +2,4 @@
 endpoint: GET /b
 session: none
 steps:
-- respond: 204   
+  - respond: 204
`},
		"no such file": {args: "fmt x.yaml", code: 1, stderr: "sluice: there is no file or folder DIR/x.yaml\n"},
		"no YAML": {args: "fmt", code: 1, files: map[string]string{"flows/a.yaml": "a: b: c\n", "flows/b.yaml": bad},
			stdout: "formatted DIR/flows/b.yaml\nDIR/flows/a.yaml:1:1: this is not YAML: mapping values are not allowed in this context\n1 problem in 1 file\n"},
		"flag": {args: "fmt --lst", code: 2, stderr: "sluice: there is no flag --lst (known: d, l)\nsluice help fmt says more.\n"},
	})
}

func TestFmtKeepsTheModeOfAFileAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "a:   b\n"})
	file := filepath.Join(dir, "a.yaml")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := (try{args: "fmt " + file}).run(t); code != 0 {
		t.Fatalf("sluice fmt = %d, %s, want 0", code, stderr)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode = %v, %v, want 0640", info.Mode(), err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v, want one file", all, err)
	}
}
