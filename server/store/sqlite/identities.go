package sqlite

import (
	"context"
	"database/sql/driver"

	"sluice/nodes/oidc"
	"sluice/nodes/user"
)

var _ oidc.Store = Identities{}

// Identities are what users are at providers, in a database.
type Identities struct{ db *DB }

const identityColumns = "id, user_id, issuer, subject, provider, email, created"

func identityOf(row []driver.Value) oidc.Identity {
	return oidc.Identity{
		ID: row[0].(string), UserID: row[1].(string), Issuer: row[2].(string), Subject: row[3].(string),
		Provider: row[4].(string), Email: row[5].(string), CreationDtm: timeOf(row[6]),
	}
}

// addIdentity adds a row, or fails with ErrTaken.
func addIdentity(c *conn, i oidc.Identity) error {
	_, err := c.exec("INSERT INTO identities ("+identityColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
		i.ID, i.UserID, i.Issuer, i.Subject, i.Provider, i.Email, millis(i.CreationDtm))
	if duplicate(err) {
		return oidc.ErrTaken
	}
	return err
}

func (is Identities) SignUp(ctx context.Context, u user.User, i oidc.Identity) error {
	groups, err := textOf(u.Groups)
	if err != nil {
		return err
	}
	return is.db.writer.do(ctx, &op{run: func(c *conn) error {
		switch there, err := identity(c, i.Issuer, i.Subject); {
		case err != nil:
			return err
		case there != nil:
			return oidc.ErrTaken
		}
		if err := insertUser(c, u, groups, ""); err != nil {
			return err
		}
		return addIdentity(c, i)
	}})
}

func (is Identities) Link(ctx context.Context, i oidc.Identity) error {
	return is.db.writer.do(ctx, &op{run: func(c *conn) error {
		if err := hasUser(c, i.UserID); err != nil {
			return err
		}
		switch there, err := identity(c, i.Issuer, i.Subject); {
		case err != nil:
			return err
		case there == nil:
			return addIdentity(c, i)
		case there.UserID != i.UserID:
			return oidc.ErrTaken
		}
		return nil
	}})
}

// identity returns a row, or nil.
func identity(c *conn, issuer, subject string) (found *oidc.Identity, err error) {
	err = c.query(func(row []driver.Value) bool {
		i := identityOf(row)
		found = &i
		return false
	}, "SELECT "+identityColumns+" FROM identities WHERE issuer = ? AND subject = ?", issuer, subject)
	return found, err
}

func (is Identities) ByIdentity(ctx context.Context, issuer, subject string) (oidc.Identity, error) {
	var found *oidc.Identity
	err := is.db.read(ctx, func(c *conn) (err error) {
		found, err = identity(c, issuer, subject)
		return err
	})
	switch {
	case err != nil:
		return oidc.Identity{}, err
	case found == nil:
		return oidc.Identity{}, oidc.ErrNoIdentity
	}
	return *found, nil
}

func (is Identities) OfUser(ctx context.Context, userID string) (all []oidc.Identity, err error) {
	err = is.db.read(ctx, func(c *conn) error {
		return c.query(func(row []driver.Value) bool {
			all = append(all, identityOf(row))
			return true
		}, "SELECT "+identityColumns+" FROM identities WHERE user_id = ? ORDER BY id", userID)
	})
	return all, err
}

func (is Identities) Unlink(ctx context.Context, userID, id string) error {
	return is.db.writer.do(ctx, &op{run: func(c *conn) error {
		n, err := c.exec("DELETE FROM identities WHERE user_id = ? AND id = ?", userID, id)
		if err == nil && n == 0 {
			err = oidc.ErrNoIdentity
		}
		return err
	}})
}
