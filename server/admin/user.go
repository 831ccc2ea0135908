package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Most things on a page.
const maxPage = 1000

// ListUsers is the input of user.list.
type ListUsers struct {
	After string `json:"after,omitzero"` // id behind which the page begins
	Limit int    `json:"limit"`
}

// Users is a page of users, newest first.
type Users struct {
	Users []user.User `json:"users"`
	Next  string      `json:"next,omitzero"` // where the next page begins; "" on the last one
}

func (d *Desk) listUsers(ctx context.Context, in ListUsers) (Users, error) {
	limit := min(max(in.Limit, 1), maxPage)
	page, err := d.Stores.Users.List(ctx, in.After, limit+1) // one more tells whether there are more
	if err != nil {
		return Users{}, fmt.Errorf("listing users: %w", err)
	}
	out := Users{Users: append([]user.User{}, page...)}
	if len(page) > limit {
		out.Users, out.Next = page[:limit], page[limit-1].ID
	}
	return out, nil
}

// ShowUser is the input of user.show.
type ShowUser struct {
	User string `json:"user"` // id, e-mail address or phone number
}

// A Person is a user with what belongs to the user.
type Person struct {
	user.User
	Sessions int `json:"sessions"` // that are live; a thousand stands for more, too
}

// Find returns the user with an id, an e-mail address or a phone number.
func (d *Desk) Find(ctx context.Context, name string) (u user.User, err error) {
	if _, key, bad := user.EmailKey(name); bad == nil {
		u, err = d.Stores.Users.ByEmail(ctx, key)
	} else if number, bad := user.PhoneNumber(name); bad == nil {
		u, err = d.Stores.Users.ByPhone(ctx, number)
	} else {
		u, err = d.Stores.Users.ByID(ctx, name)
	}
	switch {
	case errors.Is(err, user.ErrNoUser) && strings.Contains(name, "@"):
		return u, &Refusal{"notFound", fmt.Sprintf("There is no user with the address %.100q.", name)}
	case errors.Is(err, user.ErrNoUser) && strings.HasPrefix(strings.TrimSpace(name), "+"):
		return u, &Refusal{"notFound", fmt.Sprintf("There is no user with the phone number %.100q.", name)}
	case errors.Is(err, user.ErrNoUser):
		return u, &Refusal{"notFound", fmt.Sprintf("There is no user with the id %.100q; an e-mail address or a phone number does as well.", name)}
	case err != nil:
		return u, fmt.Errorf("reading user: %w", err)
	}
	return u, nil
}

func (d *Desk) showUser(ctx context.Context, in ShowUser) (Person, error) {
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return Person{}, err
	}
	page, err := d.Stores.Sessions.List(ctx, u.ID, "", maxPage, time.Now())
	if err != nil {
		return Person{}, fmt.Errorf("listing sessions: %w", err)
	}
	return Person{u, len(page)}, nil
}

// AddUser is the input of user.add; its output is the user.
type AddUser struct {
	Email    string   `json:"email,omitzero"`
	Phone    string   `json:"phone,omitzero"` // at least one of the two
	Password string   `json:"password"`
	Name     string   `json:"name,omitzero"`
	Groups   []string `json:"groups,omitzero"`
}

func (d *Desk) addUser(ctx context.Context, in AddUser) (user.User, error) {
	return user.Add(ctx, d.Stores.Users, d.Hasher, d.Stores.Recorder, user.User{Email: in.Email, Phone: in.Phone, Name: in.Name, Groups: in.Groups}, in.Password)
}

// ChangeUser is the input of user.change; its output is the user. Disabling and
// setting groups end all sessions of the user.
type ChangeUser struct {
	User     string   `json:"user"`              // id, e-mail address or phone number
	Disabled *bool    `json:"disabled,omitzero"` // nil leaves it
	Groups   []string `json:"groups,omitzero"`   // nil leaves them; an empty list takes all away
}

func (d *Desk) changeUser(ctx context.Context, in ChangeUser) (user.User, error) {
	if err := user.CheckGroups(in.Groups); err != nil {
		return user.User{}, err
	}
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return user.User{}, err
	}
	c := user.Change{Disabled: in.Disabled}
	if in.Groups != nil {
		c.Groups = user.SortGroups(in.Groups)
	}
	changed, err := user.Amend(ctx, d.Stores.Users, d.Stores.Recorder, u.ID, c)
	if err != nil {
		return user.User{}, gone(err, "changing user")
	}
	return changed, nil
}

// gone says what was being done when a user was not there any more, or an error came.
func gone(err error, doing string) error {
	if errors.Is(err, user.ErrNoUser) || errors.Is(err, password.ErrNoPassword) {
		return &Refusal{"notFound", "The user is not there any more."}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// SetPassword is the input of user.password. All sessions of the user end.
type SetPassword struct {
	User     string `json:"user"` // id, e-mail address or phone number
	Password string `json:"password"`
}

// Ended says how many live sessions were ended.
type Ended struct {
	Ended int `json:"ended"`
}

// The new password is there before the sessions end, so that nobody comes in
// between with the old one and stays.
func (d *Desk) setPassword(ctx context.Context, in SetPassword) (Ended, error) {
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return Ended{}, err
	}
	hash, err := d.Hasher.New(ctx, in.Password, u.Words()...)
	if err != nil {
		return Ended{}, err
	}
	err = d.Stores.Recorder.Do(ctx, audit.Event{Kind: audit.PasswordChanged, Subject: u.ID}, func(ctx context.Context) error {
		return d.Stores.Passwords.SetHash(ctx, u.ID, "", hash)
	})
	if err != nil {
		return Ended{}, gone(err, "storing password")
	}
	return d.end(ctx, session.Which{UserID: u.ID})
}

// DeleteUser is the input of user.delete. All sessions of the user end.
type DeleteUser struct {
	User string `json:"user"` // id, e-mail address or phone number
}

func (d *Desk) deleteUser(ctx context.Context, in DeleteUser) (user.User, error) {
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return user.User{}, err
	}
	err = d.Stores.Recorder.Do(ctx, audit.Event{Kind: audit.UserDeleted, Subject: u.ID}, func(ctx context.Context) error {
		return d.Stores.Users.Delete(ctx, u.ID, present())
	})
	if err != nil {
		return user.User{}, gone(err, "deleting user")
	}
	return u, nil
}

// present is the time to the millisecond, which is what stores keep.
func present() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
