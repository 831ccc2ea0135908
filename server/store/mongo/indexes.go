package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Codes of the server's errors.
const (
	noNamespace    = 26
	notImplemented = 238
)

// An index that the store needs.
type index struct {
	of   *driver.Collection
	name string
	keys bson.D // fields and directions, as int32
	ttl  bool   // deletes a document at the time in the field

	unique  bool // no two documents have the same
	partial bool // only documents that have all its fields are in it
}

func (db *DB) indexes() []index {
	purge := bson.D{{Key: "purge", Value: int32(1)}}
	return []index{
		{of: db.sessions, name: "user", keys: bson.D{{Key: "uid", Value: int32(1)}, {Key: "sid", Value: int32(-1)}}},
		{of: db.sessions, name: "purge", keys: purge, ttl: true},
		{of: db.repeats, name: "purge", keys: purge, ttl: true},
		{of: db.limits, name: "purge", keys: purge, ttl: true},
		{of: db.codes, name: "purge", keys: purge, ttl: true},
		{of: db.keys, name: "id", keys: bson.D{{Key: "kid", Value: int32(-1)}}},
		{of: db.keys, name: "user", keys: bson.D{{Key: "uid", Value: int32(1)}, {Key: "kid", Value: int32(-1)}}},
		{of: db.attempts, name: "purge", keys: purge, ttl: true},
		{of: db.identities, name: "user", keys: bson.D{{Key: "uid", Value: int32(1)}, {Key: "id", Value: int32(1)}}},
		{of: db.passkeys, name: "user", keys: bson.D{{Key: "uid", Value: int32(1)}, {Key: "id", Value: int32(1)}}},
		{of: db.audit, name: "at", keys: bson.D{{Key: "at", Value: int32(1)}}},
		{of: db.audit, name: "chain", keys: bson.D{{Key: "chain", Value: int32(1)}, {Key: "seq", Value: int32(1)}}},
		{of: db.audit, name: "actor", keys: bson.D{{Key: "actor", Value: int32(1)}, {Key: "at", Value: int32(1)}}},
		{of: db.audit, name: "subject", keys: bson.D{{Key: "subject", Value: int32(1)}, {Key: "at", Value: int32(1)}}},
	}
}

// index makes the indexes that are missing and fails where one is other than it
// should be. It may take its time: a long collection is indexed whole.
func (db *DB) index(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for _, x := range db.indexes() {
		there, err := x.there(ctx)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := x.create(ctx); err != nil {
			if e := (driver.CommandError{}); x.ttl && errors.As(err, &e) && e.HasErrorCode(notImplemented) {
				// Nothing but space depends on it.
				db.lacks = append(db.lacks, fmt.Sprintf("index %s of %s: %s", x.name, x.of.Name(), e.Message))
				continue
			}
			return failed(fmt.Sprintf("making index %s of %s", x.name, x.of.Name()), err)
		}
	}
	return nil
}

func (x index) create(ctx context.Context) error {
	o := options.Index().SetName(x.name)
	if x.ttl {
		o.SetExpireAfterSeconds(0)
	}
	if x.unique {
		o.SetUnique(true)
	}
	if x.partial {
		o.SetPartialFilterExpression(x.whole())
	}
	_, err := x.of.Indexes().CreateOne(ctx, driver.IndexModel{Keys: x.keys, Options: o})
	return err
}

// there tells whether the collection has the index, and fails where it has
// another one in its place.
func (x index) there(ctx context.Context) (bool, error) {
	var found []bson.Raw
	rows, err := x.of.Indexes().List(ctx)
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if e := (driver.CommandError{}); errors.As(err, &e) && e.HasErrorCode(noNamespace) {
		return false, nil
	}
	if err != nil {
		return false, failed("reading the indexes of "+x.of.Name(), err)
	}
	for _, raw := range found {
		name, _ := raw.Lookup("name").StringValueOK()
		same := x.sameKeys(raw.Lookup("key"))
		if name != x.name && (!same || x.unique) {
			continue
		}
		if wrong := x.wrong(raw, same); wrong != "" {
			return false, fmt.Errorf("index %s of %s in the database has %s: drop it, and the next start makes it anew", name, x.of.Name(), wrong)
		}
		return true, nil
	}
	return false, nil
}

func (x index) sameKeys(v bson.RawValue) bool {
	doc, _ := v.DocumentOK()
	keys, err := doc.Elements()
	if err != nil || len(keys) != len(x.keys) {
		return false
	}
	for i, k := range keys {
		direction, ok := k.Value().AsInt64OK()
		if !ok || k.Key() != x.keys[i].Key || direction != int64(x.keys[i].Value.(int32)) {
			return false
		}
	}
	return true
}

// wrong says what an index has that it should not, or lacks.
func (x index) wrong(raw bson.Raw, sameKeys bool) string {
	if !sameKeys {
		return fmt.Sprintf("the keys %v, want %v", raw.Lookup("key"), x.keys)
	}
	elements, err := raw.Elements()
	if err != nil {
		return "no form that can be read"
	}
	expires, unique, partial := false, false, false
	for _, e := range elements {
		switch e.Key() {
		case "v", "key", "name", "ns", "background":
		case "expireAfterSeconds":
			seconds, ok := e.Value().AsInt64OK()
			if expires = true; !x.ttl || !ok || seconds != 0 {
				return fmt.Sprintf("expireAfterSeconds %v", e.Value())
			}
		case "unique":
			unique = e.Value().Boolean()
		case "partialFilterExpression":
			of, _ := e.Value().DocumentOK()
			want, err := bson.Marshal(x.whole())
			if partial = true; err != nil || !x.partial || !slices.Equal(of, want) {
				return fmt.Sprintf("partialFilterExpression %v", e.Value())
			}
		default:
			if on, ok := e.Value().BooleanOK(); !ok || on {
				return fmt.Sprintf("%s %v, want none", e.Key(), e.Value())
			}
		}
	}
	switch {
	case x.ttl && !expires:
		return "no expireAfterSeconds, want 0"
	case unique != x.unique:
		return fmt.Sprintf("unique %t, want %t", unique, x.unique)
	case x.partial && !partial:
		return "no partialFilterExpression, want one"
	}
	return ""
}

// whole is the filter of the documents that have all fields of the index.
func (x index) whole() bson.D {
	var filter bson.D
	for _, k := range x.keys {
		filter = append(filter, exists(k.Key, true))
	}
	return filter
}
