// Package passkey signs users in by passkeys (WebAuthn): the passkeys, their
// store, and the nodes that register them and prove who uses one.
//
// Registration and proof each take two calls, between which the server
// remembers its challenge for five minutes and once. passkey.offer gives what a
// page hands to navigator.credentials.create, and passkey.register takes what
// comes back; passkey.challenge and passkey.verify do the same with get.
//
// A passkey takes the place of password and second factor together: the
// authenticator must keep the credential and must verify the user, by a finger
// or a PIN. Nothing is asked about its make. Its counter must not go back: where
// it does, somebody has a copy of the key, and it proves nothing.
package passkey

import (
	"context"
	"errors"
	"time"
)

// A Passkey is a key pair of a user, whose private half is in an authenticator.
type Passkey struct {
	ID          string     `json:"id" doc:"Id of the passkey here."`
	Name        string     `json:"name" doc:"Name that the user gave it."`
	BackedUp    bool       `json:"backedUp" doc:"Whether a copy of it is kept beyond the device, so that it survives its loss."`
	CreationDtm time.Time  `json:"creationDtm" doc:"When it was registered."`
	LastUsedDtm *time.Time `json:"lastUsedDtm,omitzero" doc:"When it last proved who the user is; absent where it never did."`

	UserID     string `json:"-"`
	Credential []byte `json:"-"` // id that the authenticator gave it; unique in a store
	Count      int64  `json:"-"` // of signatures, as the authenticator said; 0 where it does not count
	// State is what is known of the public key and the authenticator, as JSON.
	State []byte `json:"-"`
}

// A Use is what a proof changes of a passkey.
type Use struct {
	At       time.Time
	Count    int64 // of signatures, after this one
	BackedUp bool
	State    []byte
}

// Sentinels of a [Store].
var (
	ErrNoPasskey = errors.New("no such passkey")
	ErrTaken     = errors.New("passkey is registered already")
	ErrCopied    = errors.New("counter of the passkey went back")
)

// A Store keeps passkeys. It is safe for many goroutines. A method that returned
// nil has made its change durable, and every later call sees it.
type Store interface {
	// Add adds a passkey, or returns ErrTaken where its Credential is known, or
	// user.ErrNoUser.
	Add(ctx context.Context, p Passkey) error
	// ByCredential returns the passkey with the id of an authenticator, or
	// ErrNoPasskey. What it returns shares nothing with the store.
	ByCredential(ctx context.Context, credential []byte) (Passkey, error)
	// OfUser returns the passkeys of a user, by id.
	OfUser(ctx context.Context, userID string) ([]Passkey, error)
	// Used notes a proof, or returns ErrNoPasskey. It returns ErrCopied, and
	// changes nothing, unless the count is higher than the one that is kept or
	// both are 0. Of many with the same count one gets through.
	Used(ctx context.Context, credential []byte, u Use) error
	// Remove removes the passkey with an id from a user, or returns ErrNoPasskey.
	Remove(ctx context.Context, userID, id string) error
}
