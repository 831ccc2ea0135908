package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"sluice/engine"
)

// maxPrepared is how many statements a connection keeps. Those on documents are
// as many as the forms of their queries.
const maxPrepared = 300

// A conn is one connection to a database file, with the statements prepared on
// it so far. One goroutine at a time uses it. It stands on the driver itself:
// the pool of database/sql costs a third of a lookup, and what it is for, one
// writer and a few readers, is known here.
type conn struct {
	driver.Conn
	prepared map[string]statement // by text
	args     []driver.NamedValue  // of the statement that starts; kept to save allocations
}

type statement interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// connect opens a file, which it makes where there is none, and runs pragmas.
func connect(path string, pragmas ...string) (*conn, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	full = filepath.ToSlash(full)
	if !strings.HasPrefix(full, "/") {
		full = "/" + full // C:/data is /C:/data in a URL
	}
	file := url.URL{Scheme: "file", Path: full}
	raw, err := new(sqlite.Driver).Open(file.String())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	c := &conn{Conn: raw, prepared: map[string]statement{}}
	for _, p := range pragmas {
		if _, err := c.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(text string, args ...any) (int, error) {
	s, err := c.prepare(text)
	if err != nil {
		return 0, err
	}
	// Without a context that can end, the driver needs no goroutine to watch it.
	result, err := s.ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, fmt.Errorf("running %s: %w", verb(text), err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// query runs a statement and hands its rows to each until that returns false.
// A row belongs to the query once each has returned, its values do not.
func (c *conn) query(each func(row []driver.Value) bool, text string, args ...any) (err error) {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return fmt.Errorf("running %s: %w", verb(text), err)
	}
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err = rows.Next(row); err != nil || !each(row) {
			break
		}
	}
	if err == io.EOF {
		err = nil
	}
	if err = errors.Join(err, rows.Close()); err != nil {
		return fmt.Errorf("reading rows of %s: %w", verb(text), err)
	}
	return nil
}

// one runs a statement and returns the first column of its first row, or nil.
func (c *conn) one(text string, args ...any) (value driver.Value, err error) {
	err = c.query(func(row []driver.Value) bool { value = row[0]; return false }, text, args...)
	return value, err
}

func (c *conn) prepare(text string) (statement, error) {
	if s, ok := c.prepared[text]; ok {
		return s, nil
	}
	s, err := c.Prepare(text)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", verb(text), err)
	}
	if len(c.prepared) >= maxPrepared {
		for other, old := range c.prepared { // any one: flows have no order of use
			delete(c.prepared, other)
			if err := old.(driver.Stmt).Close(); err != nil {
				return nil, errors.Join(fmt.Errorf("closing %s: %w", verb(other), err), s.Close())
			}
			break
		}
	}
	c.prepared[text] = s.(statement)
	return c.prepared[text], nil
}

func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.(driver.Stmt).Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// verb is the first word of a statement: enough for a log, and never a value.
func verb(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// resultCode returns the primary result code of SQLite in an error, or 0.
func resultCode(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff
	}
	return 0
}

// refused tells whether an operation failed by its own fault, so that the
// transaction around it is as it was.
func refused(err error) bool {
	switch resultCode(err) {
	case 0, lib.SQLITE_ERROR, lib.SQLITE_CONSTRAINT, lib.SQLITE_TOOBIG, lib.SQLITE_MISMATCH:
		return true
	}
	return false
}

// passing tells whether what failed may work at the next try, as nothing is
// wrong with the file: the disk is full, another program holds a lock, memory
// ran out.
func passing(err error) bool {
	switch resultCode(err) {
	case lib.SQLITE_FULL, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_NOMEM:
		return true
	}
	return false
}

// duplicate tells whether a statement failed because a unique value is there already.
func duplicate(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code() == lib.SQLITE_CONSTRAINT_UNIQUE
}

// unavailable says of an error that the caller may try again later.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
}
