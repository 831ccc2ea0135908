// Package factor holds the second factors of users: a program that shows codes of
// six digits that change every half a minute (TOTP, RFC 6238), and recovery codes
// for the day on which it is lost.
//
// A user who has one gets, for a password or a code of a mail, a proof that
// lacks the second factor, and no node opens a session for it: totp.check and
// recovery.redeem take such a proof and give a whole one.
package factor

import (
	"context"
	"errors"
	"time"
)

// A Hash is what a store sees of a recovery code.
type Hash [32]byte

// A Factor is the second factor of a user as it is kept.
type Factor struct {
	Secret   []byte // sealed
	Active   bool   // it counts; until then the user sets it up
	Step     int64  // the last one whose code was used; steps are numbered from 1970 on
	Recovery []Hash // of the codes that were not used
}

// Sentinels of a [Store].
var (
	// ErrNoFactor says that the user has no second factor, or has none to set up,
	// or that the secret is another one by now.
	ErrNoFactor = errors.New("user has no second factor")
	// ErrActive says that the user has a second factor already.
	ErrActive = errors.New("user has a second factor")
	// ErrUsed says that the code, or a later one, was used before.
	ErrUsed = errors.New("code was used before")
	// ErrThrottled says that too many tries came to nothing.
	ErrThrottled = errors.New("too many tries")
)

// Bounds of tries: so many that come to nothing, and after which time there are
// as many again.
const (
	MaxTries = 5
	Window   = 15 * time.Minute
)

// A Store keeps one factor a user. It is safe for many goroutines. A method that
// returned nil has made its change durable, and every later call sees it.
type Store interface {
	// Active tells whether a user has a factor that counts.
	Active(ctx context.Context, userID string) (bool, error)
	// Enroll keeps a sealed secret that does not count yet, in place of one before
	// that did not either, or returns ErrActive. Tries that were paid stay paid.
	Enroll(ctx context.Context, userID string, secret []byte) error
	// Try pays for a try and returns the factor, whether it counts or not. It
	// returns ErrNoFactor, or ErrThrottled where MaxTries were paid within Window.
	Try(ctx context.Context, userID string, now time.Time) (Factor, error)
	// Use notes that the code of a step was used, makes the factor with that secret
	// count, and gives the tries back. It returns ErrUsed where the step or a later
	// one was used, and ErrNoFactor where the secret is another. Of many who use
	// one step one does.
	Use(ctx context.Context, userID string, secret []byte, step int64) error
	// SetRecovery replaces the recovery codes of a factor that counts, or returns
	// ErrNoFactor.
	SetRecovery(ctx context.Context, userID string, codes []Hash) error
	// Recover ends a recovery code and gives the tries back, or returns ErrUsed
	// where there is no such code, nor a factor that counts. Of many who use one code one does.
	Recover(ctx context.Context, userID string, h Hash) error
	// Delete removes the factor of a user with its recovery codes, if there is one.
	Delete(ctx context.Context, userID string) error
}
