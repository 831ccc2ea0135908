package data_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"sluice/nodes/data"
)

func is(path string, op data.Op, v any) data.Filter {
	return data.Filter{Op: op, Path: path, Value: v}
}
func all(of ...data.Filter) data.Filter  { return data.Filter{Op: data.All, Of: of} }
func some(of ...data.Filter) data.Filter { return data.Filter{Op: data.Any, Of: of} }
func no(of data.Filter) data.Filter      { return data.Filter{Op: data.Not, Of: []data.Filter{of}} }

// things is a collection with fields of every kind.
func things() *data.Collection {
	return &data.Collection{Name: "things", Fields: []data.Field{
		{Name: "text", Kind: data.Text}, {Name: "whole", Kind: data.Whole}, {Name: "decimal", Kind: data.Decimal},
		{Name: "on", Kind: data.Truth, Optional: true}, {Name: "at", Kind: data.Time},
		{Name: "in", Kind: data.Record, Optional: true, Fields: []data.Field{{Name: "x-y", Kind: data.Whole}, {Name: "deep", Kind: data.Record, Fields: []data.Field{{Name: "_t", Kind: data.Text}}}}},
		{Name: "list", Kind: data.List, Items: &data.Field{Kind: data.Text}}, {Name: "any", Kind: data.Open},
	}}
}

func TestMatch(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.FixedZone("", 3600)) // 11:00 in UTC
	d := data.Document{ID: `a"b`, Version: 3, Created: at, Updated: at.Add(time.Hour), Body: []byte(` { "text" : "a\u0062\n" , "whole":9007199254740993,
		"decimal":-0,"on":false,"at":"2026-03-01T11:00:00.005Z","gone":null,"in":{"x-y":1,"deep":{"_t":"in\"ner"}},
		"list":["x","\u0079"],"empty":"","any":{"text":"no"}}`)}
	for name, c := range map[string]struct {
		f    data.Filter
		want bool
	}{
		"nothing asked": {data.Filter{}, true}, "all of none": {all(), true}, "any of none": {some(), false}, "not all of none": {no(all()), false},
		"all": {all(is("text", data.Exists, true), is("whole", data.Gt, int64(0))), true}, "not all": {all(is("text", data.Exists, true), some()), false},
		"any": {some(some(), is("whole", data.Gt, int64(0))), true}, "none of any": {some(some(), no(all())), false},

		"text":                       {is("text", data.Eq, "ab\n"), true},
		"another text":               {is("text", data.Eq, "ab"), false},
		"texts by their bytes":       {is("text", data.Gt, "Zz"), true},
		"a longer text is greater":   {is("text", data.Gt, "ab"), true},
		"empty is there":             {is("empty", data.Eq, ""), true},
		"a text is no number":        {is("text", data.Gt, int64(0)), false},
		"begins":                     {is("text", data.Prefix, "ab"), true},
		"begins with nothing":        {is("text", data.Prefix, ""), true},
		"begins with another":        {is("text", data.Prefix, "b"), false},
		"what is absent begins not":  {is("gone", data.Prefix, ""), false},
		"no float rounds it":         {is("whole", data.Gt, int64(1<<53)), true},
		"whole":                      {is("whole", data.Eq, int64(1<<53+1)), true},
		"minus nothing is nothing":   {is("decimal", data.Eq, 0.0), true},
		"nothing is minus nothing":   {is("decimal", data.Gte, math.Copysign(0, -1)), true},
		"no number is NaN":           {is("decimal", data.Eq, math.NaN()), false},
		"nor compares with it":       {is("decimal", data.Lt, math.NaN()), false},
		"a decimal above":            {is("decimal", data.Gt, -5e-324), true},
		"false":                      {is("on", data.Eq, false), true},
		"false is less than true":    {is("on", data.Lt, true), true},
		"a time in another zone":     {is("at", data.Eq, at), true},
		"a time by the millisecond":  {is("at", data.Lt, at.Add(time.Millisecond)), true},
		"and no finer":               {is("at", data.Eq, at.Add(time.Microsecond)), true},
		"in a record":                {is("in.x-y", data.Lte, int64(1)), true},
		"deep in a record":           {is("in.deep._t", data.Eq, `in"ner`), true},
		"through what is no record":  {is("text.x", data.Exists, true), false},
		"a record is there":          {is("in", data.Exists, true), true},
		"null is not there":          {is("gone", data.Exists, true), false},
		"null is absent":             {is("gone", data.Exists, false), true},
		"absent is not equal":        {is("gone", data.Eq, ""), false},
		"absent is unequal":          {is("gone", data.Ne, ""), true},
		"absent is in no list":       {is("never", data.In, []any{"", nil}), false},
		"absent is not in a list":    {is("never", data.Nin, []any{"", nil}), true},
		"absent is not less":         {is("in.never", data.Lt, int64(0)), false},
		"nor is it not less":         {no(is("in.never", data.Lt, int64(0))), true},
		"absent is nothing's owner":  {no(is("gone", data.Ne, "")), false},
		"in":                         {is("text", data.In, []any{"x", "ab\n"}), true},
		"in none":                    {is("text", data.In, []any{}), false},
		"in what is no list":         {is("text", data.In, "ab\n"), false},
		"not in":                     {is("text", data.Nin, []any{"x"}), true},
		"has":                        {is("list", data.Has, "y"), true},
		"has not":                    {is("list", data.Has, "z"), false},
		"a text has nothing in it":   {is("text", data.Has, "a"), false},
		"absent has nothing in it":   {is("gone", data.Has, "a"), false},
		"id":                         {is(data.ID, data.Eq, `a"b`), true},
		"id begins":                  {is(data.ID, data.Prefix, `a"`), true},
		"version":                    {is(data.Version, data.Gte, int64(3)), true},
		"created":                    {is(data.Created, data.Eq, at), true},
		"updated":                    {is(data.Updated, data.Gt, at), true},
		"own fields are there":       {is(data.Updated, data.Exists, true), true},
		"a value of no kind":         {is("text", data.Eq, struct{}{}), false},
		"an operator of later times": {is("text", 200, "ab\n"), false},
	} {
		if got := data.Match(d, c.f); got != c.want {
			t.Errorf("Match(%s) = %t, want %t", name, got, c.want)
		}
	}
	for _, body := range []string{``, `{`, `[]`, `"text"`, `{"text"}`, `{"text":}`, `{"text":"ab\n"`, `{"text":"ab`, `{1:2}`} {
		if data.Match(data.Document{Body: []byte(body)}, is("text", data.Exists, true)) {
			t.Errorf("Match(in %s) = true, want false", body)
		}
	}
}

func TestCompareKeepsTheOrder(t *testing.T) {
	now := time.Now()
	for _, order := range [][]any{
		{nil, "", "\x00", "A", "a", "a\x00", "b", "é", "\U0010ffff"},
		{nil, int64(math.MinInt64), int64(-1), int64(1 << 53), int64(1<<53 + 1), int64(math.MaxInt64)},
		{nil, -math.MaxFloat64, -1.5, 0.0, 5e-324, 1.0, math.MaxFloat64},
		{nil, false, true},
		{nil, now.Add(-time.Hour), now, now.Add(time.Millisecond)},
	} {
		for i, a := range order {
			for j, b := range order {
				if got, want := data.Compare(a, b), sign(i-j); got != want {
					t.Errorf("Compare(%v, %v) = %d, want %d", a, b, got, want)
				}
			}
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

func TestKeysOrderDocuments(t *testing.T) {
	c := things()
	doc := func(id, body string) data.Document { return data.Document{ID: id, Body: []byte(body)} }
	docs := []data.Document{doc("d", `{"whole":1,"text":"b"}`), doc("a", `{"whole":1}`), doc("c", `{"text":"b"}`), doc("b", `{"whole":2,"text":null}`), doc("e", `{"whole":1}`)}
	for want, sorts := range map[string][]data.Sort{
		"abcde": nil,
		"edcba": {{Path: data.ID, Down: true}},
		"cadeb": {{Path: "whole"}},
		"bedac": {{Path: "whole", Down: true}},
		"caedb": {{Path: "whole"}, {Path: "text"}},
		"cdeab": {{Path: "whole"}, {Path: "text", Down: true}},
		"baedc": {{Path: "whole", Down: true}, {Path: "text"}},
		"abecd": {{Path: "text"}},
		"dceba": {{Path: "text", Down: true}},
	} {
		slices.SortFunc(docs, func(a, b data.Document) int {
			return data.CompareKeys(sorts, data.Keys(c, sorts, a), data.Keys(c, sorts, b))
		})
		got := ""
		for _, d := range docs {
			got += d.ID
		}
		if got != want {
			t.Errorf("order by %v = %s, want %s", sorts, got, want)
		}
	}
}

func TestValueIsOfTheKind(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	d := data.Document{ID: "i", Version: 2, Created: at, Body: []byte(
		`{"text":"a","whole":-9223372036854775808,"decimal":1e+21,"on":true,"at":"2026-01-02T03:04:05.006Z","in":{"x-y":7},"list":[],"any":1}`)}
	for path, want := range map[string]any{
		"text": "a", "whole": int64(math.MinInt64), "decimal": 1e21, "on": true, "at": at, "in.x-y": int64(7), data.ID: "i", data.Version: int64(2),
		data.Created: at, "in.deep._t": nil, "in": nil, "list": nil, "any": nil, "unknown": nil, "text.x": nil,
	} {
		if got := data.Value(things(), d, path); got != want {
			t.Errorf("Value(%s) = %#v, want %#v", path, got, want)
		}
	}
	d.Body = []byte(`{"text":1,"whole":"1","decimal":true,"on":0,"at":"yesterday"}`)
	for _, path := range []string{"text", "whole", "decimal", "on", "at"} {
		if got := data.Value(things(), d, path); got != nil {
			t.Errorf("Value(%s of another kind) = %#v, want nil", path, got)
		}
	}
}
