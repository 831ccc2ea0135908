package engine

import (
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The syntax tree of a flow's values: what was written, with positions, before
// anything is looked up. That of its steps is in step.go.

// A member is one key of a mapping of values.
type member struct {
	name string
	at   Pos
	v    *value
}

type valueKind uint8

const (
	literalValue valueKind = iota // lit: string, int64, float64, bool or nil
	refValue                      // path
	textValue                     // parts
	listValue                     // items
	objectValue                   // members
	exprValue                     // lit is the text of the expression
	brokenValue                   // what was reported already and is no second mistake
)

// A value is what stands behind a key: a literal, a reference, a text with
// references in it, a list or an object.
type value struct {
	kind    valueKind
	pos     Pos
	lit     any
	path    []string
	parts   []rawPart
	items   []*value
	members []member
}

// A rawPart is a stretch of a text: itself, or a reference.
type rawPart struct {
	text string
	path []string // of a reference, else nil
	at   Pos
}

func (s *source) members(n *yaml.Node, what string) []member {
	var all []member
	for _, e := range s.mapping(n, what) {
		if strings.HasPrefix(e.key, "$") || strings.Contains(e.key, "{$") {
			s.problem(e.at, "keys are fixed in the flow, only values come from references", "a key cannot be a reference")
			continue
		}
		all = append(all, member{e.key, e.at, s.parseValue(e.value)})
	}
	return all
}

// parseValue reads what stands behind a key. It never returns nil.
func (s *source) parseValue(n *yaml.Node) *value {
	v := &value{pos: s.at(n)}
	switch n.Kind {
	case yaml.SequenceNode:
		v.kind = listValue
		for _, c := range n.Content {
			v.items = append(v.items, s.parseValue(c))
		}
	case yaml.MappingNode:
		v.kind = objectValue
		v.members = s.members(n, "a value")
	default:
		s.scalar(n, v)
	}
	return v
}

func (s *source) scalar(n *yaml.Node, v *value) {
	switch n.Tag {
	case "!!str", "!!timestamp":
		s.parseText(n, v)
	case "!!null":
	case "!!bool":
		v.lit = n.Value[0] == 't' || n.Value[0] == 'T'
	case "!!int":
		var i int64
		if n.Decode(&i) != nil {
			s.problem(v.pos, "it must fit 64 bits", "%s is too large", n.Value)
		}
		v.lit = i
	case "!!float":
		var f float64
		if n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			s.problem(v.pos, "", "%s is no number", n.Value)
			f = 0
		}
		v.lit = f
	default:
		s.problem(v.pos, "", "a value of this kind (%s) cannot be used in flows", strings.TrimPrefix(n.Tag, "!!"))
	}
}

var refPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$`)

// parseText reads a text that may be a reference or hold some.
func (s *source) parseText(n *yaml.Node, v *value) {
	text := n.Value
	column := v.pos.Column
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		column++
	}
	switch {
	case strings.HasPrefix(text, "$$"):
		text = text[1:]
		column++
	case strings.HasPrefix(text, `\=`):
		text = text[1:]
		column++
	case strings.HasPrefix(text, "= "):
		v.kind, v.lit = exprValue, text[2:]
		v.pos.Column = column + 2
		return
	case strings.HasPrefix(text, "$"):
		if v.path, v.kind = s.parseRef(text[1:], v.pos), refValue; v.path == nil {
			v.kind = brokenValue
		}
		return
	}
	v.lit = text
	if !strings.Contains(text, "{$") {
		return
	}
	v.parts, v.kind = s.parseParts(text, Pos{v.pos.File, v.pos.Line, column}), textValue
}

// parseParts cuts a text at its references: {$user.name}. {$$ stands for {$.
func (s *source) parseParts(text string, pos Pos) []rawPart {
	var parts []rawPart
	plain := func(t string) {
		if t != "" {
			parts = append(parts, rawPart{text: t})
		}
	}
	for {
		i := strings.Index(text, "{$")
		if i < 0 {
			plain(text)
			return parts
		}
		if strings.HasPrefix(text[i:], "{$$") {
			plain(text[:i] + "{$")
			text, pos.Column = text[i+3:], pos.Column+utf8.RuneCountInString(text[:i])+3
			continue
		}
		plain(text[:i])
		end := strings.IndexByte(text[i:], '}')
		at := Pos{pos.File, pos.Line, pos.Column + utf8.RuneCountInString(text[:i]) + 1}
		if end < 0 {
			s.problem(at, "write {$$ for the two characters themselves", "{$ has no closing }")
			return parts
		}
		if path := s.parseRef(text[i+2:i+end], at); path != nil {
			parts = append(parts, rawPart{path: path, at: at})
		}
		text, pos.Column = text[i+end+1:], at.Column+utf8.RuneCountInString(text[i:i+end])
	}
}

func (s *source) parseRef(text string, at Pos) []string {
	if !refPattern.MatchString(text) {
		s.problem(at, "write $$ for a dollar sign", "%q is not a reference", "$"+text)
		return nil
	}
	return strings.Split(text, ".")
}
