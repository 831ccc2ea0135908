// Package session holds what a signed-in user carries from request to request:
// the session object, its store, and the nodes that create, read, change and
// end sessions.
package session

import (
	"context"
	"errors"
	"time"

	"sluice/nodes/user"
)

// A Session is one sign-in of a user on one device. Flows of endpoints with
// session: required get it as $session.
//
// A *Session that a store returned may be shared: copy it before changing it.
type Session struct {
	ID              string        `json:"id" doc:"Public id of the session; not usable as a token."`
	UserID          user.ProvenID `json:"userId" doc:"Id of the user whose session it is."`
	Token           string        `json:"token,omitzero" secret:"true" doc:"Token that the caller sent."`
	CreationDtm     time.Time     `json:"creationDtm" doc:"When the session was created."`
	ExpiresDtm      time.Time     `json:"expiresDtm" doc:"When the session ends if it is not used again."`
	LastSeenDtm     time.Time     `json:"lastSeenDtm" doc:"When the session was last used, to the minute or so."`
	AccessGroupKeys []string      `json:"accessGroupKeys" doc:"Access groups of the session."`
	IP              string        `json:"ip" doc:"Address from which the session was created."`
	UserAgent       UserAgent     `json:"userAgent" doc:"Program that created the session."`
	// AuthenticatedDtm moves by a proof alone, see [Store.Renew].
	AuthenticatedDtm time.Time      `json:"authenticatedDtm,omitzero" doc:"When the user last proved who they are; absent where somebody else opened the session."`
	ImpersonatedBy   *Impersonation `json:"impersonatedBy" doc:"Who acts as the user in this session, and why; absent where the user does."`
	Authority        Authority      `json:"authority" secret:"true" guard:"groups" doc:"Right of the caller to act for others; only in endpoints that demand groups."`

	// End is the moment at which the session ends however often it is used.
	End time.Time `json:"-"`
	// Idle is for how long the session lives unused. ExpiresDtm is
	// LastSeenDtm+Idle, but never after End.
	Idle time.Duration `json:"-"`
}

// Live tells whether the session can be used at a moment. At its very end it cannot.
func (s *Session) Live(now time.Time) bool { return now.Before(s.ExpiresDtm) }

// TouchDue tells whether enough time has passed since the last touch for a new
// one to be worth a write: a minute, or a quarter of a short idle time.
func (s *Session) TouchDue(now time.Time) bool {
	return now.Sub(s.LastSeenDtm) >= min(time.Minute, s.Idle/4)
}

// Touched returns the session as it is after use at now. Its end does not move,
// and a use that is no later than the last one leaves it as it is.
func (s *Session) Touched(now time.Time) *Session {
	t := *s
	if !now.After(s.LastSeenDtm) {
		return &t
	}
	t.LastSeenDtm = now
	t.ExpiresDtm = now.Add(s.Idle)
	if t.ExpiresDtm.After(s.End) {
		t.ExpiresDtm = s.End
	}
	return &t
}

// An Impersonation says who acts as another user in a session, and why. The
// session ends with that of the actor, and its end never moves.
type Impersonation struct {
	UserID    string `json:"userId" doc:"Id of the user who acts."`
	SessionID string `json:"sessionId" doc:"Id of that user's own session."`
	Reason    string `json:"reason" doc:"Why."`
}

// A UserAgent is a program as its User-Agent header describes it.
type UserAgent struct {
	Family string  `json:"family" doc:"Browser or program."`
	Major  string  `json:"major" doc:"First part of its version."`
	Minor  string  `json:"minor" doc:"Second part of its version."`
	Patch  string  `json:"patch" doc:"Third part of its version."`
	Device Version `json:"device" doc:"Device it runs on."`
	OS     Version `json:"os" doc:"Operating system it runs on."`
}

// A Version names a device or an operating system.
type Version struct {
	Family string `json:"family" doc:"Name."`
	Major  string `json:"major" doc:"First part of the version."`
	Minor  string `json:"minor" doc:"Second part of the version."`
	Patch  string `json:"patch" doc:"Third part of the version."`
}

// A Hash is the SHA-256 of a token: all that a store ever sees of it.
type Hash [32]byte

// Which names sessions to change or end: one by Hash, or of UserID the one with
// ID, or all but Except, or all.
type Which struct {
	Hash   Hash // when not zero, the other fields are empty
	UserID string
	ID     string // public id of the only one
	Except string // public id of the one to leave alone
}

// A Groups change sets the access groups of sessions: first Set (when not nil)
// replaces them, then Add joins, then Remove leaves. They stay sorted and unique.
type Groups struct {
	Set, Add, Remove []string
}

// A Renewal says what becomes of one session. A field that is zero leaves it as
// it is.
type Renewal struct {
	Hash             Hash      // of a new token: the old one is dead at once
	AuthenticatedDtm time.Time // never moves back
}

// Sentinels of a [Store].
var (
	// ErrNoSession says that there is no such live session.
	ErrNoSession = errors.New("no such session")
	// ErrStaleProof says that the user is gone or disabled, or that all of the
	// user's sessions were ended after the proof was made.
	ErrStaleProof = errors.New("proof is no longer valid")
)

// A Store keeps sessions. It is safe for many goroutines. A session that is not
// live at now is treated as absent, whether or not it was cleaned up. A method
// that returned nil has made its change durable, and every later call sees it.
type Store interface {
	// Create adds a session under the hash of its token. It returns
	// ErrStaleProof where s.UserID proves nothing any more.
	Create(ctx context.Context, h Hash, s Session) error
	// CreateWithin is Create for a user who may have at most a number of live
	// sessions, the new one included: in the same step the oldest ones end that
	// are too many. It returns how many those were.
	CreateWithin(ctx context.Context, h Hash, s Session, most int) (ended int, err error)
	// Get returns the live session of a token, or ErrNoSession. What it returns
	// is shared and must not be changed.
	Get(ctx context.Context, h Hash, now time.Time) (*Session, error)
	// List returns the live sessions of a user, newest first, at most limit of
	// those that come behind the session with the public id after ("" for the
	// first page). A position whose session has ended meanwhile stays valid.
	List(ctx context.Context, userID, after string, limit int, now time.Time) ([]Session, error)
	// Update changes the access groups of live sessions and returns how many it named.
	Update(ctx context.Context, w Which, g Groups, now time.Time) (int, error)
	// Renew changes a live session in one step and returns it as it is now, or
	// ErrNoSession. It never brings an ended session back nor moves its End.
	Renew(ctx context.Context, h Hash, r Renewal, now time.Time) (*Session, error)
	// End ends sessions and returns how many of them were live. Ending all
	// sessions of a user, or all but one, also ends every proof made before.
	End(ctx context.Context, w Which, now time.Time) (int, error)
	// Touch notes that a session was used at now. It returns at once and may be
	// lost in a crash, which only shortens the session's life; it never brings
	// an ended session back nor moves its End.
	Touch(h Hash, now time.Time)
}
