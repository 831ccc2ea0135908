package memory

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/factor"
)

var _ factor.Store = factors{}

type factors struct{ m *memory }

// A paidFactor is a factor with the tries that came to nothing.
type paidFactor struct {
	factor.Factor
	paid  int
	since time.Time // of the first of them
}

// with does something to the factor of a user, or returns ErrNoFactor.
func (fs factors) with(ctx context.Context, userID string, do func(f *paidFactor) error) error {
	if err := fs.m.lock(ctx); err != nil {
		return err
	}
	defer fs.m.mu.Unlock()
	f := fs.m.factors[userID]
	if f == nil {
		return factor.ErrNoFactor
	}
	return do(f)
}

func (fs factors) Active(ctx context.Context, userID string) (bool, error) {
	if err := fs.m.lock(ctx); err != nil {
		return false, err
	}
	defer fs.m.mu.Unlock()
	f := fs.m.factors[userID]
	return f != nil && f.Active, nil
}

func (fs factors) Enroll(ctx context.Context, userID string, secret []byte) error {
	if err := fs.m.lock(ctx); err != nil {
		return err
	}
	defer fs.m.mu.Unlock()
	f := fs.m.factors[userID]
	switch {
	case f == nil:
		f = &paidFactor{}
		fs.m.factors[userID] = f
	case f.Active:
		return factor.ErrActive
	}
	f.Secret, f.Step = slices.Clone(secret), 0
	return nil
}

func (fs factors) Try(ctx context.Context, userID string, now time.Time) (found factor.Factor, err error) {
	err = fs.with(ctx, userID, func(f *paidFactor) error {
		if !now.Before(f.since.Add(factor.Window)) {
			f.paid, f.since = 0, now
		}
		if f.paid == factor.MaxTries {
			return factor.ErrThrottled
		}
		f.paid++
		found = f.Factor
		found.Secret, found.Recovery = slices.Clone(f.Secret), slices.Clone(f.Recovery)
		return nil
	})
	return found, err
}

func (fs factors) Use(ctx context.Context, userID string, secret []byte, step int64) error {
	return fs.with(ctx, userID, func(f *paidFactor) error {
		switch {
		case !bytes.Equal(f.Secret, secret):
			return factor.ErrNoFactor
		case f.Step >= step:
			return factor.ErrUsed
		}
		f.Step, f.Active, f.paid = step, true, 0
		return nil
	})
}

func (fs factors) SetRecovery(ctx context.Context, userID string, codes []factor.Hash) error {
	return fs.with(ctx, userID, func(f *paidFactor) error {
		if !f.Active {
			return factor.ErrNoFactor
		}
		f.Recovery = slices.Clone(codes)
		return nil
	})
}

func (fs factors) Recover(ctx context.Context, userID string, h factor.Hash) error {
	err := fs.with(ctx, userID, func(f *paidFactor) error {
		i := slices.Index(f.Recovery, h)
		if i < 0 || !f.Active {
			return factor.ErrUsed
		}
		f.Recovery, f.paid = slices.Delete(f.Recovery, i, i+1), 0
		return nil
	})
	if errors.Is(err, factor.ErrNoFactor) {
		return factor.ErrUsed
	}
	return err
}

func (fs factors) Delete(ctx context.Context, userID string) error {
	if err := fs.m.lock(ctx); err != nil {
		return err
	}
	defer fs.m.mu.Unlock()
	if fs.m.factors[userID] == nil {
		audit.Riding(ctx).Drop()
	}
	delete(fs.m.factors, userID)
	return nil
}
