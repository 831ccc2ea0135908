package lsp

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A use is a reference as it stands in a text.
type use struct {
	spot
	path []string
	from int // of the first name, behind the dollar sign
	to   int
}

// until returns the index of the name of the path that a place is in, and where
// it stands.
func (u use) until(at int) (i, from, to int) {
	from = u.from
	for i, name := range u.path {
		to = from + len(name)
		if at <= to || i == len(u.path)-1 {
			return i, from, to
		}
		from = to + 1
	}
	return 0, u.from, u.to
}

var (
	reference   = regexp.MustCompile(`\$[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*`)
	inOperation = regexp.MustCompile(`\$[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*`) // where a - is a minus
)

// isExpression tells whether a scalar is computed.
func isExpression(s spot, value string) bool {
	return s.sort == conditionSort || strings.HasPrefix(value, "= ")
}

// uses returns the references in a scalar.
func uses(t text, s spot) []use {
	if s.key || s.sort != valueSort && s.sort != conditionSort || !strings.Contains(s.node.Value, "$") {
		return nil
	}
	from, to := t.Extent(s.node)
	raw := t.S[from:to]
	pattern, value := reference, s.node.Value
	whole := strings.HasPrefix(value, "$") && !strings.HasPrefix(value, "$$")
	expression := isExpression(s, value)
	if expression {
		pattern, raw = inOperation, withoutTexts(raw, s.node.Style)
	}
	s.up = slices.Clone(s.up) // walk goes on with it
	var found []use
	for _, m := range pattern.FindAllStringIndex(raw, -1) {
		inText := m[0] > 0 && raw[m[0]-1] == '{' && strings.HasPrefix(raw[m[1]:], "}")
		if !expression && !whole && !inText {
			continue
		}
		found = append(found, use{s, strings.Split(raw[m[0]+1:m[1]], "."), from + m[0] + 1, from + m[1]})
		if whole && !expression {
			break
		}
	}
	return found
}

// withoutTexts blanks the texts in an expression, as it stands in a file with its
// quotes: what is in them is no reference.
func withoutTexts(raw string, style yaml.Style) string {
	b := []byte(raw)
	var quote byte
	for i := 0; i < len(b); i++ {
		c, n := b[i], 1
		switch {
		case i == 0 && style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			continue
		case style&yaml.DoubleQuotedStyle != 0 && c == '\\' && i+1 < len(b):
			c, n = b[i+1], 2
			if c == '\\' && quote != 0 { // an escape of the expression's own
				if n = 3; i+2 < len(b) && b[i+2] == '\\' {
					n = 4
				}
			}
		case style&yaml.SingleQuotedStyle != 0 && c == '\'':
			n = 2
		case quote != 0 && quote != '`' && c == '\\':
			n = 2
		}
		isQuote := c == '"' || c == '\'' || c == '`'
		switch {
		case quote == 0 && isQuote:
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			for j := i; j < min(i+n, len(b)); j++ {
				b[j] = ' '
			}
		}
		i += n - 1
	}
	return string(b)
}

// A declaration is what a reference can begin with, where it gets its name.
type declaration struct {
	name string
	node *yaml.Node // the name; of an item without one, the key each
	step *yaml.Node // the only step that sees it; nil where all further down do
	bare bool       // the name is not written
}

// declarations returns all names that a file gives to results, values and items.
func declarations(root *yaml.Node) []declaration {
	var all []declaration
	walk(root, flowSort, func(s spot) bool {
		step := s.within(stepSort)
		switch {
		case s.key && s.sort == stepSort && s.node.Value == "each" && child(step, "as") == nil:
			all = append(all, declaration{"item", s.node, step, true})
		case s.key && s.sort == valueSort && len(s.up) > 1 && s.up[len(s.up)-1].name == "let" && s.up[len(s.up)-2].sort == stepSort:
			all = append(all, declaration{name: s.node.Value, node: s.node})
		case s.key || s.sort != idSort:
		case s.name == "id":
			all = append(all, declaration{name: s.node.Value, node: s.node})
		default:
			all = append(all, declaration{name: s.node.Value, node: s.node, step: step})
		}
		return true
	})
	return all
}

// declared returns what a name means at a spot, the innermost of several, or nil
// where it is none of the file's own.
func declared(all []declaration, s spot, name string) *declaration {
	for i := len(s.up) - 1; i >= 0; i-- {
		key := s.name
		if i+1 < len(s.up) {
			key = s.up[i+1].name
		}
		for j, d := range all {
			if d.name == name && d.step == s.up[i].node && d.step != nil && key != "each" {
				return &all[j]
			}
		}
	}
	if i := slices.IndexFunc(all, func(d declaration) bool { return d.name == name && d.step == nil }); i >= 0 {
		return &all[i]
	}
	return nil
}
