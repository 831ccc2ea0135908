package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A digest is an argon2id hash with all that it was made of but the password.
type digest struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// Lengths in bytes, of what is made and of what is accepted from a store.
const (
	saltLen, keyLen   = 16, 32
	minSalt, maxBytes = 8, 64
	minKey            = 16
)

var errFormat = errors.New("not an argon2id hash within bounds")

// String gives the digest in PHC form, as it is stored.
func (d digest) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, d.memory, d.time, d.threads, b64(d.salt), b64(d.key))
}

// parseDigest reads a digest in PHC form. It refuses every other spelling of
// the same digest, and parameters that would cost too much to use.
func parseDigest(s string) (digest, error) {
	var d digest
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return digest{}, errFormat
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.memory, &d.time, &d.threads); err != nil {
		return digest{}, errFormat
	}
	var errSalt, errKey error
	d.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	d.key, errKey = base64.RawStdEncoding.DecodeString(parts[5])
	switch {
	case errSalt != nil || errKey != nil:
	case d.time < 1 || d.time > maxTime || d.threads < 1 || d.threads > maxThreads:
	case d.memory < 8*uint32(d.threads) || d.memory > maxMemory:
	case len(d.salt) < minSalt || len(d.salt) > maxBytes || len(d.key) < minKey || len(d.key) > maxBytes:
	case d.String() != s:
	default:
		return d, nil
	}
	return digest{}, errFormat
}
