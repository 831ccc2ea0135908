package data

import "slices"

// A Reach is how much of a collection a store reads for a query.
type Reach uint8

const (
	Scan Reach = iota // it may be every document
	Part              // what an index finds by a part of the conditions: more than is given, as the rest is looked at in the documents, or they are sorted
	Full              // what is given, but for a constant factor
)

// Serving tells how far the indexes of a collection serve a query, and which of
// them does: that of the ids where its field is the id, none where it has no fields.
func Serving(c *Collection, q Query) (by Index, r Reach) {
	parts := conjuncts(q.Filter, nil)
	paths := func(ops ...Op) (found []string) {
		for _, p := range parts {
			if slices.Contains(ops, p.Op) {
				found = append(found, p.Path)
			}
		}
		return found
	}
	n := needs{all: len(parts), equal: paths(Eq), in: paths(In), ranged: paths(Gt, Gte, Lt, Lte, Prefix)}
	if len(q.Sort) > 0 {
		n.down = q.Sort[len(q.Sort)-1].Down
	}
	n.sorts = slices.DeleteFunc(slices.Clone(q.Sort), func(s Sort) bool { return slices.Contains(n.equal, s.Path) })
	ids := Index{Fields: []string{ID}, Unique: true}
	if r = n.by(ids); r > Scan {
		by = ids
	}
	for _, x := range c.Indexes {
		if got := n.by(x); got > r {
			by, r = x, got
		}
	}
	if r == Scan && slices.ContainsFunc(parts, func(f Filter) bool { return anyServed(c, f) }) {
		r = Part
	}
	return by, r
}

// conjuncts takes a filter apart into what must all be true.
func conjuncts(f Filter, all []Filter) []Filter {
	if f.Op != All {
		return append(all, f)
	}
	for _, of := range f.Of {
		all = conjuncts(of, all)
	}
	return all
}

// anyServed tells whether each branch of an Any has an index for itself.
func anyServed(c *Collection, f Filter) bool {
	if f.Op != Any {
		return false
	}
	return !slices.ContainsFunc(f.Of, func(of Filter) bool {
		_, r := Serving(c, Query{Filter: of})
		return r == Scan || len(conjuncts(of, nil)) == 0
	})
}

// needs are what a query asks of an index.
type needs struct {
	all               int // conditions
	equal, in, ranged []string
	sorts             []Sort // but for those of fields that are equal in all that is given
	down              bool   // the order of the ids behind them
}

// by tells how far one index serves.
func (n needs) by(x Index) Reach {
	keys, used := x.Fields, 0
	for len(keys) > 0 && slices.Contains(n.equal, keys[0]) {
		used += count(n.equal, keys[0])
		keys = keys[1:]
	}
	if x.Unique && len(keys) == 0 {
		return Full // of one document
	}
	if !x.Unique { // a unique index has no id behind its fields
		keys = append(slices.Clone(keys), ID)
	}
	narrowed := used > 0 || slices.Contains(n.in, keys[0])
	if ranged := count(n.ranged, keys[0]); ranged > 0 {
		used, narrowed = used+ranged, true
	}
	switch {
	case used == n.all && n.sorted(keys):
		return Full
	case narrowed:
		return Part
	}
	return Scan
}

// sorted tells whether documents that come in the order of keys come as asked.
func (n needs) sorted(keys []string) bool {
	order := make([]string, 0, len(n.sorts)+1)
	for _, s := range n.sorts {
		if s.Down != n.down {
			return false
		}
		order = append(order, s.Path)
	}
	if !slices.Contains(order, ID) {
		order = append(order, ID)
	}
	return len(order) <= len(keys) && slices.Equal(order, keys[:len(order)])
}

func count(paths []string, path string) (n int) {
	for _, p := range paths {
		if p == path {
			n++
		}
	}
	return n
}
