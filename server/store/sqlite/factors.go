package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"slices"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/factor"
)

var _ factor.Store = Factors{}

// Factors are the second factors in a database.
type Factors struct{ db *DB }

// A factorRow is a factor with the tries that came to nothing.
type factorRow struct {
	factor.Factor
	paid  int64
	since time.Time
	there bool
}

func factorOf(c *conn, userID string) (f factorRow, err error) {
	err = c.query(func(row []driver.Value) bool {
		f = factorIn(row)
		return false
	}, "SELECT "+factorColumns+" FROM factors WHERE user_id = ?", userID)
	return f, err
}

// factorColumns in the order in which factorIn takes them from a row.
const factorColumns = "secret, active, step, recovery, paid, since"

func factorIn(row []driver.Value) factorRow {
	f := factorRow{there: true, paid: row[4].(int64), since: timeOf(row[5])}
	f.Secret, f.Active, f.Step = bytes.Clone(row[0].([]byte)), row[1] != int64(0), row[2].(int64)
	for h := range slices.Chunk(row[3].([]byte), len(factor.Hash{})) {
		f.Recovery = append(f.Recovery, factor.Hash(h))
	}
	return f
}

// joined are hashes one behind the other.
func joined(codes []factor.Hash) []byte {
	b := []byte{}
	for _, h := range codes {
		b = append(b, h[:]...)
	}
	return b
}

func (fs Factors) Active(ctx context.Context, userID string) (active bool, err error) {
	err = fs.db.read(ctx, func(c *conn) error {
		v, err := c.one("SELECT active FROM factors WHERE user_id = ?", userID)
		active = v == int64(1)
		return err
	})
	return active, err
}

func (fs Factors) Enroll(ctx context.Context, userID string, secret []byte) error {
	return fs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec(`INSERT INTO factors (user_id, secret, active, step, recovery, paid, since) VALUES (?1, ?2, 0, 0, ?3, 0, 0)
			ON CONFLICT (user_id) DO UPDATE SET secret = ?2, step = 0 WHERE NOT active`, userID, secret, []byte{})
		if err == nil && n == 0 {
			err = factor.ErrActive
		}
		return err
	}})
}

func (fs Factors) Try(ctx context.Context, userID string, now time.Time) (factor.Factor, error) {
	var f factorRow
	err := fs.db.writer.do(ctx, &op{run: func(c *conn) (err error) {
		f, err = factorOf(c, userID)
		switch {
		case err != nil:
			return err
		case !f.there:
			return factor.ErrNoFactor
		case !now.Before(f.since.Add(factor.Window)):
			f.paid, f.since = 0, now
		case f.paid >= factor.MaxTries:
			return factor.ErrThrottled
		}
		_, err = c.exec("UPDATE factors SET paid = ?, since = ? WHERE user_id = ?", f.paid+1, millis(f.since), userID)
		return err
	}})
	if err != nil {
		return factor.Factor{}, err
	}
	return f.Factor, nil
}

func (fs Factors) Use(ctx context.Context, userID string, secret []byte, step int64) error {
	return fs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("UPDATE factors SET step = ?1, active = 1, paid = 0 WHERE user_id = ?2 AND secret = ?3 AND step < ?1", step, userID, secret)
		if err != nil || n > 0 {
			return err
		}
		f, err := factorOf(c, userID)
		switch {
		case err != nil:
			return err
		case f.there && bytes.Equal(f.Secret, secret):
			return factor.ErrUsed
		}
		return factor.ErrNoFactor
	}})
}

func (fs Factors) SetRecovery(ctx context.Context, userID string, codes []factor.Hash) error {
	return fs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("UPDATE factors SET recovery = ? WHERE user_id = ? AND active", joined(codes), userID)
		if err == nil && n == 0 {
			err = factor.ErrNoFactor
		}
		return err
	}})
}

func (fs Factors) Recover(ctx context.Context, userID string, h factor.Hash) error {
	return fs.db.writer.do(ctx, &op{run: func(c *conn) error {
		f, err := factorOf(c, userID)
		if err != nil {
			return err
		}
		i := slices.Index(f.Recovery, h)
		if i < 0 || !f.Active {
			return factor.ErrUsed
		}
		_, err = c.exec("UPDATE factors SET recovery = ?, paid = 0 WHERE user_id = ?", joined(slices.Delete(f.Recovery, i, i+1)), userID)
		return err
	}})
}

func (fs Factors) Delete(ctx context.Context, userID string) error {
	return fs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("DELETE FROM factors WHERE user_id = ?", userID)
		if n == 0 {
			audit.Riding(ctx).Drop()
		}
		return err
	}})
}
