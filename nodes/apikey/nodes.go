package apikey

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/session"
)

// Ways out of the key nodes.
var (
	NotFound   = engine.NewOutcome("notFound", engine.NotFound, "There is no such API key.")
	InvalidKey = engine.NewOutcome("invalidKey", engine.Invalid, "An API key cannot be as asked.")
)

// Nodes returns the key nodes, which keep keys in s and record what they do in rec.
func Nodes(s Store, rec *audit.Recorder) []*engine.Node {
	n := keeper{s, rec}
	return []*engine.Node{
		engine.Define("apikey.create", "Makes an API key that belongs to the caller. The key is shown this once. "+
			"It is refused while its user is disabled, and only endpoints that demand access groups can make one.",
			n.create, InvalidKey, session.NoAuthority).Writing("keys"),
		engine.Define("apikey.get", "Finds an API key by its id.", n.get, NotFound).Reading("keys"),
		engine.Define("apikey.list", "Lists API keys, newest first, a page at a time.", n.list).Reading("keys"),
		engine.Define("apikey.update", "Renames, suspends or resumes an API key. What a key may call never changes.",
			n.update, NotFound, InvalidKey).Writing("keys"),
		engine.Define("apikey.end", "Ends an API key for good, from the next request on.", n.end, NotFound).Writing("keys"),
	}
}

type keeper struct {
	store Store
	audit *audit.Recorder
}

type createIn struct {
	By        session.Authority `json:"by" secret:"true" doc:"Authority of the caller: $session.authority."`
	Name      string            `json:"name" min:"1" max:"100" doc:"What the key is for."`
	Scope     string            `json:"scope" enum:"full|readOnly|only|except" doc:"Which of the endpoints that take keys it may call: all, those with GET, or those that endpoints lists, or all others."`
	Endpoints []string          `json:"endpoints,omitzero" max:"100" doc:"Endpoints of an only or except scope, as in GET /orders/{id}."`
	Lifetime  *time.Duration    `json:"lifetime" min:"1m" max:"3650d" doc:"After what time the key is refused; absent for never."`
}

// Fresh is a key that was just made: the one moment it is shown.
type Fresh struct {
	Key
	Secret string `json:"key" secret:"once" doc:"The key itself. Send it in the Authorization header."`
}

func (n keeper) create(ctx context.Context, in createIn) (Fresh, error) {
	if !in.By.Holds() {
		return Fresh{}, session.NoAuthority
	}
	k := Key{Name: in.Name, Scope: in.Scope, Endpoints: in.Endpoints, UserID: in.By.UserID}
	if in.Lifetime != nil {
		k.ExpiresDtm = time.Now().UTC().Add(*in.Lifetime)
	}
	text, made, err := Make(ctx, n.store, n.audit, k)
	var fault Fault
	switch {
	case errors.As(err, &fault):
		return Fresh{}, InvalidKey.Saying(string(fault))
	case err != nil:
		return Fresh{}, err
	}
	return Fresh{Key: made, Secret: text}, nil
}

// oneIn names a key.
type oneIn struct {
	ID     string  `json:"id" doc:"Id of the key."`
	UserID *string `json:"userId" doc:"User to whom the key must belong; absent for anybody's."`
}

// which returns the key that is named, or NotFound where nothing can have such a
// name: an empty user would be anybody.
func (in oneIn) which() (Which, error) {
	w := Which{ID: in.ID}
	if in.UserID != nil {
		w.UserID = *in.UserID
	}
	if w.ID == "" || in.UserID != nil && w.UserID == "" {
		return w, NotFound
	}
	return w, nil
}

func (n keeper) get(ctx context.Context, in oneIn) (Key, error) {
	w, err := in.which()
	if err != nil {
		return Key{}, err
	}
	k, err := ByID(ctx, n.store, w)
	switch {
	case errors.Is(err, ErrNoKey):
		return Key{}, NotFound
	case err != nil:
		return Key{}, err
	}
	return k, nil
}

// ByID returns the key that w names, usable or not, or ErrNoKey.
func ByID(ctx context.Context, s Store, w Which) (Key, error) {
	// The list is ordered by id, greatest first, so that the key is the first
	// behind any text that comes right before its id.
	page, err := s.List(ctx, w.UserID, w.ID+"~", 1)
	switch {
	case err != nil:
		return Key{}, fmt.Errorf("reading key: %w", err)
	case len(page) == 0 || page[0].ID != w.ID:
		return Key{}, ErrNoKey
	}
	return page[0], nil
}

type listIn struct {
	UserID *string `json:"userId" doc:"User to whom the keys belong; absent for all keys."`
	After  string  `json:"after,omitzero" doc:"Where the page starts: next of the page before."`
	Limit  int     `json:"limit" default:"20" min:"1" max:"100" doc:"Most keys on a page."`
}

type listOut struct {
	Keys []Key  `json:"keys" doc:"Keys on this page, newest first."`
	Next string `json:"next,omitzero" doc:"Where the next page starts; absent on the last one."`
}

func (n keeper) list(ctx context.Context, in listIn) (listOut, error) {
	userID := ""
	if in.UserID != nil {
		if userID = *in.UserID; userID == "" {
			return listOut{}, nil // and not those of everybody
		}
	}
	page, err := n.store.List(ctx, userID, in.After, in.Limit+1) // one more tells whether there are more
	if err != nil {
		return listOut{}, fmt.Errorf("listing keys: %w", err)
	}
	out := listOut{Keys: page}
	if len(page) > in.Limit {
		out.Keys = page[:in.Limit]
		out.Next = page[in.Limit-1].ID
	}
	return out, nil
}

type updateIn struct {
	ID        string  `json:"id" doc:"Id of the key."`
	UserID    *string `json:"userId" doc:"User to whom the key must belong; absent for anybody's."`
	Name      *string `json:"name" max:"100" doc:"What the key is for."`
	Suspended *bool   `json:"suspended" doc:"Whether the key is refused until it is resumed."`
}

func (n keeper) update(ctx context.Context, in updateIn) (Key, error) {
	w, err := oneIn{ID: in.ID, UserID: in.UserID}.which()
	if err != nil {
		return Key{}, err
	}
	if in.Name != nil && !named(*in.Name) {
		return Key{}, InvalidKey.Saying("A key has a name of 1 to 100 visible characters.")
	}
	k, err := Amend(ctx, n.store, n.audit, w, Change{Name: in.Name, Suspended: in.Suspended})
	switch {
	case errors.Is(err, ErrNoKey):
		return Key{}, NotFound
	case err != nil:
		return Key{}, fmt.Errorf("changing key: %w", err)
	}
	return k, nil
}

func (n keeper) end(ctx context.Context, in oneIn) (engine.None, error) {
	w, err := in.which()
	if err != nil {
		return engine.None{}, err
	}
	switch err := End(ctx, n.store, n.audit, w); {
	case errors.Is(err, ErrNoKey):
		return engine.None{}, NotFound
	case err != nil:
		return engine.None{}, fmt.Errorf("ending key: %w", err)
	}
	return engine.None{}, nil
}
