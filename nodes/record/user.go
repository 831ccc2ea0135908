package record

import (
	"errors"
	"time"

	"sluice/nodes/user"
)

// A User is a user with the hash of the password.
type User struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailKey      string    `json:"emailKey"`
	EmailVerified bool      `json:"emailVerified"`
	Phone         string    `json:"phone,omitempty"` // absent in what releases without numbers wrote
	PhoneVerified bool      `json:"phoneVerified,omitempty"`
	Name          string    `json:"name"`
	Disabled      bool      `json:"disabled"`
	Groups        []string  `json:"groups"`
	Created       time.Time `json:"created"`
	Updated       time.Time `json:"updated"`
	Epoch         int64     `json:"epoch"`
	PasswordHash  string    `json:"passwordHash"` // "" for none
}

// UserOf returns the record of a user.
func UserOf(u user.User, passwordHash string) *User {
	return &User{
		ID: u.ID, Email: u.Email, EmailKey: u.EmailKey, EmailVerified: u.EmailVerified, Phone: u.Phone, PhoneVerified: u.PhoneVerified,
		Name: u.Name, Disabled: u.Disabled,
		Groups: append([]string{}, u.Groups...), Created: moment(u.CreationDtm), Updated: moment(u.UpdatedDtm), Epoch: u.Epoch,
		PasswordHash: passwordHash,
	}
}

// User returns the user without the hash.
func (r *User) User() user.User {
	return user.User{
		ID: r.ID, Email: r.Email, EmailKey: r.EmailKey, EmailVerified: r.EmailVerified, Phone: r.Phone, PhoneVerified: r.PhoneVerified,
		Name: r.Name, Disabled: r.Disabled,
		Groups: append([]string{}, r.Groups...), CreationDtm: r.Created, UpdatedDtm: r.Updated, Epoch: r.Epoch,
	}
}

// Kind is "user".
func (*User) Kind() string { return "user" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *User) Check() error {
	switch {
	case r.ID == "":
		return errors.New("it has no id")
	case r.EmailKey == "" && r.Phone == "":
		return errors.New("it has neither an address nor a phone number")
	case r.Epoch < 0:
		return errors.New("its epoch is below 0")
	}
	return nil
}
