package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
)

// Times of the stream of changes.
const (
	await   = 500 * time.Millisecond // after which the server says that there is nothing to tell
	silence = 2 * time.Second        // of the server, after which nothing that is kept is trusted
	pause   = 250 * time.Millisecond // between tries to open it again
)

// told are the changes of which the server tells, and what of them. What sets
// seen is a use of a session, which is no news; new documents were not kept. Only
// ids come over the line: no hashes of passwords, nor anything that users gave.
func (db *DB) told() driver.Pipeline {
	ns, operation := "ns.coll", "operationType"
	news := bson.A{
		where(condition(operation, "$in", bson.A{"drop", "rename", "dropDatabase", "invalidate"})),
		where(is(ns, db.users.Name()), condition(operation, "$in", bson.A{"update", "replace", "delete"})),
		where(is(ns, db.sessions.Name()), condition(operation, "$in", bson.A{"replace", "delete"})),
		where(is(ns, db.sessions.Name()), is(operation, "update"), exists("updateDescription.updatedFields.seen", false)),
	}
	return driver.Pipeline{
		{{Key: "$changeStream", Value: bson.D{}}},
		{{Key: "$match", Value: where(bson.E{Key: "$or", Value: news})}},
		{{Key: "$project", Value: bson.D{{Key: operation, Value: 1}, {Key: ns, Value: 1}, {Key: "documentKey._id", Value: 1}}}},
	}
}

// open opens the stream of changes that a majority has, from now on. It is never
// resumed: all that was kept is dropped when it breaks, so that nothing which
// happens until it is open again can be missed. For that the driver's own kind of
// stream will not do, as it resumes and tells nobody.
func (r *recent) open(ctx context.Context) (*driver.Cursor, error) {
	ctx, cancel := r.db.bound(ctx)
	defer cancel()
	in := r.db.client.Database(r.db.users.Database().Name(), options.Database().SetReadConcern(readconcern.Majority()))
	changes, err := in.Aggregate(ctx, r.db.told(), options.Aggregate().SetMaxAwaitTime(await))
	if err != nil {
		return nil, failed("asking for changes", err)
	}
	return changes, nil
}

// follow forgets what the stream says has changed, and all while there is none.
func (r *recent) follow(ctx context.Context, changes *driver.Cursor) {
	for changes != nil {
		r.hearOut(ctx, changes)
		// Trust ends before what is kept goes, so that nothing is put back.
		r.heard.Store(0)
		r.forgetAll()
		r.leave(changes)
		if changes = r.openAgain(ctx); changes != nil {
			r.forgetAll()
			r.hear()
		}
	}
}

// openAgain tries to open the stream until ctx ends, when it returns nil.
func (r *recent) openAgain(ctx context.Context) *driver.Cursor {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if changes, err := r.open(ctx); err == nil {
			return changes
		}
	}
}

// hearOut takes changes until the stream breaks.
func (r *recent) hearOut(ctx context.Context, changes *driver.Cursor) {
	for {
		ctx, cancel := context.WithTimeout(ctx, silence)
		told := changes.TryNext(ctx)
		cancel()
		switch {
		case told:
			r.take(changes.Current)
		case changes.Err() != nil || changes.ID() == 0:
			return
		}
		if changes.RemainingBatchLength() == 0 {
			r.hear()
		}
	}
}

// take forgets what a change is of, which is everything where it does not say.
func (r *recent) take(change bson.Raw) {
	in, _ := change.Lookup("ns", "coll").StringValueOK()
	key := change.Lookup("documentKey", "_id")
	switch in {
	case r.db.sessions.Name():
		if _, id, ok := key.BinaryOK(); ok {
			r.forgetSession(id)
			return
		}
	case r.db.users.Name():
		if id, ok := key.StringValueOK(); ok {
			r.forgetUser(id)
			return
		}
	}
	r.forgetAll()
}

// leave tells the server that nobody listens any more.
func (r *recent) leave(changes *driver.Cursor) {
	ctx, cancel := context.WithTimeout(context.Background(), pause)
	defer cancel()
	_ = changes.Close(ctx) // the server forgets it in ten minutes anyhow
}
