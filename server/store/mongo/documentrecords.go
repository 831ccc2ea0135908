package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/engine"
	"sluice/nodes/data"
	"sluice/nodes/record"
	"sluice/server/store/health"
)

// restKey is where a document has what an import brought along that fits none
// of the fields, as JSON. Only an export reads it.
const restKey = "x"

// bytesOfDocuments is how many bytes of documents go in one write, or little more.
const bytesOfDocuments = 16 << 20

// A declaration says what a collection of documents is, and was.
type declaration struct {
	Name string `bson:"_id"`
	Text string `bson:"text"` // record of it
}

// remember notes what collections are, and that others have no indexes any more.
func (db *DB) remember(ctx context.Context, all []*data.Collection) error {
	before, err := db.remembered(ctx)
	if err != nil {
		return err
	}
	now := map[string]*data.Collection{}
	for _, b := range before {
		former := *b
		former.Indexes = nil
		now[b.Name] = &former
	}
	for _, c := range all {
		now[c.Name] = c.WithFormer(now[c.Name])
	}
	for _, c := range now {
		line, err := record.Encode(record.CollectionOf(c))
		if err != nil {
			return err
		}
		set := bson.M{"$set": bson.M{"text": string(line)}}
		if _, err := db.declarations.UpdateOne(ctx, where(is("_id", c.Name)), set, options.UpdateOne().SetUpsert(true)); err != nil {
			return failed("noting what "+c.Name+" is", err)
		}
	}
	return nil
}

// remembered returns the declarations of all collections, by name.
func (db *DB) remembered(ctx context.Context) (all []*data.Collection, err error) {
	o := options.Find().SetSort(bson.D{{Key: "_id", Value: 1}})
	return all, each(ctx, settled(db.declarations), where(), o, func(d *declaration) error {
		c, err := record.ReadCollection([]byte(d.Text))
		all = append(all, c)
		return err
	})
}

// shelf is where the documents of a collection are.
func (db *DB) shelf(collection string) *driver.Collection {
	return db.users.Database().Collection(prefix + collection)
}

// ofDocuments returns all collections of documents that are there.
func (db *DB) ofDocuments(ctx context.Context) (all []*driver.Collection, err error) {
	names, err := db.collections(ctx)
	for _, name := range names {
		if of, ok := strings.CutPrefix(name, prefix); ok {
			all = append(all, db.shelf(of))
		}
	}
	return all, err
}

// exportDocuments yields each collection and its documents, a page at a time.
func (db *DB) exportDocuments(ctx context.Context, yield func(record.Record) error) error {
	all, err := db.remembered(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := yield(record.CollectionOf(c)); err != nil {
			return err
		}
		filter, page := where(), options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(pageOfRest)
		for {
			n, last := 0, ""
			err := each(ctx, settled(db.shelf(c.Name)), filter, page, func(p *rawDocument) error {
				r, err := p.record(c)
				if err != nil {
					return err
				}
				n, last = n+1, r.ID
				return yield(r)
			})
			if err != nil {
				return err
			}
			if n < pageOfRest {
				break
			}
			filter = where(above("_id", last))
		}
	}
	return nil
}

// A rawDocument is one as the database has it.
type rawDocument struct{ bson.Raw }

// UnmarshalBSON keeps what is there.
func (p *rawDocument) UnmarshalBSON(raw []byte) error {
	p.Raw = slices.Clone(raw)
	return nil
}

func (p *rawDocument) record(c *data.Collection) (*record.Document, error) {
	d, err := documentIn(c, p.Raw)
	if err != nil {
		return nil, err
	}
	if rest, ok := p.Lookup(restKey).StringValueOK(); ok {
		if d.Body, err = data.Join(d.Body, []byte(rest)); err != nil {
			return nil, fmt.Errorf("reading a document of %s: %w", c.Name, err)
		}
	}
	return record.DocumentOf(c, d)
}

// declare takes the declaration of a collection.
func (in *intake) declare(ctx context.Context, r *record.Collection) error {
	if err := r.Check(); err != nil { // its name becomes one of the database's
		return fmt.Errorf("taking a collection: %w", err)
	}
	line, err := record.Encode(r)
	if err != nil {
		return err
	}
	_, err = in.db.declarations.InsertOne(ctx, &declaration{r.Name, string(line)})
	if driver.IsDuplicateKeyError(err) {
		return fmt.Errorf("taking a collection: %s is there already", r.Name)
	} else if err != nil {
		return failed("noting what "+r.Name+" is", err)
	}
	in.declared[r.Name] = r.Collection()
	return nil
}

// document takes a document, of which many go in one write.
func (in *intake) document(ctx context.Context, r *record.Document) error {
	c := in.declared[r.Collection]
	if c == nil {
		return fmt.Errorf("taking a document: its collection %.64q is missing", r.Collection)
	}
	d := r.Document()
	proper, rest, err := data.Split(c.Fields, d.Body)
	if err != nil {
		return fmt.Errorf("taking document %s of %s: %w", r.ID, r.Collection, err)
	}
	d.Body = proper
	made, err := rowOf(c, d)
	if err != nil {
		return fmt.Errorf("taking document %s of %s: %w", r.ID, r.Collection, err)
	}
	made.rest = rest
	raw, err := made.insert()
	if err != nil {
		return fmt.Errorf("encoding document %s of %s: %w", r.ID, r.Collection, err)
	}
	if in.of != r.Collection || in.bytes > bytesOfDocuments || len(in.documents) == pageOfRest {
		if err := in.flush(ctx); err != nil {
			return err
		}
	}
	in.of, in.documents, in.bytes = r.Collection, append(in.documents, raw), in.bytes+len(raw)
	return nil
}

// documentCounts tells how many documents each collection has, as far as the
// database remembers that.
func (db *DB) documentCounts(ctx context.Context) (map[string]int, error) {
	all, err := db.remembered(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, c := range all {
		n, err := db.shelf(c.Name).EstimatedDocumentCount(ctx)
		if e := (driver.CommandError{}); errors.As(err, &e) && e.HasErrorCode(noNamespace) {
			n, err = 0, nil
		}
		if err != nil {
			return nil, fmt.Errorf("counting documents of %s: %w: %w", c.Name, engine.ErrUnavailable, err)
		}
		counts[c.Name] = int(n)
	}
	return counts, nil
}

// checkDocuments looks whether indexes are as they were declared last.
func (db *DB) checkDocuments(ctx context.Context) health.Finding {
	counts, err := db.documentCounts(ctx)
	if err == nil {
		var missing []string
		if missing, err = db.missingIndexes(ctx); err == nil {
			return health.Collections(counts, missing)
		}
	}
	return health.Bad("documents", "Look at the log of the database, and at the indexes of its collections.", "Looking at the collections of documents: %v", err)
}

func (db *DB) missingIndexes(ctx context.Context) (missing []string, err error) {
	all, err := db.remembered(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if len(c.Indexes) == 0 {
			continue // one that is not declared any more has none
		}
		for _, x := range (Data{db}).indexesOf(c) {
			there, err := x.there(ctx)
			if err == nil && !there && x.partial { // on a server without partial indexes
				x.partial, x.name = false, full+strings.TrimPrefix(x.name, unique)
				there, err = x.there(ctx)
			}
			if err != nil {
				return nil, err
			}
			if !there {
				missing = append(missing, fmt.Sprintf("index %s of %s", x.name, c.Name))
			}
		}
	}
	return missing, nil
}
