package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"sluice/engine"
	"sluice/nodes/attempt"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// Ways out of the nodes.
var (
	Off      = engine.NewOutcome("passkeysOff", engine.NotFound, "Passkeys are not set up here.")
	Expired  = engine.NewOutcome("expired", engine.Unauthenticated, "This took too long, or was done before. Begin again.")
	Refused  = engine.NewOutcome("refused", engine.Unauthenticated, "The passkey proves nothing here. Begin again, or sign in otherwise.")
	Unusable = engine.NewOutcome("unusable", engine.Invalid, "This passkey cannot be registered. Begin again, or take another one.")
	Taken    = engine.NewOutcome("taken", engine.Conflict, "The passkey is registered already.")
	Full     = engine.NewOutcome("full", engine.Conflict, "The account has as many passkeys as it can have.")
	NotFound = engine.NewOutcome("notFound", engine.NotFound, "There is no such passkey.")
)

const (
	begun   = 5 * time.Minute // how long registration and proof may take
	maxKeys = 20              // of a user

	registering, proving = "passkey.register", "passkey.verify" // what attempts are for
)

// Means are what the nodes work with.
type Means struct {
	Party    *Party // nil for none: then they leave by passkeysOff
	Passkeys Store
	Attempts attempt.Store // that are under way
	Users    user.Store
	Ways     user.Ways
	Wrong    *limit.Throttle
	Audit    *audit.Recorder // nil for none
}

// Nodes returns the passkey nodes.
func Nodes(m Means) []*engine.Node {
	n := keeper{m.Party, m.Passkeys, m.Attempts, m.Users, m.Ways, m.Wrong, m.Audit}
	return []*engine.Node{
		engine.Define("passkey.offer", "Begins the registration of a passkey. A page hands options to navigator.credentials.create, "+
			"after PublicKeyCredential.parseCreationOptionsFromJSON. It is good for five minutes and once.",
			n.offer, Off, user.Stale, user.SecondFactorRequired, Full).Reading("users", "passkeys").Writing("attempts"),
		engine.Define("passkey.register", "Registers the passkey that a browser made, for the user to whom it was offered.",
			n.register, Off, Expired, Unusable, Taken, Full, user.Stale, user.SecondFactorRequired).Reading("users").Writing("attempts", "passkeys"),
		engine.Define("passkey.challenge", "Asks for a proof by a passkey. A page hands options to navigator.credentials.get, "+
			"after PublicKeyCredential.parseRequestOptionsFromJSON. Without a user, the passkey says who it is. It is good for five minutes and once.",
			n.challenge, Off, user.Stale).Reading("users", "passkeys").Writing("attempts"),
		engine.Define("passkey.verify", "Proves who a user is by a passkey, as an answer to passkey.challenge. "+
			"Unknown passkeys, wrong signatures, a counter that went back and disabled users leave by refused, and are counted: "+
			"for the passkey, and for the caller's address together with wrong passwords.",
			n.verify, Off, Expired, Refused, limit.Throttled).Reading("users").Writing("attempts", "passkeys"),
		engine.Define("passkey.list", "Lists the passkeys of a user.", n.list).Reading("passkeys"),
		engine.Define("passkey.remove", "Removes a passkey of a user, unless it is the only way to sign in.",
			n.remove, NotFound, user.LastWay, user.Stale, user.SecondFactorRequired).Reading("users", "passwords", "identities").Writing("passkeys"),
	}
}

type keeper struct {
	party    *Party
	store    Store
	attempts attempt.Store
	users    user.Store
	ways     user.Ways
	wrong    *limit.Throttle
	audit    *audit.Recorder
}

// An Offer is what a page and the server need to go on.
type Offer struct {
	Options map[string]any `json:"options" doc:"What the page hands to the browser."`
	Attempt string         `json:"attempt" secret:"once" doc:"Token with which the page comes back."`
}

// begin keeps what go-webauthn has to remember of a challenge.
func (k keeper) begin(ctx context.Context, kind string, options any, remember *webauthn.SessionData) (Offer, error) {
	kept, err := json.Marshal(remember)
	if err != nil {
		return Offer{}, fmt.Errorf("writing attempt: %w", err)
	}
	text, err := json.Marshal(options)
	if err != nil {
		return Offer{}, fmt.Errorf("writing options: %w", err)
	}
	var o Offer
	if err := json.Unmarshal(text, &o.Options); err != nil {
		return Offer{}, fmt.Errorf("writing options: %w", err)
	}
	o.Attempt = attempt.NewToken()
	a := attempt.Attempt{Hash: attempt.HashOf(kind, o.Attempt), Data: kept, Until: time.Now().Add(begun)}
	if err := k.attempts.Begin(ctx, a); err != nil {
		return Offer{}, fmt.Errorf("keeping attempt: %w", err)
	}
	return o, nil
}

// take ends an attempt, whatever comes of it.
func (k keeper) take(ctx context.Context, kind, token string) (webauthn.SessionData, error) {
	var s webauthn.SessionData
	kept, err := k.attempts.Take(ctx, attempt.HashOf(kind, token), time.Now())
	switch {
	case errors.Is(err, attempt.ErrNoAttempt):
		return s, Expired
	case err != nil:
		return s, fmt.Errorf("reading attempt: %w", err)
	}
	if err := json.Unmarshal(kept, &s); err != nil {
		return s, fmt.Errorf("reading attempt: %w", err)
	}
	return s, nil
}

// owner is a user with the passkeys there are.
func (k keeper) owner(ctx context.Context, u user.User) (*owner, error) {
	all, err := k.store.OfUser(ctx, u.ID)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	o := &owner{id: u.ID, name: u.Email, shown: u.Name}
	if o.shown == "" {
		o.shown = u.Email
	}
	for _, p := range all {
		c, err := p.credential()
		if err != nil {
			return nil, err
		}
		o.keys = append(o.keys, c)
	}
	return o, nil
}

// credential is a passkey as go-webauthn has it.
func (p *Passkey) credential() (c webauthn.Credential, err error) {
	if err := json.Unmarshal(p.State, &c); err != nil {
		return c, fmt.Errorf("reading passkey: %w", err)
	}
	c.ID, c.Authenticator.SignCount = p.Credential, uint32(p.Count)
	return c, nil
}

// stateOf writes what a store keeps of a credential beside its columns. What
// the authenticator said of its make is forgotten.
func stateOf(c *webauthn.Credential) ([]byte, error) {
	kept := *c
	kept.Attestation, kept.Authenticator.SignCount, kept.Authenticator.CloneWarning = webauthn.CredentialAttestation{}, 0, false
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("writing passkey: %w", err)
	}
	return text, nil
}

type listIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
}

type listOut struct {
	Passkeys []Passkey `json:"passkeys" doc:"The passkeys, oldest first."`
}

func (k keeper) list(ctx context.Context, in listIn) (listOut, error) {
	all, err := k.store.OfUser(ctx, in.UserID)
	if err != nil {
		return listOut{}, fmt.Errorf("reading passkeys: %w", err)
	}
	return listOut{append([]Passkey{}, all...)}, nil
}

type removeIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	ID     string        `json:"id" doc:"Id of the passkey, as passkey.list has it."`
}

func (k keeper) remove(ctx context.Context, in removeIn) (engine.None, error) {
	if _, err := user.Own(ctx, k.users, in.UserID); err != nil {
		return engine.None{}, err
	}
	all, err := k.store.OfUser(ctx, in.UserID.ID)
	if err != nil {
		return engine.None{}, fmt.Errorf("reading passkeys: %w", err)
	}
	found := false
	for _, p := range all {
		found = found || p.ID == in.ID
	}
	if !found {
		return engine.None{}, NotFound
	}
	switch n, err := k.ways(ctx, in.UserID.ID); {
	case err != nil:
		return engine.None{}, fmt.Errorf("counting ways to sign in: %w", err)
	case n < 2:
		return engine.None{}, user.LastWay
	}
	e := told(audit.PasskeyRemoved, in.UserID.ID, in.ID)
	err = k.audit.Do(ctx, e, func(ctx context.Context) error { return k.store.Remove(ctx, in.UserID.ID, in.ID) })
	switch {
	case errors.Is(err, ErrNoPasskey):
		return engine.None{}, NotFound
	case err != nil:
		return engine.None{}, fmt.Errorf("removing passkey: %w", err)
	}
	return engine.None{}, nil
}

// told is the event of a change that a user makes of a passkey.
func told(k audit.Kind, userID, id string) audit.Event {
	return audit.Event{Kind: k, Actor: userID, Subject: userID, Details: map[string]string{"passkey": id}}
}

// now is the time to the millisecond, which is what stores and answers keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
