package mongo

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/audit"
	"sluice/nodes/factor"
)

var _ factor.Store = Factors{}

// Factors are the second factors in a database.
type Factors struct{ db *DB }

// A keptFactor is a factor as the database has it.
type keptFactor struct {
	UID      string        `bson:"_id"`
	Secret   bson.Binary   `bson:"secret"` // sealed
	Active   bool          `bson:"active"`
	Step     int64         `bson:"step"` // the last one that was used
	Recovery []bson.Binary `bson:"recovery"`
	Paid     int           `bson:"paid"`  // tries that came to nothing
	Since    bson.DateTime `bson:"since"` // when the first of them was
}

func (k *keptFactor) factor() factor.Factor {
	f := factor.Factor{Secret: bytes.Clone(k.Secret.Data), Active: k.Active, Step: k.Step}
	for _, b := range k.Recovery {
		var h factor.Hash
		copy(h[:], b.Data)
		f.Recovery = append(f.Recovery, h)
	}
	return f
}

func keptOf(userID string, f factor.Factor) *keptFactor {
	return &keptFactor{UID: userID, Secret: binary(f.Secret), Active: f.Active, Step: f.Step, Recovery: binaries(f.Recovery)}
}

func binaries(codes []factor.Hash) []bson.Binary {
	list := make([]bson.Binary, len(codes))
	for i, h := range codes {
		list[i] = binary(h[:])
	}
	return list
}

func (fs Factors) find(ctx context.Context, userID string) (*keptFactor, error) {
	return find[keptFactor](ctx, fs.db.factors, where(is("_id", userID)))
}

func (fs Factors) Active(ctx context.Context, userID string) (bool, error) {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	k, err := fs.find(ctx, userID)
	return k != nil && k.Active, err
}

// Enroll looks for a factor that does not count and adds one where it finds
// none; the unique _id refuses that where there is one that counts.
func (fs Factors) Enroll(ctx context.Context, userID string, secret []byte) error {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	for range 2 { // somebody may add one between the two writes
		done, err := fs.db.factors.UpdateOne(ctx, where(is("_id", userID), is("active", false)),
			bson.M{"$set": bson.M{"secret": binary(secret), "step": int64(0)}})
		switch {
		case err != nil:
			return failed("writing second factor", err)
		case done.MatchedCount > 0:
			return nil
		}
		_, err = fs.db.factors.InsertOne(ctx, keptFactor{UID: userID, Secret: binary(secret), Recovery: []bson.Binary{}})
		switch {
		case err == nil:
			return nil
		case !driver.IsDuplicateKeyError(err):
			return failed("writing second factor", err)
		}
	}
	return factor.ErrActive
}

func (fs Factors) Try(ctx context.Context, userID string, now time.Time) (factor.Factor, error) {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	start := date(now.Add(-factor.Window))
	for range 2 { // somebody may begin the window between the two writes
		for _, w := range []struct{ filter, update any }{
			{where(is("_id", userID), above("since", start), below("paid", factor.MaxTries)), bson.M{"$inc": bson.M{"paid": 1}}},
			{where(is("_id", userID), upTo("since", start)), bson.M{"$set": bson.M{"paid": 1, "since": date(now)}}},
		} {
			raw, err := fs.db.factors.FindOneAndUpdate(ctx, w.filter, w.update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
			switch {
			case errors.Is(err, driver.ErrNoDocuments):
				continue
			case err != nil:
				return factor.Factor{}, failed("trying second factor", err)
			}
			k, err := decode[keptFactor](raw)
			if err != nil {
				return factor.Factor{}, err
			}
			return k.factor(), nil
		}
	}
	switch k, err := fs.find(ctx, userID); {
	case err != nil:
		return factor.Factor{}, err
	case k == nil:
		return factor.Factor{}, factor.ErrNoFactor
	}
	return factor.Factor{}, factor.ErrThrottled
}

// change makes one write to a factor and tells whether the filter named it.
func (fs Factors) change(ctx context.Context, filter bson.D, update bson.M) (bool, error) {
	done, err := fs.db.factors.UpdateOne(ctx, filter, update)
	if err != nil {
		return false, failed("changing second factor", err)
	}
	return done.MatchedCount > 0, nil
}

func (fs Factors) Use(ctx context.Context, userID string, secret []byte, step int64) error {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	used, err := fs.change(ctx, where(is("_id", userID), is("secret", binary(secret)), below("step", step)),
		bson.M{"$set": bson.M{"step": step, "active": true, "paid": 0}})
	if err != nil || used {
		return err
	}
	k, err := fs.find(ctx, userID)
	switch {
	case err != nil:
		return err
	case k != nil && bytes.Equal(k.Secret.Data, secret):
		return factor.ErrUsed
	}
	return factor.ErrNoFactor
}

func (fs Factors) SetRecovery(ctx context.Context, userID string, codes []factor.Hash) error {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	set, err := fs.change(ctx, where(is("_id", userID), is("active", true)), bson.M{"$set": bson.M{"recovery": binaries(codes)}})
	if err == nil && !set {
		err = factor.ErrNoFactor
	}
	return err
}

func (fs Factors) Recover(ctx context.Context, userID string, h factor.Hash) error {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	ended, err := fs.change(ctx, where(is("_id", userID), is("active", true), is("recovery", binary(h[:]))),
		bson.M{"$pull": bson.M{"recovery": binary(h[:])}, "$set": bson.M{"paid": 0}})
	if err == nil && !ended {
		err = factor.ErrUsed
	}
	return err
}

func (fs Factors) Delete(ctx context.Context, userID string) error {
	ctx, cancel := fs.db.bound(ctx)
	defer cancel()
	done, err := fs.db.factors.DeleteOne(ctx, where(is("_id", userID)))
	if err != nil {
		return failed("deleting second factor", err)
	}
	if done.DeletedCount == 0 {
		audit.Riding(ctx).Drop()
	}
	return nil
}
