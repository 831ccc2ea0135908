package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"sluice/nodes/data"
)

// errAlone says that the database is no replica set.
var errAlone = errors.New("the database is a single server, and has no transactions")

// grouped tells whether the database is a replica set, or a router to some.
func (db *DB) grouped(ctx context.Context) (bool, error) {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	hello, err := db.users.Database().RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Raw()
	if err != nil {
		return false, failed("asking the database what it is", err)
	}
	set, _ := hello.Lookup("setName").StringValueOK()
	kind, _ := hello.Lookup("msg").StringValueOK()
	return set != "" || kind == "isdbgrid", nil
}

// Atomic tells whether the database has transactions: a replica set has, and a
// sharded cluster, but no single server.
func (ds Data) Atomic() bool { return ds.db.atomic }

// Write is a transaction, which starts over, while there is time, where others
// change the same.
func (ds Data) Write(ctx context.Context, writes []data.Write, now time.Time) ([]data.Document, error) {
	if !ds.db.atomic {
		return nil, errAlone
	}
	if len(writes) > data.MaxWrites {
		return nil, fmt.Errorf("%d changes together, at most %d can be", len(writes), data.MaxWrites)
	}
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	s, err := ds.db.client.StartSession()
	if err != nil {
		return nil, failed("beginning a transaction", err)
	}
	defer s.EndSession(context.WithoutCancel(ctx))
	var made []data.Document
	_, err = s.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		made = nil
		for i, w := range writes {
			d, err := ds.write(ctx, w, now)
			if err != nil {
				return nil, &data.WriteError{At: i, Err: err}
			}
			made = append(made, d)
		}
		return nil, nil
	}, options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(durable()))
	if e := (*data.WriteError)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("writing together: %w", err)
	}
	if err != nil {
		return nil, failed("writing together", err)
	}
	return made, nil
}

func (ds Data) write(ctx context.Context, w data.Write, now time.Time) (d data.Document, err error) {
	switch {
	case w.Create != nil:
		return *w.Create, ds.create(ctx, w.Collection, *w.Create)
	case w.Change != nil:
		return ds.update(ctx, w.Collection, w.Target, *w.Change, now)
	}
	d, err = ds.remove(ctx, w.Collection, w.Target)
	d.Body = nil
	return d, err
}
