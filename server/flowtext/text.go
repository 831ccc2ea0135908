package flowtext

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A Text is the content of a file with its lines. Places in it are bytes from its
// start; problems and YAML count characters.
type Text struct {
	S     string
	lines []int // where each begins
}

// New makes a text of a content.
func New(s string) Text {
	t := Text{S: s, lines: []int{0}}
	for i := range len(s) {
		if s[i] == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// Lines counts the lines; what stands behind the last line break is one, too.
func (t Text) Lines() int { return len(t.lines) }

// Line returns where a line begins and where it ends, without its line break.
// Lines in front of the first one and behind the last one are empty and stand there.
func (t Text) Line(n int) (from, to int) {
	switch {
	case n < 0:
		return 0, 0
	case n >= len(t.lines):
		_, to = t.Line(len(t.lines) - 1)
		return to, to
	}
	from, to = t.lines[n], len(t.S)
	if n+1 < len(t.lines) {
		to = t.lines[n+1] - 1
	}
	if to > from && t.S[to-1] == '\r' {
		to--
	}
	return from, to
}

// LineOf returns the line of a place.
func (t Text) LineOf(at int) int {
	low, high := 0, len(t.lines)
	for low+1 < high {
		if middle := (low + high) / 2; t.lines[middle] <= at {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// At is the place of a line and a column in characters, both from 1.
func (t Text) At(line, column int) int {
	from, to := t.Line(line - 1)
	for i := range t.S[from:to] {
		if column--; column <= 0 {
			return from + i
		}
	}
	return to
}

// Word returns where the word that begins at a place ends: what stands in quotes, a
// reference, or all up to a space or a sign of YAML. It is one character at least
// where the line has one.
func (t Text) Word(at int) int {
	_, end := t.Line(t.LineOf(at))
	rest := t.S[min(at, end):end]
	if rest == "" {
		return at
	}
	if q := rest[0]; q == '"' || q == '\'' {
		if i := strings.IndexByte(rest[1:], q); i >= 0 {
			return at + i + 2
		}
		return end
	}
	n := strings.IndexAny(rest, " \t,}]#\"'()")
	if n < 0 {
		n = len(rest)
	}
	n = len(strings.TrimSuffix(rest[:n], ":"))
	if i := strings.Index(rest[:n], ": "); i > 0 {
		n = i
	}
	if n == 0 {
		_, n = utf8.DecodeRuneInString(rest)
	}
	return at + n
}

// Extent returns where a scalar stands, with its quotes.
func (t Text) Extent(n *yaml.Node) (from, to int) {
	from = t.At(n.Line, n.Column)
	rest := t.S[from:]
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return from, from + i + 1
			}
		}
		return from, len(t.S)
	case n.Style&yaml.SingleQuotedStyle != 0:
		for i := 1; i < len(rest); i++ {
			if rest[i] != '\'' {
				continue
			}
			if i+1 < len(rest) && rest[i+1] == '\'' {
				i++
				continue
			}
			return from, from + i + 1
		}
		return from, len(t.S)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return from, t.blockEnd(n.Line)
	case strings.HasPrefix(rest, n.Value):
		return from, from + len(n.Value)
	}
	// A plain scalar over several lines: each word of it stands in the text.
	to = from
	for _, w := range strings.Fields(n.Value) {
		if i := strings.Index(t.S[to:], w); i >= 0 {
			to += i + len(w)
		}
	}
	return from, to
}

// blockEnd returns the end of a block scalar whose | stands in a line, from 1: it
// goes on as long as lines are further in than the line of its key.
func (t Text) blockEnd(line int) int {
	first := t.LineText(line - 1)
	of := len(first) - len(strings.TrimLeft(first, " -")) // of the key, behind the dash of its step
	_, end := t.Line(line - 1)
	for n := line; n < len(t.lines); n++ {
		s := t.LineText(n)
		if strings.TrimSpace(s) != "" {
			if Indent(s) <= of {
				break
			}
			_, end = t.Line(n)
		}
	}
	return end
}

// LineText returns a line, from 0, without its line break.
func (t Text) LineText(n int) string {
	from, to := t.Line(n)
	return t.S[from:to]
}

// Indent counts the spaces that a line begins with.
func Indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
