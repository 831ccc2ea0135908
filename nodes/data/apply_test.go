package data_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sluice/nodes/data"
)

func TestApplyLeavesTheRestAsItIs(t *testing.T) {
	body := ` {"big":12345678901234567890, "one":1.0,"text":"\u0061<>","in": {"x" : 1E5,"y":null }, "list":[ 1.0 ,{}], "null":null}`
	for name, c := range map[string]struct {
		change data.Change
		want   string
	}{
		"nothing": {data.Change{}, body},
		"set": {data.Change{Set: []data.Set{{Path: "text", JSON: []byte(` "b" `)}}},
			`{"big":12345678901234567890,"one":1.0,"text":"b","in":{"x" : 1E5,"y":null },"list":[ 1.0 ,{}],"null":null}`},
		"deep": {data.Change{Set: []data.Set{{Path: "in.y", JSON: []byte(`2`)}}, Unset: []string{"null"}},
			`{"big":12345678901234567890,"one":1.0,"text":"\u0061<>","in":{"x":1E5,"y":2},"list":[ 1.0 ,{}]}`},
		"new": {data.Change{Inc: []data.Inc{{Path: "n.m", By: int64(1)}}, Push: []data.Push{{Path: "list", JSON: [][]byte{[]byte("2")}}}},
			`{"big":12345678901234567890,"one":1.0,"text":"\u0061<>","in":{"x" : 1E5,"y":null },"list":[1.0,{},2],"null":null,"n":{"m":1}}`},
		"unset all inside": {data.Change{Unset: []string{"in.x", "in.y", "big", "one", "text", "list", "null"}}, `{"in":{}}`},
	} {
		before := data.Document{ID: "i", Version: 7, Body: []byte(body)}
		now := time.Now()
		got, err := data.Apply(before, c.change, now)
		if err != nil || strings.ReplaceAll(string(got.Body), `"in": {`, `"in":{`) != strings.ReplaceAll(c.want, `"in": {`, `"in":{`) {
			t.Errorf("Apply(%s) = %s, %v, want %s", name, got.Body, err, c.want)
		}
		if got.ID != "i" || got.Version != 8 || !got.Updated.Equal(now) {
			t.Errorf("Apply(%s) = id %s, version %d, updated %v, want i, 8, %v", name, got.ID, got.Version, got.Updated, now)
		}
		if string(before.Body) != body || before.Version != 7 {
			t.Errorf("Apply(%s) changed what it was given", name)
		}
	}
}

func TestApplyRefusesWhatDoesNotFit(t *testing.T) {
	for name, change := range map[string]data.Change{
		"broken JSON":        {Set: []data.Set{{Path: "a", JSON: []byte(`1,"x":2`)}}},
		"no JSON":            {Set: []data.Set{{Path: "a"}}},
		"a broken item":      {Push: []data.Push{{Path: "list", JSON: [][]byte{[]byte(`1]`)}}}},
		"broken to pull":     {Pull: []data.Pull{{Path: "list", JSON: []byte(`}`)}}},
		"into a text":        {Set: []data.Set{{Path: "text.x", JSON: []byte(`1`)}}},
		"add to a text":      {Inc: []data.Inc{{Path: "text", By: int64(1)}}},
		"add to no number":   {Inc: []data.Inc{{Path: "list", By: 1.0}}},
		"add a whole to 1.5": {Inc: []data.Inc{{Path: "frac", By: int64(1)}}},
		"add a text":         {Inc: []data.Inc{{Path: "frac", By: "1"}}},
		"push to a text":     {Push: []data.Push{{Path: "text", JSON: [][]byte{[]byte(`1`)}}}},
		"pull from a text":   {Pull: []data.Pull{{Path: "text", JSON: []byte(`1`)}}},
	} {
		got, err := data.Apply(data.Document{Body: []byte(`{"text":"a","frac":1.5,"list":[1]}`)}, change, time.Now())
		if err == nil || errors.Is(err, data.ErrUnmet) || got.Body != nil {
			t.Errorf("Apply(%s) = %s, %v, want an error that is not %v", name, got.Body, err, data.ErrUnmet)
		}
	}
	for _, body := range []string{"[]", "{", `{"a"}`, `{"a":1`, `{"a":1}}`, `{"a":1},`, "null", " "} {
		change := data.Change{Set: []data.Set{{Path: "a", JSON: []byte("1")}}}
		if got, err := data.Apply(data.Document{Body: []byte(body)}, change, time.Now()); err == nil {
			t.Errorf("Apply(to %q) = %s, nil, want an error", body, got.Body)
		}
	}
}

func TestAdditionIsExactOrRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	edge := []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64}
	pick := func() int64 {
		if r.IntN(2) == 0 {
			return edge[r.IntN(len(edge))]
		}
		return int64(r.Uint64())
	}
	for range 20_000 {
		a, by := pick(), pick()
		sum := new(big.Int).Add(big.NewInt(a), big.NewInt(by))
		change := data.Change{Inc: []data.Inc{{Path: "n", By: by}}}
		got, err := data.Apply(data.Document{Body: []byte(`{"n":` + big.NewInt(a).String() + `}`)}, change, time.Now())
		if sum.IsInt64() && (err != nil || string(got.Body) != `{"n":`+sum.String()+`}`) || !sum.IsInt64() && !errors.Is(err, data.ErrUnmet) {
			t.Fatalf("%d + %d = %s, %v, want %v", a, by, got.Body, err, sum)
		}
	}
}

func TestTargetAdmitsInOrder(t *testing.T) {
	d := data.Document{ID: "i", Version: 2, Body: []byte(`{"n":1}`)}
	yes, nope := is("n", data.Eq, int64(1)), is("n", data.Ne, int64(1))
	for _, c := range []struct {
		target data.Target
		want   error
	}{
		{data.Target{}, nil}, {data.Target{Scope: yes, Version: 2, If: yes}, nil}, {data.Target{Scope: nope, Version: 1, If: nope}, data.ErrNotFound},
		{data.Target{Scope: yes, Version: 1, If: nope}, data.ErrStale}, {data.Target{Scope: yes, Version: 2, If: nope}, data.ErrUnmet},
	} {
		if got := c.target.Admit(d); !errors.Is(got, c.want) {
			t.Errorf("Admit(%+v) = %v, want %v", c.target, got, c.want)
		}
	}
}

// FuzzApply holds that a change of a document gives a document, that what is set
// is there, and that the rest stays, as encoding/json sees it.
func FuzzApply(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"c":[1,"x",null]}}`), "b.c", []byte(`{"d":"\u0000"}`), []byte(`"x"`))
	f.Add([]byte(` { "a" : { } , "e" : -0.0 } `), "a.b.c", []byte(`null`), []byte(`1e5`))
	f.Add([]byte(`{"a":"\"}{","a":2}`), "a", []byte(`[[],{}]`), []byte(`[]`))
	f.Add([]byte(`{"a":[]}`), "x.", []byte(`1`), []byte(`true`))
	f.Fuzz(func(t *testing.T, body []byte, path string, set, item []byte) {
		if !utf8.ValidString(path) {
			t.Skip("no name of a field")
		}
		d := data.Document{ID: "i", Version: 1, Body: body}
		data.Match(d, is(path, data.Eq, "x"))
		data.Match(d, is(path, data.Has, int64(1)))
		now := time.Now()
		for _, change := range []data.Change{
			{Set: []data.Set{{Path: path, JSON: set}}}, {Unset: []string{path}}, {Inc: []data.Inc{{Path: path, By: int64(3)}}}, {Inc: []data.Inc{{Path: path, By: 0.5}}},
			{Push: []data.Push{{Path: path, JSON: [][]byte{item, set}, Unique: true, Most: 3}}}, {Pull: []data.Pull{{Path: path, JSON: item}}},
		} {
			before := slices.Clone(body)
			got, err := data.Apply(d, change, now)
			if !slices.Equal(body, before) {
				t.Fatalf("Apply(%s) changed what it was given to %s", before, body)
			}
			if err == nil && json.Valid(body) && !json.Valid(got.Body) {
				t.Errorf("Apply(%s, %+v) = %s, which is no JSON", body, change, got.Body)
			}
		}
		wantRead(t, d, path, set)
	})
}

// wantRead fails the test unless what is set at a path is there, gone where it
// is null, and all beside it as it was.
func wantRead(t *testing.T, d data.Document, path string, set []byte) {
	before := members(d.Body)
	if before == nil || !json.Valid(set) {
		return
	}
	got, err := data.Apply(d, data.Change{Set: []data.Set{{Path: path, JSON: set}}}, time.Now())
	if err != nil {
		return // the path leads through what is no record
	}
	name, _, _ := strings.Cut(path, ".")
	after := members(got.Body)
	own := path == data.ID || path == data.Version || path == data.Created || path == data.Updated
	there := strings.TrimSpace(string(set)) != "null"
	if _, twice := after[name]; !own && data.Match(got, is(path, data.Exists, true)) != there && (there || !twice) {
		t.Errorf("Apply(%s, set %q to %s) = %s, where it is there: %t", d.Body, path, set, got.Body, !there)
	}
	delete(before, name)
	delete(after, name)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("Apply(%s, set %q to %s) = %s, want the rest as it was", d.Body, path, set, got.Body)
	}
}

// members reads an object without loss of digits, or returns nil.
func members(text []byte) (object map[string]any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&object) != nil || !json.Valid(text) {
		return nil
	}
	return object
}
