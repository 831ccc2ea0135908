package memory

import (
	"context"
	"time"

	"sluice/nodes/code"
)

var _ code.Store = codes{}

type codes struct{ m *memory }

func (cs codes) Put(ctx context.Context, c code.Code, since time.Time) error {
	if err := cs.m.lock(ctx); err != nil {
		return err
	}
	defer cs.m.mu.Unlock()
	if before, ok := cs.m.codes[c.Slot]; ok && c.CreatedDtm.Before(before.ExpiresDtm) && before.CreatedDtm.After(since) {
		return code.ErrTooSoon
	}
	cs.m.codes[c.Slot] = c
	return nil
}

func (cs codes) Take(ctx context.Context, slot code.Slot, h code.Hash, now time.Time) (code.Code, error) {
	if err := cs.m.lock(ctx); err != nil {
		return code.Code{}, err
	}
	defer cs.m.mu.Unlock()
	c, ok := cs.m.codes[slot]
	if !ok || !now.Before(c.ExpiresDtm) || c.Left == 0 {
		return code.Code{}, code.ErrNoCode
	}
	right := c.Hash == h
	if right || c.Digits {
		c.Left--
		cs.m.codes[slot] = c
	}
	if !right {
		return code.Code{}, code.ErrNoCode
	}
	if c.Left == 0 || c.Digits {
		delete(cs.m.codes, slot)
	}
	return c, nil
}
