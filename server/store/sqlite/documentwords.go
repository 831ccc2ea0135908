package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/nodes/data"
)

// tableOf is the name of a collection's table. SQLite does not tell capitals from
// small letters, so that an item of orderItems is in doc_order_items.
func tableOf(c *data.Collection) string {
	name := []byte("doc_")
	for _, r := range []byte(c.Name) {
		if 'A' <= r && r <= 'Z' {
			name = append(name, '_', r-'A'+'a')
		} else {
			name = append(name, r)
		}
	}
	return string(name)
}

// A statementText is a statement with the values of its parameters, but for the limit.
type statementText struct {
	text string
	args []any
}

// words put conditions on documents of a collection into SQL. Of a query they
// hold the paths, which the collection declares, and never a value.
type words struct {
	collection *data.Collection
	text       strings.Builder
	args       []any
	muted      data.Sort // bounds that way on this field are no use to an index, as the place of a page is nearer
}

// column is what is at a path, as indexes and conditions name it.
func column(c *data.Collection, path string) (string, data.Field, error) {
	f, ok := c.Field(path)
	if !ok {
		return "", f, fmt.Errorf("%s has no field %q", c.Name, path)
	}
	switch path {
	case data.ID, data.Version:
		return path, f, nil
	case data.Created:
		return "created", f, nil
	case data.Updated:
		return "updated", f, nil
	}
	at := "json_extract(body, '" + jsonPath(path) + "')"
	if f.Kind == data.Decimal {
		return "CAST(" + at + " AS REAL)", f, nil // 1 is an integer in JSON
	}
	return at, f, nil
}

// jsonPath is a path as SQLite's functions have it. Names of fields have
// neither quotes nor backslashes.
func jsonPath(path string) string { return `$."` + strings.ReplaceAll(path, ".", `"."`) + `"` }

// bind is a value as the column of a field has it.
func bind(f data.Field, v any) (any, error) {
	switch v := v.(type) {
	case string:
		if f.Kind == data.Text {
			return v, nil
		}
	case int64:
		if f.Kind == data.Whole {
			return v, nil
		}
	case float64:
		if f.Kind == data.Decimal {
			return v, nil
		}
	case bool:
		if f.Kind == data.Truth && v {
			return int64(1), nil
		} else if f.Kind == data.Truth {
			return int64(0), nil
		}
	case time.Time:
		switch {
		case f.Kind == data.Time && (f.Name == data.Created || f.Name == data.Updated):
			return millis(v), nil
		case f.Kind == data.Time:
			return v.UTC().Format(data.TimeLayout), nil
		}
	}
	return nil, fmt.Errorf("a %T is no %v", v, f.Kind)
}

// put writes text and takes the values of its parameters.
func (w *words) put(text string, args ...any) {
	w.text.WriteString(text)
	w.args = append(w.args, args...)
}

// filter writes a condition. It is NULL or 0 where the filter is false, which
// make no difference but to Not.
func (w *words) filter(f data.Filter) error {
	switch f.Op {
	case data.All:
		return w.join(f.Of, " AND ", "1")
	case data.Any:
		return w.join(f.Of, " OR ", "0")
	case data.Not:
		if len(f.Of) != 1 {
			return fmt.Errorf("not is of one condition, and here of %d", len(f.Of))
		}
		w.put("(")
		if err := w.filter(f.Of[0]); err != nil {
			return err
		}
		w.put(" IS NOT TRUE)")
		return nil
	}
	col, field, err := column(w.collection, f.Path)
	if err == nil {
		err = w.comparison(col, field, f)
	}
	if err != nil {
		return fmt.Errorf("condition on %q: %w", f.Path, err)
	}
	return nil
}

func (w *words) join(of []data.Filter, between, none string) error {
	if len(of) == 0 {
		w.put(none)
		return nil
	}
	w.put("(")
	for i, f := range of {
		if i > 0 {
			w.put(between)
		}
		if err := w.filter(f); err != nil {
			return err
		}
	}
	w.put(")")
	return nil
}

func (w *words) comparison(col string, field data.Field, f data.Filter) error {
	switch f.Op {
	case data.In, data.Nin:
		return w.oneOf(col, field, f)
	case data.Exists:
		w.put(map[bool]string{true: col + " IS NOT NULL", false: col + " IS NULL"}[f.Value == true])
		return nil
	case data.Has:
		return w.has(field, f)
	case data.Prefix:
		prefix, ok := f.Value.(string)
		if !ok || field.Kind != data.Text {
			return errors.New("only a text begins with another")
		}
		w.put("("+w.mute(col, f.Path, false)+" >= ?", prefix)
		if next := beyond(prefix); next != "" {
			w.put(" AND "+w.mute(col, f.Path, true)+" < ?", next)
		}
		w.put(")")
		return nil
	}
	v, err := bind(field, f.Value)
	if err != nil {
		return err
	}
	switch f.Op {
	case data.Eq:
		w.put(col+" = ?", v)
	case data.Ne:
		w.put(col+" IS NOT ?", v)
	case data.Gt:
		w.put(w.mute(col, f.Path, false)+" > ?", v)
	case data.Gte:
		w.put(w.mute(col, f.Path, false)+" >= ?", v)
	case data.Lt:
		w.put(w.mute(col, f.Path, true)+" < ?", v)
	case data.Lte:
		w.put(w.mute(col, f.Path, true)+" <= ?", v)
	default:
		return fmt.Errorf("unknown operator %d", f.Op)
	}
	return nil
}

// mute hides a column from the choice of an index where the bound is a muted one.
func (w *words) mute(col, path string, down bool) string {
	if w.muted.Path == path && w.muted.Down == down {
		return "+" + col
	}
	return col
}

// beyond is the least text that is greater than all that begin with a prefix,
// or "" where there is none.
func beyond(prefix string) string {
	end := []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return string(end[:i+1])
		}
	}
	return ""
}

// oneOf writes In and Nin with one parameter for all values, a JSON list, so
// that their number makes no new statement.
func (w *words) oneOf(col string, field data.Field, f data.Filter) error {
	values, ok := f.Value.([]any)
	if !ok {
		return errors.New("in and nin take a list")
	}
	list := make([]any, len(values))
	for i, v := range values {
		var err error
		if list[i], err = bind(field, v); err != nil {
			return err
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encoding values: %w", err)
	}
	of := col + " IN (SELECT " + listed(field.Kind) + " FROM json_each(?))"
	if f.Op == data.Nin {
		of = "(" + of + " IS NOT TRUE)"
	}
	w.put(of, string(text))
	return nil
}

// listed is an item of json_each as values of a kind are compared.
func listed(k data.Kind) string {
	if k == data.Decimal {
		return "CAST(value AS REAL)"
	}
	return "value"
}

func (w *words) has(field data.Field, f data.Filter) error {
	if field.Kind != data.List || field.Items == nil {
		return errors.New("only a list has values in it")
	}
	v, err := bind(*field.Items, f.Value)
	if err != nil {
		return err
	}
	w.put("EXISTS (SELECT 1 FROM json_each(body, '"+jsonPath(f.Path)+"') WHERE "+listed(field.Items.Kind)+" = ?)", v)
	return nil
}
