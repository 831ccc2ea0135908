package transfer_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"sluice/nodes/data"
	"sluice/nodes/record"
	"sluice/server/store"
	"sluice/server/store/mongo/mongotest"
	"sluice/server/store/transfer"
)

// goods is a collection with fields of every kind, of which documents say the
// same in many ways.
func goods() *data.Collection {
	return &data.Collection{Name: "goods", Owner: "owner", Indexes: []data.Index{{Fields: []string{"sku"}, Unique: true}, {Fields: []string{"owner", "price"}}},
		Fields: []data.Field{
			{Name: "sku", Kind: data.Text}, {Name: "owner", Kind: data.Text, Optional: true}, {Name: "price", Kind: data.Decimal, Optional: true},
			{Name: "count", Kind: data.Whole, Optional: true}, {Name: "due", Kind: data.Time, Optional: true}, {Name: "on", Kind: data.Truth, Optional: true},
			{Name: "any", Kind: data.Open, Optional: true}, {Name: "7", Kind: data.List, Optional: true, Items: &data.Field{Kind: data.Whole}},
			{Name: "place", Kind: data.Record, Optional: true, Fields: []data.Field{{Name: "city", Kind: data.Text, Optional: true}, {Name: "x", Kind: data.Decimal, Optional: true}}},
		}}
}

func openStore(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.OpenStill(t.Context(), address)
	if err != nil {
		t.Fatalf("OpenStill(%s) = %v, want nil", address, err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestDocumentsGoRoundAllStoresUnchanged(t *testing.T) {
	const documents = 1500
	c, now := goods(), time.Now().UTC().Truncate(time.Millisecond)
	first := openStore(t, t.TempDir())
	if err := first.Data.Prepare(t.Context(), []*data.Collection{c, {Name: "empty"}}); err != nil {
		t.Fatal(err)
	}
	for i := range documents {
		body := fmt.Sprintf(`{ "sku":"s%d", "any":{"n":null,"deep":[1.0,{"$gt":%d}],"html":"<é\u00e9>"}, "place":{"x":%v,"city":"Ulm <&> \u2028"},
			"count":%d, "price":%v, "7":[9223372036854775807,-1], "on":%v, "owner":null, "due":"2026-02-03T04:05:06.789Z" }`,
			i, i, float64(i)/3, 9007199254740993-int64(i), float64(i)*1.25, i%2 == 0)
		d := data.Document{ID: fmt.Sprintf("d%05d", i), Version: int64(i + 1), Created: now, Updated: now.Add(time.Duration(i) * time.Millisecond), Body: []byte(body)}
		if err := first.Data.Create(t.Context(), c, d); err != nil {
			t.Fatalf("Create(%s) = %v, want nil", body, err)
		}
	}
	less := *c // some fields are not declared any more
	less.Fields, less.Indexes = c.Fields[:5], c.Indexes[:1]
	if err := first.Data.Prepare(t.Context(), []*data.Collection{&less}); err != nil {
		t.Fatal(err)
	}
	want := tally(t, first.Stores)
	if want.Counts["document"] != documents || want.Counts["collection"] != 2 {
		t.Fatalf("the store has %v, want %d documents", want, documents)
	}
	file := backup(t, first.Stores)
	second := openStore(t, mongotest.Database(t))
	if _, got, err := transfer.Restore(t.Context(), bytes.NewReader(file), into(second.Records), transfer.Options{}); err != nil || !got.Same(want) {
		t.Fatalf("Restore into MongoDB = %v, %v, want %v", got, err, want)
	}
	third := openStore(t, t.TempDir())
	if got, err := transfer.Copy(t.Context(), second.Records, third.Records, transfer.Options{}); err != nil || !got.Same(want) {
		t.Fatalf("Copy into SQLite = %v, %v, want %v", got, err, want)
	}
	for name, s := range map[string]*store.Store{"MongoDB": second, "SQLite": third} {
		if err := s.Data.Prepare(t.Context(), []*data.Collection{c}); err != nil {
			t.Fatalf("Prepare of %s = %v, want nil", name, err)
		}
		for _, id := range []string{"d00000", "d01499"} {
			a, err := first.Data.Get(t.Context(), c, id, data.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := s.Data.Get(t.Context(), c, id, data.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := lineOf(t, c, b), lineOf(t, c, a); got != want {
				t.Errorf("%s has %s, want %s", name, got, want)
			}
		}
	}
}

func lineOf(t *testing.T, c *data.Collection, d data.Document) string {
	t.Helper()
	r, err := record.DocumentOf(c, d)
	if err != nil {
		t.Fatal(err)
	}
	line, err := record.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}
