package endpoint

import (
	"context"
	"sync"
	"time"
)

// A deadline is a context that ends at a time. Unlike context.WithDeadline it
// starts no timer until somebody waits for it: most requests are over before.
type deadline struct {
	context.Context
	at time.Time

	mu   sync.Mutex
	done context.Context // made by the first Done; nil until then
	end  context.CancelFunc
}

func deadlineIn(parent context.Context, at time.Time) *deadline {
	return &deadline{Context: parent, at: at}
}

func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

func (d *deadline) Err() error {
	if err := d.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		d.done, d.end = context.WithDeadline(d.Context, d.at)
	}
	return d.done.Done()
}

// stop releases the timer, where there is one.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end != nil {
		d.end()
	}
}
