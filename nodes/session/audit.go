package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/audit"
)

// Recorded tells the event that rides along with a change of sessions how many it
// named, and drops an event that tells of none. Stores call it in the transaction
// of the change. An end of all sessions is told also where there were none, as it
// ends proofs.
func Recorded(ctx context.Context, n int, all bool) {
	r := audit.Riding(ctx)
	if n == 0 && !all {
		r.Drop()
		return
	}
	r.Count("sessions", n)
}

// Displaced tells the event of a sign-in how many older sessions of the user it
// ended. Stores call it in the transaction of the change.
func Displaced(ctx context.Context, n int) {
	if n > 0 {
		audit.Riding(ctx).Count("ended", n)
	}
}

// Renewed tells the event that rides along with a change of one session which it
// was. Stores call it in the transaction of the change.
func Renewed(ctx context.Context, s *Session) { audit.Riding(ctx).About(s.UserID.ID, s.ID) }

// End ends sessions that w names by their user, and records it in rec.
func End(ctx context.Context, s Store, rec *audit.Recorder, w Which) (int, error) {
	e := audit.Event{Kind: audit.SessionsEnded, Subject: w.UserID, SessionID: w.ID}
	if w.ID != "" {
		e.Kind = audit.SessionEnded
	}
	if w.Except != "" {
		e.Details = map[string]string{"kept": w.Except}
	}
	return end(ctx, s, rec, e, w)
}

func end(ctx context.Context, s Store, rec *audit.Recorder, e audit.Event, w Which) (n int, err error) {
	err = rec.Do(ctx, e, func(ctx context.Context) (err error) {
		n, err = s.End(ctx, w, time.Now())
		Recorded(ctx, n, w.All())
		return err
	})
	return n, err
}

// ending is the event that one session ends. Whose it is, and whether somebody
// acts in it, the store knows.
func (k keeper) ending(ctx context.Context, w Which) (audit.Event, error) {
	e := audit.Event{Kind: audit.SessionEnded, Subject: w.UserID, SessionID: w.ID}
	if k.audit == nil {
		return e, nil
	}
	var s *Session
	var err error
	if w.ID == "" {
		s, err = k.store.Get(ctx, w.Hash, time.Now())
	} else {
		s, err = byID(ctx, k.store, w.UserID, w.ID, time.Now())
	}
	switch {
	case errors.Is(err, ErrNoSession):
		return e, nil // there is nothing to tell unless it begins meanwhile
	case err != nil:
		return e, fmt.Errorf("reading session: %w", err)
	}
	e.Subject, e.SessionID = s.UserID.ID, s.ID
	r := audit.RequestOf(ctx)
	switch {
	case s.ImpersonatedBy != nil:
		e.Kind = audit.ImpersonationEnded
	case r != nil && r.SessionID == s.ID:
		e.Kind = audit.SignOut
	}
	return e, nil
}

// All tells whether w names all sessions of a user, or all but one.
func (w Which) All() bool { return w.Hash == Hash{} && w.ID == "" }

// event tells that the groups of sessions change.
func (g Groups) event(w Which) audit.Event {
	e := audit.Event{Kind: audit.GroupsChanged, Subject: w.UserID, SessionID: w.ID, Details: map[string]string{}}
	if g.Set != nil {
		e.Details["set"] = audit.Names(g.Set)
	}
	if len(g.Add) > 0 {
		e.Details["add"] = audit.Names(g.Add)
	}
	if len(g.Remove) > 0 {
		e.Details["remove"] = audit.Names(g.Remove)
	}
	return e
}
