package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

var _ session.Store = Sessions{}

// Sessions are the sessions in a database.
type Sessions struct{ db *DB }

// Create asks for the user twice: first so that a stale proof writes nothing,
// then so that it tells of an end of all sessions that came in between. Such a
// session counts for nothing even where the second answer does not arrive.
func (ss Sessions) Create(ctx context.Context, h session.Hash, s session.Session) error {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	if err := ss.db.prove(ctx, s.UserID); err != nil {
		return err
	}
	if _, err := ss.db.sessions.InsertOne(ctx, documentOf(h, s)); err != nil {
		return failed("adding session", err)
	}
	err := ss.db.prove(ctx, s.UserID)
	if errors.Is(err, session.ErrStaleProof) {
		_, _ = ss.db.sessions.DeleteOne(ctx, where(is("_id", binary(h[:])))) // it is dead anyhow
	}
	return err
}

// prove returns ErrStaleProof where a proof is no longer valid.
func (db *DB) prove(ctx context.Context, p user.ProvenID) error {
	a, err := db.account(ctx, p.ID)
	if errors.Is(err, user.ErrNoUser) || err == nil && (a.Disabled || a.Epoch != p.Epoch) {
		return session.ErrStaleProof
	}
	return err
}

func (ss Sessions) Get(ctx context.Context, h session.Hash, now time.Time) (*session.Session, error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	if ss.db.recent != nil {
		return ss.db.recent.get(ctx, h, now)
	}
	d, err := byToken(h, alive(ctx, ss.db.checked.sessions, now))
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, session.ErrNoSession
	}
	a, err := find[account](ctx, ss.db.checked.users, where(is("_id", d.UID)), lean())
	switch {
	case err != nil:
		return nil, err
	case a == nil || !a.counts(d):
		return nil, session.ErrNoSession
	}
	return d.session(a), nil
}

// lean reads of a user only what tells which sessions count.
func lean() options.Lister[options.FindOneOptions] {
	return options.FindOne().SetProjection(bson.M{"epoch": 1, "spared": 1, "disabled": 1, "open": 1})
}

func (ss Sessions) List(ctx context.Context, userID, after string, limit int, now time.Time) ([]session.Session, error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	a, err := find[account](ctx, ss.db.users, where(is("_id", userID)), lean())
	if err != nil || a == nil || a.Disabled {
		return nil, err
	}
	filter := where(is("uid", userID), above("exp", date(now)))
	if after != "" {
		filter = append(filter, below("sid", after))
	}
	if a.Spared == "" {
		filter = append(filter, is("epoch", a.Epoch))
	} else {
		filter = append(filter, either(where(is("epoch", a.Epoch)), where(is("sid", a.Spared))))
	}
	return ss.db.page(ctx, a, filter, limit)
}

// page lists the sessions of an account that a filter names and that count.
func (db *DB) page(ctx context.Context, a *account, filter bson.D, limit int) (page []session.Session, err error) {
	o := options.Find().SetSort(bson.D{{Key: "sid", Value: -1}}).SetLimit(int64(limit))
	for rest := filter; ; {
		found, err := db.list(ctx, rest, o)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			if a.counts(&d) && len(page) < limit {
				page = append(page, *d.session(a))
			}
		}
		// Some may be left that are too many and that nobody could delete.
		if len(page) == limit || len(found) < limit {
			return page, nil
		}
		rest = append(filter[:len(filter):len(filter)], below("sid", found[limit-1].SID))
	}
}

func (db *DB) list(ctx context.Context, filter bson.D, opts ...options.Lister[options.FindOptions]) (found []document, err error) {
	rows, err := db.sessions.Find(ctx, filter, opts...)
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading sessions", err)
	}
	return found, nil
}

// named returns the live sessions of an account that w names by its user, and
// that count.
func (db *DB) named(ctx context.Context, a *account, w session.Which, now time.Time) ([]document, error) {
	found, err := db.list(ctx, ofUser(w, now))
	if err != nil {
		return nil, err
	}
	counting := found[:0]
	for _, d := range found {
		if a.counts(&d) {
			counting = append(counting, d)
		}
	}
	return counting, nil
}

// ofUser is the filter of the sessions that w names by their user.
func ofUser(w session.Which, now time.Time) bson.D {
	filter := where(is("uid", w.UserID), above("exp", date(now)))
	switch {
	case w.ID != "":
		filter = append(filter, is("sid", w.ID))
	case w.Except != "":
		filter = append(filter, not("sid", w.Except))
	}
	return filter
}

func (ss Sessions) Update(ctx context.Context, w session.Which, g session.Groups, now time.Time) (int, error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	found, err := ss.toUpdate(ctx, w, now)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, d := range found {
		changed, err := ss.regroup(ctx, &d, g, now)
		if err != nil {
			return n, err
		}
		if changed {
			n++
		}
	}
	return n, nil
}

// toUpdate returns the live sessions that w names.
func (ss Sessions) toUpdate(ctx context.Context, w session.Which, now time.Time) ([]document, error) {
	if w.Hash == (session.Hash{}) {
		a, err := ss.db.account(ctx, w.UserID)
		switch {
		case errors.Is(err, user.ErrNoUser):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return ss.db.named(ctx, a, w, now)
	}
	d, err := byToken(w.Hash, alive(ctx, ss.db.sessions, now))
	if err != nil || d == nil {
		return nil, err
	}
	a, err := ss.db.account(ctx, d.UID)
	switch {
	case errors.Is(err, user.ErrNoUser), err == nil && !a.counts(d):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []document{*d}, nil
}

// regroup changes the groups of a session, unless it has ended meanwhile.
func (ss Sessions) regroup(ctx context.Context, d *document, g session.Groups, now time.Time) (bool, error) {
	defer ss.db.recent.forgetSession(d.Hash.Data)
	live := where(is("_id", d.Hash), above("exp", date(now)))
	for range maxRounds {
		done, err := ss.db.sessions.UpdateOne(ctx, append(live[:len(live):len(live)], is("ver", d.Version)),
			bson.M{"$set": bson.M{"groups": append([]string{}, g.Apply(d.Groups)...)}, "$inc": bson.M{"ver": int64(1)}})
		if err != nil {
			return false, failed("changing access groups", err)
		}
		if done.MatchedCount > 0 {
			return true, nil
		}
		if d, err = find[document](ctx, ss.db.sessions, live); err != nil || d == nil {
			return false, err
		}
	}
	return false, fmt.Errorf("changing access groups: %w", errOvertaken)
}

// End counts what it deletes, so that of many who end a session one counts it.
// The count falls short where the database fails between the end of all sessions
// and their deletion.
func (ss Sessions) End(ctx context.Context, w session.Which, now time.Time) (int, error) {
	ctx, cancel := ss.db.bound(ctx)
	defer cancel()
	switch {
	case w.Hash != session.Hash{}:
		d, err := byToken(w.Hash, alive(ctx, ss.db.sessions, now))
		if err != nil || d == nil {
			return 0, err
		}
		return ss.db.end(ctx, d.Hash, now)
	case w.ID != "":
		found, err := ss.db.list(ctx, ofUser(w, now))
		if err != nil || len(found) == 0 {
			return 0, err
		}
		return ss.db.end(ctx, found[0].Hash, now)
	}
	a, err := ss.db.endAll(ctx, w.UserID, w.Except, now)
	if err != nil || a == nil {
		return 0, err
	}
	n, _ := ss.db.clean(ctx, a, now) // the sessions have ended, whatever becomes of this
	return n, nil
}

// end deletes one session and counts it if it was not expired.
func (db *DB) end(ctx context.Context, hash bson.Binary, now time.Time) (int, error) {
	defer db.recent.forgetSession(hash.Data)
	done, err := db.sessions.DeleteOne(ctx, where(is("_id", hash), above("exp", date(now))))
	if err != nil {
		return 0, failed("ending session", err)
	}
	return int(done.DeletedCount), nil
}

// clean deletes the sessions of a user that ended with an epoch and returns how
// many were not expired. Expired ones are left to the database.
func (db *DB) clean(ctx context.Context, a *account, now time.Time) (int, error) {
	done, err := db.sessions.DeleteMany(ctx, where(is("uid", a.ID), not("sid", a.Spared), below("epoch", a.Epoch), above("exp", date(now))))
	if err != nil {
		return 0, failed("deleting ended sessions", err)
	}
	return int(done.DeletedCount), nil
}

func (ss Sessions) Touch(h session.Hash, now time.Time) { ss.db.touches.add(use{hash: h, at: now}) }

// touch notes a use of a session that is live, once that is due. It never makes
// a document, and moves nothing back.
func (db *DB) touch(ctx context.Context, u use) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	at := date(u.at)
	d, err := byToken(u.hash, alive(ctx, db.sessions, u.at))
	if err != nil || d == nil {
		return err
	}
	defer db.recent.forgetSession(d.Hash.Data) // also where another process was first
	s := d.session(&account{})
	if !s.TouchDue(u.at) {
		return nil
	}
	s = s.Touched(u.at)
	_, err = db.sessions.UpdateOne(ctx, where(is("_id", d.Hash), below("seen", at), above("exp", at)),
		bson.M{"$set": bson.M{"seen": at, "exp": date(s.ExpiresDtm), "purge": date(s.ExpiresDtm.Add(grace))}})
	if err != nil {
		return failed("noting use of a session", err)
	}
	return nil
}
