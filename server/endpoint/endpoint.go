// Package endpoint is a flow as something that can be called: it checks the
// caller's key, session and access groups, the limits and the input, and then
// runs the flow, or gives the answer again that an earlier call got. It knows no
// transport; package rest serves it over HTTP.
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
	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
)

// Facts are what flows read as $request.
type Facts struct {
	ID        string    `json:"id" doc:"Id of the request, as the log has it."`
	IP        string    `json:"ip" doc:"Address of the caller."`
	UserAgent string    `json:"userAgent" doc:"User-Agent header, or nothing."`
	Time      time.Time `json:"time" doc:"When the request came in."`
}

// Deps are what endpoints need beside their flows. All endpoints of a server share them.
type Deps struct {
	Sessions session.Store
	Repeats  repeat.Store    // may be nil where no flow has repeat:
	Keys     Keys            // of the settings
	Clients  []string        // keys of applications; with none any key will do
	APIKeys  apikey.Store    // may be nil where no flow takes keys but those of the settings
	Limits   limit.Store     // may be nil where no flow has limit:
	MaxBody  int             // bytes
	Cookie   string          // SameSite of the session's cookie, Lax or Strict; "" where there is none
	Audit    *audit.Recorder // counts the calls that are refused, and notes uses of keys; nil for none

	// Watch is told each call in front of it, and may return nil. It is nil where
	// nobody watches.
	Watch func(f *engine.Flow, r *Request) *Watched
}

// Watched is what is told of one call.
type Watched struct {
	Probe *engine.Probe              // of the run; nil for none
	Input func(engine.Inputs)        // is told what the run starts from, where there is one
	End   func(engine.Answer, error) // is told how the call ended
}

// An Endpoint is one flow, ready to be called by any number of callers at once.
type Endpoint struct {
	flow *engine.Flow
	Deps
	probe *engine.Probe       // nil in production
	told  func(engine.Inputs) // what a run starts from; nil where nobody watches
	shows bool                // an answer can show the token of a new session
}

// New makes an endpoint of a flow.
func New(f *engine.Flow, d Deps) *Endpoint { return &Endpoint{flow: f, Deps: d, shows: shows(f)} }

// Probed returns the endpoint with a probe that watches its runs and can stand
// in for its nodes, for tests and the studio.
func (e *Endpoint) Probed(p *engine.Probe) *Endpoint {
	with := *e
	with.probe = p
	return &with
}

// Method returns the method that the endpoint answers.
func (e *Endpoint) Method() string { return e.flow.Method }

// Path returns the pattern of its path, as in /orders/{id}.
func (e *Endpoint) Path() string { return e.flow.Path }

// MaxBody returns how long a body may be, in bytes.
func (e *Endpoint) MaxBody() int { return e.Deps.MaxBody }

// Streams tells whether a call sends events before its answer.
func (e *Endpoint) Streams() bool { return e.flow.Sends }

// Call answers a request. An error is an *engine.Error, or something broken.
func (e *Endpoint) Call(ctx context.Context, r *Request) (engine.Answer, error) {
	if e.Watch != nil {
		if w := e.Watch(e.flow, r); w != nil {
			with := *e
			with.Watch, with.probe, with.told = nil, w.Probe, w.Input
			a, err := with.Call(ctx, r)
			w.End(a, err)
			return a, err
		}
	}
	now := time.Now()
	d := deadlineIn(ctx, now.Add(e.flow.Timeout))
	defer d.stop()
	facts := &Facts{ID: r.ID, IP: ipText(r.IP), UserAgent: r.UserAgent, Time: now}
	d.facts, d.flow = facts, e.flow.File
	if err := e.client(r); err != nil {
		return engine.Answer{}, e.refused(err, facts)
	}
	key, err := e.key(d, r, facts)
	if err != nil {
		return engine.Answer{}, e.refused(err, facts)
	}
	in := engine.Inputs{Request: engine.ValueOf(facts), Send: r.Send}
	if key != nil {
		d.key, d.request = key, nil // what the event of its use knew is not all
		in.APIKey = engine.ValueOf(key)
	}
	var s *session.Session
	if e.flow.Session != engine.SessionNone {
		if s, err = e.session(d, r, now); err != nil {
			return engine.Answer{}, e.refused(err, facts)
		}
		if s != nil {
			d.session, d.request = s, nil
			in.Session = engine.ValueOf(s)
		}
	}
	if err := e.input(r, &in); err != nil {
		return engine.Answer{}, err
	}
	if err := e.limit(d, in, now); err != nil {
		return engine.Answer{}, e.refused(err, facts)
	}
	var a engine.Answer
	if e.flow.Repeat != nil {
		a, err = e.once(d, r, s, in)
	} else {
		a, err = e.run(d, in)
	}
	if err != nil || e.Cookie == "" {
		return a, err
	}
	return e.keep(d, r, s, a)
}

// refused counts a call that comes to nothing because of who makes it, and
// returns why. What the store could not answer is no refusal.
func (e *Endpoint) refused(why error, f *Facts) error {
	var err *engine.Error
	if errors.As(why, &err) && err.Kind != engine.Unavailable && len(err.Items) > 0 {
		e.Audit.Refused(err.Items[0].Code, f.IP)
	}
	return why
}

func (e *Endpoint) run(ctx context.Context, in engine.Inputs) (engine.Answer, error) {
	if e.told != nil {
		e.told(in)
	}
	if e.probe != nil {
		return e.flow.Program.RunProbed(ctx, in, e.probe)
	}
	return e.flow.Program.Run(ctx, in)
}

// session returns the caller's session, or nil where it is optional and no
// token was sent. A token that is sent must be good.
func (e *Endpoint) session(ctx context.Context, r *Request, now time.Time) (*session.Session, error) {
	if r.Token == "" {
		if e.flow.Session == engine.SessionOptional {
			return nil, nil
		}
		return nil, engine.Fail(engine.Unauthenticated, "missing_session_token", "This endpoint needs a session. Sign in first.")
	}
	invalid := engine.Fail(engine.Unauthenticated, "invalid_session_token", "The session has ended. Sign in again.")
	hash, ok := session.HashOf(r.Token)
	if !ok {
		return nil, invalid
	}
	stored, err := session.Check(ctx, e.Sessions, hash, now)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return nil, invalid
	case err != nil:
		// A store that cannot answer is no reason to sign anybody out.
		return nil, unavailable(fmt.Errorf("reading session: %w", err))
	}
	if groups := e.flow.Groups; len(groups) > 0 && !slices.ContainsFunc(stored.AccessGroupKeys, func(g string) bool { return slices.Contains(groups, g) }) {
		return nil, engine.Fail(engine.Forbidden, "missing_access_group", "You do not have the rights for this.")
	}
	if e.flow.Fresh > 0 && now.Sub(stored.AuthenticatedDtm) > e.flow.Fresh {
		return nil, engine.Fail(engine.Forbidden, "reauth_required", "Confirm who you are first, then try again.")
	}
	if stored.TouchDue(now) {
		e.Sessions.Touch(hash, now)
		stored = stored.Touched(now)
	}
	s := *stored // the stored one is shared
	s.Token, s.UserID.Time = r.Token, s.AuthenticatedDtm
	if s.ImpersonatedBy != nil {
		s.UserID.Actor = s.ImpersonatedBy.UserID
	} else if len(e.flow.Groups) > 0 {
		s.Authority = session.Authority{UserID: s.UserID.ID, SessionID: s.ID, Groups: e.flow.Groups}
	}
	return &s, nil
}

// input reads the request as the flow declares it and tells everything that is
// wrong with it at once.
func (e *Endpoint) input(r *Request, in *engine.Inputs) error {
	var faults, more []engine.Fault
	want := &e.flow.Input
	if len(e.flow.Params) > 0 {
		in.Path, faults = want.Path.ReadTexts("path", func(name string) []string {
			i := slices.Index(e.flow.Params, name)
			return r.Params[i : i+1]
		})
	}
	if want.Query != nil || r.RawQuery != "" {
		in.Query, more = readQuery(want.Query, r.RawQuery)
		faults = append(faults, more...)
	}
	if want.Headers != nil {
		in.Headers, more = want.Headers.ReadTexts("headers", r.Header)
		faults = append(faults, more...)
	}
	if want.Body != nil || len(r.Body) > 0 {
		in.Body, more = readBody(want.Body, r.Body)
		faults = append(faults, more...)
	}
	return invalid(faults)
}

// unavailable is what a caller is told while a store is away.
func unavailable(cause error) error {
	err := engine.Fail(engine.Unavailable, "unavailable", "The service is busy or away. Try again in a moment.")
	err.Err = cause
	return err
}

// invalid is what a caller is told whose request has faults; nil for none.
func invalid(faults []engine.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	err := &engine.Error{Kind: engine.Invalid}
	for _, f := range faults {
		details, _ := json.Marshal(map[string]string{"field": f.Field}) // cannot fail
		err.Items = append(err.Items, engine.Item{Code: "invalid_input", Message: sentence(f.Message), Details: details})
	}
	return err
}

// sentence makes a message one that a form can show.
func sentence(s string) string {
	b := []byte(s)
	if len(b) > 0 && b[0] >= 'a' && b[0] <= 'z' {
		b[0] -= 'a' - 'A'
	}
	return string(append(b, '.'))
}

func readBody(t *engine.Type, body []byte) (engine.Value, []engine.Fault) {
	if t == nil {
		// Clients that send an empty object by habit mean nothing by it.
		if b := bytes.TrimSpace(body); len(b) > 0 && string(b) != "{}" && string(b) != "null" {
			return engine.Value{}, []engine.Fault{{Field: "body", Message: "body must be empty, this endpoint takes none"}}
		}
		return engine.Value{}, nil
	}
	if len(body) == 0 {
		if !t.TakesNothing() {
			return engine.Value{}, []engine.Fault{{Field: "body", Message: "body is missing"}}
		}
		body = []byte("{}")
	}
	return t.ReadJSON(body, "body")
}
