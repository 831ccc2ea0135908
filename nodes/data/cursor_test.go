package data

import (
	"encoding/base64"
	"testing"
	"time"
)

// FuzzCursor keeps the promise that a cursor from outside is read as scalars of
// the fields' kinds, or refused.
func FuzzCursor(f *testing.F) {
	c := &Collection{Name: "pens", Fields: []Field{{Name: "a", Kind: Text}, {Name: "b", Kind: Whole}, {Name: "c", Kind: Decimal}, {Name: "d", Kind: Truth}, {Name: "e", Kind: Time}}}
	sorts := []Sort{{Path: "a"}, {Path: "b", Down: true}, {Path: "c"}, {Path: "d"}, {Path: "e"}}
	d := Document{ID: "x", Created: time.UnixMilli(1), Body: []byte(`{"a":"t","b":9007199254740993,"c":1.5,"d":true,"e":"2026-01-02T03:04:05.678Z"}`)}
	text, err := base64.RawURLEncoding.DecodeString(cursor(c, sorts, d))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`["x",null,null,null,null,null,"id"]`))
	f.Add([]byte(`["x",{"$gt":""},1,"1",[],"2026",null]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		after, ok := readCursor(c, sorts, base64.RawURLEncoding.EncodeToString(text))
		if !ok {
			return
		}
		for i, kind := range []Kind{Text, Whole, Decimal, Truth, Time, Text} {
			if v := after[i]; v != nil && !kind.holds(v) {
				t.Errorf("value %d of %s is a %T, want a %s", i, text, v, kind)
			}
		}
		if after[len(sorts)] == nil {
			t.Errorf("%s names no document", text)
		}
	})
}

func TestCursorsKeepValuesExactly(t *testing.T) {
	c := &Collection{Name: "pens", Fields: []Field{{Name: "b", Kind: Whole}, {Name: "e", Kind: Time}, {Name: "n", Kind: Text, Optional: true}}}
	sorts := []Sort{{Path: "b"}, {Path: "e"}, {Path: "n"}}
	d := Document{ID: "x", Body: []byte(`{"b":9223372036854775807,"e":"2026-01-02T03:04:05.678Z"}`)}
	after, ok := readCursor(c, sorts, cursor(c, sorts, d))
	if want := Keys(c, sorts, d); !ok || CompareKeys(sorts, after, want) != 0 || after[2] != nil {
		t.Errorf("a cursor of %v is read as %v, %t", want, after, ok)
	}
}
