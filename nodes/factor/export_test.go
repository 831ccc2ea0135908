package factor

import (
	"context"

	"sluice/engine"
	"sluice/nodes/user"
)

// The functions behind the nodes.
type (
	EnrollIn    = enrollIn
	EnrollOut   = enrollOut
	CodeIn      = codeIn
	CheckOut    = checkOut
	ProofIn     = proofIn
	RecoveryIn  = recoveryIn
	RecoveryOut = recoveryOut
	RedeemIn    = redeemIn
)

// A Keeper is what the nodes work with.
type Keeper = keeper

// NewKeeper makes a keeper.
func NewKeeper(s Store, us user.Store, k Key) Keeper { return keeper{s, us, k, nil} }

func Enroll(ctx context.Context, k Keeper, in EnrollIn) (EnrollOut, error) { return k.enroll(ctx, in) }
func Confirm(ctx context.Context, k Keeper, in CodeIn) (engine.None, error) {
	return k.confirm(ctx, in)
}
func Check(ctx context.Context, k Keeper, in CodeIn) (CheckOut, error)      { return k.check(ctx, in) }
func Delete(ctx context.Context, k Keeper, in ProofIn) (engine.None, error) { return k.delete(ctx, in) }
func Recovery(ctx context.Context, k Keeper, in RecoveryIn) (RecoveryOut, error) {
	return k.recovery(ctx, in)
}
func Redeem(ctx context.Context, k Keeper, in RedeemIn) (CheckOut, error) { return k.redeem(ctx, in) }

// Seal and Open are those of a key.
func Seal(k Key, userID string, secret []byte) ([]byte, error) { return k.seal(userID, secret) }
func Open(k Key, userID string, kept []byte) ([]byte, error)   { return k.open(userID, kept) }

// URI is what programs read.
func URI(secret []byte, issuer, account string) string { return uri(secret, issuer, account) }
