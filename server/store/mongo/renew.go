package mongo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

// byToken returns the document of the session whose token has a hash, or nil
// where the token is not good any more. It reads documents by their _id.
func byToken(h session.Hash, read func(id []byte) (*document, error)) (*document, error) {
	d, err := read(h[:])
	if err == nil && d != nil && d.Of.Data != nil {
		d, err = read(d.Of.Data)
	}
	if err != nil || d == nil {
		return nil, err
	}
	if good := d.Token.Data; good != nil && !bytes.Equal(good, h[:]) {
		return nil, nil
	}
	return d, nil
}

// alive reads a document of a session that is live at now; nil for none.
func alive(ctx context.Context, in *driver.Collection, now time.Time) func(id []byte) (*document, error) {
	return func(id []byte) (*document, error) {
		return find[document](ctx, in, where(is("_id", binary(id)), above("exp", date(now))))
	}
}

// A later token of a session is a document that leads to the session's own.
type later struct {
	Hash    bson.Binary   `bson:"_id"`
	Of      bson.Binary   `bson:"of"`
	Expires bson.DateTime `bson:"exp"`
	Purge   bson.DateTime `bson:"purge"`
}

// Renew changes the one document of the session. A document for a new token is
// made in front of that and leads nowhere if the change is not made.
func (ss Sessions) Renew(ctx context.Context, h session.Hash, r session.Renewal, now time.Time) (*session.Session, error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	d, err := byToken(h, alive(ctx, ss.db.sessions, now))
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, session.ErrNoSession
	}
	a, err := ss.db.account(ctx, d.UID)
	switch {
	case errors.Is(err, user.ErrNoUser), err == nil && !a.counts(d):
		return nil, session.ErrNoSession
	case err != nil:
		return nil, err
	}
	defer ss.db.recent.forgetSession(d.Hash.Data)
	set := bson.M{"tok": d.Token}
	if r.Hash != (session.Hash{}) {
		set["tok"] = binary(r.Hash[:])
		_, err := ss.db.sessions.InsertOne(ctx, later{binary(r.Hash[:]), d.Hash, d.End, date(d.End.Time().Add(grace))})
		if err != nil {
			return nil, failed("adding token", err)
		}
	}
	update := bson.M{"$set": set}
	if !r.AuthenticatedDtm.IsZero() {
		update["$max"] = bson.M{"auth": date(r.AuthenticatedDtm)}
	}
	raw, err := ss.db.sessions.FindOneAndUpdate(ctx, where(is("_id", d.Hash), is("tok", d.Token), above("exp", date(now))), update,
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	switch {
	case errors.Is(err, driver.ErrNoDocuments):
		if r.Hash != (session.Hash{}) {
			_, _ = ss.db.sessions.DeleteOne(ctx, where(is("_id", binary(r.Hash[:])))) // it leads nowhere
		}
		return nil, session.ErrNoSession
	case err != nil:
		return nil, failed("renewing session", err)
	}
	if d, err = decode[document](raw); err != nil {
		return nil, err
	}
	return d.session(a), nil
}

// CreateWithin adds the session first, which counts for nothing until the one
// write to its user puts it among those that do.
func (ss Sessions) CreateWithin(ctx context.Context, h session.Hash, s session.Session, most int) (ended int, err error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	if err := ss.db.prove(ctx, s.UserID); err != nil {
		return 0, err
	}
	made := documentOf(h, s)
	made.Within = true
	if _, err := ss.db.sessions.InsertOne(ctx, made); err != nil {
		return 0, failed("adding session", err)
	}
	for range maxRounds {
		a, err := ss.db.account(ctx, s.UserID.ID)
		if errors.Is(err, user.ErrNoUser) || err == nil && (a.Disabled || a.Epoch != s.UserID.Epoch) {
			_, _ = ss.db.sessions.DeleteOne(ctx, where(is("_id", made.Hash))) // it is dead anyhow
			return 0, session.ErrStaleProof
		}
		if err != nil {
			return 0, err
		}
		others, err := ss.db.named(ctx, a, session.Which{UserID: s.UserID.ID, Except: s.ID}, s.CreationDtm)
		if err != nil {
			return 0, err
		}
		slices.SortFunc(others, func(x, y document) int { return cmp.Compare(y.SID, x.SID) })
		rest := min(most-1, len(others))
		open := []string{s.ID}
		for _, d := range others[:rest] {
			open = append(open, d.SID)
		}
		// The count only grows: not above what was read is what was read, or none yet.
		changed, err := ss.db.changed(ctx, where(is("_id", a.ID), is("epoch", a.Epoch), neither(where(above("opens", a.Opens)))),
			bson.M{"$set": bson.M{"open": open}, "$inc": bson.M{"opens": int64(1)}})
		if err != nil {
			return 0, err
		}
		if changed != nil {
			return ss.db.drop(ctx, others[rest:])
		}
	}
	return 0, fmt.Errorf("opening session: %w", errOvertaken)
}

// drop deletes sessions that are too many. Those that were opened within a number
// count no longer in any case; the others only now.
func (db *DB) drop(ctx context.Context, old []document) (int, error) {
	for _, d := range old {
		_, err := db.sessions.DeleteOne(ctx, where(is("_id", d.Hash)))
		db.recent.forgetSession(d.Hash.Data)
		if err != nil && !d.Within {
			return 0, failed("ending session", err)
		}
	}
	return len(old), nil
}

// neither is a condition that a filter must not meet.
func neither(f bson.D) bson.E { return bson.E{Key: "$nor", Value: bson.A{f}} }
