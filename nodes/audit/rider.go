package audit

import (
	"context"
	"strconv"
)

// A Rider is an event that rides along with a change. The goroutine that makes
// the change has it alone until the change is made. Methods of nil do nothing.
type Rider struct {
	event   Event
	dropped bool
	written bool
}

type riderKey struct{}

// Riding returns the event that waits in a context for a change to be written
// with, or nil. A store takes it in the transaction of a write, calls [Rider.Written] once
// that is durable, and leaves it alone where the write failed.
func Riding(ctx context.Context) *Rider {
	r, _ := ctx.Value(riderKey{}).(*Rider)
	if r == nil || r.written || r.dropped {
		return nil
	}
	return r
}

// NewRider returns an event that a store writes with no other change.
func NewRider(e Event) *Rider { return &Rider{event: e} }

// Event returns the event, or false where it was dropped.
func (r *Rider) Event() (Event, bool) {
	if r == nil || r.dropped {
		return Event{}, false
	}
	return r.event, true
}

// Written says that the event is durable now, as it was sealed.
func (r *Rider) Written(sealed Event) { r.event, r.written = sealed, true }

// Drop says that there is nothing to tell, as the change found nothing to do.
func (r *Rider) Drop() {
	if r != nil {
		r.dropped = true
	}
}

// About sets the subject, and the session if any, to those that only the change knew.
func (r *Rider) About(subject, sessionID string) {
	if r == nil {
		return
	}
	r.event.Subject = subject
	if sessionID != "" {
		r.event.SessionID = sessionID
	}
}

// Count sets a detail to a number that only the change knew.
func (r *Rider) Count(name string, n int) {
	if r == nil {
		return
	}
	details := map[string]string{name: strconv.Itoa(n)}
	for k, v := range r.event.Details {
		if k != name {
			details[k] = v
		}
	}
	r.event.Details = details
}
