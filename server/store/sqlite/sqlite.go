// Package sqlite keeps all that a server keeps in one SQLite file, which one
// process owns.
//
// # On disk
//
// A directory holds sluice.db with its write-ahead log, and sluice.lock, which
// the process keeps locked for as long as it lives: a second one is refused.
// audit.key and audit.head belong to the audit log.
// Times are integers, milliseconds since 1970. Of a session token only the
// SHA-256 is known.
//
// # Durability
//
// One goroutine, the writer, makes all changes. It takes what waits, runs each
// operation in a savepoint of one transaction, commits with an fsync
// (synchronous=FULL), shows the changes to memory, and only then tells the
// callers. So what was acknowledged is on the disk, and hundreds of callers
// share an fsync. The queue is bounded: whoever finds it full is told
// [engine.ErrUnavailable], as is whoever leaves before the writer took the
// operation.
//
// A full disk fails the transaction and passes. Any other failure of the file
// is final: after an fsync that failed nobody knows what the disk holds, so that
// no write is acknowledged until the process starts anew, which then checks the
// whole file first. Reads go on. In both cases a session whose end failed is
// denied in this process from then on: whoever signs out is out, even though
// the answer is an error.
//
// # Coherence
//
// Sessions and users are read from memory, as far as a bounded cache reaches,
// and otherwise by read-only connections from the file. Nothing is loaded at
// the start. A cached row is never older than what was acknowledged:
//
//   - The writer applies a committed change to the cache before it acknowledges it.
//   - A reader that misses notes how often the shard was written, then reads the
//     file, then fills the cache only if that number is the same. So a row that
//     ended while it was being read stays ended.
//   - A use of a session ([session.Store]'s Touch) is in memory at once and in
//     the file about a second later. Uses that wait are added to every session
//     that is read from the file. The statement that writes them changes only
//     rows that are there and live, and only forwards.
//
// Ending all sessions of a user deletes the rows and counts up the user's epoch
// in one transaction; a session is created only under the epoch of its proof.
// So no sign-in that is under way survives it.
//
// Documents are not cached: they are read from the file. Counters of limits are in
// memory, and a second later in the file: a crash forgets what was counted since.
//
// Audit events are sealed by the writer in the order of their commits, each in the
// commit of the change that it tells of. The head of their chain goes to the file
// audit.head once a minute and at the end.
//
// Expiry is compared in every read. A sweeper that deletes expired rows once a
// minute only saves space.
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Names of files in the directory.
const (
	dataFile    = "sluice.db"
	lockFile    = "sluice.lock"
	suspectFile = "sluice.suspect" // is there after a failure of the disk, until a start has checked the data
)

// Options of a [DB].
type Options struct {
	// Cached is how many sessions are kept in memory, and half as many users; 0
	// is 100,000. A thousand take about 0.8 MB.
	Cached int
	// Counters is how many counters of limits are kept in memory; 0 is 200,000,
	// which take about 10 MB.
	Counters int
	// Still keeps what has expired, for those who copy or compare everything.
	Still bool
	// AuditKeys seal audit events: the first one new events, while the others are
	// those of older ones. Without any it is a key that Open makes in the
	// directory, which does not stop somebody who can read that.
	AuditKeys audit.Keys
}

// A DB is an open database. It is safe for many goroutines.
type DB struct {
	path    string // of the file
	still   bool
	lock    *os.File
	writer  *writer
	readers chan *conn
	closing chan struct{}
	stopped chan struct{} // closed when the keeper has stopped
	close   func() error

	users    *cache[string, *user.User]
	sessions *cache[session.Hash, *session.Session]
	keys     *cache[apikey.Hash, *apikey.Key]
	keyUses  keyUses
	agents   agents
	touches  touches
	denials  denials
	counters *counters
	anchor   anchor
}

// Open opens the database in a directory and makes what is missing. It fails
// where another process serves from the directory, and where a later release
// has been there.
func Open(ctx context.Context, dir string, o Options) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making data directory: %w", err)
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, dir, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	db.lock = lock
	return db, nil
}

// Exists tells whether there is a database in a directory.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dataFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// makeFile makes a file that only the owner may read, where there is none.
// What SQLite puts beside it has the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening %s: %w", filepath.Base(path), err)
	}
	return f.Close()
}

func open(ctx context.Context, dir string, o Options) (*DB, error) {
	path, suspect := filepath.Join(dir, dataFile), filepath.Join(dir, suspectFile)
	if err := makeFile(path); err != nil {
		return nil, err
	}
	c, err := connect(path, "busy_timeout = 5000")
	if err != nil {
		return nil, err
	}
	readers, err := prepare(ctx, c, path, suspect)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	counters := newCounters(cmp.Or(o.Counters, 200_000))
	if err := counters.load(c, time.Now()); err != nil {
		return nil, errors.Join(err, closeAll(readers), c.Close())
	}
	log, err := openLog(c, dir, o.AuditKeys)
	if err != nil {
		return nil, errors.Join(err, closeAll(readers), c.Close())
	}
	size := o.Cached
	if size < 1 {
		size = 100_000
	}
	db := &DB{
		path: path, still: o.Still,
		writer: newWriter(c, suspect, log), readers: readers, anchor: anchor{path: filepath.Join(dir, anchorFile)},
		closing: make(chan struct{}), stopped: make(chan struct{}),
		users: newCache[string, *user.User]((size + 1) / 2), sessions: newCache[session.Hash, *session.Session](size),
		keys: newCache[apikey.Hash, *apikey.Key](maxKeys), keyUses: keyUses{waiting: map[apikey.Hash]time.Time{}},
		agents:   agents{known: map[string]session.UserAgent{}},
		touches:  touches{waiting: map[session.Hash][]use{}},
		counters: counters,
		denials:  denials{hash: map[session.Hash]bool{}, users: map[string][]denial{}},
	}
	db.close = sync.OnceValue(db.shut)
	go db.keep()
	return db, nil
}

// prepare makes the writer's connection ready to serve and opens the readers.
func prepare(ctx context.Context, c *conn, path, suspect string) (chan *conn, error) {
	if err := checkVersion(c); err != nil {
		return nil, err
	}
	mode, err := c.one("PRAGMA journal_mode = WAL")
	if err != nil {
		return nil, err
	}
	if mode != "wal" {
		return nil, fmt.Errorf("the file system of %s allows no write-ahead log", path)
	}
	for _, pragma := range []string{
		"synchronous = FULL", "fullfsync = ON", // the latter where fsync is less than it says
		"wal_autocheckpoint = 0", // see moveLog
		"foreign_keys = ON", "temp_store = MEMORY", "cache_size = -8000",
	} {
		if _, err := c.exec("PRAGMA " + pragma); err != nil {
			return nil, err
		}
	}
	if err := checkData(c, suspect); err != nil {
		return nil, err
	}
	if err := migrate(c); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	readers := make(chan *conn, n)
	for range n {
		r, err := connect(path, readerPragmas()...)
		if err != nil {
			return nil, errors.Join(err, closeAll(readers))
		}
		readers <- r
	}
	return readers, nil
}

// readerPragmas set a connection up that only reads.
func readerPragmas() []string {
	return []string{"busy_timeout = 5000", "query_only = ON", "temp_store = MEMORY", "cache_size = -1000"}
}

// closeAll closes the connections in a channel.
func closeAll(conns chan *conn) error {
	var errs []error
	for range len(conns) {
		c := <-conns
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// checkData checks the whole file where the disk failed before.
func checkData(c *conn, suspect string) error {
	if _, err := os.Stat(suspect); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	found, err := c.one("PRAGMA integrity_check")
	if err != nil {
		return fmt.Errorf("checking the data after a disk failure: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("data is damaged after a disk failure: %v", found)
	}
	if err := os.Remove(suspect); err != nil {
		return fmt.Errorf("noting that the data is whole: %w", err)
	}
	return nil
}

// Stores returns the stores that keep their data in db.
func (db *DB) Stores() nodes.Stores {
	return nodes.Stores{
		Users: Users{db}, Passwords: Passwords{db}, Sessions: Sessions{db}, Repeats: Repeats{db}, Keys: Keys{db}, Data: Documents{db},
		Codes: Codes{db}, Factors: Factors{db}, Attempts: Attempts{db}, Identities: Identities{db}, Passkeys: Passkeys{db},
		Limits: Limits{db}, Audit: Events{db}, Records: Records{db},
	}
}

// Ready tells why db cannot serve, or returns nil.
func (db *DB) Ready(ctx context.Context) error {
	if err := db.writer.broken.Load(); err != nil {
		return unavailable(*err)
	}
	return db.read(ctx, func(c *conn) error {
		_, err := version(c)
		return err
	})
}

// read lends a connection for reading.
func (db *DB) read(ctx context.Context, f func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	select {
	case c := <-db.readers:
		defer func() { db.readers <- c }()
		if err := f(c); err != nil {
			return unavailable(err)
		}
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-db.closing:
		return unavailable(errClosed)
	}
}

// Close writes what waits, moves the log into the database, closes it and lets
// go of the directory. Whoever calls db after that gets [engine.ErrUnavailable].
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	close(db.closing)
	<-db.stopped
	var errs []error
	for range cap(db.readers) {
		errs = append(errs, (<-db.readers).Close())
	}
	errs = append(errs, db.writer.close(), db.anchor.write(db.writer.audit.durable()))
	db.sessions.clear()
	db.users.clear()
	db.keys.clear()
	return errors.Join(append(errs, db.lock.Close())...)
}
