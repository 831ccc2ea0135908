package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// Protected is the way out of nodes that act for a user, where nobody may act
// for that one.
var Protected = engine.NewOutcome("protected", engine.Forbidden, "Nobody can act for this user.")

// An actor acts for users.
type actor struct {
	keeper
	users user.Store
}

type impersonateIn struct {
	By        Authority     `json:"by" secret:"true" doc:"Authority of the caller: $session.authority."`
	UserID    string        `json:"userId" doc:"Id of the user to act as."`
	Reason    string        `json:"reason" min:"3" max:"300" doc:"Why, in words that stay with the session."`
	Groups    []string      `json:"groups,omitzero" doc:"Access groups of the session; none that protect names."`
	Protect   []string      `json:"protect,omitzero" doc:"Access groups whose holders nobody can act for; absent for those that the endpoint demands."`
	IP        string        `json:"ip" default:"$request.ip" doc:"Address of the caller."`
	UserAgent string        `json:"userAgent" default:"$request.userAgent" doc:"User-Agent header of the caller."`
	Lifetime  time.Duration `json:"lifetime" default:"30m" min:"1m" max:"1h" doc:"How long the session lives, used or not."`
}

func (a actor) impersonate(ctx context.Context, in impersonateIn) (Fresh, error) {
	protect := in.Protect
	if len(protect) == 0 {
		protect = in.By.Groups
	}
	reason := strings.TrimSpace(audit.Visible(in.Reason, len(in.Reason)))
	told := map[string]string{"reason": reason}
	u, err := a.unprotected(ctx, in.By, in.UserID, protect)
	if err != nil {
		return Fresh{}, a.refused(ctx, err, in.By, in.UserID, told)
	}
	if err := user.CheckGroups(in.Groups); err != nil {
		return Fresh{}, err
	}
	if meet(in.Groups, protect) {
		return Fresh{}, a.refused(ctx, Protected, in.By, in.UserID, told)
	}
	fresh, err := a.open(ctx, Session{
		UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch}, Idle: in.Lifetime, AccessGroupKeys: in.Groups, IP: in.IP, UserAgent: ParseUserAgent(in.UserAgent),
		ImpersonatedBy: &Impersonation{UserID: in.By.UserID, SessionID: in.By.SessionID, Reason: reason},
	}, in.Lifetime, 0, audit.Event{Kind: audit.ImpersonationBegan, Actor: in.By.UserID, Details: told})
	if errors.Is(err, user.Stale) {
		return Fresh{}, a.refused(ctx, Protected, in.By, in.UserID, told) // who was disabled in between
	}
	return fresh, err
}

// refused records that somebody may not act for a user, and returns why.
func (a actor) refused(ctx context.Context, why error, by Authority, userID string, told map[string]string) error {
	o, _ := engine.Left(why)
	if o != Protected && o != NoAuthority {
		return why
	}
	e := audit.Event{Kind: audit.ImpersonationRefused, Actor: by.UserID, Subject: userID, Outcome: o.Name, Details: told}
	return cmp.Or(a.audit.Note(ctx, e), why)
}

type vouchIn struct {
	By      Authority `json:"by" secret:"true" doc:"Authority of the caller: $session.authority."`
	UserID  string    `json:"userId" doc:"Id of the user."`
	Protect []string  `json:"protect,omitzero" doc:"Access groups whose holders nobody can act for; absent for those that the endpoint demands."`
}

type vouchOut struct {
	UserID user.ProvenID `json:"userId" doc:"Id of the user, as far as the caller's word proves it."`
}

func (a actor) vouch(ctx context.Context, in vouchIn) (vouchOut, error) {
	protect := in.Protect
	if len(protect) == 0 {
		protect = in.By.Groups
	}
	u, err := a.unprotected(ctx, in.By, in.UserID, protect)
	if err != nil {
		return vouchOut{}, a.refused(ctx, err, in.By, in.UserID, nil)
	}
	return vouchOut{UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch}}, nil
}

// unprotected returns a user for whom the holder of an authority may act. A user
// is protected who is disabled, who is the holder, or who has a group that
// protects, or of whom a live session has one.
func (a actor) unprotected(ctx context.Context, by Authority, userID string, protect []string) (user.User, error) {
	if !by.Holds() {
		return user.User{}, NoAuthority
	}
	u, err := a.users.ByID(ctx, userID)
	switch {
	case errors.Is(err, user.ErrNoUser):
		return user.User{}, user.NotFound
	case err != nil:
		return user.User{}, fmt.Errorf("reading user: %w", err)
	case u.Disabled || u.ID == by.UserID || meet(u.Groups, protect):
		return user.User{}, Protected
	}
	const most = 100
	now := time.Now()
	for after := ""; ; {
		page, err := a.store.List(ctx, u.ID, after, most, now)
		if err != nil {
			return user.User{}, fmt.Errorf("listing sessions: %w", err)
		}
		if slices.ContainsFunc(page, func(s Session) bool { return meet(s.AccessGroupKeys, protect) }) {
			return user.User{}, Protected
		}
		if len(page) < most {
			return u, nil
		}
		after = page[most-1].ID
	}
}

// meet tells whether two lists have a group in common.
func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(g string) bool { return slices.Contains(b, g) })
}
