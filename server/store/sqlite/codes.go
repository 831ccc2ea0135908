package sqlite

import (
	"context"
	"crypto/subtle"
	"database/sql/driver"
	"time"

	"sluice/nodes/code"
)

var _ code.Store = Codes{}

// Codes are the codes in a database.
type Codes struct{ db *DB }

const codeColumns = "slot, hash, digits, tries, created, expires, user_id, state, email"

func codeOf(row []driver.Value) code.Code {
	return code.Code{
		Slot: code.Slot(row[0].([]byte)), Hash: code.Hash(row[1].([]byte)), Digits: row[2] != int64(0), Left: int(row[3].(int64)),
		CreatedDtm: timeOf(row[4]), ExpiresDtm: timeOf(row[5]), UserID: row[6].(string), State: code.Hash(row[7].([]byte)), To: row[8].(string),
	}
}

func (cs Codes) Put(ctx context.Context, cd code.Code, since time.Time) error {
	return cs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("INSERT INTO codes ("+codeColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
			ON CONFLICT (slot) DO UPDATE SET hash = ?2, digits = ?3, tries = ?4, created = ?5, expires = ?6, user_id = ?7, state = ?8, email = ?9
			WHERE created <= ?10 OR expires <= ?5`,
			cd.Slot[:], cd.Hash[:], cd.Digits, int64(cd.Left), millis(cd.CreatedDtm), millis(cd.ExpiresDtm), cd.UserID, cd.State[:], cd.To, millis(since))
		if err == nil && n == 0 {
			err = code.ErrTooSoon
		}
		return err
	}})
}

// Take pays for a wrong try, too: it leaves what it writes and tells of it behind
// the transaction.
func (cs Codes) Take(ctx context.Context, slot code.Slot, h code.Hash, now time.Time) (cd code.Code, err error) {
	right := false
	err = cs.db.writer.do(ctx, &op{run: func(c *conn) error {
		found := false
		right = false
		err := c.query(func(row []driver.Value) bool {
			cd, found = codeOf(row), true
			return false
		}, "SELECT "+codeColumns+" FROM codes WHERE slot = ? AND expires > ? AND tries > 0", slot[:], millis(now))
		if err != nil || !found {
			code.Recorded(ctx, cd, false)
			return err
		}
		right = subtle.ConstantTimeCompare(cd.Hash[:], h[:]) == 1
		code.Recorded(ctx, cd, right)
		if !right && !cd.Digits {
			return nil
		}
		if cd.Left--; right && (cd.Digits || cd.Left == 0) {
			_, err = c.exec("DELETE FROM codes WHERE slot = ?", slot[:])
		} else {
			_, err = c.exec("UPDATE codes SET tries = tries - 1 WHERE slot = ?", slot[:])
		}
		return err
	}})
	switch {
	case err != nil:
		return code.Code{}, err
	case !right:
		return code.Code{}, code.ErrNoCode
	}
	return cd, nil
}
