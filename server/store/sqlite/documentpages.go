package sqlite

import (
	"errors"
	"fmt"
	"slices"

	"sluice/nodes/data"
)

// selects returns the statements that give the documents of a query, one after
// the other. The first page is of one. A later page begins behind a document:
// first come those with the same values in all sorts and a greater id, then
// those with the same values in all but the last, and so on. Each is one range of
// an index, which no condition over all of them would be.
func selects(c *data.Collection, q data.Query) ([]statementText, error) {
	if len(q.After) == 0 {
		s, err := selectRange(c, q, nil)
		return []statementText{s}, err
	}
	if len(q.After) != len(q.Sort)+1 {
		return nil, errors.New("a position has a value for each sort, and the id")
	}
	var all []statementText
	for level := len(q.Sort); level >= 0; level-- {
		same := make([]step, level, level+1)
		for i := range same {
			same[i] = step{keyAt(q, i), "= ?", q.After[i]}
		}
		for _, next := range behind(c, keyAt(q, level), q.After[level]) {
			s, err := selectRange(c, q, append(slices.Clone(same), next))
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// keyAt is the sort at a level; the last is that of the id.
func keyAt(q data.Query, level int) data.Sort {
	if level < len(q.Sort) {
		return q.Sort[level]
	}
	return data.Sort{Path: data.ID, Down: level > 0 && q.Sort[level-1].Down}
}

const isNull = "IS NULL"

// A step is a condition on where a document stands.
type step struct {
	key data.Sort
	is  string // operator with a parameter for the value, or with nil NULL
	v   any
}

// behind are the steps from a value of a key to all that come later, in order.
func behind(c *data.Collection, key data.Sort, v any) []step {
	field, _ := c.Field(key.Path)
	switch {
	case key.Down && v == nil:
		return nil // those that lack it come last
	case key.Down && (field.Name == key.Path && isOwn(key.Path)):
		return []step{{key, "< ?", v}}
	case key.Down:
		return []step{{key, "< ?", v}, {key, isNull, nil}}
	case v == nil && (field.Kind == data.Text || field.Kind == data.Time):
		return []step{{key, ">= ''", nil}} // all that is there, as a range
	case v == nil:
		return []step{{key, ">= -9e999", nil}}
	}
	return []step{{key, "> ?", v}}
}

// isOwn tells whether a path is of a field that every document has.
func isOwn(path string) bool {
	return path == data.ID || path == data.Version || path == data.Created || path == data.Updated
}

// selectRange writes the statement of one range: the steps, the filter, and the
// order by the sorts that the steps leave open.
func selectRange(c *data.Collection, q data.Query, steps []step) (statementText, error) {
	level := len(steps)
	w := words{collection: c}
	if len(steps) > 0 {
		last := steps[len(steps)-1]
		w.muted = last.key
		if last.is != isNull {
			level--
		}
	}
	w.put("SELECT " + documentColumns + " FROM " + tableOf(c) + " WHERE ")
	for _, s := range steps {
		col, field, err := column(c, s.key.Path)
		if err != nil {
			return statementText{}, fmt.Errorf("sorting: %w", err)
		}
		switch {
		case s.v != nil:
			v, err := bind(field, s.v)
			if err != nil {
				return statementText{}, fmt.Errorf("position by %s: %w", s.key.Path, err)
			}
			w.put(col+" "+s.is+" AND ", v)
		case s.is == "= ?":
			w.put(col + " " + isNull + " AND ")
		default:
			w.put(col + " " + s.is + " AND ")
		}
	}
	if err := w.filter(q.Filter); err != nil {
		return statementText{}, err
	}
	if err := w.order(q, level); err != nil {
		return statementText{}, err
	}
	return statementText{w.text.String(), w.args}, nil
}

// order writes ORDER BY and LIMIT. What is equal in all that is found is left
// out: SQLite does not see that of expressions by itself.
func (w *words) order(q data.Query, level int) error {
	between := " ORDER BY "
	for ; level <= len(q.Sort); level++ {
		key := keyAt(q, level)
		if equal(q.Filter, key.Path) {
			continue
		}
		col, field, err := column(w.collection, key.Path)
		if err == nil && !field.Kind.Scalar() {
			err = fmt.Errorf("%s is no single value", key.Path)
		}
		if err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		w.put(between + col)
		if key.Down {
			w.put(" DESC")
		}
		between = ", "
		if key.Path == data.ID {
			break // no two are the same
		}
	}
	w.put(" LIMIT ?")
	return nil
}

// equal tells whether a filter says that a field is one value.
func equal(f data.Filter, path string) bool {
	if f.Op == data.All {
		return slices.ContainsFunc(f.Of, func(of data.Filter) bool { return equal(of, path) })
	}
	return f.Op == data.Eq && f.Path == path
}
