// Package audit is the log of what matters for security: who signed in, who
// could not, whose sessions ended, who changed whose rights.
//
// # Where events arise
//
// In the nodes that do what the event tells, so that every flow is audited that
// uses them. A node hands the event to its [Recorder] together with the change:
//
//	err := n.audit.Do(ctx, audit.Event{Kind: audit.KeyCreated, Subject: userID}, func(ctx context.Context) error {
//		return n.store.Create(ctx, key)
//	})
//
// The event then rides along in the context. A store that can do so writes it in
// the transaction of the change, so that neither is there without the other;
// behind any other store it is written before the caller is answered. What is no
// change, such as a password that was wrong, is noted by [Recorder.Note]. Who
// called, and from where, comes from the [Request] in the context.
//
// # What it never holds
//
// No secret, and no text of any length: an event's texts are cut and cleaned
// before they are written. What somebody typed who could not sign in may be the
// address of a person who is no user here, or a password in the wrong field. So
// where there is no user it is known by a keyed hash only, which tells whether
// two attempts were for the same.
//
// # The chain
//
// Each event is sealed by an HMAC-SHA-256 of itself and of the seal before, under
// a key of [Keys]. [Verify] finds an event that was changed, taken out, put in or
// moved, and where a later head of the chain is known, also an end that was
// cut off. Forging the chain takes the key. A store that one process owns has one
// chain; where many processes write, each has its own, whose first event names the
// heads of the others.
package audit

import (
	"context"
	"slices"
	"time"
)

// An Event is one entry of the log. Whoever makes one sets Kind, Subject and
// what the other fields' comments say; the [Recorder] and the store do the rest.
type Event struct {
	ID    string    `json:"id"`    // chain and number, as in main:42; set by the store
	At    time.Time `json:"at"`    // when it was written, in milliseconds; never before the one before it in the chain; set by the store
	Kind  Kind      `json:"kind"`  // one of [Kinds]
	Actor string    `json:"actor"` // id of the user who did it, or [CommandLine], [Studio] or a [KeyActor]; the caller where it is not set; empty for nobody known

	Subject   string `json:"subject"`   // id of the user or thing that it was done to, or of whom nobody knows a user the pseudonym
	SessionID string `json:"sessionId"` // public id of the session that it is about, or else of the caller's; never a token

	IP        string            `json:"ip"`        // of the caller
	UserAgent string            `json:"userAgent"` // as sent, cut
	RequestID string            `json:"requestId"` // as in the log of the server
	Flow      string            `json:"flow"`      // file of the flow that was called
	Outcome   string            `json:"outcome"`   // Done, or the name of the reason why not; Done where it is not set
	Details   map[string]string `json:"details,omitempty"`

	// Set by the store.
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"` // from 1, without gaps
	KeyID string `json:"key"` // of the key that sealed it; empty for none
	Seal  Seal   `json:"seal"`
}

// KeyActor names an API key as the actor of what a program does by it.
func KeyActor(id string) string { return "key:" + id }

// CommandLine is the actor of what the owner of a system does by a command.
const CommandLine = "cli"

// Studio is the actor of what is done in the studio on a machine of one's own, where
// nobody signs in.
const Studio = "studio"

// Done is the outcome of an event that tells of something that was done.
const Done = "ok"

// A Query says which events to list.
type Query struct {
	Since, Until time.Time // from and before; zero for no bound
	Kinds        []Kind    // any of them; all where there is none
	Of           []string  // actor or subject is one of them; all where there is none
	After        Head      // of the last one of the page before; zero for the first page
	Limit        int       // at least 1
}

// A Head is the last event of a chain that was known at some time, kept apart
// from the chain, so that a chain that ends earlier was cut.
type Head struct {
	Chain string    `json:"chain"`
	Seq   int64     `json:"seq"`
	Seal  Seal      `json:"seal"`
	At    time.Time `json:"at"`
}

// A Store keeps events. It is safe for many goroutines. Events are never changed,
// and deleted only by Prune.
type Store interface {
	// Append seals an event, writes it durably and returns it as it is then.
	Append(ctx context.Context, e Event) (Event, error)
	// List returns at most q.Limit events, oldest first. Where several processes
	// write, one that was under way may yet come before the last one listed.
	List(ctx context.Context, q Query) ([]Event, error)
	// Chain returns at most limit events of a chain with numbers above after.
	Chain(ctx context.Context, chain string, after int64, limit int) ([]Event, error)
	// Heads returns, newest first, the heads that are kept apart from the chains.
	// One whose Seq is 0 only names a chain.
	Heads(ctx context.Context) ([]Head, error)
	// Prune deletes what was written before a moment and returns how many events
	// that were. It first writes one of kind Pruned, by which Verify knows where
	// what is left begins.
	Prune(ctx context.Context, before time.Time) (int, error)
	// Keys returns the keys by which the store seals and verifies.
	Keys() Keys
}

// Has tells whether an event is one that the query asks for, but for its Limit.
func (q *Query) Has(e *Event) bool {
	switch {
	case !q.Since.IsZero() && e.At.Before(q.Since), !q.Until.IsZero() && !e.At.Before(q.Until):
		return false
	case len(q.Kinds) > 0 && !slices.Contains(q.Kinds, e.Kind):
		return false
	case len(q.Of) > 0 && !slices.Contains(q.Of, e.Actor) && !slices.Contains(q.Of, e.Subject):
		return false
	case q.After.Seq == 0:
		return true
	case e.Chain == q.After.Chain:
		return e.Seq > q.After.Seq
	case e.At.Equal(q.After.At):
		return e.Chain > q.After.Chain
	}
	return e.At.After(q.After.At)
}
