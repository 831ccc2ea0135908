package mongo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/oidc"
	"sluice/nodes/user"
)

var _ oidc.Store = Identities{}

// Identities are what users are at providers, in a database. A sign-up writes
// the identity first and then the user, so that one which dies in between
// leaves an identity without a user, which counts for nothing and which
// somebody else may take over after a minute, as with the claim of an address.
type Identities struct{ db *DB }

type identity struct {
	Key      bson.Binary   `bson:"_id"` // SHA-256 of issuer and subject
	ID       string        `bson:"id"`
	UID      string        `bson:"uid"`
	Issuer   string        `bson:"issuer"`
	Subject  string        `bson:"subject"`
	Provider string        `bson:"provider"`
	Email    string        `bson:"email"`
	Created  bson.DateTime `bson:"created"`
	At       bson.DateTime `bson:"at"` // when the document was written, by the clock
}

// identityKey names an identity: the issuer by its hash, so that no issuer and
// subject read as another pair.
func identityKey(issuer, subject string) bson.Binary {
	first := sha256.Sum256([]byte(issuer))
	key := sha256.Sum256(append(first[:], subject...))
	return binary(key[:])
}

func identityDocument(i oidc.Identity) identity {
	return identity{
		Key: identityKey(i.Issuer, i.Subject), ID: i.ID, UID: i.UserID, Issuer: i.Issuer, Subject: i.Subject,
		Provider: i.Provider, Email: i.Email, Created: date(i.CreationDtm), At: date(time.Now()),
	}
}

func (d *identity) identity() oidc.Identity {
	return oidc.Identity{
		ID: d.ID, UserID: d.UID, Issuer: d.Issuer, Subject: d.Subject, Provider: d.Provider, Email: d.Email,
		CreationDtm: d.Created.Time().UTC(),
	}
}

// hold makes an identity a user's, or returns ErrTaken. It tells whether the
// user had it already.
func (ids Identities) hold(ctx context.Context, i oidc.Identity) (had bool, err error) {
	c, mine := ids.db.identities, identityDocument(i)
	for range maxRounds {
		_, err := c.InsertOne(ctx, mine)
		if err == nil {
			return false, nil
		}
		if !driver.IsDuplicateKeyError(err) {
			return false, failed("adding identity", err)
		}
		other, err := find[identity](ctx, c, where(is("_id", mine.Key)))
		switch {
		case err != nil:
			return false, err
		case other == nil:
			continue // it was unlinked just now
		case other.UID == i.UserID:
			return true, nil
		case time.Since(other.At.Time()) < lapse:
			return false, oidc.ErrTaken
		}
		if _, err := ids.db.account(ctx, other.UID); !errors.Is(err, user.ErrNoUser) {
			if err == nil {
				err = oidc.ErrTaken
			}
			return false, err
		}
		done, err := c.ReplaceOne(ctx, append(where(is("_id", mine.Key)), bson.E{Key: "id", Value: other.ID}), mine)
		if err != nil {
			return false, failed("adding identity", err)
		}
		if done.MatchedCount > 0 {
			return false, nil
		}
	}
	return false, fmt.Errorf("adding identity: %w", errOvertaken)
}

func (ids Identities) SignUp(ctx context.Context, u user.User, i oidc.Identity) error {
	bounded, cancel := ids.db.bound(ctx)
	defer cancel()
	switch there, err := find[identity](bounded, ids.db.identities, where(is("_id", identityKey(i.Issuer, i.Subject)))); {
	case err != nil:
		return err
	case there != nil && there.UID != i.UserID && time.Since(there.At.Time()) < lapse:
		return oidc.ErrTaken
	}
	claimed, err := ids.db.claimAll(bounded, u.EmailKey, u.Phone, u.ID)
	if err == nil {
		_, err = ids.hold(bounded, i)
	}
	if err != nil {
		ids.db.unclaim(bounded, claimed)
		return err
	}
	return Users(ids).Create(ctx, u, "")
}

func (ids Identities) Link(ctx context.Context, i oidc.Identity) error {
	ctx, cancel := ids.db.bound(ctx)
	defer cancel()
	if _, err := ids.db.account(ctx, i.UserID); err != nil {
		return err
	}
	_, err := ids.hold(ctx, i)
	return err
}

func (ids Identities) ByIdentity(ctx context.Context, issuer, subject string) (oidc.Identity, error) {
	ctx, cancel := ids.db.bound(ctx)
	defer cancel()
	d, err := find[identity](ctx, ids.db.identities, where(is("_id", identityKey(issuer, subject))))
	switch {
	case err != nil:
		return oidc.Identity{}, err
	case d == nil:
		return oidc.Identity{}, oidc.ErrNoIdentity
	}
	return d.identity(), nil
}

func (ids Identities) OfUser(ctx context.Context, userID string) ([]oidc.Identity, error) {
	ctx, cancel := ids.db.bound(ctx)
	defer cancel()
	found, err := owned[identity](ctx, ids.db.identities, userID)
	var list []oidc.Identity
	for _, d := range found {
		list = append(list, d.identity())
	}
	return list, err
}

func (ids Identities) Unlink(ctx context.Context, userID, id string) error {
	return ids.db.remove(ctx, ids.db.identities, userID, id, oidc.ErrNoIdentity)
}
