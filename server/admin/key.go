package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/nodes/apikey"
)

// ListKeys is the input of key.list.
type ListKeys struct {
	After string `json:"after,omitzero"` // id behind which the page begins
	Limit int    `json:"limit"`
}

// Keys is a page of API keys, newest first.
type Keys struct {
	Keys []apikey.Key `json:"keys"`
	Next string       `json:"next,omitzero"` // where the next page begins; "" on the last one
}

func (d *Desk) listKeys(ctx context.Context, in ListKeys) (Keys, error) {
	limit := min(max(in.Limit, 1), maxPage)
	page, err := d.Stores.Keys.List(ctx, "", in.After, limit+1) // one more tells whether there are more
	if err != nil {
		return Keys{}, fmt.Errorf("listing API keys: %w", err)
	}
	out := Keys{Keys: append([]apikey.Key{}, page...)}
	if len(page) > limit {
		out.Keys, out.Next = out.Keys[:limit], page[limit-1].ID
	}
	return out, nil
}

// AddKey is the input of key.add; its output is the key, which is told this once.
type AddKey struct {
	Name      string    `json:"name"`
	Scope     string    `json:"scope"`
	Endpoints []string  `json:"endpoints,omitzero"` // of an only or except scope, as in GET /orders/{id}
	Expires   time.Time `json:"expires,omitzero"`   // zero for never
}

func (d *Desk) addKey(ctx context.Context, in AddKey) (apikey.Fresh, error) {
	text, made, err := apikey.Make(ctx, d.Stores.Keys, d.Stores.Recorder, apikey.Key{Name: in.Name, Scope: in.Scope, Endpoints: in.Endpoints, ExpiresDtm: in.Expires})
	if fault := apikey.Fault(""); errors.As(err, &fault) {
		return apikey.Fresh{}, &Refusal{"invalidKey", string(fault)}
	}
	return apikey.Fresh{Key: made, Secret: text}, err
}

// ChangeKey is the input of key.change; its output is the key.
type ChangeKey struct {
	ID        string `json:"id"`
	Suspended bool   `json:"suspended"`
}

func (d *Desk) changeKey(ctx context.Context, in ChangeKey) (apikey.Key, error) {
	k, err := apikey.Amend(ctx, d.Stores.Keys, d.Stores.Recorder, apikey.Which{ID: in.ID}, apikey.Change{Suspended: &in.Suspended})
	return k, noKey(err, in.ID, "changing API key")
}

// EndKey is the input of key.end.
type EndKey struct {
	ID string `json:"id"`
}

func (d *Desk) endKey(ctx context.Context, in EndKey) (Nothing, error) {
	return Nothing{}, noKey(apikey.End(ctx, d.Stores.Keys, d.Stores.Recorder, apikey.Which{ID: in.ID}), in.ID, "ending API key")
}

// noKey says that there is no key with an id, or what was being done when an
// error came.
func noKey(err error, id, doing string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, apikey.ErrNoKey):
		return &Refusal{"notFound", fmt.Sprintf("There is no API key %.100q.", strings.ToValidUTF8(id, "?"))}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
