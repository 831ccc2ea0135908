package nodestest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/nodes/data"
)

func queryPromises() []documentPromise {
	return []documentPromise{
		{"a comparison means the same for every kind", comparisonsAgree},
		{"conditions are put together as logic does", logicAgrees},
		{"a list is asked for what is in it", listsAreAsked},
		{"the fields of every document can be asked for", ownFieldsAreAsked},
		{"a walk in any order meets each document once, in order", walksAreOrdered},
		{"a walk beside writes meets once what stays", walksAreStable},
		{"a count stops where it is told", countStops},
		{"a read sees what was acknowledged before", readsSeeWrites},
	}
}

// is compares a field.
func is(path string, op data.Op, v any) data.Filter { return data.Filter{Op: op, Path: path, Value: v} }

// every, some and no put conditions together.
func every(of ...data.Filter) data.Filter { return data.Filter{Op: data.All, Of: of} }
func some(of ...data.Filter) data.Filter  { return data.Filter{Op: data.Any, Of: of} }
func no(of data.Filter) data.Filter       { return data.Filter{Op: data.Not, Of: []data.Filter{of}} }

// describe is a query as text.
func describe(q data.Query) string {
	text := condition(q.Filter)
	for _, s := range q.Sort {
		text += " by " + s.Path
		if s.Down {
			text += " down"
		}
	}
	if len(q.After) > 0 {
		text += fmt.Sprintf(" after %q", q.After)
	}
	return fmt.Sprintf("%s limit %d", text, q.Limit)
}

func condition(f data.Filter) string {
	names := []string{"all", "any", "not", "=", "!=", ">", ">=", "<", "<=", "in", "not in", "exists", "begins with", "has"}
	if f.Op > data.Not {
		return fmt.Sprintf("%s %s %.200q", f.Path, names[f.Op], fmt.Sprint(f.Value))
	}
	parts := make([]string, len(f.Of))
	for i, of := range f.Of {
		parts[i] = condition(of)
	}
	return names[f.Op] + "(" + strings.Join(parts, ", ") + ")"
}

// scalars are values of each scalar kind, in order, by the path of a field of that kind.
func scalars() map[string][]any {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	wholes := []any{int64(math.MinInt64), int64(-1), int64(0), int64(1), int64(1<<53 - 1), int64(1 << 53), int64(1<<53 + 1), int64(math.MaxInt64)}
	decimals := []any{-math.MaxFloat64, -1.5, 0.0, 5e-324, 0.1, 0.30000000000000004, 1.0, 2.5, float64(1 << 53), float64(1 << 60), 1e21, 1e308, math.MaxFloat64}
	return map[string][]any{
		"name":  {"", "\x00", "1", "A", "Aa", "a", "a\x00", "a\x00b", "aa", "ab", "b", "cafe\u0301", "café", "é", "\ufffd", "\U0010ffff"},
		"count": wholes, "price": decimals, "place.spot.level": wholes, "place.spot.x-y_1": decimals,
		"on": {false, true},
		"at": {time.Unix(0, 0).UTC(), day, day.Add(time.Millisecond), day.Add(time.Hour), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)},
	}
}

// nested is a body with one value at a path.
func nested(path string, v any) string {
	text := jsonOf(v)
	names := strings.Split(path, ".")
	for i := len(names) - 1; i >= 0; i-- {
		text = `{"` + names[i] + `":` + text + `}`
	}
	return text
}

// agree fails the test for each filter that finds something else than [data.Match].
func (s *shelf) agree(c *data.Collection, all []data.Document, filters []data.Filter) {
	s.Helper()
	for _, f := range filters {
		if err := f.Check(c); err != nil {
			s.Fatalf("Check(%s) = %v, want nil", condition(f), err)
		}
		want := []string{}
		for _, d := range all {
			if data.Match(d, f) {
				want = append(want, d.ID)
			}
		}
		slices.Sort(want)
		if got := s.found(c, data.Query{Filter: f}); !slices.Equal(got, want) {
			s.Errorf("Find(in %s: %s) = %s, want %s", c.Name, condition(f), bodies(all, got), bodies(all, want))
		}
	}
}

// bodies shows the documents with ids.
func bodies(all []data.Document, ids []string) string {
	var texts []string
	for _, id := range ids {
		i := slices.IndexFunc(all, func(d data.Document) bool { return d.ID == id })
		if i < 0 {
			return "unknown " + id
		}
		texts = append(texts, short(string(all[i].Body)))
	}
	return "[" + strings.Join(texts, " ") + "]"
}

func comparisonsAgree(s *shelf) {
	for path, values := range scalars() {
		c := s.things
		docs := []data.Document{s.add(c, `{}`), s.add(c, nested(path, nil)), s.add(c, `{"place":null}`), s.add(c, `{"place":{"spot":null}}`)}
		for _, v := range values {
			docs = append(docs, s.add(c, nested(path, v)))
		}
		if path == "price" {
			docs = append(docs, s.add(c, `{"price":-0}`))
		}
		for _, d := range docs {
			if err := s.Create(s.Context(), s.bare, d); err != nil {
				s.Fatalf("Create(%s) = %v, want nil", d.Body, err)
			}
		}
		filters := []data.Filter{
			is(path, data.Exists, true), is(path, data.Exists, false), is(path, data.In, []any{}), is(path, data.Nin, []any{}),
			is(path, data.In, values), is(path, data.Nin, values[1:]), is(path, data.In, []any{values[0], values[0]}),
		}
		for _, v := range values {
			for _, op := range []data.Op{data.Eq, data.Ne, data.Gt, data.Gte, data.Lt, data.Lte} {
				filters = append(filters, is(path, op, v))
			}
			filters = append(filters, every(is(path, data.Gt, values[0]), is(path, data.Lte, v)), no(is(path, data.Lt, v)))
			if text, ok := v.(string); ok {
				filters = append(filters, is(path, data.Prefix, text), no(is(path, data.Prefix, text)))
			}
		}
		s.agree(s.things, docs, filters)
		s.agree(s.bare, docs, filters)
		for _, d := range docs {
			for _, c := range []*data.Collection{s.things, s.bare} {
				if err := s.Delete(s.Context(), c, data.Target{ID: d.ID}); err != nil {
					s.Fatalf("Delete(%s) = %v, want nil", d.Body, err)
				}
			}
		}
	}
}

func logicAgrees(s *shelf) {
	var docs []data.Document
	for _, name := range []string{``, `"name":null`, `"name":"a"`, `"name":"b"`} {
		for _, count := range []string{``, `"count":1`, `"count":2`} {
			docs = append(docs, s.add(s.things, "{"+strings.Trim(name+","+count, ",")+"}"))
		}
	}
	a, b := is("name", data.Eq, "a"), is("name", data.Ne, "a")
	one, more := is("count", data.Lte, int64(1)), is("count", data.Gt, int64(1))
	filters := []data.Filter{{}, every(), some(), no(every()), no(some()), every(every(), some(a, some())), no(every(a, one)), no(some(a, one))}
	for _, f := range []data.Filter{a, b, no(a), no(no(a)), no(b)} {
		for _, g := range []data.Filter{one, more, no(one), no(more), some(one, more), no(some(one, more))} {
			filters = append(filters, every(f, g), some(f, g), no(every(f, no(g))), no(some(f, g)), some(every(f, g), every(no(f), no(g))))
		}
	}
	deep := a
	for i := range data.MaxDepth - 1 {
		if i%2 == 0 {
			deep = every(deep, no(one))
		} else {
			deep = some(deep, one)
		}
		if i == data.MaxDepth-3 {
			break
		}
	}
	wide := some()
	for i := range data.MaxParts - 2 {
		wide.Of = append(wide.Of, is("count", data.Eq, int64(i*2+1)))
	}
	s.agree(s.things, docs, append(filters, deep, wide, no(wide)))
}

func listsAreAsked(s *shelf) {
	var docs []data.Document
	for _, body := range []string{
		`{}`, `{"tags":null}`, `{"tags":[]}`, `{"tags":["a"]}`, `{"tags":["b","a\u0000"]}`, `{"tags":["a","a"]}`, `{"name":"a"}`,
		`{"numbers":[1,9007199254740993]}`, `{"numbers":[9007199254740992]}`, `{"sizes":[0.1,1]}`, `{"sizes":[1152921504606847000]}`,
		`{"place":{"marks":["a"]}}`, `{"place":{"marks":["$ne",""]}}`, `{"rows":[{"k":1}]}`,
	} {
		docs = append(docs, s.add(s.things, body))
	}
	var filters []data.Filter
	for path, values := range map[string][]any{
		"tags": {"a", "b", "a\x00", "", "c"}, "place.marks": {"a", "", "$ne", "b"},
		"numbers": {int64(1), int64(1<<53 + 1), int64(1 << 53), int64(0)}, "sizes": {0.1, 1.0, float64(1 << 60), 2.0},
	} {
		for _, v := range values {
			filters = append(filters, is(path, data.Has, v), no(is(path, data.Has, v)))
		}
	}
	for _, path := range []string{"tags", "rows", "place", "place.marks", "extra"} {
		filters = append(filters, is(path, data.Exists, true), is(path, data.Exists, false))
	}
	s.agree(s.things, docs, filters)
}

func ownFieldsAreAsked(s *shelf) {
	now := present()
	var docs []data.Document
	var filters []data.Filter
	for i := range 6 {
		d := newDocument(`{}`)
		d.Version, d.Created, d.Updated = int64(i+1), now.Add(time.Duration(i/2)*time.Millisecond), now.Add(time.Duration(-i)*time.Hour)
		if err := s.Create(s.Context(), s.things, d); err != nil {
			s.Fatalf("Create() = %v, want nil", err)
		}
		docs = append(docs, d)
	}
	for _, d := range docs {
		for path, v := range map[string]any{data.ID: d.ID, data.Version: d.Version, data.Created: d.Created, data.Updated: d.Updated} {
			for _, op := range []data.Op{data.Eq, data.Ne, data.Gt, data.Gte, data.Lt, data.Lte} {
				filters = append(filters, is(path, op, v))
			}
			filters = append(filters, is(path, data.In, []any{v}), is(path, data.Nin, []any{v}), is(path, data.Exists, true), is(path, data.Exists, false))
		}
		filters = append(filters, is(data.ID, data.Prefix, d.ID[:len(d.ID)-1]), is(data.ID, data.Prefix, ""))
	}
	s.agree(s.things, docs, filters)
}

// crowd puts documents with many ties and gaps on the shelf.
func (s *shelf) crowd(n int) []data.Document {
	now := present()
	docs := make([]data.Document, n)
	for i := range docs {
		body := []string{fmt.Sprintf(`"owner":"u%d"`, i%3)}
		if i%4 != 0 {
			body = append(body, fmt.Sprintf(`"name":"n%d"`, i*7%5))
		}
		if i%5 != 0 {
			body = append(body, fmt.Sprintf(`"count":%d`, i*11%4-2), fmt.Sprintf(`"price":%v`, float64(i*3%4)/2))
		}
		if i%3 != 0 {
			body = append(body, fmt.Sprintf(`"on":%t`, i%2 == 0), fmt.Sprintf(`"place":{"spot":{"level":%d}}`, i%4), fmt.Sprintf(`"serial":"s%d"`, i*13%n))
		}
		docs[i] = newDocument("{" + strings.Join(body, ",") + "}")
		docs[i].Created = now.Add(time.Duration(i*5%7) * time.Second)
		for _, c := range []*data.Collection{s.things, s.bare} {
			if err := s.Create(s.Context(), c, docs[i]); err != nil {
				s.Fatalf("Create(%s) = %v, want nil", docs[i].Body, err)
			}
		}
	}
	return docs
}

// orders are sorts up, down, of several fields, of mixed ways and of none.
func orders() [][]data.Sort {
	all := [][]data.Sort{nil, {{Path: data.ID}}, {{Path: data.ID, Down: true}}}
	for _, path := range []string{"name", "count", "price", "on", "serial", "place.spot.level", data.Created, data.Version} {
		all = append(all, []data.Sort{{Path: path}}, []data.Sort{{Path: path, Down: true}})
	}
	for _, down := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
		all = append(all, []data.Sort{{Path: "place.spot.level", Down: down[0]}, {Path: "name", Down: down[1]}},
			[]data.Sort{{Path: "owner", Down: down[0]}, {Path: data.Created, Down: down[1]}},
			[]data.Sort{{Path: "on", Down: down[0]}, {Path: "price", Down: down[1]}, {Path: "count", Down: !down[1]}})
	}
	return all
}

func walksAreOrdered(s *shelf) {
	docs := s.crowd(40)
	filters := []data.Filter{{}, is("owner", data.Eq, "u1"), is("count", data.Gte, int64(-1)), is("name", data.Prefix, "n"),
		every(is("count", data.Lt, int64(1)), is(data.Created, data.Gt, docs[0].Created)), some(is("on", data.Eq, true), is("name", data.Exists, false))}
	for _, c := range []*data.Collection{s.things, s.bare} {
		for i, sorts := range orders() {
			f := filters[i%len(filters)]
			for _, f := range []data.Filter{{}, f} {
				q := data.Query{Filter: f, Sort: sorts, Limit: 7}
				want := inOrder(c, docs, q)
				if got := s.walk(c, q, nil); !slices.Equal(got, want) {
					s.Errorf("walk(in %s: %s) = %s, want %s", c.Name, describe(q), bodies(docs, got), bodies(docs, want))
				}
			}
		}
	}
}

// inOrder returns the ids that a walk meets.
func inOrder(c *data.Collection, docs []data.Document, q data.Query) []string {
	var found []data.Document
	for _, d := range docs {
		if data.Match(d, q.Filter) {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b data.Document) int {
		return data.CompareKeys(q.Sort, data.Keys(c, q.Sort, a), data.Keys(c, q.Sort, b))
	})
	return idsOf(found)
}

// walk pages through a query and calls between after each page, if it is there.
func (s *shelf) walk(c *data.Collection, q data.Query, between func(last data.Document)) []string {
	s.Helper()
	var met []string
	for {
		page, err := s.Find(s.Context(), c, q)
		if err != nil {
			s.Fatalf("Find(%s) = %v, want nil", describe(q), err)
		}
		if len(page) > q.Limit || len(met) > 10_000 {
			s.Fatalf("Find(%s) = %d documents after %d, want at most %d and an end", describe(q), len(page), len(met), q.Limit)
		}
		met = append(met, idsOf(page)...)
		if len(page) < q.Limit {
			return met
		}
		last := page[len(page)-1]
		q.After = data.Keys(c, q.Sort, last)
		if between != nil {
			between(last)
		}
	}
}

func walksAreStable(s *shelf) {
	for _, sorts := range [][]data.Sort{nil, {{Path: "name"}}, {{Path: "count", Down: true}}, {{Path: "place.spot.level"}, {Path: "name", Down: true}}} {
		var stay []string
		for i := range 60 {
			stay = append(stay, s.add(s.things, fmt.Sprintf(`{"note":"stays","name":"n%d","count":%d,"place":{"spot":{"level":%d}}}`, i%7, i%5, i%3)).ID)
		}
		var come []string
		steps := 0
		met := s.walk(s.things, data.Query{Sort: sorts, Limit: 5}, func(last data.Document) {
			steps++
			if steps > 40 {
				return // what comes in front of the walk would make it endless
			}
			for i := range 3 {
				come = append(come, s.add(s.things, fmt.Sprintf(`{"name":"n%d","count":%d}`, (steps+i)%7, (steps*i)%5)).ID)
			}
			if !slices.Contains(stay, last.ID) {
				if err := s.Delete(s.Context(), s.things, data.Target{ID: last.ID}); err != nil {
					s.Fatalf("Delete() = %v, want nil", err)
				}
			}
		})
		for _, id := range stay {
			if n := len(slices.DeleteFunc(slices.Clone(met), func(m string) bool { return m != id })); n != 1 {
				s.Errorf("walk(by %v) met %s %d times, want once", sorts, id, n)
			}
		}
		for _, d := range append(stay, come...) {
			_ = s.Delete(s.Context(), s.things, data.Target{ID: d}) // some are deleted already
		}
	}
}

func countStops(s *shelf) {
	s.crowd(20)
	for most, want := range map[int]int{1: 1, 7: 7, 20: 20, 21: 20, 1 << 30: 20} {
		n, err := s.Count(s.Context(), s.things, data.Filter{}, most)
		wantCount(s.T, fmt.Sprintf("Count(up to %d)", most), n, err, want)
	}
	n, err := s.Count(s.Context(), s.things, some(), 5)
	wantCount(s.T, "Count(none)", n, err, 0)
}

func readsSeeWrites(s *shelf) {
	errs := together(8, func(i int) error {
		for round := range 15 {
			d := newDocument(fmt.Sprintf(`{"name":"r%d","count":0}`, i))
			if err := s.Create(s.Context(), s.things, d); err != nil {
				return err
			}
			change := data.Change{Inc: []data.Inc{{Path: "count", By: int64(round + 1)}}}
			if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, change, present()); err != nil {
				return err
			}
			f := every(is("name", data.Eq, fmt.Sprintf("r%d", i)), is("count", data.Eq, int64(round+1)))
			page, err := s.Find(s.Context(), s.things, data.Query{Filter: f, Limit: 5})
			if err != nil || len(page) != 1 || page[0].ID != d.ID {
				return fmt.Errorf("Find() right after Update = %v, %w, want it", idsOf(page), err)
			}
			if err := s.Delete(s.Context(), s.things, data.Target{ID: d.ID}); err != nil {
				return err
			}
			if n, err := s.Count(s.Context(), s.things, f, 5); err != nil || n != 0 {
				return fmt.Errorf("Count() right after Delete = %d, %w, want 0", n, err)
			}
		}
		return nil
	})
	for _, err := range errs {
		if err != nil {
			s.Error(err)
		}
	}
}
