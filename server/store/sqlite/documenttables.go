package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"sluice/nodes/data"
)

// Prepare makes the tables and indexes in one operation of the writer, so that
// all of it happens or nothing. An index on many documents takes its time, and
// other writes wait for it.
func (ds Documents) Prepare(ctx context.Context, all []*data.Collection) error {
	wanted := map[string]index{}
	for i, c := range all {
		if err := c.Check(); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
		if slices.ContainsFunc(all[:i], func(o *data.Collection) bool { return o.Name == c.Name }) {
			return fmt.Errorf("preparing: collection %s is declared twice", c.Name)
		}
		for _, x := range c.Indexes {
			made, err := indexOf(c, x)
			if err != nil {
				return fmt.Errorf("preparing %s: %w", c.Name, err)
			}
			wanted[made.name] = made
		}
	}
	return ds.db.writer.do(ctx, &op{run: func(conn *conn) error { return prepareTables(conn, all, wanted) }})
}

// An index is one of a collection's as SQLite has it.
type index struct {
	name       string // with a digest of what it is: another one has another name
	text       string
	collection string
	fields     []string
}

// indexOf puts an index into SQL. Behind the fields comes the id, as it does
// behind the sorts of a query, except where it is unique.
func indexOf(c *data.Collection, x data.Index) (index, error) {
	fields := slices.Clone(x.Fields)
	if !x.Unique && !slices.Contains(fields, data.ID) {
		fields = append(fields, data.ID)
	}
	cols := make([]string, len(fields))
	for i, path := range fields {
		var err error
		if cols[i], _, err = column(c, path); err != nil {
			return index{}, err
		}
	}
	kind := "INDEX "
	if x.Unique {
		kind = "UNIQUE INDEX "
	}
	on := " ON " + tableOf(c) + " (" + strings.Join(cols, ", ") + ")"
	name := fmt.Sprintf("%s_by_%x", tableOf(c), sha256.Sum256([]byte(kind+on)))[:len(tableOf(c))+4+16]
	return index{name, "CREATE " + kind + name + on, c.Name, x.Fields}, nil
}

func prepareTables(conn *conn, all []*data.Collection, wanted map[string]index) error {
	for _, c := range all {
		if err := makeTable(conn, c); err != nil {
			return fmt.Errorf("preparing %s: %w", c.Name, err)
		}
	}
	if err := remember(conn, all); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	found, err := documentIndexes(conn)
	if err != nil {
		return err
	}
	for _, name := range found {
		if _, ok := wanted[name]; ok {
			continue
		}
		if _, err := conn.exec(`DROP INDEX "` + name + `"`); err != nil {
			return fmt.Errorf("dropping an index: %w", err)
		}
	}
	for name, x := range wanted {
		if slices.Contains(found, name) {
			continue
		}
		_, err := conn.exec(x.text)
		switch {
		case duplicate(err):
			return fmt.Errorf("preparing %s: documents have the same %s, which is to be unique: %w", x.collection, strings.Join(x.fields, ", "), err)
		case err != nil:
			return fmt.Errorf("preparing %s, index over %s: %w", x.collection, strings.Join(x.fields, ", "), err)
		}
	}
	return nil
}

func makeTable(conn *conn, c *data.Collection) error {
	_, err := conn.exec("CREATE TABLE IF NOT EXISTS " + tableOf(c) + ` (
	id         TEXT PRIMARY KEY NOT NULL,
	version    INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	body       TEXT NOT NULL CHECK (json_valid(body)) -- what is not would fail every query that looks into it
) STRICT`)
	return err
}

// documentIndexes are the names of the indexes on documents that are there.
func documentIndexes(conn *conn) (found []string, err error) {
	err = conn.query(func(row []driver.Value) bool {
		found = append(found, row[0].(string))
		return true
	}, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name GLOB 'doc_*'")
	if err != nil {
		return nil, fmt.Errorf("looking at indexes: %w", err)
	}
	return found, nil
}
