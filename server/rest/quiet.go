package rest

import (
	"sync"
	"time"
)

// quiet lets one line a second through for each route, so that a flood of
// refused calls does not become a flood of lines. Lines of bugs do not pass here.
type quiet struct {
	mu    sync.Mutex
	heard map[string]*heard // by route; guarded by mu
}

type heard struct {
	at   time.Time
	left int // out since then
}

// say tells whether a line of a route is to be written now, and how many were
// left out since the last one.
func (q *quiet) say(route string, now time.Time) (left int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.heard[route]
	if h == nil {
		if q.heard == nil {
			q.heard = map[string]*heard{}
		}
		h = &heard{}
		q.heard[route] = h
	}
	if now.Sub(h.at) < time.Second {
		h.left++
		return 0, false
	}
	left = h.left
	h.at, h.left = now, 0
	return left, true
}
