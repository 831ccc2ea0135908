package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/server/cli"
)

// TestLSP keeps the promises that editors can start the language server, that it reads
// the settings of the folder that the editor has open, and that standard output is the
// editor's alone.
func TestLSP(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "endpoints"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sluice.yaml":      "flows: endpoints\nunheard-of: 1\n",
		"endpoints/a.yaml": "about: A test.\nendpoint: GET /a\nsession: none\nsteps:\n  - node: user.fetch\n    with: {email: a@b.c}\n  - respond: 204\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	uri := "file://" + filepath.ToSlash(root)
	var in strings.Builder
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"` + uri + `","capabilities":{}}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"` + uri + `/endpoints/a.yaml","version":1,"text":"steps:\n  - node: user.fetch\n"}}}`,
		`{"jsonrpc":"2.0","id":2,"method":"textDocument/hover","params":{"textDocument":{"uri":"` + uri + `/endpoints/a.yaml"},"position":{"line":1,"character":12}}}`,
		`{"jsonrpc":"2.0","id":3,"method":"shutdown"}`,
		`{"jsonrpc":"2.0","method":"exit"}`,
	} {
		fmt.Fprintf(&in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	tests := map[string]struct {
		args []string
		code int
	}{
		"alone":         {[]string{"lsp"}, 0},
		"as VS Code":    {[]string{"lsp", "--stdio"}, 0},
		"with a folder": {[]string{"lsp", "flows"}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out, told bytes.Buffer
			env := cli.Env{Stdin: strings.NewReader(in.String()), Stdout: &out, Stderr: &told, Getenv: func(string) string { return "" }, Dir: t.TempDir()}
			if code := cli.Main(t.Context(), env, tt.args); code != tt.code {
				t.Fatalf("sluice %q = %d, want %d\n%s", tt.args, code, tt.code, told.String())
			}
			if tt.code != 0 {
				return
			}
			if !strings.HasPrefix(out.String(), "Content-Length: ") || !strings.Contains(out.String(), "**user.fetch**") {
				t.Errorf("sluice %q answers %q, want the documentation of user.fetch", tt.args, out.String())
			}
			if !strings.Contains(told.String(), "unheard-of") {
				t.Errorf("sluice %q tells %q, want what is wrong with sluice.yaml", tt.args, told.String())
			}
		})
	}
}
