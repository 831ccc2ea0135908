package data

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Match tells whether a filter is true for a document. It is what stores mean
// by a filter, in whatever words they put it to their database.
func Match(d Document, f Filter) bool {
	switch f.Op {
	case All:
		return !slices.ContainsFunc(f.Of, func(of Filter) bool { return !Match(d, of) })
	case Any:
		return slices.ContainsFunc(f.Of, func(of Filter) bool { return Match(d, of) })
	case Not:
		return !Match(d, Filter{Of: f.Of})
	}
	raw := d.find(f.Path)
	if f.Op == Exists {
		return (raw != nil) == (f.Value == true)
	}
	return compares(raw, f)
}

// compares tells whether a comparison is true for a value, which is nil where
// it is not there.
func compares(raw []byte, f Filter) bool {
	order, ok := 0, false
	switch f.Op {
	case Ne, Nin:
		return !compares(raw, Filter{Op: f.Op - Ne + Eq, Value: f.Value})
	case In:
		values, _ := f.Value.([]any)
		return slices.ContainsFunc(values, func(v any) bool { return compares(raw, Filter{Op: Eq, Value: v}) })
	case Has:
		list, _ := items(raw) // of a list that is none nothing is an item
		return slices.ContainsFunc(list, func(item []byte) bool { return compares(item, Filter{Op: Eq, Value: f.Value}) })
	case Prefix:
		text, there := unquote(raw)
		prefix, isText := f.Value.(string)
		return there && isText && strings.HasPrefix(text, prefix)
	}
	if order, ok = against(raw, f.Value); !ok {
		return false
	}
	switch f.Op {
	case Eq:
		return order == 0
	case Gt:
		return order > 0
	case Gte:
		return order >= 0
	case Lt:
		return order < 0
	case Lte:
		return order <= 0
	}
	return false
}

// against orders a value in JSON against one in Go. It is not ok where they are
// of different kinds.
func against(raw []byte, v any) (order int, ok bool) {
	switch v := v.(type) {
	case string:
		text, ok := unquote(raw)
		return strings.Compare(text, v), ok
	case int64:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return cmp.Compare(n, v), err == nil
	case float64:
		n, err := strconv.ParseFloat(string(raw), 64)
		return cmp.Compare(n, v), err == nil && v == v
	case bool:
		return Compare(string(raw) == "true", v), isTruth(raw)
	case time.Time:
		text, ok := unquote(raw)
		return strings.Compare(text, v.UTC().Format(TimeLayout)), ok
	}
	return 0, false
}

func isTruth(raw []byte) bool { return string(raw) == "true" || string(raw) == "false" }

// find returns the JSON at a path, or nil for what is not there.
func (d Document) find(path string) []byte {
	switch path {
	case ID:
		return quote(d.ID)
	case Version:
		return strconv.AppendInt(nil, d.Version, 10)
	case Created:
		return appendTime(d.Created)
	case Updated:
		return appendTime(d.Updated)
	}
	return find(d.Body, path)
}

func appendTime(t time.Time) []byte { return t.UTC().AppendFormat(nil, `"`+TimeLayout+`"`) }

// Value returns what a scalar field of a document holds, as filters have it, or
// nil where it is not there.
func Value(c *Collection, d Document, path string) any {
	f, ok := c.Field(path)
	if !ok {
		return nil
	}
	raw := d.find(path)
	switch f.Kind {
	case Text:
		if text, ok := unquote(raw); ok {
			return text
		}
	case Whole:
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return n
		}
	case Decimal:
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return n
		}
	case Truth:
		if isTruth(raw) {
			return string(raw) == "true"
		}
	case Time:
		text, _ := unquote(raw)
		if t, err := time.Parse(TimeLayout, text); err == nil {
			return t
		}
	}
	return nil
}

// Keys returns where a document stands in an order: the values of the sorts'
// fields, nil for those that are not there, and the id.
func Keys(c *Collection, sorts []Sort, d Document) []any {
	keys := make([]any, 0, len(sorts)+1)
	for _, s := range sorts {
		keys = append(keys, Value(c, d, s.Path))
	}
	return append(keys, d.ID)
}

// CompareKeys orders two documents by their [Keys], as [cmp.Compare] orders
// numbers. Both are of as many as there are sorts, and one.
func CompareKeys(sorts []Sort, a, b []any) int {
	down := false
	for i := range a {
		if i < len(sorts) {
			down = sorts[i].Down
		}
		if order := Compare(a[i], b[i]); order != 0 && down {
			return -order
		} else if order != 0 {
			return order
		}
	}
	return 0
}

// Compare orders two values of one kind, as [cmp.Compare] orders numbers. Nil,
// which is not there, comes first. Times compare by the millisecond.
func Compare(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	switch a := a.(type) {
	case string:
		b, _ := b.(string)
		return strings.Compare(a, b)
	case int64:
		b, _ := b.(int64)
		return cmp.Compare(a, b)
	case float64:
		b, _ := b.(float64)
		return cmp.Compare(a, b)
	case time.Time:
		b, _ := b.(time.Time)
		return cmp.Compare(a.UnixMilli(), b.UnixMilli())
	case bool:
		switch b, _ := b.(bool); {
		case a == b:
			return 0
		case b:
			return -1
		}
		return 1
	}
	return 0
}
