package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/nodes/limit"
)

var _ limit.Store = Limits{}

// Bounds of counters.
const (
	maxUnsaved = 1 << 16         // that changed since the last flush; what goes beyond them is not in the file
	savedFrom  = 2 * time.Second // a counter that is whole again sooner is not worth a write
	saveBatch  = 2000            // counters in an operation
)

// Limits are counters. They are counted in memory, which is all that there is
// to know in the one process that owns the file; a second later they are in the
// file, from which the next start reads them. A counter that memory has no room
// for is read from the file when it is wanted.
type Limits struct{ db *DB }

// counters are what Limits need beside the database.
type counters struct {
	table *limit.Table
	most  int // of table

	mu      sync.Mutex          // taken under the lock of table
	unsaved map[limit.Key]int64 // guarded by mu
	spilled int64               // until when the file may know of a counter that memory does not; guarded by mu
}

func newCounters(most int) *counters {
	c := &counters{table: limit.NewTable(most), most: most, unsaved: map[limit.Key]int64{}}
	c.table.Changed = func(k limit.Key, until int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.unsaved[k]; ok || len(c.unsaved) < maxUnsaved {
			c.unsaved[k] = until
		}
	}
	c.table.Lost = func(_ limit.Key, until int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.spilled = max(c.spilled, until)
	}
	return c
}

// elsewhere returns what is known of a counter that memory had no room for, and
// whether the file has to be asked for more.
func (c *counters) elsewhere(k limit.Key, now int64) (until int64, ask bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.unsaved[k]
	return until, !ok && now < c.spilled
}

func (c *counters) unsavedOnes() []counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]counter, 0, len(c.unsaved))
	for k, until := range c.unsaved {
		all = append(all, counter{k, until})
	}
	return all
}

// saved forgets what is in the file now, except what changed meanwhile.
func (c *counters) saved(some []counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range some {
		if c.unsaved[s.key] == s.until {
			delete(c.unsaved, s.key)
		}
	}
}

// A counter, and when it is whole again, in nanoseconds since 1970.
type counter struct {
	key   limit.Key
	until int64
}

// recall brings a counter to memory where only the file has it. Where the file
// cannot be read, the counter is as one that never was: a limit is no reason to
// refuse those who are within it.
func (ls Limits) recall(ctx context.Context, k limit.Key, now time.Time) error {
	c := ls.db.counters
	if c.table.Has(k) {
		return ctx.Err()
	}
	until, ask := c.elsewhere(k, now.UnixNano())
	if ask {
		err := ls.db.read(ctx, func(conn *conn) error {
			v, err := conn.one("SELECT until FROM limits WHERE key = ?", k[:])
			if err == nil {
				until, _ = v.(int64)
			}
			return err
		})
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	c.table.Load(k, until, now.UnixNano())
	return nil
}

func (ls Limits) Take(ctx context.Context, k limit.Key, r limit.Rate, now time.Time) (limit.Taken, error) {
	if err := ls.recall(ctx, k, now); err != nil {
		return limit.Taken{}, err
	}
	return ls.db.counters.table.Take(ctx, k, r, now)
}

func (ls Limits) Give(ctx context.Context, k limit.Key, r limit.Rate, now time.Time) error {
	if err := ls.recall(ctx, k, now); err != nil {
		return err
	}
	return ls.db.counters.table.Give(ctx, k, r, now)
}

func (ls Limits) Until(ctx context.Context, k limit.Key, now time.Time) (time.Time, error) {
	if err := ls.recall(ctx, k, now); err != nil {
		return time.Time{}, err
	}
	return ls.db.counters.table.Until(ctx, k, now)
}

func (ls Limits) Set(ctx context.Context, k limit.Key, until, now time.Time) error {
	if err := ls.recall(ctx, k, now); err != nil {
		return err
	}
	return ls.db.counters.table.Set(ctx, k, until, now)
}

// load reads the counters that count at now, as many as memory has room for.
func (c *counters) load(from *conn, now time.Time) error {
	n := 0
	err := from.query(func(row []driver.Value) bool {
		until, _ := row[1].(int64)
		if n++; n > c.most {
			c.spilled = until
			return false
		}
		c.table.Load(limit.Key(row[0].([]byte)), until, now.UnixNano())
		return true
	}, "SELECT key, until FROM limits WHERE until > ? ORDER BY until DESC LIMIT ?", now.UnixNano(), int64(c.most+1))
	if err != nil {
		return fmt.Errorf("reading limits: %w", err)
	}
	return nil
}

// flushLimits writes the counters that changed.
func (db *DB) flushLimits(now time.Time) error {
	var errs []error
	for batch := range slices.Chunk(db.counters.unsavedOnes(), saveBatch) {
		errs = append(errs, db.writer.do(context.Background(), &op{
			run:   func(c *conn) error { return writeLimits(c, batch, now) },
			apply: func() { db.counters.saved(batch) },
		}))
	}
	return errors.Join(errs...)
}

func writeLimits(c *conn, batch []counter, now time.Time) error {
	worth := now.Add(savedFrom).UnixNano()
	for _, s := range batch {
		var err error
		if s.until > worth {
			_, err = c.exec("INSERT INTO limits (key, until) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET until = ?2", s.key[:], s.until)
		} else {
			_, err = c.exec("DELETE FROM limits WHERE key = ?", s.key[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepLimits deletes the counters whose time has come.
func (db *DB) sweepLimits(now time.Time) error {
	for {
		var gone int
		err := db.writer.do(context.Background(), &op{run: func(c *conn) (err error) {
			gone, err = c.exec(`DELETE FROM limits WHERE rowid IN (SELECT rowid FROM limits WHERE until <= ? LIMIT ?)`,
				now.UnixNano(), int64(saveBatch))
			return err
		}})
		if err != nil || gone < saveBatch {
			return err
		}
	}
}
