package engine

import (
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// The formats of JSON Schema that are not in format.go. They ask for what the
// documents that define them ask for, as far as callers get it right.

func validTime(s string) bool {
	_, err := time.Parse("15:04:05Z07:00", s)
	return err == nil && len(s) >= len("15:04:05Z")
}

// validHost asks for labels of RFC 1123.
func validHost(s string) bool {
	return validLabels(s, func(r rune) bool { return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) })
}

func validIDN(s string) bool {
	return validLabels(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) })
}

func validLabels(s string, ok func(rune) bool) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !ok(r) }) {
			return false
		}
	}
	return true
}

func validURIReference(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) && validIRIReference(s)
}

func validIRI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && validIRIReference(s)
}

func validIRIReference(s string) bool {
	_, err := url.Parse(s)
	return err == nil && !strings.ContainsAny(s, " \\<>\"{}|^`")
}

// validTemplate asks for expressions in braces that are closed (RFC 6570).
func validTemplate(s string) bool {
	open := false
	for _, r := range s {
		switch {
		case r == '{' && open || r == '}' && !open:
			return false
		case r == '{' || r == '}':
			open = r == '{'
		case !open && strings.ContainsRune(" \"'<>\\^`|", r):
			return false
		}
	}
	return !open && !strings.Contains(s, "{}")
}

func validPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

func validRelativePointer(s string) bool {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	rest := s[digits:]
	return digits > 0 && (s[0] != '0' || digits == 1) && (rest == "#" || validPointer(rest))
}

// validRegex asks for what patterns of flows can be, which never take long.
func validRegex(s string) bool {
	_, err := regexp.Compile(s)
	return err == nil
}
