package format

import (
	"strings"
	"unicode/utf8"
)

// A printer writes a document.
type printer struct {
	strings.Builder
	width  int  // of the line that is written, so far
	parted bool // by a blank line from what stands above
}

// printed writes a document.
func printed(b *block) []byte {
	p := &printer{parted: true}
	last := len(b.tail)
	for last > 0 && b.tail[last-1] == "" {
		last--
	}
	b.tail = b.tail[:last]
	p.block(b, 0, false)
	return []byte(p.String())
}

func (p *printer) put(s string) {
	p.WriteString(s)
	p.width += utf8.RuneCountInString(s)
	p.parted = false
}

// pad writes spaces up to a column.
func (p *printer) pad(column int) {
	if column > p.width {
		p.put(strings.Repeat(" ", column-p.width))
	}
}

func (p *printer) begin(column int) {
	p.width = 0
	p.pad(column)
}

func (p *printer) end() { p.WriteByte('\n') }

// comments writes whole lines; one blank line stands for several.
func (p *printer) comments(lines []string, indent int) {
	for _, l := range lines {
		if l == "" {
			if !p.parted {
				p.end()
			}
			p.parted = true
			continue
		}
		p.begin(indent)
		p.put(l)
		p.end()
	}
}

// block writes a block; where it is beside, its first entry continues the line.
func (p *printer) block(b *block, indent int, beside bool) {
	columns := b.columns()
	for i, e := range b.entries {
		if i > 0 || !beside {
			p.comments(e.lead, indent)
			p.begin(indent)
		}
		p.entry(e, indent, columns[i])
	}
	p.comments(b.tail, indent)
}

// entry writes an entry whose value begins at a column, from its sign.
func (p *printer) entry(e *entry, indent, column int) {
	p.put(e.sign)
	if e.head != "" {
		if e.sign != "" {
			p.pad(indent + column)
		}
		p.put(e.head)
	}
	if e.item() && e.inner != nil && e.comment == "" && e.inner.beside() {
		p.put(" ")
		p.block(e.inner, indent+2, true)
		return
	}
	if e.comment != "" {
		p.pad(max(indent+e.at, p.width+2))
		p.put(e.comment)
	}
	p.end()
	for _, l := range e.more {
		if l.text != "" {
			p.begin(indent + l.in)
			p.put(l.text)
		}
		p.end()
	}
	if e.inner != nil {
		p.block(e.inner, indent+2, false)
	}
}

// beside tells whether a block can begin behind the dash of its item.
func (b *block) beside() bool {
	first := b.entries[0]
	return first.sign != "" && strings.Join(first.lead, "") == ""
}

// columns returns where the value of each entry begins, from its sign: one space
// behind it, or below each other where the author has aligned neighbours.
func (b *block) columns() []int {
	columns := make([]int, len(b.entries))
	written := make([]int, len(b.entries))
	for i, e := range b.entries {
		width := utf8.RuneCountInString(e.sign)
		columns[i], written[i] = width+1, width+e.gap
	}
	for from := 0; from < len(b.entries); {
		to, most, wide := from, 0, false
		for to < len(b.entries) && written[to] == written[from] && b.entries[to].head != "" &&
			(to == from || len(b.entries[to].lead) == 0 && len(b.entries[to-1].more) == 0) {
			most = max(most, columns[to])
			wide = wide || b.entries[to].gap > 1
			to++
		}
		if to-from > 1 && wide {
			for i := from; i < to; i++ {
				columns[i] = most
			}
		}
		from = max(to, from+1)
	}
	return columns
}
