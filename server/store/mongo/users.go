package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/engine"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

var (
	_ user.Store     = Users{}
	_ password.Store = Passwords{}
)

// maxRounds is how often a change that others overtake starts over.
const maxRounds = 20

// errOvertaken says that others were faster every time.
var errOvertaken = fmt.Errorf("%w: others change the same at the same time", engine.ErrUnavailable)

// Users are the users in a database.
type Users struct{ db *DB }

func (us Users) Create(ctx context.Context, u user.User, passwordHash string) error {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	if claimed, err := us.db.claimAll(ctx, u.EmailKey, u.Phone, u.ID); err != nil {
		us.db.unclaim(ctx, claimed)
		return err
	}
	if _, err := us.db.users.InsertOne(ctx, accountOf(u, passwordHash)); err != nil {
		return failed("adding user", err) // the claims lapse in a minute
	}
	return nil
}

func (us Users) ByID(ctx context.Context, id string) (user.User, error) {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	a, err := us.db.account(ctx, id)
	if err != nil {
		return user.User{}, err
	}
	return a.user(), nil
}

// ByEmail goes by the claim. A claim that its user does not confirm is of an
// address that the user is about to have, or has left.
func (us Users) ByEmail(ctx context.Context, key string) (user.User, error) {
	return us.byClaim(ctx, key, func(a *account) bool { return a.Key == key })
}

// ByPhone goes by the claim as ByEmail does.
func (us Users) ByPhone(ctx context.Context, number string) (user.User, error) {
	return us.byClaim(ctx, number, func(a *account) bool { return a.Phone == number })
}

// byClaim returns the user of a claim who confirms it.
func (us Users) byClaim(ctx context.Context, key string, confirms func(*account) bool) (user.User, error) {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	c, err := find[claim](ctx, us.db.claims, where(is("_id", key)))
	if err != nil {
		return user.User{}, err
	}
	if c == nil {
		return user.User{}, user.ErrNoUser
	}
	a, err := us.db.account(ctx, c.UID)
	switch {
	case err != nil:
		return user.User{}, err
	case key == "" || !confirms(a):
		return user.User{}, user.ErrNoUser
	}
	return a.user(), nil
}

// account returns a user's document, or ErrNoUser.
func (db *DB) account(ctx context.Context, id string) (*account, error) {
	a, err := find[account](ctx, db.users, where(is("_id", id)))
	if err == nil && a == nil {
		err = user.ErrNoUser
	}
	return a, err
}

func (us Users) Update(ctx context.Context, id string, ch user.Change, now time.Time) (user.User, error) {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	var a *account
	var err error
	if ch.EmailKey == nil && ch.Phone == nil {
		a, err = us.db.change(ctx, where(is("_id", id)), ch, now)
	} else {
		a, err = us.db.move(ctx, id, ch, now)
	}
	switch {
	case err != nil:
		return user.User{}, err
	case a == nil:
		return user.User{}, user.ErrNoUser
	}
	if ch.EndsSessions() {
		// The sessions have ended with the write above, whatever becomes of this.
		_, _ = us.db.clean(ctx, a, now)
	}
	return a.user(), nil
}

func (us Users) List(ctx context.Context, after string, limit int) ([]user.User, error) {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	filter := where()
	if after != "" {
		filter = where(below("_id", after))
	}
	var found []account
	rows, err := us.db.users.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(limit)))
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("listing users", err)
	}
	page := make([]user.User, len(found))
	for i := range found {
		page[i] = found[i].user()
	}
	return page, nil
}

// Delete deletes the user first: that ends the sessions and every proof, and
// leaves claims that their user does not confirm.
func (us Users) Delete(ctx context.Context, id string, now time.Time) error {
	ctx, cancel := us.db.bound(ctx)
	defer cancel()
	a, err := us.db.account(ctx, id)
	if err != nil {
		return err
	}
	claims, err := us.db.held(ctx, a)
	if err != nil {
		return err
	}
	defer us.db.recent.forgetUser(id)
	done, err := us.db.users.DeleteOne(ctx, where(is("_id", id)))
	switch {
	case err != nil:
		return failed("deleting user", err)
	case done.DeletedCount == 0:
		return user.ErrNoUser
	}
	// What stays of these counts for nothing.
	us.db.unclaim(ctx, claims)
	_, _ = us.db.sessions.DeleteMany(ctx, where(is("uid", id)))
	_, _ = us.db.keys.DeleteMany(ctx, where(is("uid", id)))
	_, _ = us.db.factors.DeleteOne(ctx, where(is("_id", id)))
	_, _ = us.db.identities.DeleteMany(ctx, where(is("uid", id)))
	_, _ = us.db.passkeys.DeleteMany(ctx, where(is("uid", id)))
	return nil
}

// move changes a user whose address or phone number is among what changes. It
// claims first what is new, and leaves last what was.
func (db *DB) move(ctx context.Context, id string, ch user.Change, now time.Time) (*account, error) {
	for range maxRounds {
		was, err := db.account(ctx, id)
		if err != nil {
			return nil, err
		}
		key, number := next(was.Key, ch.EmailKey), next(was.Phone, ch.Phone)
		if key == "" && number == "" {
			return nil, user.ErrNameless
		}
		old, err := db.held(ctx, was)
		if err != nil {
			return nil, err
		}
		if _, err := db.claimAll(ctx, other(key, was.Key), other(number, was.Phone), id); err != nil {
			return nil, err
		}
		a, err := db.change(ctx, where(is("_id", id), is("key", was.Key), hasNumber(was.Phone)), ch, now)
		switch {
		case err != nil:
			return nil, err // whether the claims are confirmed is not known
		case a == nil:
			continue // somebody moved the user meanwhile
		}
		db.unclaim(ctx, slices.DeleteFunc(old, func(c *claim) bool { return a.has(c.Key) }))
		return a, nil
	}
	return nil, fmt.Errorf("changing address: %w", errOvertaken)
}

// next is what a field has after a change.
func next(was string, to *string) string {
	if to == nil {
		return was
	}
	return *to
}

// other returns what a field is to have where it had something else, or "".
func other(to, was string) string {
	if to == was {
		return ""
	}
	return to
}

// hasNumber is the condition that a user has a number, or none where it is "".
func hasNumber(number string) bson.E {
	if number == "" {
		return condition("phone", "$in", bson.A{"", nil}) // nil is also what is absent
	}
	return is("phone", number)
}

// change makes one write to the user that a filter names, and returns the user
// as it is after that, or nil where there is none.
func (db *DB) change(ctx context.Context, filter bson.D, ch user.Change, now time.Time) (*account, error) {
	set := bson.M{"upd": date(now)}
	put(set, "email", ch.Email)
	put(set, "key", ch.EmailKey)
	put(set, "verified", ch.EmailVerified)
	put(set, "phone", ch.Phone)
	put(set, "reached", ch.PhoneVerified)
	put(set, "name", ch.Name)
	put(set, "disabled", ch.Disabled)
	if ch.Groups != nil {
		set["groups"] = append([]string{}, ch.Groups...)
	}
	update := bson.M{"$set": set}
	if ch.EndsSessions() {
		set["spared"] = ""
		update["$inc"] = bson.M{"epoch": int64(1)}
	}
	return db.changed(ctx, filter, update)
}

func put[T any](set bson.M, field string, value *T) {
	if value != nil {
		set[field] = *value
	}
}

// changed takes a filter that begins with the user's id.
func (db *DB) changed(ctx context.Context, filter bson.D, update bson.M) (*account, error) {
	defer db.recent.forgetUsers(filter)
	raw, err := db.users.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("changing user", err)
	}
	return decode[account](raw)
}

// endAll ends all sessions of a user, and every proof made before, but spares
// the session with an id where that counts. It returns the user as it is after
// that, or nil where there is none.
func (db *DB) endAll(ctx context.Context, userID, except string, now time.Time) (*account, error) {
	for range maxRounds {
		filter, spared := where(is("_id", userID)), ""
		if except != "" {
			a, err := find[account](ctx, db.users, filter)
			if err != nil || a == nil {
				return nil, err
			}
			// Sparing must not bring back a session that has ended, so that it holds
			// only for the epoch at which the session was found to count.
			found, err := db.named(ctx, a, session.Which{UserID: userID, ID: except}, now)
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				spared = except
			}
			filter = append(filter, is("epoch", a.Epoch))
		}
		a, err := db.changed(ctx, filter, bson.M{"$inc": bson.M{"epoch": int64(1)}, "$set": bson.M{"spared": spared}})
		if err != nil || a != nil || except == "" {
			return a, err
		}
	}
	return nil, fmt.Errorf("ending sessions: %w", errOvertaken)
}

// Passwords are the hashes of passwords in a database.
type Passwords struct{ db *DB }

func (ps Passwords) Hash(ctx context.Context, userID string) (string, error) {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	a, err := ps.db.account(ctx, userID)
	switch {
	case errors.Is(err, user.ErrNoUser), err == nil && a.Hash == "":
		return "", password.ErrNoPassword
	case err != nil:
		return "", err
	}
	return a.Hash, nil
}

func (ps Passwords) SetHash(ctx context.Context, userID, prev, next string) error {
	ctx, cancel := ps.db.bound(ctx)
	defer cancel()
	filter := where(is("_id", userID))
	if prev != "" {
		filter = append(filter, is("hash", prev))
	}
	done, err := ps.db.users.UpdateOne(ctx, filter, bson.M{"$set": bson.M{"hash": next}})
	switch {
	case err != nil:
		return failed("setting password", err)
	case done.MatchedCount > 0:
		return nil
	}
	if _, err = ps.db.account(ctx, userID); errors.Is(err, user.ErrNoUser) {
		return password.ErrNoPassword
	}
	return err
}
