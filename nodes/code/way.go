package code

import (
	"context"
	"fmt"
	"time"

	"sluice/nodes/limit"
	"sluice/nodes/mail"
	"sluice/nodes/user"
)

// A way is how a code reaches its user.
type way struct {
	asked        string // address or number that was asked for
	to           string // the same in the form in which it is sent to
	email, phone string // the one of the two that it is, for templates
	verified     bool   // the user has shown to own it
	by           mail.Sender
}

// way is how a code is to be sent. A text is counted, whoever it is for.
func (m Means) way(ctx context.Context, in *sendIn) (w way, err error) {
	if in.Phone != "" {
		number, err := user.PhoneNumber(in.Phone)
		if err != nil {
			return way{}, user.InvalidPhone.Because(err)
		}
		owned := in.User != nil && in.User.PhoneVerified && in.User.Phone == number
		return way{asked: number, to: number, phone: number, verified: owned, by: m.Post.Texts}, m.count(ctx, number, in)
	}
	w = way{asked: in.Email, by: m.Post.Sender}
	if w.asked == "" && in.User != nil {
		w.asked = in.User.Email
	}
	w.email, w.verified = w.asked, in.User != nil && in.User.EmailVerified
	if w.to, err = mail.Address(w.asked); err != nil {
		return way{}, user.InvalidEmail.Because(err)
	}
	return w, nil
}

// count counts a text for its caller and for its number, or returns
// [limit.Throttled]: whoever asks for many would make the owner pay, and disturb
// who reads them.
func (m Means) count(ctx context.Context, number string, in *sendIn) error {
	now := time.Now()
	caller := limit.KeyOf("texts from", limit.Network(in.IP, 32))
	for _, c := range []struct {
		key  limit.Key
		most int
		of   bool
	}{{caller, in.PerCaller, in.IP != ""}, {limit.KeyOf("texts to", number), in.PerNumber, true}} {
		if !c.of {
			continue
		}
		taken, err := m.Limits.Take(ctx, c.key, limit.Rate{Count: c.most, Each: time.Hour}, now)
		switch {
		case err != nil:
			return fmt.Errorf("counting a text: %w", err)
		case taken.Wait > 0:
			return limit.Throttled.After(taken.Wait)
		}
	}
	return nil
}
