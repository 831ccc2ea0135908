package studio

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/session"
	"sluice/server/endpoint"
)

// Access says what the page may do, before anything else.
type Access struct {
	Name     string `json:"name"`     // of the application: that of its folder
	Version  string `json:"version"`  // of Sluice
	Open     bool   `json:"open"`     // this caller needs no session, or has a good one
	SignIn   string `json:"signIn"`   // path of the flow that takes {email, password} and answers with session.token; "" without one
	Group    string `json:"group"`    // that a session must have; "" where none is asked for
	User     string `json:"user"`     // id of the caller's user; "" for nobody
	ReadOnly bool   `json:"readOnly"` // nothing can be changed or run
	Mode     string `json:"mode"`     // development or production
}

// mode is production where the studio is for those who are signed in.
func (s *Studio) mode() string {
	if s.Group != "" {
		return "production"
	}
	return "development"
}

func (s *Studio) access(ctx context.Context, r *endpoint.Request) (any, error) {
	a := Access{Name: s.Name, Version: s.Version, Group: s.Group, ReadOnly: s.ReadOnly, Mode: s.mode(), Open: s.Group == ""}
	for _, f := range s.now().served {
		if f.Method == "POST" && signsIn(f) && (a.SignIn == "" || f.Path == "/auth/sign-in") {
			a.SignIn = f.Path
		}
	}
	if s.Group != "" {
		if who, err := s.member(ctx, r); err == nil {
			a.Open, a.User = true, who.UserID.ID
		}
	}
	return a, nil
}

// signsIn tells whether a flow opens a session for a password.
func signsIn(f *engine.Flow) bool {
	body := f.Input.Body
	return body != nil && body.Prop("email") != nil && body.Prop("password") != nil && runs(f.Steps, "password.check") && runs(f.Steps, "session.create")
}

func runs(steps []engine.Step, node string) bool {
	return slices.ContainsFunc(steps, func(s engine.Step) bool {
		return s.Verb == "node" && s.Word == node || slices.ContainsFunc(s.Branches, func(b engine.Branch) bool { return runs(b.Steps, node) })
	})
}

// admit says why a call is not let in, or else whose session it has: nil where
// none is asked for.
func (s *Studio) admit(ctx context.Context, r *endpoint.Request, open bool) (*session.Session, error) {
	if marks := r.Header("X-Studio"); len(marks) != 1 || marks[0] != "1" {
		return nil, engine.Fail(engine.Forbidden, "not_the_studio", "The studio's own page calls this, with the header X-Studio: 1.")
	}
	if !ownPage(r) {
		return nil, engine.Fail(engine.Forbidden, "cross_site", "This page may not call the studio.")
	}
	switch {
	case s.Group == "" && !fromHere(r):
		return nil, errNotHere()
	case s.Group == "" || open:
		return nil, nil
	}
	return s.member(ctx, r)
}

// member returns the caller's session where it has the studio's group.
func (s *Studio) member(ctx context.Context, r *endpoint.Request) (*session.Session, error) {
	if r.Token == "" {
		return nil, engine.Fail(engine.Unauthenticated, "missing_session_token", "The studio needs a session. Sign in first.")
	}
	hash, ok := session.HashOf(r.Token)
	if !ok {
		return nil, engine.Fail(engine.Unauthenticated, "invalid_session_token", "The session has ended. Sign in again.")
	}
	now := time.Now()
	who, err := session.Check(ctx, s.Deps.Sessions, hash, now)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return nil, engine.Fail(engine.Unauthenticated, "invalid_session_token", "The session has ended. Sign in again.")
	case err != nil:
		failed := engine.Fail(engine.Unavailable, "unavailable", "The service is busy or away. Try again in a moment.")
		failed.Err = err
		return nil, failed
	case !slices.Contains(who.AccessGroupKeys, s.Group) || who.ImpersonatedBy != nil:
		return nil, engine.Fail(engine.Forbidden, "missing_access_group", "You do not have the rights for this.")
	}
	if who.TouchDue(now) {
		s.Deps.Sessions.Touch(hash, now)
	}
	return who, nil
}

func errNotHere() error {
	return engine.Fail(engine.Forbidden, "not_this_machine", "The studio answers its own machine only, as at http://localhost.")
}

// ownPage tells whether a call comes from a page of this server, or from no page.
func ownPage(r *endpoint.Request) bool {
	for _, site := range r.Header("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	hosts := r.Header("Host")
	for _, origin := range r.Header("Origin") {
		u, err := url.Parse(origin)
		if err != nil || len(hosts) != 1 || !strings.EqualFold(u.Host, hosts[0]) {
			return false
		}
	}
	return len(hosts) == 1
}

// fromHere tells whether a request comes from this machine, was sent to it by one
// of its own names, and by no page of another site: neither by a proxy, nor by
// a page whose name was made to lead here.
func fromHere(r *endpoint.Request) bool {
	if !r.IP.Unmap().IsLoopback() || !ownPage(r) {
		return false
	}
	for _, name := range []string{"Forwarded", "Via", "X-Real-Ip", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if len(r.Header(name)) > 0 {
			return false
		}
	}
	return ownName(r.Header("Host")[0])
}

// ownName tells whether a Host header names the machine itself.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
