package engine

import (
	"math"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// The syntax tree of a flow's steps: what was written, with positions, before
// anything is looked up.

type block struct {
	pos   Pos
	steps []*step
}

type step struct {
	pos  Pos
	verb string // node, if, respond or fail
	id   string // "" without one
	idAt Pos

	word   string // what stands behind the verb: the node, the code; as written
	wordAt Pos
	with   []member
	on     []branch
	cond   *condition
	then   *block
	els    *block
	status int
	header []member
	body   *value // of respond, or the details of fail

	misspelt bool // a key was not known, so what is missing may be what it meant
}

// A branch is what on: says of one outcome.
type branch struct {
	name  string
	at    Pos
	goOn  bool // continue
	block *block
}

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

// known keys of a step, by its verb. The verb comes first.
var stepKeys = map[string][]string{
	"node":    {"node", "id", "with", "on"},
	"if":      {"if", "then", "else"},
	"respond": {"respond", "headers", "body"},
	"fail":    {"fail", "details"},
}

var verbs = []string{"node", "if", "respond", "fail"}

var idPattern = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

// parseBlock reads a list of steps.
func (s *source) parseBlock(n *yaml.Node, what string) *block {
	b := &block{pos: s.at(n)}
	if n.Kind != yaml.SequenceNode {
		s.problem(s.at(n), "each step begins with a dash", "%s must be a list of steps", what)
		return b
	}
	if len(n.Content) == 0 {
		s.problem(s.at(n), "each step begins with a dash", "%s is empty", what)
	}
	for _, c := range n.Content {
		if st := s.parseStep(c); st != nil {
			b.steps = append(b.steps, st)
		}
	}
	return b
}

func (s *source) parseStep(n *yaml.Node) *step {
	if n.Kind != yaml.MappingNode {
		s.problem(s.at(n), "as in - node: user.fetch", "a step must be a mapping of keys to values")
		return nil
	}
	entries := s.mapping(n, "a step")
	st := &step{pos: s.at(n)}
	for _, e := range entries {
		if stepKeys[e.key] == nil {
			continue
		}
		if st.verb != "" {
			s.problem(e.at, "make it a step of its own", "a step does one thing, this one has %s and %s", st.verb, e.key)
			continue
		}
		st.verb, st.pos = e.key, e.at
	}
	if st.verb == "" {
		hint := "one of node, if, respond, fail"
		for _, e := range entries {
			if h := didYouMean(e.key, verbs); strings.HasPrefix(h, "did you mean") {
				s.problem(e.at, h, "unknown key %q", e.key)
				return nil
			}
		}
		s.problem(st.pos, hint, "this step does not say what it does")
		return nil
	}
	for _, e := range entries {
		if !s.stepKey(st, e) {
			s.problem(e.at, didYouMean(e.key, stepKeys[st.verb]), "unknown key %q beside %s", e.key, st.verb)
			st.misspelt = true
		}
	}
	if st.verb == "if" && st.then == nil {
		s.problem(st.pos, "", "if has no then")
	}
	return st
}

// stepKey reads one key of a step and tells whether the verb knows it.
func (s *source) stepKey(st *step, e entry) bool {
	switch st.verb + "." + e.key {
	case "node.node", "fail.fail":
		st.wordAt = s.at(e.value)
		st.word, _ = s.text(e.value, e.key)
	case "node.id":
		if id, ok := s.text(e.value, "id"); ok {
			st.id, st.idAt = id, s.at(e.value)
			if !idPattern.MatchString(id) {
				s.problem(st.idAt, "a letter, then letters, digits and _", "%q cannot be an id", id)
			}
		}
	case "node.with":
		st.with = s.members(e.value, "with")
	case "node.on":
		st.on = s.parseOn(e.value)
	case "if.if":
		st.cond = s.parseCondition(e.value)
	case "if.then":
		st.then = s.parseBlock(e.value, "then")
	case "if.else":
		st.els = s.parseBlock(e.value, "else")
	case "respond.respond":
		st.wordAt = s.at(e.value)
		v := s.parseValue(e.value)
		status, ok := v.lit.(int64)
		if !ok || status < 200 || status > 399 {
			s.problem(st.wordAt, "a failure is answered by fail: CODE", "respond wants a status from 200 to 399")
			status = 200
		}
		st.status = int(status)
	case "respond.headers":
		st.header = s.members(e.value, "headers")
	case "respond.body", "fail.details":
		st.body = s.parseValue(e.value)
	default:
		if stepKeys[e.key] != nil {
			return true // a second verb was told already
		}
		return false
	}
	return true
}

func (s *source) parseOn(n *yaml.Node) []branch {
	var on []branch
	for _, e := range s.mapping(n, "on") {
		b := branch{name: e.key, at: e.at}
		if e.value.Kind == yaml.ScalarNode {
			if b.goOn = e.value.Value == "continue"; !b.goOn {
				s.problem(s.at(e.value), "continue, or a list of steps", "%q is nothing to do on an outcome", e.value.Value)
				continue
			}
		} else {
			b.block = s.parseBlock(e.value, "on "+e.key)
		}
		on = append(on, b)
	}
	return on
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
		s.problem(v.pos, `write \= for a text that begins with an equals sign`, "expressions are not known here yet")
		v.kind = brokenValue
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
			text, pos.Column = text[i+3:], pos.Column+i+3
			continue
		}
		plain(text[:i])
		end := strings.IndexByte(text[i:], '}')
		at := Pos{pos.File, pos.Line, pos.Column + i + 1}
		if end < 0 {
			s.problem(at, "write {$$ for the two characters themselves", "{$ has no closing }")
			return parts
		}
		if path := s.parseRef(text[i+2:i+end], at); path != nil {
			parts = append(parts, rawPart{path: path, at: at})
		}
		text, pos.Column = text[i+end+1:], pos.Column+i+end+1
	}
}

func (s *source) parseRef(text string, at Pos) []string {
	if !refPattern.MatchString(text) {
		s.problem(at, "write $$ for a dollar sign", "%q is not a reference", "$"+text)
		return nil
	}
	return strings.Split(text, ".")
}
