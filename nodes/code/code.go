// Package code holds secrets that are good once: the code or link of a mail by
// which people show that an address is theirs, and the ticket between two steps
// of a sign-in. A code proves who its user is.
//
// A code is either a token, which nobody guesses and which says by itself where
// it is kept, or a few digits, which somebody has to type and of which anybody
// may guess five. It ends by its use, by time, by a newer code for the same
// purpose and user, and by every change of what the user signs in with: of the
// password, of the address, and by the end of all sessions.
package code

import (
	"context"
	"errors"
	"time"
)

// A Slot is the place of one code: that of a purpose and a user. It is no secret.
type Slot [16]byte

// A Hash is what a store sees of a secret.
type Hash [32]byte

// A Code is a code as it is kept.
type Code struct {
	Slot       Slot
	Hash       Hash      // of the secret and the purpose
	Digits     bool      // the secret can be guessed, so that each try counts
	Left       int       // tries of digits, or uses of a token
	CreatedDtm time.Time // to the millisecond
	ExpiresDtm time.Time
	UserID     string // "" for a code of nobody, which opens nothing
	State      Hash   // what the user signed in with when the code was made
	To         string // address or phone number that the code was sent to; "" for one that was not sent
}

// Sentinels of a [Store].
var (
	// ErrNoCode says that the secret is wrong, or that there is no such code any more.
	ErrNoCode = errors.New("no such code")
	// ErrTooSoon says that the code before was made just now.
	ErrTooSoon = errors.New("code before is too new")
)

// A Store keeps one code a slot. It is safe for many goroutines. A code is
// absent from the moment at which it expires, whether or not it was cleaned up.
// A method that returned nil has made its change durable, and every later call
// sees it.
type Store interface {
	// Put keeps a code in place of the one before in its slot, or returns
	// ErrTooSoon where that one has not expired at the time at which c was
	// created and was created after since.
	Put(ctx context.Context, c Code, since time.Time) error
	// Take uses the code of a slot and returns it as it is after that. Where the
	// hash is not the code's it returns ErrNoCode, and digits have one try less:
	// the try is paid before it is judged, so that many at once have no more
	// tries than one after the other. The last use deletes the code; a right try
	// of digits is the last. Of many who take the last use one gets it.
	Take(ctx context.Context, slot Slot, h Hash, now time.Time) (Code, error)
}
