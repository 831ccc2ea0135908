package format

import (
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// A block is a mapping or a list whose entries stand on lines of their own.
type block struct {
	entries []*entry
	tail    []string // comments below the last entry
}

// An entry is a key with its value, an item of a list, or a value that stands
// below its key by itself.
type entry struct {
	lead    []string // comments above, "" for a blank line
	sign    string   // the key with its colon, or the dash; "" for a bare value
	gap     int      // characters between sign and value, as written
	head    string   // of the value, what stands on the line of the sign
	more    []line   // of the value, what stands on the lines below
	comment string   // at the end of the line
	from    int      // column where it begins, as written
	at      int      // column of the comment, from there
	inner   *block   // the value, where it is a block; head is empty then
}

func (e *entry) item() bool { return e.sign == "-" }

// A line continues a value.
type line struct {
	in   int // from the indent of its entry
	text string
}

// read reads the whole document.
func (d *document) read() (b *block, err error) {
	switch {
	case d.root == nil:
		b = &block{}
	case blocky(d.root):
		b, err = d.block(d.root)
	default:
		e := &entry{from: d.root.Column - 1}
		if e.lead, err = d.above(d.root.Line - 1); err == nil {
			err = d.text(e, d.root, d.root.Line-1, d.root.Column-1, -1)
		}
		b = &block{entries: []*entry{e}}
	}
	if err != nil {
		return nil, err
	}
	rest, err := d.above(len(d.lines))
	b.tail = append(b.tail, rest...)
	return b, err
}

// blocky tells whether a value stands on lines of its own.
func blocky(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}

// block reads a mapping or list.
func (d *document) block(n *yaml.Node) (*block, error) {
	b := &block{}
	column := n.Column - 1
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i < len(n.Content); i += step {
		at := n.Content[i].Line - 1
		if step == 1 && i == 0 {
			at = n.Line - 1
		} else if step == 1 {
			at = d.content()
		}
		e := &entry{from: column}
		var err error
		if e.lead, err = d.above(at); err != nil {
			return nil, err
		}
		if step == 1 {
			err = d.item(e, n.Content[i], at, column)
		} else {
			err = d.pair(e, n.Content[i], n.Content[i+1], column)
		}
		if err != nil {
			return nil, err
		}
		b.entries = append(b.entries, e)
	}
	b.tail = d.below(column)
	return b, nil
}

func (d *document) pair(e *entry, k, v *yaml.Node, column int) error {
	at, from := k.Line-1, k.Column-1
	end := from + len([]rune(k.Value))
	if k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		last := at
		if last, end = d.quoted(at, from); last != at {
			end = -1
		}
	}
	colon := end
	for colon >= 0 && colon < len(d.lines[at]) && blank(d.lines[at][colon]) {
		colon++
	}
	if k.Kind != yaml.ScalarNode || end < 0 || colon >= len(d.lines[at]) || d.lines[at][colon] != ':' {
		return d.problem(k.Line, k.Column, "write key: value", "this key cannot be formatted")
	}
	e.sign = string(d.lines[at][from:end]) + ":"
	return d.value(e, v, at, colon+1, column)
}

func (d *document) item(e *entry, v *yaml.Node, at, column int) error {
	if at >= len(d.lines) || column >= len(d.lines[at]) || d.lines[at][column] != '-' {
		return d.problem(min(at, len(d.lines)-1)+1, column+1, "write - in front of each item", "this list cannot be formatted")
	}
	e.sign = "-"
	return d.value(e, v, at, column+1, column)
}

// value reads the value behind a sign that ends at a column of a line; parent is
// the column at which the sign begins.
func (d *document) value(e *entry, v *yaml.Node, at, column, parent int) error {
	d.next = at + 1
	e.gap = 1
	if v.Kind == yaml.ScalarNode && v.Tag == "!!null" && v.Value == "" {
		return d.rest(e, at, column)
	}
	if v.Line-1 == at {
		if blocky(v) {
			inner, err := d.block(v)
			e.inner = inner
			return err
		}
		e.gap = v.Column - 1 - column
		return d.text(e, v, at, v.Column-1, parent)
	}
	if err := d.rest(e, at, column); err != nil {
		return err
	}
	if blocky(v) {
		inner, err := d.block(v)
		e.inner = inner
		return err
	}
	lead, err := d.above(v.Line - 1)
	if err != nil {
		return err
	}
	if e.comment == "" && !slices.ContainsFunc(lead, func(l string) bool { return l != "" }) {
		return d.text(e, v, v.Line-1, v.Column-1, parent)
	}
	bare := &entry{lead: lead, from: v.Column - 1}
	e.inner = &block{entries: []*entry{bare}}
	return d.text(bare, v, v.Line-1, v.Column-1, parent)
}

// rest reads what stands behind a value on its last line: nothing or a comment.
func (d *document) rest(e *entry, at, column int) error {
	l := d.lines[at]
	for column < len(l) && blank(l[column]) {
		column++
	}
	if column >= len(l) {
		return nil
	}
	if l[column] != '#' {
		return d.problem(at+1, column+1, "", "this cannot be formatted")
	}
	e.comment, e.at = trimmed(l[column:]), column-e.from
	return nil
}

// content is the next line that is neither blank nor a comment.
func (d *document) content() int {
	i := d.next
	for i < len(d.lines) {
		if l := d.lines[i]; indent(l) < len(l) && l[indent(l)] != '#' {
			break
		}
		i++
	}
	return i
}

// above reads the comments and blank lines above a line.
func (d *document) above(at int) ([]string, error) {
	var lead []string
	if c := d.content(); c < at {
		return nil, d.problem(c+1, indent(d.lines[c])+1, "", "this line cannot be formatted")
	}
	for ; d.next < at; d.next++ {
		lead = append(lead, trimmed(d.lines[d.next]))
	}
	return lead, nil
}

// below reads the comments that belong to the end of a block: those as deep as
// the block, and deeper than what follows or than the file.
func (d *document) below(column int) (tail []string) {
	end, follows := d.content(), 0
	if end < len(d.lines) {
		follows = indent(d.lines[end])
	}
	var blanks []string
	for i := d.next; i < end; i++ {
		l := d.lines[i]
		switch c := indent(l); {
		case c == len(l):
			blanks = append(blanks, "")
		case c >= column && c > follows:
			tail = append(append(tail, blanks...), trimmed(l))
			blanks, d.next = nil, i+1
		default:
			return tail
		}
	}
	return tail
}

func blank(r rune) bool { return r == ' ' || r == '\t' }

// indent counts the blanks at the beginning of a line.
func indent(l []rune) int {
	for i, r := range l {
		if !blank(r) {
			return i
		}
	}
	return len(l)
}

// trimmed is a text without spaces around it.
func trimmed(l []rune) string { return strings.TrimFunc(string(l), unicode.IsSpace) }
