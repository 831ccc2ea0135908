package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"sluice/nodes/data"
)

// writeDocuments writes documents until the process is killed. Each counts its
// changes in its stock, and every third is removed in the end.
func writeDocuments(ctx context.Context, s data.Store, say func(verb, what string, err error)) {
	c := items()
	for i := 0; ; i++ {
		d := data.Document{ID: rand.Text(), Version: 1, Body: []byte(`{"stock":1}`)}
		say("document", d.ID+" 1", s.Create(ctx, c, d))
		for range 3 {
			got, err := s.Update(ctx, c, data.Target{ID: d.ID}, data.Change{Inc: []data.Inc{{Path: "stock", By: int64(1)}}}, time.Now())
			say("document", fmt.Sprint(d.ID, " ", got.Version), err)
		}
		if i%3 == 0 {
			say("removing", d.ID, nil)
			say("removed", d.ID, s.Delete(ctx, c, data.Target{ID: d.ID}))
		}
	}
}

func (j *journal) noteDocument(verb, id, version string) {
	switch verb {
	case "document":
		j.versions[id], _ = strconv.ParseInt(version, 10, 64) // the child wrote a number
	case "removing":
		j.versions[id] = 0
	case "removed":
		j.versions[id] = -1
	}
}

// checkDocuments compares documents with what was acknowledged. Each is whole:
// its stock is its version.
func (j *journal) checkDocuments(t *testing.T, s data.Store) (checked int) {
	t.Helper()
	for id, version := range j.versions {
		d, err := s.Get(t.Context(), items(), id, data.Filter{})
		checked++
		switch {
		case version < 0 && !errors.Is(err, data.ErrNotFound):
			t.Errorf("Get(%s) = %v, want %v: its removal was acknowledged", id, err, data.ErrNotFound)
		case version > 0 && (err != nil || d.Version < version):
			t.Errorf("Get(%s) = version %d, %v, want %d at least", id, d.Version, err, version)
		case err == nil && string(d.Body) != fmt.Sprintf(`{"stock":%d}`, d.Version):
			t.Errorf("Get(%s) = %s in version %d, want them the same", id, d.Body, d.Version)
		}
	}
	return checked
}
