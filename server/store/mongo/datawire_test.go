package mongo

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/data"
)

// orders is a collection with all that a filter or a change can name.
func orders() *data.Collection {
	text := &data.Field{Kind: data.Text}
	return &data.Collection{Name: "orders", Owner: "owner", Fields: []data.Field{
		{Name: "owner", Kind: data.Text}, {Name: "sku", Kind: data.Text, Optional: true},
		{Name: "stock", Kind: data.Whole, Optional: true}, {Name: "price", Kind: data.Decimal, Optional: true},
		{Name: "paid", Kind: data.Truth, Optional: true}, {Name: "due", Kind: data.Time, Optional: true},
		{Name: "to", Kind: data.Record, Optional: true, Fields: []data.Field{{Name: "city", Kind: data.Text, Optional: true}, {Name: "0", Kind: data.Text, Optional: true}}},
		{Name: "tags", Kind: data.List, Items: text, Optional: true}, {Name: "log", Kind: data.List, Items: &data.Field{Kind: data.Open}, Optional: true},
		{Name: "any", Kind: data.Open, Optional: true},
	}, Indexes: []data.Index{{Fields: []string{"sku"}, Unique: true}, {Fields: []string{"owner", "due"}}}}
}

// order is a document in which all texts are hostile.
func hostileOrder(t *testing.T, id string, now time.Time) data.Document {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"owner": hostile, "sku": "$sku", "stock": 1, "price": 1.5, "paid": true, "due": now.Format(data.TimeLayout),
		"to": map[string]any{"city": "$city", "0": hostile}, "tags": []any{"$tag", hostile},
		"log": []any{map[string]any{"$where": "x"}}, "any": map[string]any{"$set": map[string]any{"a.b": 1}},
	})
	if err != nil {
		t.Fatalf("Marshal() = %v, want nil", err)
	}
	return data.Document{ID: id, Version: 1, Created: now, Updated: now, Body: body}
}

// everyFilter has each operator with a hostile value, and each of the joints.
func everyFilter() data.Filter {
	none := data.Filter{Op: data.Any, Of: []data.Filter{
		{Op: data.Eq, Path: "to.city", Value: hostile}, {Op: data.In, Path: "to.0", Value: []any{"$nin", "$in"}},
		{Op: data.Gt, Path: "sku", Value: "$z"}, {Op: data.Lt, Path: "price", Value: 0.5}, {Op: data.Lte, Path: "stock", Value: int64(-1)},
		{Op: data.Has, Path: "tags", Value: "$where"}, {Op: data.Exists, Path: "any", Value: false}, {Op: data.Any},
	}}
	return data.Filter{Of: []data.Filter{
		{Op: data.Not, Of: []data.Filter{none}},
		{Op: data.Ne, Path: "sku", Value: "$ne"}, {Op: data.Nin, Path: "owner", Value: []any{"$nin"}},
		{Op: data.Gte, Path: "due", Value: time.UnixMilli(0)}, {Op: data.Prefix, Path: "sku", Value: "$"},
		{Op: data.Eq, Path: "paid", Value: true}, {}, {Op: data.Has, Path: "tags", Value: hostile},
	}}
}

func TestWhatTheServerIsToldOfDocuments(t *testing.T) {
	r := &recorder{}
	db := openTest(t, newName(), r.monitor())
	ds, c, now, ctx := Data{db}, orders(), time.Now().UTC().Truncate(time.Millisecond), t.Context()
	if err := ds.Prepare(ctx, []*data.Collection{c}); err != nil {
		t.Fatalf("Prepare() = %v, want nil", err)
	}
	r.taken()
	const id = "$where"
	target := data.Target{ID: id, Scope: everyFilter(), If: everyFilter()}
	change := func(ch data.Change) func() error {
		return func() error { _, err := ds.Update(ctx, c, target, ch, now); return err }
	}
	text := func(s string) []byte { return appendText(nil, s) }
	for _, step := range []struct {
		name     string
		hot      bool // each command names one document by its _id
		commands int  // that it takes at most
		call     func() error
	}{
		{"create", true, 1, func() error { return ds.Create(ctx, c, hostileOrder(t, id, now)) }},
		{"get", true, 1, func() error { _, err := ds.Get(ctx, c, id, everyFilter()); return err }},
		{"set", true, 1, change(data.Change{Set: []data.Set{
			{Path: "to.city", JSON: text("$unset")}, {Path: "any", JSON: []byte(`{"$inc":{"v":1}}`)}, {Path: "log", JSON: []byte(`[{"$or":[]}]`)}}})},
		{"unset", true, 1, change(data.Change{Unset: []string{"to.0"}, Set: []data.Set{{Path: "log", JSON: []byte("null")}}})},
		{"inc", true, 1, change(data.Change{Inc: []data.Inc{{Path: "stock", By: int64(-1), Least: int64(0)}, {Path: "price", By: 0.5, Most: 10.0}}})},
		{"push", true, 1, change(data.Change{Push: []data.Push{
			{Path: "tags", JSON: [][]byte{text("$each"), text(hostile)}, Most: 10}, {Path: "log", JSON: [][]byte{[]byte(`{"$each":[]}`)}, Most: 3}}})},
		{"push one unique", true, 1, change(data.Change{Push: []data.Push{{Path: "tags", JSON: [][]byte{text(hostile)}, Unique: true, Most: 1}}})},
		{"push several unique", true, 2, change(data.Change{Push: []data.Push{{Path: "tags", JSON: [][]byte{text(hostile), text("$slice")}, Unique: true, Most: 9}}})},
		{"pull", true, 1, change(data.Change{Pull: []data.Pull{{Path: "tags", JSON: text("$each")}}})},
		{"find", false, 1, func() error { return wantFound(ds.Find(ctx, c, data.Query{Filter: everyFilter(), Limit: 5})) }},
		{"find the next", false, 1, func() error {
			q := data.Query{Filter: everyFilter(), Sort: []data.Sort{{Path: "sku"}, {Path: "due", Down: true}, {Path: "to.0"}}, Limit: 5}
			q.After = []any{"$", nil, nil, hostile}
			return wantFound(ds.Find(ctx, c, q))
		}},
		{"count", false, 1, func() error {
			n, err := ds.Count(ctx, c, everyFilter(), 10)
			if err == nil && n != 1 {
				err = data.ErrNotFound
			}
			return err
		}},
		{"delete", true, 1, func() error { return ds.Delete(ctx, c, target) }},
	} {
		if err := step.call(); err != nil {
			t.Fatalf("%s = %v, want nil", step.name, err)
		}
		told := r.taken()
		if len(told) == 0 || len(told) > step.commands {
			t.Errorf("%s told the server %d commands, want 1 to %d: %v", step.name, len(told), step.commands, told)
		}
		for _, command := range told {
			checkCommand(t, step.name, command, step.hot)
			checkNames(t, step.name, command)
		}
	}
}

// wantFound is an error where nothing was found.
func wantFound(found []data.Document, err error) error {
	if err == nil && len(found) == 0 {
		err = data.ErrNotFound
	}
	return err
}

// checkNames fails the test where a name in a command, at any depth, is none
// that the store or the declaration knows. So no value has become one.
func checkNames(t *testing.T, step string, command bson.Raw) {
	t.Helper()
	var names func(doc bson.Raw)
	names = func(doc bson.Raw) {
		elements, _ := doc.Elements()
		for _, e := range elements {
			if strings.Contains(e.Key(), "$") && !slices.Contains(slices.Concat(changing, known), e.Key()) {
				t.Errorf("%s: %v has the name %s", step, command, e.Key())
			}
			if inner, ok := e.Value().DocumentOK(); ok {
				names(inner)
			} else if list, ok := e.Value().ArrayOK(); ok {
				names(bson.Raw(list))
			}
		}
	}
	names(command)
}

// known are the names with a $ that commands have beside those of changes.
var known = []string{
	"$db", "$readPreference", "$clusterTime", "$match", "$limit", "$group", "$sum", "$each",
	"$and", "$or", "$nor", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$elemMatch",
}

func driverIndex(name, field string) driver.IndexModel {
	return driver.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetName(name)}
}

func TestIndexesOfDocuments(t *testing.T) {
	db := openTest(t, newName(), nil)
	ds, c, now := Data{db}, orders(), time.Now()
	names := func() (names []string) {
		t.Helper()
		rows, err := ds.of(c).Indexes().List(t.Context())
		var found []bson.Raw
		if err == nil {
			err = rows.All(t.Context(), &found)
		}
		if err != nil {
			t.Fatalf("listing indexes = %v, want nil", err)
		}
		for _, raw := range found {
			names = append(names, strings.Replace(raw.Lookup("name").StringValue(), full, unique, 1))
		}
		slices.Sort(names)
		return names
	}
	prepare := func(step, want string, all ...*data.Collection) {
		t.Helper()
		err := ds.Prepare(t.Context(), all)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Fatalf("Prepare(%s) = %v, want %q", step, err, want)
		}
	}
	wantNames := func(step string, want ...string) {
		t.Helper()
		if got := names(); !slices.Equal(got, want) {
			t.Fatalf("indexes %s = %q, want %q", step, got, want)
		}
	}
	prepare("first", "", c)
	declared := []string{"_id_", "sluice_ordered_owner,due", "sluice_ordered_sku", "sluice_unique_sku"}
	wantNames("at first", declared...)
	if _, err := ds.of(c).Indexes().CreateOne(t.Context(), driverIndex("mine", "d.paid")); err != nil {
		t.Fatalf("CreateOne() = %v, want nil", err)
	}
	prepare("again", "", c)
	wantNames("after the same again", append(slices.Clone(declared[:1]), append([]string{"mine"}, declared[1:]...)...)...)
	for _, id := range []string{"a", "b"} {
		d := hostileOrder(t, id, now)
		d.Body = []byte(`{"owner":"ada"}`)
		if err := ds.Create(t.Context(), c, d); err != nil {
			t.Fatalf("Create(%s) = %v, want nil", id, err)
		}
	}
	next := orders()
	next.Indexes = []data.Index{{Fields: []string{"price"}}, {Fields: []string{"owner"}, Unique: true}}
	prepare("contradicted", "collection orders is to have unique owner, and has documents with the same", next)
	wantNames("after a contradiction", append(slices.Clone(declared[:1]), append([]string{"mine"}, declared[1:]...)...)...)
	next.Indexes = next.Indexes[:1]
	prepare("changed", "", next)
	wantNames("of another declaration", "_id_", "mine", "sluice_ordered_owner", "sluice_ordered_price")
	prepare("none", "")
	wantNames("of a collection that is no longer declared", "_id_", "mine")
	if n, err := ds.Count(t.Context(), c, data.Filter{}, 10); err != nil || n != 2 {
		t.Errorf("Count() = %d, %v, want the documents kept", n, err)
	}
	if _, err := ds.of(c).Indexes().CreateOne(t.Context(), driverIndex("sluice_ordered_price", "d.sku")); err != nil {
		t.Fatalf("CreateOne() = %v, want nil", err)
	}
	prepare("over a wrong one", "index sluice_ordered_price of data_orders in the database has the keys", next)
}
