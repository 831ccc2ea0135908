package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// owned reads the documents of a user in the order of their ids.
func owned[T any](ctx context.Context, c *driver.Collection, userID string) ([]T, error) {
	rows, err := c.Find(ctx, where(is("uid", userID)), options.Find().SetSort(bson.D{{Key: "id", Value: int32(1)}}))
	var found []T
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading "+c.Name(), err)
	}
	return found, nil
}

// remove removes the document with an id from a user, or returns none.
func (db *DB) remove(ctx context.Context, c *driver.Collection, userID, id string, none error) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	done, err := c.DeleteOne(ctx, where(is("uid", userID), is("id", id)))
	switch {
	case err != nil:
		return failed("removing from "+c.Name(), err)
	case done.DeletedCount == 0:
		return none
	}
	return nil
}
