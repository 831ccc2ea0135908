package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/record"
	"sluice/nodes/user"
)

var _ apikey.Store = Keys{}

// maxKeys is how many keys are kept in memory, far more than anybody has.
const maxKeys = 10_000

// keyColumns in the order in which keyOf takes them from a row.
const keyColumns = "hash, id, name, scope, endpoints, user_id, suspended, created, expires, used, roles"

// Keys are the API keys in a database.
type Keys struct{ db *DB }

func (ks Keys) Create(ctx context.Context, h apikey.Hash, k apikey.Key) error {
	return ks.db.writer.do(ctx, &op{
		run:   func(c *conn) error { return insertKey(c, record.KeyOf(h, k)) },
		apply: func() { ks.db.keys.drop(h) },
	})
}

func insertKey(c *conn, r *record.Key) error {
	h, k := r.Key()
	endpoints, err := textOf(k.Endpoints)
	if err != nil {
		return err
	}
	roles, err := textOf(k.Roles)
	if err != nil {
		return err
	}
	var owner any
	if k.UserID != "" {
		owner = k.UserID
	}
	_, err = c.exec("INSERT INTO keys ("+keyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		h[:], k.ID, k.Name, k.Scope, endpoints, owner, k.Suspended, millis(k.CreationDtm), millisOrNull(k.ExpiresDtm), millisOrNull(k.LastUsedDtm), roles)
	return err
}

// Get reads the key and its user from memory, which is never older than what was
// acknowledged.
func (ks Keys) Get(ctx context.Context, h apikey.Hash, now time.Time) (*apikey.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	k, seen, ok := ks.db.keys.get(h)
	if !ok {
		var err error
		if k, err = ks.find(ctx, h); err != nil {
			return nil, err
		}
		ks.db.keys.fill(h, k, seen)
	}
	if !k.Usable(now) {
		return nil, apikey.ErrNoKey
	}
	if k.UserID == "" {
		return k, nil
	}
	owner, err := Users(ks).ByID(ctx, k.UserID)
	switch {
	case errors.Is(err, user.ErrNoUser), err == nil && owner.Disabled:
		return nil, apikey.ErrNoKey
	case err != nil:
		return nil, err
	}
	return k, nil
}

// find reads a key from the file, usable or not.
func (ks Keys) find(ctx context.Context, h apikey.Hash) (*apikey.Key, error) {
	page, err := ks.read(ctx, 1, "hash = ?", h[:])
	switch {
	case err != nil:
		return nil, err
	case len(page) == 0:
		return nil, apikey.ErrNoKey
	}
	return &page[0], nil
}

func (ks Keys) List(ctx context.Context, userID, after string, limit int) ([]apikey.Key, error) {
	if after == "" {
		after = lastText
	}
	if userID == "" {
		return ks.read(ctx, limit, "id < ? ORDER BY id DESC", after)
	}
	return ks.read(ctx, limit, "user_id = ? AND id < ? ORDER BY id DESC", userID, after)
}

// read returns the first keys on which a condition holds.
func (ks Keys) read(ctx context.Context, limit int, where string, args ...any) (page []apikey.Key, err error) {
	err = ks.db.read(ctx, func(c *conn) error {
		var bad error
		err := c.query(func(row []driver.Value) bool {
			k, err := ks.db.keyOf(row)
			if bad = err; err == nil {
				page = append(page, k)
			}
			return err == nil && len(page) < limit
		}, "SELECT "+keyColumns+" FROM keys WHERE "+where, args...)
		if err == nil {
			err = bad
		}
		return err
	})
	return page, err
}

func (ks Keys) Update(ctx context.Context, w apikey.Which, ch apikey.Change) (changed apikey.Key, err error) {
	var h apikey.Hash
	err = ks.db.writer.do(ctx, &op{
		run: func(c *conn) error {
			var bad error
			found := false
			err := c.query(func(row []driver.Value) bool {
				found, h = true, apikey.Hash(row[0].([]byte))
				changed, bad = ks.db.keyOf(row)
				return true
			}, `UPDATE keys SET name = coalesce(?, name), suspended = coalesce(?, suspended)
				WHERE id = ? AND ? IN ('', user_id) RETURNING `+keyColumns, orNull(ch.Name), orNull(ch.Suspended), w.ID, w.UserID)
			switch {
			case err != nil:
				return err
			case !found:
				return apikey.ErrNoKey
			}
			return bad
		},
		apply: func() { ks.db.keys.drop(h) },
	})
	return changed, err
}

func (ks Keys) End(ctx context.Context, w apikey.Which) error {
	var h apikey.Hash
	return ks.db.writer.do(ctx, &op{
		run: func(c *conn) error {
			found := false
			err := c.query(func(row []driver.Value) bool {
				found, h = true, apikey.Hash(row[0].([]byte))
				return true
			}, "DELETE FROM keys WHERE id = ? AND ? IN ('', user_id) RETURNING hash", w.ID, w.UserID)
			if err == nil && !found {
				err = apikey.ErrNoKey
			}
			return err
		},
		apply: func() { ks.db.keys.drop(h) },
	})
}

// Touch shows the use to readers of memory at once, and to the file about a
// second later.
func (ks Keys) Touch(h apikey.Hash, now time.Time) {
	now = time.UnixMilli(millis(now)).UTC()
	ks.db.keyUses.add(h, now)
	ks.db.keys.change(h, func(k *apikey.Key) *apikey.Key { return used(k, now) })
}

// used returns a key as it is after a use.
func used(k *apikey.Key, at time.Time) *apikey.Key {
	if !at.After(k.LastUsedDtm) {
		return k
	}
	u := *k
	u.LastUsedDtm = at
	return &u
}

// keyOf reads a key from keyColumns, with the use of it that waits.
func (db *DB) keyOf(row []driver.Value) (apikey.Key, error) {
	k := apikey.Key{
		ID: row[1].(string), Name: row[2].(string), Scope: row[3].(string), Suspended: row[6] != int64(0), CreationDtm: timeOf(row[7]),
		ExpiresDtm: timeOrZero(row[8]), LastUsedDtm: timeOrZero(row[9]),
	}
	k.UserID, _ = row[5].(string)
	endpoints, err := groupsOf(row[4].(string))
	roles, bad := groupsOf(row[10].(string))
	if len(endpoints) > 0 {
		k.Endpoints = endpoints
	}
	if len(roles) > 0 {
		k.Roles = roles
	}
	return *used(&k, db.keyUses.of(apikey.Hash(row[0].([]byte)))), errors.Join(err, bad)
}

func millisOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return millis(t)
}

func timeOrZero(v driver.Value) time.Time {
	if v == nil {
		return time.Time{}
	}
	return timeOf(v)
}

// keyUses are the last uses of keys that are not in the file yet.
type keyUses struct {
	mu      sync.Mutex
	waiting map[apikey.Hash]time.Time // guarded by mu
}

func (u *keyUses) add(h apikey.Hash, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.After(u.waiting[h]) {
		u.waiting[h] = now
	}
}

// of returns the use of a key that waits, or zero.
func (u *keyUses) of(h apikey.Hash) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.waiting[h]
}

// take returns the uses that wait, which wait no longer. One that cannot be
// written is lost, and the next use of the key is noted again.
func (u *keyUses) take() map[apikey.Hash]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.waiting) == 0 {
		return nil
	}
	taken := u.waiting
	u.waiting = map[apikey.Hash]time.Time{}
	return taken
}

// flushKeyUses writes the uses of keys that wait.
func (db *DB) flushKeyUses() error {
	uses := db.keyUses.take()
	if uses == nil {
		return nil
	}
	return db.writer.do(context.Background(), &op{run: func(c *conn) error {
		for h, at := range uses {
			if _, err := c.exec("UPDATE keys SET used = ?1 WHERE hash = ?2 AND coalesce(used, 0) < ?1", millis(at), h[:]); err != nil {
				return err
			}
		}
		return nil
	}})
}
