// Package attempt holds what a server must remember of a proof that is under
// way: of a sign-in at a provider, or of a challenge to a passkey. Whoever
// began it holds a token, and comes back with it once. It has no nodes.
package attempt

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// A Hash names an attempt: the SHA-256 of what it is for and of its token.
type Hash [32]byte

// An Attempt is a proof that is under way.
type Attempt struct {
	Hash  Hash
	Data  []byte    // of those who began it, 16 KiB at most
	Until time.Time // when it ends if nobody comes back
}

// ErrNoAttempt says that there is no such attempt: it never was, it ended, or
// somebody came back to it before.
var ErrNoAttempt = errors.New("no such attempt")

// A Store keeps attempts. It is safe for many goroutines. An attempt is absent
// from the moment at which it ends, whether or not it was cleaned up. A method
// that returned nil has made its change durable, and every later call sees it.
type Store interface {
	// Begin adds an attempt.
	Begin(ctx context.Context, a Attempt) error
	// Take removes an attempt and returns its data, in memory of its own, or
	// ErrNoAttempt. Of many who take one at once one gets it.
	Take(ctx context.Context, h Hash, now time.Time) ([]byte, error)
}

// NewToken returns a token of 32 random bytes, in characters that a URL takes.
func NewToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: without randomness the process ends
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashOf names the attempt with a token. Kind says what it is for, so that the
// token of one kind opens no attempt of another.
func HashOf(kind, token string) Hash { return sha256.Sum256([]byte(kind + "\x00" + token)) }
