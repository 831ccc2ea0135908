// Package transfer moves all that one store holds into another, at once or by a
// file in between, and proves that it arrived.
//
// A backup is a gzip file of JSON lines: a head that says what wrote it, a
// [record.Record] a line, and an end with counts and the SHA-256 of all that
// stands before it. It says nothing of the store that it comes from, so that a
// backup of SQLite can be restored into MongoDB. It holds the hashes of passwords
// and of tokens: keep it as the store itself.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"sluice/nodes/record"
)

// Sentinels of a transfer that was made, and went wrong.
var (
	// ErrDiffers says that a store does not hold what it was given.
	ErrDiffers = errors.New("the store does not hold what it was given")
	// ErrMoved says that the source was written to while it was read.
	ErrMoved = errors.New("the source changed while it was copied")
)

// Options of a transfer.
type Options struct {
	Replace bool        // delete what the target holds, in place of refusing it
	Seen    func(n int) // is told how many records went by; may be nil
}

// Copy moves all that from holds into to, and compares both with what went by.
// It returns what to holds, or record.ErrNotEmpty, [ErrDiffers] or [ErrMoved].
func Copy(ctx context.Context, from, to record.Store, o Options) (Tally, error) {
	now := time.Now()
	moved, err := fill(ctx, to, record.All(ctx, from, now), now, o)
	if err != nil {
		return moved, err
	}
	still, err := Take(ctx, from, now)
	if err != nil {
		return moved, fmt.Errorf("reading the source again: %w", err)
	}
	if !still.Same(moved) {
		return moved, fmt.Errorf("%w: %v were copied, now it has %v", ErrMoved, moved, still)
	}
	return moved, nil
}

// fill imports records and compares what the store then holds with them. What
// expired before now does not count.
func fill(ctx context.Context, to record.Store, records iter.Seq2[record.Record, error], now time.Time, o Options) (Tally, error) {
	c := newCounter()
	if err := to.Import(ctx, watched(records, c, o.Seen), o.Replace); err != nil {
		return Tally{}, fmt.Errorf("filling the store: %w", err)
	}
	moved := c.tally()
	there, err := Take(ctx, to, now)
	if err != nil {
		return moved, fmt.Errorf("reading what the store holds now: %w", err)
	}
	if !there.Same(moved) {
		return moved, fmt.Errorf("%w: it was given %v and has %v", ErrDiffers, moved, there)
	}
	return moved, nil
}

// Take makes the tally of all that a store holds at now.
func Take(ctx context.Context, s record.Store, now time.Time) (Tally, error) {
	c := newCounter()
	for _, err := range watched(record.All(ctx, s, now), c, nil) {
		if err != nil {
			return Tally{}, err
		}
	}
	return c.tally(), nil
}
