package mongo

import (
	"context"
	"sync"
	"time"

	"sluice/nodes/session"
)

// Bounds of the uses that wait to be noted.
const (
	touchers   = 8   // goroutines that note them
	maxTouches = 512 // that wait for each; one more is forgotten
)

// A use of a session, or of an API key.
type use struct {
	hash session.Hash
	at   time.Time
	key  bool
}

// touches note uses of sessions one after the other, those of one session in
// their order. What cannot be noted is forgotten, which only shortens the life
// of a session that is not used again.
type touches struct {
	queues  [touchers]chan use
	closing chan struct{}
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

func newTouches(note func(context.Context, use) error) *touches {
	ctx, stop := context.WithCancel(context.Background())
	t := &touches{closing: make(chan struct{}), stop: stop}
	for i := range t.queues {
		t.queues[i] = make(chan use, maxTouches)
		t.stopped.Go(func() { t.work(ctx, t.queues[i], note) })
	}
	return t
}

func (t *touches) work(ctx context.Context, queue chan use, note func(context.Context, use) error) {
	for {
		select {
		case u := <-queue:
			_ = note(ctx, u) // see touches
		case <-t.closing:
			for {
				select {
				case u := <-queue:
					_ = note(ctx, u)
				default:
					return
				}
			}
		}
	}
}

func (t *touches) add(u use) {
	select {
	case t.queues[u.hash[0]%touchers] <- u:
	default:
	}
}

// close notes what waits, but gives up after the time of a call.
func (t *touches) close() {
	close(t.closing)
	late := time.AfterFunc(budget, t.stop)
	t.stopped.Wait()
	late.Stop()
	t.stop()
}
