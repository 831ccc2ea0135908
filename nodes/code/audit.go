package code

import (
	"cmp"
	"context"

	"sluice/nodes/audit"
)

// Recorded tells the event that rides along with a try of a code whose code was
// used, and drops the event where none was, or one of nobody. Stores that keep a
// try which was wrong call it in the transaction of the change.
func Recorded(ctx context.Context, c Code, used bool) {
	r := audit.Riding(ctx)
	if !used || c.UserID == "" {
		r.Drop()
		return
	}
	r.About(c.UserID, "")
}

// use uses a code and tells so.
func (m Means) use(ctx context.Context, purpose string, slot Slot, h Hash) (c Code, err error) {
	e := audit.Event{Kind: audit.CodeRedeemed, Details: map[string]string{"purpose": purpose}}
	err = m.Audit.Do(ctx, e, func(ctx context.Context) (err error) {
		c, err = m.Codes.Take(ctx, slot, h, now())
		Recorded(ctx, c, err == nil)
		return err
	})
	return c, err
}

// refused records a code that proves nobody, in the same way whoever was meant,
// and returns Mismatch.
func (m Means) refused(ctx context.Context, in redeemIn, userID, reason string) error {
	subject := userID
	if in.User != nil {
		subject = in.User.ID
	}
	if subject == "" {
		if who := spelling(cmp.Or(in.Email, in.Phone)); who != "" {
			subject = m.Audit.Pseudonym(who)
		}
	}
	err := m.Audit.Note(ctx, audit.Event{
		Kind: audit.CodeRefused, Subject: subject, Outcome: Mismatch.Name, Details: map[string]string{"purpose": in.Purpose, "reason": reason},
	})
	if err != nil {
		return err
	}
	return Mismatch
}
