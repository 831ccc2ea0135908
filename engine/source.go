package engine

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a flow file, in bytes.
const maxFile = 1 << 20

// A source is one file while it is read: its mistakes are collected in it.
type source struct {
	file     string
	problems Problems
	warnings Problems
	types    *types // that a type can be by name

	conditional bool // types are read that are asked of values which have a type already
}

func (s *source) at(n *yaml.Node) Pos { return Pos{s.file, n.Line, n.Column} }

func (s *source) problem(at Pos, hint, format string, args ...any) {
	s.problems = append(s.problems, Problem{Pos: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// An entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    Pos // of the key
	value *yaml.Node
}

// parse reads the text of a file into a tree without the parts of YAML that
// flows do without. It returns nil where there is no tree to go on with.
func (s *source) parse(data []byte) *yaml.Node {
	start := Pos{s.file, 1, 1}
	if len(data) > maxFile {
		s.problem(start, "split it", "the file is larger than %d KiB", maxFile>>10)
		return nil
	}
	root, second, mistake := ReadYAML(s.file, data)
	if mistake != nil {
		mistake.Hint = yamlHint(mistake.Message)
		s.problems = append(s.problems, *mistake)
		return nil
	}
	if second != nil {
		s.problem(Pos{s.file, max(1, second.Line), max(1, second.Column)}, "one file holds one flow", "there is a second document behind ---")
	}
	if root == nil {
		s.problem(start, "a flow begins with about:, endpoint: and session:", "the file is empty")
		return nil
	}
	if !s.plain(root) {
		return nil
	}
	return root
}

// yamlHint is what to do about text that is no YAML, where that is known.
func yamlHint(message string) string {
	switch {
	case strings.Contains(message, "cannot start any token"):
		return "indent with spaces, and quote a text that starts with @, ` or %"
	case strings.Contains(message, "expected ',' or"):
		return `inside { } put a name with a question mark in quotes: {"name?": string}`
	case strings.Contains(message, "mapping values are not allowed"):
		return "quote a text that holds a colon and a space, and check the indentation"
	}
	return ""
}

// plain refuses anchors, aliases, merge keys and tags anywhere in a tree.
func (s *source) plain(n *yaml.Node) bool {
	ok := true
	refuse := func(what string) {
		ok = false
		hint := "write the value out where it is used"
		if strings.HasPrefix(n.Tag, "!$") {
			hint = "write not " + n.Tag[1:]
		}
		s.problem(s.at(n), hint, "%s cannot be used in flows", what)
	}
	switch {
	case n.Kind == yaml.AliasNode:
		refuse("aliases (*name)")
		return false
	case n.Anchor != "":
		refuse("anchors (&name)")
	case n.Style&yaml.TaggedStyle != 0:
		refuse("tags (!name)")
	case n.Tag == "!!merge":
		refuse("merge keys (<<)")
	}
	for _, c := range n.Content {
		ok = s.plain(c) && ok
	}
	return ok
}

// mapping returns the entries of a mapping and reports what is wrong with its
// keys: repeated, or not among the known ones where some are given.
func (s *source) mapping(n *yaml.Node, what string, known ...string) []entry {
	if n.Kind != yaml.MappingNode {
		s.problem(s.at(n), "", "%s must be a mapping of keys to values", what)
		return nil
	}
	var entries []entry
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!null" {
			s.problem(s.at(k), "", "a key must be a text")
			continue
		}
		if line, twice := first[k.Value]; twice {
			s.problem(s.at(k), fmt.Sprintf("first in line %d", line), "key %q is given twice", k.Value)
			continue
		}
		first[k.Value] = k.Line
		if len(known) > 0 && !slices.Contains(known, k.Value) {
			s.problem(s.at(k), DidYouMean(k.Value, known), "unknown key %q", k.Value)
			continue
		}
		entries = append(entries, entry{k.Value, s.at(k), n.Content[i+1]})
	}
	return entries
}

// text returns a scalar that is a text.
func (s *source) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		s.problem(s.at(n), "", "%s must be a text", what)
		return "", false
	}
	return n.Value, true
}

// texts returns a list of texts; a single text counts as a list of one.
func (s *source) texts(n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		if t, ok := s.text(n, what); ok {
			return []string{t}
		}
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		s.problem(s.at(n), "", "%s must be a list of texts", what)
		return nil
	}
	var list []string
	for _, c := range n.Content {
		if t, ok := s.text(c, "each item of "+what); ok {
			list = append(list, t)
		}
	}
	return list
}
