package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/nodes/data"
	"sluice/nodes/record"
	"sluice/server/store/health"
)

// remember notes what collections are, and that others have no indexes any more.
func remember(c *conn, all []*data.Collection) error {
	before, err := remembered(c)
	if err != nil {
		return err
	}
	former := map[string]*data.Collection{}
	for _, b := range before {
		former[b.Name] = b
		b.Indexes = nil
	}
	for _, now := range all {
		former[now.Name] = now.WithFormer(former[now.Name])
	}
	for _, now := range former {
		if err := note(c, record.CollectionOf(now)); err != nil {
			return err
		}
	}
	return nil
}

// note writes a declaration, unless it is there as it is.
func note(c *conn, r *record.Collection) error {
	line, err := record.Encode(r)
	if err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO collections (name, declaration) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET declaration = excluded.declaration WHERE declaration <> excluded.declaration",
		r.Name, string(line))
	if err != nil {
		return fmt.Errorf("noting what %s is: %w", r.Name, err)
	}
	return nil
}

// remembered returns the declarations of all collections, by name.
func remembered(c *conn) (all []*data.Collection, err error) {
	var failed error
	err = c.query(func(row []driver.Value) bool {
		var of *data.Collection
		if of, failed = record.ReadCollection([]byte(row[0].(string))); failed == nil {
			all = append(all, of)
		}
		return failed == nil
	}, "SELECT declaration FROM collections ORDER BY name")
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("reading what collections are: %w", err)
	}
	return all, nil
}

// documents yields each collection and its documents.
func (o *outlet) documents() {
	if o.err != nil {
		return
	}
	all, err := remembered(o.conn)
	if err != nil {
		o.err = unavailable(err)
	}
	for _, c := range all {
		if o.err == nil {
			o.err = o.yield(record.CollectionOf(c))
		}
		o.rows(func(row []driver.Value) (record.Record, error) { return record.DocumentOf(c, documentOf(row)) },
			"SELECT "+documentColumns+" FROM "+tableOf(c))
	}
}

// clearDocuments drops all collections, or says that there are documents.
// Indexes go, too, as they would be in the way of what comes: Prepare makes them
// and says what is against them.
func clearDocuments(c *conn, replace bool) error {
	all, err := remembered(c)
	if err != nil {
		return err
	}
	for _, of := range all {
		found, err := c.one("SELECT 1 FROM " + tableOf(of) + " LIMIT 1")
		switch {
		case err != nil:
			return err
		case found != nil && !replace:
			return record.ErrNotEmpty
		}
		if _, err := c.exec("DROP TABLE " + tableOf(of)); err != nil {
			return fmt.Errorf("dropping %s: %w", of.Name, err)
		}
	}
	_, err = c.exec("DELETE FROM collections")
	return err
}

func insertCollection(c *conn, r *record.Collection) error {
	if err := r.Check(); err != nil { // its name becomes part of statements
		return err
	}
	found, err := c.one("SELECT 1 FROM collections WHERE name = ?", r.Name)
	if err != nil {
		return err
	}
	if found != nil {
		return fmt.Errorf("%s is there already", r.Name)
	}
	if err := makeTable(c, r.Collection()); err != nil {
		return err
	}
	return note(c, r)
}

func insertDocumentRecord(c *conn, r *record.Document) error {
	found, err := c.one("SELECT 1 FROM collections WHERE name = ?", r.Collection)
	if err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("its collection %.64q is missing", r.Collection)
	}
	return createDocument(c, &data.Collection{Name: r.Collection}, r.Document())
}

// documentCounts counts the documents of each collection.
func documentCounts(c *conn) (map[string]int, error) {
	all, err := remembered(c)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, of := range all {
		n, err := c.one("SELECT count(*) FROM " + tableOf(of))
		if err != nil {
			return nil, fmt.Errorf("counting documents of %s: %w", of.Name, err)
		}
		counts[of.Name] = int(n.(int64))
	}
	return counts, nil
}

// checkDocuments looks whether tables and indexes are as they were declared last.
func (db *DB) checkDocuments(ctx context.Context) health.Finding {
	var missing []string
	counts := map[string]int{}
	err := db.read(ctx, func(c *conn) error {
		all, err := remembered(c)
		if err != nil {
			return err
		}
		indexes, err := documentIndexes(c)
		if err != nil {
			return err
		}
		for _, of := range all {
			n, err := c.one("SELECT count(*) FROM " + tableOf(of))
			if err != nil {
				missing = append(missing, "table of "+of.Name)
				continue
			}
			counts[of.Name] = int(n.(int64))
			for _, x := range of.Indexes {
				if made, err := indexOf(of, x); err != nil || !slices.Contains(indexes, made.name) {
					missing = append(missing, "index of "+of.Name+" over "+strings.Join(x.Fields, ", "))
				}
			}
		}
		return nil
	})
	if err != nil {
		return health.Bad("documents", "Look at the log of the server.", "Looking at the collections of documents: %v", err)
	}
	return health.Collections(counts, missing)
}
