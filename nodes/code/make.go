package code

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/password"
	"sluice/nodes/user"
)

const (
	maxTries = 5  // of digits
	longest  = 32 // bytes of digits with what people put between them
)

// Wanted says what a code is to be.
type Wanted struct {
	Purpose  string
	User     *user.User // whose slot it has; nil for that of To
	To       string     // address or phone number that it is sent to; "" for none
	Digits   int        // how many; 0 for a token
	Uses     int        // of a token; 0 for one
	Lifetime time.Duration
	At       time.Time
}

// New makes a code, which is nobody's until Bind, and its secret.
func (m Means) New(w Wanted) (c Code, secret string) {
	c = Code{
		Slot: SlotOf(w.Purpose, subject(w.User, w.To)), Digits: w.Digits > 0,
		CreatedDtm: w.At, ExpiresDtm: w.At.Add(w.Lifetime), To: w.To,
	}
	if c.Digits {
		secret, c.Left = newDigits(w.Digits), maxTries
		c.Hash = m.Key.digitsHash(c.Slot, secret)
		return c, secret
	}
	secret, c.Hash = newToken(c.Slot, w.Purpose)
	c.Left = max(1, w.Uses)
	return c, secret
}

// subject is whose code it is: a user's, or that of an address or a phone number.
func subject(u *user.User, to string) string {
	if u != nil {
		return "user\x00" + u.ID
	}
	return "address\x00" + spelling(to)
}

// spelling is the same for all spellings of an address or a phone number, and ""
// for what is neither, which nobody has.
func spelling(to string) string {
	if _, key, err := user.EmailKey(to); err == nil {
		return key
	}
	number, err := user.PhoneNumber(to)
	if err != nil {
		return ""
	}
	return number
}

// Bind makes a code one of a user, for as long as the user signs in as now.
func (m Means) Bind(ctx context.Context, c *Code, u user.User) (err error) {
	c.UserID = u.ID
	c.State, err = m.state(ctx, u)
	return err
}

// state is a hash of what a user signs in with, and of the count of ends of all
// sessions: a code counts while it is the same.
func (m Means) state(ctx context.Context, u user.User) (h Hash, err error) {
	stored, err := m.Passwords.Hash(ctx, u.ID)
	if err != nil && !errors.Is(err, password.ErrNoPassword) {
		return h, fmt.Errorf("reading password: %w", err)
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(u.Epoch))
	b = append(b, u.EmailKey...)
	if u.Phone != "" {
		b = append(append(b, 0), u.Phone...)
	}
	b = append(b, 0)
	b = append(b, stored...)
	return sha256.Sum256(b), nil
}
