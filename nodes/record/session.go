package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

// A Session is a session under the hash of its token.
type Session struct {
	Hash     Bytes             `json:"hash"`
	ID       string            `json:"id"`
	UserID   string            `json:"userId"`
	Epoch    int64             `json:"epoch"` // that of the user, or else the session is dead
	Created  time.Time         `json:"created"`
	LastSeen time.Time         `json:"lastSeen"`
	Expires  time.Time         `json:"expires"`
	End      time.Time         `json:"end"`
	Idle     int64             `json:"idleMs"`
	Groups   []string          `json:"groups"`
	IP       string            `json:"ip"`
	Agent    session.UserAgent `json:"userAgent"`

	Authenticated *time.Time             `json:"authenticated,omitempty"` // absent for never
	Actor         *session.Impersonation `json:"actor,omitempty"`         // absent where the user acts
}

// SessionOf returns the record of a session.
func SessionOf(h session.Hash, s session.Session) *Session {
	return &Session{
		Hash: Bytes(h[:]), ID: s.ID, UserID: s.UserID.ID, Epoch: s.UserID.Epoch,
		Created: moment(s.CreationDtm), LastSeen: moment(s.LastSeenDtm), Expires: moment(s.ExpiresDtm), End: moment(s.End),
		Idle: s.Idle.Milliseconds(), Groups: append([]string{}, s.AccessGroupKeys...), IP: s.IP, Agent: s.UserAgent,
		Authenticated: momentOrNil(s.AuthenticatedDtm), Actor: actorOf(s.ImpersonatedBy),
	}
}

// Session returns the session and the hash of its token.
func (r *Session) Session() (session.Hash, session.Session) {
	return session.Hash(r.Hash), session.Session{
		ID: r.ID, UserID: user.ProvenID{ID: r.UserID, Epoch: r.Epoch},
		CreationDtm: r.Created, LastSeenDtm: r.LastSeen, ExpiresDtm: r.Expires, End: r.End,
		Idle: time.Duration(r.Idle) * time.Millisecond, AccessGroupKeys: append([]string{}, r.Groups...), IP: r.IP, UserAgent: r.Agent,
		AuthenticatedDtm: timeOrZero(r.Authenticated), ImpersonatedBy: actorOf(r.Actor),
	}
}

// actorOf returns a copy.
func actorOf(i *session.Impersonation) *session.Impersonation {
	if i == nil {
		return nil
	}
	with := *i
	return &with
}

// Kind is "session".
func (*Session) Kind() string { return "session" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Session) Check() error {
	switch {
	case len(r.Hash) != len(session.Hash{}):
		return fmt.Errorf("its hash has %d bytes, want %d", len(r.Hash), len(session.Hash{}))
	case r.ID == "" || r.UserID == "":
		return errors.New("it has no id, or no user")
	case r.Idle < 0 || r.Idle > (1<<62)/int64(time.Millisecond):
		return errors.New("its idle time is out of bounds")
	}
	return nil
}

// Bytes are written as hex digits.
type Bytes []byte

// MarshalText writes hex digits.
func (b Bytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

// UnmarshalText reads hex digits.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}
