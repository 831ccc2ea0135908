package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"sluice/nodes/session"
)

func (ss Sessions) CreateWithin(ctx context.Context, h session.Hash, s session.Session, most int) (ended int, err error) {
	made, insert, err := inserting(h, s)
	if err != nil {
		return 0, err
	}
	var gone []session.Hash
	err = ss.db.writer.do(ctx, &op{
		run: func(c *conn) error {
			if err := insert(c); err != nil {
				return err
			}
			var err error
			gone, err = ss.db.trim(c, made, most-1)
			session.Displaced(ctx, len(gone))
			return err
		},
		apply: func() {
			ss.db.sessions.set(h, made)
			ss.db.forget(session.Which{}, ending{gone: gone})
		},
	})
	if err != nil {
		return 0, err
	}
	return len(gone), nil
}

// trim deletes the oldest live sessions of the user of a session but for a
// number of others. One that is denied counts until it is gone.
func (db *DB) trim(c *conn, made *session.Session, others int) (gone []session.Hash, err error) {
	live := 0
	err = c.query(func(row []driver.Value) bool {
		h, s := lifeOf(row)
		if !touch(s, db.touches.of(h)...).Live(made.CreationDtm) {
			return true
		}
		if live++; live > others {
			gone = append(gone, h)
		}
		return true
	}, "SELECT "+lifeColumns+" FROM sessions WHERE user_id = ? AND id <> ? ORDER BY id DESC", made.UserID.ID, made.ID)
	if err != nil {
		return nil, err
	}
	for _, h := range gone {
		if _, err := c.exec("DELETE FROM sessions WHERE hash = ?", h[:]); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

func (ss Sessions) Renew(ctx context.Context, h session.Hash, r session.Renewal, now time.Time) (*session.Session, error) {
	next := h
	if r.Hash != (session.Hash{}) {
		next = r.Hash
	}
	var renewed *session.Session
	err := ss.db.writer.do(ctx, &op{
		run: func(c *conn) error {
			s, err := ss.db.sessionIn(c, h)
			switch {
			case err != nil:
				return err
			case s == nil:
				return session.ErrNoSession
			}
			if s = touch(s, ss.db.touches.of(h)...); !s.Live(now) || ss.db.denials.cover(h, s) {
				return session.ErrNoSession
			}
			s = stored(*s) // a copy
			if r.AuthenticatedDtm.After(s.AuthenticatedDtm) {
				s.AuthenticatedDtm = time.UnixMilli(millis(r.AuthenticatedDtm)).UTC()
			}
			renewed = s
			session.Renewed(ctx, s)
			// The uses that wait are for the old hash, so they are written here.
			_, err = c.exec("UPDATE sessions SET hash = ?, authenticated = ?, seen = ?, expires = ? WHERE hash = ?",
				next[:], millisOrNull(s.AuthenticatedDtm), millis(s.LastSeenDtm), millis(s.ExpiresDtm), h[:])
			return err
		},
		apply: func() {
			ss.db.sessions.drop(h)
			ss.db.sessions.drop(next)
		},
	})
	if err != nil {
		return nil, err
	}
	return renewed, nil
}

// sessionIn reads a session by a connection, live or not; nil where there is none.
func (db *DB) sessionIn(c *conn, h session.Hash) (s *session.Session, err error) {
	var bad error
	err = c.query(func(row []driver.Value) bool {
		_, s, bad = db.sessionOf(row)
		return false
	}, "SELECT "+sessionColumns+" FROM sessions WHERE hash = ?", h[:])
	if err == nil {
		err = bad
	}
	return s, err
}
