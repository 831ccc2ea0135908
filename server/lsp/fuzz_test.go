package lsp_test

import (
	"testing"
	"unicode/utf8"
)

// FuzzServer keeps the promise that no text, finished or not, costs an author the
// editor's help: every request at every place is answered.
func FuzzServer(f *testing.F) {
	f.Add(shop, 11, 20)
	f.Add(head+"steps:\n  - node: user.fetch\n    with: {email: $body.", 12, 24)
	f.Add("steps:\n- if: \"\n  $a \\\\\\\" $b", 1, 7)
	f.Add("input: {body: {type: [string, \"null\"]}}\nsteps: [{each: $a, do: [{fail: x}]}]", 1, 12)
	f.Add("about: >\n  x\n\n\ty: |\r\n- $a", 2, 1)
	f.Add("? [a]: b\n*a : &b !!c", 0, 3)
	dir := ""
	f.Fuzz(func(t *testing.T, text string, line, character int) {
		if !utf8.ValidString(text) || len(text) > 4096 {
			t.Skip()
		}
		if dir == "" {
			dir = project(t, neighbours)
		}
		e := start(t, dir)
		defer e.stop()
		for _, file := range []string{"a.yaml", "types.yaml"} {
			e.open(file, text)
			at := map[string]any{
				"textDocument": map[string]any{"uri": e.uri(file)}, "position": map[string]any{"line": line, "character": character}, "newName": "other",
			}
			for _, what := range []string{"completion", "hover", "definition", "prepareRename", "rename", "documentSymbol"} {
				if p := e.ask("textDocument/"+what, at); p.Error != nil && p.Error.Code == -32603 {
					t.Errorf("%s at %d:%d of %q: %s", what, line, character, text, p.Error.Message)
				}
			}
		}
	})
}
