package lsp

import "sluice/server/flowtext"

// A text is the content of a file as an editor sees it, who counts UTF-16 units.
type text struct{ flowtext.Text }

func newText(s string) text { return text{flowtext.New(s)} }

// units counts the UTF-16 units of a character.
func units(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// offset is the place of an editor's position. One behind the end of its line is the end.
func (t text) offset(p position) int {
	from, to := t.Line(p.Line)
	n := 0
	for i, r := range t.S[from:to] {
		if n >= p.Character {
			return from + i
		}
		n += units(r)
	}
	return to
}

// position is an editor's position of a place.
func (t text) position(at int) position {
	at = min(max(at, 0), len(t.S))
	p := position{Line: t.LineOf(at)}
	from, _ := t.Line(p.Line)
	for _, r := range t.S[from:at] {
		p.Character += units(r)
	}
	return p
}

func (t text) span(from, to int) span { return span{t.position(from), t.position(to)} }
