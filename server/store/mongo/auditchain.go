package mongo

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/engine"
	"sluice/nodes/audit"
)

const (
	maxEvents = 1024        // that wait to be written; one more is refused
	maxInsert = 128         // events in one write
	noteEvery = time.Second // between two writes of the head
)

// A sealer is the goroutine that seals events and writes them in batches. Of a
// batch that fails it is not known how much is there, so that the next one begins
// another chain, whose first event names the head that is known to be.
type sealer struct {
	db      *DB
	queue   chan *unsealed
	closing chan struct{}
	stopped sync.WaitGroup

	// Of the goroutine alone, but for the keys.
	chain audit.Chain
	noted time.Time // when the head was written
	due   bool      // the head is not written

	broken audit.Head // of the chain before that broke, as far as it is known to be there

	past atomic.Pointer[audit.Keys] // that came by an import; what the pointer leads to never changes
	anew atomic.Bool                // an import took the place of the chain
}

// An unsealed event waits to be written.
type unsealed struct {
	event audit.Event
	left  atomic.Bool // whoever waited went away before it was taken, or the sealer took it
	done  chan error
}

func newSealer(db *DB, keys, past audit.Keys) *sealer {
	r := &sealer{db: db, queue: make(chan *unsealed, maxEvents), closing: make(chan struct{}), chain: audit.Chain{Keys: keys}}
	r.past.Store(&past)
	r.stopped.Go(r.work)
	return r
}

// append has an event written and returns it as it was sealed. Whoever leaves
// before it was taken gets an error, and the event is not written.
func (r *sealer) append(ctx context.Context, e audit.Event) (audit.Event, error) {
	p := &unsealed{event: e, done: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return e, fmt.Errorf("writing audit event: %w: %w", engine.ErrUnavailable, err)
	}
	select {
	case <-r.closing:
		return e, fmt.Errorf("writing audit event: %w: %w", engine.ErrUnavailable, errHungUp)
	case r.queue <- p:
	default:
		return e, fmt.Errorf("%w: too many audit events wait", engine.ErrUnavailable)
	}
	select {
	case err := <-p.done:
		return p.event, err
	case <-ctx.Done():
		if p.left.CompareAndSwap(false, true) {
			return e, fmt.Errorf("writing audit event: %w: %w", engine.ErrUnavailable, ctx.Err())
		}
		return p.event, <-p.done
	}
}

func (r *sealer) work() {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case p := <-r.queue:
			r.write(p)
		case <-tick.C:
			r.note()
		case <-r.closing:
			for {
				select {
				case p := <-r.queue:
					r.write(p)
					continue
				default:
				}
				r.note()
				return
			}
		}
	}
}

// write writes an event and those that wait behind it.
func (r *sealer) write(p *unsealed) {
	var batch []*unsealed
	for p != nil {
		if p.left.CompareAndSwap(false, true) {
			batch = append(batch, p)
		}
		p = nil
		if len(batch) < maxInsert {
			select {
			case p = <-r.queue:
			default:
			}
		}
	}
	if len(batch) == 0 {
		return
	}
	ctx, cancel := r.db.bound(context.Background())
	defer cancel()
	err := r.seal(ctx, batch)
	for _, p := range batch {
		p.done <- err
	}
	if time.Since(r.noted) >= noteEvery {
		r.note()
	}
}

// seal seals a batch and writes it, in front of it the beginning of the chain
// where it has none yet.
func (r *sealer) seal(ctx context.Context, batch []*unsealed) error {
	if r.anew.Swap(false) {
		r.chain.Head, r.broken, r.due = audit.Head{}, audit.Head{}, false
	}
	chain, now := r.chain, time.Now()
	var events []audit.Event
	if chain.Head.Seq == 0 {
		others, err := Events{r.db}.Heads(ctx)
		if err != nil {
			return err
		}
		if r.broken.Seq > 0 { // whose end nobody else knows as well
			others = append([]audit.Head{r.broken}, others...)
		}
		chain.Head = audit.Head{Chain: bson.NewObjectID().Hex(), At: now}
		if err := r.db.noteHead(ctx, chain.Head); err != nil {
			return err
		}
		events = append(events, chain.Seal(audit.BeganEvent(others), now))
	}
	for _, p := range batch {
		p.event = chain.Seal(p.event, now)
		events = append(events, p.event)
	}
	if err := r.db.insert(ctx, events); err != nil {
		if r.chain.Head.Seq > 0 {
			r.broken = r.chain.Head
		}
		r.chain.Head, r.due = audit.Head{}, false
		return err
	}
	r.chain.Head, r.due = chain.Head, true
	return nil
}

// note writes the head where it has moved. A failure leaves it for the next time.
func (r *sealer) note() {
	if !r.due || r.anew.Load() {
		return
	}
	ctx, cancel := r.db.bound(context.Background())
	defer cancel()
	r.noted = time.Now()
	if r.db.noteHead(ctx, r.chain.Head) == nil {
		r.due = false
	}
}

// close writes what waits.
func (r *sealer) close() {
	close(r.closing)
	r.stopped.Wait()
}
