package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// newRecovery returns a recovery code of 80 random bits in four groups of
// letters and digits, so that it can be written down and nobody finds it by its
// hash.
func newRecovery() string {
	var b [10]byte
	rand.Read(b[:]) // never fails
	text := strings.ToLower(letters.EncodeToString(b[:]))
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// RecoveryHash returns the hash of a user's recovery code, however its groups
// and letters are written.
func RecoveryHash(userID, code string) Hash {
	plain := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return sha256.Sum256([]byte("recovery\x00" + userID + "\x00" + plain))
}
