package user

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Giver returns the id of who gave a proof: of the user, or of somebody who acts
// for the user. It is "" where somebody else vouches, as the caller then does.
func (p ProvenID) Giver() string {
	if p.Actor == "" && p.Time.IsZero() {
		return ""
	}
	return cmp.Or(p.Actor, p.ID)
}

// Proven returns the user of a proof as the user is now, or [Stale] where the
// proof counts for nothing any more: the user is gone or disabled, or all of the
// user's sessions were ended since.
func Proven(ctx context.Context, s Store, p ProvenID) (User, error) {
	u, err := s.ByID(ctx, p.ID)
	switch {
	case errors.Is(err, ErrNoUser):
		return User{}, Stale
	case err != nil:
		return User{}, fmt.Errorf("reading user: %w", err)
	case u.Disabled || u.Epoch != p.Epoch:
		return User{}, Stale
	}
	return u, nil
}

// Own returns the user of a proof that changes how the user signs in: one that the
// user gave, that lacks nothing and that still counts. Otherwise it returns
// [SecondFactorRequired] or [Stale].
func Own(ctx context.Context, s Store, p ProvenID) (User, error) {
	if p.Lacks {
		return User{}, SecondFactorRequired
	}
	if err := Personal(p); err != nil {
		return User{}, err
	}
	return Proven(ctx, s, p)
}

// Personal returns nil for a proof that the user gave, and [Stale] for one of
// somebody who acts or vouches for the user: that changes nothing of how the user
// signs in.
func Personal(p ProvenID) error {
	if p.Actor != "" || p.Time.IsZero() {
		return Stale.Saying("Only the user can change how the user signs in.")
	}
	return nil
}
