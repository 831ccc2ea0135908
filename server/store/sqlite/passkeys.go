package sqlite

import (
	"context"
	"database/sql/driver"

	"sluice/nodes/passkey"
)

var _ passkey.Store = Passkeys{}

// Passkeys are the passkeys in a database.
type Passkeys struct{ db *DB }

const passkeyColumns = "id, user_id, credential, name, backed_up, created, used, count, state"

func passkeyOf(row []driver.Value) passkey.Passkey {
	p := passkey.Passkey{
		ID: row[0].(string), UserID: row[1].(string), Credential: blob(row[2]), Name: row[3].(string), BackedUp: row[4] != int64(0),
		CreationDtm: timeOf(row[5]), Count: row[7].(int64), State: blob(row[8]),
	}
	if row[6] != nil {
		at := timeOf(row[6])
		p.LastUsedDtm = &at
	}
	return p
}

func (ps Passkeys) Add(ctx context.Context, p passkey.Passkey) error {
	return ps.db.writer.do(ctx, &op{run: func(c *conn) error {
		if err := hasUser(c, p.UserID); err != nil {
			return err
		}
		return insertPasskey(c, p)
	}})
}

// insertPasskey adds a row, or fails with ErrTaken.
func insertPasskey(c *conn, p passkey.Passkey) error {
	var used any
	if p.LastUsedDtm != nil {
		used = millis(*p.LastUsedDtm)
	}
	_, err := c.exec("INSERT INTO passkeys ("+passkeyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		p.ID, p.UserID, notNull(p.Credential), p.Name, p.BackedUp, millis(p.CreationDtm), used, p.Count, notNull(p.State))
	if duplicate(err) {
		return passkey.ErrTaken
	}
	return err
}

func (ps Passkeys) ByCredential(ctx context.Context, credential []byte) (passkey.Passkey, error) {
	all, err := ps.where(ctx, "credential = ?", notNull(credential))
	switch {
	case err != nil:
		return passkey.Passkey{}, err
	case len(all) == 0:
		return passkey.Passkey{}, passkey.ErrNoPasskey
	}
	return all[0], nil
}

func (ps Passkeys) OfUser(ctx context.Context, userID string) ([]passkey.Passkey, error) {
	return ps.where(ctx, "user_id = ? ORDER BY id", userID)
}

func (ps Passkeys) where(ctx context.Context, condition string, value any) (all []passkey.Passkey, err error) {
	err = ps.db.read(ctx, func(c *conn) error {
		return c.query(func(row []driver.Value) bool {
			all = append(all, passkeyOf(row))
			return true
		}, "SELECT "+passkeyColumns+" FROM passkeys WHERE "+condition, value)
	})
	return all, err
}

func (ps Passkeys) Used(ctx context.Context, credential []byte, u passkey.Use) error {
	return ps.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec(`UPDATE passkeys SET used = ?1, count = ?2, backed_up = ?3, state = ?4
			WHERE credential = ?5 AND (count < ?2 OR count = 0 AND ?2 = 0)`, millis(u.At), u.Count, u.BackedUp, notNull(u.State), notNull(credential))
		if err != nil || n > 0 {
			return err
		}
		there := false
		err = c.query(func([]driver.Value) bool {
			there = true
			return false
		}, "SELECT 1 FROM passkeys WHERE credential = ?", notNull(credential))
		switch {
		case err != nil:
			return err
		case there:
			return passkey.ErrCopied
		}
		return passkey.ErrNoPasskey
	}})
}

func (ps Passkeys) Remove(ctx context.Context, userID, id string) error {
	return ps.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("DELETE FROM passkeys WHERE user_id = ? AND id = ?", userID, id)
		if err == nil && n == 0 {
			err = passkey.ErrNoPasskey
		}
		return err
	}})
}
