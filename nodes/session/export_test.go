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
	HandlesIn = handlesIn
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
	return keeper{store: s}.create(ctx, in)
}
func Get(ctx context.Context, s Store, in OneIn) (Info, error) { return keeper{store: s}.get(ctx, in) }
func List(ctx context.Context, s Store, in ListIn) (ListOut, error) {
	return keeper{store: s}.list(ctx, in)
}
func Update(ctx context.Context, s Store, in UpdateIn) (UpdateOut, error) {
	return keeper{store: s}.update(ctx, in)
}
func Delete(ctx context.Context, s Store, in OneIn) (engine.None, error) {
	return keeper{store: s}.delete(ctx, deleteIn{oneIn: in})
}
func DeleteHandled(ctx context.Context, s Store, userID, handle string) (engine.None, error) {
	return keeper{store: s}.delete(ctx, deleteIn{oneIn: oneIn{UserID: userID}, Handle: handle})
}
func Handles(ctx context.Context, s Store, in HandlesIn) ([]Handled, error) {
	out, err := keeper{store: s}.handles(ctx, in)
	return out.Sessions, err
}
func DeleteAll(ctx context.Context, s Store, in AllIn) (EndedOut, error) {
	return keeper{store: s}.deleteAll(ctx, in)
}
func DeleteOthers(ctx context.Context, s Store, in OthersIn) (EndedOut, error) {
	return keeper{store: s}.deleteOthers(ctx, in)
}

func Rotate(ctx context.Context, s Store, in RotateIn) (Fresh, error) {
	return keeper{store: s}.rotate(ctx, in)
}
func Confirm(ctx context.Context, s Store, in ConfirmIn) (ConfirmOut, error) {
	return keeper{store: s}.confirm(ctx, in)
}
func Impersonate(ctx context.Context, s Store, us user.Store, in ImpersonateIn) (Fresh, error) {
	return actor{keeper{store: s}, us}.impersonate(ctx, in)
}
func Vouch(ctx context.Context, s Store, us user.Store, in VouchIn) (VouchOut, error) {
	return actor{keeper{store: s}, us}.vouch(ctx, in)
}
