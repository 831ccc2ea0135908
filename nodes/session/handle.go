package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type handlesIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
	Token  string `json:"token,omitzero" secret:"true" doc:"Token of the caller's session, which the list shows as it was sent."`
	Limit  int    `json:"limit" default:"100" min:"1" max:"1000" doc:"Most sessions."`
}

// Handled is a session with what its user can end it by.
type Handled struct {
	Info
	Token string `json:"token" secret:"once" doc:"The token that the caller sent, of the caller's own session; of each other one its public id."`
}

type handlesOut struct {
	Sessions []Handled `json:"sessions" doc:"Sessions, newest first."`
}

func (k keeper) handles(ctx context.Context, in handlesIn) (handlesOut, error) {
	now := time.Now()
	own := ""
	if hash, ok := HashOf(in.Token); ok {
		s, err := k.store.Get(ctx, hash, now)
		switch {
		case err == nil:
			own = s.ID
		case !errors.Is(err, ErrNoSession):
			return handlesOut{}, fmt.Errorf("reading session: %w", err)
		}
	}
	all, err := k.store.List(ctx, in.UserID, "", in.Limit, now)
	if err != nil {
		return handlesOut{}, fmt.Errorf("listing sessions: %w", err)
	}
	out := handlesOut{Sessions: make([]Handled, len(all))}
	for i := range all {
		out.Sessions[i] = Handled{all[i].Info(), all[i].ID}
		if all[i].ID == own {
			out.Sessions[i].Token = in.Token
		}
	}
	return out, nil
}

// handled returns the one session of a user that a handle names, or NotFound.
func (k keeper) handled(ctx context.Context, userID, handle string) (Which, error) {
	hash, ok := HashOf(handle)
	if !ok {
		return Which{UserID: userID, ID: handle}, nil
	}
	s, err := k.store.Get(ctx, hash, time.Now())
	switch {
	case errors.Is(err, ErrNoSession), err == nil && s.UserID.ID != userID:
		return Which{}, NotFound
	case err != nil:
		return Which{}, fmt.Errorf("reading session: %w", err)
	}
	return Which{UserID: userID, ID: s.ID}, nil
}
