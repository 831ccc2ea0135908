package sqlite

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/nodes/session"
)

// denials are ends of sessions that the disk would not take. The sessions are
// dead in this process all the same, until they end for good or the process does.
type denials struct {
	any   atomic.Bool // false spares readers the lock
	mu    sync.RWMutex
	hash  map[session.Hash]bool // guarded by mu
	users map[string][]denial   // by user id; guarded by mu
}

// A denial is an end of some sessions of a user that failed: of the one with an
// id, or of all but one that were there.
type denial struct {
	id, except string
	at         time.Time
}

// add denies what an end was to end.
func (d *denials) add(w session.Which, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.any.Store(true)
	if w.Hash != (session.Hash{}) {
		d.hash[w.Hash] = true
		return
	}
	same := func(o denial) bool { return o.id == w.ID && o.except == w.Except }
	d.users[w.UserID] = append(slices.DeleteFunc(d.users[w.UserID], same), denial{w.ID, w.Except, now})
}

// cover tells whether a session is denied.
func (d *denials) cover(h session.Hash, s *session.Session) bool {
	if !d.any.Load() {
		return false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.hash[h] || slices.ContainsFunc(d.users[s.UserID.ID], func(o denial) bool {
		if o.id != "" {
			return s.ID == o.id
		}
		return s.ID != o.except && !s.CreationDtm.After(o.at)
	})
}

// lift takes back what an end made needless that ended sessions for good.
func (d *denials) lift(w session.Which, ended []session.Hash) {
	if !d.any.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.hash, w.Hash)
	for _, h := range ended {
		delete(d.hash, h)
	}
	d.users[w.UserID] = slices.DeleteFunc(d.users[w.UserID], func(o denial) bool {
		return w.Except == "" && (w.ID == "" || w.ID == o.id)
	})
	if len(d.users[w.UserID]) == 0 {
		delete(d.users, w.UserID)
	}
	d.any.Store(len(d.hash)+len(d.users) > 0)
}
