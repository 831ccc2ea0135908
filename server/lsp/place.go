package lsp

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/server/flowtext"
)

// mark is put into a text where the cursor is, to find it again in the tree.
const mark = "Zcursor0Z"

// A place is where the cursor is in a text that is being written.
type place struct {
	spot
	prefix  string // of the scalar, up to the cursor
	at      int
	colon   bool // behind the cursor stands a colon, so that a key needs none
	written string
	sketch  bool // written holds only the lines that lead here
}

// placeAt finds out where in a flow the cursor is. Text that is being written is
// seldom YAML, so it tries what it could become: with a colon behind the cursor, with
// brackets and quotes closed, without what stands below, and at last with only the
// lines that lead to the cursor.
func placeAt(t text, at int, root sort) (place, bool) {
	for i, s := range attempts(t, at) {
		tree, _ := parse(s)
		var found *place
		walk(tree, root, func(sp spot) bool {
			before, _, ok := strings.Cut(sp.node.Value, mark)
			if ok {
				sp.up = append([]level(nil), sp.up...)
				found = &place{spot: sp, prefix: before, at: at, written: s, sketch: i >= sketchAttempt}
			}
			return !ok
		})
		if found != nil {
			_, end := t.Line(t.LineOf(at))
			found.colon = strings.HasPrefix(strings.TrimLeft(t.S[at:end], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_?-."), ":")
			return *found, true
		}
	}
	return place{}, false
}

// loneWord matches a line on which so far there can only be a key.
var loneWord = regexp.MustCompile(`^\s*(- +)*[A-Za-z0-9_?-]*$`)

// sketchAttempt is the first attempt with only the lines that lead to the cursor.
const sketchAttempt = 10

// attempts are what the text could become, likely ones first.
func attempts(t text, at int) []string {
	line := t.LineOf(at)
	from, end := t.Line(line)
	before, behind := t.S[from:at], t.S[at:end]
	close := closing(before)
	lines := []string{behind, ":" + behind, close + behind, close, ":"}
	if loneWord.MatchString(before) && strings.TrimSpace(behind) == "" {
		lines[0], lines[1] = lines[1], lines[0]
	}
	var all []string
	for _, around := range [][2]string{{t.S[:from], t.S[end:]}, {t.S[:from], ""}, {sketch(t, line, before), ""}} {
		for _, l := range lines {
			all = append(all, around[0]+before+mark+l+around[1])
		}
	}
	return all
}

// closing are the quotes and brackets that are open at the end of a line.
func closing(line string) string {
	var open []byte
	for i := range len(line) {
		c := line[i]
		if n := len(open); n > 0 && (open[n-1] == '"' || open[n-1] == '\'') {
			if c == open[n-1] {
				open = open[:n-1]
			}
			continue
		}
		switch c {
		case '{':
			open = append(open, '}')
		case '[':
			open = append(open, ']')
		case '}', ']':
			if n := len(open); n > 0 && open[n-1] == c {
				open = open[:n-1]
			}
		case '"', '\'':
			if i == 0 || strings.IndexByte(" [{,", line[i-1]) >= 0 { // an apostrophe inside a word is none
				open = append(open, c)
			}
		}
	}
	var s strings.Builder
	for i := len(open) - 1; i >= 0; i-- {
		s.WriteByte(open[i])
	}
	return s.String()
}

var simpleLine = regexp.MustCompile(`^\s*(- +)*[A-Za-z0-9_?.-]+:( +[^\s{\["'|>&*#][^#]*)?\s*$`)

// sketch blanks all lines above one but those that lead to it: the keys that it
// stands under, and simple lines beside these.
func sketch(t text, line int, before string) string {
	kept := make([]string, line+1)
	_, in := hang(before)
	if dash, _ := hang(before); strings.HasPrefix(strings.TrimSpace(before), "-") {
		in = dash
	}
	for n := line - 1; n >= 0; n-- {
		s := t.LineText(n)
		if !simpleLine.MatchString(s) {
			continue
		}
		dash, key := hang(s)
		parent := key < in && strings.HasSuffix(strings.TrimSpace(s), ":")
		if parent || key == in && dash <= in {
			kept[n] = s
			in = dash
		}
	}
	return strings.Join(kept, "\n")
}

// hang returns where a line begins, and where it goes on behind the dashes of lists.
func hang(line string) (dash, key int) {
	dash = flowtext.Indent(line)
	return dash, len(line) - len(strings.TrimLeft(line, " -"))
}

// scope returns what references can begin with at a spot of a text that was read.
func (s spot) scope(sheet *engine.Sheet) engine.Scope {
	if sheet == nil {
		return engine.Scope{}
	}
	if n := len(s.up); n > 0 && s.sort == stepSort && !s.key { // a step that is only a word so far
		return sheet.Scope(pos(s.up[n-1].node), pos(s.node))
	}
	for i := len(s.up) - 1; i > 0; i-- {
		step, block := s.up[i], s.up[i-1]
		if step.sort != stepSort || block.node.Kind != yaml.SequenceNode {
			continue
		}
		if s.behindBlock(i) {
			if do := child(step.node, "do"); do != nil {
				return sheet.End(pos(do))
			}
		}
		return sheet.Scope(pos(block.node), pos(step.node))
	}
	return sheet.Start()
}

// behindBlock tells whether the spot is in the collect: of the each at a level,
// which sees what its block sets.
func (s spot) behindBlock(i int) bool {
	if i+1 < len(s.up) {
		return s.up[i+1].name == "collect"
	}
	return s.name == "collect" && !s.key
}

func pos(n *yaml.Node) engine.Pos { return engine.Pos{Line: n.Line, Column: n.Column} }
