package user

import (
	"context"

	"sluice/nodes/audit"
)

// Amend changes a user and records it in rec.
func Amend(ctx context.Context, s Store, rec *audit.Recorder, id string, c Change) (u User, err error) {
	err = rec.Do(ctx, c.event(id), func(ctx context.Context) (err error) {
		u, err = s.Update(ctx, id, c, now())
		return err
	})
	return u, err
}

// event tells what of a user changes. Values are personal and no part of it, but
// for the groups.
func (c Change) event(userID string) audit.Event {
	e := audit.Event{Kind: audit.UserChanged, Subject: userID, Details: map[string]string{}}
	switch {
	case c.Disabled != nil && *c.Disabled:
		e.Kind = audit.UserDisabled
	case c.Disabled != nil:
		e.Kind = audit.UserEnabled
	case c.Groups != nil:
		e.Kind = audit.GroupsChanged
	}
	if c.Groups != nil {
		e.Details["set"] = audit.Names(c.Groups)
	}
	var names []string
	for _, f := range []struct {
		name string
		is   bool
	}{{"email", c.EmailKey != nil}, {"emailVerified", c.EmailVerified != nil},
		{"phone", c.Phone != nil}, {"phoneVerified", c.PhoneVerified != nil}, {"name", c.Name != nil}} {
		if f.is {
			names = append(names, f.name)
		}
	}
	if len(names) > 0 {
		e.Details["changed"] = audit.Names(names)
	}
	return e
}
