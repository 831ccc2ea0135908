package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sluice/nodes/audit"
)

var _ audit.Store = Events{}

// chainName is that of the chain that the process with a file writes. Others came by an import.
const chainName = "main"

// maxPrune is how many events one operation deletes.
const maxPrune = 5000

// Events are the audit events in a database, which the writer seals.
// An event that rides along with a change ([audit.Riding]) is written in the
// change's savepoint, and so is there exactly where the change is.
type Events struct{ db *DB }

// rest is what a row has of an event in one column, since nobody asks for it.
type rest struct {
	SessionID string            `json:"session,omitempty"`
	IP        string            `json:"ip,omitempty"`
	UserAgent string            `json:"agent,omitempty"`
	RequestID string            `json:"request,omitempty"`
	Flow      string            `json:"flow,omitempty"`
	Outcome   string            `json:"outcome,omitempty"`
	Details   map[string]string `json:"details,omitempty"`
	KeyID     string            `json:"key,omitempty"`
}

const eventColumns = "chain, seq, at, kind, actor, subject, rest, seal"

// eventOf reads an event from eventColumns.
func eventOf(row []driver.Value) (e audit.Event, err error) {
	var r rest
	if err := json.Unmarshal([]byte(row[6].(string)), &r); err != nil {
		return e, fmt.Errorf("decoding audit event: %w", err)
	}
	e = audit.Event{
		Chain: row[0].(string), Seq: row[1].(int64), At: timeOf(row[2]), Kind: audit.Kind(row[3].(string)), Actor: row[4].(string), Subject: row[5].(string),
		SessionID: r.SessionID, IP: r.IP, UserAgent: r.UserAgent, RequestID: r.RequestID, Flow: r.Flow, Outcome: r.Outcome,
		Details: r.Details, KeyID: r.KeyID,
	}
	e.ID = audit.ID(e.Chain, e.Seq)
	copy(e.Seal[:], row[7].([]byte)) // one of another length is a wrong one
	return e, nil
}

// insertEvent writes the row of an event that is sealed.
func insertEvent(c *conn, e audit.Event) error {
	text, err := json.Marshal(rest{e.SessionID, e.IP, e.UserAgent, e.RequestID, e.Flow, e.Outcome, e.Details, e.KeyID})
	if err != nil {
		return fmt.Errorf("encoding audit event: %w", err)
	}
	_, err = c.exec("INSERT INTO audit ("+eventColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		e.Chain, e.Seq, millis(e.At), string(e.Kind), e.Actor, e.Subject, string(text), e.Seal[:])
	return err
}

// lastEvent returns the head of the file's own chain as it ends there.
func lastEvent(c *conn) (audit.Head, error) {
	page, err := events(c, "WHERE chain = ? ORDER BY seq DESC LIMIT 1", chainName)
	if err != nil || len(page) == 0 {
		return audit.Head{Chain: chainName}, err
	}
	return page[0].Head(), nil
}

// events returns the events that the end of a statement names.
func events(c *conn, where string, args ...any) (page []audit.Event, err error) {
	var bad error
	err = c.query(func(row []driver.Value) bool {
		var e audit.Event
		e, bad = eventOf(row)
		page = append(page, e)
		return bad == nil
	}, "SELECT "+eventColumns+" FROM audit "+where, args...)
	return page, cmp.Or(err, bad)
}

// chains returns the names of all chains.
func chains(c *conn) (names []string, err error) {
	for last := ""; ; {
		next, err := c.one("SELECT chain FROM audit WHERE chain > ? ORDER BY chain LIMIT 1", last)
		if err != nil || next == nil {
			return names, err
		}
		last = next.(string)
		names = append(names, last)
	}
}

// Append writes an event that comes with no change.
func (es Events) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	r := audit.NewRider(e)
	err := es.db.writer.do(ctx, &op{run: func(*conn) error { return nil }, event: r})
	e, _ = r.Event()
	return e, err
}

func (es Events) List(ctx context.Context, q audit.Query) (page []audit.Event, err error) {
	where, args := []string{"1"}, []any{}
	if a := q.After; a.Seq > 0 {
		where, args = append(where, "(at, chain, seq) > (?, ?, ?)"), append(args, millis(a.At), a.Chain, a.Seq)
	}
	if !q.Since.IsZero() {
		where, args = append(where, "at >= ?"), append(args, millis(q.Since))
	}
	if !q.Until.IsZero() {
		where, args = append(where, "at < ?"), append(args, millis(q.Until))
	}
	if len(q.Kinds) > 0 {
		where = append(where, "kind IN ("+marks(len(q.Kinds))+")")
		for _, k := range q.Kinds {
			args = append(args, string(k))
		}
	}
	if n := len(q.Of); n > 0 {
		where = append(where, "(actor IN ("+marks(n)+") OR subject IN ("+marks(n)+"))")
		for range 2 {
			for _, id := range q.Of {
				args = append(args, id)
			}
		}
	}
	err = es.db.read(ctx, func(c *conn) error {
		page, err = events(c, "WHERE "+strings.Join(where, " AND ")+" ORDER BY at, chain, seq LIMIT ?", append(args, int64(q.Limit))...)
		return err
	})
	return page, err
}

// marks are as many places for values.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func (es Events) Chain(ctx context.Context, chain string, after int64, limit int) (page []audit.Event, err error) {
	err = es.db.read(ctx, func(c *conn) error {
		page, err = events(c, "WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?", chain, after, int64(limit))
		return err
	})
	return page, err
}

// Heads returns the head that the keeper wrote into a file beside the database,
// and the names of chains that came by an import.
func (es Events) Heads(ctx context.Context) ([]audit.Head, error) {
	h, err := es.db.anchor.read()
	if err != nil {
		return nil, err
	}
	heads := []audit.Head{h}
	err = es.db.read(ctx, func(c *conn) error {
		names, err := chains(c)
		for _, name := range names {
			if name != chainName {
				heads = append(heads, audit.Head{Chain: name})
			}
		}
		return err
	})
	return heads, err
}

// Prune deletes from the front of each chain, each time with the event that tells
// so in the same operation.
func (es Events) Prune(ctx context.Context, before time.Time) (gone int, err error) {
	var names []string
	err = es.db.read(ctx, func(c *conn) error {
		names, err = chains(c)
		return err
	})
	for _, name := range names {
		for n := maxPrune; err == nil && n == maxPrune; gone += n {
			n, err = es.pruneSome(ctx, name, before)
		}
	}
	return gone, err
}

func (es Events) pruneSome(ctx context.Context, chain string, before time.Time) (n int, err error) {
	err = es.db.writer.do(ctx, &op{run: func(c *conn) error {
		old := "WHERE chain = ? AND seq < (SELECT min(seq) + ? FROM audit WHERE chain = ?) AND at < ? ORDER BY seq DESC LIMIT 1"
		page, err := events(c, old, chain, int64(maxPrune), chain, millis(before))
		if err != nil || len(page) == 0 {
			return err
		}
		if _, err := es.db.writer.audit.add(c, audit.PrunedEvent(page[0])); err != nil {
			return err
		}
		n, err = c.exec("DELETE FROM audit WHERE chain = ? AND seq <= ?", chain, page[0].Seq)
		return err
	}})
	return n, err
}

func (es Events) Keys() audit.Keys { return es.db.writer.audit.keys() }
