package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// MinKey is how long a key is at least, in bytes.
const MinKey = 32

// A Key seals events and makes pseudonyms.
type Key struct {
	id      string
	sealing [32]byte
	naming  [32]byte
	past    bool // only verifies
}

// NewKey makes a key of a secret, which should be random.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < MinKey {
		return Key{}, fmt.Errorf("an audit key has at least %d bytes", MinKey)
	}
	k := Key{sealing: derive(secret, "sluice audit seal"), naming: derive(secret, "sluice audit name")}
	id := derive(secret, "sluice audit id")
	k.id = hex.EncodeToString(id[:4])
	return k, nil
}

// PastKey makes a key that verifies what another one with the id and the sealing
// part sealed, and does nothing else.
func PastKey(id string, sealing [32]byte) Key { return Key{id: id, sealing: sealing, past: true} }

// Parts returns of a key what [PastKey] takes: what moves with a log, so that it
// can be verified elsewhere. By it nobody can make pseudonyms, nor try texts until
// one fits.
func (k Key) Parts() (id string, sealing [32]byte) { return k.id, k.sealing }

// derive makes a key for one use of a secret.
func derive(secret []byte, use string) (key [32]byte) {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(use))
	h.Sum(key[:0])
	return key
}

// Keys are the key that seals new events, and behind it those that sealed older
// ones. Without any, events are chained by a hash that everybody can make.
type Keys []Key

// first returns the key for new events; without one it is all zeroes.
func (ks Keys) first() Key {
	if len(ks) == 0 || ks[0].past {
		return Key{}
	}
	return ks[0]
}

// Seal tells whether there is a key that seals new events.
func (ks Keys) Seal() bool { return ks.first().id != "" }

// byID returns the key that sealed an event.
func (ks Keys) byID(id string) (Key, bool) {
	if id == "" {
		return Key{}, true
	}
	for _, k := range ks {
		if k.id == id {
			return k, true
		}
	}
	return Key{}, false
}

// Pseudonym returns what stands in the log for a text that must not be in it: 26
// characters behind a ~, the same for the same text and key. Without a key it is
// empty, as anybody could then try texts until one fits.
func (ks Keys) Pseudonym(text string) string {
	first := ks.first()
	if first.id == "" || text == "" {
		return ""
	}
	h := hmac.New(sha256.New, first.naming[:])
	h.Write([]byte(text))
	return "~" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16]))
}

// A Seal is the HMAC-SHA-256 of an event and of the seal before.
type Seal [32]byte

// String returns the seal in hex.
func (s Seal) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes the seal in hex.
func (s Seal) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a seal from hex.
func (s *Seal) UnmarshalText(text []byte) error {
	n, err := hex.Decode(s[:], text[:min(len(text), 2*len(s))])
	if err != nil || n != len(s) || len(text) != 2*len(s) {
		return errors.New("a seal is 64 hex digits")
	}
	return nil
}
