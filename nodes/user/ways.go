package user

import (
	"context"

	"sluice/engine"
)

// Ways counts in how many ways a user can sign in: a password, the identities
// at providers, the passkeys. Who takes the last one away locks the user out.
type Ways func(ctx context.Context, userID string) (int, error)

// LastWay is the way out of nodes that take a way to sign in away.
var LastWay = engine.NewOutcome("lastWay", engine.Conflict, "This is the only way to sign in to the account. Add another one first.")
