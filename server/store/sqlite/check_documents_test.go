package sqlite

import (
	"strings"
	"testing"
	"time"

	"sluice/nodes/data"
	"sluice/nodes/record"
	"sluice/server/store/health"
)

func TestCheckTellsOfCollections(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	wantDocuments := func(when string, level health.Level, text string) {
		t.Helper()
		if f := finding(t, db.Check(t.Context()), "documents"); f.Level != level || !strings.Contains(f.Text, text) {
			t.Errorf("Check() %s = %+v, want %s with %q", when, f, level, text)
		}
	}
	exec := func(text string) {
		t.Helper()
		err := db.writer.do(t.Context(), &op{run: func(c *conn) error {
			_, err := c.exec(text)
			return err
		}})
		if err != nil {
			t.Fatalf("%s = %v, want nil", text, err)
		}
	}
	wantDocuments("of an empty database", health.OK, "no collections")
	c := &data.Collection{Name: "orderItems", Fields: []data.Field{{Name: "sku", Kind: data.Text}}, Indexes: []data.Index{{Fields: []string{"sku"}, Unique: true}}}
	ds := Documents{db}
	if err := ds.Prepare(t.Context(), []*data.Collection{c, {Name: "others"}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := ds.Create(t.Context(), c, data.Document{ID: "a", Version: 1, Created: now, Updated: now, Body: []byte(`{"sku":"s"}`)}); err != nil {
		t.Fatal(err)
	}
	wantDocuments("of what was prepared", health.OK, "orderItems 1, others 0")
	x, err := indexOf(c, c.Indexes[0])
	if err != nil {
		t.Fatal(err)
	}
	exec("DROP INDEX " + x.name)
	wantDocuments("without an index", health.Warn, "index of orderItems over sku")
	exec("DROP TABLE doc_others")
	wantDocuments("without a table", health.Warn, "table of others")
	if err := ds.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatal(err)
	}
	exec("CREATE TABLE doc_others (id TEXT)")
	wantDocuments("after the next start", health.OK, "orderItems 1, others 0")

	other := openTest(t, t.TempDir(), Options{})
	if err := (Records{other}).Import(t.Context(), record.All(t.Context(), Records{db}, now), false); err == nil {
		t.Error("Import of a damaged table = nil, want an error")
	}
	exec("DROP TABLE doc_others")
	if err := ds.Prepare(t.Context(), []*data.Collection{c, {Name: "others"}}); err != nil {
		t.Fatal(err)
	}
	if err := (Records{other}).Import(t.Context(), record.All(t.Context(), Records{db}, now), false); err != nil {
		t.Fatalf("Import() = %v, want nil", err)
	}
	if f := finding(t, other.Check(t.Context()), "documents"); f.Level != health.Warn || !strings.Contains(f.Text, "orderItems over sku") {
		t.Errorf("Check() after an import = %+v, want to be told that indexes are made by the next start", f)
	}
	if err := (Documents{other}).Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatal(err)
	}
	if f := finding(t, other.Check(t.Context()), "documents"); f.Level != health.OK {
		t.Errorf("Check() once prepared = %+v, want it to be well", f)
	}
}
