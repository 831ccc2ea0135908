package session

import (
	"sluice/engine"
	"sluice/nodes/audit"
)

// NoAuthority is the way out of nodes that want the authority of the caller,
// where somebody calls who acts for another user.
var NoAuthority = engine.NewOutcome("noAuthority", engine.Forbidden, "Somebody who acts for another user cannot do this.")

// An Authority is the right of the caller to act for others: to make keys, to
// open sessions for users, to impersonate them. It is $session.authority, or
// $apiKey.authority where a key with the role of a group came instead, in
// endpoints that demand access groups only, so that no flow hands such rights to
// everybody. It is made by the endpoint, for sessions that nobody impersonates.
type Authority struct {
	UserID    string   // of the caller; "" for a key
	SessionID string   // of the caller; "" for a key
	KeyID     string   // of the caller; "" for a session
	Groups    []string // that the endpoint demands
}

// Either returns the authority that is there, of a session or else of a key.
func Either(by, key *Authority) Authority {
	switch {
	case by != nil:
		return *by
	case key != nil:
		return *key
	}
	return Authority{}
}

// FlowType makes Authority a type of its own in flows, which reads as the
// caller's id.
func (Authority) FlowType() (name, hint string) {
	return "authority", "$session.authority is one, in endpoints that demand groups"
}

var _ engine.Nominal = Authority{}

// actor is who holds it, as the log names them.
func (a Authority) actor() string {
	if a.KeyID != "" {
		return audit.KeyActor(a.KeyID)
	}
	return a.UserID
}

// Holds tells whether it is the authority of anybody.
func (a Authority) Holds() bool {
	return (a.UserID != "" && a.SessionID != "" || a.KeyID != "") && len(a.Groups) > 0
}
