package memory

import (
	"fmt"
	"maps"
	"slices"

	"sluice/nodes/data"
	"sluice/nodes/record"
)

// remember notes what collections are, and that others have no indexes. It is
// called with mu held.
func (ds *documents) remember(all []*data.Collection) {
	for name, c := range ds.declared {
		former := *c
		former.Indexes = nil
		ds.declared[name] = &former
	}
	for _, c := range all {
		ds.declared[c.Name] = c.WithFormer(ds.declared[c.Name])
	}
}

func (ds *documents) records() (all []record.Record, err error) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(ds.declared)) {
		c := ds.declared[name]
		all = append(all, record.CollectionOf(c))
		for _, d := range ds.kept[name] {
			r, err := record.DocumentOf(c, d)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// put takes a record of a collection or a document, and tells whether it is one.
func (ds *documents) put(r record.Record) (bool, error) {
	switch r := r.(type) {
	case *record.Collection:
		if err := r.Check(); err != nil {
			return true, err
		}
		if ds.declared[r.Name] != nil {
			return true, fmt.Errorf("collection %s is there already", r.Name)
		}
		ds.declared[r.Name], ds.kept[r.Name] = r.Collection(), map[string]data.Document{}
		return true, nil
	case *record.Document:
		of := ds.kept[r.Collection]
		if _, there := of[r.ID]; there || of == nil {
			return true, fmt.Errorf("document %s of %s is there already, or its collection is missing", r.ID, r.Collection)
		}
		of[r.ID] = r.Document()
		return true, nil
	}
	return false, nil
}

// become takes over what is in next. Indexes are there once Prepare has made them.
func (ds *documents) become(next *documents) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	ds.kept, ds.declared, ds.unique = next.kept, next.declared, nil
}

// count is how many documents there are.
func (ds *documents) count() (n int) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for _, of := range ds.kept {
		n += len(of)
	}
	return n
}

// collections is how many declarations there are.
func (ds *documents) collections() int {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return len(ds.declared)
}
