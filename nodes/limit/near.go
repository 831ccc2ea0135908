package limit

import (
	"context"
	"sync"
	"time"
)

var _ Store = (*Near)(nil)

const (
	// trust is for how long a refusal is given again without asking.
	trust = time.Second
	// pause is for how long a database that did not answer is left alone.
	pause = time.Second
)

// A Near store stands before one that is far away. It remembers refusals for a
// second, so that whoever goes on calling after the limit costs no round trip,
// and counts by itself while the far store does not answer: then each process
// has an allowance of its own, which is more than was meant and less than none
// at all or anything at all.
type Near struct {
	far   Store
	local *Table
	most  int

	mu      sync.Mutex
	refused map[Key]refusal // guarded by mu
	down    time.Time       // until when far is left alone; guarded by mu
}

// A refusal is what the far store said.
type refusal struct {
	retry   time.Time // when one more is allowed
	trusted time.Time // until when that is believed
}

// NewNear makes a store before another one. It keeps at most so many counters
// and refusals.
func NewNear(far Store, most int) *Near {
	return &Near{far: far, local: NewTable(most), most: most, refused: map[Key]refusal{}}
}

func (n *Near) Take(ctx context.Context, k Key, r Rate, now time.Time) (Taken, error) {
	if retry, ok := n.known(k, now); ok {
		return Taken{Used: r.Count, Wait: retry.Sub(now)}, nil
	}
	var t Taken
	err := n.try(ctx, now, func(s Store) (err error) {
		t, err = s.Take(ctx, k, r, now)
		return err
	})
	if t.Wait > 0 {
		n.remember(k, refusal{now.Add(t.Wait), now.Add(min(t.Wait, trust))}, now)
	}
	return t, err
}

func (n *Near) Give(ctx context.Context, k Key, r Rate, now time.Time) error {
	n.unlearn(k)
	return n.try(ctx, now, func(s Store) error { return s.Give(ctx, k, r, now) })
}

func (n *Near) Until(ctx context.Context, k Key, now time.Time) (until time.Time, err error) {
	err = n.try(ctx, now, func(s Store) (err error) {
		until, err = s.Until(ctx, k, now)
		return err
	})
	return until, err
}

func (n *Near) Set(ctx context.Context, k Key, until, now time.Time) error {
	n.unlearn(k)
	return n.try(ctx, now, func(s Store) error { return s.Set(ctx, k, until, now) })
}

// try asks the far store, or the local one while the far one is away.
func (n *Near) try(ctx context.Context, now time.Time, f func(Store) error) error {
	n.mu.Lock()
	down := now.Before(n.down)
	n.mu.Unlock()
	if down {
		return f(n.local)
	}
	err := f(n.far)
	if err == nil || ctx.Err() != nil {
		return err
	}
	n.mu.Lock()
	n.down = now.Add(pause)
	n.mu.Unlock()
	return f(n.local)
}

// known returns when one more is allowed, where that is known.
func (n *Near) known(k Key, now time.Time) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, ok := n.refused[k]
	if ok && !now.Before(r.trusted) {
		delete(n.refused, k)
		return time.Time{}, false
	}
	return r.retry, ok
}

func (n *Near) remember(k Key, r refusal, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	looked := 0
	for other, o := range n.refused {
		if len(n.refused) >= n.most || !now.Before(o.trusted) {
			delete(n.refused, other)
		}
		if looked++; looked == sampled {
			break
		}
	}
	n.refused[k] = r
}

func (n *Near) unlearn(k Key) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.refused, k)
}
