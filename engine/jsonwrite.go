package engine

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// A writer appends the JSON of the value at a place.
type writer func(b []byte, p unsafe.Pointer) []byte

// appendJSON appends the value of the type at p as JSON. Hidden properties are
// left out, whatever is around them.
func (t *Type) appendJSON(b []byte, p unsafe.Pointer) []byte {
	t.once.Do(func() { t.write = t.compileWriter() })
	return t.write(b, p)
}

func (t *Type) compileWriter() writer {
	switch {
	case t.goType == timeType:
		return func(b []byte, p unsafe.Pointer) []byte { return appendTime(b, *(*time.Time)(p)) }
	case t.goType == durationType:
		return func(b []byte, p unsafe.Pointer) []byte { return appendString(b, durationText(*(*time.Duration)(p))) }
	case t.goType == bytesType:
		return func(b []byte, p unsafe.Pointer) []byte {
			b = base64.StdEncoding.AppendEncode(append(b, '"'), *(*[]byte)(p))
			return append(b, '"')
		}
	}
	switch t.Base {
	case String:
		return func(b []byte, p unsafe.Pointer) []byte { return appendString(b, *(*string)(p)) }
	case Boolean:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendBool(b, *(*bool)(p)) }
	case Integer:
		return func(b []byte, p unsafe.Pointer) []byte { return strconv.AppendInt(b, *(*int64)(p), 10) }
	case Number:
		return func(b []byte, p unsafe.Pointer) []byte { return appendFloat(b, *(*float64)(p)) }
	case Array:
		items, size := t.Items, t.goType.Elem().Size()
		return func(b []byte, p unsafe.Pointer) []byte {
			b = append(b, '[')
			first := slicePointer(p)
			for i := range sliceLen(p) {
				if i > 0 {
					b = append(b, ',')
				}
				b = items.appendJSON(b, unsafe.Add(first, uintptr(i)*size))
			}
			return append(b, ']')
		}
	case Object:
		switch {
		case t.By != "":
			return t.unionWriter()
		case t.Open:
			return func(b []byte, p unsafe.Pointer) []byte { return appendAny(b, *(*map[string]any)(p)) }
		}
		return t.objectWriter()
	}
	return func(b []byte, p unsafe.Pointer) []byte { return appendAny(b, *(*any)(p)) }
}

// objectWriter writes the properties that may be shown, in their order.
func (t *Type) objectWriter() writer {
	type field struct {
		key    []byte // `"name":`
		offset uintptr
		hop    bool
		zero   func(unsafe.Pointer) bool
		t      *Type
	}
	var fields []field
	for _, p := range t.Props {
		if p.Type.Secrecy == Hidden {
			continue
		}
		f := field{key: append(appendString(nil, p.Name), ':'), offset: p.offset, hop: p.pointer, t: p.Type}
		if p.omit && !p.pointer {
			f.zero = isZero(p.Type.goType)
		}
		fields = append(fields, f)
	}
	more := t.More
	return func(b []byte, p unsafe.Pointer) []byte {
		b = append(b, '{')
		empty := true
		for i := range fields {
			f := &fields[i]
			v := unsafe.Add(p, f.offset)
			if f.hop {
				if v = *(*unsafe.Pointer)(v); v == nil {
					continue
				}
			}
			if f.zero != nil && f.zero(v) {
				continue
			}
			if !empty {
				b = append(b, ',')
			}
			empty = false
			b = append(b, f.key...)
			b = f.t.appendJSON(b, v)
		}
		if more {
			b = appendMembers(b, *(*map[string]any)(unsafe.Add(p, t.more)), empty)
		}
		return append(b, '}')
	}
}

// isZero tells whether a value is the zero value of its Go type.
func isZero(rt reflect.Type) func(unsafe.Pointer) bool {
	switch rt.Kind() {
	case reflect.String:
		return func(p unsafe.Pointer) bool { return *(*string)(p) == "" }
	case reflect.Bool:
		return func(p unsafe.Pointer) bool { return !*(*bool)(p) }
	case reflect.Int, reflect.Int64, reflect.Float64:
		return func(p unsafe.Pointer) bool { return *(*uint64)(p) == 0 }
	case reflect.Slice:
		return func(p unsafe.Pointer) bool { return sliceLen(p) == 0 }
	}
	return func(p unsafe.Pointer) bool { return reflect.NewAt(rt, p).Elem().IsZero() }
}

// appendTime writes a time in UTC to the millisecond, as clients of the
// session object expect it.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, `"2006-01-02T15:04:05.000Z"`)
	}
	hour, minute, second := t.Clock()
	ms := t.Nanosecond() / 1e6
	two := func(n int, after byte) { b = append(b, byte('0'+n/10), byte('0'+n%10), after) }
	b = append(b, '"', byte('0'+year/1000), byte('0'+year/100%10))
	two(year%100, '-')
	two(int(month), '-')
	two(day, 'T')
	two(hour, ':')
	two(minute, ':')
	two(second, '.')
	return append(b, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(b, "null"...)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(b, int64(f), 10)
	}
	// As encoding/json and JavaScript write numbers.
	if size := math.Abs(f); size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); n-start >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-07
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// appendAny writes data that has no declared type.
func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		return appendFloat(b, v)
	case time.Time:
		return appendTime(b, v)
	case time.Duration:
		return appendString(b, durationText(v))
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendAny(b, item)
		}
		return append(b, ']')
	case map[string]any:
		return append(appendMembers(append(b, '{'), v, true), '}')
	}
	// A node put a Go value of its own into an any.
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}

// appendMembers writes the properties of an object in order, behind others or not.
func appendMembers(b []byte, m map[string]any, first bool) []byte {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendAny(append(appendString(b, k), ':'), m[k])
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString writes a text as JSON. Characters that would mean something in
// HTML or end a line in JavaScript are escaped, so that an answer is harmless
// wherever it is pasted; invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			default:
				b = append(b, `\u00`...)
				b = append(b, hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
		case r == 0x2028 || r == 0x2029:
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&15])
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
