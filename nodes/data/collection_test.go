package data_test

import (
	"strings"
	"testing"

	"sluice/nodes/data"
)

func TestCollectionIsChecked(t *testing.T) {
	if err := things().Check(); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
	deep := data.Field{Name: "f", Kind: data.Text}
	for range 17 {
		deep = data.Field{Name: "f", Kind: data.Record, Fields: []data.Field{deep}}
	}
	lists := data.Field{Kind: data.Text}
	for range 17 {
		lists = data.Field{Name: "f", Kind: data.List, Items: &lists}
	}
	one := func(f data.Field) func(*data.Collection) {
		return func(c *data.Collection) { c.Fields = append(c.Fields, f) }
	}
	index := func(fields ...string) func(*data.Collection) {
		return func(c *data.Collection) { c.Indexes = []data.Index{{Fields: fields}} }
	}
	name := func(name string) func(*data.Collection) { return func(c *data.Collection) { c.Name = name } }
	for what, c := range map[string]struct {
		change func(*data.Collection)
		want   string
	}{
		"no name": {name(""), "a name is"}, "a capital": {name("Things"), "a name is"}, "a statement": {name(`x"; DROP`), "a name is"},
		"a line": {name("x\n"), "a name is"}, "a foreign letter": {name("dinßge"), "a name is"}, "a long name": {name(strings.Repeat("x", 65)), "a name is"},
		"a field of two": {one(data.Field{Name: "a.b"}), "a name is"}, "a quoted field": {one(data.Field{Name: `a'b`}), "a name is"},
		"an operator": {one(data.Field{Name: "$a"}), "a name is"}, "a nameless field": {one(data.Field{}), "a name is"},
		"a field twice": {one(data.Field{Name: "text"}), "twice"}, "an own field": {one(data.Field{Name: data.Version}), "by itself"},
		"a list of nothing": {one(data.Field{Name: "l", Kind: data.List}), "what its items are"}, "no kind": {one(data.Field{Name: "k", Kind: 99}), "unknown kind 99"},
		"a bad item":   {one(data.Field{Name: "l", Kind: data.List, Items: &data.Field{Kind: data.Record, Fields: []data.Field{{Name: "?"}}}}), "a name is"},
		"deep records": {one(deep), "nested"}, "deep lists": {one(lists), "nested"},
		"an index on nothing": {index(), "1 to 8"}, "an index on a list": {index("list"), "single value"}, "an index on what is not": {index("in.never"), "single value"},
		"an index twice": {index("text", "text"), "twice"}, "an index on an open value": {index("any"), "single value"},
		"an owner that is not": {func(c *data.Collection) { c.Owner = "never" }, "owner"}, "an owner that is a number": {func(c *data.Collection) { c.Owner = "whole" }, "owner"},
	} {
		bad := things()
		c.change(bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check(%s) = %v, want one with %q", what, err, c.want)
		}
	}
}

func TestFieldIsFoundByPath(t *testing.T) {
	for path, want := range map[string]data.Field{
		"text": {Kind: data.Text}, "on": {Kind: data.Truth, Optional: true}, "in": {Kind: data.Record, Optional: true},
		"in.deep._t": {Kind: data.Text, Optional: true}, data.ID: {Kind: data.Text}, data.Version: {Kind: data.Whole},
		data.Created: {Kind: data.Time}, data.Updated: {Kind: data.Time},
	} {
		if f, ok := things().Field(path); !ok || f.Kind != want.Kind || f.Optional != want.Optional {
			t.Errorf("Field(%s) = %v optional %t, %t, want %v optional %t", path, f.Kind, f.Optional, ok, want.Kind, want.Optional)
		}
	}
	for _, path := range []string{"", ".", "in.", ".in", "text.x", "list.0", "any.text", "never", "in.never", "id.x"} {
		if f, ok := things().Field(path); ok {
			t.Errorf("Field(%q) = %v, want none", path, f.Kind)
		}
	}
}

func TestFilterIsChecked(t *testing.T) {
	deep, wide := is("text", data.Eq, ""), some()
	for range data.MaxDepth - 1 {
		deep = no(deep)
	}
	for range data.MaxParts - 1 {
		wide.Of = append(wide.Of, is("whole", data.Lt, int64(1)))
	}
	for name, f := range map[string]data.Filter{
		"nothing": {}, "deep": no(deep), "wide": wide, "an empty list": is("text", data.In, []any{}),
		"a list": all(is("list", data.Has, "x"), is("list", data.Exists, false)), "an open value": is("any", data.Exists, true),
	} {
		if err := f.Check(things()); err != nil {
			t.Errorf("Check(%s) = %v, want nil", name, err)
		}
	}
	for name, c := range map[string]struct {
		f    data.Filter
		want string
	}{
		"too deep": {no(no(deep)), "deeper than"}, "too wide": {all(wide, is("text", data.Eq, "")), "more than"},
		"too many of nothing": {all(make([]data.Filter, data.MaxParts+1)...), "more than"},
		"not of two":          {data.Filter{Op: data.Not, Of: []data.Filter{{}, {}}}, "of one condition"},
		"an unknown field":    {is("never", data.Eq, ""), `no field "never"`}, "inside an open value": {is("any.x", data.Eq, ""), "no field"},
		"a record": {is("in", data.Eq, ""), "cannot be compared"}, "a list": {is("list", data.Eq, "x"), "cannot be compared"},
		"another kind": {is("whole", data.Eq, 1.0), "a float64 is no whole number"}, "an int": {is("whole", data.Eq, 1), "a int is no"},
		"nothing": {is("text", data.Eq, nil), "no text"}, "an operator": {is("text", data.Eq, map[string]any{"$ne": nil}), "no text"},
		"one in a list": {is("text", data.In, []any{"a", int64(1)}), "no text"}, "no list": {is("text", data.Nin, "a"), "take a list"},
		"has of a text": {is("text", data.Has, "a"), "only a list"}, "has of another kind": {is("list", data.Has, int64(1)), "no text"},
		"a prefix of a number": {is("whole", data.Prefix, "1"), "only a text"}, "exists of nothing": {is("text", data.Exists, nil), "true or false"},
		"an unknown operator": {is("text", 99, ""), "unknown operator"},
	} {
		if err := c.f.Check(things()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check(%s) = %v, want one with %q", name, err, c.want)
		}
	}
}

func TestServingTellsTheIndex(t *testing.T) {
	c := things()
	c.Indexes = []data.Index{
		{Fields: []string{"text", "whole", data.Created}}, {Fields: []string{"decimal"}}, {Fields: []string{"at", "on"}, Unique: true},
	}
	up := func(paths ...string) (sorts []data.Sort) {
		for _, p := range paths {
			sorts = append(sorts, data.Sort{Path: p})
		}
		return sorts
	}
	a, one, now := is("text", data.Eq, "a"), is("whole", data.Eq, int64(1)), is("at", data.Eq, nil)
	for name, x := range map[string]struct {
		f    data.Filter
		sort []data.Sort
		by   string
		want data.Reach
	}{
		"all":                              {all(), nil, "id", data.Full},
		"the id":                           {all(is(data.ID, data.Eq, ""), no(a)), up("whole"), "id", data.Full},
		"a range of ids":                   {is(data.ID, data.Gt, ""), nil, "id", data.Full},
		"ids in a list":                    {is(data.ID, data.In, nil), nil, "id", data.Part},
		"an equal field":                   {a, up("whole", data.Created), "text", data.Full},
		"in no order of the index":         {a, nil, "text", data.Part},
		"in another order":                 {a, up("decimal"), "text", data.Part},
		"two equal fields":                 {all(one, all(a)), up(data.Created), "text", data.Full},
		"and a range":                      {all(a, one, is(data.Created, data.Lt, nil), is(data.Created, data.Gte, nil)), up(data.Created), "text", data.Full},
		"a range in another order":         {all(a, is("whole", data.Lt, nil)), nil, "text", data.Part},
		"more than the index has":          {all(a, one, is("on", data.Ne, nil)), up(data.Created), "text", data.Part},
		"not the first field":              {one, nil, "", data.Scan},
		"sorts alone":                      {all(), up("text", "whole", data.Created), "text", data.Full},
		"sorts down":                       {a, []data.Sort{{Path: "whole", Down: true}, {Path: data.Created, Down: true}}, "text", data.Full},
		"sorts both ways":                  {a, []data.Sort{{Path: "whole", Down: true}, {Path: data.Created}}, "text", data.Part},
		"the id down":                      {is("decimal", data.Eq, nil), []data.Sort{{Path: data.ID, Down: true}}, "decimal", data.Full},
		"a sort by what is equal":          {is("decimal", data.Eq, nil), up("decimal"), "decimal", data.Full},
		"a sort by what is equal, down":    {all(a, one, is(data.Created, data.Eq, nil)), []data.Sort{{Path: "whole", Down: true}}, "text", data.Full},
		"a sort and what no index has":     {no(a), up("decimal"), "", data.Scan},
		"a unique value":                   {all(now, is("on", data.Eq, true), is("whole", data.Ne, nil)), up("decimal"), "at", data.Full},
		"a part of a unique one":           {now, nil, "at", data.Part},
		"a sort by a unique field":         {all(), up("at", "on"), "", data.Scan},
		"any of what indexes have":         {some(a, is("decimal", data.Lt, nil)), nil, "", data.Part},
		"any of what one index has not":    {some(a, one), nil, "", data.Scan},
		"any of everything":                {some(a, all()), nil, "", data.Scan},
		"not":                              {no(a), nil, "", data.Scan},
		"a list, which no index has":       {is("list", data.Has, nil), nil, "", data.Scan},
		"in a list, where the order is no": {is("text", data.In, nil), up("whole"), "text", data.Part},
	} {
		by, got := data.Serving(c, data.Query{Filter: x.f, Sort: x.sort})
		first := ""
		if len(by.Fields) > 0 {
			first = by.Fields[0]
		}
		if got != x.want || first != x.by {
			t.Errorf("Serving(%s) = %q, %d, want %q, %d", name, first, got, x.by, x.want)
		}
	}
}
