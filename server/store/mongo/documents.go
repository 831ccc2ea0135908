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
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// An account is a user as the database has it.
type account struct {
	ID       string        `bson:"_id"`
	Email    string        `bson:"email"`
	Key      string        `bson:"key"`
	Verified bool          `bson:"verified"`
	Phone    string        `bson:"phone,omitempty"` // absent for none
	Reached  bool          `bson:"reached"`         // the number is verified
	Name     string        `bson:"name"`
	Disabled bool          `bson:"disabled"`
	Created  bson.DateTime `bson:"cre"`
	Updated  bson.DateTime `bson:"upd"`
	Epoch    int64         `bson:"epoch"`
	Spared   string        `bson:"spared"` // id of the session that counts though its epoch is older; "" for none
	Hash     string        `bson:"hash"`   // of the password; "" for none
	Groups   []string      `bson:"groups"` // absent before there were any
	Open     []string      `bson:"open"`   // ids of the sessions that count of those within a number
	Opens    int64         `bson:"opens"`  // counts changes of Open
}

func accountOf(u user.User, passwordHash string) *account {
	return &account{
		ID: u.ID, Email: u.Email, Key: u.EmailKey, Verified: u.EmailVerified, Phone: u.Phone, Reached: u.PhoneVerified, Name: u.Name, Disabled: u.Disabled,
		Created: date(u.CreationDtm), Updated: date(u.UpdatedDtm), Epoch: u.Epoch, Hash: passwordHash, Groups: append([]string{}, u.Groups...),
	}
}

// user returns the account without what others must not see.
func (a *account) user() user.User {
	return user.User{
		ID: a.ID, Email: a.Email, EmailKey: a.Key, EmailVerified: a.Verified, Phone: a.Phone, PhoneVerified: a.Reached, Name: a.Name, Disabled: a.Disabled,
		CreationDtm: a.Created.Time().UTC(), UpdatedDtm: a.Updated.Time().UTC(), Epoch: a.Epoch,
		Groups: append([]string{}, a.Groups...),
	}
}

// has tells whether the account confirms the claim of an address or a phone number.
func (a *account) has(key string) bool { return key != "" && (a.Key == key || a.Phone == key) }

// counts tells whether a session of the account is of its epoch, or spared, and
// not one too many.
func (a *account) counts(d *document) bool {
	return !a.Disabled && (d.Epoch == a.Epoch || a.Spared != "" && d.SID == a.Spared) && (!d.Within || slices.Contains(a.Open, d.SID))
}

// A document is a session as the database has it.
type document struct {
	Hash    bson.Binary            `bson:"_id"`
	SID     string                 `bson:"sid"` // public id
	UID     string                 `bson:"uid"`
	Epoch   int64                  `bson:"epoch"` // of the user when the session was created
	Created bson.DateTime          `bson:"cre"`
	Seen    bson.DateTime          `bson:"seen"`
	Idle    int64                  `bson:"idle"` // milliseconds
	End     bson.DateTime          `bson:"end"`
	Expires bson.DateTime          `bson:"exp"`
	Purge   bson.DateTime          `bson:"purge"` // when the database may delete the document
	IP      string                 `bson:"ip"`
	Agent   session.UserAgent      `bson:"ua"` // fields have their names in lower case
	Groups  []string               `bson:"groups"`
	Version int64                  `bson:"ver"`          // counts changes of Groups
	Token   bson.Binary            `bson:"tok"`          // hash of the token that is good now
	Of      bson.Binary            `bson:"of,omitempty"` // of a later token: the _id of the session's own document
	Proved  bson.DateTime          `bson:"auth"`         // 0 for never
	Within  bool                   `bson:"within"`       // it counts only while it is among its user's Open
	Actor   *session.Impersonation `bson:"act"`          // fields have their names in lower case
}

// grace is for how long after its end the database keeps a document, so that a
// clock that goes wrong deletes nothing that lives.
const grace = time.Hour

func documentOf(h session.Hash, s session.Session) *document {
	return &document{
		Hash: binary(h[:]), SID: s.ID, UID: s.UserID.ID, Epoch: s.UserID.Epoch,
		Created: date(s.CreationDtm), Seen: date(s.LastSeenDtm), Idle: s.Idle.Milliseconds(), End: date(s.End),
		Expires: date(s.ExpiresDtm), Purge: date(s.ExpiresDtm.Add(grace)),
		IP: s.IP, Agent: s.UserAgent, Groups: append([]string{}, s.AccessGroupKeys...),
		Token: binary(h[:]), Proved: dateOrZero(s.AuthenticatedDtm), Actor: s.ImpersonatedBy,
	}
}

// session returns the session of an account. A session that was spared proves as
// much as a new one, so that it has the account's epoch.
func (d *document) session(a *account) *session.Session {
	return &session.Session{
		ID: d.SID, UserID: user.ProvenID{ID: d.UID, Epoch: a.Epoch},
		CreationDtm: d.Created.Time().UTC(), ExpiresDtm: d.Expires.Time().UTC(), LastSeenDtm: d.Seen.Time().UTC(),
		AccessGroupKeys: d.Groups, IP: d.IP, UserAgent: d.Agent,
		AuthenticatedDtm: timeOrZero(d.Proved), ImpersonatedBy: d.Actor,
		End: d.End.Time().UTC(), Idle: time.Duration(d.Idle) * time.Millisecond,
	}
}

// date is a time as the database has it, in milliseconds.
func date(t time.Time) bson.DateTime { return bson.NewDateTimeFromTime(t) }

func binary(b []byte) bson.Binary { return bson.Binary{Data: b} }

// where is a filter. Each condition names its operator, so that a value is never
// read as one.
func where(conditions ...bson.E) bson.D { return append(bson.D{}, conditions...) }

func is(field string, value any) bson.E    { return condition(field, "$eq", value) }
func not(field string, value any) bson.E   { return condition(field, "$ne", value) }
func above(field string, value any) bson.E { return condition(field, "$gt", value) }
func below(field string, value any) bson.E { return condition(field, "$lt", value) }
func upTo(field string, value any) bson.E  { return condition(field, "$lte", value) }

func condition(field, operator string, value any) bson.E {
	return bson.E{Key: field, Value: bson.D{{Key: operator, Value: value}}}
}

// either is a condition that one of two filters meets.
func either(a, b bson.D) bson.E { return bson.E{Key: "$or", Value: bson.A{a, b}} }

// find returns the one document that a filter names, or nil where there is none.
func find[T any](ctx context.Context, c *driver.Collection, filter bson.D, opts ...options.Lister[options.FindOneOptions]) (*T, error) {
	raw, err := c.FindOne(ctx, filter, opts...).Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("reading "+c.Name(), err)
	}
	return decode[T](raw)
}

func decode[T any](raw bson.Raw) (*T, error) {
	v := new(T)
	if err := bson.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("decoding what the database has: %w", err)
	}
	return v, nil
}

// failed says what was being done when the driver failed. The server's own
// verdict on a command, unless it passes, is a fault of ours; all else is the
// network's or the server's.
func failed(doing string, err error) error {
	var verdict driver.ServerError
	if errors.As(err, &verdict) && !passing(verdict) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, engine.ErrUnavailable, err)
}

// passing tells the answers of a server that is shutting down, was deposed, is
// overloaded, or whose majority is away.
func passing(err driver.ServerError) bool {
	for _, label := range []string{"RetryableWriteError", "TransientTransactionError", "NetworkError", "RetryableError", "SystemOverloadedError"} {
		if err.HasErrorLabel(label) {
			return true
		}
	}
	return slices.ContainsFunc(err.ErrorCodes(), func(code int) bool {
		switch code {
		case 6, 7, 89, 9001, // hosts and sockets
			24, 50, 202, 262, // time limits
			64, 100, 133, 134, // no majority, no primary to read
			91, 189, 10058, 10107, 11600, 11602, 13435, 13436, // shutting down, no primary any more
			112, 462, 13388: // in conflict, overloaded, looking for a shard
			return true
		}
		return false
	}) || driver.IsTimeout(err) || driver.IsNetworkError(err)
}
