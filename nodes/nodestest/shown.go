package nodestest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"sluice/nodes/data"
)

// shown is a document as text: the same for two that mean the same.
func shown(d data.Document) string {
	text := fmt.Sprintf("%q version %d created %s updated %s ", d.ID, d.Version, clock(d.Created), clock(d.Updated))
	if d.Body == nil {
		return text + "no body"
	}
	value, err := decoded(d.Body)
	if err != nil {
		return text + "broken " + string(d.Body)
	}
	if object, ok := value.(map[string]any); ok {
		extra := object["extra"]
		withoutNulls(object)
		if extra != nil {
			object["extra"] = extra // open: its nulls are kept
		}
	}
	body, err := json.Marshal(value)
	if err != nil {
		return text + err.Error()
	}
	return text + string(body)
}

// decoded reads JSON without loss of digits.
func decoded(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

func withoutNulls(object map[string]any) {
	for name, value := range object {
		switch value := value.(type) {
		case nil:
			delete(object, name)
		case map[string]any:
			if name != "extra" {
				withoutNulls(value)
			}
		}
	}
}

// short cuts a text to what fits into a message.
func short(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

func jsonOf(v any) string {
	if at, ok := v.(time.Time); ok {
		v = at.UTC().Format(data.TimeLayout)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// bodyWith is a body with one member.
func bodyWith(name string, v any) string { return `{"` + name + `":` + jsonOf(v) + `}` }

// sameJSON tells whether two texts are the same JSON, to the digit.
func sameJSON(a, b []byte) bool {
	x, errX := decoded(a)
	y, errY := decoded(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}
