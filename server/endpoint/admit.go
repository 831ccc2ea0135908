package endpoint

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/engine"
	"sluice/nodes/apikey"
)

// Codes of what a caller is told who is not let in.
const (
	missingToken = "missing_session_token"
	invalidToken = "invalid_session_token"
	missingKey   = "missing_API_key"
	invalidKey   = "invalid_API_key"
)

// Unlet tells whether an error says that the caller's session or API key is
// missing or dead, and not what the flow failed with.
func Unlet(err error) bool {
	var e *engine.Error
	return errors.As(err, &e) && e.Pos.File == "" && len(e.Items) == 1 &&
		slices.Contains([]string{missingToken, invalidToken, missingKey, invalidKey}, e.Items[0].Code)
}

// Admit refuses a request whose session or API key is dead, whatever it asks for.
// One that has neither passes. It notes the use of the session, for requests that
// come to no flow.
func (d *Deps) Admit(ctx context.Context, r *Request) error {
	now := time.Now()
	f := &Facts{ID: r.ID, IP: ipText(r.IP), UserAgent: r.UserAgent, Time: now}
	if r.APIKey != "" {
		if _, _, err := d.usable(ctx, r.APIKey, f); err != nil {
			return d.refused(err, f)
		}
	}
	if r.Token == "" {
		return nil
	}
	hash, s, err := d.live(ctx, r.Token, now)
	if err != nil {
		return d.refused(err, f)
	}
	if s.TouchDue(now) {
		d.Sessions.Touch(hash, now)
	}
	return nil
}

// Missing is what a caller is told who brings neither a session nor an API key to
// where nothing can be called without.
func Missing() error {
	return engine.Fail(engine.Unauthenticated, missingToken, "Authentication required: send a session token or an API key.")
}

// Demands tells whether a call without a session and without an API key cannot
// come to the flow.
func (e *Endpoint) Demands() bool {
	return e.flow.Session == engine.SessionRequired || e.flow.APIKey == engine.KeyRequired
}

// IsKey tells an API key from the token of a session, for transports on which both
// come in the same place.
func IsKey(text string) bool {
	_, ok := apikey.HashOf(text)
	return ok
}
