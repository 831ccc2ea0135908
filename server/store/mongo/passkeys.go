package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/passkey"
)

var _ passkey.Store = Passkeys{}

// Passkeys are the passkeys in a database.
type Passkeys struct{ db *DB }

// A keptPasskey is a passkey as the database has it.
type keptPasskey struct {
	Credential bson.Binary    `bson:"_id"`
	ID         string         `bson:"id"`
	UID        string         `bson:"uid"`
	Name       string         `bson:"name"`
	BackedUp   bool           `bson:"backed"`
	Created    bson.DateTime  `bson:"created"`
	Used       *bson.DateTime `bson:"used,omitempty"`
	Count      int64          `bson:"count"` // of signatures
	State      bson.Binary    `bson:"state"`
}

func passkeyDocument(p passkey.Passkey) *keptPasskey {
	d := &keptPasskey{
		Credential: binary(p.Credential), ID: p.ID, UID: p.UserID, Name: p.Name, BackedUp: p.BackedUp,
		Created: date(p.CreationDtm), Count: p.Count, State: binary(p.State),
	}
	if p.LastUsedDtm != nil {
		d.Used = new(date(*p.LastUsedDtm))
	}
	return d
}

func (d *keptPasskey) passkey() passkey.Passkey {
	p := passkey.Passkey{
		ID: d.ID, UserID: d.UID, Credential: d.Credential.Data, Name: d.Name, BackedUp: d.BackedUp,
		CreationDtm: d.Created.Time().UTC(), Count: d.Count, State: d.State.Data,
	}
	if d.Used != nil {
		at := d.Used.Time().UTC()
		p.LastUsedDtm = &at
	}
	return p
}

func (ps Passkeys) Add(ctx context.Context, p passkey.Passkey) error {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	if _, err := ps.db.account(ctx, p.UserID); err != nil {
		return err
	}
	_, err := ps.db.passkeys.InsertOne(ctx, passkeyDocument(p))
	switch {
	case driver.IsDuplicateKeyError(err):
		return passkey.ErrTaken
	case err != nil:
		return failed("adding passkey", err)
	}
	return nil
}

func (ps Passkeys) ByCredential(ctx context.Context, credential []byte) (passkey.Passkey, error) {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	d, err := find[keptPasskey](ctx, ps.db.passkeys, where(is("_id", binary(credential))))
	switch {
	case err != nil:
		return passkey.Passkey{}, err
	case d == nil:
		return passkey.Passkey{}, passkey.ErrNoPasskey
	}
	return d.passkey(), nil
}

func (ps Passkeys) OfUser(ctx context.Context, userID string) ([]passkey.Passkey, error) {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	found, err := owned[keptPasskey](ctx, ps.db.passkeys, userID)
	var list []passkey.Passkey
	for _, d := range found {
		list = append(list, d.passkey())
	}
	return list, err
}

func (ps Passkeys) Used(ctx context.Context, credential []byte, u passkey.Use) error {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	one := where(is("_id", binary(credential)))
	counts := bson.D{{Key: "count", Value: bson.M{"$lt": u.Count}}}
	if u.Count == 0 {
		counts = where(is("count", int64(0)))
	}
	done, err := ps.db.passkeys.UpdateOne(ctx, append(one, counts...), bson.M{"$set": bson.M{
		"used": date(u.At), "count": u.Count, "backed": u.BackedUp, "state": binary(u.State),
	}})
	switch {
	case err != nil:
		return failed("noting the use of a passkey", err)
	case done.MatchedCount > 0:
		return nil
	}
	there, err := find[keptPasskey](ctx, ps.db.passkeys, one)
	switch {
	case err != nil:
		return err
	case there != nil:
		return passkey.ErrCopied
	}
	return passkey.ErrNoPasskey
}

func (ps Passkeys) Remove(ctx context.Context, userID, id string) error {
	return ps.db.remove(ctx, ps.db.passkeys, userID, id, passkey.ErrNoPasskey)
}
