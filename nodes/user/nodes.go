package user

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
)

// Ways out of the user nodes. Those about passwords are shared with the nodes
// that set them.
var (
	NotFound     = engine.NewOutcome("notFound", engine.NotFound, "There is no such user.")
	EmailTaken   = engine.NewOutcome("emailTaken", engine.Conflict, "The e-mail address belongs to another user.")
	InvalidEmail = engine.NewOutcome("invalidEmail", engine.Invalid, "The e-mail address is not one that mail can be sent to.")
	PhoneTaken   = engine.NewOutcome("phoneTaken", engine.Conflict, "The phone number belongs to another user.")
	InvalidPhone = engine.NewOutcome("invalidPhone", engine.Invalid, "The phone number is not one with a country code, as in +14155550100.")
	WeakPassword = engine.NewOutcome("weakPassword", engine.Invalid, "The password is too easy to guess.")
	Busy         = engine.NewOutcome("busy", engine.Unavailable, "Too many sign-ins and sign-ups at the moment. Try again in a few seconds.")
	// SecondFactorRequired is the way out of nodes that are given a proof which lacks one.
	SecondFactorRequired = engine.NewOutcome("secondFactorRequired", engine.Forbidden, "Show your second factor first.")

	Stale = engine.NewOutcome("stale", engine.Unauthenticated, "The sign-in is no longer valid. Sign in again.")
)

// A Hasher judges new passwords and makes the hashes that are stored of them.
type Hasher interface {
	// New returns the hash of a new password. It returns WeakPassword with a
	// sentence for the user where the password is too easy to guess, also for
	// somebody who knows the words, and Busy where too many wait for a hash.
	New(ctx context.Context, password string, words ...string) (string, error)
}

// Nodes returns the user nodes, which keep users in s, hash passwords by h and
// record what they do in rec.
func Nodes(s Store, h Hasher, rec *audit.Recorder) []*engine.Node {
	n := people{s, h, rec}
	return []*engine.Node{
		engine.Define("user.fetch", "Finds a user by e-mail address, by phone number or by id. The address is compared without regard to case, and the number without regard to blanks and hyphens.",
			n.fetch, NotFound).Reading("users"),
		engine.Define("user.create", "Adds a user who signs in with a password, by an e-mail address, a phone number, or both. "+
			"What it gives proves who the user is, so that a session can be opened at once.",
			n.create, EmailTaken, InvalidEmail, PhoneTaken, InvalidPhone, WeakPassword, Busy).Writing("users", "passwords").
			Only("email", EmailTaken, InvalidEmail).Only("phone", PhoneTaken, InvalidPhone),
		engine.Define("user.add", "Adds a user without a password, who signs in by a code or sets a password by one. It proves nothing.",
			n.add, EmailTaken, InvalidEmail, InvalidGroup).Writing("users"),
		engine.Define("user.update", "Changes what is given of a user. "+
			"A new e-mail address or phone number counts as not verified unless emailVerified or phoneVerified says otherwise. Disabling a user, and setting the user's access groups, ends all of the user's sessions.",
			n.update, NotFound, EmailTaken, InvalidEmail, PhoneTaken, InvalidPhone, LastWay, InvalidGroup).Reading("users").Writing("users", "sessions").
			Only("phone", PhoneTaken, InvalidPhone, LastWay),
	}
}

type people struct {
	store  Store
	hasher Hasher
	audit  *audit.Recorder
}

type fetchIn struct {
	Email string `json:"email,omitzero" doc:"E-mail address of the user."`
	Phone string `json:"phone,omitzero" doc:"Phone number of the user, with the country code."`
	ID    string `json:"id,omitzero" doc:"Id of the user."`
}

func (fetchIn) Alternatives() [][]string { return [][]string{{"email"}, {"phone"}, {"id"}} }

func (p people) fetch(ctx context.Context, in fetchIn) (User, error) {
	var u User
	var err error
	switch {
	case in.ID != "":
		u, err = p.store.ByID(ctx, in.ID)
	case in.Phone != "":
		number, bad := PhoneNumber(in.Phone)
		if bad != nil {
			return User{}, NotFound
		}
		u, err = p.store.ByPhone(ctx, number)
	default:
		_, key, bad := EmailKey(in.Email)
		if bad != nil {
			return User{}, NotFound
		}
		u, err = p.store.ByEmail(ctx, key)
	}
	switch {
	case errors.Is(err, ErrNoUser):
		return User{}, NotFound
	case err != nil:
		return User{}, fmt.Errorf("reading user: %w", err)
	}
	return u, nil
}

type createIn struct {
	Email    string `json:"email,omitzero" doc:"E-mail address of the user."`
	Phone    string `json:"phone,omitzero" doc:"Phone number of the user, with the country code."`
	Password string `json:"password" format:"password" secret:"true" doc:"Password of the user."`
	Name     string `json:"name,omitzero" max:"200" doc:"Name to show."`
}

func (createIn) Alternatives() [][]string {
	return [][]string{{"email"}, {"phone"}, {"email", "phone"}}
}

type createOut struct {
	User   User     `json:"user" doc:"The new user."`
	UserID ProvenID `json:"userId" doc:"Id of the new user, as a proof."`
}

func (p people) create(ctx context.Context, in createIn) (createOut, error) {
	u, err := Add(ctx, p.store, p.hasher, p.audit, User{Email: in.Email, Phone: in.Phone, Name: in.Name}, in.Password)
	if err != nil {
		return createOut{}, err
	}
	return createOut{User: u, UserID: ProvenID{ID: u.ID, Epoch: u.Epoch, Time: u.CreationDtm}}, nil
}

type addIn struct {
	Email  string   `json:"email" doc:"E-mail address of the user."`
	Name   string   `json:"name,omitzero" max:"200" doc:"Name to show."`
	Groups []string `json:"groups,omitzero" doc:"Access groups of the user."`
}

func (p people) add(ctx context.Context, in addIn) (User, error) {
	return Add(ctx, p.store, nil, p.audit, User{Email: in.Email, Name: in.Name, Groups: in.Groups}, "")
}

// Words returns what is known of a user and so must not be the password.
func (u User) Words() []string {
	local, _, _ := strings.Cut(u.Email, "@")
	return []string{u.Email, u.EmailKey, local, u.Name, u.Phone}
}

type updateIn struct {
	UserID        string   `json:"userId" doc:"Id of the user."`
	Name          *string  `json:"name" max:"200" doc:"Name to show."`
	Email         *string  `json:"email" doc:"E-mail address."`
	EmailVerified *bool    `json:"emailVerified" doc:"Whether the user has shown to own the address."`
	Phone         *string  `json:"phone" doc:"Phone number, with the country code; empty to take it away from a user who has an address."`
	PhoneVerified *bool    `json:"phoneVerified" doc:"Whether the user has shown to own the phone number."`
	Disabled      *bool    `json:"disabled" doc:"Whether the user is shut out."`
	Groups        []string `json:"groups,omitzero" doc:"Access groups in place of those there are; an empty list takes all away."`
}

func (p people) update(ctx context.Context, in updateIn) (User, error) {
	if err := CheckGroups(in.Groups); err != nil {
		return User{}, err
	}
	c := Change{Name: in.Name, EmailVerified: in.EmailVerified, PhoneVerified: in.PhoneVerified, Disabled: in.Disabled}
	if in.Groups != nil {
		c.Groups = SortGroups(in.Groups)
	}
	if in.Email != nil {
		display, key, err := EmailKey(*in.Email)
		if err != nil {
			return User{}, InvalidEmail.Because(err)
		}
		c.Email, c.EmailKey = &display, &key
		of := func(u User) bool { return u.EmailKey == key }
		if c.EmailVerified, err = p.verified(ctx, in.UserID, in.EmailVerified, of); err != nil {
			return User{}, err
		}
	}
	if in.Phone != nil {
		if err := p.renumber(ctx, in, &c); err != nil {
			return User{}, err
		}
	}
	u, err := Amend(ctx, p.store, p.audit, in.UserID, c)
	switch {
	case errors.Is(err, ErrNoUser):
		return User{}, NotFound
	case errors.Is(err, ErrEmailTaken):
		return User{}, EmailTaken
	case errors.Is(err, ErrPhoneTaken):
		return User{}, PhoneTaken
	case errors.Is(err, ErrNameless):
		return User{}, LastWay
	case err != nil:
		return User{}, fmt.Errorf("changing user: %w", err)
	}
	return u, nil
}

// renumber adds the phone number that is given to a change.
func (p people) renumber(ctx context.Context, in updateIn, c *Change) (err error) {
	number := ""
	if *in.Phone != "" {
		if number, err = PhoneNumber(*in.Phone); err != nil {
			return InvalidPhone.Because(err)
		}
	}
	c.Phone = &number
	if number == "" { // nobody has shown to own nothing
		c.PhoneVerified = new(bool)
		return nil
	}
	c.PhoneVerified, err = p.verified(ctx, in.UserID, in.PhoneVerified, func(u User) bool { return u.Phone == number })
	return err
}

// verified returns what to set EmailVerified or PhoneVerified to when the address
// or the number is given: what the flow says, or else nothing for the user's own
// and false for another.
func (p people) verified(ctx context.Context, userID string, said *bool, own func(User) bool) (*bool, error) {
	if said != nil {
		return said, nil
	}
	switch u, err := p.store.ByID(ctx, userID); {
	case errors.Is(err, ErrNoUser):
		return nil, NotFound
	case err != nil:
		return nil, fmt.Errorf("reading user: %w", err)
	case own(u):
		return nil, nil
	}
	return new(bool), nil
}

// now is the time to the millisecond, which is what stores and answers keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
