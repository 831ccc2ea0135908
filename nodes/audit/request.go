package audit

import "context"

// A Request is what is known of the call in which an event arises.
type Request struct {
	ID, IP, UserAgent string
	Flow              string // file of the flow
	UserID            string // of the caller; empty without a session
	Actor             string // who acts in the caller's place; empty for the caller
	SessionID         string // public id of the caller's session
}

type requestKey struct{}

// IsRequestKey tells whether a context is asked for its *Request, for contexts
// that hold one themselves.
func IsRequestKey(key any) bool { return key == requestKey{} }

// WithRequest returns a context that knows a request.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns the request of a context, or nil where there is none.
func RequestOf(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// fill sets what an event does not say itself.
func (r *Request) fill(e *Event) {
	if r == nil {
		return
	}
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&e.Actor, r.Actor)
	set(&e.Actor, r.UserID)
	set(&e.SessionID, r.SessionID)
	set(&e.IP, r.IP)
	set(&e.UserAgent, r.UserAgent)
	set(&e.RequestID, r.ID)
	set(&e.Flow, r.Flow)
}
