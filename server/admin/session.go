package admin

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

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

// EndSessions is the input of session.end: one session of a user, all of them, or
// all of everyone.
type EndSessions struct {
	User     string `json:"user,omitzero"`     // id or e-mail address
	ID       string `json:"id,omitzero"`       // of the only session to end
	All      bool   `json:"all,omitzero"`      // in place of ID
	Everyone bool   `json:"everyone,omitzero"` // with All, in place of User
}

func (d *Desk) endSessions(ctx context.Context, in EndSessions) (Ended, error) {
	if in.All == (in.ID != "") {
		return Ended{}, &Refusal{"badInput", "Which session? It takes the id of one, or all."}
	}
	if in.Everyone {
		if in.User != "" || !in.All {
			return Ended{}, &Refusal{"badInput", "Whose sessions? Everyone's are ended all at once, without a user."}
		}
		return d.endEveryone(ctx)
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
	n, err := session.End(ctx, d.Stores.Sessions, d.Stores.Recorder, w)
	if err != nil {
		return Ended{}, fmt.Errorf("ending sessions: %w", err)
	}
	return Ended{n}, nil
}

// endEveryone ends the sessions of every user there is when it begins, some users
// at a time, as each is a write that waits for the disk.
func (d *Desk) endEveryone(ctx context.Context) (Ended, error) {
	const atOnce = 32
	var all Ended
	for after := ""; ; {
		page, err := d.Stores.Users.List(ctx, after, maxPage)
		if err != nil {
			return all, fmt.Errorf("listing users: %w", err)
		}
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(atOnce)
		ended := make([]Ended, len(page))
		for i, u := range page {
			work.Go(func() (err error) {
				ended[i], err = d.end(ctx, session.Which{UserID: u.ID})
				return err
			})
		}
		err = work.Wait()
		for _, e := range ended {
			all.Ended += e.Ended
		}
		if err != nil || len(page) < maxPage {
			return all, err
		}
		after = page[len(page)-1].ID
	}
}
