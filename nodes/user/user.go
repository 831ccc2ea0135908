// Package user holds the people of an application: their type, their store and
// the nodes that find, create and change them.
package user

import (
	"context"
	"errors"
	"time"

	"sluice/engine"
)

// A User is a person who can sign in, who is known by an e-mail address, a phone
// number, or both. It never carries a password or its hash.
type User struct {
	ID            string    `json:"id" doc:"Id of the user."`
	Email         string    `json:"email" doc:"E-mail address as the user wrote it; empty for a user who has a phone number only."`
	EmailVerified bool      `json:"emailVerified" doc:"Whether the user has shown to own the address."`
	Phone         string    `json:"phone,omitzero" doc:"Phone number in the form E.164, as in +14155550100."`
	PhoneVerified bool      `json:"phoneVerified,omitzero" doc:"Whether the user has shown to own the phone number."`
	Name          string    `json:"name,omitzero" doc:"Name to show."`
	Disabled      bool      `json:"disabled,omitzero" doc:"Whether the user is shut out: no sign-in, no session."`
	Groups        []string  `json:"groups" max:"100" doc:"Access groups of the user, in order. A session has them where its flow gives it them."`
	CreationDtm   time.Time `json:"creationDtm" doc:"When the user signed up."`
	UpdatedDtm    time.Time `json:"updatedDtm" doc:"When the user last changed."`

	// EmailKey is the address in the form by which addresses are compared (see
	// the function [EmailKey]); unique in a store, as Phone is, but for users who
	// have none.
	EmailKey string `json:"-"`
	// Epoch counts how often all sessions of the user were ended. A proof made
	// at an older epoch opens no session.
	Epoch int64 `json:"-"`
}

// A ProvenID is the id of a user whose identity was just proved, by a password
// for example. Only proof nodes make one, and session.create takes nothing
// else, so that no flow can open a session without proof.
type ProvenID struct {
	ID    string
	Epoch int64 // of the user when the proof was made
	// Time is when the identity was proved; zero where somebody else vouches for
	// it, and for a proof that does not say.
	Time time.Time
	// Actor is the id of who acts for the user; "" for the user themself. It opens
	// no session and sets no password.
	Actor string
	// Lacks says that the user has a second factor, which the proof is without.
	// It opens no session.
	Lacks bool
}

// FlowType makes ProvenID a type of its own in flows, which reads as its id.
func (ProvenID) FlowType() (name, hint string) {
	return "proven user id", "password.check, user.create and $session.userId give one; a plain id proves nothing"
}

var _ engine.Nominal = ProvenID{}

// A Change says what to set in a user; nil leaves a field as it is.
type Change struct {
	Email, EmailKey *string
	EmailVerified   *bool
	Phone           *string // in the form of [PhoneNumber]; "" takes the number away
	PhoneVerified   *bool
	Name            *string
	Disabled        *bool
	Groups          []string // in order, each once; none where it is empty and not nil
}

// EndsSessions tells whether the change ends all sessions of the user, and every
// proof made before: who is shut out is out at once, and no session outlives
// the groups that its user had when it was opened.
func (c Change) EndsSessions() bool {
	return c.Disabled != nil && *c.Disabled || c.Groups != nil
}

// Sentinels of a [Store].
var (
	ErrNoUser     = errors.New("no such user")
	ErrEmailTaken = errors.New("address belongs to another user")
	ErrPhoneTaken = errors.New("phone number belongs to another user")
	// ErrNameless says that a user would be left with neither address nor number.
	ErrNameless = errors.New("user has nothing else to sign in as")
)

// A Store keeps users. It is safe for many goroutines.
type Store interface {
	// Create adds a user with the hash of a password in one step, or returns
	// ErrEmailTaken or ErrPhoneTaken. The caller has set every field; Epoch starts
	// at zero.
	Create(ctx context.Context, u User, passwordHash string) error
	// ByID returns a user, or ErrNoUser.
	ByID(ctx context.Context, id string) (User, error)
	// ByEmail returns the user whose EmailKey is key, or ErrNoUser.
	ByEmail(ctx context.Context, key string) (User, error)
	// ByPhone returns the user whose Phone is number, or ErrNoUser.
	ByPhone(ctx context.Context, number string) (User, error)
	// Update changes a user and returns it as it is now, or ErrNoUser,
	// ErrEmailTaken, ErrPhoneTaken or ErrNameless. What [Change.EndsSessions] tells of happens in the same step.
	Update(ctx context.Context, id string, c Change, now time.Time) (User, error)
	// List returns users, greatest id first, which are the newest where nodes
	// made the ids: at most limit of those that come behind the user with the id
	// after ("" for the first page), who may be gone.
	List(ctx context.Context, after string, limit int) ([]User, error)
	// Delete forgets a user with the password, or returns ErrNoUser. It ends all
	// sessions and proofs of the user in the same step.
	Delete(ctx context.Context, id string, now time.Time) error
}
