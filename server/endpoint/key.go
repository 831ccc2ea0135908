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
	"sluice/nodes/session"
)

// A Keys set holds the SHA-256 of every API key of the settings. They reach all
// endpoints that take keys.
type Keys map[[sha256.Size]byte]bool

// key returns the caller's API key, or nil where the flow takes none or it is
// optional and none was sent. A key that is sent must be good, and its scope
// must have the endpoint.
func (e *Endpoint) key(ctx context.Context, r *Request, f *Facts) (*apikey.Key, error) {
	switch {
	case e.flow.APIKey == engine.KeyNone:
		return nil, nil
	case r.APIKey == "" && e.flow.APIKey == engine.KeyRequired:
		return nil, engine.Fail(engine.Unauthenticated, missingKey, "This endpoint needs an API key.")
	case r.APIKey == "":
		return nil, nil // where it is instead of a session, that one is missed
	}
	hash, k, err := e.usable(ctx, r.APIKey, f)
	switch {
	case err != nil:
		return nil, err
	case !k.Allows(e.by.Method, e.by.Path):
		refused := engine.Fail(engine.Forbidden, "insufficient_scope", "The API key is not for this endpoint.")
		return nil, cmp.Or(e.seldom(ctx, audit.Event{Kind: audit.KeyRefused, Subject: k.ID, IP: f.IP, Outcome: "insufficient_scope"}), error(refused))
	}
	return k, e.use(ctx, hash, k, f)
}

// holder is a key as the flow sees it: with authority where it came instead of a
// session, in an endpoint that demands groups.
func (e *Endpoint) holder(k *apikey.Key) *apikey.Caller {
	c := &apikey.Caller{Key: *k}
	if e.flow.APIKey == engine.KeyInstead && len(e.flow.Groups) > 0 {
		c.Authority = session.Authority{KeyID: k.ID, Groups: e.flow.Groups}
	}
	return c
}

// usable returns the API key of a text. Those of the settings have no hash in a store.
func (d *Deps) usable(ctx context.Context, text string, f *Facts) (apikey.Hash, *apikey.Key, error) {
	if hash := sha256.Sum256([]byte(text)); d.Keys[hash] {
		return apikey.Hash{}, &apikey.Key{ID: "settings-" + hex.EncodeToString(hash[:4]), Name: "API key of the settings", Scope: apikey.Full}, nil
	}
	invalid := engine.Fail(engine.Unauthenticated, invalidKey, "The API key is not valid.")
	hash, ok := apikey.HashOf(text)
	if !ok || d.APIKeys == nil {
		return hash, nil, invalid
	}
	k, err := d.APIKeys.Get(ctx, hash, f.Time)
	switch {
	case errors.Is(err, apikey.ErrNoKey):
		return hash, nil, invalid
	case err != nil:
		return hash, nil, unavailable(fmt.Errorf("reading API key: %w", err))
	}
	return hash, k, nil
}

// use notes that a key was used, in the log once an hour for each address.
func (d *Deps) use(ctx context.Context, hash apikey.Hash, k *apikey.Key, f *Facts) error {
	if hash != (apikey.Hash{}) {
		if !k.TouchDue(f.Time) {
			return nil
		}
		d.APIKeys.Touch(hash, f.Time)
	}
	return d.seldom(ctx, audit.Event{Kind: audit.KeyUsed, Actor: audit.KeyActor(k.ID), Subject: k.ID, IP: f.IP})
}

func (d *Deps) seldom(ctx context.Context, event audit.Event) error {
	if err := d.Audit.Seldom(ctx, event); err != nil {
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
