package memory

import (
	"bytes"
	"context"
	"time"

	"sluice/nodes/attempt"
)

var _ attempt.Store = attempts{}

type attempts struct{ m *memory }

func (as attempts) Begin(ctx context.Context, a attempt.Attempt) error {
	if err := as.m.lock(ctx); err != nil {
		return err
	}
	defer as.m.mu.Unlock()
	a.Data = bytes.Clone(a.Data)
	as.m.attempts[a.Hash] = a
	return nil
}

func (as attempts) Take(ctx context.Context, h attempt.Hash, now time.Time) ([]byte, error) {
	if err := as.m.lock(ctx); err != nil {
		return nil, err
	}
	defer as.m.mu.Unlock()
	a, ok := as.m.attempts[h]
	delete(as.m.attempts, h)
	if !ok || !now.Before(a.Until) {
		return nil, attempt.ErrNoAttempt
	}
	return a.Data, nil
}
