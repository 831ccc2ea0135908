package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"sluice/nodes/passkey"
	"sluice/nodes/user"
)

var _ passkey.Store = passkeys{}

type passkeys struct{ m *memory }

// key returns where a passkey is, or -1.
func (m *memory) key(credential []byte) int {
	return slices.IndexFunc(m.passkeys, func(p passkey.Passkey) bool { return bytes.Equal(p.Credential, credential) })
}

func (m *memory) keepKey(p passkey.Passkey) {
	m.passkeys = append(m.passkeys, ownKey(p))
	slices.SortFunc(m.passkeys, func(a, b passkey.Passkey) int { return cmp.Compare(a.ID, b.ID) })
}

// ownKey returns a passkey that shares nothing with p.
func ownKey(p passkey.Passkey) passkey.Passkey {
	p.Credential, p.State = bytes.Clone(p.Credential), bytes.Clone(p.State)
	if p.LastUsedDtm != nil {
		at := *p.LastUsedDtm
		p.LastUsedDtm = &at
	}
	return p
}

func (ps passkeys) Add(ctx context.Context, p passkey.Passkey) error {
	if err := ps.m.lock(ctx); err != nil {
		return err
	}
	defer ps.m.mu.Unlock()
	switch {
	case ps.m.users[p.UserID] == nil:
		return user.ErrNoUser
	case ps.m.key(p.Credential) >= 0:
		return passkey.ErrTaken
	}
	ps.m.keepKey(p)
	return nil
}

func (ps passkeys) ByCredential(ctx context.Context, credential []byte) (passkey.Passkey, error) {
	if err := ps.m.lock(ctx); err != nil {
		return passkey.Passkey{}, err
	}
	defer ps.m.mu.Unlock()
	if at := ps.m.key(credential); at >= 0 {
		return ownKey(ps.m.passkeys[at]), nil
	}
	return passkey.Passkey{}, passkey.ErrNoPasskey
}

func (ps passkeys) OfUser(ctx context.Context, userID string) ([]passkey.Passkey, error) {
	if err := ps.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ps.m.mu.Unlock()
	var all []passkey.Passkey
	for _, p := range ps.m.passkeys {
		if p.UserID == userID {
			all = append(all, ownKey(p))
		}
	}
	return all, nil
}

func (ps passkeys) Used(ctx context.Context, credential []byte, u passkey.Use) error {
	if err := ps.m.lock(ctx); err != nil {
		return err
	}
	defer ps.m.mu.Unlock()
	at := ps.m.key(credential)
	if at < 0 {
		return passkey.ErrNoPasskey
	}
	p := &ps.m.passkeys[at]
	if u.Count <= p.Count && (u.Count != 0 || p.Count != 0) {
		return passkey.ErrCopied
	}
	p.LastUsedDtm, p.Count, p.BackedUp, p.State = &u.At, u.Count, u.BackedUp, bytes.Clone(u.State)
	return nil
}

func (ps passkeys) Remove(ctx context.Context, userID, id string) error {
	if err := ps.m.lock(ctx); err != nil {
		return err
	}
	defer ps.m.mu.Unlock()
	before := len(ps.m.passkeys)
	ps.m.passkeys = slices.DeleteFunc(ps.m.passkeys, func(p passkey.Passkey) bool { return p.UserID == userID && p.ID == id })
	if len(ps.m.passkeys) == before {
		return passkey.ErrNoPasskey
	}
	return nil
}
