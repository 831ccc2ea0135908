// Package password proves who a user is by a secret the user knows. Passwords
// are stored as argon2id hashes and compared in the same time whoever asks.
package password

import (
	"context"
	"errors"
)

// ErrNoPassword says that a user has no password, or that there is no such user.
var ErrNoPassword = errors.New("user has no password")

// A Store keeps one password hash a user. It is safe for many goroutines.
type Store interface {
	// Hash returns the hash of a user's password, or ErrNoPassword.
	Hash(ctx context.Context, userID string) (string, error)
	// SetHash replaces the hash of a user's password by next. With a non-empty
	// prev it does so only while the hash still is prev, and otherwise leaves it
	// and returns nil: somebody else was faster. It returns ErrNoPassword
	// where there is no such user.
	SetHash(ctx context.Context, userID, prev, next string) error
}
