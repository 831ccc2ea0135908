package engine

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// word reads true, false or null.
func (r *jsonReader) word() {
	for _, w := range [...]string{"true", "false", "null"} {
		if len(r.data)-r.i >= len(w) && string(r.data[r.i:r.i+len(w)]) == w {
			r.i += len(w)
			return
		}
	}
	r.fail("has an unexpected character")
}

// number reads a number as RFC 8259 has it.
func (r *jsonReader) number() string {
	start := r.i
	digits := func() bool {
		n := r.i
		for r.i < len(r.data) && r.data[r.i] >= '0' && r.data[r.i] <= '9' {
			r.i++
		}
		return r.i > n
	}
	is := func(c byte) bool { return r.i < len(r.data) && r.data[r.i] == c }
	if is('-') {
		r.i++
	}
	ok := true
	if is('0') {
		r.i++
	} else {
		ok = digits()
	}
	if ok && is('.') {
		r.i++
		ok = digits()
	}
	if ok && (is('e') || is('E')) {
		r.i++
		if is('+') || is('-') {
			r.i++
		}
		ok = digits()
	}
	if !ok || r.i < len(r.data) && r.data[r.i] >= '0' && r.data[r.i] <= '9' {
		r.fail("has a number that is none")
		return "0"
	}
	return string(r.data[start:r.i])
}

// text reads a string. Escapes that stand for no character (lone surrogates)
// are refused, because two different texts would become one.
func (r *jsonReader) text() string {
	r.i++
	start := r.i
	for r.i < len(r.data) {
		switch c := r.data[r.i]; {
		case c == '"':
			s := string(r.data[start:r.i])
			r.i++
			return s
		case c == '\\':
			return r.escapedText(start)
		case c < ' ':
			r.fail("has a control character in a text")
			return ""
		}
		r.i++
	}
	r.fail("ends inside a text")
	return ""
}

func (r *jsonReader) escapedText(start int) string {
	b := append([]byte(nil), r.data[start:r.i]...)
	for r.i < len(r.data) {
		c := r.data[r.i]
		r.i++
		switch {
		case c == '"':
			return string(b)
		case c < ' ':
			r.fail("has a control character in a text")
			return ""
		case c != '\\':
			b = append(b, c)
			continue
		}
		if r.i >= len(r.data) {
			break
		}
		c = r.data[r.i]
		r.i++
		switch c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			c, ok := r.hex()
			if ok && utf16.IsSurrogate(c) {
				if r.i+1 < len(r.data) && r.data[r.i] == '\\' && r.data[r.i+1] == 'u' {
					r.i += 2
					var low rune
					low, ok = r.hex()
					c = utf16.DecodeRune(c, low)
				} else {
					c = utf8.RuneError
				}
				ok = ok && c != utf8.RuneError
			}
			if !ok {
				r.fail("has an escape that stands for no character")
				return ""
			}
			b = utf8.AppendRune(b, c)
		default:
			r.fail("has an unknown escape in a text")
			return ""
		}
	}
	r.fail("ends inside a text")
	return ""
}

func (r *jsonReader) hex() (rune, bool) {
	if r.i+4 > len(r.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.data[r.i:r.i+4]), 16, 32)
	if err != nil {
		return 0, false
	}
	r.i += 4
	return rune(n), true
}
