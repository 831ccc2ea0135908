package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"sluice/engine"
)

// Bounds of an outbox.
const (
	maxJobs    = 4000 // that wait; one more is refused
	maxWorkers = 16
	jobTimeout = time.Minute // of each try

	// settle is how old a job is before it is done, up to twice of it: whoever asked
	// has the answer by then, and cannot tell by its time what there was to do.
	settle = 25 * time.Millisecond
)

// pauses are the times between the tries of a job that may work later.
var pauses = [...]time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}

// An Outbox is a queue in memory. What waits in it when the process dies is
// lost: its owner asks for another mail.
type Outbox struct {
	log  *slog.Logger
	done sync.WaitGroup
	base context.Context // of every job; ends when closing gives up waiting
	stop context.CancelFunc

	mu      sync.RWMutex
	jobs    chan waiting // sent to and closed under mu
	closed  bool         // guarded by mu
	closing chan struct{}
}

// A waiting job is one that is done from a moment on.
type waiting struct {
	do   func(context.Context) error
	from time.Time
}

var _ Queue = (*Outbox)(nil)

// NewOutbox starts an outbox, which tells log of jobs that come to nothing. Close it.
func NewOutbox(log *slog.Logger) *Outbox {
	o := &Outbox{log: log, jobs: make(chan waiting, maxJobs), closing: make(chan struct{})}
	o.base, o.stop = context.WithCancel(context.Background())
	for range maxWorkers {
		o.done.Go(o.work)
	}
	return o
}

// Add has a job done, unless too many wait or the outbox is closed.
func (o *Outbox) Add(job func(context.Context) error) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.closed {
		return false
	}
	select {
	case o.jobs <- waiting{job, time.Now().Add(settle + rand.N(settle))}:
		return true
	default:
		return false
	}
}

func (o *Outbox) work() {
	for w := range o.jobs {
		select {
		case <-time.After(time.Until(w.from)):
		case <-o.closing:
		}
		if err := o.try(w.do); err != nil {
			o.log.Error("mail is not sent", "error", err)
		}
	}
}

// try does a job, a few times where it may work later. A job that the outbox
// closes over gets no second chance.
func (o *Outbox) try(job func(context.Context) error) error {
	for _, pause := range pauses {
		err := o.once(job)
		if !errors.Is(err, engine.ErrUnavailable) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-o.closing:
			return err
		}
	}
	return o.once(job)
}

func (o *Outbox) once(job func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(o.base, jobTimeout)
	defer cancel()
	return job(ctx)
}

// Close refuses further jobs and waits for those that are there, until ctx ends.
func (o *Outbox) Close(ctx context.Context) {
	o.mu.Lock()
	if !o.closed {
		o.closed = true
		close(o.closing)
		close(o.jobs)
	}
	o.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.done.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	o.stop()
	<-done
}
