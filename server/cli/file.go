package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/server"
)

// fileName is the file of settings: in the working directory or, where that has
// none, in the folder flows below it, for settings that go with the flows.
const fileName = "sluice.yaml"

// A file is sluice.yaml while it is read.
type file struct {
	name     string
	problems engine.Problems
}

// readFile reads sluice.yaml into conf, where there is one.
func (c *call) readFile(conf *server.Config) (engine.Problems, error) {
	f := file{name: filepath.Join(c.Dir, fileName)}
	data, err := os.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		f.name = filepath.Join(c.Dir, "flows", fileName)
		data, err = os.ReadFile(f.name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	if root := f.parse(data); root != nil {
		f.settings(root, conf)
	}
	return f.problems, nil
}

func (f *file) problem(line, column int, hint, format string, args ...any) {
	f.problems = append(f.problems, engine.Problem{
		Pos: engine.Pos{File: f.name, Line: line, Column: column}, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// parse returns the mapping of settings, or nil where there is none.
func (f *file) parse(data []byte) *yaml.Node {
	root, second, mistake := engine.ReadYAML(f.name, data)
	if mistake != nil {
		f.problems = append(f.problems, *mistake)
		return nil
	}
	if root == nil {
		return nil // empty
	}
	if second != nil {
		f.problem(max(1, second.Line), max(1, second.Column), "", "there is a second document behind ---")
	}
	if root.Kind != yaml.MappingNode {
		f.problem(root.Line, root.Column, "as in addr: 127.0.0.1:8080", "settings must be a mapping of names to values")
		return nil
	}
	return root
}

// settings sets what a mapping names.
func (f *file) settings(root *yaml.Node, conf *server.Config) {
	known := map[string]server.Setting{}
	var names []string
	for _, s := range server.Settings() {
		known[s.Name] = s
		names = append(names, s.Name)
	}
	first := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		s, ok := known[k.Value]
		if !ok {
			f.problem(k.Line, k.Column, engine.DidYouMean(k.Value, names), "unknown key %q", k.Value)
			continue
		}
		if line, twice := first[s.Name]; twice {
			f.problem(k.Line, k.Column, fmt.Sprintf("first in line %d", line), "key %q is given twice", s.Name)
			continue
		}
		first[s.Name] = k.Line
		f.setting(s, v, conf)
	}
}

// joined writes an item that has parts as the text that a flag takes: NAME=VALUE
// with semicolons between them, and lists with plus signs. What it cannot
// write so stays as it is.
func joined(n *yaml.Node) *yaml.Node {
	var parts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		v, items := n.Content[i+1], []string{}
		if v.Kind == yaml.ScalarNode {
			items = append(items, v.Value)
		}
		for _, item := range v.Content {
			items = append(items, item.Value)
		}
		text := strings.Join(items, "+")
		if v.Kind == yaml.MappingNode || strings.Contains(text, ";") {
			return n
		}
		parts = append(parts, n.Content[i].Value+"="+text)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.Join(parts, ";"), Line: n.Line, Column: n.Column}
}

// setting sets one setting.
func (f *file) setting(s server.Setting, v *yaml.Node, conf *server.Config) {
	scalars := []*yaml.Node{v}
	if s.List && v.Kind == yaml.SequenceNode {
		scalars = v.Content
	}
	var texts []string
	for _, n := range scalars {
		if s.Parts && n.Kind == yaml.MappingNode {
			n = joined(n)
		}
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			want := "one value"
			if s.List {
				want = "a list of values"
			}
			f.problem(n.Line, n.Column, "", "%s must be %s", s.Name, want)
			return
		}
		texts = append(texts, n.Value)
		if err := new(server.Config).Set(s.Name, n.Value); err != nil {
			f.problem(n.Line, n.Column, "", "%s: %v", s.Name, err)
			return
		}
	}
	if err := conf.Set(s.Name, texts...); err != nil {
		f.problem(v.Line, v.Column, "", "%s: %v", s.Name, err)
	}
}
