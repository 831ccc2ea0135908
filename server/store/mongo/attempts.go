package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/attempt"
)

var _ attempt.Store = Attempts{}

// Attempts are the proofs that are under way in a database.
type Attempts struct{ db *DB }

type pending struct {
	Hash  bson.Binary   `bson:"_id"`
	Data  bson.Binary   `bson:"data"`
	Until bson.DateTime `bson:"until"`
	Purge bson.DateTime `bson:"purge"` // when the database may delete the document
}

func (as Attempts) Begin(ctx context.Context, a attempt.Attempt) error {
	ctx, cancel := as.db.bound(ctx)
	defer cancel()
	_, err := as.db.attempts.InsertOne(ctx, pending{binary(a.Hash[:]), binary(a.Data), date(a.Until), date(a.Until.Add(grace))})
	if err != nil {
		return failed("adding attempt", err)
	}
	return nil
}

func (as Attempts) Take(ctx context.Context, h attempt.Hash, now time.Time) ([]byte, error) {
	ctx, cancel := as.db.bound(ctx)
	defer cancel()
	raw, err := as.db.attempts.FindOneAndDelete(ctx, where(is("_id", binary(h[:])))).Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil, attempt.ErrNoAttempt
	}
	if err != nil {
		return nil, failed("taking attempt", err)
	}
	p, err := decode[pending](raw)
	switch {
	case err != nil:
		return nil, err
	case p.Until <= date(now):
		return nil, attempt.ErrNoAttempt
	}
	return append([]byte{}, p.Data.Data...), nil
}
