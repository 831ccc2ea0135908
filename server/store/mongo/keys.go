package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/apikey"
	"sluice/nodes/record"
)

var _ apikey.Store = Keys{}

// Keys are the API keys in a database.
type Keys struct{ db *DB }

// An apiKey is an API key as the database has it.
type apiKey struct {
	Hash      bson.Binary   `bson:"_id"`
	KID       string        `bson:"kid"` // public id
	Name      string        `bson:"name"`
	Scope     string        `bson:"scope"`
	Endpoints []string      `bson:"endpoints"`
	Roles     []string      `bson:"roles,omitempty"`
	UID       string        `bson:"uid"` // "" for nobody's
	Suspended bool          `bson:"suspended"`
	Created   bson.DateTime `bson:"cre"`
	Expires   bson.DateTime `bson:"exp"` // 0 for never
	Used      bson.DateTime `bson:"used"`
}

func keyOf(h apikey.Hash, k apikey.Key) *apiKey {
	return &apiKey{
		Hash: binary(h[:]), KID: k.ID, Name: k.Name, Scope: k.Scope, Endpoints: k.Endpoints, Roles: k.Roles, UID: k.UserID, Suspended: k.Suspended,
		Created: date(k.CreationDtm), Expires: dateOrZero(k.ExpiresDtm), Used: dateOrZero(k.LastUsedDtm),
	}
}

func (k *apiKey) record() (record.Record, error) {
	if len(k.Hash.Data) != len(apikey.Hash{}) {
		return nil, fmt.Errorf("API key %s has a hash of %d bytes", k.KID, len(k.Hash.Data))
	}
	return record.KeyOf(apikey.Hash(k.Hash.Data), k.apikey()), nil
}

func (k *apiKey) apikey() apikey.Key {
	return apikey.Key{
		ID: k.KID, Name: k.Name, Scope: k.Scope, Endpoints: k.Endpoints, Roles: k.Roles, UserID: k.UID, Suspended: k.Suspended,
		CreationDtm: k.Created.Time().UTC(), ExpiresDtm: timeOrZero(k.Expires), LastUsedDtm: timeOrZero(k.Used),
	}
}

func dateOrZero(t time.Time) bson.DateTime {
	if t.IsZero() {
		return 0
	}
	return date(t)
}

func timeOrZero(d bson.DateTime) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return d.Time().UTC()
}

func (ks Keys) Create(ctx context.Context, h apikey.Hash, k apikey.Key) error {
	ctx, cancel := ks.db.bound(ctx)
	defer cancel()
	if _, err := ks.db.keys.InsertOne(ctx, keyOf(h, k)); err != nil {
		return failed("adding key", err)
	}
	return nil
}

// Get reads the key, and its user where it has one.
func (ks Keys) Get(ctx context.Context, h apikey.Hash, now time.Time) (*apikey.Key, error) {
	ctx, cancel := ks.db.bound(ctx)
	defer cancel()
	found, err := find[apiKey](ctx, ks.db.checked.keys, where(is("_id", binary(h[:]))))
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, apikey.ErrNoKey
	}
	k := found.apikey()
	if !k.Usable(now) {
		return nil, apikey.ErrNoKey
	}
	if k.UserID == "" {
		return &k, nil
	}
	owner, err := find[account](ctx, ks.db.checked.users, where(is("_id", k.UserID)), lean())
	switch {
	case err != nil:
		return nil, err
	case owner == nil || owner.Disabled:
		return nil, apikey.ErrNoKey
	}
	return &k, nil
}

func (ks Keys) List(ctx context.Context, userID, after string, limit int) ([]apikey.Key, error) {
	ctx, cancel := ks.db.bound(ctx)
	defer cancel()
	filter := bson.D{}
	if userID != "" {
		filter = append(filter, is("uid", userID))
	}
	if after != "" {
		filter = append(filter, below("kid", after))
	}
	var found []apiKey
	rows, err := ks.db.keys.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "kid", Value: -1}}).SetLimit(int64(limit)))
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading keys", err)
	}
	page := make([]apikey.Key, len(found))
	for i := range found {
		page[i] = found[i].apikey()
	}
	return page, nil
}

// ofKey is the filter of the key that w names.
func ofKey(w apikey.Which) bson.D {
	filter := where(is("kid", w.ID))
	if w.UserID != "" {
		filter = append(filter, is("uid", w.UserID))
	}
	return filter
}

func (ks Keys) Update(ctx context.Context, w apikey.Which, c apikey.Change) (apikey.Key, error) {
	ctx, cancel := ks.db.bound(ctx)
	defer cancel()
	set := bson.M{"kid": w.ID} // which it has: an update must set something
	put(set, "name", c.Name)
	put(set, "suspended", c.Suspended)
	raw, err := ks.db.keys.FindOneAndUpdate(ctx, ofKey(w), bson.M{"$set": set}, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	switch {
	case errors.Is(err, driver.ErrNoDocuments):
		return apikey.Key{}, apikey.ErrNoKey
	case err != nil:
		return apikey.Key{}, failed("changing key", err)
	}
	changed, err := decode[apiKey](raw)
	if err != nil {
		return apikey.Key{}, err
	}
	return changed.apikey(), nil
}

func (ks Keys) End(ctx context.Context, w apikey.Which) error {
	ctx, cancel := ks.db.bound(ctx)
	defer cancel()
	done, err := ks.db.keys.DeleteOne(ctx, ofKey(w))
	switch {
	case err != nil:
		return failed("ending key", err)
	case done.DeletedCount == 0:
		return apikey.ErrNoKey
	}
	return nil
}

func (ks Keys) Touch(h apikey.Hash, now time.Time) {
	ks.db.touches.add(use{hash: h, at: now, key: true})
}

// note notes a use that waited.
func (db *DB) note(ctx context.Context, u use) error {
	if u.key {
		return db.touchKey(ctx, u)
	}
	return db.touch(ctx, u)
}

// touchKey notes a use of a key that is there.
func (db *DB) touchKey(ctx context.Context, u use) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	at := date(u.at)
	_, err := db.keys.UpdateOne(ctx, where(is("_id", binary(u.hash[:])), below("used", at)),
		bson.M{"$set": bson.M{"used": at}})
	if err != nil {
		return failed("noting use of a key", err)
	}
	return nil
}
