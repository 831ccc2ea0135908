// Package secret makes the secrets that callers are known by, such as tokens of
// sessions and API keys: 256 random bits behind a prefix that says what they are
// for. A store sees their SHA-256 alone.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

const (
	digits   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digitLen = 43 // digits; as many as hold what 32 random bytes do
	// prefixLen is the length of every prefix, so that hashing needs no memory.
	prefixLen = 4
)

// A Kind is the prefix of one kind of secret, by which scanners of code know it:
// three letters and an underscore. Behind it stand word characters only, which a
// double click selects whole.
type Kind [prefixLen]byte

// KindOf returns the kind with a prefix. It panics where that has another length.
func KindOf(prefix string) Kind { return Kind([]byte(prefix)) }

// A Hash is the SHA-256 of a secret.
type Hash = [sha256.Size]byte

// New returns a secret that was never there before, and its hash.
func (k Kind) New() (string, Hash) {
	b := append(make([]byte, 0, prefixLen+digitLen), k[:]...)
	var random [64]byte
	for {
		rand.Read(random[:]) // never fails: without randomness the process ends
		for _, r := range random {
			// Six bits, of which the two values that are no digit are thrown
			// away, so that each digit is as likely as the others.
			if i := int(r & 63); i < len(digits) {
				b = append(b, digits[i])
			}
			if len(b) == cap(b) {
				return string(b), sha256.Sum256(b)
			}
		}
	}
}

// Hash returns the hash of a secret, or false for a text that cannot be one of
// this kind.
func (k Kind) Hash(secret string) (Hash, bool) {
	rest, ok := strings.CutPrefix(secret, string(k[:]))
	if !ok || len(rest) != digitLen {
		return Hash{}, false
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		default:
			return Hash{}, false
		}
	}
	var b [prefixLen + digitLen]byte // on the stack: this is done for every request
	copy(b[:], secret)
	return sha256.Sum256(b[:]), true
}
