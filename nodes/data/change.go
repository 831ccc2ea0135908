package data

import (
	"math"
	"slices"
	"strings"

	"sluice/engine"
)

// change reads what data.update does to a document.
func (s *step) change() func(engine.Args) Change {
	var parts []func(engine.Args, *Change)
	var touched []string
	for _, word := range []string{"set", "unset", "inc", "push", "pull"} {
		e, ok := s.entry(word)
		if !ok || e.Broken() {
			continue
		}
		switch word {
		case "set":
			if p := s.setWhole(e); p != nil {
				parts = append(parts, p)
				continue
			}
		case "unset":
			parts = append(parts, s.unset(e, &touched))
			continue
		}
		members, ok := e.Object()
		if !ok {
			s.u.Problem(e.Pos(), "as in {stock: 3}", "%s must be a mapping of fields", word)
			continue
		}
		for _, m := range members {
			if p := s.part(word, m, &touched); p != nil {
				parts = append(parts, p)
			}
		}
	}
	if len(parts) == 0 && len(s.given) > 0 {
		s.u.Problem(s.u.Pos(), "set, unset, inc, push or pull", "the change changes nothing")
	}
	return func(in engine.Args) (c Change) {
		for _, p := range parts {
			p(in, &c)
		}
		return c
	}
}

// setWhole reads set: of a reference to an object: what is there in it is set.
// It returns nil where the fields are written out.
func (s *step) setWhole(e engine.Entry) func(engine.Args, *Change) {
	if _, written := e.Object(); written {
		return nil
	}
	var props []*engine.Prop
	for _, p := range s.of.Fields.Props {
		if s.owner == nil || p.Name != s.of.Owner {
			props = append(props, &engine.Prop{Name: p.Name, Doc: p.Doc, Type: p.Type, Optional: true})
		}
	}
	t := engine.NewType("", props...)
	slot := s.u.Slot(e, t, false, "set")
	s.keeps(e, t)
	if from := s.u.Likely(e); from != nil {
		for _, p := range from.Props {
			s.mayTake(p.Name)
		}
	}
	return func(in engine.Args, c *Change) {
		all, err := members(slot.AppendJSON(nil, in))
		if err != nil {
			return // what the engine writes is JSON
		}
		for _, m := range all {
			c.Set = append(c.Set, Set{Path: m.name, JSON: m.raw})
		}
	}
}

// field finds the field that a part of a change names, and notes that it does.
func (s *step) field(at engine.Pos, path string, touched *[]string) *engine.Type {
	t := s.of.Fields.At(path)
	switch {
	case t == nil && s.of.Type.At(path) != nil:
		s.u.Problem(at, "", "%s changes by itself", path)
		return nil
	case t == nil:
		s.unknownField(at, path)
		return nil
	case path == s.of.Owner && s.owner != nil:
		s.u.Problem(at, "everyone: true reaches the documents of everyone, and can", "a step that reaches the documents of one owner cannot give them to another")
		return nil
	}
	if other := overlap(path, *touched); other != "" {
		s.u.Problem(at, "one change of a field, or of what is in it", "%s is changed by %s already", path, other)
		return nil
	}
	*touched = append(*touched, path)
	s.mayTake(path)
	return t
}

// part reads one field of set, inc, push or pull.
func (s *step) part(word string, e engine.Entry, touched *[]string) func(engine.Args, *Change) {
	path, lax := strings.CutSuffix(e.Name, "?")
	t := s.field(e.At, path, touched)
	if t == nil {
		return nil
	}
	switch word {
	case "inc":
		return s.inc(e, path, t, lax)
	case "push":
		return s.push(e, path, t, lax)
	case "pull":
		if t.Base != engine.Array || !formOf(t.Items).Kind.Scalar() {
			s.u.Problem(e.At, "a list of texts, numbers, booleans or times", "pull takes items out of a list of scalars, %s is none", path)
			return nil
		}
		slot := s.u.Slot(e, t.Items.Unbounded(), lax, path)
		return func(in engine.Args, c *Change) {
			if !slot.Empty(in) {
				c.Pull = append(c.Pull, Pull{Path: path, JSON: slot.AppendJSON(nil, in)})
			}
		}
	}
	slot := s.u.Slot(e, t, lax, path)
	return func(in engine.Args, c *Change) {
		if !slot.Empty(in) {
			c.Set = append(c.Set, Set{Path: path, JSON: slot.AppendJSON(nil, in)})
		}
	}
}

func (s *step) inc(e engine.Entry, path string, t *engine.Type, lax bool) func(engine.Args, *Change) {
	if t.Base != engine.Integer && t.Base != engine.Number || t.Step != nil || len(t.Enum) > 0 {
		s.u.Problem(e.At, "set gives it another value", "inc is for numbers without multipleOf and enum, %s is none", path)
		return nil
	}
	least, most := bounds(t)
	s.ways[Unmet] = true // at the latest where 64 bits end
	slot := s.u.Slot(e, t.Unbounded(), lax, path)
	return func(in engine.Args, c *Change) {
		if by := slot.Value(in); by != nil {
			c.Inc = append(c.Inc, Inc{Path: path, By: by, Least: least, Most: most})
		}
	}
}

// bounds are the least and the greatest value of a number, or nil.
func bounds(t *engine.Type) (least, most any) {
	whole := t.Base == engine.Integer
	if v, exclusive := tighter(t.Min, t.Above, 1); v != nil {
		switch {
		case whole && exclusive:
			least = int64(math.Floor(*v)) + 1
		case whole:
			least = int64(math.Ceil(*v))
		case exclusive:
			least = math.Nextafter(*v, math.Inf(1))
		default:
			least = *v
		}
	}
	if v, exclusive := tighter(t.Max, t.Below, -1); v != nil {
		switch {
		case whole && exclusive:
			most = int64(math.Ceil(*v)) - 1
		case whole:
			most = int64(math.Floor(*v))
		case exclusive:
			most = math.Nextafter(*v, math.Inf(-1))
		default:
			most = *v
		}
	}
	return least, most
}

// tighter returns the stronger of an inclusive and an exclusive bound.
func tighter(inclusive, exclusive *float64, sign float64) (v *float64, isExclusive bool) {
	if exclusive == nil || inclusive != nil && (*inclusive-*exclusive)*sign > 0 {
		return inclusive, false
	}
	return exclusive, true
}

// push adds one item to a list, or the items of a list.
func (s *step) push(e engine.Entry, path string, t *engine.Type, lax bool) func(engine.Args, *Change) {
	if t.Base != engine.Array {
		s.u.Problem(e.At, "", "push adds to a list, %s is %s", path, formOf(t).Kind.article())
		return nil
	}
	wanted, several := t.Items, false
	if likely := s.u.Likely(e); likely != nil && likely.Base == engine.Array && t.Items.Base != engine.Array {
		wanted, several = engine.ListOf(t.Items, 0), true
	}
	most := 0
	if t.Max != nil {
		most = int(*t.Max)
		s.ways[Unmet] = true
	}
	slot := s.u.Slot(e, wanted, lax, path)
	return func(in engine.Args, c *Change) {
		if slot.Empty(in) {
			return
		}
		p := Push{Path: path, Unique: t.Unique, Most: most, JSON: [][]byte{slot.AppendJSON(nil, in)}}
		if several {
			p.JSON, _ = items(p.JSON[0]) // what the engine writes is JSON
		}
		c.Push = append(c.Push, p)
	}
}

// unset takes optional fields away.
func (s *step) unset(e engine.Entry, touched *[]string) func(engine.Args, *Change) {
	names, ok := e.List()
	if !ok || len(names) == 0 {
		s.u.Problem(e.Pos(), "as in [note]", "unset must be a list of fields")
	}
	var paths []string
	for _, item := range names {
		path, _ := item.Text()
		if s.field(item.Pos(), path, touched) == nil {
			continue
		}
		if f, _ := s.c.Field(path); !f.Optional {
			s.u.Problem(item.Pos(), "only optional fields can be taken away", "every one of %s has %s", s.c.Name, path)
			continue
		}
		paths = append(paths, path)
	}
	paths = slices.Clip(paths)
	return func(_ engine.Args, c *Change) { c.Unset = append(c.Unset, paths...) }
}
