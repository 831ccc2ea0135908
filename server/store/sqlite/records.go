package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
)

var _ record.Store = Records{}

// Records are all that is in a database.
type Records struct{ db *DB }

// Export reads one snapshot of the file, beside whoever reads and writes. While
// it runs, the write-ahead log only grows.
func (rs Records) Export(ctx context.Context, now time.Time, yield func(record.Record) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if rs.db.writer.broken.Load() == nil {
		if err := rs.db.flush(); err != nil {
			return err
		}
	}
	c, done, err := rs.db.snapshot(ctx)
	if err != nil {
		return err
	}
	out := &outlet{ctx: ctx, db: rs.db, conn: c, yield: yield}
	out.rows(userRecord, "SELECT "+userColumns+", password FROM users")
	out.rows(out.sessionRecord, "SELECT "+sessionColumns+" FROM sessions WHERE expires > ?", millis(now))
	out.rows(out.keyRecord, "SELECT "+keyColumns+" FROM keys WHERE expires IS NULL OR expires > ?", millis(now))
	out.rows(factorRecord, "SELECT "+factorColumns+", user_id FROM factors")
	out.rows(identityRecord, "SELECT "+identityColumns+" FROM identities")
	out.rows(passkeyRecord, "SELECT "+passkeyColumns+" FROM passkeys")
	out.rows(repeatRecord, "SELECT call, request, token, expires, status, headers, body, type FROM repeats WHERE expires > ?", millis(now))
	out.documents()
	out.rows(eventRecord, "SELECT "+eventColumns+" FROM audit ORDER BY chain, seq")
	out.rows(auditKeyRecord, "SELECT id, sealing FROM audit_keys")
	return errors.Join(out.err, done())
}

// snapshot opens a connection to the file as it is now, and keeps the log of
// later writes apart until done is called.
func (db *DB) snapshot(ctx context.Context) (c *conn, done func() error, err error) {
	if c, err = connect(db.path, readerPragmas()...); err != nil {
		return nil, nil, unavailable(err)
	}
	db.writer.snapshots.Add(1)
	done = func() error {
		db.writer.snapshots.Add(-1)
		return c.Close()
	}
	var begun error
	begin := func() {
		if _, begun = c.exec("BEGIN"); begun == nil {
			_, begun = version(c) // the snapshot is of the first read
		}
	}
	// Between two transactions of the writer, so that it is not about to start
	// the log anew and would wait for this reader. A writer that is broken does
	// neither.
	if err = db.writer.do(ctx, &op{run: func(*conn) error { return nil }, apply: begin}); err != nil && db.writer.broken.Load() != nil {
		begin()
		err = nil
	}
	if err = cmp.Or(err, begun); err != nil {
		return nil, nil, errors.Join(unavailable(err), done())
	}
	return c, done, nil
}

// An outlet yields rows as records until something fails.
type outlet struct {
	ctx   context.Context
	db    *DB
	conn  *conn
	yield func(record.Record) error
	err   error
}

// rows yields the rows of a statement. Those of which read returns nil are left out.
func (o *outlet) rows(read func(row []driver.Value) (record.Record, error), text string, args ...any) {
	if o.err != nil {
		return
	}
	err := o.conn.query(func(row []driver.Value) bool {
		select {
		case <-o.ctx.Done():
			o.err = unavailable(o.ctx.Err())
			return false
		case <-o.db.closing:
			o.err = unavailable(errClosed)
			return false
		default:
		}
		r, err := read(row)
		if err == nil && r != nil {
			err = o.yield(r)
		}
		o.err = err
		return err == nil
	}, text, args...)
	if o.err == nil && err != nil {
		o.err = unavailable(err)
	}
}

func userRecord(row []driver.Value) (record.Record, error) {
	u, err := userOf(row)
	if err != nil {
		return nil, err
	}
	return record.UserOf(*u, row[12].(string)), nil
}

func (o *outlet) sessionRecord(row []driver.Value) (record.Record, error) {
	h, s, err := o.db.sessionOf(row)
	if err != nil || o.db.denials.cover(h, s) {
		return nil, err
	}
	return record.SessionOf(h, *s), nil
}

func (o *outlet) keyRecord(row []driver.Value) (record.Record, error) {
	k, err := o.db.keyOf(row)
	if err != nil {
		return nil, err
	}
	return record.KeyOf(apikey.Hash(row[0].([]byte)), k), nil
}

func factorRecord(row []driver.Value) (record.Record, error) {
	return record.FactorOf(row[6].(string), factorIn(row).Factor), nil
}

func identityRecord(row []driver.Value) (record.Record, error) {
	return record.IdentityOf(identityOf(row)), nil
}

func passkeyRecord(row []driver.Value) (record.Record, error) {
	return record.PasskeyOf(passkeyOf(row)), nil
}

func repeatRecord(row []driver.Value) (record.Record, error) {
	c := repeat.Claim{Call: repeat.Hash(row[0].([]byte)), Request: repeat.Hash(row[1].([]byte)), Token: [16]byte(row[2].([]byte)), Until: timeOf(row[3])}
	status, finished := row[4].(int64)
	if !finished {
		return record.RepeatOf(c, nil), nil
	}
	a, err := answerOf(int(status), row[5], row[6], row[7])
	if err != nil {
		return nil, err
	}
	return record.RepeatOf(c, a), nil
}

func eventRecord(row []driver.Value) (record.Record, error) {
	e, err := eventOf(row)
	if err != nil {
		return nil, err
	}
	return record.EventOf(e), nil
}

func auditKeyRecord(row []driver.Value) (record.Record, error) {
	return &record.AuditKey{ID: row[0].(string), Sealing: bytes.Clone(row[1].([]byte))}, nil
}

// Import is one transaction, behind which the head of the audit log that is kept
// apart becomes that of the log that came.
func (rs Records) Import(ctx context.Context, records iter.Seq2[record.Record, error], replace bool) error {
	var past audit.Keys
	err := rs.db.writer.do(ctx, &op{
		run: func(c *conn) (err error) {
			if err := makeRoom(c, replace); err != nil {
				return err
			}
			for r, err := range records {
				if err := cmp.Or(err, ctx.Err()); err != nil {
					return err
				}
				if err := insert(c, r); err != nil {
					return fmt.Errorf("taking a %s: %w", r.Kind(), err)
				}
			}
			past, err = rs.db.writer.audit.load(c)
			return err
		},
		apply: func() {
			rs.db.users.clear()
			rs.db.sessions.clear()
			rs.db.keys.clear()
			rs.db.writer.audit.past.Store(&past)
		},
	})
	if err != nil {
		return err
	}
	return rs.db.anchor.write(rs.db.writer.audit.durable())
}

// tables are those that records are kept in, by kind; users are emptied last.
func tables() [][2]string {
	return [][2]string{
		{"repeat", "repeats"}, {"session", "sessions"}, {"key", "keys"}, {"factor", "factors"}, {"identity", "identities"}, {"passkey", "passkeys"},
		{"event", "audit"}, {"auditKey", "audit_keys"}, {"user", "users"},
	}
}

// makeRoom deletes everything, or says that there is something.
func makeRoom(c *conn, replace bool) error {
	if err := clearDocuments(c, replace); err != nil {
		return err
	}
	for _, short := range []string{"codes", "attempts"} { // which are no records
		if _, err := c.exec("DELETE FROM " + short); err != nil {
			return err
		}
	}
	for _, t := range tables() {
		if replace {
			if _, err := c.exec("DELETE FROM " + t[1]); err != nil {
				return err
			}
			continue
		}
		found, err := c.one("SELECT 1 FROM " + t[1] + " LIMIT 1")
		if err != nil {
			return err
		}
		if found != nil {
			return record.ErrNotEmpty
		}
	}
	return nil
}

func insert(c *conn, r record.Record) error {
	switch r := r.(type) {
	case *record.User:
		u := r.User()
		groups, err := textOf(u.Groups)
		if err != nil {
			return err
		}
		return insertUser(c, u, groups, r.PasswordHash)
	case *record.Session:
		return insertRecord(c, r)
	case *record.Collection:
		return insertCollection(c, r)
	case *record.Document:
		return insertDocumentRecord(c, r)
	case *record.Key:
		return insertKey(c, r)
	case *record.Event:
		return insertEvent(c, r.Event)
	case *record.AuditKey:
		return insertKeyPart(c, r.Key())
	case *record.Factor:
		f := r.Factor()
		_, err := c.exec("INSERT INTO factors (user_id, secret, active, step, recovery, paid, since) VALUES (?, ?, ?, ?, ?, 0, 0)",
			r.UserID, f.Secret, f.Active, f.Step, joined(f.Recovery))
		return err
	case *record.Identity:
		return addIdentity(c, r.Identity())
	case *record.Passkey:
		return insertPasskey(c, r.Passkey())
	case *record.Repeat:
		claim, a := r.Repeat()
		if a == nil {
			_, err := c.exec("INSERT INTO repeats (call, request, token, expires) VALUES (?, ?, ?, ?)",
				claim.Call[:], claim.Request[:], claim.Token[:], millis(claim.Until))
			return err
		}
		headers, body, err := columnsOf(*a)
		if err != nil {
			return err
		}
		_, err = c.exec("INSERT INTO repeats (call, request, token, expires, status, headers, body, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			claim.Call[:], claim.Request[:], claim.Token[:], millis(claim.Until), int64(a.Status), headers, body, a.Type)
		return err
	}
	return errors.New("it has no table")
}

func insertRecord(c *conn, r *record.Session) error {
	_, insert, err := inserting(r.Session())
	if err == nil {
		err = insert(c)
	}
	if errors.Is(err, session.ErrStaleProof) {
		return fmt.Errorf("session %s counts for nothing: its user is missing, disabled, or of another epoch", r.ID)
	}
	return err
}

// Count counts rows.
func (rs Records) Count(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := rs.db.read(ctx, func(c *conn) error {
		for _, t := range tables() {
			n, err := c.one("SELECT count(*) FROM " + t[1])
			if err != nil {
				return err
			}
			counts[t[0]] = int(n.(int64))
		}
		of, err := documentCounts(c)
		counts["collection"], counts["document"] = len(of), 0
		for _, n := range of {
			counts["document"] += n
		}
		return err
	})
	return counts, err
}
