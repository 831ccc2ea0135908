package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// A linker gives identities to users.
type linker struct {
	store   Store
	users   user.Store
	factors Factors
	ways    user.Ways
	audit   *audit.Recorder
}

type provenIn struct {
	Identity Verified `json:"identity" doc:"Who the provider vouches for, as a proof."`
}

type provenOut struct {
	User         user.User     `json:"user" doc:"The user."`
	UserID       user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	SecondFactor bool          `json:"secondFactor" doc:"Whether the user has to show a second factor before a session can be opened."`
}

// proven is the proof of a user, which lacks the second factor where there is one:
// a provider knows nothing of it.
func (l linker) proven(ctx context.Context, u user.User) (provenOut, error) {
	lacks, err := l.factors.Active(ctx, u.ID)
	if err != nil {
		return provenOut{}, fmt.Errorf("reading second factor: %w", err)
	}
	return provenOut{User: u, UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch, Time: now(), Lacks: lacks}, SecondFactor: lacks}, nil
}

func (l linker) prove(ctx context.Context, in provenIn) (provenOut, error) {
	found, err := l.store.ByIdentity(ctx, in.Identity.Issuer, in.Identity.Subject)
	switch {
	case errors.Is(err, ErrNoIdentity):
		return provenOut{}, Unlinked
	case err != nil:
		return provenOut{}, fmt.Errorf("reading identity: %w", err)
	}
	u, err := l.users.ByID(ctx, found.UserID)
	switch {
	case errors.Is(err, user.ErrNoUser):
		return provenOut{}, Unlinked
	case err != nil:
		return provenOut{}, fmt.Errorf("reading user: %w", err)
	case u.Disabled:
		return provenOut{}, l.shut(ctx, u)
	}
	return l.proven(ctx, u)
}

// shut records that a user would be proved who is disabled, and returns Stale.
func (l linker) shut(ctx context.Context, u user.User) error {
	return cmp.Or(l.audit.NotProved(ctx, u.ID, user.Stale.Name, "user is disabled"), error(user.Stale))
}

// told is the event of a change of an identity.
func told(k audit.Kind, i Identity) audit.Event {
	return audit.Event{Kind: k, Actor: i.UserID, Subject: i.UserID, Details: map[string]string{"identity": i.ID, "provider": i.Provider}}
}

type linkIn struct {
	Identity Verified      `json:"identity" doc:"Who the provider vouches for, as a proof."`
	UserID   user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
}

func (l linker) link(ctx context.Context, in linkIn) (Identity, error) {
	u, err := user.Own(ctx, l.users, in.UserID)
	if err != nil {
		return Identity{}, err
	}
	return l.give(ctx, in.Identity, u.ID)
}

// give links an identity to a user, and returns the link that there was where
// the user has it already.
func (l linker) give(ctx context.Context, v Verified, userID string) (Identity, error) {
	has, err := l.store.OfUser(ctx, userID)
	if err != nil {
		return Identity{}, fmt.Errorf("reading identities: %w", err)
	}
	if i := slices.IndexFunc(has, func(i Identity) bool { return i.Issuer == v.Issuer && i.Subject == v.Subject }); i >= 0 {
		return has[i], nil
	}
	if len(has) >= maxLinked {
		return Identity{}, Full
	}
	made, err := newIdentity(v, userID)
	if err != nil {
		return Identity{}, err
	}
	err = l.audit.Do(ctx, told(audit.IdentityAdded, made), func(ctx context.Context) error { return l.store.Link(ctx, made) })
	switch {
	case errors.Is(err, ErrTaken):
		return Identity{}, Taken
	case errors.Is(err, user.ErrNoUser):
		return Identity{}, user.Stale
	case err != nil:
		return Identity{}, fmt.Errorf("linking identity: %w", err)
	}
	return made, nil
}

func newIdentity(v Verified, userID string) (Identity, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Identity{}, fmt.Errorf("making id: %w", err)
	}
	return Identity{
		ID: id.String(), Provider: v.Provider, Email: v.Email, CreationDtm: now(),
		Issuer: v.Issuer, Subject: v.Subject, UserID: userID,
	}, nil
}

func (l linker) linkByEmail(ctx context.Context, in provenIn) (provenOut, error) {
	v := in.Identity
	_, key, err := user.EmailKey(v.Email)
	if err != nil || !v.EmailVerified {
		return provenOut{}, Unlinked
	}
	u, err := l.users.ByEmail(ctx, key)
	switch {
	case errors.Is(err, user.ErrNoUser):
		return provenOut{}, Unlinked
	case err != nil:
		return provenOut{}, fmt.Errorf("reading user: %w", err)
	case !u.EmailVerified:
		return provenOut{}, Unlinked
	case u.Disabled:
		return provenOut{}, l.shut(ctx, u)
	}
	out, err := l.proven(ctx, u)
	if err != nil || out.SecondFactor {
		return out, err // what lasts takes the whole proof
	}
	if _, err := l.give(ctx, v, u.ID); err != nil {
		return provenOut{}, err
	}
	return out, nil
}

type signUpOut struct {
	User   user.User     `json:"user" doc:"The new user."`
	UserID user.ProvenID `json:"userId" doc:"Id of the new user, as a proof."`
}

func (l linker) signUp(ctx context.Context, in provenIn) (signUpOut, error) {
	v := in.Identity
	if v.Email == "" {
		return signUpOut{}, NoEmail
	}
	display, key, err := user.EmailKey(v.Email)
	if err != nil {
		return signUpOut{}, NoEmail.Because(err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return signUpOut{}, fmt.Errorf("making id: %w", err)
	}
	u := user.User{ID: id.String(), Email: display, EmailKey: key, EmailVerified: v.EmailVerified, Name: v.Name, Groups: []string{}, CreationDtm: now()}
	u.UpdatedDtm = u.CreationDtm
	made, err := newIdentity(v, u.ID)
	if err != nil {
		return signUpOut{}, err
	}
	e := told(audit.UserCreated, made)
	e.Actor = "" // as of a user who signs up with a password
	err = l.audit.Do(ctx, e, func(ctx context.Context) error { return l.store.SignUp(ctx, u, made) })
	switch {
	case errors.Is(err, ErrTaken):
		return signUpOut{}, Taken
	case errors.Is(err, user.ErrEmailTaken):
		return signUpOut{}, user.EmailTaken
	case err != nil:
		return signUpOut{}, fmt.Errorf("storing user: %w", err)
	}
	return signUpOut{User: u, UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch, Time: u.CreationDtm}}, nil
}

type listIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
}

type listOut struct {
	Identities []Identity `json:"identities" doc:"The identities, oldest first."`
}

func (l linker) list(ctx context.Context, in listIn) (listOut, error) {
	all, err := l.store.OfUser(ctx, in.UserID)
	if err != nil {
		return listOut{}, fmt.Errorf("reading identities: %w", err)
	}
	return listOut{append([]Identity{}, all...)}, nil
}

type unlinkIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	ID     string        `json:"id" doc:"Id of the identity, as oidc.list has it."`
}

func (l linker) unlink(ctx context.Context, in unlinkIn) (engine.None, error) {
	if _, err := user.Own(ctx, l.users, in.UserID); err != nil {
		return engine.None{}, err
	}
	has, err := l.store.OfUser(ctx, in.UserID.ID)
	if err != nil {
		return engine.None{}, fmt.Errorf("reading identities: %w", err)
	}
	at := slices.IndexFunc(has, func(i Identity) bool { return i.ID == in.ID })
	if at < 0 {
		return engine.None{}, NotFound
	}
	switch n, err := l.ways(ctx, in.UserID.ID); {
	case err != nil:
		return engine.None{}, fmt.Errorf("counting ways to sign in: %w", err)
	case n < 2:
		return engine.None{}, user.LastWay
	}
	err = l.audit.Do(ctx, told(audit.IdentityRemoved, has[at]), func(ctx context.Context) error { return l.store.Unlink(ctx, in.UserID.ID, in.ID) })
	switch {
	case errors.Is(err, ErrNoIdentity):
		return engine.None{}, NotFound
	case err != nil:
		return engine.None{}, fmt.Errorf("unlinking identity: %w", err)
	}
	return engine.None{}, nil
}

// now is the time to the millisecond, which is what stores and answers keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
