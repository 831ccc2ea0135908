package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	lib "modernc.org/sqlite/lib"

	"sluice/nodes/data"
)

var _ data.Store = Documents{}

// Documents are the documents in a database. Each collection is a table with the
// documents as JSON text, and indexes on what is at the paths in it.
type Documents struct{ db *DB }

// Atomic is true: every change is made in a transaction.
func (ds Documents) Atomic() bool { return true }

const documentColumns = "id, version, created, updated, body"

func documentOf(row []driver.Value) data.Document {
	return data.Document{
		ID: row[0].(string), Version: row[1].(int64), Created: timeOf(row[2]), Updated: timeOf(row[3]), Body: []byte(row[4].(string)),
	}
}

func (ds Documents) Get(ctx context.Context, c *data.Collection, id string, scope data.Filter) (d data.Document, err error) {
	there := false
	err = ds.db.read(ctx, func(conn *conn) (err error) {
		d, there, err = documentByID(conn, c, id)
		return err
	})
	switch {
	case err != nil:
		return data.Document{}, fmt.Errorf("reading a document of %s: %w", c.Name, err)
	case !there || !data.Match(d, scope):
		return data.Document{}, data.ErrNotFound
	}
	return d, nil
}

func documentByID(conn *conn, c *data.Collection, id string) (d data.Document, there bool, err error) {
	err = conn.query(func(row []driver.Value) bool {
		d, there = documentOf(row), true
		return false
	}, "SELECT "+documentColumns+" FROM "+tableOf(c)+" WHERE id = ?", id)
	return d, there, err
}

func (ds Documents) Find(ctx context.Context, c *data.Collection, q data.Query) ([]data.Document, error) {
	parts, err := selects(c, q)
	if err != nil {
		return nil, fmt.Errorf("finding documents of %s: %w", c.Name, err)
	}
	var page []data.Document
	err = ds.db.read(ctx, func(conn *conn) error {
		page = make([]data.Document, 0, min(max(q.Limit, 0), 100))
		if len(parts) == 1 {
			return fill(conn, parts, q.Limit, &page)
		}
		// In a transaction all of them see one state, so that a document which
		// changes meanwhile is not in two.
		if _, err := conn.exec("BEGIN"); err != nil {
			return err
		}
		err := fill(conn, parts, q.Limit, &page)
		_, end := conn.exec("COMMIT")
		return errors.Join(err, end)
	})
	if err != nil {
		return nil, fmt.Errorf("finding documents of %s: %w", c.Name, err)
	}
	return page, nil
}

// fill appends to a page what statements select, one after the other, up to its limit.
func fill(conn *conn, parts []statementText, limit int, page *[]data.Document) error {
	for _, p := range parts {
		left := limit - len(*page)
		if left <= 0 {
			return nil
		}
		err := conn.query(func(row []driver.Value) bool {
			*page = append(*page, documentOf(row))
			return true
		}, p.text, append(p.args, int64(left))...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (ds Documents) Count(ctx context.Context, c *data.Collection, f data.Filter, most int) (int, error) {
	w := words{collection: c}
	if err := w.filter(f); err != nil {
		return 0, fmt.Errorf("counting documents of %s: %w", c.Name, err)
	}
	var n int64
	err := ds.db.read(ctx, func(conn *conn) error {
		v, err := conn.one("SELECT count(*) FROM (SELECT 1 FROM "+tableOf(c)+" WHERE "+w.text.String()+" LIMIT ?)", append(w.args, int64(most))...)
		n, _ = v.(int64)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("counting documents of %s: %w", c.Name, err)
	}
	return int(n), nil
}

func (ds Documents) Create(ctx context.Context, c *data.Collection, d data.Document) error {
	return ds.db.writer.do(ctx, &op{run: func(conn *conn) error { return createDocument(conn, c, d) }})
}

func (ds Documents) Update(ctx context.Context, c *data.Collection, t data.Target, change data.Change, now time.Time) (d data.Document, err error) {
	err = ds.db.writer.do(ctx, &op{run: func(conn *conn) (err error) {
		d, err = updateDocument(conn, c, t, change, now)
		return err
	}})
	if err != nil {
		return data.Document{}, err
	}
	return d, nil
}

func (ds Documents) Delete(ctx context.Context, c *data.Collection, t data.Target) error {
	return ds.db.writer.do(ctx, &op{run: func(conn *conn) error {
		_, err := deleteDocument(conn, c, t)
		return err
	}})
}

func (ds Documents) Write(ctx context.Context, writes []data.Write, now time.Time) ([]data.Document, error) {
	if len(writes) > data.MaxWrites {
		return nil, fmt.Errorf("%d changes together, at most %d can be", len(writes), data.MaxWrites)
	}
	done := make([]data.Document, len(writes))
	err := ds.db.writer.do(ctx, &op{run: func(conn *conn) error {
		for i, w := range writes {
			var err error
			switch {
			case w.Create != nil:
				done[i], err = kept(*w.Create), createDocument(conn, w.Collection, *w.Create)
			case w.Change != nil:
				done[i], err = updateDocument(conn, w.Collection, w.Target, *w.Change, now)
			default:
				done[i], err = deleteDocument(conn, w.Collection, w.Target)
			}
			if err != nil {
				return &data.WriteError{At: i, Err: err}
			}
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// kept returns a document as it comes back from the file.
func kept(d data.Document) data.Document {
	d.Created, d.Updated = time.UnixMilli(millis(d.Created)).UTC(), time.UnixMilli(millis(d.Updated)).UTC()
	d.Body = append([]byte{}, d.Body...)
	return d
}

func createDocument(conn *conn, c *data.Collection, d data.Document) error {
	_, err := conn.exec("INSERT INTO "+tableOf(c)+" ("+documentColumns+") VALUES (?, ?, ?, ?, ?)",
		d.ID, d.Version, millis(d.Created), millis(d.Updated), string(d.Body))
	if err == nil {
		return nil
	}
	err = fmt.Errorf("creating a document of %s: %w", c.Name, err)
	if !duplicate(err) && !primary(err) {
		return err
	}
	// SQLite names what it looked at first. The id goes before the rest, and a
	// document with it may be the one that has the unique values.
	switch _, there, failed := documentByID(conn, c, d.ID); {
	case failed != nil:
		return failed
	case there:
		return &data.TakenError{Collection: c.Name, Fields: []string{data.ID}}
	}
	return takenError(conn, c, d, err)
}

// targeted returns the document of a target whose conditions hold.
func targeted(conn *conn, c *data.Collection, t data.Target) (data.Document, error) {
	d, there, err := documentByID(conn, c, t.ID)
	switch {
	case err != nil:
		return data.Document{}, fmt.Errorf("reading a document of %s: %w", c.Name, err)
	case !there:
		return data.Document{}, data.ErrNotFound
	}
	return d, t.Admit(d)
}

// updateDocument reads, changes and writes: nothing comes in between, as only
// the writer changes anything.
func updateDocument(conn *conn, c *data.Collection, t data.Target, change data.Change, now time.Time) (data.Document, error) {
	d, err := targeted(conn, c, t)
	if err != nil {
		return data.Document{}, err
	}
	if d, err = data.Apply(d, change, time.UnixMilli(millis(now)).UTC()); err != nil {
		return data.Document{}, err
	}
	_, err = conn.exec("UPDATE "+tableOf(c)+" SET version = ?, updated = ?, body = ? WHERE id = ?", d.Version, millis(d.Updated), string(d.Body), d.ID)
	if err != nil {
		return data.Document{}, takenError(conn, c, d, fmt.Errorf("updating a document of %s: %w", c.Name, err))
	}
	return d, nil
}

func deleteDocument(conn *conn, c *data.Collection, t data.Target) (data.Document, error) {
	d, err := targeted(conn, c, t)
	if err != nil {
		return data.Document{}, err
	}
	if _, err := conn.exec("DELETE FROM "+tableOf(c)+" WHERE id = ?", t.ID); err != nil {
		return data.Document{}, fmt.Errorf("deleting a document of %s: %w", c.Name, err)
	}
	d.Body = nil
	return d, nil
}

// primary tells whether a statement failed because an id is there already.
func primary(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY
}

// takenError returns a TakenError where another document with unique values is
// why one could not be written, or else the error.
func takenError(conn *conn, c *data.Collection, d data.Document, err error) error {
	if !duplicate(err) {
		return err
	}
	for _, x := range c.Indexes {
		if !x.Unique {
			continue
		}
		same := data.Filter{Of: []data.Filter{{Op: data.Ne, Path: data.ID, Value: d.ID}}}
		for _, path := range x.Fields {
			same.Of = append(same.Of, data.Filter{Op: data.Eq, Path: path, Value: data.Value(c, d, path)})
		}
		w := words{collection: c}
		if w.filter(same) != nil {
			continue // one of the fields is not there: it is not this index
		}
		other, failed := conn.one("SELECT 1 FROM "+tableOf(c)+" WHERE "+w.text.String(), w.args...)
		if failed != nil {
			return failed
		}
		if other != nil {
			return &data.TakenError{Collection: c.Name, Fields: x.Fields}
		}
	}
	return err
}
