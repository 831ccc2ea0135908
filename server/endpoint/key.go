package endpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/audit"
)

// A Keys set holds the SHA-256 of every API key of the settings. They reach all
// endpoints that take keys.
type Keys map[[sha256.Size]byte]bool

// key returns the caller's API key, or nil where the flow takes none or it is
// optional and none was sent. A key that is sent must be good, and its scope
// must have the endpoint.
func (e *Endpoint) key(ctx context.Context, r *Request, f *Facts) (*apikey.Key, error) {
	switch {
	case e.flow.APIKey == engine.KeyNone, e.flow.APIKey == engine.KeyOptional && r.APIKey == "":
		return nil, nil
	case r.APIKey == "":
		return nil, engine.Fail(engine.Unauthenticated, "missing_API_key", "This endpoint needs an API key.")
	}
	if hash := sha256.Sum256([]byte(r.APIKey)); e.Keys[hash] {
		k := &apikey.Key{ID: "settings-" + hex.EncodeToString(hash[:4]), Name: "API key of the settings", Scope: apikey.Full}
		return k, e.used(ctx, k, f)
	}
	invalid := engine.Fail(engine.Unauthenticated, "invalid_API_key", "The API key is not valid.")
	hash, ok := apikey.HashOf(r.APIKey)
	if !ok || e.APIKeys == nil {
		return nil, invalid
	}
	k, err := e.APIKeys.Get(ctx, hash, f.Time)
	switch {
	case errors.Is(err, apikey.ErrNoKey):
		return nil, invalid
	case err != nil:
		return nil, unavailable(fmt.Errorf("reading API key: %w", err))
	case !k.Allows(e.flow.Method, e.flow.Path):
		refused := engine.Fail(engine.Forbidden, "insufficient_scope", "The API key is not for this endpoint.")
		return nil, cmp.Or(e.seldom(ctx, audit.Event{Kind: audit.KeyRefused, Subject: k.ID, IP: f.IP, Outcome: "insufficient_scope"}), error(refused))
	}
	if k.TouchDue(f.Time) {
		e.APIKeys.Touch(hash, f.Time)
		err = e.used(ctx, k, f)
	}
	return k, err
}

// used notes that a key was used, once an hour for each address.
func (e *Endpoint) used(ctx context.Context, k *apikey.Key, f *Facts) error {
	return e.seldom(ctx, audit.Event{Kind: audit.KeyUsed, Actor: audit.KeyActor(k.ID), Subject: k.ID, IP: f.IP})
}

func (e *Endpoint) seldom(ctx context.Context, event audit.Event) error {
	if err := e.Audit.Seldom(ctx, event); err != nil {
		return unavailable(err)
	}
	return nil
}

// client refuses a caller that does not name its application by a key, where the
// flow wants one. Such a key is public: it proves nothing.
func (e *Endpoint) client(r *Request) error {
	if !e.flow.ClientKey {
		return nil
	}
	keys := r.Header("X-Client-Key")
	if len(keys) == 1 && keys[0] != "" && (len(e.Clients) == 0 || slices.Contains(e.Clients, keys[0])) {
		return nil
	}
	return engine.Fail(engine.Unauthenticated, "invalid_client_key", "The client key is missing or not valid.")
}
