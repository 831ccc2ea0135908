package limit

import (
	"context"
	"sync"
	"time"
)

var _ Store = (*Table)(nil)

// sampled is how many counters are looked at to find one to forget.
const sampled = 8

// A Table is a store in memory, of a bounded number of counters. Where more are
// wanted it forgets, of a few picked by chance, the one that is whole again
// first: those who are close to their limit stay, however many others come.
type Table struct {
	most int

	mu    sync.Mutex
	until map[Key]int64 // nanoseconds since 1970; guarded by mu

	// Changed, if not nil, is called with every new time of a counter, and Lost
	// with every counter that was forgotten before its time. Both are called under
	// the table's lock and set before the first use.
	Changed, Lost func(k Key, until int64)
}

// NewTable makes a table of at most so many counters, a hundred thousand of which
// take about 5 MB.
func NewTable(most int) *Table { return &Table{most: max(1, most), until: map[Key]int64{}} }

// Len returns how many counters the table keeps.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.until)
}

// Has tells whether a counter is in the table.
func (t *Table) Has(k Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.until[k]
	return ok
}

// Load adds what is known of a counter from elsewhere; the later time counts. It
// calls Lost where another counter has to go, but not Changed.
func (t *Table) Load(k Key, until, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until > now && until > t.until[k] {
		t.put(k, until, now)
	}
}

func (t *Table) Take(ctx context.Context, k Key, r Rate, now time.Time) (Taken, error) {
	if err := ctx.Err(); err != nil {
		return Taken{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next, taken := r.Next(t.until[k], now.UnixNano())
	if taken.Wait == 0 {
		t.change(k, next, now.UnixNano())
	}
	return taken, nil
}

func (t *Table) Give(ctx context.Context, k Key, r Rate, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.until[k]; ok {
		t.change(k, at-int64(r.Step()), now.UnixNano())
	}
	return nil
}

func (t *Table) Until(ctx context.Context, k Key, now time.Time) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.until[k]; ok {
		return time.Unix(0, at), nil
	}
	return now, nil
}

func (t *Table) Set(ctx context.Context, k Key, until, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := now.UnixNano()
	if until.After(now) {
		at = until.UnixNano()
	}
	if _, ok := t.until[k]; ok || at > now.UnixNano() {
		t.change(k, at, now.UnixNano())
	}
	return nil
}

// change gives a counter a new time. mu is held.
func (t *Table) change(k Key, until, now int64) {
	if until > now {
		t.put(k, until, now)
	} else {
		delete(t.until, k)
	}
	if t.Changed != nil {
		t.Changed(k, until)
	}
}

// put keeps a counter. mu is held.
func (t *Table) put(k Key, until, now int64) {
	if _, ok := t.until[k]; !ok && len(t.until) >= t.most {
		t.forget(now)
	}
	t.until[k] = until
}

// forget drops a counter or, where they are there, several whose time has come.
// mu is held.
func (t *Table) forget(now int64) {
	var first Key
	var least int64
	looked := 0
	for k, at := range t.until {
		if at <= now {
			delete(t.until, k)
		} else if least == 0 || at < least {
			first, least = k, at
		}
		if looked++; looked == sampled {
			break
		}
	}
	if len(t.until) < t.most {
		return
	}
	delete(t.until, first)
	if t.Lost != nil {
		t.Lost(first, least)
	}
}
