package engine

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"
)

type everything struct {
	S  string         `json:"s" doc:"."`
	B  bool           `json:"b" doc:"."`
	I  int            `json:"i" doc:"."`
	L  int64          `json:"l" doc:"."`
	F  float64        `json:"f" doc:"."`
	By []byte         `json:"by" doc:"."`
	P  *string        `json:"p,omitempty" doc:"."`
	Z  string         `json:"z,omitzero" doc:"."`
	Ss []string       `json:"ss" doc:"."`
	A  any            `json:"a" doc:"."`
	M  map[string]any `json:"m" doc:"."`
	In struct {
		X []struct {
			Y int `json:"y" doc:"."`
		} `json:"x" doc:"."`
	} `json:"in" doc:"."`
}

// What is written is what encoding/json would write, for every kind of value.
func TestWriteAgreesWithEncodingJSON(t *testing.T) {
	text := "p"
	full := everything{
		S: "a\"\\\n\r\t\x00\x1f<>&\u2028\u2029é😀\x7f", B: true, I: -3, L: math.MaxInt64, F: 2.25, By: []byte{0, 255}, P: &text, Z: "z",
		Ss: []string{"", "x"}, A: []any{nil, "s", true, int64(5), 1e100, map[string]any{"b": 1.5, "a": nil}}, M: map[string]any{"k": []any{}},
	}
	full.In.X = append(full.In.X, struct {
		Y int `json:"y" doc:"."`
	}{7})
	for name, v := range map[string]everything{"full": full, "zero": {Ss: []string{}, By: []byte{}, M: map[string]any{}}} {
		var got, want any
		b := TypeOf[everything]().appendJSON(nil, unsafe.Pointer(&v))
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %s is no JSON: %v", name, b, err)
		}
		w, _ := json.Marshal(v)
		if err := json.Unmarshal(w, &want); err != nil {
			t.Fatal(err)
		}
		if name == "zero" {
			want.(map[string]any)["in"] = map[string]any{"x": []any{}} // an absent list is an empty one
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: wrote %s, want %s", name, b, w)
		}
	}
}

// Times are written in UTC with milliseconds, durations as authors write them.
func TestWriteTimes(t *testing.T) {
	v := struct {
		At  time.Time     `json:"at" doc:"."`
		For time.Duration `json:"for" doc:"."`
	}{time.Date(2026, 1, 2, 3, 4, 5, 678912345, time.FixedZone("x", 3600)), 90 * time.Minute}
	got := string(typeOf(reflect.TypeOf(v), "v", nil).appendJSON(nil, unsafe.Pointer(&v)))
	if want := `{"at":"2026-01-02T02:04:05.678Z","for":"1h30m"}`; got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
}

// Nesting beyond the limit ends the reading at once, whatever the length.
func TestReadRefusesDepth(t *testing.T) {
	for _, body := range []string{strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<18), strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if _, faults := TypeOf[any]().ReadJSON([]byte(body), "body"); len(faults) != 1 || !strings.Contains(faults[0].Message, "nested too deeply") {
			t.Errorf("ReadJSON(%.20s...) = %v, want one fault about nesting", body, faults)
		}
	}
}

// FuzzReadJSON keeps three promises: nothing panics, what encoding/json refuses
// is refused, and what is taken means the same as encoding/json makes of it.
func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{
		`null`, `{"a":[1,2.5,-0,1e3],"b":"\u00e9\ud83d\ude00\n"}`, `{"a":1,"a":2}`, `"\ud83d"`, `[01]`, `{"a":}`, "\"\x00\"", "\"\xff\"", ` [ ] `, `tru`, `1 2`, `-`, `"`, `9223372036854775808`, `1e999`,
	} {
		f.Add([]byte(s))
	}
	any := TypeOf[any]()
	f.Fuzz(func(t *testing.T, data []byte) {
		v, faults := any.ReadJSON(data, "body")
		var want interface{}
		err := json.Unmarshal(data, &want)
		if len(faults) > 0 {
			return // stricter is fine; what must be taken is in the table tests
		}
		if err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("took %q, encoding/json says %v", data, err)
		}
		if !utf8.Valid(data) {
			t.Fatalf("took %q, which is not UTF-8", data)
		}
		again := any.appendJSON(nil, v.p)
		var got interface{}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatalf("wrote %q of %q: %v", again, data, err)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("read %q as %q", data, again)
		}
	})
}
