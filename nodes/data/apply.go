package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Admit tells whether a target's conditions hold of the document with its id:
// nil, ErrNotFound, ErrStale or ErrUnmet.
func (t Target) Admit(d Document) error {
	switch {
	case !Match(d, t.Scope):
		return ErrNotFound
	case t.Version != 0 && t.Version != d.Version:
		return ErrStale
	case !Match(d, t.If):
		return ErrUnmet
	}
	return nil
}

// Apply returns what a document is after a change at a moment: its version is
// one more. It returns ErrUnmet, or another error where the change does not fit
// the document. What the change does not name stays as it is, to the byte; d is
// left alone.
func Apply(d Document, change Change, now time.Time) (Document, error) {
	if d.Body == nil {
		d.Body = []byte("{}")
	}
	edits := make([]edit, 0, len(change.Set)+len(change.Unset)+len(change.Inc)+len(change.Push)+len(change.Pull))
	for _, s := range change.Set {
		edits = append(edits, edit{s.Path, s.on})
	}
	for _, path := range change.Unset {
		edits = append(edits, edit{path, func([]byte) ([]byte, error) { return nil, nil }})
	}
	for _, i := range change.Inc {
		edits = append(edits, edit{i.Path, i.on})
	}
	for _, p := range change.Push {
		edits = append(edits, edit{p.Path, p.on})
	}
	for _, p := range change.Pull {
		edits = append(edits, edit{p.Path, p.on})
	}
	for _, e := range edits {
		body, err := e.in(d.Body, e.path)
		if err != nil {
			return Document{}, fmt.Errorf("changing %s: %w", e.path, err)
		}
		d.Body = body
	}
	d.Version++
	d.Updated = now
	return d, nil
}

// An edit changes what is at a path.
type edit struct {
	path string
	on   func(old []byte) ([]byte, error) // nil is what is not there
}

// in makes the edit in an object, and returns it anew. An object that is not
// there, which is nil, stays so unless something comes into it.
func (e edit) in(object []byte, path string) ([]byte, error) {
	all, err := members(object)
	if err != nil {
		return nil, err
	}
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(all, func(m member) bool { return m.name == name })
	var old, next []byte
	if i >= 0 {
		old = present(all[i].raw)
	}
	if deeper {
		next, err = e.in(old, rest)
	} else {
		next, err = e.on(old)
	}
	switch {
	case err != nil:
		return nil, err
	case next == nil && i < 0:
		return object, nil
	case next == nil:
		all = slices.Delete(all, i, i+1)
	case i < 0:
		all = append(all, member{key: quote(name), raw: next})
	default:
		all[i].raw = next
	}
	return objectOf(all), nil
}

func objectOf(all []member) []byte {
	text := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, m.key...), ':'), m.raw...)
	}
	return append(text, '}')
}

func listOf(all [][]byte) []byte {
	return slices.Concat([]byte{'['}, bytes.Join(all, []byte{','}), []byte{']'})
}

// valid returns a value for the inside of a document, or an error where it would tear it.
func valid(raw []byte) ([]byte, error) {
	if !json.Valid(raw) {
		return nil, errForm
	}
	return bytes.TrimSpace(raw), nil
}

func (s Set) on([]byte) ([]byte, error) {
	raw, err := valid(s.JSON)
	return present(raw), err
}

func (i Inc) on(old []byte) ([]byte, error) {
	if old == nil {
		old = []byte{'0'}
	}
	switch by := i.By.(type) {
	case int64:
		n, err := strconv.ParseInt(string(old), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("adding to what is no whole number: %w", errForm)
		}
		sum := n + by
		if (sum > n) != (by > 0) && by != 0 || i.beyond(sum) {
			return nil, ErrUnmet
		}
		return strconv.AppendInt(nil, sum, 10), nil
	case float64:
		n, err := strconv.ParseFloat(string(old), 64)
		if err != nil {
			return nil, fmt.Errorf("adding to what is no number: %w", errForm)
		}
		sum := n + by
		if math.IsInf(sum, 0) || math.IsNaN(sum) || i.beyond(sum) {
			return nil, ErrUnmet
		}
		return json.Marshal(sum)
	}
	return nil, fmt.Errorf("adding a %T, which is no number", i.By)
}

// beyond tells whether a sum is outside of the bounds.
func (i Inc) beyond(sum any) bool {
	return i.Least != nil && Compare(sum, i.Least) < 0 || i.Most != nil && Compare(sum, i.Most) > 0
}

func (p Push) on(old []byte) ([]byte, error) {
	list, err := items(old)
	if err != nil {
		return nil, err
	}
	had := len(list)
	for _, item := range p.JSON {
		item, err := valid(item)
		if err != nil {
			return nil, err
		}
		if p.Unique && slices.ContainsFunc(list, func(there []byte) bool { return same(there, item) }) {
			continue
		}
		list = append(list, item)
	}
	if p.Most > 0 && len(list) > max(p.Most, had) {
		return nil, ErrUnmet
	}
	return listOf(list), nil
}

func (p Pull) on(old []byte) ([]byte, error) {
	if old == nil {
		return nil, nil
	}
	list, err := items(old)
	if err != nil {
		return nil, err
	}
	gone, err := valid(p.JSON)
	if err != nil {
		return nil, err
	}
	return listOf(slices.DeleteFunc(list, func(there []byte) bool { return same(there, gone) })), nil
}

// same tells whether two scalars in JSON are of one value, however they are
// written. Records and lists are the same only to the byte.
func same(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if text, ok := unquote(a); ok {
		other, isText := unquote(b)
		return isText && text == other
	}
	if n, err := strconv.ParseInt(string(a), 10, 64); err == nil {
		if m, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			return n == m
		}
	}
	n, err := strconv.ParseFloat(string(a), 64)
	m, errB := strconv.ParseFloat(string(b), 64)
	return err == nil && errB == nil && n == m
}
