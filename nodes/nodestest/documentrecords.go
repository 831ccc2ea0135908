package nodestest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/nodes"
	"sluice/nodes/data"
	"sluice/nodes/memory"
	"sluice/nodes/record"
)

// DocumentRecords tests how a store gives and takes documents.
func DocumentRecords(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"documents reach package memory and come back", documentsTravel},
		{"documents that were taken are served once prepared", movedDocumentsWork},
		{"what was declared before is given, too", formerIsGiven},
		{"what fits no declaration is not lost", misfitsAreKept},
		{"documents that contradict a unique key are told by Prepare", contradictionsAreTold},
		{"documents without their collection, and things twice, are refused", strayDocumentsAreRefused},
		{"a name that is none is refused", evilNamesAreRefused},
		{"documents alone make a store full, declarations do not", documentsMakeFull},
		{"replace leaves no document and no collection of before", replaceReplacesDocuments},
		{"documents that break off leave an empty store empty", brokenDocumentsLeaveEmpty},
		{"many documents are given once each", manyDocumentsAreGiven},
		{"documents are given beside writers", documentsBesideWriters},
	})
}

// stocked prepares a store and puts documents of every kind into it, some of
// which were changed.
func stocked(t *testing.T, s nodes.Stores) *shelf {
	t.Helper()
	sh := prepared(t, s.Data)
	sh.add(sh.things, fullBody)
	sh.add(sh.things, `{}`)
	for _, text := range hostile() {
		sh.add(sh.bare, `{"name":`+jsonOf(text)+`,"tags":[`+jsonOf(text)+`],"extra":{`+jsonOf(text)+`:`+jsonOf(text)+`}}`)
	}
	sh.add(sh.bare, `{"extra":{"big":123456789012345678901234567890,"one":1.0,"small":-0.0,"exp":1E5,"none":null}}`)
	for _, n := range []string{"0", "-0", "0.1", "1e+21", "5e-324", "1.7976931348623157e+308", "9007199254740992", "100000000000000000000"} {
		sh.add(sh.bare, `{"price":`+n+`,"sizes":[`+n+`],"place":{"spot":{"x-y_1":`+n+`}}}`)
	}
	d := sh.add(sh.things, `{"name":"n","place":{"city":"Ulm"},"tags":["a"]}`)
	_, err := s.Data.Update(t.Context(), sh.things, data.Target{ID: d.ID}, data.Change{
		Set: []data.Set{{Path: "owner", JSON: []byte(`"u"`)}}, Unset: []string{"name"},
		Inc: []data.Inc{{Path: "count", By: int64(1<<62 + 1)}}, Push: []data.Push{{Path: "tags", JSON: [][]byte{[]byte(`"b"`)}}},
	}, present())
	if err != nil {
		t.Fatalf("Update = %v, want nil", err)
	}
	return sh
}

// bodies returns all documents of the shelf by their ids.
func (s *shelf) bodies() map[string]string {
	s.Helper()
	all := map[string]string{}
	for _, c := range []*data.Collection{s.things, s.bare} {
		page, err := s.Find(s.Context(), c, data.Query{Limit: 1000})
		if err != nil {
			s.Fatalf("Find(%s) = %v, want nil", c.Name, err)
		}
		for _, d := range page {
			all[d.ID] = shown(d)
		}
	}
	return all
}

func documentsTravel(t *testing.T, s nodes.Stores) {
	sh := stocked(t, s)
	now, before := present(), sh.bodies()
	furnish(t, s, now)
	want := export(t, s, now)
	m := memory.New()
	if err := m.Records.Import(t.Context(), record.All(t.Context(), s.Records, now), false); err != nil {
		t.Fatalf("Import into memory = %v, want nil", err)
	}
	wantRecords(t, m, now, want)
	if err := s.Records.Import(t.Context(), record.All(t.Context(), m.Records, now), true); err != nil {
		t.Fatalf("Records.Import = %v, want nil", err)
	}
	wantRecords(t, s, now, want)
	sh.prepare(sh.things, sh.bare)
	for id, body := range sh.bodies() {
		if body != before[id] {
			t.Errorf("document %s is %s after the move, want %s", id, short(body), short(before[id]))
		}
		delete(before, id)
	}
	if len(before) > 0 {
		t.Errorf("%d documents are gone after the move", len(before))
	}
}

func movedDocumentsWork(t *testing.T, s nodes.Stores) {
	now, m := present(), memory.New()
	from := stocked(t, m)
	if err := s.Records.Import(t.Context(), record.All(t.Context(), m.Records, now), false); err != nil {
		t.Fatalf("Records.Import = %v, want nil", err)
	}
	sh := prepared(t, s.Data)
	if got, want := sh.found(sh.things, data.Query{Filter: is("place.city", data.Eq, "Ulm")}), from.found(from.things, data.Query{Filter: is("place.city", data.Eq, "Ulm")}); !slices.Equal(got, want) || len(got) != 2 {
		t.Errorf("Find by an index = %v, want %v", got, want)
	}
	err := s.Data.Create(t.Context(), sh.things, newDocument(`{"serial":"s"}`))
	if taken := (*data.TakenError)(nil); !errors.As(err, &taken) {
		t.Errorf("Create with unique values that were moved = %v, want a TakenError", err)
	}
	for _, id := range from.found(from.things, data.Query{}) {
		d, err := s.Data.Get(t.Context(), sh.things, id, data.Filter{})
		if err != nil {
			t.Fatalf("Get(%s) = %v, want nil", id, err)
		}
		set := data.Change{Set: []data.Set{{Path: "note", JSON: []byte(`"moved"`)}}}
		got, err := s.Data.Update(t.Context(), sh.things, data.Target{ID: id, Version: d.Version}, set, now)
		if err != nil || got.Version != d.Version+1 {
			t.Errorf("Update of a moved document = version %d, %v, want %d", got.Version, err, d.Version+1)
		}
	}
}

// fieldsBut are the fields of a collection but for some.
func fieldsBut(c *data.Collection, names ...string) *data.Collection {
	less := &data.Collection{Name: c.Name}
	for _, f := range c.Fields {
		if !slices.Contains(names, f.Name) {
			less.Fields = append(less.Fields, f)
		}
	}
	return less
}

func formerIsGiven(t *testing.T, s nodes.Stores) {
	sh := stocked(t, s)
	now := present()
	documents := func() (lines []string) {
		for _, line := range export(t, s, now) {
			if strings.HasPrefix(line, `{"document"`) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	before := documents()
	sh.prepare(fieldsBut(sh.things, "name", "extra", "place", "at", "tags"))
	got := documents()
	for i := range got { // the order of members may be another one now
		if r, err := record.Decode([]byte(got[i])); err != nil || !slices.ContainsFunc(before, func(line string) bool {
			b, err := record.Decode([]byte(line))
			return err == nil && shown(b.(*record.Document).Document()) == shown(r.(*record.Document).Document())
		}) {
			t.Errorf("a document is given as %s, %v once less is declared, want it as it was", short(got[i]), err)
		}
	}
	if len(got) != len(before) {
		t.Errorf("%d documents are given once less is declared, want %d", len(got), len(before))
	}
	m := memory.New()
	if err := m.Records.Import(t.Context(), record.All(t.Context(), s.Records, now), false); err != nil {
		t.Fatalf("Import into memory = %v, want nil", err)
	}
	wantRecords(t, m, now, export(t, s, now))
	again, want := prepared(t, m.Data), prepared(t, s.Data)
	if got, want := again.bodies(), want.bodies(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("documents of a collection that is declared again are %s, want %s", short(fmt.Sprint(got)), short(fmt.Sprint(want)))
	}
}

// thingsRecord is the record of a collection with a text field and a whole one.
func thingsRecord() *record.Collection {
	return &record.Collection{Name: "things", Indexes: []record.Index{}, Fields: []record.Field{
		{Name: "name", Kind: "text", Fields: []record.Field{}}, {Name: "count", Kind: "whole", Fields: []record.Field{}},
		{Name: "serial", Kind: "text", Fields: []record.Field{}}, {Name: "ratio", Kind: "decimal", Fields: []record.Field{}},
	}}
}

func documentRecord(body string) *record.Document {
	d := newDocument(body)
	return &record.Document{Collection: "things", ID: d.ID, Version: 3, Created: d.Created, Updated: d.Updated, Body: []byte(body)}
}

func misfitsAreKept(t *testing.T, s nodes.Stores) {
	some := []record.Record{thingsRecord()}
	for _, body := range []string{
		`{"name":"n","count":1,"colour":"red"}`, `{"count":1.5,"name":{"first":"A","last":null}}`,
		`{"name":"n","$set":{"a":1},"_id":[1.0,null]}`, `{"count":"1"}`, `{"count":9223372036854775808}`, `{"ratio":9007199254740993}`,
	} {
		some = append(some, documentRecord(body))
	}
	c := some[0].(*record.Collection).Collection()
	for i, r := range some[1:] {
		d, err := record.DocumentOf(c, r.(*record.Document).Document())
		if err != nil {
			t.Fatalf("DocumentOf = %v, want nil", err)
		}
		some[i+1] = d
	}
	take(t, s, some, false)
	wantRecords(t, s, present(), lines(t, some...))
	if err := s.Data.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatalf("Prepare = %v, want nil", err)
	}
	for _, r := range some[1:] {
		_, err := s.Data.Update(t.Context(), c, data.Target{ID: r.(*record.Document).ID}, data.Change{Set: []data.Set{{Path: "serial", JSON: []byte(`"s"`)}}}, present())
		if err != nil {
			t.Errorf("Update = %v, want nil", err)
		}
	}
	for _, line := range export(t, s, present()) {
		if strings.HasPrefix(line, `{"document"`) && !strings.Contains(line, `"serial":"s"`) {
			t.Errorf("a document is given as %s, want what was set in it", line)
		}
	}
}

func contradictionsAreTold(t *testing.T, s nodes.Stores) {
	some := []record.Record{thingsRecord(), documentRecord(`{"serial":"same"}`), documentRecord(`{"serial":"same"}`)}
	take(t, s, some, false)
	c := some[0].(*record.Collection).Collection()
	unique := *c
	unique.Indexes = []data.Index{{Fields: []string{"serial"}, Unique: true}}
	err := s.Data.Prepare(t.Context(), []*data.Collection{&unique})
	if err == nil || !strings.Contains(err.Error(), "things") || !strings.Contains(err.Error(), "serial") {
		t.Errorf("Prepare = %v, want it to name things and serial", err)
	}
	if err := s.Data.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Errorf("Prepare without the unique key = %v, want nil", err)
	}
}

func strayDocumentsAreRefused(t *testing.T, s nodes.Stores) {
	c, d := thingsRecord(), documentRecord(`{"name":"n"}`)
	other := *d
	other.Collection = "others"
	for name, some := range map[string][]record.Record{
		"a document without its collection":  {d},
		"a document of another collection":   {c, &other},
		"a document in front of its own one": {d, c},
		"a document twice":                   {c, d, d},
		"a collection twice":                 {c, d, c},
	} {
		if err := s.Records.Import(t.Context(), of(some, nil), false); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
		wantRecords(t, s, present(), []string{})
	}
}

func evilNamesAreRefused(t *testing.T, s nodes.Stores) {
	for _, name := range []string{"", "x; DROP TABLE users; --", "a.b", "$cmd", "system.users", "Things", "a_b", strings.Repeat("a", 65)} {
		c, d := thingsRecord(), documentRecord(`{}`)
		c.Name, d.Collection = name, name
		for _, some := range [][]record.Record{{c}, {c, d}, {d}} {
			if err := s.Records.Import(t.Context(), of(some, nil), false); err == nil {
				t.Errorf("Records.Import of collection %q = nil, want an error", name)
			}
		}
	}
	wantRecords(t, s, present(), []string{})
}

func documentsMakeFull(t *testing.T, s nodes.Stores) {
	sh := prepared(t, s.Data)
	c := thingsRecord()
	take(t, s, []record.Record{c}, false)
	wantRecords(t, s, present(), lines(t, c))
	sh.prepare(sh.things, sh.bare)
	d := sh.add(sh.things, `{"name":"n"}`)
	if err := s.Records.Import(t.Context(), of([]record.Record{c}, nil), false); !errors.Is(err, record.ErrNotEmpty) {
		t.Errorf("Records.Import beside a document = %v, want %v", err, record.ErrNotEmpty)
	}
	sh.want(sh.things, d)
}

func replaceReplacesDocuments(t *testing.T, s nodes.Stores) {
	sh := stocked(t, s)
	c, d := thingsRecord(), documentRecord(`{"name":"new"}`)
	take(t, s, []record.Record{c, d}, true)
	wantRecords(t, s, present(), lines(t, c, d))
	sh.prepare(sh.things, sh.bare)
	if got := sh.found(sh.things, data.Query{}); !slices.Equal(got, []string{d.ID}) {
		t.Errorf("Find after a replacement = %v, want %s", got, d.ID)
	}
	if got := sh.found(sh.bare, data.Query{}); len(got) > 0 {
		t.Errorf("Find in a collection that was replaced by nothing = %v, want none", got)
	}
}

func brokenDocumentsLeaveEmpty(t *testing.T, s nodes.Stores) {
	c, d := thingsRecord(), documentRecord(`{"name":"n"}`)
	if err := s.Records.Import(t.Context(), of([]record.Record{c, d}, errBroken), false); !errors.Is(err, errBroken) {
		t.Errorf("Records.Import = %v, want %v", err, errBroken)
	}
	wantRecords(t, s, present(), []string{})
	take(t, s, []record.Record{c, d}, false)
	wantRecords(t, s, present(), lines(t, c, d))
}

func manyDocumentsAreGiven(t *testing.T, s nodes.Stores) {
	const many = 2345 // more than two pages
	some := []record.Record{thingsRecord()}
	for i := range many {
		some = append(some, documentRecord(fmt.Sprintf(`{"name":"n","count":%d}`, i)))
	}
	other := thingsRecord()
	other.Name = "others"
	some = append(some, other)
	take(t, s, some, false)
	wantRecords(t, s, present(), lines(t, some...))
	got, err := s.Records.Count(t.Context())
	if err != nil || got["document"] != many || got["collection"] != 2 {
		t.Errorf("Records.Count = %v, %v, want %d documents of 2 collections", got, err, many)
	}
}

func documentsBesideWriters(t *testing.T, s nodes.Stores) {
	sh := prepared(t, s.Data)
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var acknowledged []string
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				d := newDocument(`{"name":"n"}`)
				if s.Data.Create(ctx, sh.things, d) != nil {
					continue
				}
				_, _ = s.Data.Update(ctx, sh.things, data.Target{ID: d.ID}, data.Change{Inc: []data.Inc{{Path: "count", By: int64(1)}}}, present())
				if n%5 == 0 {
					_ = s.Data.Delete(ctx, sh.things, data.Target{ID: d.ID})
					continue
				}
				mu.Lock()
				acknowledged = append(acknowledged, d.ID)
				mu.Unlock()
			}
		})
	}
	for range 10 {
		mu.Lock()
		before := slices.Clone(acknowledged)
		mu.Unlock()
		m := memory.New()
		if err := m.Records.Import(t.Context(), record.All(t.Context(), s.Records, present()), false); err != nil {
			t.Errorf("Import of what was given beside writers = %v, want nil", err)
			break
		}
		for _, id := range before {
			if _, err := m.Data.Get(t.Context(), sh.things, id, data.Filter{}); err != nil {
				t.Errorf("Get(%s) of what was given after it was acknowledged = %v, want nil", id, err)
			}
		}
	}
	stop()
	wg.Wait()
}
