package sqlite

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sluice/nodes/audit"
)

// A log is the end of the audit log, to which the writer adds.
type log struct {
	own   audit.Keys                 // never change
	local bool                       // the first of them is that of the directory
	past  atomic.Pointer[audit.Keys] // that came by an import; what the pointer leads to never changes
	head  atomic.Pointer[audit.Head] // of what is durable; nil where nothing was added

	end end // of the writer's goroutine alone
}

// An end is where the chain has got to, durable or not.
type end struct {
	audit.Head
	noted bool // the file has that part of a local key which verifies
}

// openLog reads where the chain ends in the file, and the keys.
func openLog(c *conn, dir string, given audit.Keys) (*log, error) {
	l := &log{local: len(given) == 0}
	var err error
	if l.own, err = auditKeys(dir, given); err != nil {
		return nil, err
	}
	past, err := l.load(c)
	if err != nil {
		return nil, fmt.Errorf("reading the end of the audit log: %w", err)
	}
	l.past.Store(&past)
	return l, nil
}

// load reads the end that the file has, and returns the keys that it has beside
// the one in use.
func (l *log) load(c *conn) (audit.Keys, error) {
	head, err := lastEvent(c)
	if err != nil {
		return nil, err
	}
	past, err := pastKeys(c)
	if err != nil {
		return nil, err
	}
	own, _ := l.own[0].Parts()
	kept := len(past)
	past = slices.DeleteFunc(past, func(k audit.Key) bool {
		id, _ := k.Parts()
		return id == own
	})
	l.end = end{head, !l.local || len(past) < kept}
	return past, nil
}

// pastKeys returns the keys in the file, which only verify.
func pastKeys(c *conn) (keys audit.Keys, err error) {
	var bad error
	err = c.query(func(row []driver.Value) bool {
		part := row[1].([]byte)
		if len(part) != 32 {
			bad = fmt.Errorf("audit key %s has %d bytes", row[0], len(part))
			return false
		}
		keys = append(keys, audit.PastKey(row[0].(string), [32]byte(part)))
		return true
	}, "SELECT id, sealing FROM audit_keys ORDER BY id")
	return keys, cmp.Or(err, bad)
}

func insertKeyPart(c *conn, k audit.Key) error {
	id, part := k.Parts()
	_, err := c.exec("INSERT INTO audit_keys (id, sealing) VALUES (?, ?)", id, part[:])
	return err
}

// add seals an event and writes it. The writer calls it.
func (l *log) add(c *conn, e audit.Event) (audit.Event, error) {
	if !l.end.noted {
		if err := insertKeyPart(c, l.own[0]); err != nil {
			return e, err
		}
		l.end.noted = true
	}
	chain := audit.Chain{Keys: l.own, Head: l.end.Head}
	e = chain.Seal(e, time.Now())
	l.end.Head = chain.Head
	return e, insertEvent(c, e)
}

// settle tells that the end is durable, where it is another one than before.
func (l *log) settle(before end) {
	if head := l.end.Head; head != before.Head {
		l.head.Store(&head)
	}
}

// durable returns the head of what is durable, or nil where nothing was added.
func (l *log) durable() *audit.Head { return l.head.Load() }

func (l *log) keys() audit.Keys { return slices.Concat(l.own, *l.past.Load()) }
