package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// errForm says that a stored document is not the JSON it should be.
var errForm = errors.New("document is no proper JSON")

// A member is one of an object, as it stands in the text.
type member struct {
	key  []byte // with its quotes
	name string
	raw  []byte
}

// members takes an object apart, one level deep; nil is an empty one. Parts of
// a value deeper down are not looked at: they stay as they are, to the last byte.
func members(text []byte) ([]member, error) {
	if text == nil {
		return nil, nil
	}
	s := scanner{text: text}
	var all []member
	err := s.sequence('{', '}', func() error {
		key, err := s.value()
		if err != nil {
			return err
		}
		name, ok := unquote(key)
		if !ok || !s.take(':') {
			return errForm
		}
		raw, err := s.value()
		all = append(all, member{key, name, raw})
		return err
	})
	return all, err
}

// items takes a list apart; nil is an empty one.
func items(text []byte) ([][]byte, error) {
	if text == nil {
		return nil, nil
	}
	s := scanner{text: text}
	var all [][]byte
	err := s.sequence('[', ']', func() error {
		raw, err := s.value()
		all = append(all, raw)
		return err
	})
	return all, err
}

// find returns the member of an object that a path names, or nil where it is
// not there, is null or the text has another form.
func find(text []byte, path string) []byte {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		all, err := members(text)
		if err != nil {
			return nil
		}
		text = nil
		for _, m := range all {
			if m.name == name {
				text = m.raw
				break
			}
		}
		if text == nil || isNull(text) || !deeper {
			return present(text)
		}
		path = rest
	}
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// present returns raw, or nil for null.
func present(raw []byte) []byte {
	if isNull(raw) {
		return nil
	}
	return raw
}

// quote returns a text as a JSON string.
func quote(text string) []byte {
	raw, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`) // never: a text has a form in JSON
	}
	return raw
}

// unquote returns the text that a JSON string stands for.
func unquote(raw []byte) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	if inside := raw[1 : len(raw)-1]; bytes.IndexByte(inside, '\\') < 0 {
		return string(inside), true
	}
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// A scanner goes through JSON that is taken to be valid: it finds where values
// end, and does not judge what is inside them.
type scanner struct {
	text []byte
	at   int
}

// take goes past a character, and white space in front of it.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// sequence goes through a whole object or list, up to the end of the text.
func (s *scanner) sequence(open, end byte, each func() error) error {
	if !s.take(open) {
		return errForm
	}
	if !s.take(end) {
		for {
			if err := each(); err != nil {
				return err
			}
			if s.take(end) {
				break
			}
			if !s.take(',') {
				return errForm
			}
		}
	}
	if s.space(); s.at != len(s.text) {
		return errForm
	}
	return nil
}

// value goes past a value and returns it.
func (s *scanner) value() ([]byte, error) {
	s.space()
	from, depth := s.at, 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			if !s.quoted() {
				return nil, errForm
			}
		case c == '{' || c == '[':
			depth++
			s.at++
			continue
		case c == '}' || c == ']':
			depth--
			s.at++
		case depth > 0:
			s.at++
			continue
		default:
			s.word()
		}
		if depth <= 0 {
			break
		}
	}
	if depth != 0 || s.at == from {
		return nil, errForm
	}
	return s.text[from:s.at], nil
}

// quoted goes past a string.
func (s *scanner) quoted() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '"':
			s.at++
			return true
		case '\\':
			s.at++
		}
	}
	return false
}

// word goes past a number, a truth value or null.
func (s *scanner) word() {
	for s.at < len(s.text) {
		if c := s.text[s.at]; isSpace(c) || c == ',' || c == ':' || c == ']' || c == '}' {
			return
		}
		s.at++
	}
}
