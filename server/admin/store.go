package admin

import (
	"context"
	"io"

	"sluice/nodes/audit"
	"sluice/server/store/health"
	"sluice/server/store/transfer"
)

// Nothing is the input of commands that take none.
type Nothing struct{}

func (d *Desk) check(ctx context.Context, _ Nothing) ([]health.Finding, error) {
	return d.Check(ctx), nil
}

// backup writes a backup, see package transfer.
func (d *Desk) backup(ctx context.Context, in []byte, out io.Writer) error {
	if err := read(in, &Nothing{}); err != nil {
		return err
	}
	// A store that can only be read is one to save, and whoever may do this can
	// copy the files as well: that an event is not there, which the log of the
	// server tells, is no reason to refuse.
	_ = d.Stores.Recorder.Note(ctx, audit.Event{Kind: audit.DataExported})
	_, err := transfer.Write(ctx, out, d.Stores.Records, transfer.Head{Version: d.Version, Store: d.Kind})
	return err
}
