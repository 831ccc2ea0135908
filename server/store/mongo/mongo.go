// Package mongo keeps users, passwords, sessions, API keys, answers to repeated
// calls and documents in a MongoDB replica set or sharded cluster, which any
// number of processes share.
//
// # Collections
//
//	users     _id is the user's id; with the hash of the password and the epoch
//	claims    _id is the EmailKey of an address, or a phone number; says which user has it
//	sessions  _id is the SHA-256 of the token
//	repeats   _id is the SHA-256 that names the call
//	codes     _id is a hash of purpose and user
//	factors   _id is the user's id
//	attempts  _id is the SHA-256 of what an attempt is for and of its token
//	identities _id is a SHA-256 of issuer and subject
//	passkeys  _id is the id that an authenticator gave
//	keys      _id is the SHA-256 of the API key
//	limits    _id is a hash that names what is counted
//	data_X    documents of the collection X; _id is the document's id
//	collections _id is the name of a collection of documents; says what it is
//	state     the version of all this, and whether an import has finished
//	audit     _id is the chain and the number of an audit event
//	auditHeads  _id is the chain; how far it had got a second or so ago
//	auditKeys _id is the id of a key that came with an import, to verify by
//
// On a sharded cluster shard each by its hashed _id. What happens on every
// request, and whatever must be right, then reads or writes one document on one
// shard. Only lists of sessions and clean-up go by the index on a user's
// sessions, and to every shard. There is no unique index but _id, as a sharded
// cluster allows none.
//
// # Durability and freshness
//
// Every write waits for a majority and its journal; every read asks the primary.
// A store URL that wants less is refused. A primary that a network split has
// deposed can answer reads for some seconds until it notices. Whoever cannot
// live with that adds readConcernLevel=linearizable to the URL: then session
// checks ask a majority each, which costs a round trip between the servers.
//
// A call takes two seconds at most, after which it is [engine.ErrUnavailable].
// A write that ended so may have been made all the same.
//
// # Epochs
//
// A session has the epoch that its user had when it was created, and counts only
// while the user still has it. So ending all sessions of a user, and every proof
// made before, is one write to the user's document. Where one session is spared,
// the same write notes its id in the user's document. Deleting the sessions
// afterwards saves space and counts them; if it fails, they have ended all the same.
//
// # Tokens
//
// The token of a session can be replaced. The session's document stays, with the
// hash of the token that is good now in tok, so that one write makes the new token
// good and the old one dead. A second document, whose _id is the new hash, leads to
// the first; a check of such a token costs one read more.
//
// Where a user may have a number of sessions at most, their ids stand in the user's
// document, in open: a session that was opened so counts only while it is there.
// The write that adds one takes out those that are too many. It is made only if
// nobody else changed the list since the sessions were counted.
//
// # Addresses
//
// A user has an address who has its claim. Whoever wants it inserts the claim
// first, which only one can, and then writes the user; whoever leaves it writes
// the user first and then deletes the claim. A process that dies in between
// leaves a claim whose user does not have the address. After a minute, many times
// what a call takes, another user may take it over.
//
// # Documents
//
// A document is {_id, v, c, u, d}: its id, version, time of creation and of the
// last change, and its fields, each as the BSON type of its kind. What is open to
// any JSON is kept as one text, so that no name in it is one of the database's. So
// is, in x, what an import brought along that fits none of its fields. A
// field of digits alone has a colon in front, so that no path means a position in a
// list.
//
// A change is one findAndModify. Whatever must hold, up to the bounds of sums and
// the lengths of lists, is in its filter, so that it holds where the change is made.
// Only where nothing was changed is the document read, to tell why. A push of
// several items into a list without doubles that has a greatest length is the one
// exception: how many of them are new cannot be said in a filter. Then the document
// is read first, and the change is for that version of it.
//
// Each declared index has the id behind its fields, which ends every order, so that
// one index serves an order both ways. A unique one has an index more, of the
// documents that have all its fields. A collection with one cannot be sharded by
// its _id: MongoDB refuses the index and Prepare says so. Leave such a collection
// unsharded, on one shard. Indexes whose name begins with sluice_ are the store's; it
// verifies them, and drops them when the declaration does. Others are left alone.
//
// Several changes together are a transaction, of a snapshot and a majority. A
// single server has none; [Data.Atomic] tells.
//
// # What is tested, and what only MongoDB can show
//
// The tests run against FerretDB 1, whose words for a change that a unique index
// refuses are put into MongoDB's, and against a stand-in for a replica set in front
// of it (package mongotest), which shows what this package says to a replica set
// when primaries change, answers are lost, transactions fail and streams of changes
// break, and how it takes the answers. They cannot show that MongoDB keeps its own
// word, nor how it plans queries. That takes a database of your own, in which the
// tests make and drop databases named sluice_ and a number:
//
//	MONGODB_URI='mongodb://a,b,c/?replicaSet=rs0' go test ./server/store/mongo ./server/e2e
//	MONGODB_URI=... MONGODB_STEPDOWN=1 go test -run Real -v ./server/store/mongo
//
// The first runs every promise, with transactions, deletion of what has expired and
// the plans of queries; the second deposes the primary three times under load. Of
// these nothing has run yet: isolation of real transactions, rollback after a
// network split, the window in which a deposed primary answers reads, routing and
// chunk moves of a sharded cluster, partial indexes, TTL, and streams of changes.
//
// # Cache
//
// Nothing is kept in this process between two calls, so that there is no staleness
// and nothing to make stale: each session check asks the primary. That is so unless
// the URL has sessionCache and a time from 1s to 60s. Then checks remember what they
// read, and this holds:
//
//   - What this process changes, all its later checks see.
//   - What another process changes they see when the stream of changes tells, which
//     is some milliseconds as a rule, and in sessionCache at the latest, whatever
//     becomes of the stream. So a sign-out there has a window here of the lesser of
//     both. A primary that was deposed and does not know adds its own, as without.
//   - The stream is of changes that a majority has. When it breaks, or says nothing
//     for two seconds, all is dropped and each check asks the primary until there is
//     a stream again, which begins after the break: it is not resumed.
//   - Only a session that counts is answered from memory. That there is none, or no
//     longer, is always asked of the primary, so that a new session, a new token and
//     a longer life are known at once.
//   - What was read before a change and comes after it is not remembered.
//   - 50,000 documents of sessions and as many users are remembered at most.
//
// A check answers by the documents of the session, of its later token, and of its
// user. Each change of what it answers is one write to one of them, and whoever
// makes that forgets the document between the write and the answer:
//
//	Sessions.End, of one        deletes the session
//	Sessions.End, of more       counts the user's epoch up
//	Sessions.Update             writes each session
//	Sessions.Renew              writes the session. A document that leads to it is
//	                            never changed, and names a token that is good only
//	                            while the session's own document says so
//	Sessions.Create             adds a session, which nobody remembers yet
//	Sessions.CreateWithin       writes the list in the user, and deletes sessions
//	Sessions.Touch              writes the session. It lengthens a life, so that
//	                            others need not hear of it
//	Users.Update                writes the user, and counts the epoch up where the
//	                            user is disabled or in other groups
//	Users.Delete                deletes the user; without one no session counts
//	Records.Import              everything is forgotten
//
// Setting a password changes no session: the node that does it ends the others, as
// above. Whether the session of somebody who acts as another user has ended is
// listed, which is never answered from memory. Neither are lists, proofs of users
// that open a session or change a password, and API keys.
//
// The URL is refused together with readConcernLevel=linearizable, and at a single
// server, which has no stream. The user of the URL needs the right to changeStream
// on the database, which the role readWrite has.
//
// # Audit events
//
// Each process seals its events in a chain of its own and writes them in batches,
// behind the change that they tell of and before the call is answered. So a
// process that dies in between leaves a change without its event; the log of the
// server has neither. The first event of a chain names the heads of the others.
//
// # Expiry
//
// Expiry is compared in every read with the time of the caller. The indexes by
// which MongoDB deletes what has expired, an hour later, only save space.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
)

// budget is how long a call may take.
const budget = 2 * time.Second

// A DB is a database that is connected. It is safe for many goroutines.
type DB struct {
	client  *driver.Client
	budget  time.Duration // of a call, with all that it asks the database
	touches *touches
	near    *limit.Near // before Limits
	recent  *recent     // what session checks have read; nil where nothing is kept
	close   func() error

	users, claims, sessions, repeats, keys, limits, declarations, state *driver.Collection
	codes, factors, attempts, identities, passkeys                      *driver.Collection

	audit, tips, auditKeys *driver.Collection // events, the heads of their chains, and keys of other stores
	sealer                 *sealer

	// checked are the collections as checks of sessions and keys read them.
	checked struct{ users, sessions, keys *driver.Collection }

	atomic bool     // it has transactions
	lacks  []string // indexes that the server cannot make, and why
}

// Open connects to the database that a mongodb: or mongodb+srv: URL names, or to
// sluice where the URL names none, and makes the indexes that are missing. It
// fails where the database cannot be reached, where the URL asks for less than
// the store promises or for a cache that the database cannot keep right, where a
// later release has been there, where an index is other than it should be, and,
// with ErrUnfinished of package record, where an import was cut off.
//
// Audit events are sealed by the first of the audit keys, and the others are those
// of older events. Without any the log shows damage, but no forgery.
func Open(ctx context.Context, uri string, keys ...audit.Key) (*DB, error) {
	db, err := OpenUnfinished(ctx, uri, keys...)
	if err != nil {
		return nil, err
	}
	if err := db.finished(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// OpenUnfinished opens a database for an import: also one in which another
// import was cut off, which Open refuses.
func OpenUnfinished(ctx context.Context, uri string, keys ...audit.Key) (*DB, error) {
	o, name, err := settings(uri)
	if err != nil {
		return nil, err
	}
	bound, err := recentOf(uri, o)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, o, name, keys...)
	if err != nil || bound == 0 {
		return db, err
	}
	if err := db.keepRecent(ctx, bound); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func open(ctx context.Context, o *options.ClientOptions, name string, keys ...audit.Key) (*DB, error) {
	strict := o.ReadConcern.Level == readconcern.Linearizable().Level
	o.SetReadConcern(readconcern.Local())
	client, err := driver.Connect(o)
	if err != nil {
		return nil, fmt.Errorf("reading store URL: %w", err)
	}
	in := client.Database(name)
	db := &DB{
		client: client, budget: *o.Timeout,
		users: in.Collection("users"), claims: in.Collection("claims"),
		sessions: in.Collection("sessions"), repeats: in.Collection("repeats"), keys: in.Collection("keys"),
		codes: in.Collection("codes"), factors: in.Collection("factors"),
		attempts: in.Collection("attempts"), identities: in.Collection("identities"), passkeys: in.Collection("passkeys"),
		declarations: in.Collection("collections"), state: in.Collection("state"),
		audit: in.Collection("audit"), tips: in.Collection("auditHeads"), auditKeys: in.Collection("auditKeys"),
	}
	db.limits = in.Collection("limits", options.Collection().SetWriteConcern(writeconcern.W1()))
	db.near = limit.NewNear(Limits{db}, maxCounters)
	db.checked.users, db.checked.sessions, db.checked.keys = db.users, db.sessions, db.keys
	if strict {
		read := options.Collection().SetReadConcern(readconcern.Linearizable())
		db.checked.users, db.checked.sessions, db.checked.keys = in.Collection("users", read), in.Collection("sessions", read), in.Collection("keys", read)
	}
	err = db.Ready(ctx)
	if err == nil {
		err = db.checkVersion(ctx)
	}
	if err == nil {
		err = db.index(ctx)
	}
	if err == nil {
		db.atomic, err = db.grouped(ctx)
	}
	var past audit.Keys
	if err == nil {
		past, err = db.pastKeys(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, client.Disconnect(ctx))
	}
	db.touches = newTouches(db.note)
	db.sealer = newSealer(db, keys, past)
	db.close = sync.OnceValue(db.shut)
	return db, nil
}

// settings reads a store URL: how to connect, and the name of the database.
func settings(uri string) (o *options.ClientOptions, name string, err error) {
	o = options.Client().ApplyURI(uri)
	if err := o.Validate(); err != nil {
		return nil, "", fmt.Errorf("reading store URL: %w", err)
	}
	if w := o.WriteConcern; w != nil {
		if w.W != nil && w.W != "majority" {
			return nil, "", fmt.Errorf("store URL has w=%v: writes must reach a majority, or they can be lost after they were acknowledged; leave w out", w.W)
		}
		if w.Journal != nil && !*w.Journal {
			return nil, "", errors.New("store URL has journal=false: writes must reach the journal, or they can be lost after they were acknowledged; leave journal out")
		}
	}
	if p := o.ReadPreference; p != nil && p.Mode() != readpref.PrimaryMode {
		return nil, "", fmt.Errorf("store URL has readPreference=%v: a secondary may not know of a sign-out yet; leave readPreference out", p.Mode())
	}
	if o.RetryWrites != nil && !*o.RetryWrites {
		return nil, "", errors.New("store URL has retryWrites=false: a failover would fail writes that were made; leave retryWrites out")
	}
	if o.ReadConcern == nil {
		o.SetReadConcern(readconcern.Local())
	}
	if l := o.ReadConcern.Level; l != "local" && l != "linearizable" {
		return nil, "", fmt.Errorf("store URL has readConcernLevel=%s: local and linearizable are known", l)
	}
	o.SetWriteConcern(durable()).
		SetReadPreference(readpref.Primary()).SetRetryWrites(true).SetRetryReads(true).
		SetTimeout(budget).SetServerSelectionTimeout(budget).SetConnectTimeout(budget)
	if o.AppName == nil {
		o.SetAppName("sluice")
	}
	if o.MaxPoolSize == nil {
		o.SetMaxPoolSize(100)
	}
	if o.MinPoolSize == nil {
		o.SetMinPoolSize(4)
	}
	if o.MaxConnIdleTime == nil {
		o.SetMaxConnIdleTime(10 * time.Minute)
	}
	if o.MaxConnecting == nil {
		o.SetMaxConnecting(4)
	}
	return o, databaseOf(uri), nil
}

// durable waits for a majority and its journal.
func durable() *writeconcern.WriteConcern {
	journal := true
	return &writeconcern.WriteConcern{W: "majority", Journal: &journal}
}

// databaseOf returns the database that a valid URL names.
func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	rest, _, _ = strings.Cut(rest, "?")
	if _, name, _ := strings.Cut(rest, "/"); name != "" {
		return name
	}
	return "sluice"
}

// bound gives a call its time.
func (db *DB) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.budget)
}

// Stores returns the stores that keep their data in db.
func (db *DB) Stores() nodes.Stores {
	return nodes.Stores{
		Users: Users{db}, Passwords: Passwords{db}, Sessions: Sessions{db}, Repeats: Repeats{db}, Keys: Keys{db}, Data: Data{db},
		Codes: Codes{db}, Factors: Factors{db}, Attempts: Attempts{db}, Identities: Identities{db}, Passkeys: Passkeys{db},
		Limits: db.near, Audit: Events{db}, Records: Records{db},
	}
}

// Ready tells why db cannot serve, or returns nil.
func (db *DB) Ready(ctx context.Context) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	if err := db.client.Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("reaching the database: %w: %w", engine.ErrUnavailable, err)
	}
	return nil
}

// Close writes what waits, as far as that takes less than two seconds, and
// hangs up. Whoever calls db after that gets [engine.ErrUnavailable].
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	db.touches.close()
	db.recent.close()
	db.sealer.close()
	ctx, cancel := db.bound(context.Background())
	defer cancel()
	if err := db.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("hanging up: %w", err)
	}
	return nil
}
