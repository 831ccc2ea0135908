package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/engine"
	"sluice/nodes/session"
)

// CookieName is the cookie in which browsers keep a token, where a setting lets
// them. Its prefix has browsers take it from this host alone, over TLS, for all
// paths.
const CookieName = "__Host-session"

// Values of SameSite.
const (
	Lax    = "Lax"    // the cookie comes along where a link leads here
	Strict = "Strict" // it does not
)

// ClearCookie is the header that takes the cookie away.
func ClearCookie(sameSite string) engine.Header {
	return engine.Header{Name: "Set-Cookie", Value: CookieName + "=; Path=/; Secure; HttpOnly; SameSite=" + sameSite + "; Max-Age=0"}
}

// shows tells whether an answer of a flow can show the token of a new session,
// as token or session.token of its body.
func shows(f *engine.Flow) bool {
	return slices.ContainsFunc(f.Replies, func(r engine.Reply) bool { return r.Body != nil && (once(r.Body) || once(inside(r.Body, "session"))) })
}

func once(t *engine.Type) bool {
	token := inside(t, "token")
	return token != nil && token.Secrecy == engine.Once
}

// inside returns the type of a property, or nil.
func inside(t *engine.Type, name string) *engine.Type {
	if t != nil {
		for _, p := range t.Props {
			if p.Name == name {
				return p.Type
			}
		}
	}
	return nil
}

// keep moves the token of a session that an answer shows into the cookie of the
// browser that called: it is in the body no more, where scripts could read it.
// Where the call ended the caller's own session, the cookie goes.
func (e *Endpoint) keep(ctx context.Context, r *Request, caller *session.Session, a engine.Answer) (engine.Answer, error) {
	if e.shows && r.Keeps {
		kept, err := e.intoCookie(ctx, caller, &a)
		if kept || err != nil {
			return a, err
		}
	}
	if !r.InCookie || caller == nil {
		return a, nil
	}
	// No script sees what the cookie holds: an answer that shows the token as it was
	// sent names the session by its public id.
	a.Body = bytes.ReplaceAll(a.Body, []byte(r.Token), []byte(caller.ID))
	if e.flow.Method == "GET" {
		return a, nil
	}
	hash, _ := session.HashOf(r.Token) // it was good before the call
	switch _, err := e.Sessions.Get(ctx, hash, time.Now()); {
	case errors.Is(err, session.ErrNoSession):
		a.Headers = append(slices.Clip(a.Headers), ClearCookie(e.Cookie))
	case err != nil:
		return a, unavailable(fmt.Errorf("reading session: %w", err))
	}
	return a, nil
}

// intoCookie tells whether it moved a token. The session of somebody else than
// the caller, as administrators open them, does not take the place of the
// caller's own.
func (e *Endpoint) intoCookie(ctx context.Context, caller *session.Session, a *engine.Answer) (bool, error) {
	var body struct {
		Token   string
		Session struct{ Token string }
	}
	if json.Unmarshal(a.Body, &body) != nil {
		return false, nil // a failure of another form
	}
	token := body.Token + body.Session.Token
	hash, ok := session.HashOf(token)
	if !ok {
		return false, nil
	}
	now := time.Now()
	s, err := e.Sessions.Get(ctx, hash, now)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return false, nil
	case err != nil:
		return false, unavailable(fmt.Errorf("reading session: %w", err))
	case s.ImpersonatedBy != nil, caller != nil && caller.UserID.ID != s.UserID.ID:
		return false, nil
	}
	a.Headers = append(slices.Clip(a.Headers), engine.Header{Name: "Set-Cookie", Value: fmt.Sprintf(
		"%s=%s; Path=/; Secure; HttpOnly; SameSite=%s; Max-Age=%d", CookieName, token, e.Cookie, int(s.End.Sub(now).Seconds()))})
	a.Body = without(a.Body, `"token":"`+token+`"`)
	return true, nil
}

// without cuts a property out of a body as the engine writes it.
func without(body []byte, property string) []byte {
	for _, form := range []string{property + ",", "," + property, property} {
		if before, after, ok := bytes.Cut(body, []byte(form)); ok {
			return slices.Concat(before, after)
		}
	}
	return body
}
