package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"sluice/engine"
	"sluice/nodes/repeat"
)

var _ repeat.Store = Repeats{}

// Repeats are the claims of calls and their answers in a database. They are read
// from the file: a repetition is rare, and a body is long.
type Repeats struct{ db *DB }

// Claim looks before it writes, so that a repetition costs no fsync.
func (rs Repeats) Claim(ctx context.Context, cl repeat.Claim, now time.Time) (*engine.Answer, error) {
	var k known
	look := func(c *conn) (err error) {
		k, err = knownCall(c, cl, now)
		return err
	}
	if err := rs.db.read(ctx, look); err != nil {
		return nil, err
	}
	if k.live {
		return k.answer, k.err
	}
	err := rs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec(`INSERT INTO repeats (call, request, token, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (call) DO UPDATE SET request = ?2, token = ?3, expires = ?4, status = NULL, headers = NULL, body = NULL, type = ''
			WHERE expires <= ?5`, cl.Call[:], cl.Request[:], cl.Token[:], millis(cl.Until), millis(now))
		if err == nil && n == 0 {
			err = look(c) // another claim came first
		}
		return err
	}})
	if err != nil {
		return nil, err
	}
	return k.answer, k.err
}

// known is what a claim finds about its call.
type known struct {
	live   bool           // there is another claim, or an answer
	answer *engine.Answer // to give again
	err    error          // why there is none to give, though live
}

func knownCall(c *conn, cl repeat.Claim, now time.Time) (k known, err error) {
	var bad error
	err = c.query(func(row []driver.Value) bool {
		k.live = true
		status, finished := row[1].(int64)
		switch {
		case repeat.Hash(row[0].([]byte)) != cl.Request:
			k.err = repeat.ErrOtherRequest
		case !finished:
			k.err = repeat.ErrRunning
		default:
			k.answer, bad = answerOf(int(status), row[2], row[3], row[4])
		}
		return false
	}, "SELECT request, status, headers, body, type FROM repeats WHERE call = ? AND expires > ?", cl.Call[:], millis(now))
	return k, cmp.Or(err, bad)
}

// answerOf reads an answer from its columns. A body of no bytes is not the same as none.
func answerOf(status int, headers, body, media driver.Value) (*engine.Answer, error) {
	a := &engine.Answer{Status: status, Type: media.(string)}
	if text, ok := headers.(string); ok {
		if err := json.Unmarshal([]byte(text), &a.Headers); err != nil {
			return nil, fmt.Errorf("decoding headers: %w", err)
		}
	}
	if b, ok := body.([]byte); ok {
		a.Body = b
		if b == nil {
			a.Body = []byte{}
		}
	}
	return a, nil
}

func (rs Repeats) Keep(ctx context.Context, cl repeat.Claim, a engine.Answer, until, now time.Time) error {
	headers, body, err := columnsOf(a)
	if err != nil {
		return err
	}
	return rs.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec(`INSERT INTO repeats (call, request, token, expires, status, headers, body, type) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
			ON CONFLICT (call) DO UPDATE SET request = ?2, token = ?3, expires = ?4, status = ?5, headers = ?6, body = ?7, type = ?8
			WHERE token = ?3 AND status IS NULL OR expires <= ?9`,
			cl.Call[:], cl.Request[:], cl.Token[:], millis(until), int64(a.Status), headers, body, a.Type, millis(now))
		if err == nil && n == 0 {
			err = repeat.ErrTaken
		}
		return err
	}})
}

// columnsOf returns the headers and the body of an answer as columns have them.
func columnsOf(a engine.Answer) (headers, body any, err error) {
	if len(a.Headers) > 0 {
		text, err := json.Marshal(a.Headers)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding headers: %w", err)
		}
		headers = string(text)
	}
	if a.Body != nil {
		body = a.Body
	}
	return headers, body, nil
}

func (rs Repeats) Release(ctx context.Context, cl repeat.Claim) error {
	return rs.db.writer.do(ctx, &op{run: func(c *conn) error {
		_, err := c.exec("DELETE FROM repeats WHERE call = ? AND token = ? AND status IS NULL", cl.Call[:], cl.Token[:])
		return err
	}})
}

// sweepExpired deletes the rows of a table that had expired before a moment.
func (db *DB) sweepExpired(table string, before time.Time) error {
	for {
		var gone int
		err := db.writer.do(context.Background(), &op{run: func(c *conn) (err error) {
			gone, err = c.exec("DELETE FROM "+table+" WHERE rowid IN (SELECT rowid FROM "+table+" WHERE expires <= ? LIMIT ?)",
				millis(before), int64(sweepBatch))
			return err
		}})
		if err != nil || gone < sweepBatch {
			return err
		}
	}
}
