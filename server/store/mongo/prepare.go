package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/data"
)

// Beginnings of names: of collections with documents, and of the indexes that
// the store made on them. Others are left alone, as that of a shard key.
const (
	prefix = "data_"
	ours   = "sluice_"
)

// What an index of documents is for, as its name says.
const (
	ordered = ours + "ordered_" // filters and sorts
	unique  = ours + "unique_"  // a unique key
	full    = ours + "full_"    // a unique key on a server without partial indexes
)

// Codes of the server's errors.
const (
	namespaceThere = 48
	cannotIndex    = 67
	duplicate      = 11000
)

// named is an index in names of indexes.
func named(x data.Index) string { return strings.Join(x.Fields, ",") }

// indexesOf are the indexes of a declared collection. The id ends the ordered
// ones, as it ends sorts; a unique one can have no more than its fields, so that
// it needs an ordered one beside it.
func (ds Data) indexesOf(c *data.Collection) (all []index) {
	of := ds.of(c)
	add := func(x data.Index) {
		keys := bson.D{}
		for _, path := range x.Fields {
			keys = append(keys, bson.E{Key: place(path), Value: int32(1)})
		}
		if x.Unique {
			all = append(all, index{of: of, name: unique + named(x), keys: slices.Clone(keys), unique: true, partial: true})
		}
		if !slices.Contains(x.Fields, data.ID) {
			keys = append(keys, bson.E{Key: "_id", Value: int32(1)})
		}
		if !slices.ContainsFunc(all, func(y index) bool { return y.name == ordered+named(x) }) {
			all = append(all, index{of: of, name: ordered + named(x), keys: keys})
		}
	}
	owned := c.Owner == ""
	for _, x := range c.Indexes {
		add(x)
		owned = owned || x.Fields[0] == c.Owner
	}
	if !owned { // documents are found by their owner all the time
		add(data.Index{Fields: []string{c.Owner}})
	}
	return all
}

// Prepare makes collections and indexes that are missing and verifies those
// that are there. Where it fails it takes back the indexes that it made; only then, and of all
// collections of documents, it drops those of its indexes that nothing declares.
// Other processes of a cluster that declare otherwise lose theirs.
func (ds Data) Prepare(ctx context.Context, all []*data.Collection) (err error) {
	in := ds.db.users.Database()
	there, err := ds.db.collections(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a long collection is indexed whole
	defer cancel()
	var made []index
	defer func() {
		for _, x := range made {
			if err != nil {
				_ = x.of.Indexes().DropOne(ctx, x.name) // the next Prepare does it
			}
		}
	}()
	wanted := map[string][]string{} // names of indexes by that of their collection
	for _, c := range all {
		name := prefix + c.Name
		if !slices.Contains(there, name) {
			if err := in.CreateCollection(ctx, name); err != nil && !tells(err, namespaceThere) {
				return failed("making collection "+c.Name, err)
			}
		}
		for _, x := range ds.indexesOf(c) {
			x, fresh, err := ds.build(ctx, c, x)
			if err != nil {
				return err
			}
			if fresh {
				made = append(made, x)
			}
			wanted[name] = append(wanted[name], x.name)
		}
	}
	if err := ds.db.remember(ctx, all); err != nil {
		return err
	}
	for _, name := range there {
		if strings.HasPrefix(name, prefix) {
			if err := ds.drop(ctx, in.Collection(name), wanted[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// collections are the names of all collections.
func (db *DB) collections(ctx context.Context) ([]string, error) {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	names, err := db.users.Database().ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return nil, failed("listing collections", err)
	}
	return names, nil
}

// build makes an index unless it is there, and returns what was made.
func (ds Data) build(ctx context.Context, c *data.Collection, x index) (index, bool, error) {
	there, err := x.there(ctx)
	if err != nil || there {
		return x, false, err
	}
	err = x.create(ctx)
	if x.partial && tells(err, notImplemented) {
		// Such a server takes what is not there for different from all else.
		x.partial, x.name = false, full+strings.TrimPrefix(x.name, unique)
		return ds.build(ctx, c, x)
	}
	_, fields, _ := strings.Cut(strings.TrimPrefix(x.name, ours), "_")
	fields = strings.ReplaceAll(fields, ",", ", ")
	switch {
	case err == nil:
		return x, true, nil
	case tells(err, duplicate): // what the server says has values of documents
		return x, false, fmt.Errorf("collection %s is to have unique %s, and has documents with the same", c.Name, fields)
	case x.unique && tells(err, cannotIndex):
		return x, false, fmt.Errorf("collection %s is sharded, and can then have no unique %s: leave it unsharded, or the unique key out: %w", c.Name, fields, err)
	}
	return x, false, failed(fmt.Sprintf("making index %s of collection %s", x.name, c.Name), err)
}

// drop drops the indexes of a collection that the store made and nobody wants.
func (ds Data) drop(ctx context.Context, of *driver.Collection, wanted []string) error {
	rows, err := of.Indexes().List(ctx)
	var found []bson.Raw
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return failed("reading the indexes of "+of.Name(), err)
	}
	for _, raw := range found {
		name, _ := raw.Lookup("name").StringValueOK()
		if !strings.HasPrefix(name, ours) || slices.Contains(wanted, name) {
			continue
		}
		const noIndex = 27
		if err := of.Indexes().DropOne(ctx, name); err != nil && !tells(err, noIndex) {
			return failed(fmt.Sprintf("dropping index %s of %s", name, of.Name()), err)
		}
	}
	return nil
}
