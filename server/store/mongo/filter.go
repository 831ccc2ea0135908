package mongo

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes/data"
)

// comparing are the operators that compare a field with one value. With a field
// that is not there they are as the contract wants it: $ne is true, the rest are
// false.
var comparing = map[data.Op]string{
	data.Eq: "$eq", data.Ne: "$ne", data.Gt: "$gt", data.Gte: "$gte", data.Lt: "$lt", data.Lte: "$lte",
}

// filterOf is a filter as the database takes it. Names come from the filter's
// paths alone, which an app declares.
func filterOf(f data.Filter) (bson.D, error) {
	at := place(f.Path)
	switch f.Op {
	case data.All, data.Any, data.Not:
		return joined(f)
	case data.In, data.Nin:
		list, err := scalars(f.Value)
		if err != nil {
			return nil, err
		}
		operator := "$in"
		if f.Op == data.Nin {
			operator = "$nin"
		}
		return where(condition(at, operator, list)), nil
	case data.Exists:
		there, ok := f.Value.(bool)
		if !ok {
			return nil, errValue(f.Value)
		}
		return where(exists(at, there)), nil
	case data.Prefix:
		text, ok := f.Value.(string)
		if !ok {
			return nil, errValue(f.Value)
		}
		if end, ok := after(text); ok {
			return all(where(condition(at, "$gte", text)), where(below(at, end))), nil
		}
		return where(condition(at, "$gte", text)), nil
	case data.Has:
		v, err := scalar(f.Value)
		// Without $elemMatch it would be true for a field that is the value.
		return where(condition(at, "$elemMatch", bson.D{{Key: "$eq", Value: v}})), err
	}
	operator, ok := comparing[f.Op]
	if !ok {
		return nil, fmt.Errorf("filter has the unknown operator %d", f.Op)
	}
	v, err := scalar(f.Value)
	return where(condition(at, operator, v)), err
}

// joined is the filter that joins others.
func joined(f data.Filter) (bson.D, error) {
	var parts []bson.D
	for _, part := range f.Of {
		p, err := filterOf(part)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	switch {
	case f.Op == data.All:
		return all(parts...), nil
	case f.Op == data.Any:
		return some(parts...), nil
	case len(parts) != 1:
		return nil, fmt.Errorf("filter negates %d others, want 1", len(parts))
	}
	return where(bson.E{Key: "$nor", Value: bson.A{parts[0]}}), nil
}

// all is the filter that is true where all of some are. Those that are always
// true it leaves out.
func all(parts ...bson.D) bson.D {
	parts = slices.DeleteFunc(parts, func(p bson.D) bool { return len(p) == 0 })
	switch len(parts) {
	case 0:
		return bson.D{} // the driver takes nil for a mistake
	case 1:
		return parts[0]
	}
	return where(bson.E{Key: "$and", Value: parts})
}

// some is the filter that is true where one of some is.
func some(parts ...bson.D) bson.D {
	switch len(parts) {
	case 0:
		return never()
	case 1:
		return parts[0]
	}
	return where(bson.E{Key: "$or", Value: parts})
}

// never is a filter that is false for all, as MongoDB knows without looking.
func never() bson.D { return where(condition("_id", "$in", bson.A{})) }

func exists(field string, there bool) bson.E { return condition(field, "$exists", there) }

// scalar is a value as the database has it. It is none that could have
// operators in it.
func scalar(value any) (any, error) {
	switch v := value.(type) {
	case string, int64, float64, bool:
		return v, nil
	case time.Time:
		return date(v), nil
	}
	return nil, errValue(value)
}

func scalars(value any) (bson.A, error) {
	values, ok := value.([]any)
	if !ok {
		return nil, errValue(value)
	}
	list := bson.A{}
	for _, v := range values {
		s, err := scalar(v)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// errValue says that a filter or change has a value that the contract does not
// know. It does not repeat the value.
func errValue(v any) error { return fmt.Errorf("a value is a %T, want one of a field's kind", v) }

// after returns the first text behind all that begin with a prefix. There is
// none behind the empty one, nor behind those of the last code points.
func after(prefix string) (string, bool) {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		if last == utf8.MaxRune {
			continue
		}
		last++
		if last == 0xD800 { // of the surrogates, which no text has
			last = 0xE000
		}
		return prefix + string(last), true
	}
	return "", false
}

// order is how the database sorts documents: no place in it twice, and nothing
// behind the id.
type order []turn

type turn struct {
	at    string // place
	down  bool
	after any // value of the document behind which to begin; nil for none
}

// orderOf is the order of a query.
func orderOf(q data.Query) (order, error) {
	if len(q.After) > 0 && len(q.After) != len(q.Sort)+1 {
		return nil, fmt.Errorf("query begins behind %d values, want %d", len(q.After), len(q.Sort)+1)
	}
	sorts := append(slices.Clone(q.Sort), data.Sort{Path: data.ID})
	if n := len(q.Sort); n > 0 {
		sorts[n].Down = sorts[n-1].Down // so that an index serves both ways
	}
	var o order
	for i, s := range sorts {
		t := turn{at: place(s.Path), down: s.Down}
		if slices.ContainsFunc(o, func(u turn) bool { return u.at == t.at || u.at == "_id" }) {
			continue
		}
		if len(q.After) > 0 && q.After[i] != nil {
			var err error
			if t.after, err = scalar(q.After[i]); err != nil {
				return nil, err
			}
		}
		o = append(o, t)
	}
	return o, nil
}

// sort is the order as the database takes it. Documents without a field are
// before those with it, which is as the contract wants it.
func (o order) sort() bson.D {
	var by bson.D
	for _, t := range o {
		direction := int32(1)
		if t.down {
			direction = -1
		}
		by = append(by, bson.E{Key: t.at, Value: direction})
	}
	return by
}

// behind is the filter of what is behind the document where a page ended. It
// repeats the query's own filter in each part, so that the database can read each
// part in the order of an index, and merge them.
func (o order) behind(filter bson.D) bson.D {
	var parts []bson.D
	same := []bson.D{filter}
	for _, t := range o {
		for _, more := range t.beyond() {
			parts = append(parts, all(append(slices.Clone(same), more)...))
		}
		if t.after == nil {
			same = append(same, where(exists(t.at, false)))
		} else {
			same = append(same, where(is(t.at, t.after)))
		}
	}
	return some(parts...)
}

// beyond are the filters of what comes later by one field.
func (t turn) beyond() []bson.D {
	switch {
	case t.after == nil && t.down: // those without it are the last
		return nil
	case t.after == nil:
		return []bson.D{where(exists(t.at, true))}
	case t.down && t.at == "_id":
		return []bson.D{where(below(t.at, t.after))}
	case t.down:
		return []bson.D{where(below(t.at, t.after)), where(exists(t.at, false))}
	}
	return []bson.D{where(above(t.at, t.after))}
}
