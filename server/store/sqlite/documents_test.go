package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/nodes/data"
)

// plan is how SQLite goes about the statements of a query.
func plan(t *testing.T, db *DB, c *data.Collection, q data.Query) string {
	t.Helper()
	parts, err := selects(c, q)
	if err != nil {
		t.Fatalf("selects(%+v) = %v, want nil", q, err)
	}
	var lines []string
	for _, p := range parts {
		err := db.read(t.Context(), func(conn *conn) error {
			// EXPLAIN by itself does not see that the indexes are others now.
			if _, err := conn.one(p.text, append(p.args, int64(10))...); err != nil {
				return err
			}
			delete(conn.prepared, "EXPLAIN QUERY PLAN "+p.text)
			return conn.query(func(row []driver.Value) bool {
				lines = append(lines, row[3].(string))
				return true
			}, "EXPLAIN QUERY PLAN "+p.text, append(p.args, int64(10))...)
		})
		if err != nil {
			t.Fatalf("EXPLAIN %s = %v, want nil", p.text, err)
		}
	}
	return strings.Join(lines, "\n")
}

// digest is the end of an index's name.
var digest = regexp.MustCompile(`_by_[0-9a-f]{16}`)

func compare(path string, op data.Op, v any) data.Filter {
	return data.Filter{Op: op, Path: path, Value: v}
}

func both(of ...data.Filter) data.Filter { return data.Filter{Of: of} }

func TestQueriesUseIndexes(t *testing.T) {
	ds, c := openItems(t, 100)
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	owner, up := compare("owner", data.Eq, "u1"), func(path string) []data.Sort { return []data.Sort{{Path: path}} }
	newest := []data.Sort{{Path: data.Created, Down: true}}
	for name, x := range map[string]struct {
		q    data.Query
		want string // the plan of each statement, without what is the same in all
	}{
		"id":             {data.Query{Filter: compare(data.ID, data.Eq, "x")}, "sqlite_autoindex_doc_items_1 (id=?)"},
		"ids":            {data.Query{Filter: compare(data.ID, data.In, []any{"x", "y"})}, "sqlite_autoindex_doc_items_1 (id=?)"},
		"all":            {data.Query{}, "SCAN sqlite_autoindex_doc_items_1"}, // in order, up to the limit
		"all, next page": {data.Query{After: []any{"x"}}, "sqlite_autoindex_doc_items_1 (id>?)"},
		"equality":       {data.Query{Filter: compare("place.city", data.Eq, "c1"), Sort: up("price")}, "doc_items (<expr>=?)"},
		"unique":         {data.Query{Filter: compare("sku", data.Eq, "s1")}, "doc_items (<expr>=?)"},
		"in": {data.Query{Filter: compare("sku", data.In, []any{"s1", "s2"}), Sort: up("sku")},
			"doc_items (<expr>=?)\nUSE TEMP B-TREE FOR LAST TERM OF ORDER BY"},
		"range":           {data.Query{Filter: both(compare("place.city", data.Eq, "c1"), compare("price", data.Gt, 1.0), compare("price", data.Lte, 9.0)), Sort: up("price")}, "doc_items (<expr>=? AND <expr>>? AND <expr><?)"},
		"prefix":          {data.Query{Filter: compare("place.city", data.Prefix, "c"), Sort: []data.Sort{{Path: "place.city"}, {Path: "price"}}}, "doc_items (<expr>>? AND <expr><?)"},
		"sort":            {data.Query{Sort: []data.Sort{{Path: "place.city"}, {Path: "price"}}}, "SCAN doc_items"},
		"sort down":       {data.Query{Sort: []data.Sort{{Path: "place.city", Down: true}, {Path: "price", Down: true}}}, "SCAN doc_items"},
		"owner and sort":  {data.Query{Filter: owner, Sort: newest}, "doc_items (<expr>=?)"},
		"owner and times": {data.Query{Filter: both(owner, compare(data.Created, data.Gte, day)), Sort: newest}, "doc_items (<expr>=? AND created>?)"},
		"owner, next page": {data.Query{Filter: owner, Sort: newest, After: []any{day, "x"}},
			"doc_items (<expr>=? AND created=? AND id<?)\ndoc_items (<expr>=? AND created<?)"},
		"next page up": {data.Query{Filter: compare("place.city", data.Eq, "c1"), Sort: up("price"), After: []any{1.0, "x"}},
			"doc_items (<expr>=? AND <expr>=? AND id>?)\ndoc_items (<expr>=? AND <expr>>?)"},
		"next page down": {data.Query{Filter: compare("place.city", data.Eq, "c1"), Sort: []data.Sort{{Path: "price", Down: true}}, After: []any{1.0, "x"}},
			"doc_items (<expr>=? AND <expr>=? AND id<?)\ndoc_items (<expr>=? AND <expr><?)\ndoc_items (<expr>=? AND <expr>=?)"},
		"next page behind what is not there": {data.Query{Filter: compare("place.city", data.Eq, "c1"), Sort: up("price"), After: []any{nil, "x"}},
			"doc_items (<expr>=? AND <expr>=? AND id>?)\ndoc_items (<expr>=? AND <expr>>?)"},
		"next page of two sorts": {data.Query{Sort: []data.Sort{{Path: "place.city"}, {Path: "price"}}, After: []any{"c1", 1.0, "x"}},
			"doc_items (<expr>=? AND <expr>=? AND id>?)\ndoc_items (<expr>=? AND <expr>>?)\ndoc_items (<expr>>?)"},
		"one of two ways": {data.Query{Filter: data.Filter{Op: data.Any, Of: []data.Filter{compare("sku", data.Eq, "s1"), owner}}},
			"MULTI-INDEX OR\nINDEX 1\ndoc_items (<expr>=?)\nINDEX 2\ndoc_items (<expr>=?)\nUSE TEMP B-TREE FOR ORDER BY"},
	} {
		got := digest.ReplaceAllString(plan(t, ds.db, c, x.q), "")
		got = strings.NewReplacer("SEARCH doc_items USING ", "", "SCAN doc_items USING ", "SCAN ", "COVERING ", "", "INDEX doc_items", "doc_items", "INDEX sqlite", "sqlite").Replace(got)
		got = strings.Join(slices.DeleteFunc(strings.Split(got, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "LIST SUBQUERY") || strings.HasPrefix(line, "CREATE BLOOM") || strings.Contains(line, "json_each")
		}), "\n")
		if got != x.want {
			t.Errorf("%s: plan\n%s\nwant\n%s", name, got, x.want)
		}
	}
}

// A later page must not begin at the bound that the filter gives, which would
// read all pages before it again. EXPLAIN does not tell which bound is used.
func TestPagesBeginAtTheirPlace(t *testing.T) {
	day, c := time.UnixMilli(0), items()
	f := both(compare(data.Created, data.Gte, day), compare(data.Created, data.Lt, day))
	for down, want := range map[bool]string{
		false: "WHERE created > ? AND (+created >= ? AND created < ?)", true: "WHERE created < ? AND (created >= ? AND +created < ?)",
	} {
		parts, err := selects(c, data.Query{Filter: f, Sort: []data.Sort{{Path: data.Created, Down: down}}, After: []any{day, "x"}})
		if err != nil || len(parts) != 2 || !strings.Contains(parts[1].text, want) {
			t.Errorf("selects(down %t) = %+v, %v, want one with %q", down, parts, err, want)
		}
	}
}

// TestServedQueriesAreServed holds what Serving tells against what SQLite does.
func TestServedQueriesAreServed(t *testing.T) {
	db, ds := openTest(t, t.TempDir(), Options{}), Documents{}
	ds.db = db
	met := map[data.Reach]int{}
	r := rand.New(rand.NewPCG(1, 2))
	paths := []string{"owner", "title", "stock", "price", "due", "place.city", data.Created, data.ID}
	values := map[string]any{"owner": "a", "title": "b", "stock": int64(1), "price": 1.5, "due": time.Now(), "place.city": "c", data.Created: time.Now(), data.ID: "i"}
	path := func() string { return paths[r.IntN(len(paths))] }
	for round := range 25 {
		c := items()
		c.Indexes = nil
		for range 1 + r.IntN(4) {
			fields := []string{path()}
			for len(fields) < 3 && r.IntN(2) == 0 {
				if p := path(); !slices.Contains(fields, p) {
					fields = append(fields, p)
				}
			}
			if !slices.ContainsFunc(c.Indexes, func(x data.Index) bool { return x.Fields[0] == fields[0] }) {
				c.Indexes = append(c.Indexes, data.Index{Fields: fields, Unique: r.IntN(4) == 0})
			}
		}
		if err := ds.Prepare(t.Context(), []*data.Collection{c}); err != nil {
			t.Fatalf("Prepare() = %v, want nil", err)
		}
		for range 60 {
			q := data.Query{Limit: 10}
			for range r.IntN(4) {
				p := path()
				f := compare(p, []data.Op{data.Eq, data.Eq, data.Eq, data.Gt, data.Lte, data.Ne, data.In}[r.IntN(7)], values[p])
				if f.Op == data.In {
					f.Value = []any{f.Value}
				}
				q.Filter.Of = append(q.Filter.Of, f)
			}
			down := r.IntN(2) == 0
			for range r.IntN(3) {
				p := path()
				if !slices.ContainsFunc(q.Sort, func(s data.Sort) bool { return s.Path == p }) {
					q.Sort = append(q.Sort, data.Sort{Path: p, Down: down})
				}
			}
			if r.IntN(2) == 0 {
				for _, s := range q.Sort {
					q.After = append(q.After, values[s.Path])
				}
				q.After = append(q.After, "i")
			}
			by, reach := data.Serving(c, q)
			met[reach]++
			got := plan(t, db, c, q)
			walk := len(q.Filter.Of) == 0 && len(q.After) == 0 // a first page of all is the beginning of an index
			switch {
			case reach == data.Full && strings.Contains(got, "ORDER BY") && !by.Unique:
				t.Fatalf("round %d: Serving(%v, %+v) = %v, full, but SQLite sorts:\n%s", round, c.Indexes, q, by, got)
			case (reach == data.Full && !walk || reach == data.Part && equal(q.Filter, by.Fields[0])) && strings.Contains(got, "SCAN doc_"):
				t.Fatalf("round %d: Serving(%v, %+v) = %v, %v, but SQLite goes through all:\n%s", round, c.Indexes, q, by, reach, got)
			}
		}
	}
	if len(met) != 3 {
		t.Errorf("met %v, want queries of each reach", met)
	}
}

func TestDocumentsAreKept(t *testing.T) {
	dir := t.TempDir()
	db, c := openTest(t, dir, Options{}), items()
	ds := Documents{db}
	if err := ds.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatalf("Prepare() = %v, want nil", err)
	}
	for i := range 20 {
		if err := ds.Create(t.Context(), c, item(i, 20)); err != nil {
			t.Fatalf("Create() = %v, want nil", err)
		}
	}
	want, err := ds.Update(t.Context(), c, data.Target{ID: itemID(3)}, data.Change{Unset: []string{"note"}}, time.Now())
	if err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
	if err := ds.Delete(t.Context(), c, data.Target{ID: itemID(4)}); err != nil {
		t.Fatalf("Delete() = %v, want nil", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}

	ds = Documents{openTest(t, dir, Options{})} // not prepared: what is there stays
	got, err := ds.Get(t.Context(), c, want.ID, data.Filter{})
	if err != nil || got.Version != 2 || string(got.Body) != string(want.Body) || !got.Updated.Equal(want.Updated) {
		t.Errorf("Get() after a restart = %+v, %v, want %+v", got, err, want)
	}
	if n, err := ds.Count(t.Context(), c, data.Filter{}, 100); err != nil || n != 19 {
		t.Errorf("Count() after a restart = %d, %v, want 19", n, err)
	}
	taken := (*data.TakenError)(nil)
	if err := ds.Create(t.Context(), c, func() data.Document { d := item(3, 20); d.ID = "other"; return d }()); !errors.As(err, &taken) {
		t.Errorf("Create(a taken sku) after a restart = %v, want it taken", err)
	}
}

func TestCapitalsTellCollectionsApart(t *testing.T) {
	ds := Documents{openTest(t, t.TempDir(), Options{})}
	one, two := &data.Collection{Name: "orderItems"}, &data.Collection{Name: "orderitems"}
	if err := ds.Prepare(t.Context(), []*data.Collection{one, two}); err != nil {
		t.Fatalf("Prepare() = %v, want nil", err)
	}
	if err := ds.Create(t.Context(), one, data.Document{ID: "x", Version: 1, Body: []byte("{}")}); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	if _, err := ds.Get(t.Context(), two, "x", data.Filter{}); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("Get() of the other collection = %v, want %v", err, data.ErrNotFound)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	ds, c := openItems(t, 20)
	for i := range 3 * maxPrepared {
		f := data.Filter{Op: data.Any}
		for bit := range 10 {
			if i>>bit&1 == 1 {
				f.Of = append(f.Of, compare("stock", data.Eq, int64(bit)))
			} else {
				f.Of = append(f.Of, compare("stock", data.Gt, int64(1000)))
			}
		}
		if _, err := ds.Count(t.Context(), c, f, 100); err != nil {
			t.Fatalf("Count() = %v, want nil", err)
		}
	}
	for range cap(ds.db.readers) {
		conn := <-ds.db.readers
		defer func() { ds.db.readers <- conn }()
		if n := len(conn.prepared); n > maxPrepared {
			t.Errorf("a reader keeps %d statements, want at most %d", n, maxPrepared)
		}
	}
}

func TestTextThatIsNoJSONIsRefused(t *testing.T) {
	ds, c := openItems(t, 20)
	for _, body := range []string{"", "{", `{"owner":1}}`, "\x00", `{"a":"` + "\xff", `{"owner":"` + "\x00" + `"}`,
		`{"note":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`} {
		if err := ds.Create(t.Context(), c, data.Document{ID: fmt.Sprintf("%.20q", body), Version: 1, Body: []byte(body)}); err == nil {
			t.Errorf("Create(%.50q) = nil, want an error", body)
		}
	}
	if n, err := ds.Count(t.Context(), c, compare("title", data.Ne, ""), 100); err != nil || n != 20 {
		t.Errorf("Count() = %d, %v, want 20", n, err)
	}
}
