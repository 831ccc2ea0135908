package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/nodes/data"
)

var _ data.Store = (*documents)(nil)

// documents are a store of documents in memory.
type documents struct {
	mu       sync.Mutex
	unique   map[string][]data.Index             // by collection; guarded by mu
	kept     map[string]map[string]data.Document // by collection and id; guarded by mu. No body in it ever changes
	declared map[string]*data.Collection         // by name, those of before, too; guarded by mu. No declaration in it ever changes
}

// lock locks the documents unless the context has ended.
func (ds *documents) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ds.mu.Lock()
	return nil
}

func (ds *documents) Prepare(ctx context.Context, all []*data.Collection) error {
	if err := ds.lock(ctx); err != nil {
		return err
	}
	defer ds.mu.Unlock()
	unique := map[string][]data.Index{}
	for _, c := range all {
		if err := c.Check(); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
		for _, x := range c.Indexes {
			if !x.Unique {
				continue
			}
			for _, d := range ds.kept[c.Name] {
				if ds.twin(c, x, d) {
					return fmt.Errorf("preparing: %w", &data.TakenError{Collection: c.Name, Fields: x.Fields})
				}
			}
			unique[c.Name] = append(unique[c.Name], x)
		}
	}
	for _, c := range all {
		if ds.kept[c.Name] == nil {
			ds.kept[c.Name] = map[string]data.Document{}
		}
	}
	ds.unique = unique
	ds.remember(all)
	return nil
}

// twin tells whether another document has all the values that d has in a unique index.
func (ds *documents) twin(c *data.Collection, x data.Index, d data.Document) bool {
	same := data.Filter{}
	for _, path := range x.Fields {
		v := data.Value(c, d, path)
		if v == nil {
			return false
		}
		same.Of = append(same.Of, data.Filter{Op: data.Eq, Path: path, Value: v})
	}
	for id, other := range ds.kept[c.Name] {
		if id != d.ID && data.Match(other, same) {
			return true
		}
	}
	return false
}

func (ds *documents) Get(ctx context.Context, c *data.Collection, id string, scope data.Filter) (data.Document, error) {
	if err := ds.lock(ctx); err != nil {
		return data.Document{}, err
	}
	defer ds.mu.Unlock()
	return ds.admitted(c, data.Target{ID: id, Scope: scope})
}

// admitted returns the document of a target whose conditions hold.
func (ds *documents) admitted(c *data.Collection, t data.Target) (data.Document, error) {
	d, ok := ds.kept[c.Name][t.ID]
	if !ok {
		return data.Document{}, data.ErrNotFound
	}
	if err := t.Admit(d); err != nil {
		return data.Document{}, err
	}
	return copied(d), nil
}

// copied returns a document that shares nothing with d.
func copied(d data.Document) data.Document {
	d.Body = bytes.Clone(d.Body)
	return d
}

func (ds *documents) Find(ctx context.Context, c *data.Collection, q data.Query) ([]data.Document, error) {
	if len(q.After) != 0 && len(q.After) != len(q.Sort)+1 {
		return nil, errors.New("finding documents: a position has a value for each sort, and the id")
	}
	if err := ds.lock(ctx); err != nil {
		return nil, err
	}
	defer ds.mu.Unlock()
	type place struct {
		data.Document
		keys []any
	}
	var found []place
	for _, d := range ds.kept[c.Name] {
		if !data.Match(d, q.Filter) {
			continue
		}
		keys := data.Keys(c, q.Sort, d)
		if len(q.After) == 0 || data.CompareKeys(q.Sort, keys, q.After) > 0 {
			found = append(found, place{d, keys})
		}
	}
	slices.SortFunc(found, func(a, b place) int { return data.CompareKeys(q.Sort, a.keys, b.keys) })
	page := make([]data.Document, min(len(found), max(q.Limit, 0)))
	for i := range page {
		page[i] = copied(found[i].Document)
	}
	return page, nil
}

func (ds *documents) Count(ctx context.Context, c *data.Collection, f data.Filter, most int) (n int, err error) {
	if err := ds.lock(ctx); err != nil {
		return 0, err
	}
	defer ds.mu.Unlock()
	for _, d := range ds.kept[c.Name] {
		if data.Match(d, f) {
			n++
		}
	}
	return min(n, most), nil
}

func (ds *documents) Create(ctx context.Context, c *data.Collection, d data.Document) error {
	if err := ds.lock(ctx); err != nil {
		return err
	}
	defer ds.mu.Unlock()
	return ds.create(c, d)
}

func (ds *documents) create(c *data.Collection, d data.Document) error {
	if _, ok := ds.kept[c.Name][d.ID]; ok {
		return &data.TakenError{Collection: c.Name, Fields: []string{data.ID}}
	}
	return ds.keep(c, d)
}

// keep keeps a document unless another one has its unique values.
func (ds *documents) keep(c *data.Collection, d data.Document) error {
	for _, x := range ds.unique[c.Name] {
		if ds.twin(c, x, d) {
			return &data.TakenError{Collection: c.Name, Fields: x.Fields}
		}
	}
	if ds.kept[c.Name] == nil {
		return fmt.Errorf("collection %s was never prepared", c.Name)
	}
	ds.kept[c.Name][d.ID] = copied(d)
	return nil
}

func (ds *documents) Update(ctx context.Context, c *data.Collection, t data.Target, change data.Change, now time.Time) (data.Document, error) {
	if err := ds.lock(ctx); err != nil {
		return data.Document{}, err
	}
	defer ds.mu.Unlock()
	return ds.update(c, t, change, now)
}

func (ds *documents) update(c *data.Collection, t data.Target, change data.Change, now time.Time) (data.Document, error) {
	d, err := ds.admitted(c, t)
	if err != nil {
		return data.Document{}, err
	}
	if d, err = data.Apply(d, change, now); err != nil {
		return data.Document{}, err
	}
	if err := ds.keep(c, d); err != nil {
		return data.Document{}, err
	}
	return d, nil
}

func (ds *documents) Delete(ctx context.Context, c *data.Collection, t data.Target) error {
	if err := ds.lock(ctx); err != nil {
		return err
	}
	defer ds.mu.Unlock()
	_, err := ds.remove(c, t)
	return err
}

func (ds *documents) remove(c *data.Collection, t data.Target) (data.Document, error) {
	d, err := ds.admitted(c, t)
	if err != nil {
		return data.Document{}, err
	}
	delete(ds.kept[c.Name], t.ID)
	d.Body = nil
	return d, nil
}

func (ds *documents) Write(ctx context.Context, writes []data.Write, now time.Time) ([]data.Document, error) {
	if len(writes) > data.MaxWrites {
		return nil, fmt.Errorf("%d changes together, at most %d can be", len(writes), data.MaxWrites)
	}
	if err := ds.lock(ctx); err != nil {
		return nil, err
	}
	defer ds.mu.Unlock()
	before := map[string]map[string]data.Document{}
	for name, kept := range ds.kept {
		before[name] = maps.Clone(kept)
	}
	done := make([]data.Document, len(writes))
	for i, w := range writes {
		var err error
		switch {
		case w.Create != nil:
			done[i], err = copied(*w.Create), ds.create(w.Collection, *w.Create)
		case w.Change != nil:
			done[i], err = ds.update(w.Collection, w.Target, *w.Change, now)
		default:
			done[i], err = ds.remove(w.Collection, w.Target)
		}
		if err != nil {
			ds.kept = before
			return nil, &data.WriteError{At: i, Err: err}
		}
	}
	return done, nil
}

func (ds *documents) Atomic() bool { return true }
