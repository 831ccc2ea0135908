package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sluice/nodes/session"
)

func (ss sessions) CreateWithin(ctx context.Context, h session.Hash, s session.Session, most int) (ended int, err error) {
	if err := ss.m.lock(ctx); err != nil {
		return 0, err
	}
	defer ss.m.mu.Unlock()
	if err := ss.m.create(h, s); err != nil {
		return 0, err
	}
	mine := ss.m.named(session.Which{UserID: s.UserID.ID, Except: s.ID}, s.CreationDtm)
	slices.SortFunc(mine, func(a, b session.Hash) int { return cmp.Compare(ss.m.sessions[b].ID, ss.m.sessions[a].ID) })
	old := mine[min(most-1, len(mine)):]
	for _, h := range old {
		delete(ss.m.sessions, h)
	}
	return len(old), nil
}

func (ss sessions) Renew(ctx context.Context, h session.Hash, r session.Renewal, now time.Time) (*session.Session, error) {
	if err := ss.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ss.m.mu.Unlock()
	was := ss.m.sessions[h]
	if was == nil || !was.Live(now) {
		return nil, session.ErrNoSession
	}
	s := *was
	if r.AuthenticatedDtm.After(s.AuthenticatedDtm) {
		s.AuthenticatedDtm = r.AuthenticatedDtm
	}
	if r.Hash != (session.Hash{}) {
		delete(ss.m.sessions, h)
		h = r.Hash
	}
	ss.m.sessions[h] = &s
	return &s, nil
}
