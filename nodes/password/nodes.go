package password

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// Mismatch is the way out of password.check. It does not say whether there is
// such a user.
var Mismatch = engine.NewOutcome("mismatch", engine.Unauthenticated, "The e-mail address or the password is wrong.")

// Factors tell who has to show a second factor.
type Factors interface {
	// Active tells whether a user has a second factor that counts.
	Active(ctx context.Context, userID string) (bool, error)
}

// Means are what the password nodes work with.
type Means struct {
	Passwords Store
	Users     user.Store
	Factors   Factors
	Wrong     *limit.Throttle // counts wrong passwords
	Hasher    *Hasher
	Audit     *audit.Recorder // nil for none
}

// Nodes returns the password nodes.
func Nodes(m Means) []*engine.Node {
	return []*engine.Node{
		// A hash that is renewed is of the same password, which is no write to note.
		engine.Define("password.check", "Proves who a user is by the user's password. "+
			"An absent user, a disabled one and one without a password cost the same time as a wrong password and leave by mismatch, so let user.fetch continue on notFound. "+
			"Wrong passwords are counted for the account and for the caller's address, in all flows together: after some, answers come later, then they are throttled.",
			m.check, Mismatch, limit.Throttled, user.Busy).Reading("passwords"),
		engine.Define("password.exists", "Tells whether a user has a password. Ask behind password.check, so that it tells nobody who does not know it already.",
			m.exists).Reading("passwords"),
		engine.Define("password.judge", "Refuses a new password that is too easy to guess. "+
			"password.set does so as well: ask before what cannot be done twice, such as to redeem a code.",
			m.judge, user.WeakPassword),
		engine.Define("password.set", "Sets the password of a user. Sessions live on: end them with session.deleteOthers or session.deleteAll.",
			m.set, user.WeakPassword, user.Busy, user.NotFound, user.Stale).Reading("users").Writing("passwords"),
	}
}

type checkIn struct {
	User     *user.User     `json:"user" absent:"account" doc:"User who claims to sign in, absent where nobody was found."`
	Account  string         `json:"account,omitzero" doc:"What the caller claims to be, as in $body.email: wrong passwords are counted by it where there is no such user."`
	Password string         `json:"password" format:"password" secret:"true" doc:"Password that was given."`
	Earlier  *user.ProvenID `json:"earlier" doc:"Proof that the caller came with, such as $session.userId: the second factor that it has counts for the new one."`
	IP       string         `json:"ip" default:"$request.ip" doc:"Address of the caller."`
}

// account is by what wrong passwords are counted: the same for every spelling of
// an address, and whether or not somebody has it.
func (in *checkIn) account() string {
	if in.User != nil {
		return cmp.Or(in.User.EmailKey, in.User.Phone, in.User.ID)
	}
	if _, key, err := user.EmailKey(in.Account); err == nil {
		return key
	}
	if number, err := user.PhoneNumber(in.Account); err == nil {
		return number
	}
	return in.Account
}

type checkOut struct {
	UserID       user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	SecondFactor bool          `json:"secondFactor" doc:"Whether the user has to show a second factor before a session can be opened."`
}

func (m Means) check(ctx context.Context, in checkIn) (checkOut, error) {
	if m.Hasher.full() {
		return checkOut{}, m.Hasher.turnAway(ctx)
	}
	attempt, err := m.Wrong.Begin(ctx, in.account(), in.IP)
	if err != nil {
		return checkOut{}, m.Audit.Throttled(ctx, m.subject(in), err)
	}
	out, err := m.compare(ctx, in)
	switch {
	case err == nil:
		err = attempt.Succeeded(context.WithoutCancel(ctx))
	case !errors.Is(err, Mismatch):
		err = errors.Join(err, attempt.Undo(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return checkOut{}, err
	}
	return out, nil
}

// compare tells whether the password is that of the user.
func (m Means) compare(ctx context.Context, in checkIn) (checkOut, error) {
	// Nobody and the disabled go the same way as everybody, with an id that has
	// no password.
	var id user.ProvenID
	if in.User != nil && !in.User.Disabled {
		id = user.ProvenID{ID: in.User.ID, Epoch: in.User.Epoch}
	}
	stored, err := m.Passwords.Hash(ctx, id.ID)
	if err != nil && !errors.Is(err, ErrNoPassword) {
		return checkOut{}, fmt.Errorf("reading password: %w", err)
	}
	ok, fresh, err := m.Hasher.Check(ctx, stored, in.Password)
	switch {
	case err != nil:
		return checkOut{}, fmt.Errorf("checking password: %w", err)
	case !ok:
		return checkOut{}, cmp.Or(m.refused(ctx, in, stored), error(Mismatch))
	}
	if fresh != "" {
		if err := m.Passwords.SetHash(ctx, id.ID, stored, fresh); err != nil {
			return checkOut{}, fmt.Errorf("renewing hash: %w", err)
		}
	}
	id.Time = time.Now().UTC().Truncate(time.Millisecond) // what sessions keep
	// A proof that nobody gave in person, as that of a session which somebody else
	// opened, has no second factor to pass on.
	if e := in.Earlier; e == nil || e.ID != id.ID || e.Lacks || user.Personal(*e) != nil {
		if id.Lacks, err = m.Factors.Active(ctx, id.ID); err != nil {
			return checkOut{}, fmt.Errorf("reading second factor: %w", err)
		}
	}
	return checkOut{UserID: id, SecondFactor: id.Lacks}, nil
}

type existsIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
}

type existsOut struct {
	Exists bool `json:"exists" doc:"Whether the user has a password."`
}

func (m Means) exists(ctx context.Context, in existsIn) (existsOut, error) {
	_, err := m.Passwords.Hash(ctx, in.UserID)
	if err != nil && !errors.Is(err, ErrNoPassword) {
		return existsOut{}, fmt.Errorf("reading password: %w", err)
	}
	return existsOut{err == nil}, nil
}

type judgeIn struct {
	Password string `json:"password" format:"password" secret:"true" doc:"New password."`
}

func (m Means) judge(_ context.Context, in judgeIn) (engine.None, error) {
	return engine.None{}, m.Hasher.Judge(in.Password)
}

// refused records a check that failed, in the same way and at the same price
// whoever was meant.
func (m Means) refused(ctx context.Context, in checkIn, stored string) error {
	reason := "wrong password"
	switch {
	case in.User == nil:
		reason = "no such user"
	case in.User.Disabled:
		reason = "user is disabled"
	case stored == "":
		reason = "user has no password"
	}
	return m.Audit.NotProved(ctx, m.subject(in), Mismatch.Name, reason)
}

// subject is what the audit log calls the account that was meant.
func (m Means) subject(in checkIn) string {
	name := m.Audit.Pseudonym(in.account()) // which nobody can tell from the time it takes
	if in.User != nil {
		name = in.User.ID
	}
	return name
}

type setIn struct {
	UserID   user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Password string        `json:"password" format:"password" secret:"true" doc:"New password."`
}

func (m Means) set(ctx context.Context, in setIn) (engine.None, error) {
	if in.UserID.Actor != "" {
		return engine.None{}, user.Stale.Saying("Somebody who acts for a user cannot set the user's password.")
	}
	u, err := m.Users.ByID(ctx, in.UserID.ID)
	switch {
	case errors.Is(err, user.ErrNoUser):
		return engine.None{}, user.NotFound
	case err != nil:
		return engine.None{}, fmt.Errorf("reading user: %w", err)
	case u.Disabled || u.Epoch != in.UserID.Epoch:
		return engine.None{}, user.Stale
	}
	hash, err := m.Hasher.New(ctx, in.Password, u.Words()...)
	if err != nil {
		return engine.None{}, fmt.Errorf("hashing password: %w", err)
	}
	e := audit.Event{Kind: audit.PasswordChanged, Actor: in.UserID.Giver(), Subject: u.ID}
	err = m.Audit.Do(ctx, e, func(ctx context.Context) error { return m.Passwords.SetHash(ctx, u.ID, "", hash) })
	switch {
	case errors.Is(err, ErrNoPassword):
		return engine.None{}, user.NotFound
	case err != nil:
		return engine.None{}, fmt.Errorf("storing password: %w", err)
	}
	return engine.None{}, nil
}
