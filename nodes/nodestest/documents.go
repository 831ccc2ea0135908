package nodestest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/data"
)

// Documents runs the promises of [data.Store]. A store that keeps no documents is skipped.
func Documents(t *testing.T, open func(t *testing.T) nodes.Stores) {
	promises := slices.Concat(documentPromises(), queryPromises(), changePromises(), uniquePromises(), writePromises(), preparePromises())
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.keep(prepared(t, open(t).Data))
		})
	}
}

// A documentPromise is one thing that a store of documents must do.
type documentPromise struct {
	name string
	keep func(s *shelf)
}

func documentPromises() []documentPromise {
	return []documentPromise{
		{"a document comes back as it was created", comesBack},
		{"any text comes back and is found", textsComeBack},
		{"an open value is kept as it is", openIsKept},
		{"any id is only an id", idsAreIDs},
		{"a document shares nothing with its caller", sharesNothing},
		{"who may not see a document is told that there is none", scopeHides},
		{"a deleted document is gone", deletedIsGone},
		{"collections do not mix", collectionsDoNotMix},
		{"a cancelled call changes nothing and returns", cancelledDocuments},
	}
}

// A shelf is a store with a prepared collection that has fields of every kind.
type shelf struct {
	*testing.T
	data.Store
	things *data.Collection // with an index on most fields
	bare   *data.Collection // with the same fields and no index
}

// kinds are fields of every kind, all of them optional, some of them in records.
func kinds() []data.Field {
	list := func(name string, of data.Kind) data.Field {
		return data.Field{Name: name, Kind: data.List, Items: &data.Field{Kind: of}}
	}
	fields := []data.Field{
		{Name: "name", Kind: data.Text}, {Name: "count", Kind: data.Whole}, {Name: "price", Kind: data.Decimal},
		{Name: "on", Kind: data.Truth}, {Name: "at", Kind: data.Time}, {Name: "owner", Kind: data.Text},
		{Name: "note", Kind: data.Text}, {Name: "extra", Kind: data.Open},
		list("tags", data.Text), list("numbers", data.Whole), list("sizes", data.Decimal),
		{Name: "place", Kind: data.Record, Fields: []data.Field{
			{Name: "city", Kind: data.Text, Optional: true},
			{Name: "spot", Kind: data.Record, Optional: true, Fields: []data.Field{
				{Name: "level", Kind: data.Whole, Optional: true}, {Name: "x-y_1", Kind: data.Decimal, Optional: true},
			}},
			{Name: "marks", Kind: data.List, Optional: true, Items: &data.Field{Kind: data.Text}},
		}},
		{Name: "rows", Kind: data.List, Items: &data.Field{Kind: data.Record, Fields: []data.Field{{Name: "k", Kind: data.Whole, Optional: true}}}},
		{Name: "serial", Kind: data.Text}, {Name: "shop", Kind: data.Text}, {Name: "bay", Kind: data.Whole},
	}
	for i := range fields {
		fields[i].Optional = true
	}
	return fields
}

// prepared makes a store ready for the tests.
func prepared(t *testing.T, s data.Store) *shelf {
	if s == nil {
		t.Skip("this store keeps no documents")
	}
	index := func(fields ...string) data.Index { return data.Index{Fields: fields} }
	sh := &shelf{T: t, Store: s}
	sh.things = &data.Collection{Name: "things", Fields: kinds(), Owner: "owner", Indexes: []data.Index{
		index("name"), index("count"), index("price"), index("on"), index("at"), index("place.city"), index("place.spot.level", "name"),
		index("owner", data.Created), index("place.spot.x-y_1"), index(data.Updated),
		{Fields: []string{"serial"}, Unique: true}, {Fields: []string{"shop", "bay"}, Unique: true},
	}}
	sh.bare = &data.Collection{Name: "bareThings", Fields: kinds()}
	sh.prepare(sh.things, sh.bare)
	return sh
}

func (s *shelf) prepare(all ...*data.Collection) {
	s.Helper()
	for _, c := range all {
		if err := c.Check(); err != nil {
			s.Fatalf("Check(%s) = %v, want nil", c.Name, err)
		}
	}
	if err := s.Prepare(s.Context(), all); err != nil {
		s.Fatalf("Prepare() = %v, want nil", err)
	}
}

// newDocument returns a document with a body that is in no store yet.
func newDocument(body string) data.Document {
	now := present()
	return data.Document{ID: newID(), Version: 1, Created: now, Updated: now, Body: []byte(body)}
}

// add creates a document with a body.
func (s *shelf) add(c *data.Collection, body string) data.Document {
	s.Helper()
	d := newDocument(body)
	if err := s.Create(s.Context(), c, d); err != nil {
		s.Fatalf("Create(%s) = %v, want nil", short(body), err)
	}
	return d
}

func (s *shelf) want(c *data.Collection, want data.Document) {
	s.Helper()
	got, err := s.Get(s.Context(), c, want.ID, data.Filter{})
	if err != nil {
		s.Errorf("Get(%q) = %v, want nil", want.ID, err)
		return
	}
	s.wantSame("Get("+want.ID+")", got, want)
}

func (s *shelf) wantSame(call string, got, want data.Document) {
	s.Helper()
	if g, w := shown(got), shown(want); g != w {
		s.Errorf("%s = %s, want %s", call, short(g), short(w))
	}
}

func (s *shelf) wantGone(c *data.Collection, id string) {
	s.Helper()
	if _, err := s.Get(s.Context(), c, id, data.Filter{}); !errors.Is(err, data.ErrNotFound) {
		s.Errorf("Get(%q) = %v, want %v", id, err, data.ErrNotFound)
	}
}

// found returns the ids that a query finds. Count must agree.
func (s *shelf) found(c *data.Collection, q data.Query) []string {
	s.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	page, err := s.Find(s.Context(), c, q)
	if err != nil {
		s.Fatalf("Find(%s) = %v, want nil", describe(q), err)
	}
	n, err := s.Count(s.Context(), c, q.Filter, 1000)
	if err != nil || len(q.After) == 0 && q.Limit == 1000 && n != len(page) {
		s.Errorf("Count(%s) = %d, %v, want %d, nil", describe(q), n, err, len(page))
	}
	return idsOf(page)
}

func idsOf(page []data.Document) []string {
	ids := make([]string, len(page))
	for i, d := range page {
		ids[i] = d.ID
	}
	return ids
}

const fullBody = `{"name":"Ada","count":-9223372036854775808,"price":-1.7976931348623157e+308,"on":false,"at":"2026-02-03T04:05:06.789Z",
	"owner":"u1","tags":["a","","a"],"numbers":[9223372036854775807,9007199254740993,0],"sizes":[0.1,5e-324,1e+21],
	"place":{"city":"Ulm","spot":{"level":9007199254740993,"x-y_1":0.30000000000000004},"marks":[]},"rows":[{"k":1},{}],
	"serial":"s","shop":"x","bay":0,"extra":{"any":[1,null,{"a":1.50,"b":12345678901234567890123}]}}`

func comesBack(s *shelf) {
	for name, body := range map[string]string{
		"every kind": fullBody, "nothing": `{}`,
		"nulls":       `{"name":null,"count":null,"place":{"city":null,"spot":null},"extra":{"a":null}}`,
		"empty":       `{"name":"","tags":[],"rows":[],"place":{},"extra":{}}`,
		"spaced":      " {\n\t\"name\" : \"x\" , \"tags\" : [ \"a\" , \"b\" ] }\n",
		"beyond 2^53": `{"count":9007199254740993,"numbers":[-9007199254740993]}`,
	} {
		for _, c := range []*data.Collection{s.things, s.bare} {
			d := newDocument(body)
			d.Version, d.Updated = 7, d.Created.Add(time.Hour+time.Millisecond)
			if err := s.Create(s.Context(), c, d); err != nil {
				s.Errorf("Create(%s) = %v, want nil", name, err)
				continue
			}
			s.want(c, d)
			page, err := s.Find(s.Context(), c, data.Query{Filter: is(data.ID, data.Eq, d.ID), Limit: 5})
			if err != nil || len(page) != 1 {
				s.Errorf("Find(%s) = %d documents, %v, want 1, nil", name, len(page), err)
				continue
			}
			s.wantSame("Find("+name+")", page[0], d)
		}
	}
}

// hostile are texts that mean something to one database or another.
func hostile() map[string]string {
	all := texts()
	for name, text := range map[string]string{
		"an operator": `{"$ne":null}`, "a statement": `'; DROP TABLE doc_things; --`, "an injection": `' OR '1'='1`,
		"a where": "$where", "a path": "$.place.city", "a pattern": "%_*.^$", "a placeholder": "?1", "a prototype": "__proto__",
		"a number": "1e3", "a time": "2026-01-01T00:00:00.000Z", "null": "null", "true": "true", "only NUL": "\x00", "tags": "<script>&amp;",
	} {
		all[name] = text
	}
	return all
}

func textsComeBack(s *shelf) {
	all := hostile()
	made := map[string]data.Document{}
	for name, text := range all {
		made[name] = s.add(s.things, `{"name":`+jsonOf(text)+`,"place":{"city":`+jsonOf(text)+`},"tags":["x",`+jsonOf(text)+`],"note":`+jsonOf(text)+`}`)
	}
	for name, text := range all {
		s.want(s.things, made[name])
		for _, f := range []data.Filter{
			is("name", data.Eq, text), is("place.city", data.Eq, text), is("note", data.In, []any{text}), is("tags", data.Has, text),
			every(is("name", data.Gte, text), is("note", data.Lte, text)),
		} {
			if got := s.found(s.things, data.Query{Filter: f}); !slices.Equal(got, []string{made[name].ID}) {
				s.Errorf("Find(%s, %s) = %v, want %s", name, short(describe(data.Query{Filter: f})), got, made[name].ID)
			}
		}
	}
	long := strings.Repeat("0123456789abcdef", 1<<16)
	d := s.add(s.things, bodyWith("note", long))
	s.want(s.things, d)
	if got := s.found(s.things, data.Query{Filter: is("note", data.Eq, long)}); !slices.Equal(got, []string{d.ID}) {
		s.Errorf("Find(a text of 1 MiB) = %v, want %s", got, d.ID)
	}
	got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, data.Change{Set: []data.Set{{Path: "note", JSON: []byte(jsonOf(long + "!"))}}}, present())
	if want := bodyWith("note", long+"!"); err != nil || string(got.Body) != want && !sameJSON(got.Body, []byte(want)) {
		s.Errorf("Update(a text of 1 MiB) = %d bytes, %v, want %d, nil", len(got.Body), err, len(want))
	}
}

func openIsKept(s *shelf) {
	for _, extra := range []string{
		`{"$set":{"a":1},"$where":"sleep(9)","a.b":1,"":2,"__proto__":{"x":1},"constructor":null}`,
		`{"big":123456789012345678901234567890,"one":1.0,"small":-0.0,"exp":1E5,"deep":[[[[null]]]]}`,
		`[1,null,"a\u0000b",{"$ne":null}]`, `"text"`, `12`, `true`, `{"x\u0000y":1,"ключ":"значение","_id":5,"id":"x","version":9}`, `[]`,
	} {
		d := s.add(s.things, `{"name":"n","extra":`+extra+`}`)
		s.want(s.things, d)
		got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, data.Change{
			Set: []data.Set{{Path: "count", JSON: []byte("1")}}, Unset: []string{"extra"},
		}, d.Updated)
		if err != nil || !sameJSON(got.Body, []byte(`{"name":"n","count":1}`)) {
			s.Errorf("Update(unset %s) = %s, %v, want it gone", extra, got.Body, err)
		}
		got, err = s.Update(s.Context(), s.things, data.Target{ID: d.ID}, data.Change{Set: []data.Set{{Path: "extra", JSON: []byte(extra)}}}, d.Updated)
		if err != nil || !sameJSON(got.Body, []byte(`{"name":"n","count":1,"extra":`+extra+`}`)) {
			s.Errorf("Update(set %s) = %s, %v, want it set", extra, got.Body, err)
		}
		s.want(s.things, got)
	}
}

func idsAreIDs(s *shelf) {
	other := s.add(s.things, `{}`)
	for _, id := range []string{`{"$ne":null}`, `' OR '1'='1`, "a.b/c?d#e", "$id", "ключ", "NULL", " ", "0", "a\tb", strings.Repeat("x", 128)} {
		d := newDocument(`{"name":"x"}`)
		d.ID = id
		s.wantGone(s.things, id)
		if err := s.Create(s.Context(), s.things, d); err != nil {
			s.Errorf("Create(%q) = %v, want nil", id, err)
			continue
		}
		s.want(s.things, d)
		if got := s.found(s.things, data.Query{Filter: is(data.ID, data.Eq, id)}); !slices.Equal(got, []string{id}) {
			s.Errorf("Find(id %q) = %q, want it", id, got)
		}
		if err := s.Delete(s.Context(), s.things, data.Target{ID: id}); err != nil {
			s.Errorf("Delete(%q) = %v, want nil", id, err)
		}
		s.wantGone(s.things, id)
	}
	for _, id := range []string{"", "\x00", other.ID + "\x00", strings.Repeat("y", 1<<16)} {
		s.wantGone(s.things, id)
		if err := s.Delete(s.Context(), s.things, data.Target{ID: id}); !errors.Is(err, data.ErrNotFound) {
			s.Errorf("Delete(%.20q) = %v, want %v", id, err, data.ErrNotFound)
		}
	}
	s.want(s.things, other)
}

func sharesNothing(s *shelf) {
	d := newDocument(`{"name":"right"}`)
	want := d
	want.Body = bytes.Clone(d.Body)
	if err := s.Create(s.Context(), s.things, d); err != nil {
		s.Fatalf("Create() = %v, want nil", err)
	}
	spoil := func(body []byte) {
		for i := range body {
			body[i] = '!'
		}
	}
	spoil(d.Body)
	s.want(s.things, want)
	got, _ := s.Get(s.Context(), s.things, d.ID, data.Filter{})
	spoil(got.Body)
	page, _ := s.Find(s.Context(), s.things, data.Query{Limit: 1})
	for _, p := range page {
		spoil(p.Body)
	}
	s.want(s.things, want)
	got, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, data.Change{}, d.Updated)
	if err != nil {
		s.Errorf("Update() = %v, want nil", err)
	}
	spoil(got.Body)
	want.Version++
	s.want(s.things, want)
}

func scopeHides(s *shelf) {
	d := s.add(s.things, `{"owner":"u1","count":3}`)
	mine, theirs := is("owner", data.Eq, "u1"), is("owner", data.Eq, "u2")
	if got, err := s.Get(s.Context(), s.things, d.ID, mine); err != nil {
		s.Errorf("Get(in scope) = %v, want nil", err)
	} else {
		s.wantSame("Get(in scope)", got, d)
	}
	for name, scope := range map[string]data.Filter{
		"another's": theirs, "nobody's": some(), "with more": every(mine, is("count", data.Gt, int64(3))), "not mine": no(mine),
	} {
		if got, err := s.Get(s.Context(), s.things, d.ID, scope); !errors.Is(err, data.ErrNotFound) || got.Body != nil {
			s.Errorf("Get(%s) = %+v, %v, want %v", name, got, err, data.ErrNotFound)
		}
		for _, t := range []data.Target{{Scope: scope}, {Scope: scope, Version: 9}, {Scope: scope, If: some()}} {
			t.ID = d.ID
			if _, err := s.Update(s.Context(), s.things, t, data.Change{Unset: []string{"count"}}, present()); !errors.Is(err, data.ErrNotFound) {
				s.Errorf("Update(%s) = %v, want %v", name, err, data.ErrNotFound)
			}
			if err := s.Delete(s.Context(), s.things, t); !errors.Is(err, data.ErrNotFound) {
				s.Errorf("Delete(%s) = %v, want %v", name, err, data.ErrNotFound)
			}
		}
	}
	s.want(s.things, d)
	if err := s.Delete(s.Context(), s.things, data.Target{ID: d.ID, Scope: mine, Version: 1, If: is("count", data.Eq, int64(3))}); err != nil {
		s.Errorf("Delete(in scope) = %v, want nil", err)
	}
	s.wantGone(s.things, d.ID)
}

func deletedIsGone(s *shelf) {
	d, stays := s.add(s.things, `{"name":"a"}`), s.add(s.things, `{"name":"a"}`)
	for name, c := range map[string]struct {
		t    data.Target
		want error
	}{
		"stale": {data.Target{Version: 2}, data.ErrStale}, "unmet": {data.Target{If: is("name", data.Ne, "a")}, data.ErrUnmet},
		"stale and unmet": {data.Target{Version: 2, If: some()}, data.ErrStale},
	} {
		c.t.ID = d.ID
		if err := s.Delete(s.Context(), s.things, c.t); !errors.Is(err, c.want) {
			s.Errorf("Delete(%s) = %v, want %v", name, err, c.want)
		}
		s.want(s.things, d)
	}
	if err := s.Delete(s.Context(), s.things, data.Target{ID: d.ID}); err != nil {
		s.Errorf("Delete() = %v, want nil", err)
	}
	s.wantGone(s.things, d.ID)
	if got := s.found(s.things, data.Query{Filter: is("name", data.Eq, "a")}); !slices.Equal(got, []string{stays.ID}) {
		s.Errorf("Find() after Delete = %v, want only %s", got, stays.ID)
	}
	if err := s.Delete(s.Context(), s.things, data.Target{ID: d.ID}); !errors.Is(err, data.ErrNotFound) {
		s.Errorf("Delete(deleted) = %v, want %v", err, data.ErrNotFound)
	}
	if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, data.Change{}, present()); !errors.Is(err, data.ErrNotFound) {
		s.Errorf("Update(deleted) = %v, want %v", err, data.ErrNotFound)
	}
	if err := s.Create(s.Context(), s.things, d); err != nil {
		s.Errorf("Create(deleted) = %v, want nil", err)
	}
	s.want(s.things, d)
}

func collectionsDoNotMix(s *shelf) {
	here, there := newDocument(`{"name":"here","serial":"1"}`), newDocument(`{"name":"there","serial":"1"}`)
	there.ID = here.ID
	for c, d := range map[*data.Collection]data.Document{s.things: here, s.bare: there} {
		if err := s.Create(s.Context(), c, d); err != nil {
			s.Fatalf("Create(in %s) = %v, want nil", c.Name, err)
		}
	}
	if err := s.Delete(s.Context(), s.bare, data.Target{ID: here.ID}); err != nil {
		s.Errorf("Delete() = %v, want nil", err)
	}
	s.want(s.things, here)
	s.wantGone(s.bare, here.ID)
}

func cancelledDocuments(s *shelf) {
	d, late := s.add(s.things, `{"count":1}`), newDocument(`{}`)
	t, change := data.Target{ID: d.ID}, data.Change{Inc: []data.Inc{{Path: "count", By: int64(1)}}}
	wantCancelled(s.T, map[string]func(ctx context.Context) error{
		"Prepare": func(ctx context.Context) error { return s.Prepare(ctx, []*data.Collection{s.things}) },
		"Get":     func(ctx context.Context) error { _, err := s.Get(ctx, s.things, d.ID, data.Filter{}); return err },
		"Find":    func(ctx context.Context) error { _, err := s.Find(ctx, s.things, data.Query{Limit: 1}); return err },
		"Count":   func(ctx context.Context) error { _, err := s.Count(ctx, s.things, data.Filter{}, 1); return err },
		"Create":  func(ctx context.Context) error { return s.Create(ctx, s.things, late) },
		"Update":  func(ctx context.Context) error { _, err := s.Update(ctx, s.things, t, change, present()); return err },
		"Delete":  func(ctx context.Context) error { return s.Delete(ctx, s.things, t) },
		"Write": func(ctx context.Context) error {
			_, err := s.Write(ctx, []data.Write{{Collection: s.things, Target: t}}, present())
			return err
		},
	})
	s.want(s.things, d)
	s.wantGone(s.things, late.ID)
}
