package nodes

import (
	"context"
	"errors"
	"fmt"

	"sluice/nodes/password"
)

// ways counts in how many ways a user can sign in.
func (s Stores) ways(ctx context.Context, userID string) (int, error) {
	n := 0
	switch _, err := s.Passwords.Hash(ctx, userID); {
	case err == nil:
		n++
	case !errors.Is(err, password.ErrNoPassword):
		return 0, fmt.Errorf("reading password: %w", err)
	}
	identities, err := s.Identities.OfUser(ctx, userID)
	if err != nil {
		return 0, fmt.Errorf("reading identities: %w", err)
	}
	keys, err := s.Passkeys.OfUser(ctx, userID)
	if err != nil {
		return 0, fmt.Errorf("reading passkeys: %w", err)
	}
	return n + len(identities) + len(keys), nil
}
