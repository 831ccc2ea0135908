package session

import "sluice/nodes/secret"

// NewToken returns a token that was never there before, and its hash.
func NewToken() (string, Hash) { return secret.KindOf("sls_").New() }

// HashOf returns the hash of a token, or false for a text that cannot be one.
func HashOf(token string) (Hash, bool) { return secret.KindOf("sls_").Hash(token) }
