package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Split puts a body into the one form that it has whichever store it comes from:
// members in the order of the fields and without nulls, numbers and texts as
// encoding/json writes them, nothing between them. What does not fit the fields,
// as they were others when it was written, is in rest: an object of whole members of
// the body, sorted by name, or nil where there is none.
func Split(fields []Field, body []byte) (proper, rest []byte, err error) {
	all, err := members(body)
	if err != nil {
		return nil, nil, err
	}
	var fit, others []member
	for _, m := range all {
		switch i := fieldAt(fields, m.name); {
		case isNull(m.raw):
		case i < 0:
			others = append(others, m)
		default:
			if raw, ok := canonical(&fields[i], m.raw); ok {
				fit = append(fit, member{name: m.name, raw: raw})
			} else {
				others = append(others, m)
			}
		}
	}
	slices.SortFunc(others, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	for i, m := range others {
		if others[i].raw, err = compact(m.raw); err != nil {
			return nil, nil, err
		}
	}
	if others != nil {
		rest = object(others)
	}
	return ordered(fields, fit), rest, nil
}

// Join puts together what Split took apart.
func Join(proper, rest []byte) ([]byte, error) {
	all, err := members(proper)
	if err != nil {
		return nil, err
	}
	more, err := members(rest)
	if err != nil {
		return nil, err
	}
	for _, m := range more {
		if !slices.ContainsFunc(all, func(o member) bool { return o.name == m.name }) {
			all = append(all, m)
		}
	}
	return object(all), nil
}

func fieldAt(fields []Field, name string) int {
	return slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
}

// ordered is the object of members in the order of their fields.
func ordered(fields []Field, all []member) []byte {
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(fieldAt(fields, a.name), fieldAt(fields, b.name)) })
	return object(all)
}

func object(all []member) []byte {
	b := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(m.name)...), ':'), m.raw...)
	}
	return append(b, '}')
}

func compact(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	return b.Bytes(), nil
}

// canonical is a value of a field in its one form, unless it does not fit.
func canonical(f *Field, raw []byte) ([]byte, bool) {
	switch f.Kind {
	case Text, Time:
		text, ok := unquote(raw)
		if f.Kind == Time && ok {
			at, err := time.Parse(TimeLayout, text)
			ok = err == nil && at.Format(TimeLayout) == text
		}
		return quote(text), ok
	case Whole:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return strconv.AppendInt(nil, n, 10), err == nil
	case Decimal:
		d, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || math.IsInf(d, 0) || math.IsNaN(d) {
			return nil, false
		}
		text, err := json.Marshal(d)
		return text, err == nil && sameWhole(raw, d)
	case Truth:
		return raw, isTruth(raw)
	case Record:
		return canonicalRecord(f, raw)
	case List:
		return canonicalList(f, raw)
	}
	text, err := compact(raw)
	return text, err == nil
}

// sameWhole tells of a number whether, where it is a whole one, it is d to the
// last digit: one that was written before its field became a decimal can have
// more digits than that holds.
func sameWhole(raw []byte, d float64) bool {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return err != nil || d > -1<<63 && d < 1<<63 && int64(d) == n
}

func canonicalRecord(f *Field, raw []byte) ([]byte, bool) {
	all, err := members(raw)
	if err != nil {
		return nil, false
	}
	kept := all[:0]
	for _, m := range all {
		if isNull(m.raw) {
			continue
		}
		i := fieldAt(f.Fields, m.name)
		if i < 0 {
			return nil, false
		}
		var ok bool
		if m.raw, ok = canonical(&f.Fields[i], m.raw); !ok {
			return nil, false
		}
		kept = append(kept, m)
	}
	return ordered(f.Fields, kept), true
}

func canonicalList(f *Field, raw []byte) ([]byte, bool) {
	all, err := items(raw)
	if err != nil {
		return nil, false
	}
	b := []byte{'['}
	for i, item := range all {
		item, ok := canonical(f.Items, item)
		if !ok || isNull(item) {
			return nil, false
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']'), true
}
