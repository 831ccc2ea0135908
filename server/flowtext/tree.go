package flowtext

import (
	"errors"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A Tree is a text with what stands where in it. A place in it is the way there by
// keys and numbers, as in steps/2/with/email; "" is the whole. A slash in a key
// is written ~1, and a tilde ~0, as in a JSON Pointer.
type Tree struct {
	Text
	Root *yaml.Node // nil where the file is empty
}

// Read reads the tree of a text. A text that is no YAML gives an error of
// engine.Problems.
func Read(file, s string) (*Tree, error) {
	root, second, mistake := engine.ReadYAML(file, []byte(s))
	if mistake != nil {
		return nil, engine.Problems{*mistake}
	}
	if second != nil {
		return nil, engine.Problems{{Pos: engine.Pos{File: file, Line: max(1, second.Line), Column: 1}, Message: "there is a second document behind ---", Hint: "one file holds one flow"}}
	}
	if root != nil && root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		root = nil
	}
	return &Tree{New(s), root}, nil
}

// A Spot is a key with its value, an item of a list, or the root.
type Spot struct {
	Place string
	Key   *yaml.Node // nil for an item and the root
	Value *yaml.Node
	Up    *Spot // nil for the root
	Index int   // among the entries of the spot above
}

// Name is the last part of the place, as the key is written.
func (s *Spot) Name() string {
	if s.Key != nil {
		return s.Key.Value
	}
	return strconv.Itoa(s.Index)
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// Join is the place of a key in a place.
func Join(place string, keys ...string) string {
	for _, k := range keys {
		if place != "" {
			place += "/"
		}
		place += escape.Replace(k)
	}
	return place
}

// Split parts a place into the one around it and its last key.
func Split(place string) (around, key string) {
	i := strings.LastIndexByte(place, '/')
	if i < 0 {
		return "", unescape.Replace(place)
	}
	return place[:i], unescape.Replace(place[i+1:])
}

// Children returns what stands in a spot, in the order of the text.
func (s *Spot) Children() []*Spot {
	var all []*Spot
	switch n := s.Value; {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			all = append(all, &Spot{Join(s.Place, n.Content[i].Value), n.Content[i], n.Content[i+1], s, i / 2})
		}
	case n.Kind == yaml.SequenceNode:
		for i, c := range n.Content {
			all = append(all, &Spot{Join(s.Place, strconv.Itoa(i)), nil, c, s, i})
		}
	}
	return all
}

// Top is the spot of the root.
func (t *Tree) Top() *Spot { return &Spot{Value: t.Root} }

// errNowhere says that there is nothing at a place.
var errNowhere = errors.New("there is nothing at this place")

// Find returns what stands at a place, or nil.
func (t *Tree) Find(place string) *Spot {
	at := t.Top()
	if place == "" {
		return at
	}
	for part := range strings.SplitSeq(place, "/") {
		if at = at.child(unescape.Replace(part)); at == nil {
			return nil
		}
	}
	return at
}

// child returns what stands behind a key or at a number, or nil.
func (s *Spot) child(name string) *Spot {
	for _, c := range s.Children() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// Behind returns where a value ends; where it stands is At of its line and column.
func (t *Tree) Behind(n *yaml.Node) int {
	switch {
	case n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode:
		_, to := t.Extent(n)
		return to
	case n.Style&yaml.FlowStyle != 0:
		return t.bracketEnd(t.At(n.Line, n.Column))
	case len(n.Content) == 0:
		return t.At(n.Line, n.Column)
	}
	return t.Behind(n.Content[len(n.Content)-1])
}

// From returns where a value begins.
func (t *Tree) From(n *yaml.Node) int { return t.At(n.Line, n.Column) }

// bracketEnd returns where a collection in brackets ends that begins at a place.
func (t *Tree) bracketEnd(from int) int {
	depth := 0
	for at := from; at < len(t.S); at++ {
		switch c := t.S[at]; {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return at + 1
			}
		case c == '"' || c == '\'':
			if strings.IndexByte(" \t\n{[,:", t.S[at-1]) >= 0 { // an apostrophe inside a word is none
				at = quoteEnd(t.S, at)
			}
		case c == '#' && strings.IndexByte(" \t\n", t.S[at-1]) >= 0:
			_, at = t.Line(t.LineOf(at))
		}
	}
	return len(t.S)
}

// quoteEnd returns the place of the quote that ends the one at a place.
func quoteEnd(s string, at int) int {
	quote := s[at]
	for at++; at < len(s); at++ {
		switch {
		case quote == '"' && s[at] == '\\':
			at++
		case s[at] == quote && quote == '\'' && at+1 < len(s) && s[at+1] == quote:
			at++
		case s[at] == quote:
			return at
		}
	}
	return len(s)
}

// Walk visits every spot below the root, in the order of the text, as deep as visit says.
func (t *Tree) Walk(visit func(*Spot) (deeper bool)) {
	var in func(*Spot)
	in = func(s *Spot) {
		for _, c := range s.Children() {
			if visit(c) {
				in(c)
			}
		}
	}
	in(t.Top())
}

// blockKeys are the keys of a step behind which there are steps, and those
// behind which there are names with steps.
var (
	blockKeys = map[string]bool{"then": true, "else": true, "do": true, "try": true, "finally": true, "undo": true}
	namedKeys = map[string]bool{"on": true, "cases": true, "catch": true, "parallel": true}
)

// IsBlock tells whether a place is one of a list of steps, be it there or not.
func IsBlock(place string) bool {
	parts := strings.Split(place, "/")
	if parts[0] != "steps" {
		return false
	}
	parts = parts[1:]
	for len(parts) > 0 {
		if _, err := strconv.Atoi(parts[0]); err != nil || len(parts) == 1 {
			return false
		}
		switch key := parts[1]; {
		case blockKeys[key]:
			parts = parts[2:]
		case namedKeys[key] && len(parts) > 2:
			parts = parts[3:]
		default:
			return false
		}
	}
	return true
}

// IsStep tells whether a place is one of a step, be it there or not.
func IsStep(place string) bool {
	around, key := Split(place)
	n, err := strconv.Atoi(key)
	return err == nil && n >= 0 && place != key && IsBlock(around)
}

// StepOf returns the place of the innermost step that a place is in, or "", and
// what of the place is below it.
func StepOf(place string) (step, below string) {
	for at := place; at != ""; at, _ = Split(at) {
		if IsStep(at) {
			return at, strings.TrimPrefix(strings.TrimPrefix(place, at), "/")
		}
	}
	return "", place
}
