package apikey

import (
	"context"
	"strconv"

	"sluice/nodes/audit"
)

// Amend changes a key and records it in rec.
func Amend(ctx context.Context, s Store, rec *audit.Recorder, w Which, c Change) (k Key, err error) {
	e := audit.Event{Kind: audit.KeyChanged, Subject: w.ID, Details: map[string]string{}}
	if c.Name != nil {
		e.Details["changed"] = "name"
	}
	if c.Suspended != nil {
		e.Details["suspended"] = strconv.FormatBool(*c.Suspended)
	}
	err = rec.Do(ctx, e, func(ctx context.Context) (err error) {
		k, err = s.Update(ctx, w, c)
		return err
	})
	return k, err
}

// End ends a key and records it in rec.
func End(ctx context.Context, s Store, rec *audit.Recorder, w Which) error {
	return rec.Do(ctx, audit.Event{Kind: audit.KeyEnded, Subject: w.ID}, func(ctx context.Context) error { return s.End(ctx, w) })
}
