package engine

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// placeText writes a text with references in it, escaped for where it goes.
func (c *compiler) placeText(v *value, t *Type, at uintptr, what string) []move {
	if t.Base != String && t.Base != Any || t.Nominal || t.goType.Kind() != reflect.String && t.Base != Any {
		c.problem(v.pos, t.Hint, "%s wants %s, this is a text", what, article(t))
		return nil
	}
	var escape func([]byte, string) []byte
	if f := formats[t.Format]; f != nil {
		escape = f.escape
	}
	parts := c.textParts(v.parts, escape, what, t.Secrecy)
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		text := joinParts(parts, f)
		switch {
		case len(text) > maxMade:
			return fmt.Errorf("%w: a text of more than %d MiB", errExpression, maxMade>>20)
		case t.Base == Any:
			*(*any)(to) = text
		default:
			*(*string)(to) = text
		}
		return nil
	}}}
}

// A textPart is a stretch of a compiled text.
type textPart struct {
	text   string
	ref    ref
	format func(b []byte, p unsafe.Pointer) []byte // nil for a stretch of plain text
	cookie bool                                    // what it writes is the value of a cookie
}

func (p *textPart) append(b []byte, f frame) []byte {
	if p.format == nil {
		return append(b, p.text...)
	}
	v := p.ref.at(f)
	switch {
	case v == nil:
		return b
	case p.cookie:
		return append(b, url.QueryEscape(string(p.format(nil, v)))...)
	}
	return p.format(b, v)
}

func joinParts(parts []textPart, f frame) string {
	var b []byte
	for i := range parts {
		b = parts[i].append(b, f)
	}
	return string(b)
}

func (c *compiler) textParts(raw []rawPart, escape func([]byte, string) []byte, what string, shown Secrecy) []textPart {
	var parts []textPart
	for _, r := range raw {
		if r.path == nil {
			parts = append(parts, textPart{text: r.text})
			continue
		}
		from, ok := c.lookup(r.path, r.at)
		if !ok {
			continue
		}
		format := textOf(from.t, escape)
		switch {
		case from.t.Secrecy > shown:
			c.problem(r.at, "", "%s is secret and cannot stand in a text", from.text)
		case from.optional:
			c.problem(r.at, askFirst(from), "%s needs a value, %s may be absent", what, from.text)
		case format == nil:
			c.problem(r.at, "", "%s is %s and cannot stand in a text", from.text, article(from.t))
		default:
			parts = append(parts, textPart{ref: from.ref, format: format})
		}
	}
	return parts
}

// textOf writes a value as text, or is nil where a value of the type has none.
func textOf(t *Type, escape func([]byte, string) []byte) func([]byte, unsafe.Pointer) []byte {
	if escape == nil {
		escape = func(b []byte, s string) []byte { return append(b, s...) }
	}
	switch {
	case t.goType == timeType:
		return func(b []byte, p unsafe.Pointer) []byte {
			return escape(b, (*(*time.Time)(p)).UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	case t.goType == durationType:
		return func(b []byte, p unsafe.Pointer) []byte { return escape(b, durationText(*(*time.Duration)(p))) }
	case t.goType == bytesType:
		return nil
	}
	switch t.Base {
	case String:
		return func(b []byte, p unsafe.Pointer) []byte { return escape(b, *(*string)(p)) }
	case Integer:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendInt(b, *(*int64)(p), 10) }
	case Number:
		return func(b []byte, p unsafe.Pointer) []byte { return appendFloat(b, *(*float64)(p)) }
	case Boolean:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendBool(b, *(*bool)(p)) }
	}
	return nil
}
