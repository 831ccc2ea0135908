package password

import (
	"context"

	"sluice/engine"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// The functions behind the nodes, for tests that use the stores of nodestest.
type (
	CheckIn = checkIn
	SetIn   = setIn
)

// NewCheck returns password.check on one store of counters.
func NewCheck(s Store, ls limit.Store, h *Hasher) func(context.Context, CheckIn) error {
	k := Means{Passwords: s, Factors: second{}, Wrong: limit.NewThrottle(ls, h.settings.Wrong), Hasher: h}
	return func(ctx context.Context, in CheckIn) error {
		_, err := k.check(ctx, in)
		return err
	}
}

func Check(ctx context.Context, s Store, h *Hasher, in CheckIn) (user.ProvenID, error) {
	out, err := Means{Passwords: s, Factors: second{}, Wrong: limit.NewThrottle(nil, h.settings.Wrong), Hasher: h}.check(ctx, in)
	return out.UserID, err
}

// second are the users who have a second factor.
type second map[string]bool

func (s second) Active(_ context.Context, userID string) (bool, error) { return s[userID], nil }

// CheckSecond is Check where a user has a second factor.
func CheckSecond(ctx context.Context, s Store, h *Hasher, in CheckIn) (id user.ProvenID, lacks bool, err error) {
	out, err := Means{Passwords: s, Factors: second{in.User.ID: true}, Wrong: limit.NewThrottle(nil, h.settings.Wrong), Hasher: h}.check(ctx, in)
	return out.UserID, out.SecondFactor, err
}

func Set(ctx context.Context, s Store, us user.Store, h *Hasher, in SetIn) (engine.None, error) {
	return Means{Passwords: s, Users: us, Hasher: h}.set(ctx, in)
}

// Quick makes a hasher that is weak, so that tests of other things are quick.
func Quick(s Settings) *Hasher {
	if s.Memory == 0 {
		s.Memory, s.Time = 64, 1
	}
	return newHasher(s.withDefaults())
}

// Hold takes a permit to hash until it is released.
func (h *Hasher) Hold(ctx context.Context) (release func()) {
	release, err := h.acquire(ctx)
	if err != nil {
		panic(err)
	}
	return release
}
