// Package apikey holds the keys by which programs call endpoints that ask for
// one: their types, their store and the nodes that make, list, suspend and end
// them. A key is no session: it opens none, ends none and proves nobody.
package apikey

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"sluice/nodes/audit"
	"sluice/nodes/secret"
)

// Scopes of keys.
const (
	Full     = "full"     // every endpoint that takes keys
	ReadOnly = "readOnly" // those of them with the method GET
	Only     = "only"     // those that the key lists
	Except   = "except"   // all but those that the key lists
)

// A Key is what is known of an API key. Flows of endpoints that take keys get it
// as $apiKey. The key itself is known to its holder alone.
//
// A *Key that a store returned may be shared: copy it before changing it.
type Key struct {
	ID          string    `json:"id" doc:"Public id of the key; not usable as a key."`
	Name        string    `json:"name" doc:"What the key is for."`
	Scope       string    `json:"scope" enum:"full|readOnly|only|except" doc:"Which of the endpoints that take keys it may call."`
	Endpoints   []string  `json:"endpoints,omitzero" doc:"Endpoints that an only or except scope lists, as in GET /orders/{id}."`
	UserID      string    `json:"userId,omitzero" doc:"User who made the key and to whom it belongs; absent where it was made by the command."`
	Suspended   bool      `json:"suspended" doc:"Whether the key is refused until it is resumed."`
	CreationDtm time.Time `json:"creationDtm" doc:"When the key was made."`
	ExpiresDtm  time.Time `json:"expiresDtm,omitzero" doc:"From when on the key is refused; absent for never."`
	LastUsedDtm time.Time `json:"lastUsedDtm,omitzero" doc:"When the key was last used, to the minute or so; absent for never."`
}

// Usable tells whether the key is accepted at a moment, as far as it can tell
// without the user to whom it belongs.
func (k *Key) Usable(now time.Time) bool {
	return !k.Suspended && (k.ExpiresDtm.IsZero() || now.Before(k.ExpiresDtm))
}

// Allows tells whether the scope of the key has an endpoint, with its path as
// the flow writes it. What the names in its braces are does not matter.
func (k *Key) Allows(method, path string) bool {
	listed := func() bool {
		return slices.ContainsFunc(k.Endpoints, func(e string) bool {
			m, p, ok := strings.Cut(e, " ")
			return ok && m == method && sameShape(p, path)
		})
	}
	switch k.Scope {
	case Full:
		return true
	case ReadOnly:
		return method == "GET"
	case Only:
		return listed()
	case Except:
		return !listed()
	}
	return false
}

// sameShape compares two paths but for the names in their braces.
func sameShape(a, b string) bool {
	for {
		i, j := strings.IndexByte(a, '{'), strings.IndexByte(b, '{')
		if i != j {
			return false
		}
		if i < 0 {
			return a == b
		}
		m, n := strings.IndexByte(a, '}'), strings.IndexByte(b, '}')
		if m < i || n < j || a[:i] != b[:j] {
			return false
		}
		a, b = a[m+1:], b[n+1:]
	}
}

// TouchDue tells whether enough time has passed since the last noted use for a
// new one to be worth a write: a minute.
func (k *Key) TouchDue(now time.Time) bool { return now.Sub(k.LastUsedDtm) >= time.Minute }

// A Hash is the SHA-256 of a key: all that a store ever sees of it.
type Hash = secret.Hash

// HashOf returns the hash of a key, or false for a text that cannot be one.
func HashOf(key string) (Hash, bool) { return secret.KindOf("slk_").Hash(key) }

// NewKey returns a key that was never there before, and its hash.
func NewKey() (string, Hash) { return secret.KindOf("slk_").New() }

// Which names one key by its ID. Where UserID is not empty, a key that belongs
// to somebody else is none.
type Which struct{ ID, UserID string }

// A Change says what to set in a key; nil leaves a field as it is. What a key
// may do never changes: make another one.
type Change struct {
	Name      *string
	Suspended *bool
}

// ErrNoKey says that there is no such key, or none that can be used.
var ErrNoKey = errors.New("no such API key")

// A Store keeps keys. It is safe for many goroutines. A method that returned nil
// has made its change durable, and every later call sees it.
type Store interface {
	// Create adds a key under its hash. UserID is empty or a user who is there.
	Create(ctx context.Context, h Hash, k Key) error
	// Get returns the key with a hash if it is usable at now, and the user to
	// whom it belongs, if any, is there and not disabled; else ErrNoKey. What it
	// returns is shared and must not be changed.
	Get(ctx context.Context, h Hash, now time.Time) (*Key, error)
	// List returns keys, usable or not, newest first: those of a user, or all for
	// "". It returns at most limit of those behind the key with the id after, ""
	// for the first page. A position whose key has ended meanwhile stays valid.
	List(ctx context.Context, userID, after string, limit int) ([]Key, error)
	// Update changes a key and returns it as it is now, or ErrNoKey.
	Update(ctx context.Context, w Which, c Change) (Key, error)
	// End ends a key for good, or returns ErrNoKey.
	End(ctx context.Context, w Which) error
	// Touch notes that a key was used at now. It returns at once and may be lost
	// in a crash; it never brings an ended key back.
	Touch(h Hash, now time.Time)
}

// Limits of what a key lists.
const (
	maxEndpoints = 100
	maxEndpoint  = 300 // bytes
	maxName      = 100 // code points
)

var endpointForm = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9._~{}/-]*$`)

// A Fault says in a sentence for people why a key cannot be made as asked.
type Fault string

func (f Fault) Error() string { return string(f) }

// fault returns what is wrong with a new key, or "".
func (k *Key) fault() Fault {
	listing := k.Scope == Only || k.Scope == Except
	switch {
	case !named(k.Name):
		return "A key has a name of 1 to 100 visible characters."
	case !listing && k.Scope != Full && k.Scope != ReadOnly:
		return "The scope of a key is full, readOnly, only or except."
	case listing && len(k.Endpoints) == 0:
		return "A key of scope only or except lists endpoints."
	case !listing && len(k.Endpoints) > 0:
		return "Only keys of scope only or except list endpoints."
	case len(k.Endpoints) > maxEndpoints:
		return "A key lists at most 100 endpoints."
	case slices.ContainsFunc(k.Endpoints, func(e string) bool { return len(e) > maxEndpoint || !endpointForm.MatchString(e) }):
		return "An endpoint is a method and a path, as in GET /orders/{id}."
	}
	return ""
}

// named tells whether a text can be the name of a key.
func named(name string) bool {
	return strings.TrimSpace(name) != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) })
}

// Make adds a key as k describes it, whose ID and CreationDtm are set here, records
// that in rec, and returns the key itself, which is known to nobody else from then
// on. Where k cannot be, the error is a [Fault].
func Make(ctx context.Context, s Store, rec *audit.Recorder, k Key) (text string, made Key, err error) {
	if f := k.fault(); f != "" {
		return "", Key{}, f
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", Key{}, fmt.Errorf("making id: %w", err)
	}
	k.ID, k.CreationDtm = id.String(), time.Now().UTC().Truncate(time.Millisecond) // what stores keep
	k.ExpiresDtm = k.ExpiresDtm.Truncate(time.Millisecond)
	text, hash := NewKey()
	e := audit.Event{Kind: audit.KeyCreated, Subject: k.ID, Details: map[string]string{"scope": k.Scope}}
	if err := rec.Do(ctx, e, func(ctx context.Context) error { return s.Create(ctx, hash, k) }); err != nil {
		return "", Key{}, fmt.Errorf("storing key: %w", err)
	}
	return text, k, nil
}
