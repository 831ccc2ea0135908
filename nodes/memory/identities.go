package memory

import (
	"cmp"
	"context"
	"slices"

	"sluice/nodes/oidc"
	"sluice/nodes/user"
)

var _ oidc.Store = identities{}

type identities struct{ m *memory }

// of returns where an identity is, or -1.
func (m *memory) of(issuer, subject string) int {
	return slices.IndexFunc(m.identities, func(i oidc.Identity) bool { return i.Issuer == issuer && i.Subject == subject })
}

func (m *memory) keep(i oidc.Identity) {
	m.identities = append(m.identities, i)
	slices.SortFunc(m.identities, func(a, b oidc.Identity) int { return cmp.Compare(a.ID, b.ID) })
}

func (is identities) SignUp(ctx context.Context, u user.User, i oidc.Identity) error {
	if err := is.m.lock(ctx); err != nil {
		return err
	}
	defer is.m.mu.Unlock()
	if is.m.of(i.Issuer, i.Subject) >= 0 {
		return oidc.ErrTaken
	}
	if err := is.m.free(u.EmailKey, u.Phone, nil); err != nil {
		return err
	}
	u.Groups = append([]string{}, u.Groups...)
	is.m.users[u.ID] = &account{User: u}
	is.m.keep(i)
	return nil
}

func (is identities) Link(ctx context.Context, i oidc.Identity) error {
	if err := is.m.lock(ctx); err != nil {
		return err
	}
	defer is.m.mu.Unlock()
	if is.m.users[i.UserID] == nil {
		return user.ErrNoUser
	}
	if at := is.m.of(i.Issuer, i.Subject); at >= 0 {
		if is.m.identities[at].UserID != i.UserID {
			return oidc.ErrTaken
		}
		return nil
	}
	is.m.keep(i)
	return nil
}

func (is identities) ByIdentity(ctx context.Context, issuer, subject string) (oidc.Identity, error) {
	if err := is.m.lock(ctx); err != nil {
		return oidc.Identity{}, err
	}
	defer is.m.mu.Unlock()
	if at := is.m.of(issuer, subject); at >= 0 {
		return is.m.identities[at], nil
	}
	return oidc.Identity{}, oidc.ErrNoIdentity
}

func (is identities) OfUser(ctx context.Context, userID string) ([]oidc.Identity, error) {
	if err := is.m.lock(ctx); err != nil {
		return nil, err
	}
	defer is.m.mu.Unlock()
	var all []oidc.Identity
	for _, i := range is.m.identities {
		if i.UserID == userID {
			all = append(all, i)
		}
	}
	return all, nil
}

func (is identities) Unlink(ctx context.Context, userID, id string) error {
	if err := is.m.lock(ctx); err != nil {
		return err
	}
	defer is.m.mu.Unlock()
	before := len(is.m.identities)
	is.m.identities = slices.DeleteFunc(is.m.identities, func(i oidc.Identity) bool { return i.UserID == userID && i.ID == id })
	if len(is.m.identities) == before {
		return oidc.ErrNoIdentity
	}
	return nil
}
