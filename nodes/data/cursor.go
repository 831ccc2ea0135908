package data

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"
)

// cursor names the place behind a document in an order. It holds the values by
// which the list is sorted, and what list it belongs to.
func cursor(c *Collection, sorts []Sort, d Document) string {
	place := []any{listName(c, sorts)}
	for _, v := range Keys(c, sorts, d) {
		switch v := v.(type) {
		case time.Time:
			place = append(place, v.Format(TimeLayout))
		case int64:
			place = append(place, strconv.FormatInt(v, 10)) // JSON numbers are read as float64 by many
		default:
			place = append(place, v)
		}
	}
	text, err := json.Marshal(place)
	if err != nil {
		return "" // values of documents are never infinite
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readCursor returns the place that a cursor names, or false where it is none
// of this list. Its values come from outside: each must be of its field's kind.
func readCursor(c *Collection, sorts []Sort, cursor string) (after []any, ok bool) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	var place []any
	decoder := json.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(&place) != nil || decoder.More() || len(place) != len(sorts)+2 || place[0] != listName(c, sorts) {
		return nil, false
	}
	for i, v := range place[1:] {
		path := ID
		if i < len(sorts) {
			path = sorts[i].Path
		}
		field, _ := c.Field(path)
		if v, ok = placeValue(field.Kind, v); !ok || v == nil && path == ID {
			return nil, false
		}
		after = append(after, v)
	}
	return after, true
}

// placeValue reads one value of a cursor; nil stands for a field that was not there.
func placeValue(k Kind, v any) (any, bool) {
	text, isText := v.(string)
	switch {
	case v == nil:
		return nil, true
	case k == Whole && isText:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case k == Time && isText:
		t, err := time.Parse(TimeLayout, text)
		return t, err == nil
	}
	return v, k.holds(v)
}

// listName tells one list from others, so that a cursor of another is refused.
func listName(c *Collection, sorts []Sort) string {
	h := fnv.New32a()
	fmt.Fprint(h, c.Name, sorts)
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}
