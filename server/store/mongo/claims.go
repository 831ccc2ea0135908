package mongo

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/user"
)

// lapse is after what time a claim counts for nothing that its user does not
// confirm. It is many times what the call that made it may take.
const lapse = time.Minute

// A claim says which user has an address.
type claim struct {
	Key  string        `bson:"_id"` // EmailKey
	UID  string        `bson:"uid"`
	At   bson.DateTime `bson:"at"`
	Mark bson.ObjectID `bson:"mark"` // new with every change, so that a change applies to what was read
}

// claim claims an address for a user, who may have it already, or returns
// ErrEmailTaken.
func (db *DB) claim(ctx context.Context, key, userID string) (*claim, error) {
	for range maxRounds {
		mine := &claim{Key: key, UID: userID, At: date(time.Now()), Mark: bson.NewObjectID()}
		_, err := db.claims.InsertOne(ctx, mine)
		if err == nil {
			return mine, nil
		}
		if !driver.IsDuplicateKeyError(err) {
			return nil, failed("claiming address", err)
		}
		other, err := find[claim](ctx, db.claims, where(is("_id", key)))
		if err != nil {
			return nil, err
		}
		if other == nil {
			continue // it was left just now
		}
		if free, err := db.free(ctx, other, userID); err != nil || !free {
			return nil, err
		}
		done, err := db.claims.UpdateOne(ctx, where(is("_id", key), is("mark", other.Mark)),
			bson.M{"$set": bson.M{"uid": mine.UID, "at": mine.At, "mark": mine.Mark}})
		if err != nil {
			return nil, failed("claiming address", err)
		}
		if done.MatchedCount > 0 {
			return mine, nil
		}
	}
	return nil, fmt.Errorf("claiming address: %w", errOvertaken)
}

// free tells whether a user may have the address of a claim; if not, it returns
// ErrEmailTaken.
func (db *DB) free(ctx context.Context, c *claim, userID string) (bool, error) {
	if c.UID == userID {
		return true, nil
	}
	if time.Since(c.At.Time()) < lapse {
		return false, user.ErrEmailTaken
	}
	a, err := find[account](ctx, db.users, where(is("_id", c.UID)))
	if err != nil {
		return false, err
	}
	if a != nil && a.Key == c.Key {
		return false, user.ErrEmailTaken
	}
	return true, nil
}
