package session

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// The form of a token: a prefix by which secret scanners know it, and word
// characters, which a double click selects whole.
const (
	tokenPrefix = "sls_"
	tokenDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tokenLen    = 43 // digits; as many as hold what 32 random bytes do
)

// NewToken returns a token that was never there before, and its hash.
func NewToken() (string, Hash) {
	b := make([]byte, 0, len(tokenPrefix)+tokenLen)
	b = append(b, tokenPrefix...)
	var random [64]byte
	for {
		rand.Read(random[:]) // never fails: without randomness the process ends
		for _, r := range random {
			// Six bits, of which the two values that are no digit are thrown
			// away, so that each digit is as likely as the others.
			if i := int(r & 63); i < len(tokenDigits) {
				b = append(b, tokenDigits[i])
			}
			if len(b) == cap(b) {
				return string(b), sha256.Sum256(b)
			}
		}
	}
}

// HashOf returns the hash of a token, or false for a text that cannot be one.
func HashOf(token string) (Hash, bool) {
	digits, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(digits) != tokenLen {
		return Hash{}, false
	}
	for i := range len(digits) {
		switch c := digits[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		default:
			return Hash{}, false
		}
	}
	var b [len(tokenPrefix) + tokenLen]byte // on the stack: this is done for every request
	copy(b[:], token)
	return sha256.Sum256(b[:]), true
}
