package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sluice/nodes/apikey"
)

var _ apikey.Store = keys{}

type keys struct{ m *memory }

// byID returns the hash of the key that w names, or false.
func (ks keys) byID(w apikey.Which) (apikey.Hash, bool) {
	for h, k := range ks.m.keys {
		if k.ID == w.ID && (w.UserID == "" || k.UserID == w.UserID) {
			return h, true
		}
	}
	return apikey.Hash{}, false
}

func (ks keys) Create(ctx context.Context, h apikey.Hash, k apikey.Key) error {
	if err := ks.m.lock(ctx); err != nil {
		return err
	}
	defer ks.m.mu.Unlock()
	k.Endpoints, k.Roles = slices.Clone(k.Endpoints), slices.Clone(k.Roles)
	ks.m.keys[h] = &k
	return nil
}

func (ks keys) Get(ctx context.Context, h apikey.Hash, now time.Time) (*apikey.Key, error) {
	if err := ks.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ks.m.mu.Unlock()
	k := ks.m.keys[h]
	if k == nil || !k.Usable(now) {
		return nil, apikey.ErrNoKey
	}
	if owner := ks.m.users[k.UserID]; k.UserID != "" && (owner == nil || owner.Disabled) {
		return nil, apikey.ErrNoKey
	}
	return k, nil
}

func (ks keys) List(ctx context.Context, userID, after string, limit int) ([]apikey.Key, error) {
	if err := ks.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ks.m.mu.Unlock()
	var page []apikey.Key
	for _, k := range ks.m.keys {
		if (userID == "" || k.UserID == userID) && (after == "" || k.ID < after) {
			page = append(page, *k)
		}
	}
	slices.SortFunc(page, func(a, b apikey.Key) int { return cmp.Compare(b.ID, a.ID) })
	return page[:min(limit, len(page))], nil
}

func (ks keys) Update(ctx context.Context, w apikey.Which, c apikey.Change) (apikey.Key, error) {
	if err := ks.m.lock(ctx); err != nil {
		return apikey.Key{}, err
	}
	defer ks.m.mu.Unlock()
	h, ok := ks.byID(w)
	if !ok {
		return apikey.Key{}, apikey.ErrNoKey
	}
	k := *ks.m.keys[h]
	set(&k.Name, c.Name)
	set(&k.Suspended, c.Suspended)
	ks.m.keys[h] = &k
	return k, nil
}

func (ks keys) End(ctx context.Context, w apikey.Which) error {
	if err := ks.m.lock(ctx); err != nil {
		return err
	}
	defer ks.m.mu.Unlock()
	h, ok := ks.byID(w)
	if !ok {
		return apikey.ErrNoKey
	}
	delete(ks.m.keys, h)
	return nil
}

func (ks keys) Touch(h apikey.Hash, now time.Time) {
	ks.m.mu.Lock()
	defer ks.m.mu.Unlock()
	if k := ks.m.keys[h]; k != nil && now.After(k.LastUsedDtm) {
		used := *k
		used.LastUsedDtm = now
		ks.m.keys[h] = &used
	}
}
