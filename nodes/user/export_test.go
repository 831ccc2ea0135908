package user

import "context"

// The functions behind the nodes, for tests that use the stores of nodestest.
type (
	FetchIn   = fetchIn
	CreateIn  = createIn
	CreateOut = createOut
	UpdateIn  = updateIn
)

func Fetch(ctx context.Context, s Store, in FetchIn) (User, error) {
	return people{store: s}.fetch(ctx, in)
}

func Create(ctx context.Context, s Store, h Hasher, in CreateIn) (CreateOut, error) {
	return people{store: s, hasher: h}.create(ctx, in)
}

func Update(ctx context.Context, s Store, in UpdateIn) (User, error) {
	return people{store: s}.update(ctx, in)
}
