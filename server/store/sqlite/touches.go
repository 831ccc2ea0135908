package sqlite

import (
	"slices"
	"sync"
	"time"

	"sluice/nodes/session"
)

// Bounds of uses that wait. What goes beyond them is forgotten when its session
// leaves the cache before the next use.
const (
	maxTouched = 1 << 16 // sessions
	maxUses    = 8       // of a session
)

// A use of a session, or several, between which the session is known to have
// been live all the time if it was so at the first.
type use struct {
	first, last time.Time
}

// touches are uses of sessions that memory knows of and the file not yet.
// Whoever reads a session from the file adds them.
type touches struct {
	mu      sync.Mutex
	waiting map[session.Hash][]use // in the order they came; what a slice leads to never changes; guarded by mu
	flushes int                    // how often some went to the file; guarded by mu
}

// A touched is a session with its uses that wait.
type touched struct {
	hash session.Hash
	uses []use
}

// add notes a use. Where the session is known to be live at that moment, it
// joins the use before it.
func (t *touches) add(h session.Hash, now time.Time, live bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	uses, ok := t.waiting[h]
	if !ok && len(t.waiting) == maxTouched {
		return
	}
	next := use{now, now}
	if n := len(uses) - 1; n >= 0 {
		switch {
		case !now.After(uses[n].last):
			return
		case live:
			next.first, uses = uses[n].first, uses[:n]
		case len(uses) == maxUses:
			return
		}
	}
	t.waiting[h] = append(slices.Clip(uses), next)
}

// of returns the uses of a session that wait. Take them before reading the
// session: afterwards they may have reached the file without being in what was
// read.
func (t *touches) of(h session.Hash) []use {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting[h]
}

// all returns all uses that wait.
func (t *touches) all() []touched {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]touched, 0, len(t.waiting))
	for h, uses := range t.waiting {
		all = append(all, touched{h, uses})
	}
	return all
}

// written forgets uses that are in the file now, except one that another joined
// meanwhile.
func (t *touches) written(some []touched) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flushes++
	for _, w := range some {
		n, uses := len(w.uses), t.waiting[w.hash]
		if uses[n-1] != w.uses[n-1] {
			n--
		}
		if n == len(uses) {
			delete(t.waiting, w.hash)
		} else {
			t.waiting[w.hash] = uses[n:]
		}
	}
}

// flushed returns how often uses went to the file.
func (t *touches) flushed() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flushes
}

// touch returns a session as it is after uses, each of which counts only if the
// session was live.
func touch(s *session.Session, uses ...use) *session.Session {
	for _, u := range uses {
		if s.Live(u.first) && u.last.After(s.LastSeenDtm) {
			s = s.Touched(u.last)
		}
	}
	return s
}
