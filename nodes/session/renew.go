package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// Check returns the live session of a token, or ErrNoSession: also for one in
// which somebody acts whose own session has ended.
func Check(ctx context.Context, s Store, h Hash, now time.Time) (*Session, error) {
	found, err := s.Get(ctx, h, now)
	if err != nil || found.ImpersonatedBy == nil {
		return found, err
	}
	by := found.ImpersonatedBy
	switch _, err := byID(ctx, s, by.UserID, by.SessionID, now); {
	case errors.Is(err, ErrNoSession):
		return nil, ErrNoSession
	case err != nil:
		return nil, fmt.Errorf("reading session of the actor: %w", err)
	}
	return found, nil
}

// byID returns the live session of a user with an id, or ErrNoSession.
func byID(ctx context.Context, s Store, userID, id string, now time.Time) (*Session, error) {
	// The list is ordered by id, greatest first, so that the session is the
	// first behind any text that comes right before its id.
	page, err := s.List(ctx, userID, id+"~", 1, now)
	switch {
	case err != nil:
		return nil, err
	case len(page) == 0 || page[0].ID != id:
		return nil, ErrNoSession
	}
	return &page[0], nil
}

type rotateIn struct {
	Token string `json:"token" secret:"true" doc:"Token of the session."`
}

func (k keeper) rotate(ctx context.Context, in rotateIn) (Fresh, error) {
	old, ok := HashOf(in.Token)
	if !ok {
		return Fresh{}, NotFound
	}
	token, hash := NewToken()
	s, err := k.renew(ctx, audit.SessionRenewed, old, Renewal{Hash: hash}, time.Now())
	switch {
	case errors.Is(err, ErrNoSession):
		return Fresh{}, NotFound
	case err != nil:
		return Fresh{}, fmt.Errorf("renewing session: %w", err)
	}
	return Fresh{Session: *s, Token: token}, nil
}

// renew changes a session and tells so.
func (k keeper) renew(ctx context.Context, kind audit.Kind, h Hash, r Renewal, now time.Time) (s *Session, err error) {
	err = k.audit.Do(ctx, audit.Event{Kind: kind}, func(ctx context.Context) (err error) {
		s, err = k.store.Renew(ctx, h, r, now)
		if err == nil {
			Renewed(ctx, s)
		}
		return err
	})
	return s, err
}

type confirmIn struct {
	Token  string        `json:"token" secret:"true" doc:"Token of the session."`
	UserID user.ProvenID `json:"userId" doc:"Id of the session's user, as a new proof."`
}

type confirmOut struct {
	AuthenticatedDtm time.Time `json:"authenticatedDtm" doc:"When the user last proved who they are."`
}

func (k keeper) confirm(ctx context.Context, in confirmIn) (confirmOut, error) {
	hash, ok := HashOf(in.Token)
	if !ok {
		return confirmOut{}, NotFound
	}
	now := time.Now()
	s, err := k.store.Get(ctx, hash, now)
	switch {
	case errors.Is(err, ErrNoSession):
		return confirmOut{}, NotFound
	case err != nil:
		return confirmOut{}, fmt.Errorf("reading session: %w", err)
	case s.ImpersonatedBy != nil || in.UserID.Actor != "":
		return confirmOut{}, NoAuthority
	case in.UserID.Lacks:
		return confirmOut{}, user.SecondFactorRequired
	case s.UserID.ID != in.UserID.ID || s.UserID.Epoch != in.UserID.Epoch || in.UserID.Time.IsZero():
		return confirmOut{}, user.Stale
	}
	s, err = k.renew(ctx, audit.Confirmed, hash, Renewal{AuthenticatedDtm: in.UserID.Time}, now)
	switch {
	case errors.Is(err, ErrNoSession):
		return confirmOut{}, NotFound
	case err != nil:
		return confirmOut{}, fmt.Errorf("renewing session: %w", err)
	}
	return confirmOut{AuthenticatedDtm: s.AuthenticatedDtm}, nil
}
