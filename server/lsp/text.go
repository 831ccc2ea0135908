package lsp

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A text is the content of a file with its lines. Places in it are bytes from its
// start; editors count UTF-16 units, and problems and YAML characters.
type text struct {
	string
	lines []int // where each begins
}

func newText(s string) text {
	t := text{s, []int{0}}
	for i := range len(s) {
		if s[i] == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// line returns where a line begins and where it ends, without its line break.
// Lines in front of the first one and behind the last one are empty and stand there.
func (t text) line(n int) (from, to int) {
	switch {
	case n < 0:
		return 0, 0
	case n >= len(t.lines):
		_, to = t.line(len(t.lines) - 1)
		return to, to
	}
	from, to = t.lines[n], len(t.string)
	if n+1 < len(t.lines) {
		to = t.lines[n+1] - 1
	}
	if to > from && t.string[to-1] == '\r' {
		to--
	}
	return from, to
}

// lineOf returns the line of a place.
func (t text) lineOf(at int) int {
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

// units counts the UTF-16 units of a character.
func units(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// offset is the place of an editor's position. One behind the end of its line is the end.
func (t text) offset(p position) int {
	from, to := t.line(p.Line)
	n := 0
	for i, r := range t.string[from:to] {
		if n >= p.Character {
			return from + i
		}
		n += units(r)
	}
	return to
}

// position is an editor's position of a place.
func (t text) position(at int) position {
	at = min(max(at, 0), len(t.string))
	p := position{Line: t.lineOf(at)}
	for _, r := range t.string[t.lines[p.Line]:at] {
		p.Character += units(r)
	}
	return p
}

func (t text) span(from, to int) span { return span{t.position(from), t.position(to)} }

// at is the place of a line and a column in characters, both from 1.
func (t text) at(line, column int) int {
	from, to := t.line(line - 1)
	for i := range t.string[from:to] {
		if column--; column <= 0 {
			return from + i
		}
	}
	return to
}

// word returns where the word that begins at a place ends: what stands in quotes, a
// reference, or all up to a space or a sign of YAML. It is one character at least
// where the line has one.
func (t text) word(at int) int {
	_, end := t.line(t.lineOf(at))
	rest := t.string[min(at, end):end]
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

// extent returns where a scalar stands, with its quotes.
func (t text) extent(n *yaml.Node) (from, to int) {
	from = t.at(n.Line, n.Column)
	rest := t.string[from:]
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
		return from, len(t.string)
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
		return from, len(t.string)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return from, t.blockEnd(n.Line)
	case strings.HasPrefix(rest, n.Value):
		return from, from + len(n.Value)
	}
	// A plain scalar over several lines: each word of it stands in the text.
	to = from
	for _, w := range strings.Fields(n.Value) {
		if i := strings.Index(t.string[to:], w); i >= 0 {
			to += i + len(w)
		}
	}
	return from, to
}

// blockEnd returns the end of a block scalar whose | stands in a line, from 1: it
// goes on as long as lines are further in than the line of its key.
func (t text) blockEnd(line int) int {
	first := t.lineText(line - 1)
	of := len(first) - len(strings.TrimLeft(first, " -")) // of the key, behind the dash of its step
	_, end := t.line(line - 1)
	for n := line; n < len(t.lines); n++ {
		s := t.lineText(n)
		if strings.TrimSpace(s) != "" {
			if indent(s) <= of {
				break
			}
			_, end = t.line(n)
		}
	}
	return end
}

func (t text) lineText(n int) string {
	from, to := t.line(n)
	return t.string[from:to]
}

// indent counts the spaces that a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
