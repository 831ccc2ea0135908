package data

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// mixed are fields of every kind.
func mixed() []Field {
	return []Field{
		{Name: "text", Kind: Text}, {Name: "whole", Kind: Whole}, {Name: "decimal", Kind: Decimal}, {Name: "truth", Kind: Truth},
		{Name: "time", Kind: Time}, {Name: "open", Kind: Open},
		{Name: "record", Kind: Record, Fields: []Field{{Name: "b", Kind: Text}, {Name: "a", Kind: Whole}}},
		{Name: "list", Kind: List, Items: &Field{Kind: Decimal}},
	}
}

func TestSplitHasOneFormForOneMeaning(t *testing.T) {
	for body, want := range map[string][2]string{
		`{}`:                                    {`{}`, ""},
		` { "whole" : 1 , "text" : "\u0061" } `: {`{"text":"a","whole":1}`, ""},
		`{"text":null,"record":{"a":1,"b":null}}`:             {`{"record":{"a":1}}`, ""},
		`{"record":{"a":1,"b":"x"}}`:                          {`{"record":{"b":"x","a":1}}`, ""},
		`{"decimal":1.0,"list":[1e21,0.10,-0,5]}`:             {`{"decimal":1,"list":[1e+21,0.1,-0,5]}`, ""},
		`{"open":{ "b": 1.0, "a": null }}`:                    {`{"open":{"b":1.0,"a":null}}`, ""},
		`{"whole":9223372036854775807}`:                       {`{"whole":9223372036854775807}`, ""},
		`{"time":"2026-02-03T04:05:06.789Z"}`:                 {`{"time":"2026-02-03T04:05:06.789Z"}`, ""},
		`{"other": [ 1.0 ],"text":"a","another":null}`:        {`{"text":"a"}`, `{"other":[1.0]}`},
		`{"z":1,"a":2,"whole":9223372036854775808}`:           {`{}`, `{"a":2,"whole":9223372036854775808,"z":1}`},
		`{"whole":1.5,"decimal":9007199254740993}`:            {`{}`, `{"decimal":9007199254740993,"whole":1.5}`},
		`{"record":{"a":1,"c":2},"list":[1,null]}`:            {`{}`, `{"list":[1,null],"record":{"a":1,"c":2}}`},
		`{"time":"2026-02-03","truth":0,"text":{"$gt":""}}`:   {`{}`, `{"text":{"$gt":""},"time":"2026-02-03","truth":0}`},
		`{"time":"2026-02-30T04:05:06.789Z","decimal":1e999}`: {`{}`, `{"decimal":1e999,"time":"2026-02-30T04:05:06.789Z"}`},
	} {
		proper, rest, err := Split(mixed(), []byte(body))
		if err != nil || string(proper) != want[0] || string(rest) != want[1] {
			t.Errorf("Split(%s) = %s, %s, %v, want %s, %s", body, proper, rest, err, want[0], want[1])
		}
	}
	for _, body := range []string{``, `[]`, `null`, `{"a"}`, `{"a":1`} {
		if proper, rest, err := Split(mixed(), []byte(body)); err == nil && body != `` {
			t.Errorf("Split(%s) = %s, %s, want an error", body, proper, rest)
		}
	}
}

func FuzzSplitAndJoinLoseNothing(f *testing.F) {
	for _, body := range []string{`{"text":"a\u0062","other":{"x":[1.0]}}`, `{"record":{"a":1,"b":"c"},"list":[1,2.5]}`, `{"open":[null],"whole":-1}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var before map[string]any
		if json.Unmarshal(body, &before) != nil || before == nil || !utf8.Valid(body) || strings.ContainsRune(string(body), '\\') && strings.Contains(string(body), `\ud`) {
			return
		}
		all, err := members(body)
		if err != nil || len(all) != len(before) {
			return // members of one name
		}
		proper, rest, err := Split(mixed(), body)
		if err != nil {
			t.Fatalf("Split(%s) = %v, want nil", body, err)
		}
		whole, err := Join(proper, rest)
		if err != nil {
			t.Fatalf("Join(%s, %s) = %v, want nil", proper, rest, err)
		}
		again, more, err := Split(mixed(), whole)
		if err != nil || string(again) != string(proper) || string(more) != string(rest) {
			t.Fatalf("Split(%s) = %s, %s, %v, want what it was, %s, %s", whole, again, more, err, proper, rest)
		}
		var after map[string]any
		if err := json.Unmarshal(whole, &after); err != nil {
			t.Fatalf("Join() = %s, which is no JSON: %v", whole, err)
		}
		if got, want := fmt.Sprint(withoutNulls(after)), fmt.Sprint(withoutNulls(before)); got != want {
			t.Errorf("%s became %s", want, got)
		}
	})
}

// withoutNulls takes away the members that are null, at any depth.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner == nil {
				delete(v, name)
				continue
			}
			v[name] = withoutNulls(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = withoutNulls(inner)
		}
	}
	return v
}

func TestFormerFieldsAreRemembered(t *testing.T) {
	before := &Collection{Name: "c", Fields: []Field{
		{Name: "gone", Kind: Text}, {Name: "changed", Kind: Open}, {Name: "in", Kind: Record, Fields: []Field{{Name: "x", Kind: Whole}}},
		{Name: "rows", Kind: List, Items: &Field{Kind: Record, Fields: []Field{{Name: "y", Kind: Whole}}}},
	}}
	now := &Collection{Name: "c", Owner: "new", Indexes: []Index{{Fields: []string{"new"}}}, Fields: []Field{
		{Name: "new", Kind: Text}, {Name: "changed", Kind: Text}, {Name: "in", Kind: Record, Fields: []Field{{Name: "z", Kind: Whole}}},
		{Name: "rows", Kind: List, Items: &Field{Kind: Record}},
	}}
	want := &Collection{Name: "c", Owner: now.Owner, Indexes: now.Indexes, Fields: []Field{
		{Name: "new", Kind: Text}, {Name: "changed", Kind: Text},
		{Name: "in", Kind: Record, Fields: []Field{{Name: "z", Kind: Whole}, {Name: "x", Kind: Whole, Optional: true}}},
		{Name: "rows", Kind: List, Items: &Field{Kind: Record, Fields: []Field{{Name: "y", Kind: Whole, Optional: true}}}},
		{Name: "gone", Kind: Text, Optional: true},
	}}
	got := now.WithFormer(before)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("WithFormer() = %+v, want %+v", got, want)
	}
	if again := now.WithFormer(got); !reflect.DeepEqual(again, want) {
		t.Errorf("WithFormer() a second time = %+v, want %+v", again, want)
	}
	if len(now.Fields) != 4 || len(now.Fields[2].Fields) != 1 {
		t.Errorf("WithFormer() changed what was declared to %+v", now)
	}
	if err := got.Check(); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
}
