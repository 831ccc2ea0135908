package endpoint

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/session"
)

// A deadline is a context that ends at a time. Unlike context.WithDeadline it
// starts no timer until somebody waits for it: most requests are over before. It
// also holds what audit events say of the request, as a context more would cost
// every request for what few need.
type deadline struct {
	context.Context
	at      time.Time
	flow    string           // file of the flow
	facts   *Facts           // set before anybody asks, as are session and key
	session *session.Session // nil without one
	key     *apikey.Key      // nil without one

	mu      sync.Mutex
	timed   atomic.Pointer[timed] // made by the first who waits; nil until then; written under mu
	request *audit.Request        // made by the first who asks; guarded by mu
}

// timed is a context with a timer.
type timed struct {
	context.Context
	end context.CancelFunc
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

// Err is never nil once Done is closed, as contexts made of this one rely on.
func (d *deadline) Err() error {
	if t := d.timed.Load(); t != nil {
		if err := t.Err(); err != nil {
			return err
		}
	}
	if err := d.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value knows the request for audit events, which is made when one asks for it.
func (d *deadline) Value(key any) any {
	if !audit.IsRequestKey(key) || d.facts == nil {
		return d.Context.Value(key)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.request != nil {
		return d.request
	}
	d.request = &audit.Request{ID: d.facts.ID, IP: d.facts.IP, UserAgent: d.facts.UserAgent, Flow: d.flow}
	if d.key != nil {
		d.request.Actor = audit.KeyActor(d.key.ID)
	}
	if s := d.session; s != nil {
		d.request.UserID, d.request.SessionID, d.request.Actor = s.UserID.ID, s.ID, s.UserID.Actor
	}
	return d.request
}

func (d *deadline) Done() <-chan struct{} { return d.waiting().Done() }

// AfterFunc spares contexts that are made of this one a goroutine each.
func (d *deadline) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(d.waiting(), f) }

func (d *deadline) waiting() *timed {
	if t := d.timed.Load(); t != nil {
		return t
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.timed.Load(); t != nil {
		return t
	}
	t := &timed{}
	t.Context, t.end = context.WithDeadline(d.Context, d.at)
	d.timed.Store(t)
	return t
}

// stop releases the timer, where there is one. Whoever still waits is told that
// the request is over.
func (d *deadline) stop() {
	if t := d.timed.Load(); t != nil {
		t.end()
	}
}
