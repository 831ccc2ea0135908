package factor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// Ways out of the nodes.
var (
	Mismatch    = engine.NewOutcome("mismatch", engine.Unauthenticated, "The code of the second factor is wrong, or was used before.")
	Throttled   = engine.NewOutcome("throttled", engine.TooMany, "Too many wrong codes. Try again in a quarter of an hour.")
	Active      = engine.NewOutcome("active", engine.Conflict, "There is a second factor already.")
	NotEnrolled = engine.NewOutcome("notEnrolled", engine.NotFound, "There is no second factor.")
)

// Nodes returns the nodes of second factors, which keep them in s, find users in
// us, seal secrets by k, and record what they do in rec.
func Nodes(s Store, us user.Store, k Key, rec *audit.Recorder) []*engine.Node {
	n := keeper{s, us, k, rec}
	return []*engine.Node{
		engine.Define("totp.enroll", "Makes a secret for the program on a user's phone. It counts once totp.confirm has seen a code of it.",
			n.enroll, Active, user.Stale).Reading("users").Writing("factors"),
		engine.Define("totp.confirm", "Makes the secret count that totp.enroll made, by a code of it: from now on the user signs in with a second factor.",
			n.confirm, Mismatch, Throttled, Active, NotEnrolled, user.Stale).Writing("factors"),
		engine.Define("totp.check", "Proves the second factor of a user by a code of the user's program, on top of a proof that may lack it. "+
			"Each code is good once, and five wrong ones end the tries for a quarter of an hour.",
			n.check, Mismatch, Throttled).Writing("factors"),
		engine.Define("totp.delete", "Removes the second factor of a user, with its recovery codes. It takes a proof that has the second factor.",
			n.delete, user.SecondFactorRequired, user.Stale).Reading("users").Writing("factors"),
		engine.Define("recovery.create", "Makes recovery codes for the day on which a phone is lost, each good once, and ends those before. They are shown this once.",
			n.recovery, user.SecondFactorRequired, NotEnrolled, user.Stale).Writing("factors"),
		engine.Define("recovery.redeem", "Proves the second factor of a user by a recovery code, which it ends. Its wrong tries count with those of totp.check.",
			n.redeem, Mismatch, Throttled).Writing("factors"),
	}
}

type keeper struct {
	store Store
	users user.Store
	key   Key
	audit *audit.Recorder
}

type enrollIn struct {
	UserID  user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Issuer  string        `json:"issuer" min:"1" max:"60" doc:"Name of the application, as the program shows it."`
	Account string        `json:"account,omitzero" max:"254" doc:"Name of the account, as the program shows it; the user's address where it is not given."`
}

type enrollOut struct {
	Secret string `json:"secret" secret:"once" doc:"Secret, to be typed into the program."`
	URI    string `json:"uri" secret:"once" doc:"The same as an otpauth: URI, to be shown as a QR code."`
}

func (k keeper) enroll(ctx context.Context, in enrollIn) (enrollOut, error) {
	if err := user.Personal(in.UserID); err != nil {
		return enrollOut{}, err
	}
	u, err := user.Proven(ctx, k.users, in.UserID)
	if err != nil {
		return enrollOut{}, err
	}
	secret := newSecret()
	kept, err := k.key.seal(u.ID, secret)
	if err != nil {
		return enrollOut{}, fmt.Errorf("sealing secret: %w", err)
	}
	switch err := k.store.Enroll(ctx, u.ID, kept); {
	case errors.Is(err, ErrActive):
		return enrollOut{}, Active
	case err != nil:
		return enrollOut{}, fmt.Errorf("storing second factor: %w", err)
	}
	account := in.Account
	if account == "" {
		account = u.Email
	}
	return enrollOut{Secret: letters.EncodeToString(secret), URI: uri(secret, in.Issuer, account)}, nil
}

type codeIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Code   string        `json:"code" secret:"true" doc:"Code that the user's program shows."`
}

type checkOut struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof that has the second factor."`
}

func (k keeper) confirm(ctx context.Context, in codeIn) (engine.None, error) {
	if err := user.Personal(in.UserID); err != nil {
		return engine.None{}, err
	}
	f, err := k.try(ctx, in.UserID.ID)
	switch {
	case errors.Is(err, ErrNoFactor):
		return engine.None{}, NotEnrolled
	case err != nil:
		return engine.None{}, err
	case f.Active:
		return engine.None{}, Active
	}
	err = k.audit.Do(ctx, audit.Event{Kind: audit.FactorAdded, Actor: in.UserID.Giver(), Subject: in.UserID.ID}, func(ctx context.Context) error {
		return k.use(ctx, in, f)
	})
	return engine.None{}, k.failed(ctx, in.UserID, err)
}

func (k keeper) check(ctx context.Context, in codeIn) (checkOut, error) {
	f, err := k.try(ctx, in.UserID.ID)
	switch {
	case errors.Is(err, ErrNoFactor), err == nil && !f.Active:
		return checkOut{}, k.failed(ctx, in.UserID, Mismatch)
	case err != nil:
		return checkOut{}, err
	}
	if err := k.use(ctx, in, f); err != nil {
		return checkOut{}, k.failed(ctx, in.UserID, err)
	}
	return whole(in.UserID), nil
}

// failed records a code that was wrong, and returns why.
func (k keeper) failed(ctx context.Context, p user.ProvenID, why error) error {
	if !errors.Is(why, Mismatch) {
		return why
	}
	return cmp.Or(k.audit.Note(ctx, audit.Event{Kind: audit.FactorFailed, Subject: p.ID, Outcome: Mismatch.Name}), why)
}

// whole is a proof with its second factor.
func whole(p user.ProvenID) checkOut {
	p.Lacks = false
	return checkOut{UserID: p}
}

// try pays for a try and returns the factor, or ErrNoFactor.
func (k keeper) try(ctx context.Context, userID string) (Factor, error) {
	f, err := k.store.Try(ctx, userID, time.Now().UTC().Truncate(time.Millisecond))
	switch {
	case errors.Is(err, ErrNoFactor):
		return Factor{}, err
	case errors.Is(err, ErrThrottled):
		return Factor{}, k.audit.Throttled(ctx, userID, Throttled)
	case err != nil:
		return Factor{}, fmt.Errorf("trying second factor: %w", err)
	}
	return f, nil
}

// use uses a code of the user's program.
func (k keeper) use(ctx context.Context, in codeIn, f Factor) error {
	secret, err := k.key.open(in.UserID.ID, f.Secret)
	if err != nil {
		return fmt.Errorf("opening secret: %w", err)
	}
	step, ok := stepOf(secret, in.Code, time.Now())
	if !ok {
		return Mismatch
	}
	switch err := k.store.Use(ctx, in.UserID.ID, f.Secret, step); {
	case errors.Is(err, ErrUsed), errors.Is(err, ErrNoFactor):
		return Mismatch
	case err != nil:
		return fmt.Errorf("using code: %w", err)
	}
	return nil
}

type proofIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof that has the second factor."`
}

func (k keeper) delete(ctx context.Context, in proofIn) (engine.None, error) {
	u, err := user.Own(ctx, k.users, in.UserID)
	if err != nil {
		return engine.None{}, err
	}
	e := audit.Event{Kind: audit.FactorRemoved, Actor: in.UserID.Giver(), Subject: u.ID}
	if err := k.audit.Do(ctx, e, func(ctx context.Context) error { return k.store.Delete(ctx, u.ID) }); err != nil {
		return engine.None{}, fmt.Errorf("deleting second factor: %w", err)
	}
	return engine.None{}, nil
}

type recoveryIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof that has the second factor."`
	Count  int           `json:"count" default:"10" min:"1" max:"20" doc:"How many codes."`
}

type recoveryOut struct {
	Codes []recoveryCode `json:"codes" doc:"The codes."`
}

type recoveryCode struct {
	Code string `json:"code" secret:"once" doc:"A recovery code."`
}

func (k keeper) recovery(ctx context.Context, in recoveryIn) (out recoveryOut, err error) {
	if in.UserID.Lacks {
		return recoveryOut{}, user.SecondFactorRequired
	}
	if err := user.Personal(in.UserID); err != nil {
		return recoveryOut{}, err
	}
	var hashes []Hash
	for range in.Count {
		code := newRecovery()
		out.Codes = append(out.Codes, recoveryCode{code})
		hashes = append(hashes, RecoveryHash(in.UserID.ID, code))
	}
	e := audit.Event{
		Kind: audit.RecoveryMade, Actor: in.UserID.Giver(), Subject: in.UserID.ID, Details: map[string]string{"codes": strconv.Itoa(in.Count)},
	}
	err = k.audit.Do(ctx, e, func(ctx context.Context) error { return k.store.SetRecovery(ctx, in.UserID.ID, hashes) })
	switch {
	case errors.Is(err, ErrNoFactor):
		return recoveryOut{}, NotEnrolled
	case err != nil:
		return recoveryOut{}, fmt.Errorf("storing recovery codes: %w", err)
	}
	return out, nil
}

type redeemIn struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Code   string        `json:"code" secret:"true" doc:"Recovery code that the user has."`
}

func (k keeper) redeem(ctx context.Context, in redeemIn) (checkOut, error) {
	f, err := k.try(ctx, in.UserID.ID)
	switch {
	case errors.Is(err, ErrNoFactor), err == nil && !f.Active:
		return checkOut{}, k.failed(ctx, in.UserID, Mismatch)
	case err != nil:
		return checkOut{}, err
	}
	err = k.audit.Do(ctx, audit.Event{Kind: audit.RecoveryUsed, Actor: in.UserID.Giver(), Subject: in.UserID.ID}, func(ctx context.Context) error {
		return k.store.Recover(ctx, in.UserID.ID, RecoveryHash(in.UserID.ID, in.Code))
	})
	switch {
	case errors.Is(err, ErrUsed):
		return checkOut{}, k.failed(ctx, in.UserID, Mismatch)
	case err != nil:
		return checkOut{}, fmt.Errorf("using recovery code: %w", err)
	}
	return whole(in.UserID), nil
}
