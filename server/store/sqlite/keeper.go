package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"time"

	"sluice/nodes/session"
)

// What the keeper does, and how much of it in one operation, so that nobody
// waits long behind it.
const (
	flushEvery = time.Second
	flushBatch = 500
	sweepEvery = time.Minute
	sweepBatch = 200
	// A row is swept a while after it expired: uses that wait may still save it.
	sweepAfter = time.Minute
)

// keep is the goroutine that brings uses of sessions and counters to the file and clears it
// of expired rows. What fails here is tried again, and fails in the same way
// for those who wait for an answer and will tell.
func (db *DB) keep() {
	defer close(db.stopped)
	flush, sweep := time.NewTicker(flushEvery), time.NewTicker(sweepEvery)
	defer flush.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-flush.C:
			_ = db.flush()
			_ = db.flushLimits(time.Now())
			_ = db.flushKeyUses()
		case <-sweep.C:
			if db.still {
				continue
			}
			before := time.Now().Add(-sweepAfter)
			_ = db.sweep(before)
			_ = db.sweepExpired("repeats", before)
			_ = db.sweepExpired("codes", before)
			_ = db.sweepExpired("attempts", before)
			_ = db.sweepLimits(time.Now())
			_ = db.anchor.write(db.writer.audit.durable())
		case <-db.closing:
			_ = db.flush()
			_ = db.flushLimits(time.Now())
			_ = db.flushKeyUses()
			return
		}
	}
}

// flush writes the uses of sessions that wait.
func (db *DB) flush() error {
	for batch := range slices.Chunk(db.touches.all(), flushBatch) {
		err := db.writer.do(context.Background(), &op{
			run:   func(c *conn) error { return writeTouches(c, batch) },
			apply: func() { db.touches.written(batch) },
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func writeTouches(c *conn, batch []touched) error {
	for _, t := range batch {
		for _, u := range t.uses {
			_, err := c.exec(`UPDATE sessions SET seen = ?1, expires = min(?1 + idle, ends)
				WHERE hash = ?2 AND expires > ?3 AND seen < ?1`, millis(u.last), t.hash[:], millis(u.first))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep deletes the sessions that had expired before a moment.
func (db *DB) sweep(before time.Time) error {
	for {
		var e ending
		err := db.writer.do(context.Background(), &op{
			run: func(c *conn) error {
				return c.query(func(row []driver.Value) bool {
					e.gone = append(e.gone, session.Hash(row[0].([]byte)))
					return true
				}, `DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE expires <= ? LIMIT ?) RETURNING hash`,
					millis(before), int64(sweepBatch))
			},
			apply: func() { db.forget(session.Which{}, e) },
		})
		if err != nil || len(e.gone) < sweepBatch {
			return err
		}
	}
}
