package sqlite

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes/data"
)

// items is a collection as apps have them.
func items() *data.Collection {
	return &data.Collection{Name: "items", Owner: "owner", Fields: []data.Field{
		{Name: "owner", Kind: data.Text}, {Name: "title", Kind: data.Text}, {Name: "stock", Kind: data.Whole},
		{Name: "price", Kind: data.Decimal, Optional: true}, {Name: "done", Kind: data.Truth}, {Name: "due", Kind: data.Time, Optional: true},
		{Name: "tags", Kind: data.List, Items: &data.Field{Kind: data.Text}}, {Name: "note", Kind: data.Text},
		{Name: "place", Kind: data.Record, Optional: true, Fields: []data.Field{{Name: "city", Kind: data.Text, Optional: true}}},
		{Name: "sku", Kind: data.Text, Optional: true},
	}, Indexes: []data.Index{
		{Fields: []string{"owner", data.Created}}, {Fields: []string{"place.city", "price"}}, {Fields: []string{"sku"}, Unique: true},
	}}
}

// item is the i-th document of n. Ten have the same owner.
func item(i, n int) data.Document {
	at := time.UnixMilli(1_700_000_000_000 + int64(i)).UTC()
	return data.Document{ID: itemID(i), Version: 1, Created: at, Updated: at, Body: fmt.Appendf(nil,
		`{"owner":"u%d","title":"item number %d","stock":%d,"price":%d.5,"done":%t,"due":"2026-01-02T03:04:05.678Z","tags":["new","blue"],`+
			`"note":"a text of some length, as people write them beside the things that they have, and then a little more of it","place":{"city":"c%d"},"sku":"s%d"}`,
		i%(n/10), i, i%100, i%1000, i%2 == 0, i%50, i)}
}

func itemID(i int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012d", i) }

// openItems opens a database with n documents. They are written in long
// transactions, and then moved out of the log, which is short in use.
func openItems(tb testing.TB, n int) (Documents, *data.Collection) {
	tb.Helper()
	dir := tb.TempDir()
	db, c := openTest(tb, dir, Options{}), items()
	ds := Documents{db}
	if err := ds.Prepare(tb.Context(), []*data.Collection{c}); err != nil {
		tb.Fatalf("Prepare() = %v, want nil", err)
	}
	const batch = 20_000
	for from := 0; from < n; from += batch {
		err := db.writer.do(tb.Context(), &op{run: func(conn *conn) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := createDocument(conn, c, item(i, n)); err != nil {
					return err
				}
			}
			return nil
		}})
		if err != nil {
			tb.Fatalf("filling = %v, want nil", err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatalf("Close() = %v, want nil", err)
	}
	return Documents{openTest(tb, dir, Options{})}, c
}

// sizes are how many documents there are in a benchmark.
func sizes(b *testing.B, run func(b *testing.B, ds Documents, c *data.Collection, n int)) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint("of ", n), func(b *testing.B) {
			if testing.Short() && n > 10_000 {
				b.Skip("takes a minute")
			}
			ds, c := openItems(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, ds, c, n)
		})
	}
}

func BenchmarkDocument(b *testing.B) {
	sizes(b, func(b *testing.B, ds Documents, c *data.Collection, n int) {
		b.Run("get", func(b *testing.B) {
			for i := 0; b.Loop(); i += 7919 {
				if _, err := ds.Get(b.Context(), c, itemID(i%n), data.Filter{}); err != nil {
					b.Fatalf("Get() = %v, want nil", err)
				}
			}
		})
		for name, q := range queries(n) {
			b.Run("find "+name, func(b *testing.B) {
				for i := 0; b.Loop(); i += 7919 {
					page, err := ds.Find(b.Context(), c, q(i%n))
					if err != nil || len(page) != 10 {
						b.Fatalf("Find() = %d documents, %v, want 10, nil", len(page), err)
					}
				}
			})
		}
		b.Run("update", func(b *testing.B) {
			do := data.Change{Inc: []data.Inc{{Path: "stock", By: int64(1)}}}
			for i := 0; b.Loop(); i += 7919 {
				if _, err := ds.Update(b.Context(), c, data.Target{ID: itemID(i % n)}, do, time.Now()); err != nil {
					b.Fatalf("Update() = %v, want nil", err)
				}
			}
		})
		var next atomic.Int64
		next.Store(int64(n))
		create := func(b *testing.B) {
			d := item(int(next.Add(1)), n)
			if err := ds.Create(b.Context(), c, d); err != nil {
				b.Errorf("Create() = %v, want nil", err)
			}
		}
		b.Run("create alone", func(b *testing.B) {
			for b.Loop() {
				create(b)
			}
		})
		b.Run("create 64 at once", func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					create(b)
				}
			})
		})
	})
}

// queries find ten of n documents each, around the i-th.
func queries(n int) map[string]func(i int) data.Query {
	owner := func(i int) data.Filter {
		return data.Filter{Op: data.Eq, Path: "owner", Value: fmt.Sprintf("u%d", i%(n/10))}
	}
	return map[string]func(i int) data.Query{
		"by owner, newest first": func(i int) data.Query {
			return data.Query{Filter: owner(i), Sort: []data.Sort{{Path: data.Created, Down: true}}, Limit: 20}
		},
		"a page by city and price": func(i int) data.Query {
			return data.Query{
				Filter: data.Filter{Op: data.Eq, Path: "place.city", Value: "c7"}, Sort: []data.Sort{{Path: "price"}},
				After: []any{float64(i % 900), itemID(i)}, Limit: 10,
			}
		},
		"by a range of ids": func(i int) data.Query {
			return data.Query{After: []any{itemID(i % (n - 20))}, Limit: 10}
		},
	}
}
