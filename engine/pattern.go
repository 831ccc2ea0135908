package engine

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// patternSample makes a short text that a regular expression matches, or "" where
// that is not easy.
func patternSample(re *regexp.Regexp) string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	appendMatch(&b, tree)
	if s := b.String(); re.MatchString(s) {
		return s
	}
	return ""
}

// appendMatch writes something that a part of an expression matches: the first
// of what it can be, as seldom as it can be.
func appendMatch(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('s')
	case syntax.OpPlus:
		appendMatch(b, re.Sub[0])
	case syntax.OpRepeat:
		for range re.Min {
			appendMatch(b, re.Sub[0])
		}
	case syntax.OpAlternate:
		appendMatch(b, re.Sub[0])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			appendMatch(b, sub)
		}
	}
}

// oneOf is a character of a class, given as pairs of bounds: a letter or a digit
// where there is one.
func oneOf(pairs []rune) rune {
	for _, wanted := range "sS1" {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] <= wanted && wanted <= pairs[i+1] {
				return wanted
			}
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] >= ' ' {
			return max(pairs[i], ' ')
		}
	}
	return 's'
}
