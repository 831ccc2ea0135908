package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"sluice/nodes/audit"
)

// Bounds of the writer.
const (
	maxQueue  = 4096 // operations that wait; one more is refused
	maxBatch  = 256  // operations in a transaction
	maxLog    = 4096 // pages in the write-ahead log before they move to the database
	lookAtLog = 16   // transactions between two looks at the length of the log
)

var (
	errFull   = errors.New("too many writes wait")
	errClosed = errors.New("store is closed")
)

// An op is one change of the database.
type op struct {
	run   func(c *conn) error // makes the change, whole or not at all
	apply func()              // shows memory the change once it is durable; may be nil
	event *audit.Rider        // written with the change; nil for none
	owner atomic.Int32        // who may still decide about the op
	done  chan error

	sealed audit.Event // what event became
}

// Owners of an op.
const (
	waiting = iota // nobody yet
	taken          // the writer, which will answer
	left           // the caller, who went away: it never runs
)

// The writer is the one goroutine that changes the database. What waits when a
// transaction is over goes into the next one together, and shares its fsync.
type writer struct {
	conn    *conn
	suspect string // file that says, until the next start, that the disk failed
	stopped chan struct{}

	mu     sync.RWMutex
	queue  chan *op // sent to and closed under mu
	closed bool     // guarded by mu

	broken  atomic.Pointer[error] // why nothing is written any more; nil while all is well
	commits int                   // of the writer's goroutine alone
	audit   *log

	snapshots atomic.Int32 // readers of one state of the file that take their time

	beforeCommit func() error // nil but in tests, which make commits fail by it
}

func newWriter(c *conn, suspect string, l *log) *writer {
	w := &writer{conn: c, suspect: suspect, audit: l, stopped: make(chan struct{}), queue: make(chan *op, maxQueue)}
	go w.loop()
	return w
}

// do has a change made and returns when it is durable and visible, or failed.
// A caller whose context ends first gets an error only if the writer had not
// taken the op yet, and so never will.
func (w *writer) do(ctx context.Context, o *op) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	o.done = make(chan error, 1)
	if o.event == nil {
		o.event = audit.Riding(ctx)
	}
	if err := w.enqueue(o); err != nil {
		return unavailable(err)
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		if o.owner.CompareAndSwap(waiting, left) {
			return unavailable(ctx.Err())
		}
		return <-o.done
	}
}

func (w *writer) enqueue(o *op) error {
	if err := w.broken.Load(); err != nil {
		return *err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- o:
		return nil
	default:
		return errFull
	}
}

func (w *writer) loop() {
	defer close(w.stopped)
	batch := make([]*op, 0, maxBatch)
	for o := range w.queue {
		batch = batch[:0]
		for ; o != nil; o = w.next() {
			if o.owner.CompareAndSwap(waiting, taken) {
				batch = append(batch, o)
			}
			if len(batch) == maxBatch {
				break
			}
		}
		w.write(batch)
	}
}

// next returns an op if one waits, or nil.
func (w *writer) next() *op {
	select {
	case o := <-w.queue:
		return o
	default:
		return nil
	}
}

// write makes a batch durable, then visible, then known to those who asked.
func (w *writer) write(batch []*op) {
	if len(batch) == 0 {
		return
	}
	before := w.audit.end
	errs, err := w.transact(batch)
	if err != nil {
		w.audit.end = before
		err = unavailable(err)
		for _, o := range batch {
			o.done <- err
		}
		return
	}
	w.audit.settle(before)
	for i, o := range batch {
		if errs[i] == nil && o.apply != nil {
			o.apply()
		}
		if errs[i] == nil && o.sealed.Seq > 0 {
			o.event.Written(o.sealed)
		}
	}
	for i, o := range batch {
		o.done <- errs[i]
	}
	w.moveLog()
}

// transact runs a batch in one transaction, each op in a savepoint of its own.
// It returns what each op returned, or why none of them counts: what an op
// found, such as a taken address, may be the work of another of the batch.
func (w *writer) transact(batch []*op) (errs []error, err error) {
	if err := w.broken.Load(); err != nil {
		return nil, *err
	}
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, w.fail(err)
	}
	errs = make([]error, len(batch))
	for i, o := range batch {
		if errs[i], err = w.try(o); err != nil {
			return nil, w.rollback(err)
		}
	}
	if w.beforeCommit != nil {
		if err := w.beforeCommit(); err != nil {
			return nil, w.rollback(err)
		}
	}
	if _, err := w.conn.exec("COMMIT"); err != nil {
		return nil, w.rollback(err)
	}
	return errs, nil
}

// try runs an op. It returns what the op returned, or what failed the whole batch.
func (w *writer) try(o *op) (result, err error) {
	if _, err := w.conn.exec("SAVEPOINT op"); err != nil {
		return nil, err
	}
	before := w.audit.end
	if result = w.run(o); result != nil {
		if !refused(result) {
			return nil, result // SQLite may have rolled back all of it
		}
		w.audit.end = before
		if _, err := w.conn.exec("ROLLBACK TO op"); err != nil {
			return nil, err
		}
	}
	_, err = w.conn.exec("RELEASE op")
	return result, err
}

// run makes the change of an op and writes the event that tells of it.
func (w *writer) run(o *op) (err error) {
	if err := o.run(w.conn); err != nil {
		return err
	}
	if e, ok := o.event.Event(); ok {
		o.sealed, err = w.audit.add(w.conn, e)
	}
	return err
}

// rollback leaves a transaction that failed.
func (w *writer) rollback(err error) error {
	err = w.fail(err)
	// After most failures SQLite has rolled back by itself and refuses this. A
	// transaction that is open all the same fails the next BEGIN.
	_, _ = w.conn.exec("ROLLBACK")
	return err
}

// fail judges a failure. If it may be the disk's, nothing is acknowledged from
// now on: after a failed fsync the system may have dropped what it could not
// write, and another fsync would succeed without it.
func (w *writer) fail(err error) error {
	if passing(err) {
		return err
	}
	err = fmt.Errorf("no writes until a restart: %w", err)
	if w.broken.CompareAndSwap(nil, &err) {
		// A disk that fails may refuse this as well; then the next start lacks
		// the check of the file, which SQLite recovers in any case.
		_ = os.WriteFile(w.suspect, nil, 0o600)
	}
	return err
}

// moveLog moves the write-ahead log to the database when it has grown long, so
// that it starts over. It is done here, and not by SQLite on the way, as that
// would hide a failing fsync. While somebody reads a snapshot it stays: to start
// it over would mean to wait for them.
func (w *writer) moveLog() {
	if w.commits++; w.commits%lookAtLog != 0 || w.snapshots.Load() > 0 {
		return
	}
	pages, err := w.log("PRAGMA wal_checkpoint(NOOP)")
	if err == nil && pages > maxLog {
		_, err = w.log("PRAGMA wal_checkpoint(RESTART)")
	}
	if err != nil {
		_ = w.fail(err) // for the next op, as all that ran are answered
	}
}

// log runs a checkpoint pragma and returns the length of the log in pages.
func (w *writer) log(pragma string) (pages int64, err error) {
	err = w.conn.query(func(row []driver.Value) bool {
		pages, _ = row[1].(int64)
		return true
	}, pragma)
	return pages, err
}

// close refuses further ops, has those that wait written, and empties the log.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	<-w.stopped
	if err := w.broken.Load(); err != nil {
		return errors.Join(*err, w.conn.Close())
	}
	_, err := w.log("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, w.conn.Close())
}
