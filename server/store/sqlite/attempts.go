package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"sluice/nodes/attempt"
)

var _ attempt.Store = Attempts{}

// Attempts are the proofs that are under way in a database.
type Attempts struct{ db *DB }

func (as Attempts) Begin(ctx context.Context, a attempt.Attempt) error {
	return as.db.writer.do(ctx, &op{run: func(c *conn) error {
		_, err := c.exec("INSERT INTO attempts (hash, data, expires) VALUES (?, ?, ?)", a.Hash[:], notNull(a.Data), millis(a.Until))
		return err
	}})
}

// notNull is a BLOB of bytes, of which nil would be NULL.
func notNull(b []byte) []byte { return append([]byte{}, b...) }

// blob is a BLOB that was read.
func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return append([]byte{}, b...)
}

func (as Attempts) Take(ctx context.Context, h attempt.Hash, now time.Time) (data []byte, err error) {
	found := false
	err = as.db.writer.do(ctx, &op{run: func(c *conn) error {
		return c.query(func(row []driver.Value) bool {
			data, found = blob(row[0]), now.UnixMilli() < row[1].(int64)
			return true
		}, "DELETE FROM attempts WHERE hash = ? RETURNING data, expires", h[:])
	}})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, attempt.ErrNoAttempt
	}
	return data, nil
}
