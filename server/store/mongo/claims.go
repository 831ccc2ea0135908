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

// A claim says which user has an address or a phone number. No text is both: an
// address has an @ in it and a number none.
type claim struct {
	Key  string        `bson:"_id"` // EmailKey or Phone
	UID  string        `bson:"uid"`
	At   bson.DateTime `bson:"at"`
	Mark bson.ObjectID `bson:"mark"` // new with every change, so that a change applies to what was read
}

// claim claims an address or a phone number for a user, who may have it already,
// or returns taken.
func (db *DB) claim(ctx context.Context, key, userID string, taken error) (*claim, error) {
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
		switch free, err := db.free(ctx, other, userID); {
		case err != nil:
			return nil, err
		case !free:
			return nil, taken
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

// claimAll claims the address and the number of a user; "" stands for none to
// claim. Where it fails, it returns what it had claimed until then: that of a user
// who is not there yet can be dropped, and that of another is left to lapse, as
// the same change by somebody else may have confirmed it.
func (db *DB) claimAll(ctx context.Context, key, number, userID string) (mine []*claim, err error) {
	for _, c := range []struct {
		key   string
		taken error
	}{{key, user.ErrEmailTaken}, {number, user.ErrPhoneTaken}} {
		if c.key == "" {
			continue
		}
		got, err := db.claim(ctx, c.key, userID, c.taken)
		if err != nil {
			return mine, err
		}
		mine = append(mine, got)
	}
	return mine, nil
}

// unclaim takes claims back that nobody has claimed anew since. One that stays is
// one that its user does not confirm, and lapses in a minute.
func (db *DB) unclaim(ctx context.Context, some []*claim) {
	for _, c := range some {
		_, _ = db.claims.DeleteOne(ctx, where(is("_id", c.Key), is("mark", c.Mark)))
	}
}

// held returns the claims of an account.
func (db *DB) held(ctx context.Context, a *account) (all []*claim, err error) {
	for _, key := range []string{a.Key, a.Phone} {
		if key == "" {
			continue
		}
		c, err := find[claim](ctx, db.claims, where(is("_id", key)))
		if err != nil {
			return nil, err
		}
		if c != nil && c.UID == a.ID {
			all = append(all, c)
		}
	}
	return all, nil
}

// free tells whether a user may have what a claim is of.
func (db *DB) free(ctx context.Context, c *claim, userID string) (bool, error) {
	if c.UID == userID {
		return true, nil
	}
	if time.Since(c.At.Time()) < lapse {
		return false, nil
	}
	a, err := find[account](ctx, db.users, where(is("_id", c.UID)))
	return err == nil && (a == nil || !a.has(c.Key)), err
}
