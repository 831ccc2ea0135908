package mongo

import (
	"strings"
	"testing"
	"time"

	"sluice/nodes/data"
	"sluice/server/store/health"
)

func TestCheckTellsOfCollections(t *testing.T) {
	db := openTest(t, newName(), nil)
	wantDocuments := func(when string, level health.Level, text string) {
		t.Helper()
		for _, f := range db.Check(t.Context()) {
			if f.Name == "documents" && f.Level == level && strings.Contains(f.Text, text) {
				return
			}
		}
		t.Errorf("Check() %s = %+v, want %s about documents with %q", when, db.Check(t.Context()), level, text)
	}
	wantDocuments("of an empty database", health.OK, "no collections")
	c := &data.Collection{Name: "orderItems", Fields: []data.Field{{Name: "sku", Kind: data.Text}}, Indexes: []data.Index{{Fields: []string{"sku"}, Unique: true}}}
	ds := Data{db}
	if err := ds.Prepare(t.Context(), []*data.Collection{c, {Name: "others"}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := ds.Create(t.Context(), c, data.Document{ID: "a", Version: 1, Created: now, Updated: now, Body: []byte(`{"sku":"s"}`)}); err != nil {
		t.Fatal(err)
	}
	wantDocuments("of what was prepared", health.OK, "orderItems 1, others 0")
	if err := ds.drop(t.Context(), ds.of(c), nil); err != nil {
		t.Fatal(err)
	}
	wantDocuments("without indexes", health.Warn, "sku of orderItems")
	if err := ds.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatal(err)
	}
	wantDocuments("after the next start", health.OK, "orderItems 1, others 0")
}
