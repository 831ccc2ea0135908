package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

var (
	_ user.Store     = Users{}
	_ password.Store = Passwords{}
)

// Users are the users in a database.
type Users struct{ db *DB }

func (us Users) Create(ctx context.Context, u user.User, passwordHash string) error {
	groups, err := textOf(u.Groups)
	if err != nil {
		return err
	}
	return us.db.writer.do(ctx, &op{run: func(c *conn) error {
		return insertUser(c, u, groups, passwordHash)
	}})
}

// insertUser adds a row, or fails with ErrEmailTaken or ErrPhoneTaken.
func insertUser(c *conn, u user.User, groups, passwordHash string) error {
	_, err := c.exec("INSERT INTO users ("+userColumns+", password) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		u.ID, u.Email, u.EmailKey, u.EmailVerified, u.Name, u.Disabled, millis(u.CreationDtm), millis(u.UpdatedDtm), u.Epoch, groups,
		u.Phone, u.PhoneVerified, passwordHash)
	return whose(err)
}

// whose says whose an address or a phone number is where the error of a write
// says that it is somebody's.
func whose(err error) error {
	switch {
	case !duplicate(err):
		return err
	case strings.Contains(err.Error(), "users.phone"):
		return user.ErrPhoneTaken
	}
	return user.ErrEmailTaken
}

func (us Users) ByID(ctx context.Context, id string) (user.User, error) {
	if err := ctx.Err(); err != nil {
		return user.User{}, unavailable(err)
	}
	u, seen, ok := us.db.users.get(id)
	if !ok {
		var err error
		if u, err = us.find(ctx, "id = ?", id); err != nil {
			return user.User{}, err
		}
		us.db.users.fill(id, u, seen)
	}
	return shown(u), nil
}

// shown returns a user who shares nothing with the one in memory.
func shown(u *user.User) user.User {
	own := *u
	own.Groups = slices.Clone(own.Groups)
	return own
}

// ByEmail always asks the file: the password check that follows takes a
// thousand times as long.
func (us Users) ByEmail(ctx context.Context, key string) (user.User, error) {
	return us.named(ctx, "email_key = ? AND email_key <> ''", key)
}

// ByPhone asks the file as ByEmail does.
func (us Users) ByPhone(ctx context.Context, number string) (user.User, error) {
	return us.named(ctx, "phone = ? AND phone <> ''", number)
}

// named returns the user whom a condition names, by the words of an index.
func (us Users) named(ctx context.Context, where, value string) (user.User, error) {
	u, err := us.find(ctx, where, value)
	if err != nil {
		return user.User{}, err
	}
	return *u, nil
}

func (us Users) find(ctx context.Context, where, value string) (*user.User, error) {
	found, err := us.list(ctx, where, value)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, user.ErrNoUser
	}
	return &found[0], nil
}

// list returns the users that a condition names.
func (us Users) list(ctx context.Context, where string, args ...any) (found []user.User, err error) {
	err = us.db.read(ctx, func(c *conn) error {
		var bad error
		err := c.query(func(row []driver.Value) bool {
			u, err := userOf(row)
			found, bad = append(found, *u), err
			return err == nil
		}, "SELECT "+userColumns+" FROM users WHERE "+where, args...)
		return cmp.Or(err, bad)
	})
	return found, err
}

func (us Users) List(ctx context.Context, after string, limit int) ([]user.User, error) {
	if after == "" {
		after = lastText
	}
	return us.list(ctx, "id < ? ORDER BY id DESC LIMIT ?", after, int64(limit))
}

func (us Users) Update(ctx context.Context, id string, ch user.Change, now time.Time) (user.User, error) {
	var changed *user.User
	var e ending
	shut := ch.EndsSessions()
	err := us.db.writer.do(ctx, &op{
		run: func(c *conn) (err error) {
			changed, err = update(c, id, ch, now)
			if err == nil && shut {
				changed.Epoch++
				e, err = us.db.endAll(c, id, "", now)
			}
			return err
		},
		apply: func() {
			us.db.users.drop(id)
			if shut {
				us.db.forget(session.Which{UserID: id}, e)
			}
		},
	})
	if err != nil {
		return user.User{}, err
	}
	return *changed, nil
}

// update changes a row and returns it, but leaves the sessions alone.
func update(c *conn, id string, ch user.Change, now time.Time) (u *user.User, err error) {
	var groups *string
	if ch.Groups != nil {
		text, err := textOf(ch.Groups)
		if err != nil {
			return nil, err
		}
		groups = &text
	}
	var bad error
	err = c.query(func(row []driver.Value) bool {
		u, bad = userOf(row)
		return true
	}, `UPDATE users SET email = coalesce(?, email), email_key = coalesce(?, email_key), verified = coalesce(?, verified),
		phone = coalesce(?, phone), phone_verified = coalesce(?, phone_verified),
		name = coalesce(?, name), disabled = coalesce(?, disabled), group_keys = coalesce(?, group_keys), updated = ?
		WHERE id = ? RETURNING `+userColumns,
		orNull(ch.Email), orNull(ch.EmailKey), orNull(ch.EmailVerified), orNull(ch.Phone), orNull(ch.PhoneVerified),
		orNull(ch.Name), orNull(ch.Disabled), orNull(groups), millis(now), id)
	switch {
	case err == nil && u == nil:
		return nil, user.ErrNoUser
	case err == nil && bad == nil && u.EmailKey == "" && u.Phone == "":
		return nil, user.ErrNameless // which rolls the change back
	}
	return u, cmp.Or(whose(err), bad)
}

func (us Users) Delete(ctx context.Context, id string, now time.Time) error {
	var e ending
	return us.db.writer.do(ctx, &op{
		run: func(c *conn) (err error) {
			if e, err = us.db.endAll(c, id, "", now); err != nil {
				return err
			}
			n, err := c.exec("DELETE FROM users WHERE id = ?", id)
			if err == nil && n == 0 {
				err = user.ErrNoUser
			}
			return err
		},
		apply: func() {
			us.db.users.drop(id)
			us.db.forget(session.Which{UserID: id}, e)
		},
	})
}

// hasUser fails with ErrNoUser where there is no user with an id.
func hasUser(c *conn, id string) error {
	found := false
	err := c.query(func([]driver.Value) bool {
		found = true
		return false
	}, "SELECT 1 FROM users WHERE id = ?", id)
	if err == nil && !found {
		err = user.ErrNoUser
	}
	return err
}

// orNull returns what p points to, or NULL.
func orNull[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// Passwords are the hashes of passwords in a database.
type Passwords struct{ db *DB }

func (ps Passwords) Hash(ctx context.Context, userID string) (hash string, err error) {
	err = ps.db.read(ctx, func(c *conn) error {
		v, err := c.one("SELECT password FROM users WHERE id = ?", userID)
		hash, _ = v.(string)
		return err
	})
	if err == nil && hash == "" {
		err = password.ErrNoPassword
	}
	return hash, err
}

func (ps Passwords) SetHash(ctx context.Context, userID, prev, next string) error {
	return ps.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("UPDATE users SET password = CASE WHEN ?1 IN ('', password) THEN ?2 ELSE password END WHERE id = ?3",
			prev, next, userID)
		if err == nil && n == 0 {
			err = password.ErrNoPassword
		}
		return err
	}})
}
