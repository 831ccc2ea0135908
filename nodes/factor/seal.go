package factor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A Key seals the secrets that a store keeps, so that whoever has a copy of the
// store but not the key cannot make codes. The zero Key seals nothing: secrets
// are then kept as they are.
type Key [32]byte

// The first byte of what is kept says how.
const (
	bare   = 0 // the secret follows
	sealed = 1 // the nonce and the secret under AES-256-GCM follow
)

var errSealed = errors.New("secret of a second factor is sealed under another key, or there is no key: set secret-key to the one it was made with")

// seal makes of a user's secret what is kept.
func (k Key) seal(userID string, secret []byte) ([]byte, error) {
	if k == (Key{}) {
		return append([]byte{bare}, secret...), nil
	}
	box, err := k.box()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+box.NonceSize())
	out[0] = sealed
	rand.Read(out[1:]) // never fails
	return box.Seal(out, out[1:], secret, []byte(userID)), nil
}

// open returns the secret in what is kept of a user.
func (k Key) open(userID string, kept []byte) ([]byte, error) {
	if len(kept) > 0 && kept[0] == bare {
		return kept[1:], nil
	}
	if k == (Key{}) {
		return nil, errSealed
	}
	box, err := k.box()
	if err != nil {
		return nil, err
	}
	if len(kept) < 1+box.NonceSize() || kept[0] != sealed {
		return nil, errSealed
	}
	nonce, text := kept[1:1+box.NonceSize()], kept[1+box.NonceSize():]
	secret, err := box.Open(nil, nonce, text, []byte(userID))
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

// box is the cipher of a key of its own, so that the server's key can be used for
// other things, too.
func (k Key) box() (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, k[:], nil, "sluice second factor", len(k))
	if err != nil {
		return nil, fmt.Errorf("deriving key: %w", err)
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, fmt.Errorf("making cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
