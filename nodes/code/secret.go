package code

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
)

// The form of a token: a prefix by which secret scanners know it, then the slot
// and 32 random bytes, in characters that need no escape in a URL.
const (
	tokenPrefix = "slc_"
	secretLen   = 32
	tokenLen    = 64 // of the characters behind the prefix
)

// A Key makes the hashes of digits, which could be found by trying them all, of
// no use to whoever has a copy of the store but not the key.
type Key [32]byte

// NewKey returns a key that was never there before.
func NewKey() (k Key) {
	rand.Read(k[:]) // never fails
	return k
}

// SlotOf returns the slot of a purpose and its subject: an id of a user, or an
// address in place of a user who is not there.
func SlotOf(purpose, subject string) Slot {
	sum := sha256.Sum256([]byte("slot\x00" + purpose + "\x00" + subject))
	return Slot(sum[:len(Slot{})])
}

// newToken returns a token of a slot, and its hash.
func newToken(slot Slot, purpose string) (token string, h Hash) {
	var b [len(slot) + secretLen]byte
	copy(b[:], slot[:])
	rand.Read(b[len(slot):]) // never fails
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]), tokenHash(purpose, b[len(slot):])
}

// readToken returns the slot and the hash of a token, or false for a text that
// cannot be one.
func readToken(token, purpose string) (slot Slot, h Hash, ok bool) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(text) != tokenLen || strings.ContainsAny(text, "\r\n") {
		return slot, h, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return slot, h, false
	}
	copy(slot[:], b)
	return slot, tokenHash(purpose, b[len(slot):]), true
}

func tokenHash(purpose string, secret []byte) Hash {
	return sha256.Sum256(append([]byte("token\x00"+purpose+"\x00"), secret...))
}

// newDigits returns n random digits.
func newDigits(n int) string {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	v, err := rand.Int(rand.Reader, most)
	if err != nil {
		panic("code: " + err.Error()) // rand.Reader never fails
	}
	text := v.String()
	return strings.Repeat("0", n-len(text)) + text
}

// digitsHash returns the hash of digits in a slot. Spaces and dashes, which
// people put between groups of digits, do not count.
func (k Key) digitsHash(slot Slot, digits string) Hash {
	bare := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, digits)
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte("digits\x00"))
	mac.Write(slot[:])
	mac.Write([]byte(bare))
	return Hash(mac.Sum(nil))
}
