package passkey

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

type offerIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
}

func (k keeper) offer(ctx context.Context, in offerIn) (Offer, error) {
	if k.party == nil {
		return Offer{}, Off
	}
	o, err := k.own(ctx, in.UserID)
	switch {
	case err != nil:
		return Offer{}, err
	case len(o.keys) >= maxKeys:
		return Offer{}, Full
	}
	creation, remember, err := k.party.auth.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.keys).CredentialDescriptors()))
	if err != nil {
		return Offer{}, fmt.Errorf("making options: %w", err)
	}
	return k.begin(ctx, registering, creation.Response, remember)
}

// own returns the user of a proof that is good enough for a new passkey: a passkey
// stands for the second factor, too, so a proof that lacks it must not make one.
func (k keeper) own(ctx context.Context, id user.ProvenID) (*owner, error) {
	u, err := user.Own(ctx, k.users, id)
	if err != nil {
		return nil, err
	}
	return k.owner(ctx, u)
}

type registerIn struct {
	UserID     user.ProvenID  `json:"userId" doc:"Id of the user, as a proof."`
	Attempt    string         `json:"attempt" max:"200" doc:"Token that passkey.offer gave."`
	Credential map[string]any `json:"credential" doc:"What navigator.credentials.create gave, by its toJSON."`
	Name       string         `json:"name" max:"100" doc:"Name by which the user will know the passkey."`
}

func (k keeper) register(ctx context.Context, in registerIn) (Passkey, error) {
	if k.party == nil {
		return Passkey{}, Off
	}
	remember, err := k.take(ctx, registering, in.Attempt)
	if err != nil {
		return Passkey{}, err
	}
	o, err := k.own(ctx, in.UserID)
	switch {
	case err != nil:
		return Passkey{}, err
	case string(remember.UserID) != o.id:
		return Passkey{}, Expired
	case len(o.keys) >= maxKeys:
		return Passkey{}, Full
	}
	made, err := k.made(o, remember, in.Credential)
	if err != nil {
		return Passkey{}, Unusable.Because(err)
	}
	return k.add(ctx, o.id, in.Name, made)
}

// made checks what a browser made.
func (k keeper) made(o *owner, remember webauthn.SessionData, credential map[string]any) (*webauthn.Credential, error) {
	text, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("writing credential: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(text)
	if err != nil {
		return nil, fmt.Errorf("reading credential: %w", err)
	}
	made, err := k.party.auth.CreateCredential(o, remember, parsed)
	if err != nil {
		return nil, fmt.Errorf("checking credential: %w", err)
	}
	if !made.Flags.UserVerified {
		return nil, errors.New("authenticator did not verify the user")
	}
	return made, nil
}

func (k keeper) add(ctx context.Context, userID, name string, made *webauthn.Credential) (Passkey, error) {
	state, err := stateOf(made)
	if err != nil {
		return Passkey{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Passkey{}, fmt.Errorf("making id: %w", err)
	}
	p := Passkey{
		ID: id.String(), Name: name, BackedUp: made.Flags.BackupState, CreationDtm: now(),
		UserID: userID, Credential: made.ID, Count: int64(made.Authenticator.SignCount), State: state,
	}
	err = k.audit.Do(ctx, told(audit.PasskeyAdded, userID, p.ID), func(ctx context.Context) error { return k.store.Add(ctx, p) })
	switch {
	case errors.Is(err, ErrTaken):
		return Passkey{}, Taken
	case errors.Is(err, user.ErrNoUser):
		return Passkey{}, user.Stale
	case err != nil:
		return Passkey{}, fmt.Errorf("storing passkey: %w", err)
	}
	return p, nil
}

type challengeIn struct {
	UserID *user.ProvenID `json:"userId" doc:"User who is to prove anew who it is; absent for a sign-in. passkey.verify takes the same."`
}

func (k keeper) challenge(ctx context.Context, in challengeIn) (Offer, error) {
	if k.party == nil {
		return Offer{}, Off
	}
	if in.UserID == nil {
		assertion, remember, err := k.party.auth.BeginDiscoverableLogin()
		if err != nil {
			return Offer{}, fmt.Errorf("making options: %w", err)
		}
		return k.begin(ctx, proving, assertion.Response, remember)
	}
	u, err := user.Proven(ctx, k.users, *in.UserID)
	if err != nil {
		return Offer{}, err
	}
	o, err := k.owner(ctx, u)
	if err != nil {
		return Offer{}, err
	}
	// The passkey says who it is in this case, too: a user without passkeys gets
	// options all the same, and nothing that can answer them.
	assertion, remember, err := k.party.auth.BeginDiscoverableLogin(
		webauthn.WithAllowedCredentials(webauthn.Credentials(o.keys).CredentialDescriptors()))
	if err != nil {
		return Offer{}, fmt.Errorf("making options: %w", err)
	}
	return k.begin(ctx, proving, assertion.Response, remember)
}

type verifyIn struct {
	Attempt    string         `json:"attempt" max:"200" doc:"Token that passkey.challenge gave."`
	Credential map[string]any `json:"credential" doc:"What navigator.credentials.get gave, by its toJSON."`
	UserID     *user.ProvenID `json:"userId" doc:"User that passkey.challenge was given; no other one's passkey will do."`
	IP         string         `json:"ip" default:"$request.ip" doc:"Address of the caller."`
}

type verifyOut struct {
	User    user.User     `json:"user" doc:"The user."`
	UserID  user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Passkey Passkey       `json:"passkey" doc:"The passkey that proved it."`
}

func (k keeper) verify(ctx context.Context, in verifyIn) (verifyOut, error) {
	if k.party == nil {
		return verifyOut{}, Off
	}
	parsed, unread := read(in.Credential)
	counted, err := k.begun(ctx, parsed, in.IP)
	if err != nil {
		return verifyOut{}, k.audit.Throttled(ctx, "", err)
	}
	out, err := k.proved(ctx, in, parsed, unread)
	switch {
	case err == nil:
		err = counted.Succeeded(context.WithoutCancel(ctx))
	case errors.Is(err, Expired), errors.Is(err, Refused):
		err = k.refused(ctx, parsed, err)
	default:
		err = errors.Join(err, counted.Undo(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return verifyOut{}, err
	}
	return out, nil
}

// refused records a proof that failed, under the user of the passkey that was
// claimed where there is one, and returns why.
func (k keeper) refused(ctx context.Context, claimed *protocol.ParsedCredentialAssertionData, why error) error {
	userID := ""
	if claimed != nil {
		p, err := k.store.ByCredential(ctx, claimed.RawID)
		if err != nil && !errors.Is(err, ErrNoPasskey) {
			return fmt.Errorf("reading passkey: %w", err)
		}
		userID = p.UserID
	}
	o, _ := engine.Left(why)
	return cmp.Or(k.audit.NotProved(ctx, userID, o.Name, "passkey proves nothing"), why)
}

// read reads what a browser signed.
func read(credential map[string]any) (*protocol.ParsedCredentialAssertionData, error) {
	text, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("writing credential: %w", err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(text)
	if err != nil {
		return nil, fmt.Errorf("reading credential: %w", err)
	}
	return parsed, nil
}

// begun counts a proof for the passkey that it claims. It is no account of
// passwords: who floods one with those does not shut its owner's passkeys out.
func (k keeper) begun(ctx context.Context, claimed *protocol.ParsedCredentialAssertionData, ip string) (*limit.Attempt, error) {
	if claimed == nil {
		return k.wrong.BeginUnclaimed(ctx, ip)
	}
	return k.wrong.Begin(ctx, "passkey "+string(claimed.RawID), ip)
}

func (k keeper) proved(ctx context.Context, in verifyIn, parsed *protocol.ParsedCredentialAssertionData, unread error) (verifyOut, error) {
	remember, err := k.take(ctx, proving, in.Attempt)
	switch {
	case err != nil:
		return verifyOut{}, err
	case unread != nil:
		return verifyOut{}, Refused.Because(unread)
	}
	// Which passkeys were asked for helps the browser only: userId below decides.
	remember.AllowedCredentialIDs = nil
	p, u, err := k.claimed(ctx, parsed.RawID)
	if err != nil {
		return verifyOut{}, err
	}
	if in.UserID != nil && in.UserID.ID != u.ID {
		return verifyOut{}, Refused.Because(errors.New("passkey is another user's"))
	}
	return k.checked(ctx, remember, parsed, p, u)
}

// claimed returns the passkey that an authenticator says it is, and its user.
func (k keeper) claimed(ctx context.Context, credential []byte) (Passkey, user.User, error) {
	p, err := k.store.ByCredential(ctx, credential)
	switch {
	case errors.Is(err, ErrNoPasskey):
		return Passkey{}, user.User{}, Refused.Because(err)
	case err != nil:
		return Passkey{}, user.User{}, fmt.Errorf("reading passkey: %w", err)
	}
	u, err := k.users.ByID(ctx, p.UserID)
	switch {
	case errors.Is(err, user.ErrNoUser), err == nil && u.Disabled:
		return Passkey{}, user.User{}, Refused.Because(errors.New("user is gone or disabled"))
	case err != nil:
		return Passkey{}, user.User{}, fmt.Errorf("reading user: %w", err)
	}
	return p, u, nil
}

// checked checks the signature and notes the use.
func (k keeper) checked(ctx context.Context, remember webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData, p Passkey, u user.User) (verifyOut, error) {
	key, err := p.credential()
	if err != nil {
		return verifyOut{}, err
	}
	o := &owner{id: u.ID, name: u.Email, shown: u.Name, keys: []webauthn.Credential{key}}
	// go-webauthn refuses an answer whose user handle is not the owner's.
	used, err := k.party.auth.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != u.ID {
			return nil, errors.New("user handle is another one's")
		}
		return o, nil
	}, remember, parsed)
	switch {
	case err != nil:
		return verifyOut{}, Refused.Because(fmt.Errorf("checking credential: %w", err))
	case used.Authenticator.CloneWarning:
		return verifyOut{}, Refused.Because(ErrCopied)
	}
	state, err := stateOf(used)
	if err != nil {
		return verifyOut{}, err
	}
	at := now()
	use := Use{At: at, Count: int64(used.Authenticator.SignCount), BackedUp: used.Flags.BackupState, State: state}
	switch err := k.store.Used(ctx, p.Credential, use); {
	case errors.Is(err, ErrCopied), errors.Is(err, ErrNoPasskey):
		return verifyOut{}, Refused.Because(err)
	case err != nil:
		return verifyOut{}, fmt.Errorf("noting the use of a passkey: %w", err)
	}
	p.LastUsedDtm, p.BackedUp = &at, use.BackedUp
	return verifyOut{User: u, UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch, Time: at}, Passkey: p}, nil
}
