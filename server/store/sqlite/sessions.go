package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sluice/nodes/session"
)

var _ session.Store = Sessions{}

// lastText comes behind every text.
const lastText = "\xff"

// Sessions are the sessions in a database.
type Sessions struct{ db *DB }

func (ss Sessions) Create(ctx context.Context, h session.Hash, s session.Session) error {
	made, insert, err := inserting(h, s)
	if err != nil {
		return err
	}
	return ss.db.writer.do(ctx, &op{run: insert, apply: func() { ss.db.sessions.set(h, made) }})
}

// inserting returns a session as it will be stored, and what stores it under the
// epoch of its proof.
func inserting(h session.Hash, s session.Session) (made *session.Session, insert func(*conn) error, err error) {
	made = stored(s)
	groups, err := textOf(made.AccessGroupKeys)
	if err != nil {
		return nil, nil, err
	}
	agent, err := json.Marshal(made.UserAgent)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding user agent: %w", err)
	}
	var by any
	if made.ImpersonatedBy != nil {
		text, err := json.Marshal(made.ImpersonatedBy)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding actor: %w", err)
		}
		by = string(text)
	}
	return made, func(c *conn) error {
		n, err := c.exec("INSERT INTO sessions ("+sessionColumns+`)
			SELECT ?, ?, ?, ?, ?, ?, id, epoch, ?, ?, ?, ?, ?, ? FROM users WHERE id = ? AND epoch = ? AND NOT disabled`,
			h[:], millis(made.LastSeenDtm), millis(made.ExpiresDtm), millis(made.End), made.Idle.Milliseconds(),
			made.ID, millis(made.CreationDtm), made.IP, groups, string(agent), millisOrNull(made.AuthenticatedDtm), by,
			made.UserID.ID, made.UserID.Epoch)
		if err == nil && n == 0 {
			err = session.ErrStaleProof
		}
		return err
	}, nil
}

func (ss Sessions) Get(ctx context.Context, h session.Hash, now time.Time) (*session.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	s, seen, ok := ss.db.sessions.get(h)
	if !ok {
		var err error
		if s, err = ss.find(ctx, h); err != nil {
			return nil, err
		}
		ss.db.sessions.fill(h, s, seen)
	}
	if !s.Live(now) || ss.db.denials.cover(h, s) {
		return nil, session.ErrNoSession
	}
	return s, nil
}

// find reads a session from the file, live or not.
func (ss Sessions) find(ctx context.Context, h session.Hash) (s *session.Session, err error) {
	uses := ss.db.touches.of(h)
	err = ss.db.read(ctx, func(c *conn) (err error) {
		s, err = ss.db.sessionIn(c, h)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, session.ErrNoSession
	}
	return touch(s, uses...), nil
}

func (ss Sessions) List(ctx context.Context, userID, after string, limit int, now time.Time) (page []session.Session, err error) {
	if after == "" {
		after = lastText
	}
	// Uses that reach the file while it is read may be missing from both what was
	// read and what waits; then it is read once more.
	for range 3 {
		before := ss.db.touches.flushed()
		if page, err = ss.list(ctx, userID, after, limit, now); err != nil || ss.db.touches.flushed() == before {
			break
		}
	}
	return page, err
}

func (ss Sessions) list(ctx context.Context, userID, after string, limit int, now time.Time) (page []session.Session, err error) {
	err = ss.db.read(ctx, func(c *conn) error {
		var bad error
		err := c.query(func(row []driver.Value) bool {
			h, s, err := ss.db.sessionOf(row)
			if err != nil {
				bad = err
				return false
			}
			if s = touch(s, ss.db.touches.of(h)...); s.Live(now) && !ss.db.denials.cover(h, s) {
				page = append(page, *s)
			}
			return len(page) < limit
		}, "SELECT "+sessionColumns+" FROM sessions WHERE user_id = ? AND id < ? ORDER BY id DESC", userID, after)
		if err == nil {
			err = bad
		}
		return err
	})
	return page, err
}

func (ss Sessions) Update(ctx context.Context, w session.Which, g session.Groups, now time.Time) (int, error) {
	var changed []session.Hash
	err := ss.db.writer.do(ctx, &op{
		run: func(c *conn) (err error) {
			changed, err = ss.db.regroup(c, w, g, now)
			session.Recorded(ctx, len(changed), false)
			return err
		},
		apply: func() {
			for _, h := range changed {
				ss.db.sessions.drop(h)
			}
		},
	})
	if err != nil {
		return 0, err
	}
	return len(changed), nil
}

// regroup changes the groups of the live sessions that w names.
func (db *DB) regroup(c *conn, w session.Which, g session.Groups, now time.Time) (changed []session.Hash, err error) {
	var groups [][]string
	var bad error
	where, args := named(w)
	err = c.query(func(row []driver.Value) bool {
		h, s := lifeOf(row)
		if !touch(s, db.touches.of(h)...).Live(now) {
			return true
		}
		was, err := groupsOf(row[5].(string))
		changed, groups, bad = append(changed, h), append(groups, g.Apply(was)), err
		return err == nil
	}, "SELECT "+lifeColumns+", group_keys FROM sessions WHERE "+where, args...)
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, err
	}
	for i, h := range changed {
		text, err := textOf(groups[i])
		if err != nil {
			return nil, err
		}
		if _, err := c.exec("UPDATE sessions SET group_keys = ? WHERE hash = ?", text, h[:]); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// named returns the condition on the rows that w names.
func named(w session.Which) (where string, args []any) {
	switch {
	case w.Hash != session.Hash{}:
		return "hash = ?", []any{w.Hash[:]}
	case w.ID != "":
		return "user_id = ? AND id = ?", []any{w.UserID, w.ID}
	}
	return "user_id = ? AND id <> ?", []any{w.UserID, w.Except}
}

func (ss Sessions) End(ctx context.Context, w session.Which, now time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, unavailable(err)
	}
	db, all := ss.db, w.Hash == session.Hash{} && w.ID == ""
	var e ending
	err := db.writer.do(ctx, &op{
		run: func(c *conn) (err error) {
			if all {
				e, err = db.endAll(c, w.UserID, w.Except, now)
			} else {
				e, err = db.end(c, w, now)
			}
			session.Recorded(ctx, e.live, all)
			return err
		},
		apply: func() {
			if all {
				db.users.drop(w.UserID)
			}
			db.forget(w, e)
		},
	})
	if err != nil {
		db.denials.add(w, now)
		return 0, err
	}
	return e.live, nil
}

// An ending is what became of sessions that were to end.
type ending struct {
	gone   []session.Hash // deleted
	live   int            // how many of them were live
	spared []session.Hash // there, but of a new epoch
}

// end deletes the rows that w names.
func (db *DB) end(c *conn, w session.Which, now time.Time) (e ending, err error) {
	where, args := named(w)
	err = c.query(func(row []driver.Value) bool {
		h, s := lifeOf(row)
		if touch(s, db.touches.of(h)...).Live(now) {
			e.live++
		}
		e.gone = append(e.gone, h)
		return true
	}, "DELETE FROM sessions WHERE "+where+" RETURNING "+lifeColumns, args...)
	return e, err
}

// endAll ends the sessions of a user but one, and every proof made before. The
// one that is spared proves as much as a new one.
func (db *DB) endAll(c *conn, userID, except string, now time.Time) (e ending, err error) {
	if _, err := c.exec("UPDATE users SET epoch = epoch + 1 WHERE id = ?", userID); err != nil {
		return e, err
	}
	e, err = db.end(c, session.Which{UserID: userID, Except: except}, now)
	if err != nil || except == "" {
		return e, err
	}
	err = c.query(func(row []driver.Value) bool {
		e.spared = append(e.spared, session.Hash(row[0].([]byte)))
		return true
	}, "UPDATE sessions SET epoch = epoch + 1 WHERE user_id = ? RETURNING hash", userID)
	return e, err
}

// forget drops from memory what an ending that w asked for changed.
func (db *DB) forget(w session.Which, e ending) {
	for _, h := range slices.Concat(e.gone, e.spared) {
		db.sessions.drop(h)
	}
	db.denials.lift(w, e.gone)
}

func (ss Sessions) Touch(h session.Hash, now time.Time) {
	now = time.UnixMilli(millis(now)).UTC()
	s, _, live := ss.db.sessions.get(h)
	if live && (!s.Live(now) || !now.After(s.LastSeenDtm)) {
		return
	}
	// In this order, so that a reader who misses the use also fails to fill the
	// cache with what is older.
	ss.db.touches.add(h, now, live)
	ss.db.sessions.change(h, func(s *session.Session) *session.Session { return touch(s, use{now, now}) })
}
