package flowtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A source is a test file while it is read: its mistakes are collected in it.
type source struct {
	file     string // as the user can open it
	problems engine.Problems
}

func (s *source) at(n *yaml.Node) engine.Pos {
	return engine.Pos{File: s.file, Line: n.Line, Column: n.Column}
}

func (s *source) problem(n *yaml.Node, hint, format string, args ...any) {
	s.problems = append(s.problems, engine.Problem{Pos: s.at(n), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unknown reports a name that is not among the known ones.
func (s *source) unknown(n *yaml.Node, known []string, format string, args ...any) {
	s.problem(n, engine.DidYouMean(n.Value, known), format, args...)
}

// parse returns the list of tests in a file, or nil where there is none.
func (s *source) parse(data []byte) *yaml.Node {
	root, second, mistake := engine.ReadYAML(s.file, data)
	if mistake != nil {
		s.problems = append(s.problems, *mistake)
		return nil
	}
	if root == nil {
		s.problem(&yaml.Node{Line: 1, Column: 1}, "a test begins with - name:", "the file is empty")
		return nil
	}
	if second != nil {
		s.problem(&yaml.Node{Line: max(1, second.Line), Column: max(1, second.Column)}, "write all tests in one list", "there is a second document behind ---")
	}
	if root.Kind != yaml.SequenceNode {
		s.problem(root, "a test begins with - name:", "a test file must be a list of tests")
		return nil
	}
	if !s.plain(root) {
		return nil
	}
	return root
}

// plain refuses anchors, aliases, tags and merge keys, as flows do.
func (s *source) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!merge" {
		s.problem(n, "write the value out where it is used, or use each:", "anchors, aliases, tags and merge keys cannot be used in flow tests")
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = s.plain(c) && ok
	}
	return ok
}

// An entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// mapping returns the entries of a mapping and reports what is wrong with its
// keys: repeated, or not among the known ones where some are given.
func (s *source) mapping(n *yaml.Node, what string, known ...string) []entry {
	if n.Kind != yaml.MappingNode {
		hint := ""
		if len(known) > 0 {
			hint = "its keys are " + strings.Join(known, ", ")
		}
		s.problem(n, hint, "%s must be a mapping of keys to values", what)
		return nil
	}
	var entries []entry
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		line, twice := first[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode || k.Tag == "!!null":
			s.problem(k, "", "a key must be a text")
			continue
		case twice:
			s.problem(k, fmt.Sprintf("first in line %d", line), "key %q is given twice", k.Value)
			continue
		}
		first[k.Value] = k.Line
		if len(known) > 0 && !slices.Contains(known, k.Value) {
			s.unknown(k, known, "unknown key %q of %s", k.Value, what)
			continue
		}
		entries = append(entries, entry{k, v})
	}
	return entries
}

// items returns the items of a list; where one may stand alone, it is a list
// of itself.
func (s *source) items(n *yaml.Node, what string, alone bool) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case alone:
		return []*yaml.Node{n}
	}
	s.problem(n, "each item begins with a dash", "%s must be a list", what)
	return nil
}

// text returns a scalar as it was written.
func (s *source) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		s.problem(n, "", "%s must be a text", what)
		return ""
	}
	return n.Value
}

func (s *source) number(n *yaml.Node, what string, least, most int) int {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || i < least || i > most {
		s.problem(n, "", "%s must be a number from %d to %d", what, least, most)
		return least
	}
	return i
}

func (s *source) flag(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		s.problem(n, "", "%s must be true or false", what)
		return false
	}
	return n.Value == "true"
}

// sorted orders problems by place and drops repetitions, which tables make.
func sorted(ps engine.Problems) engine.Problems {
	slices.SortStableFunc(ps, func(a, b engine.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}

// plainValue makes of a tree what json.Marshal writes as the same data. Texts
// go through expand.
func plainValue(n *yaml.Node, expand func(string) any) any {
	switch n.Kind {
	case yaml.MappingNode:
		object := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			object[n.Content[i].Value] = plainValue(n.Content[i+1], expand)
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = plainValue(c, expand)
		}
		return list
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		var f float64 // as hexadecimal numbers are
		if n.Decode(&f) == nil {
			return f
		}
	}
	return expand(n.Value)
}

// hint suggests a known name, or says something else where none is near.
func hint(name string, known []string, otherwise string) string {
	slices.Sort(known)
	return cmp.Or(engine.DidYouMean(name, known), otherwise)
}
