package session

import (
	"context"

	"sluice/engine"
	"sluice/nodes/user"
)

// The functions behind the nodes, for tests that use the stores of nodestest.
type (
	CreateIn  = createIn
	OneIn     = oneIn
	ListIn    = listIn
	ListOut   = listOut
	UpdateIn  = updateIn
	UpdateOut = updateOut
	AllIn     = allIn
	OthersIn  = othersIn
	EndedOut  = endedOut

	RotateIn      = rotateIn
	ConfirmIn     = confirmIn
	ConfirmOut    = confirmOut
	ImpersonateIn = impersonateIn
	VouchIn       = vouchIn
	VouchOut      = vouchOut
)

func Create(ctx context.Context, s Store, in CreateIn) (Fresh, error) {
	return keeper{s}.create(ctx, in)
}
func Get(ctx context.Context, s Store, in OneIn) (Info, error)      { return keeper{s}.get(ctx, in) }
func List(ctx context.Context, s Store, in ListIn) (ListOut, error) { return keeper{s}.list(ctx, in) }
func Update(ctx context.Context, s Store, in UpdateIn) (UpdateOut, error) {
	return keeper{s}.update(ctx, in)
}
func Delete(ctx context.Context, s Store, in OneIn) (engine.None, error) {
	return keeper{s}.delete(ctx, in)
}
func DeleteAll(ctx context.Context, s Store, in AllIn) (EndedOut, error) {
	return keeper{s}.deleteAll(ctx, in)
}
func DeleteOthers(ctx context.Context, s Store, in OthersIn) (EndedOut, error) {
	return keeper{s}.deleteOthers(ctx, in)
}

func Rotate(ctx context.Context, s Store, in RotateIn) (Fresh, error) {
	return keeper{s}.rotate(ctx, in)
}
func Confirm(ctx context.Context, s Store, in ConfirmIn) (ConfirmOut, error) {
	return keeper{s}.confirm(ctx, in)
}
func Impersonate(ctx context.Context, s Store, us user.Store, in ImpersonateIn) (Fresh, error) {
	return actor{keeper{s}, us}.impersonate(ctx, in)
}
func Vouch(ctx context.Context, s Store, us user.Store, in VouchIn) (VouchOut, error) {
	return actor{keeper{s}, us}.vouch(ctx, in)
}
