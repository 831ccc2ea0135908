package flowtext

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// flows tells whether a value is a collection in brackets.
func flows(n *yaml.Node) bool {
	return n != nil && n.Kind != yaml.ScalarNode && (n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0)
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// An entry is a spot of a mapping or list in block style as it stands on its lines.
type entry struct {
	*Spot
	column      int // of its key or dash, from 0
	first, last int // lines of it, from 0
	lead        int // first line of the comments above it, or first
	sign        int // place behind its colon or dash
	shares      bool
}

// entry finds the lines of a spot whose value above is in block style.
func (t *Tree) entry(s *Spot) entry {
	e := entry{Spot: s, column: s.Up.Value.Column - 1}
	if s.Key != nil {
		e.first = s.Key.Line - 1
		_, e.sign = t.Extent(s.Key)
		for e.sign < len(t.S) && t.S[e.sign] != ':' {
			e.sign++
		}
	} else {
		e.first = t.dashLine(s.Value.Line-1, e.column)
		from, _ := t.Line(e.first)
		e.sign = from + e.column
	}
	e.sign++
	begin, _ := t.Line(e.first)
	e.shares = strings.TrimSpace(t.S[begin:begin+e.column]) != ""
	e.last = t.LineOf(max(t.Behind(s.Value), begin))
	e.last = t.tail(e.last, e.column)
	e.lead = e.first
	for !e.shares && e.lead > 0 && t.isComment(e.lead-1, e.column) {
		e.lead--
	}
	if s.Up.Up == nil && s.Index == 0 {
		e.lead = e.first // what stands above the first key is of the whole file
	}
	return e
}

// dashLine finds the line of a dash at a column whose value begins in a line.
func (t *Tree) dashLine(n, column int) int {
	for at := n; at >= 0; at-- {
		s := t.LineText(at)
		if len(s) > column && s[column] == '-' && strings.Trim(s[:column], " -") == "" {
			return at
		}
	}
	return n
}

// tail is the last line of what ends in a line and begins at a column, with the
// comments below that are further in.
func (t *Tree) tail(last, column int) int {
	for n := last + 1; n < t.Lines(); n++ {
		switch s := t.LineText(n); {
		case strings.TrimSpace(s) == "":
		case strings.TrimSpace(s)[0] == '#' && Indent(s) > column:
			last = n
		default:
			return last
		}
	}
	return last
}

func (t *Tree) isComment(n, column int) bool {
	s := t.LineText(n)
	return Indent(s) == column && strings.HasPrefix(s[column:], "#")
}

func (t *Tree) isBlank(n int) bool { return n >= 0 && strings.TrimSpace(t.LineText(n)) == "" }

// start is where a line begins; that behind the last one is the end.
func (t *Tree) start(n int) int {
	if n >= t.Lines() {
		return len(t.S)
	}
	from, _ := t.Line(n)
	return from
}

// splice puts a text in place of another.
func (t *Tree) splice(from, to int, with string) string { return t.S[:from] + with + t.S[to:] }

// put writes whole lines in front of a line.
func (t *Tree) put(n int, all []string) string {
	text := strings.Join(all, "\n") + "\n"
	at := t.start(n)
	if at > 0 && t.S[at-1] != '\n' {
		return t.S + "\n" + text
	}
	return t.splice(at, at, text)
}

// cut takes lines out, and with them one of two blank lines that would meet.
func (t *Tree) cut(first, last int) string {
	from, to := t.start(first), t.start(last+1)
	end := to >= len(t.S) || strings.TrimSpace(t.S[to:]) == ""
	switch {
	case first > 0 && t.isBlank(first-1) && end:
		for first > 0 && t.isBlank(first-1) {
			first--
		}
		from, to = t.start(first), len(t.S)
	case first > 0 && t.isBlank(first-1) && t.isBlank(last+1):
		to = t.start(last + 2)
	}
	return t.splice(from, to, "")
}

// shifted moves lines in or out by some columns.
func shifted(all []string, by int) []string {
	out := make([]string, len(all))
	for i, s := range all {
		switch {
		case strings.TrimSpace(s) == "":
			out[i] = ""
		case by >= 0:
			out[i] = strings.Repeat(" ", by) + s
		default:
			out[i] = s[min(-by, Indent(s)):]
		}
	}
	return out
}
