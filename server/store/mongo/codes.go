package mongo

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/code"
)

var _ code.Store = Codes{}

// Codes are the codes in a database.
type Codes struct{ db *DB }

// A kept code is a code as the database has it.
type keptCode struct {
	Slot    bson.Binary   `bson:"_id"`
	Hash    bson.Binary   `bson:"hash"`
	Digits  bool          `bson:"digits"` // a wrong try counts
	Left    int           `bson:"left"`
	Created bson.DateTime `bson:"cre"`
	Expires bson.DateTime `bson:"exp"`
	Purge   bson.DateTime `bson:"purge"` // when the database may delete the document
	UID     string        `bson:"uid"`   // "" for nobody
	State   bson.Binary   `bson:"state"`
	Email   string        `bson:"email"`
}

func keptCodeOf(c code.Code) *keptCode {
	return &keptCode{
		Slot: binary(c.Slot[:]), Hash: binary(c.Hash[:]), Digits: c.Digits, Left: c.Left, Created: date(c.CreatedDtm), Expires: date(c.ExpiresDtm),
		Purge: date(c.ExpiresDtm.Add(grace)), UID: c.UserID, State: binary(c.State[:]), Email: c.To,
	}
}

func (k *keptCode) code() (c code.Code) {
	c = code.Code{
		Digits: k.Digits, Left: k.Left, CreatedDtm: k.Created.Time().UTC(), ExpiresDtm: k.Expires.Time().UTC(), UserID: k.UID, To: k.Email,
	}
	copy(c.Slot[:], k.Slot.Data)
	copy(c.Hash[:], k.Hash.Data)
	copy(c.State[:], k.State.Data)
	return c
}

// Put replaces a code that is old enough, and otherwise adds one, which the
// unique _id refuses where a newer one is there.
func (cs Codes) Put(ctx context.Context, c code.Code, since time.Time) error {
	ctx, cancel := cs.db.bound(ctx)
	defer cancel()
	mine := keptCodeOf(c)
	old := where(is("_id", mine.Slot), either(where(upTo("cre", date(since))), where(upTo("exp", mine.Created))))
	for range 2 {
		done, err := cs.db.codes.ReplaceOne(ctx, old, mine)
		switch {
		case err != nil:
			return failed("writing code", err)
		case done.MatchedCount > 0:
			return nil
		}
		_, err = cs.db.codes.InsertOne(ctx, mine)
		switch {
		case err == nil:
			return nil
		case !driver.IsDuplicateKeyError(err):
			return failed("writing code", err)
		}
	}
	return code.ErrTooSoon
}

// Take pays by the one write that also finds the code, before it judges. A right
// try of digits then has to delete them, which one of many can.
func (cs Codes) Take(ctx context.Context, slot code.Slot, h code.Hash, now time.Time) (code.Code, error) {
	ctx, cancel := cs.db.bound(ctx)
	defer cancel()
	id, hash := is("_id", binary(slot[:])), is("hash", binary(h[:]))
	payable := where(id, above("exp", date(now)), above("left", 0), either(where(is("digits", true)), where(hash)))
	raw, err := cs.db.codes.FindOneAndUpdate(ctx, payable, bson.M{"$inc": bson.M{"left": -1}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	switch {
	case errors.Is(err, driver.ErrNoDocuments):
		return code.Code{}, code.ErrNoCode
	case err != nil:
		return code.Code{}, failed("using code", err)
	}
	k, err := decode[keptCode](raw)
	if err != nil {
		return code.Code{}, err
	}
	c := k.code()
	if subtle.ConstantTimeCompare(c.Hash[:], h[:]) != 1 {
		return code.Code{}, code.ErrNoCode
	}
	if !c.Digits && c.Left > 0 {
		return c, nil
	}
	done, err := cs.db.codes.DeleteOne(ctx, where(id, hash))
	switch {
	case !c.Digits:
		return c, nil // the last use was taken above, whatever becomes of this
	case err != nil:
		return code.Code{}, failed("ending code", err)
	case done.DeletedCount == 0:
		return code.Code{}, code.ErrNoCode
	}
	return c, nil
}
