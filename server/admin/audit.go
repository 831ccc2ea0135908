package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// ListEvents is the input of audit.list.
type ListEvents struct {
	Since time.Time    `json:"since,omitzero"` // zero for all
	Kinds []audit.Kind `json:"kinds,omitzero"` // any of them; none for all
	User  string       `json:"user,omitzero"`  // id or e-mail address of who did it or had it done; "" for all
	After audit.Head   `json:"after,omitzero"` // of the last event of the page before
	Limit int          `json:"limit"`
}

// Events is a page of the audit log, oldest first.
type Events struct {
	Events []audit.Event `json:"events"`
}

func (d *Desk) listEvents(ctx context.Context, in ListEvents) (Events, error) {
	of, err := d.named(ctx, in.User)
	if err != nil {
		return Events{}, err
	}
	page, err := d.Stores.Audit.List(ctx, audit.Query{Since: in.Since, Kinds: in.Kinds, Of: of, After: in.After, Limit: min(max(in.Limit, 1), maxPage)})
	if err != nil {
		return Events{}, fmt.Errorf("listing audit events: %w", err)
	}
	return Events{append([]audit.Event{}, page...)}, nil
}

// named returns what the log calls somebody who is given by id, address or phone number. One
// without an account is known by pseudonym.
func (d *Desk) named(ctx context.Context, who string) ([]string, error) {
	if who == "" {
		return nil, nil
	}
	find := d.Stores.Users.ByEmail
	_, key, err := user.EmailKey(who)
	if err != nil {
		find = d.Stores.Users.ByPhone
		if key, err = user.PhoneNumber(who); err != nil {
			return []string{who}, nil
		}
	}
	var names []string
	if alias := d.Stores.Audit.Keys().Pseudonym(key); alias != "" {
		names = append(names, alias)
	}
	u, err := find(ctx, key)
	switch {
	case err == nil:
		names = append(names, u.ID)
	case !errors.Is(err, user.ErrNoUser):
		return nil, fmt.Errorf("reading user: %w", err)
	case len(names) == 0:
		return nil, &Refusal{"notFound", fmt.Sprintf("There is no user with the address or number %.100q.", strings.ToValidUTF8(who, "?"))}
	}
	return names, nil
}

// VerifyAudit is the input of audit.verify; its output is the report.
type VerifyAudit struct {
	Heads []audit.Head `json:"heads,omitzero"` // that were kept elsewhere
}

func (d *Desk) verifyAudit(ctx context.Context, in VerifyAudit) (*audit.Report, error) {
	return audit.Verify(ctx, d.Stores.Audit, in.Heads...)
}
