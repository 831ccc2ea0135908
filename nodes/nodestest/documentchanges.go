package nodestest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"sluice/nodes/data"
)

func changePromises() []documentPromise {
	return []documentPromise{
		{"each change does what it says", changesDo},
		{"a change that cannot be is refused whole", changesAreRefused},
		{"a change counts up the version and keeps the rest", changeCounts},
		{"conditions of a change are judged in their order", conditionsInOrder},
		{"of changes of one version one wins", oneVersionOneWinner},
		{"parallel additions are exact", additionsAreExact},
		{"a stock is never sold below nothing", stockHolds},
		{"parallel pushes lose nothing", pushesLoseNothing},
	}
}

// A change is what a test does to a body, and the body after it.
type change struct {
	name   string
	before string
	do     data.Change
	after  string // or "" where it is refused
}

func set(path, json string) data.Change {
	return data.Change{Set: []data.Set{{Path: path, JSON: []byte(json)}}}
}
func unset(paths ...string) data.Change { return data.Change{Unset: paths} }
func inc(path string, by any) data.Change {
	return data.Change{Inc: []data.Inc{{Path: path, By: by}}}
}
func within(path string, by, least, most any) data.Change {
	return data.Change{Inc: []data.Inc{{Path: path, By: by, Least: least, Most: most}}}
}
func push(path string, unique bool, most int, items ...string) data.Change {
	p := data.Push{Path: path, Unique: unique, Most: most}
	for _, i := range items {
		p.JSON = append(p.JSON, []byte(i))
	}
	return data.Change{Push: []data.Push{p}}
}
func pull(path, json string) data.Change {
	return data.Change{Pull: []data.Pull{{Path: path, JSON: []byte(json)}}}
}

func allowed() []change {
	return []change{
		{"nothing", `{"name":"a"}`, data.Change{}, `{"name":"a"}`},
		{"set", `{"name":"a","count":1}`, set("name", `"b"`), `{"name":"b","count":1}`},
		{"set what is not there", `{}`, set("name", `"b"`), `{"name":"b"}`},
		{"set over null", `{"name":null}`, set("name", `""`), `{"name":""}`},
		{"set null", `{"name":"a","count":1}`, set("name", `null`), `{"count":1}`},
		{"set an operator", `{"name":"a"}`, set("name", `"$inc"`), `{"name":"$inc"}`},
		{"set another kind of number", `{"price":1}`, set("price", `1e+300`), `{"price":1e+300}`},
		{"set a big number", `{"count":1}`, set("count", `9007199254740993`), `{"count":9007199254740993}`},
		{"set inside", `{"place":{"city":"a","marks":["x"]}}`, set("place.city", `"b"`), `{"place":{"city":"b","marks":["x"]}}`},
		{"set inside what is not there", `{"name":"a"}`, set("place.spot.level", `1`), `{"name":"a","place":{"spot":{"level":1}}}`},
		{"set inside null", `{"place":null}`, set("place.spot.level", `1`), `{"place":{"spot":{"level":1}}}`},
		{"set a record", `{"place":{"city":"a"}}`, set("place", `{"spot":{"level":2}}`), `{"place":{"spot":{"level":2}}}`},
		{"set a list", `{"tags":["a"]}`, set("tags", `["b","c"]`), `{"tags":["b","c"]}`},
		{"set a time", `{}`, set("at", `"2026-01-01T00:00:00.001Z"`), `{"at":"2026-01-01T00:00:00.001Z"}`},
		{"set a truth value", `{"on":true}`, set("on", `false`), `{"on":false}`},
		{"unset", `{"name":"a","place":{"city":"x","spot":{"level":1}}}`, unset("name", "place.spot.level"), `{"place":{"city":"x","spot":{}}}`},
		{"unset what is not there", `{"count":1}`, unset("name", "place.spot.level", "tags"), `{"count":1}`},
		{"add", `{"count":40}`, inc("count", int64(2)), `{"count":42}`},
		{"add to what is not there", `{}`, inc("count", int64(-3)), `{"count":-3}`},
		{"add to null", `{"count":null}`, inc("count", int64(3)), `{"count":3}`},
		{"add nothing", `{}`, inc("count", int64(0)), `{"count":0}`},
		{"add inside what is not there", `{}`, inc("place.spot.level", int64(1)), `{"place":{"spot":{"level":1}}}`},
		{"add beyond 2^53", `{"count":9007199254740992}`, inc("count", int64(1)), `{"count":9007199254740993}`},
		{"add up to the last", `{"count":9223372036854775806}`, inc("count", int64(1)), `{"count":9223372036854775807}`},
		{"add from the first to the last", `{"count":-9223372036854775808}`, inc("count", int64(math.MaxInt64)), `{"count":-1}`},
		{"take the first from nothing", `{}`, inc("count", int64(math.MinInt64)), `{"count":-9223372036854775808}`},
		{"add a fraction", `{"price":1}`, inc("price", 0.5), `{"price":1.5}`},
		{"add as computers do", `{"price":0.1}`, inc("price", 0.2), `{"price":0.30000000000000004}`},
		{"add to a huge number", `{"price":1e+308}`, inc("price", 7e307), `{"price":1.7e+308}`},
		{"take down to the bound", `{"count":5}`, within("count", int64(-5), int64(0), nil), `{"count":0}`},
		{"add up to the bound", `{}`, within("count", int64(5), int64(5), int64(5)), `{"count":5}`},
		{"add within fractions", `{"price":0.5}`, within("price", 0.25, 0.0, 0.75), `{"price":0.75}`},
		{"come back from beyond a bound", `{"count":-9}`, within("count", int64(10), int64(0), int64(1)), `{"count":1}`},
		{"push", `{"tags":["a"]}`, push("tags", false, 0, `"b"`, `"a"`), `{"tags":["a","b","a"]}`},
		{"push to what is not there", `{}`, push("tags", false, 1, `"b"`), `{"tags":["b"]}`},
		{"push inside what is not there", `{}`, push("place.marks", false, 0, `"b"`), `{"place":{"marks":["b"]}}`},
		{"push to null", `{"tags":null}`, push("tags", true, 0, `"b"`), `{"tags":["b"]}`},
		{"push nothing", `{"tags":["a"]}`, push("tags", false, 0), `{"tags":["a"]}`},
		{"push records", `{"rows":[{}]}`, push("rows", false, 3, `{"k":1}`, `{"k":2}`), `{"rows":[{},{"k":1},{"k":2}]}`},
		{"push a list of operators", `{}`, push("tags", false, 0, `"$each"`, `"{\"$ne\":1}"`), `{"tags":["$each","{\"$ne\":1}"]}`},
		{"push up to the bound", `{"tags":["a"]}`, push("tags", false, 3, `"a"`, `"a"`), `{"tags":["a","a","a"]}`},
		{"push what is new", `{"tags":["a","b"]}`, push("tags", true, 0, `"b"`, `"c"`, `"c"`), `{"tags":["a","b","c"]}`},
		{"push what is new up to the bound", `{"tags":["a","b"]}`, push("tags", true, 3, `"b"`, `"c"`, `"a"`), `{"tags":["a","b","c"]}`},
		{"push nothing new to a full list", `{"tags":["a","b"]}`, push("tags", true, 2, `"b"`, `"a"`), `{"tags":["a","b"]}`},
		{"push nothing new to a list too long", `{"tags":["a","b"]}`, push("tags", true, 1, `"b"`), `{"tags":["a","b"]}`},
		{"push the same in other words", `{"tags":["\u0061"]}`, push("tags", true, 0, `"a"`), `{"tags":["a"]}`},
		{"push new numbers", `{"numbers":[9007199254740993]}`, push("numbers", true, 0, `9007199254740993`, `9007199254740992`), `{"numbers":[9007199254740993,9007199254740992]}`},
		{"pull", `{"tags":["a","b","a","c"]}`, pull("tags", `"a"`), `{"tags":["b","c"]}`},
		{"pull all there is", `{"tags":["a"]}`, pull("tags", `"a"`), `{"tags":[]}`},
		{"pull what is not there", `{"tags":["a"]}`, pull("tags", `"b"`), `{"tags":["a"]}`},
		{"pull from what is not there", `{}`, pull("place.marks", `"b"`), `{}`},
		{"pull a number", `{"numbers":[1,9007199254740993,9007199254740992]}`, pull("numbers", `9007199254740993`), `{"numbers":[1,9007199254740992]}`},
		{"pull a fraction", `{"sizes":[0.1,1,0.1]}`, pull("sizes", `0.1`), `{"sizes":[1]}`},
		{"many at once", `{"name":"a","count":1,"tags":["x"],"numbers":[1,2],"on":true,"place":{"city":"c"}}`, data.Change{
			Set: []data.Set{{Path: "name", JSON: []byte(`"b"`)}, {Path: "place.spot.level", JSON: []byte(`4`)}}, Unset: []string{"on", "place.city"},
			Inc:  []data.Inc{{Path: "count", By: int64(1)}, {Path: "price", By: 2.5}, {Path: "place.spot.x-y_1", By: 1.0}},
			Push: []data.Push{{Path: "tags", JSON: [][]byte{[]byte(`"y"`)}}, {Path: "place.marks", JSON: [][]byte{[]byte(`"m"`)}, Unique: true}},
			Pull: []data.Pull{{Path: "numbers", JSON: []byte(`1`)}},
		}, `{"name":"b","count":2,"tags":["x","y"],"numbers":[2],"place":{"spot":{"level":4,"x-y_1":1},"marks":["m"]},"price":2.5}`},
	}
}

func refusals() []change {
	both := within("count", int64(1), nil, int64(1))
	both.Set = []data.Set{{Path: "name", JSON: []byte(`"b"`)}}
	both.Push = []data.Push{{Path: "tags", JSON: [][]byte{[]byte(`"y"`)}}}
	return []change{
		{"over the last", `{"count":9223372036854775807}`, inc("count", int64(1)), ""},
		{"under the first", `{"count":-2}`, inc("count", int64(math.MinInt64)), ""},
		{"over the greatest", `{"price":1.7976931348623157e+308}`, inc("price", 1e308), ""},
		{"under the least", `{"price":-1.7976931348623157e+308}`, inc("price", -1e308), ""},
		{"below the bound", `{"count":4}`, within("count", int64(-5), int64(0), nil), ""},
		{"below the bound from what is not there", `{}`, within("count", int64(-1), int64(0), nil), ""},
		{"above the bound", `{"count":4}`, within("count", int64(1), nil, int64(4)), ""},
		{"above the bound from what is not there", `{}`, within("place.spot.level", int64(5), nil, int64(4)), ""},
		{"still below the bound", `{"count":-9}`, within("count", int64(1), int64(0), nil), ""},
		{"a fraction beyond", `{"price":0.5}`, within("price", 0.5, nil, 0.99), ""},
		{"a longer list", `{"tags":["a","b"]}`, push("tags", false, 2, `"c"`), ""},
		{"a list too long from nothing", `{}`, push("tags", false, 1, `"c"`, `"d"`), ""},
		{"one new too many", `{"tags":["a","b"]}`, push("tags", true, 2, `"a"`, `"c"`), ""},
		{"more on a list too long", `{"tags":["a","b","c"]}`, push("tags", false, 2, `"c"`), ""},
		{"one part of many", `{"name":"a","count":1,"tags":["x"]}`, both, ""},
	}
}

func changesDo(s *shelf) {
	for _, c := range allowed() {
		d := s.add(s.things, c.before)
		now := d.Created.Add(time.Second)
		got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID, Version: 1}, c.do, now)
		if err != nil {
			s.Errorf("Update(%s) = %v, want nil", c.name, err)
			continue
		}
		d.Version, d.Updated, d.Body = 2, now, []byte(c.after)
		s.wantSame("Update("+c.name+")", got, d)
		s.want(s.things, d)
	}
}

func changesAreRefused(s *shelf) {
	for _, c := range refusals() {
		d := s.add(s.things, c.before)
		if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, c.do, present()); !errors.Is(err, data.ErrUnmet) {
			s.Errorf("Update(%s) = %v, want %v", c.name, err, data.ErrUnmet)
		}
		s.want(s.things, d)
	}
}

func changeCounts(s *shelf) {
	d := s.add(s.things, `{"name":"a","count":1}`)
	for i := range 5 {
		now := d.Created.Add(time.Duration(i) * time.Minute)
		got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID, Version: int64(i + 1)}, inc("count", int64(1)), now)
		d.Version, d.Updated, d.Body = int64(i+2), now, fmt.Appendf(nil, `{"name":"a","count":%d}`, i+2)
		if err != nil {
			s.Errorf("Update() = %v, want nil", err)
		}
		s.wantSame("Update()", got, d)
		s.want(s.things, d)
	}
}

func conditionsInOrder(s *shelf) {
	d := s.add(s.things, `{"owner":"u1","count":1}`)
	mine, theirs := is("owner", data.Eq, "u1"), is("owner", data.Eq, "u2")
	holds, fails := is("count", data.Lt, int64(2)), is("count", data.Gt, int64(1))
	tooMuch := within("count", int64(1), nil, int64(1))
	for name, c := range map[string]struct {
		t    data.Target
		do   data.Change
		want error
	}{
		"another's":         {data.Target{Scope: theirs, Version: 5, If: fails}, tooMuch, data.ErrNotFound},
		"another version":   {data.Target{Scope: mine, Version: 5, If: fails}, tooMuch, data.ErrStale},
		"a version to come": {data.Target{Version: 2}, data.Change{}, data.ErrStale},
		"a false condition": {data.Target{Scope: mine, Version: 1, If: fails}, data.Change{}, data.ErrUnmet},
		"a negated one":     {data.Target{If: no(holds)}, data.Change{}, data.ErrUnmet},
		"none of some":      {data.Target{If: some()}, data.Change{}, data.ErrUnmet},
		"too much":          {data.Target{Scope: mine, Version: 1, If: holds}, tooMuch, data.ErrUnmet},
		"nobody's":          {data.Target{ID: "nobody", Version: 5, If: fails}, data.Change{}, data.ErrNotFound},
	} {
		if c.t.ID == "" {
			c.t.ID = d.ID
		}
		if _, err := s.Update(s.Context(), s.things, c.t, c.do, present()); !errors.Is(err, c.want) {
			s.Errorf("Update(%s) = %v, want %v", name, err, c.want)
		}
		s.want(s.things, d)
	}
	t := data.Target{ID: d.ID, Scope: every(mine, is(data.ID, data.Eq, d.ID)), Version: 1, If: some(fails, holds)}
	if got, err := s.Update(s.Context(), s.things, t, set("owner", `"u2"`), d.Updated); err != nil || got.Version != 2 {
		s.Errorf("Update() = version %d, %v, want 2, nil", got.Version, err)
	}
	if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID, Scope: mine}, data.Change{}, present()); !errors.Is(err, data.ErrNotFound) {
		s.Errorf("Update(given away) = %v, want %v", err, data.ErrNotFound)
	}
}

func oneVersionOneWinner(s *shelf) {
	for range 10 {
		d := s.add(s.things, `{}`)
		errs := together(12, func(i int) error {
			t := data.Target{ID: d.ID, Version: 1}
			if i%4 == 3 {
				err := s.Delete(s.Context(), s.things, t)
				if errors.Is(err, data.ErrNotFound) {
					return data.ErrStale // another deletion won
				}
				return err
			}
			_, err := s.Update(s.Context(), s.things, t, inc("count", int64(i)), present())
			if errors.Is(err, data.ErrNotFound) {
				return data.ErrStale // a deletion won
			}
			return err
		})
		won := wantOne(s.T, "Update or Delete of version 1", errs, data.ErrStale)
		got, err := s.Get(s.Context(), s.things, d.ID, data.Filter{})
		switch {
		case won%4 == 3 && !errors.Is(err, data.ErrNotFound):
			s.Errorf("Get() after a deletion won = %v, want %v", err, data.ErrNotFound)
		case won%4 != 3 && (err != nil || got.Version != 2 || !sameJSON(got.Body, fmt.Appendf(nil, `{"count":%d}`, won))):
			s.Errorf("Get() after change %d won = %+v, %v, want its change alone", won, got, err)
		}
	}
}

func additionsAreExact(s *shelf) {
	const callers, each = 25, 4
	d := s.add(s.things, `{"place":{"city":"x"}}`)
	seen := make([][]int64, callers)
	errs := together(callers, func(i int) error {
		for range each {
			got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, inc("place.spot.level", int64(1)), d.Updated)
			if err != nil {
				return err
			}
			seen[i] = append(seen[i], got.Version)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		s.Fatalf("Update() = %v, want nil", err)
	}
	versions := slices.Concat(seen...)
	slices.Sort(versions)
	for i, v := range versions {
		if v != int64(i+2) {
			s.Fatalf("Update() told the versions %v, want each from 2 once", versions)
		}
	}
	d.Version, d.Body = callers*each+1, fmt.Appendf(nil, `{"place":{"city":"x","spot":{"level":%d}}}`, callers*each)
	s.want(s.things, d)
}

func stockHolds(s *shelf) {
	const stock, buyers = 20, 50
	d := s.add(s.things, fmt.Sprintf(`{"count":%d}`, stock))
	var sold atomic.Int64
	errs := together(buyers, func(int) error {
		got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, within("count", int64(-1), int64(0), nil), present())
		switch {
		case errors.Is(err, data.ErrUnmet):
			return nil
		case err != nil:
			return err
		}
		sold.Add(1)
		if !data.Match(got, is("count", data.Gte, int64(0))) {
			return fmt.Errorf("Update() = %s, want at least 0", got.Body)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		s.Errorf("Update() = %v, want nil or %v", err, data.ErrUnmet)
	}
	got, err := s.Get(s.Context(), s.things, d.ID, data.Filter{})
	if err != nil || sold.Load() != stock || !sameJSON(got.Body, []byte(`{"count":0}`)) || got.Version != stock+1 {
		s.Errorf("%d sold %d of %d and left %s in version %d, %v", buyers, sold.Load(), stock, got.Body, got.Version, err)
	}
}

func pushesLoseNothing(s *shelf) {
	const callers = 30
	d := s.add(s.things, `{"tags":["kept"],"numbers":[]}`)
	errs := together(callers, func(i int) error {
		do := push("tags", true, 0, fmt.Sprintf(`"t%d"`, i%10))
		do.Push = append(do.Push, push("numbers", false, 0, fmt.Sprint(i)).Push...)
		_, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, do, present())
		return err
	})
	if err := errors.Join(errs...); err != nil {
		s.Fatalf("Update() = %v, want nil", err)
	}
	got, err := s.Get(s.Context(), s.things, d.ID, data.Filter{})
	if err != nil {
		s.Fatalf("Get() = %v, want nil", err)
	}
	for i := range callers {
		if !data.Match(got, every(is("numbers", data.Has, int64(i)), is("tags", data.Has, fmt.Sprintf("t%d", i%10)))) {
			s.Errorf("Get() = %s, want what call %d pushed", got.Body, i)
		}
	}
	value, err := decoded(got.Body)
	if object, ok := value.(map[string]any); err != nil || !ok || len(object["tags"].([]any)) != 11 || len(object["numbers"].([]any)) != callers {
		s.Errorf("Get() = %s, %v, want 11 tags and %d numbers", got.Body, err, callers)
	}
}
