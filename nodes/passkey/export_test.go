package passkey

import (
	"context"

	"sluice/engine"
	"sluice/nodes/attempt"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// The functions behind the nodes, for tests that use the stores of memory.
type (
	OfferIn     = offerIn
	RegisterIn  = registerIn
	ChallengeIn = challengeIn
	VerifyIn    = verifyIn
	VerifyOut   = verifyOut
	RemoveIn    = removeIn
	Keeper      = keeper
)

func NewKeeper(p *Party, s Store, as attempt.Store, us user.Store, ways user.Ways) Keeper {
	return keeper{p, s, as, us, ways, limit.NewThrottle(nil, limit.Policy{}), nil}
}

func (k keeper) Offer(ctx context.Context, in OfferIn) (Offer, error) { return k.offer(ctx, in) }
func (k keeper) Register(ctx context.Context, in RegisterIn) (Passkey, error) {
	return k.register(ctx, in)
}
func (k keeper) Challenge(ctx context.Context, in ChallengeIn) (Offer, error) {
	return k.challenge(ctx, in)
}
func (k keeper) Verify(ctx context.Context, in VerifyIn) (VerifyOut, error) { return k.verify(ctx, in) }
func (k keeper) Remove(ctx context.Context, in RemoveIn) (engine.None, error) {
	return k.remove(ctx, in)
}
