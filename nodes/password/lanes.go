package password

import (
	"sync"
	"time"
)

// idleMemory is after how long without a hash the memory of lanes goes back to
// the system.
const idleMemory = time.Minute

// lanes are pieces of memory to hash in, as many as hash at once. Each is used
// again by the next hash, so that hashing leaves nothing for the collector, and
// is outside of the Go heap where the system allows that, as the collector
// would let the heap grow by as much again.
type lanes struct {
	idle time.Duration // idleMemory but in tests

	mu      sync.Mutex
	free    []*lane // the one used last is the last; guarded by mu
	sweeper *time.Timer
}

// A lane is memory of one hash at a time.
type lane struct {
	blocks []block // all zero while nobody uses the lane
	used   time.Time
	unmap  func()
}

func newLanes(idle time.Duration) *lanes { return &lanes{idle: idle} }

// borrow returns a lane of n blocks, all zero, for the caller to give back.
// Where the system has none to give, it comes from the heap.
func (l *lanes) borrow(n int) *lane {
	l.mu.Lock()
	for i := len(l.free) - 1; i >= 0; i-- {
		if found := l.free[i]; len(found.blocks) == n {
			l.free = append(l.free[:i], l.free[i+1:]...)
			l.mu.Unlock()
			return found
		}
	}
	l.mu.Unlock()
	blocks, unmap := mapBlocks(n)
	return &lane{blocks: blocks, unmap: unmap}
}

// giveBack wipes a lane, so that nothing of a password stays in memory, and keeps
// it for the next hash.
func (l *lanes) giveBack(back *lane) {
	clear(back.blocks)
	l.mu.Lock()
	defer l.mu.Unlock()
	back.used = time.Now()
	l.free = append(l.free, back)
	if l.sweeper == nil {
		l.sweeper = time.AfterFunc(l.idle, l.sweep)
	}
}

// sweep gives the memory of lanes that were not used lately back to the system.
func (l *lanes) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := time.Now().Add(-l.idle)
	kept := l.free[:0]
	for _, free := range l.free {
		if free.used.After(before) {
			kept = append(kept, free)
		} else {
			free.unmap()
		}
	}
	clear(l.free[len(kept):])
	l.free, l.sweeper = kept, nil
	if len(kept) > 0 {
		l.sweeper = time.AfterFunc(kept[0].used.Sub(before), l.sweep)
	}
}
