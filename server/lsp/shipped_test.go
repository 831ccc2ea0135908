package lsp_test

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"testing"
	"testing/fstest"

	"sluice/engine"
	"sluice/flows"
	"sluice/server"
)

var id = regexp.MustCompile(`(?m)^ *- id: ()\w+`)

// TestRenameShipped keeps the promise that a flow still loads when an id of it was
// renamed, of every id in the flows that come with Sluice.
func TestRenameShipped(t *testing.T) {
	files := map[string]string{}
	err := fs.WalkDir(flows.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".yaml" {
			return err
		}
		data, err := fs.ReadFile(flows.FS, name)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := project(t, files)
	e := start(t, dir)
	_, env, err := server.Language(server.Config{Flows: dir})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, text := range files {
		for _, m := range id.FindAllStringSubmatchIndex(text, -1) {
			p := e.at(name, text[:m[2]]+cursor+text[m[2]:])
			p["newName"] = "renamed"
			after := fstest.MapFS{}
			for name, text := range maps.All(files) {
				after[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got := renamed(t, text, e.request("textDocument/rename", p))
			after[name] = &fstest.MapFile{Data: []byte(got)}
			if _, err := engine.Load(after, env); err != nil {
				t.Errorf("rename of %q in %s gives a flow with problems:\n%v", text[m[2]:m[1]], name, err)
			}
			count++
		}
	}
	if count < 10 {
		t.Errorf("found %d ids, want at least 10", count)
	}
}
