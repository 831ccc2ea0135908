package mongo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"sluice/server/store/health"
)

// probeMark is the id of the document that Check writes.
const probeMark = "probe"

// Check looks at the database while it serves.
func (db *DB) Check(ctx context.Context) []health.Finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	read, err := health.Median(func() error { return db.client.Ping(ctx, readpref.Primary()) })
	if err != nil {
		return []health.Finding{health.Bad("store", "See whether the database runs, and whether this machine may reach it.", "Reaching the database: %v", err)}
	}
	found := []health.Finding{health.Speed("store", "MongoDB answers; a round trip", read, health.SlowRead,
		"Every request waits for two: run the server near the database.")}
	write, err := health.Median(func() error {
		_, err := db.state.UpdateOne(ctx, where(is("_id", probeMark)), bson.M{"$set": bson.M{"at": date(time.Now())}}, options.UpdateOne().SetUpsert(true))
		return err
	})
	if err != nil {
		found = append(found, health.Bad("fsync", "Look at the log of the database: a majority must be there.", "Writing to the database: %v", err))
	} else {
		found = append(found, health.Speed("fsync", "A write to the journal of a majority", write, health.SlowWrite, "Every sign-in waits for one: look at the disks of the database."))
	}
	if len(db.lacks) > 0 {
		found = append(found, health.Doubtful("indexes", "Only space depends on them: delete what has expired from time to time.", "The server has no %s", strings.Join(db.lacks, "; nor ")))
	} else {
		found = append(found, health.Good("indexes", "All indexes are there, with the right options"))
	}
	found = append(found, db.checkDocuments(ctx))
	if r := db.recent; r != nil && r.trusted() {
		found = append(found, health.Good("session cache", "Session checks are at most %v old; the stream of changes works", r.bound))
	} else if r != nil {
		found = append(found, health.Doubtful("session cache", "Look at the log of the database: it has told of no changes.", "Each session check asks the database, as there is no stream of changes"))
	}
	return append(found, db.checkServer(ctx)...)
}

// checkServer judges what the server says of itself.
func (db *DB) checkServer(ctx context.Context) (found []health.Finding) {
	var hello struct {
		Time    bson.DateTime `bson:"localTime"`
		SetName string        `bson:"setName"`
		Msg     string        `bson:"msg"` // "isdbgrid" of a sharded cluster
	}
	began := time.Now()
	if err := db.users.Database().RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return []health.Finding{health.Bad("clock", "Look at the log of the database.", "Asking the database for its time: %v", err)}
	}
	half := time.Since(began) / 2
	found = append(found, health.Clock("clock", "The clock of the database", hello.Time.Time().Sub(began.Add(half))))
	if hello.SetName == "" && hello.Msg != "isdbgrid" {
		return append(found, health.Doubtful("replicas", "Run a replica set of three: one machine that dies takes all sessions with it.", "The database is a single server"))
	}
	return append(found, health.Good("replicas", "%s", fmt.Sprintf("The database is a replica set or a sharded cluster %s", hello.SetName)))
}
