package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// schema is the version of the documents that this release writes. It counts up
// with every change that an earlier release would read wrongly.
const schema = 3

// schemaMark is the id of the document that has the version of a database.
const schemaMark = "schema"

// checkVersion refuses a database that a later release has written, and notes
// the version otherwise. Releases that run already are not told.
func (db *DB) checkVersion(ctx context.Context) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	found, err := find[struct {
		Version int64 `bson:"version"`
	}](ctx, db.state, where(is("_id", schemaMark)))
	if err != nil {
		return err
	}
	switch {
	case found != nil && found.Version > schema:
		return fmt.Errorf("database has schema %d and this release knows up to %d: run a later release", found.Version, schema)
	case found != nil && found.Version == schema:
		return nil
	}
	_, err = db.state.UpdateOne(ctx, where(is("_id", schemaMark)), bson.M{"$max": bson.M{"version": int64(schema)}}, options.UpdateOne().SetUpsert(true))
	if err != nil {
		return failed("noting the version of the database", err)
	}
	return nil
}
