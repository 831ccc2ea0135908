package format

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// text reads a value that is no block: a scalar, or a collection in brackets.
func (d *document) text(e *entry, v *yaml.Node, at, column, parent int) error {
	if v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return d.literal(e, at, column, parent)
	}
	last, end := at, column
	brackets := v.Kind != yaml.ScalarNode
	switch {
	case brackets:
		var tokens []string
		if tokens, last, end = d.brackets(at, column); last == at {
			e.head = joined(tokens)
		}
	case v.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		last, end = d.quoted(at, column)
	default:
		last, end = d.unquoted(at, column, v.Value)
	}
	if end < 0 {
		return d.problem(v.Line, v.Column, "", "this value cannot be formatted")
	}
	d.next = last + 1
	if last == at {
		if e.head == "" {
			e.head = string(d.lines[at][column:end])
		}
		return d.rest(e, at, end)
	}
	e.head = trimmed(d.lines[at][column:])
	base := max(parent, 0)
	for i := at + 1; i <= last; i++ {
		l := line{in: 2, text: trimmed(d.lines[i])}
		if brackets {
			l.in = max(0, indent(d.lines[i])-base)
		}
		e.more = append(e.more, l)
	}
	return nil
}

// unquoted finds the end of a text without quotes, which YAML has folded into
// value.
func (d *document) unquoted(at, column int, value string) (last, end int) {
	folded, breaks := "", 0
	for i := at; i < len(d.lines) && len(folded) <= len(value); i++ {
		l := d.lines[i]
		from := indent(l)
		if i == at {
			from = column
		}
		end = from
		for j := from; j < len(l) && !(l[j] == '#' && j > from && blank(l[j-1])); j++ {
			if !blank(l[j]) {
				end = j + 1
			}
		}
		switch text := string(l[from:end]); {
		case text == "":
			breaks++
			continue
		case i == at:
			folded = text
		case breaks > 0:
			folded += strings.Repeat("\n", breaks) + text
		default:
			folded += " " + text
		}
		breaks = 0
		if folded == value {
			return i, end
		}
	}
	return at, -1
}

// quoted finds the end of a text in quotes.
func (d *document) quoted(at, column int) (last, end int) {
	quote := d.lines[at][column]
	for i, j := at, column+1; i < len(d.lines); i, j = i+1, 0 {
		for l := d.lines[i]; j < len(l); j++ {
			switch {
			case quote == '"' && l[j] == '\\':
				j++
			case quote == '\'' && l[j] == quote && j+1 < len(l) && l[j+1] == quote:
				j++
			case l[j] == quote:
				return i, j + 1
			}
		}
	}
	return at, -1
}

// literal reads a text behind | or >.
func (d *document) literal(e *entry, at, column, parent int) error {
	l := d.lines[at]
	end := column
	for end < len(l) && !blank(l[end]) {
		end++
	}
	e.head = string(l[column:end])
	if err := d.rest(e, at, end); err != nil {
		return err
	}
	d.next = at + 1
	in, depth := 2, -1 // indent of the text, from the sign and from the margin
	if n, err := strconv.Atoi(strings.Trim(e.head, "|>+-")); err == nil {
		in, depth = n, max(parent, 0)+n
	}
	for i := d.next; i < len(d.lines); i++ {
		l := d.lines[i]
		spaces := 0
		for spaces < len(l) && l[spaces] == ' ' {
			spaces++
		}
		if depth < 0 && spaces < len(l) && spaces > parent {
			depth = spaces
		}
		if spaces < len(l) && (depth < 0 || spaces < depth) {
			break
		}
		text := ""
		if depth >= 0 && len(l) > depth {
			text = string(l[depth:])
		}
		e.more = append(e.more, line{in, text})
		if text != "" || strings.Contains(e.head, "+") {
			d.next = i + 1
		}
	}
	e.more = e.more[:d.next-at-1] // blank lines at the end are not of the text, but with +
	return nil
}

// brackets cuts a collection in brackets into its tokens and finds its end.
func (d *document) brackets(at, column int) (tokens []string, last, end int) {
	depth := 0
	for i, j := at, column; i < len(d.lines); i, j = i+1, 0 {
		for l := d.lines[i]; j < len(l); {
			from := j
			switch r := l[j]; {
			case blank(r):
				j++
				continue
			case r == '#' && (j == 0 || blank(l[j-1])):
				j = len(l)
			case r == '{' || r == '[':
				depth++
				j++
			case r == '}' || r == ']':
				depth--
				j++
			case r == ',' || parts(l, j):
				j++
			case r == '"' || r == '\'':
				line, to := d.quoted(i, j)
				if to < 0 {
					return nil, at, -1
				}
				if line != i {
					i, l, j = line, d.lines[line], to
					continue // it is not on one line, so tokens do not matter
				}
				j = to
			default:
				for j < len(l) && !strings.ContainsRune(",{}[]", l[j]) && !parts(l, j) && !(l[j] == '#' && blank(l[j-1])) {
					j++
				}
			}
			tokens = append(tokens, trimmed(l[from:j]))
			if depth == 0 {
				return tokens, i, j
			}
		}
	}
	return nil, at, -1
}

// parts tells whether a colon parts a key from its value.
func parts(l []rune, j int) bool {
	return l[j] == ':' && (j+1 == len(l) || blank(l[j+1]) || strings.ContainsRune(",{}[]", l[j+1]) || j > 0 && strings.ContainsRune("\"'", l[j-1]))
}

// joined writes the tokens of a collection on one line.
func joined(tokens []string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			before := tokens[i-1]
			if before != "{" && before != "[" && t != "}" && t != "]" && t != "," && t != ":" {
				b.WriteByte(' ')
			}
		}
		b.WriteString(t)
	}
	return b.String()
}
