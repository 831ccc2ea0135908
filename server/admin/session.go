package admin

import (
	"context"
	"fmt"
	"time"

	"sluice/nodes/session"
)

// ListSessions is the input of session.list.
type ListSessions struct {
	User  string `json:"user"`           // id or e-mail address
	After string `json:"after,omitzero"` // id behind which the page begins
	Limit int    `json:"limit"`
}

// Sessions is a page of live sessions, newest first.
type Sessions struct {
	Sessions []session.Info `json:"sessions"`
	Next     string         `json:"next,omitzero"` // where the next page begins; "" on the last one
}

func (d *Desk) listSessions(ctx context.Context, in ListSessions) (Sessions, error) {
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return Sessions{}, err
	}
	limit := min(max(in.Limit, 1), maxPage)
	page, err := d.Stores.Sessions.List(ctx, u.ID, in.After, limit+1, time.Now())
	if err != nil {
		return Sessions{}, fmt.Errorf("listing sessions: %w", err)
	}
	out := Sessions{Sessions: []session.Info{}}
	if len(page) > limit {
		page, out.Next = page[:limit], page[limit-1].ID
	}
	for i := range page {
		out.Sessions = append(out.Sessions, page[i].Info())
	}
	return out, nil
}

// EndSessions is the input of session.end: one session of a user, or all.
type EndSessions struct {
	User string `json:"user"`         // id or e-mail address
	ID   string `json:"id,omitzero"`  // of the only session to end
	All  bool   `json:"all,omitzero"` // in place of ID
}

func (d *Desk) endSessions(ctx context.Context, in EndSessions) (Ended, error) {
	if in.All == (in.ID != "") {
		return Ended{}, &Refusal{"badInput", "Which session? It takes the id of one, or all."}
	}
	u, err := d.Find(ctx, in.User)
	if err != nil {
		return Ended{}, err
	}
	ended, err := d.end(ctx, session.Which{UserID: u.ID, ID: in.ID})
	if err == nil && ended.Ended == 0 && !in.All {
		return ended, &Refusal{"notFound", fmt.Sprintf("The user has no live session %.100q.", in.ID)}
	}
	return ended, err
}

func (d *Desk) end(ctx context.Context, w session.Which) (Ended, error) {
	n, err := d.Stores.Sessions.End(ctx, w, time.Now())
	if err != nil {
		return Ended{}, fmt.Errorf("ending sessions: %w", err)
	}
	return Ended{n}, nil
}
