package oidc

import (
	"context"

	"sluice/engine"
	"sluice/nodes/attempt"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// The functions behind the nodes, for tests that use the stores of memory.
type (
	StartIn   = startIn
	StartOut  = startOut
	FinishIn  = finishIn
	FinishOut = finishOut
	ProvenIn  = provenIn
	ProvenOut = provenOut
	SignUpOut = signUpOut
	LinkIn    = linkIn
	UnlinkIn  = unlinkIn
	Links     = linker
)

func Start(ctx context.Context, ps *Providers, as attempt.Store, in StartIn) (StartOut, error) {
	return desk{ps, as, limit.NewThrottle(nil, limit.Policy{}), nil}.start(ctx, in)
}

func Finish(ctx context.Context, ps *Providers, as attempt.Store, in FinishIn) (FinishOut, error) {
	return desk{ps, as, limit.NewThrottle(nil, limit.Policy{}), nil}.finish(ctx, in)
}

func NewLinks(s Store, us user.Store, fs Factors, ways user.Ways) Links {
	return linker{s, us, fs, ways, nil}
}

func (l linker) Prove(ctx context.Context, v Verified) (ProvenOut, error) {
	return l.prove(ctx, provenIn{v})
}
func (l linker) Link(ctx context.Context, in LinkIn) (Identity, error) { return l.link(ctx, in) }
func (l linker) LinkByEmail(ctx context.Context, v Verified) (ProvenOut, error) {
	return l.linkByEmail(ctx, provenIn{v})
}
func (l linker) SignUp(ctx context.Context, v Verified) (SignUpOut, error) {
	return l.signUp(ctx, provenIn{v})
}
func (l linker) Unlink(ctx context.Context, in UnlinkIn) (engine.None, error) {
	return l.unlink(ctx, in)
}
