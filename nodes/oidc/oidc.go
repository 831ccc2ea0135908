// Package oidc signs users in at other providers by OpenID Connect: the
// providers, the identities that users have there, their store, and the nodes
// that send a browser to a provider and prove who comes back.
//
// # The way of a sign-in
//
// oidc.start makes a random state and a random secret for the browser, keeps
// the SHA-256 of both for ten minutes, and returns the address to go to. The
// state travels through the provider; the secret stays with the browser, as a
// cookie that only this host sets and reads. oidc.finish takes both once, with
// the code that the provider gave, so that nobody can finish in one browser
// what was begun in another. The nonce and the PKCE verifier (S256) are made
// from state and secret, so that the store holds nothing that helps a thief.
//
// oidc.finish asks the provider for the ID token and checks signature (of an
// asymmetric algorithm), issuer, audience, authorized party, nonce, time and,
// where it is there, the hash of the access token. What it gives is a verified
// identity, a type of its own, which no flow can make up. oidc.prove turns it
// into a proven user id where a user has it. That lacks the second factor which
// the user may have here, as a provider knows nothing of it.
//
// # Linking by address
//
// Whoever controls an address at sign-up need not be who controls it later. So
// oidc.linkByEmail links an identity to the user with its address only where
// the provider is set to be believed about addresses (trust-email), says that
// this one is verified, and the user has shown to own it here. Otherwise
// somebody could sign up with the address of a victim and a password, and wait
// for the victim to sign in at the provider into that very account
// (pre-hijacking); or have a provider where everybody may name any address.
package oidc

import (
	"context"
	"errors"
	"time"

	"sluice/nodes/user"
)

// A Verified identity is one that a provider has just vouched for. Only
// oidc.finish makes one.
type Verified struct {
	Subject  string // at the issuer
	Issuer   string
	Provider string // name in the settings
	Email    string // "" for none
	// EmailVerified is whether the provider is believed about addresses and
	// says that this one is verified.
	EmailVerified bool
	Name          string // "" for none
}

// FlowType makes Verified a type of its own in flows, which reads as its subject.
func (Verified) FlowType() (name, hint string) {
	return "verified identity", "oidc.finish gives one; a plain subject proves nothing"
}

// An Identity is what a user is at a provider.
type Identity struct {
	ID          string    `json:"id" doc:"Id of the link between user and provider."`
	Provider    string    `json:"provider" doc:"Name of the provider when the identity was linked."`
	Email       string    `json:"email,omitzero" doc:"E-mail address at the provider when the identity was linked."`
	CreationDtm time.Time `json:"creationDtm" doc:"When the identity was linked."`

	Issuer  string `json:"-"` // with Subject it is unique in a store
	Subject string `json:"-"`
	UserID  string `json:"-"`
}

// Sentinels of a [Store].
var (
	ErrNoIdentity = errors.New("no such identity")
	ErrTaken      = errors.New("identity belongs to another user")
)

// A Store keeps identities. It is safe for many goroutines. A method that
// returned nil has made its change durable, and every later call sees it.
type Store interface {
	// SignUp adds a user without a password together with an identity, both or
	// neither. It returns ErrTaken or user.ErrEmailTaken.
	SignUp(ctx context.Context, u user.User, i Identity) error
	// Link adds an identity of a user. It returns ErrTaken where another user has
	// it, user.ErrNoUser, and nil without a change where the user has it already.
	Link(ctx context.Context, i Identity) error
	// ByIdentity returns what is linked, or ErrNoIdentity.
	ByIdentity(ctx context.Context, issuer, subject string) (Identity, error)
	// OfUser returns the identities of a user, by id.
	OfUser(ctx context.Context, userID string) ([]Identity, error)
	// Unlink removes the identity with an id from a user, or returns ErrNoIdentity.
	Unlink(ctx context.Context, userID, id string) error
}
