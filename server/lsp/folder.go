package lsp

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sluice/engine"
)

// A document is a file that is open in the editor.
type document struct {
	uri     string
	name    string // from the root of its folder; "" where it is in none
	version int
	ahead   int // version of which the problems were told ahead of the check
	text
	folder *folder
	sheet  *engine.Sheet // of the last text that was YAML
}

// A folder is one with flows in it.
type folder struct {
	dir    string
	env    engine.Env
	survey *engine.Survey // nil until it was read
	told   map[string]bool
	stale  bool // files changed since the survey
	busy   bool // a survey is under way
}

// read returns a file of the folder as the editor or the disk has it.
func (f *folder) read(fsys fs.FS, name string) (text, bool) {
	data, err := fs.ReadFile(fsys, name)
	return newText(string(data)), err == nil
}

// uri is that of a file of the folder.
func (f *folder) uri(name string) string {
	return uriOf(filepath.Join(f.dir, filepath.FromSlash(name)))
}

func uriOf(file string) string {
	file = filepath.ToSlash(file)
	if !strings.HasPrefix(file, "/") { // C:/flows
		file = "/" + file
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// pathOf is the path of a file, or "" for what is none.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	p := u.Path
	if len(p) > 2 && p[0] == '/' && p[2] == ':' { // /C:/flows
		p = p[1:]
	}
	return filepath.Clean(filepath.FromSlash(p))
}

// below returns the name of a file in a folder, slash-separated.
func below(dir, file string) (string, bool) {
	name, err := filepath.Rel(dir, file)
	if err != nil || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(name), true
}

// flowsAround finds the folder of a file that is not in the one that is served:
// the outermost folder called flows, or the nearest with an errors.yaml.
func flowsAround(file string) string {
	found, nearest := "", ""
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if filepath.Base(dir) == "flows" {
			found = dir
		}
		if _, err := os.Stat(filepath.Join(dir, "errors.yaml")); err == nil && nearest == "" {
			nearest = dir
		}
	}
	if found != "" {
		return found
	}
	return nearest
}

// isFlow tells files of flows from others, as the engine does.
func isFlow(name string) bool {
	if path.Ext(name) != ".yaml" || strings.HasSuffix(name, ".test.yaml") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part[0] == '.' || part[0] == '_' {
			return false
		}
	}
	return true
}

// node returns a node by its name, or nil.
func (f *folder) node(name string) *engine.Node {
	if f.survey != nil {
		for _, n := range f.survey.Nodes {
			if n.Name == name {
				return n
			}
		}
	}
	return nil
}
