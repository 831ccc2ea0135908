// Package repeat holds what is known of calls that a client may send again when
// it cannot tell whether the first one arrived: which of them runs, and the
// answer of the one that ran. Flows with repeat: in their header use it; it has
// no nodes.
package repeat

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"sluice/engine"
)

// MaxBody is how long the body of a kept answer can be, in bytes.
const MaxBody = 256 << 10

// A Hash is a SHA-256: a store sees neither what clients call their calls nor
// what they ask for.
type Hash [32]byte

// A Claim is the right to run a call. Only one is live for a call at a time.
type Claim struct {
	Call    Hash      // who calls which flow, and how the caller names the call
	Request Hash      // what the call asks for
	Token   [16]byte  // tells this claim from every other one of the call
	Until   time.Time // when the call may be claimed anew if this claim comes to nothing
}

// NewClaim makes a claim with a token of its own.
func NewClaim(call, request Hash, until time.Time) Claim {
	c := Claim{Call: call, Request: request, Until: until}
	rand.Read(c.Token[:]) // never fails
	return c
}

// Sentinels of a [Store].
var (
	// ErrRunning says that the call runs under another live claim.
	ErrRunning = errors.New("call is running")
	// ErrOtherRequest says that the call is known, and asked for something else.
	ErrOtherRequest = errors.New("call asked for something else")
	// ErrTaken says that another claim of the call is live, or an answer kept.
	ErrTaken = errors.New("call is another one's")
)

// A Store keeps claims and answers. It is safe for many goroutines. A claim or
// an answer is absent from the moment at which it ends, whether or not it was
// cleaned up. A method that returned nil has made its change durable, and every
// later call sees it.
type Store interface {
	// Claim makes the claim and returns nil, or returns the answer that is kept
	// for the call, in memory of its own. It returns ErrRunning where another
	// claim is live, and ErrOtherRequest where that claim or the answer is of
	// another request. Of many who claim a call at once one gets it.
	Claim(ctx context.Context, c Claim, now time.Time) (*engine.Answer, error)
	// Keep keeps the answer to a claim until a moment, or returns ErrTaken. A
	// claim that has ended will do as long as nobody else has the call: better a
	// late answer than none. Its body is of MaxBody bytes at most.
	Keep(ctx context.Context, c Claim, a engine.Answer, until, now time.Time) error
	// Release ends a claim, so that the call can be claimed anew. It changes
	// nothing where the claim is not there any more, or its answer is kept.
	Release(ctx context.Context, c Claim) error
}
