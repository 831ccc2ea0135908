package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/limit"
)

var _ limit.Store = Limits{}

// maxCounters is how many counters and refusals a process remembers beside the
// database.
const maxCounters = 100_000

// Limits are counters that all processes share, a document each. A write waits
// for the primary alone: after a failover some counts may be missing, which is
// better than that every limited call waits for a majority.
type Limits struct{ db *DB }

// A counter is when an allowance is whole again.
type counter struct {
	Key   bson.Binary   `bson:"_id"`
	Until int64         `bson:"until"` // nanoseconds since 1970
	Purge bson.DateTime `bson:"purge"` // when the database may delete the document
}

func purgeAt(until int64) bson.DateTime { return date(time.Unix(0, until).Add(grace)) }

// Take moves the time of a counter that still runs, or starts one whose time has
// come. Each is one conditional write, so that of many exactly as many pass as
// are allowed.
func (ls Limits) Take(ctx context.Context, k limit.Key, r limit.Rate, now time.Time) (limit.Taken, error) {
	ctx, cancel := ls.db.bound(ctx)
	defer cancel()
	at, step := now.UnixNano(), int64(r.Step())
	id, room := binary(k[:]), at+step*int64(r.Count-1) // until when there is room for one more
	for range maxRounds {
		running, err := ls.change(ctx, where(is("_id", id), above("until", at), upTo("until", room)),
			bson.D{{Key: "$inc", Value: bson.D{{Key: "until", Value: step}}}, {Key: "$max", Value: bson.D{{Key: "purge", Value: purgeAt(room + step)}}}}, false)
		if err == nil {
			_, t := r.Next(running.Until-step, at)
			return t, nil
		}
		if !errors.Is(err, driver.ErrNoDocuments) {
			return limit.Taken{}, failed("counting a call", err)
		}
		_, err = ls.change(ctx, where(is("_id", id), upTo("until", at)),
			bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: at + step}, {Key: "purge", Value: purgeAt(room + step)}}}}, true)
		if err == nil {
			return limit.Taken{Used: 1}, nil
		}
		if !driver.IsDuplicateKeyError(err) {
			return limit.Taken{}, failed("counting a call", err)
		}
		full, err := find[counter](ctx, ls.db.limits, where(is("_id", id)))
		if err != nil {
			return limit.Taken{}, err
		}
		if full != nil {
			if _, t := r.Next(full.Until, at); t.Wait > 0 {
				return t, nil
			}
		}
	}
	return limit.Taken{}, fmt.Errorf("counting a call: %w", errOvertaken)
}

// change makes a change of the one counter that a filter names and returns it as
// it is then. With insert it makes the counter where there is none, which is a
// duplicate where there is one that the filter does not want.
func (ls Limits) change(ctx context.Context, filter, update bson.D, insert bool) (*counter, error) {
	o := options.FindOneAndUpdate().SetReturnDocument(options.After).SetUpsert(insert)
	raw, err := ls.db.limits.FindOneAndUpdate(ctx, filter, update, o).Raw()
	if err != nil {
		return nil, err
	}
	return decode[counter](raw)
}

func (ls Limits) Give(ctx context.Context, k limit.Key, r limit.Rate, now time.Time) error {
	ctx, cancel := ls.db.bound(ctx)
	defer cancel()
	_, err := ls.db.limits.UpdateOne(ctx, where(is("_id", binary(k[:])), above("until", now.UnixNano())),
		bson.D{{Key: "$inc", Value: bson.D{{Key: "until", Value: -int64(r.Step())}}}})
	if err != nil {
		return failed("giving a call back", err)
	}
	return nil
}

func (ls Limits) Until(ctx context.Context, k limit.Key, now time.Time) (time.Time, error) {
	ctx, cancel := ls.db.bound(ctx)
	defer cancel()
	c, err := find[counter](ctx, ls.db.limits, where(is("_id", binary(k[:]))))
	if err != nil {
		return time.Time{}, err
	}
	if c == nil {
		return now, nil
	}
	return time.Unix(0, c.Until), nil
}

func (ls Limits) Set(ctx context.Context, k limit.Key, until, now time.Time) error {
	ctx, cancel := ls.db.bound(ctx)
	defer cancel()
	id := binary(k[:])
	var err error
	if until.After(now) {
		c := counter{id, until.UnixNano(), purgeAt(until.UnixNano())}
		_, err = ls.db.limits.ReplaceOne(ctx, where(is("_id", id)), c, options.Replace().SetUpsert(true))
	} else {
		_, err = ls.db.limits.DeleteOne(ctx, where(is("_id", id)))
	}
	if err != nil && !driver.IsDuplicateKeyError(err) { // another one set it at the same moment
		return failed("setting a counter", err)
	}
	return nil
}
