package data

import (
	"slices"
	"strings"
	"time"

	"sluice/engine"
)

// A condition is a filter as a flow writes it: its values come with each run.
type condition struct {
	op    Op
	path  string
	value any          // that stands in the flow
	slot  *engine.Slot // in place of it
	of    []*condition
	lax   bool // left out while its value is absent
}

var operators = map[string]Op{
	"eq": Eq, "ne": Ne, "gt": Gt, "gte": Gte, "lt": Lt, "lte": Lte, "in": In, "nin": Nin,
	"exists": Exists, "startsWith": Prefix, "has": Has,
}

var operatorNames = []string{"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists", "startsWith", "has"}

// filter gives the condition with the values of a run; false where nothing of
// it is left.
func (c *condition) filter(in engine.Args) (Filter, bool) {
	switch {
	case c == nil:
		return Filter{}, true
	case c.op <= Not:
		f := Filter{Op: c.op}
		for _, part := range c.of {
			if sub, ok := part.filter(in); ok {
				f.Of = append(f.Of, sub)
			}
		}
		return f, len(f.Of) > 0 || c.op == All && len(c.of) == 0
	case c.slot == nil:
		return Filter{Op: c.op, Path: c.path, Value: c.value}, true
	case c.slot.Empty(in):
		return Filter{}, false
	}
	return Filter{Op: c.op, Path: c.path, Value: stored(c.slot.Value(in))}, true
}

// stored is a value as stores compare it.
func stored(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Truncate(time.Millisecond)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = stored(item)
		}
		return list
	}
	return v
}

// shape is the filter without values, of those parts that are always there.
func (c *condition) shape() Filter {
	if c == nil {
		return Filter{}
	}
	f := Filter{Op: c.op, Path: c.path}
	for _, part := range c.of {
		if !part.lax {
			f.Of = append(f.Of, part.shape())
		}
	}
	return f
}

// conditions reads where:. It returns nil where there is none.
func (s *step) conditions(name string) *condition {
	if e, ok := s.entry(name); ok {
		return s.all(e)
	}
	return nil
}

// all reads a mapping of conditions that must all hold.
func (s *step) all(e engine.Entry) *condition {
	c := &condition{op: All}
	members, ok := e.Object()
	if !ok {
		if !e.Broken() {
			s.u.Problem(e.Pos(), "as in {category: $query.category, price: {lt: 100}}", "conditions must be a mapping of fields, fixed in the flow")
		}
		return c
	}
	for _, m := range members {
		if part := s.condition(m); part != nil {
			c.of = append(c.of, part)
		}
	}
	return c
}

func (s *step) condition(e engine.Entry) *condition {
	switch e.Name {
	case "and", "or":
		items, ok := e.List()
		if !ok || len(items) == 0 {
			s.u.Problem(e.Pos(), "as in "+e.Name+": [{status: open}, {total: {gt: 100}}]", "%s must be a list of conditions", e.Name)
			return nil
		}
		c := &condition{op: map[string]Op{"and": All, "or": Any}[e.Name]}
		for _, item := range items {
			c.of = append(c.of, s.all(item))
		}
		return c
	case "not":
		return &condition{op: Not, of: []*condition{s.all(e)}}
	}
	path, lax := strings.CutSuffix(e.Name, "?")
	t := s.of.Type.At(path)
	if t == nil {
		s.unknownField(e.At, path)
		return nil
	}
	ops, ok := e.Object()
	if !ok {
		return s.comparison(e, Eq, "eq", path, t, lax)
	}
	c := &condition{op: All}
	for _, o := range ops {
		name, laxer := strings.CutSuffix(o.Name, "?")
		op, known := operators[name]
		if !known {
			s.u.Problem(o.At, engine.DidYouMean(name, operatorNames), "there is no operator %q", name)
			continue
		}
		if part := s.comparison(o, op, name, path, t, lax || laxer); part != nil {
			c.of = append(c.of, part)
		}
	}
	c.lax = !slices.ContainsFunc(c.of, func(p *condition) bool { return !p.lax })
	return c
}

// comparison reads one comparison of a field with a value.
func (s *step) comparison(e engine.Entry, op Op, word, path string, t *engine.Type, lax bool) *condition {
	kind := formOf(t).Kind
	wanted := t
	switch {
	case op == Exists:
		there, ok := e.Literal()
		if _, isBool := there.(bool); !ok || !isBool {
			s.u.Problem(e.Pos(), "true or false, fixed in the flow", "exists must be a boolean")
			return nil
		}
		return &condition{op: op, path: path, value: there}
	case op == Has && (kind != List || !formOf(t.Items).Kind.Scalar()):
		s.u.Problem(e.At, "eq compares single values", "has is for lists of texts, numbers, booleans or times, %s is %s", path, kind.article())
		return nil
	case op == Has:
		wanted = t.Items
	case !kind.Scalar():
		s.u.Problem(e.At, "has asks a list, a dotted name such as address.city looks into an object", "%s is %s and cannot be compared", path, kind.article())
		return nil
	case kind == Truth && op != Eq && op != Ne && op != In && op != Nin:
		s.u.Problem(e.At, "eq or ne", "%s is a boolean, which %s cannot compare", path, word)
		return nil
	case op == Prefix && kind != Text:
		s.u.Problem(e.At, "gte and lt", "startsWith is for texts, %s is %s", path, kind.article())
		return nil
	}
	if _, written := e.List(); written && (op == Eq || op == Ne) {
		s.u.Problem(e.Pos(), "as in {in: [a, b]}", "%s is compared with one value", path)
		return nil
	}
	if op == In || op == Nin {
		wanted = engine.ListOf(s.compared(e, wanted), 0)
	} else if op != Prefix {
		wanted = s.compared(e, wanted)
	} else {
		wanted = textType
	}
	return &condition{op: op, path: path, slot: s.u.Slot(e, wanted, lax, path), lax: lax}
}

// compared is the type of a value to compare with: what stands in the flow must
// be what the field can be, what comes with a request can be anything of its form.
func (s *step) compared(e engine.Entry, t *engine.Type) *engine.Type {
	if _, ok := e.Literal(); ok {
		return t
	}
	if _, ok := e.List(); ok {
		return t
	}
	return t.Unbounded()
}

// article names a kind in a sentence about a field.
func (k Kind) article() string {
	switch k {
	case Record:
		return "an object"
	case List:
		return "a list"
	case Open:
		return "data of any form"
	}
	return "a " + k.String()
}

// uniquely reports conditions that more than one document can fulfil.
func (s *step) uniquely(where *condition) {
	var equal []string
	for _, f := range conjuncts(where.shape(), nil) {
		if f.Op == Eq {
			equal = append(equal, f.Path)
		}
	}
	if s.owner != nil {
		equal = append(equal, s.of.Owner)
	}
	for _, x := range s.c.Indexes {
		if x.Unique && !slices.ContainsFunc(x.Fields, func(f string) bool { return !slices.Contains(equal, f) }) {
			return
		}
	}
	e, ok := s.entry("where")
	if !ok {
		s.u.Problem(s.u.Pos(), "id:, or where: with all fields of a unique key", "the step does not say which one of %s it wants", s.c.Name)
		return
	}
	s.u.Problem(e.Pos(), "name all fields of a unique key with one value each, or list with data.find", "more than one of %s can be like this", s.c.Name)
}

// served warns where no index serves a query.
func (s *step) served(where *condition, o ordering) {
	f := where.shape()
	if s.owner != nil {
		f = Filter{Op: All, Of: []Filter{{Op: Eq, Path: s.of.Owner}, f}}
	}
	for _, sorts := range o.all() {
		if _, reach := Serving(s.c, Query{Filter: f, Sort: sorts}); reach > Scan {
			continue
		}
		var fields []string
		for _, part := range conjuncts(f, nil) {
			if part.Op == Eq && !slices.Contains(fields, part.Path) {
				fields = append(fields, part.Path)
			}
		}
		for _, sort := range sorts {
			if !slices.Contains(fields, sort.Path) {
				fields = append(fields, sort.Path)
			}
		}
		hint := "an index serves equality, ranges and the order that it begins with"
		if len(fields) > 0 {
			hint = "indexes: [[" + strings.Join(fields, ", ") + "]] in types.yaml"
		}
		e, _ := s.entry("collection")
		s.u.Warn(e.Pos(), hint, "no index of %s serves this step, it reads every document", s.c.Name)
		return
	}
}

// An ordering is how a step sorts: fixed, or one of several that a value of the
// request chooses from.
type ordering struct {
	fixed []Sort
	slot  *engine.Slot
	words []string // that the value can be
	by    map[string][]Sort
}

func (o ordering) of(in engine.Args) []Sort {
	if o.slot == nil {
		return o.fixed
	}
	return o.by[text(o.slot, in)]
}

// all lists every order that there can be.
func (o ordering) all() [][]Sort {
	if o.slot == nil {
		return [][]Sort{o.fixed}
	}
	var all [][]Sort
	for _, word := range o.words {
		all = append(all, o.by[word])
	}
	return all
}

// order reads sort:.
func (s *step) order() (o ordering) {
	e, ok := s.entry("sort")
	if !ok || e.Broken() {
		return o
	}
	if items, ok := e.List(); ok {
		for _, item := range items {
			word, _ := item.Text()
			o.fixed = s.sort(item.Pos(), word, o.fixed)
		}
		return o
	}
	t := s.u.Likely(e)
	if t == nil || t.Base != engine.String || len(t.Enum) == 0 {
		s.u.Problem(e.Pos(), "as in [-price, name], or a reference to a text with an enum of fields", "sort must name fields, fixed in the flow")
		return o
	}
	o.words, o.by = t.Enum, map[string][]Sort{}
	for _, word := range t.Enum {
		o.by[word] = s.sort(e.Pos(), word, nil)
	}
	o.slot = s.u.Slot(e, textType, true, "sort")
	return o
}

// sort reads one field to sort by, behind others.
func (s *step) sort(at engine.Pos, word string, sorts []Sort) []Sort {
	path, down := strings.CutPrefix(word, "-")
	t := s.of.Type.At(path)
	switch {
	case t == nil:
		s.unknownField(at, path)
	case !formOf(t).Kind.Scalar():
		s.u.Problem(at, "a text, a number, a boolean or a time", "%s is %s and cannot be sorted by", path, formOf(t).Kind.article())
	case slices.ContainsFunc(sorts, func(b Sort) bool { return b.Path == path }):
		s.u.Problem(at, "", "%s is sorted by twice", path)
	default:
		sorts = append(sorts, Sort{Path: path, Down: down})
	}
	return sorts
}
