package mongo

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/data"
)

var _ data.Store = Data{}

// Data are the documents in a database.
type Data struct{ db *DB }

// tooLarge is the server's word for a document that a change makes larger than
// the 16 MiB that one may have.
const tooLarge = 17419

// of returns where the documents of a collection are.
func (ds Data) of(c *data.Collection) *driver.Collection {
	return ds.db.shelf(c.Name)
}

func (ds Data) Get(ctx context.Context, c *data.Collection, id string, scope data.Filter) (d data.Document, err error) {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	filter, err := ds.aimed(data.Target{ID: id, Scope: scope}, nil)
	if err != nil {
		return d, err
	}
	raw, err := ds.of(c).FindOne(ctx, filter).Raw()
	switch {
	case errors.Is(err, driver.ErrNoDocuments):
		return d, data.ErrNotFound
	case err != nil:
		return d, failed("reading a document of "+c.Name, err)
	}
	return documentIn(c, raw)
}

// with adds conditions to a filter.
func with(filter bson.D, parts []bson.D) bson.D {
	if rest := all(parts...); len(rest) > 0 {
		filter = append(filter, bson.E{Key: "$and", Value: []bson.D{rest}})
	}
	return filter
}

// Find reads on where the server gave a document twice, which it may where one
// moves while it is read.
func (ds Data) Find(ctx context.Context, c *data.Collection, q data.Query) (found []data.Document, err error) {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	seen := map[string]bool{}
	for want := q.Limit; ; {
		page, err := ds.page(ctx, c, q)
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			if !seen[d.ID] {
				seen[d.ID] = true
				found = append(found, d)
			}
		}
		if len(page) < q.Limit || len(found) == want {
			return found, nil
		}
		q.After, q.Limit = data.Keys(c, q.Sort, page[len(page)-1]), want-len(found)
	}
}

func (ds Data) page(ctx context.Context, c *data.Collection, q data.Query) (page []data.Document, err error) {
	filter, err := filterOf(q.Filter)
	if err != nil {
		return nil, err
	}
	by, err := orderOf(q)
	if err != nil {
		return nil, err
	}
	if len(q.After) > 0 {
		filter = by.behind(filter)
	}
	rows, err := ds.of(c).Find(ctx, filter, options.Find().SetSort(by.sort()).SetLimit(int64(q.Limit)))
	if err != nil {
		return nil, failed("finding documents of "+c.Name, err)
	}
	defer rows.Close(ctx)
	for rows.Next(ctx) {
		d, err := documentIn(c, rows.Current)
		if err != nil {
			return nil, err
		}
		page = append(page, d)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("finding documents of "+c.Name, err)
	}
	return page, nil
}

func (ds Data) Count(ctx context.Context, c *data.Collection, f data.Filter, most int) (int, error) {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	filter, err := filterOf(f)
	if err != nil {
		return 0, err
	}
	n, err := ds.of(c).CountDocuments(ctx, filter, options.Count().SetLimit(int64(most)))
	if err != nil {
		return 0, failed("counting documents of "+c.Name, err)
	}
	return int(n), nil
}

func (ds Data) Create(ctx context.Context, c *data.Collection, d data.Document) error {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	return ds.create(ctx, c, d)
}

func (ds Data) create(ctx context.Context, c *data.Collection, d data.Document) error {
	r, err := rowOf(c, d)
	if err != nil {
		return err
	}
	text, err := r.insert()
	if err != nil {
		return err
	}
	_, err = ds.of(c).InsertOne(ctx, text)
	switch {
	case driver.IsDuplicateKeyError(err):
		return ds.taken(ctx, c, &d, err)
	case err != nil:
		return failed("adding a document of "+c.Name, err)
	}
	return nil
}

func (ds Data) Update(ctx context.Context, c *data.Collection, t data.Target, change data.Change, now time.Time) (data.Document, error) {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	return ds.update(ctx, c, t, change, now)
}

// update is one command that checks all and changes the document. Where that
// finds nothing to change, or the checks cannot be said as a filter, the document
// is read and judged here, and a change then applies to what was read.
func (ds Data) update(ctx context.Context, c *data.Collection, t data.Target, change data.Change, now time.Time) (d data.Document, err error) {
	e, err := editOf(c, change, now)
	if err != nil {
		return d, err
	}
	filter, err := ds.aimed(t, e.guards)
	if err != nil {
		return d, err
	}
	reads := e.reads || e.never
	for range maxRounds {
		at := filter
		if reads {
			was, err := ds.judge(ctx, c, t, &change)
			if err != nil {
				return d, err
			}
			at = where(is("_id", t.ID), is("v", was.Version))
		}
		raw, err := ds.of(c).FindOneAndUpdate(ctx, at, e.update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
		switch {
		case err == nil:
			return documentIn(c, raw)
		case errors.Is(err, driver.ErrNoDocuments):
			reads = true
		case driver.IsDuplicateKeyError(err):
			return d, ds.taken(ctx, c, nil, err)
		case tells(err, tooLarge):
			return d, fmt.Errorf("%w: it would be too large", data.ErrUnmet)
		default:
			return d, failed("changing a document of "+c.Name, err)
		}
	}
	return d, fmt.Errorf("changing a document of %s: %w", c.Name, errOvertaken)
}

// aimed is the filter of the document of a target, where it is as it must be
// and guards hold of it.
func (ds Data) aimed(t data.Target, guards []bson.D) (bson.D, error) {
	filter := where(is("_id", t.ID))
	if t.Version != 0 {
		filter = append(filter, is("v", t.Version))
	}
	for _, f := range []data.Filter{t.Scope, t.If} {
		part, err := filterOf(f)
		if err != nil {
			return nil, err
		}
		guards = append(guards, part)
	}
	return with(filter, guards), nil
}

// judge reads the document of a target and tells why it cannot be changed, or
// removed where change is nil.
func (ds Data) judge(ctx context.Context, c *data.Collection, t data.Target, change *data.Change) (data.Document, error) {
	raw, err := ds.of(c).FindOne(ctx, where(is("_id", t.ID))).Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return data.Document{}, data.ErrNotFound
	}
	if err != nil {
		return data.Document{}, failed("reading a document of "+c.Name, err)
	}
	d, err := documentIn(c, raw)
	if err == nil {
		err = t.Admit(d)
	}
	if err == nil && change != nil {
		_, err = data.Apply(d, *change, d.Updated)
	}
	return d, err
}

func (ds Data) Delete(ctx context.Context, c *data.Collection, t data.Target) error {
	ctx, cancel := ds.db.bound(ctx)
	defer cancel()
	_, err := ds.remove(ctx, c, t)
	return err
}

// remove returns the document as it was.
func (ds Data) remove(ctx context.Context, c *data.Collection, t data.Target) (d data.Document, err error) {
	filter, err := ds.aimed(t, nil)
	if err != nil {
		return d, err
	}
	for range maxRounds {
		raw, err := ds.of(c).FindOneAndDelete(ctx, filter).Raw()
		switch {
		case err == nil:
			return documentIn(c, raw)
		case !errors.Is(err, driver.ErrNoDocuments):
			return d, failed("removing a document of "+c.Name, err)
		}
		if _, err := ds.judge(ctx, c, t, nil); err != nil {
			return d, err
		}
	}
	return d, fmt.Errorf("removing a document of %s: %w", c.Name, errOvertaken)
}

// tells whether the server gave a code.
func tells(err error, code int) bool {
	var verdict driver.ServerError
	return errors.As(err, &verdict) && verdict.HasErrorCode(code)
}

// violated is how the server says which index refuses a document, with the
// command in front. Behind it are values of the document, which may look like it.
var violated = regexp.MustCompile(`E11000 duplicate key error collection: \S+ index: (\S+) dup key`)

// taken is the TakenError of a change that an index refuses. Where the server
// does not say which index, and a document was to be added, its values tell.
func (ds Data) taken(ctx context.Context, c *data.Collection, d *data.Document, refusal error) error {
	e := &data.TakenError{Collection: c.Name, Fields: []string{data.ID}}
	var unique []data.Index
	for _, x := range c.Indexes {
		if x.Unique {
			unique = append(unique, x)
		}
	}
	if name := refusing(refusal); name != "" {
		for _, x := range unique {
			if strings.HasSuffix(name, "_"+named(x)) {
				e.Fields = x.Fields
			}
		}
		return e
	}
	if d == nil {
		return failed("changing a document of "+c.Name, refusal)
	}
	for _, x := range unique {
		filter := where(not("_id", d.ID))
		for _, path := range x.Fields {
			v, err := scalar(data.Value(c, *d, path))
			if err != nil { // it is not there, so that the index is not what refuses
				filter = append(never(), filter...)
				break
			}
			filter = append(filter, is(place(path), v))
		}
		n, err := ds.of(c).CountDocuments(ctx, filter, options.Count().SetLimit(1))
		if err != nil {
			return failed("finding out what is taken in "+c.Name, err)
		}
		if n > 0 {
			e.Fields = x.Fields
		}
	}
	return e
}

// refusing is the name of the index for which the server refuses a change, or ""
// where it does not say.
func refusing(err error) string {
	if m := violated.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return ""
}
