package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// limit counts a call and refuses it where it is one too many.
func (e *Endpoint) limit(ctx context.Context, in engine.Inputs, now time.Time) error {
	l := e.flow.Limit
	if l == nil {
		return nil
	}
	var buf [256]byte
	key := limit.KeyOf("call", e.flow.File, string(oneSpelling(l.Key(buf[:0], in))))
	taken, err := e.Limits.Take(ctx, key, limit.Rate{Count: l.Rate, Each: l.Each}, now)
	if err != nil {
		return unavailable(fmt.Errorf("counting the call: %w", err))
	}
	if taken.Wait > 0 {
		refused := engine.Fail(engine.TooMany, "rate_limit_exceeded", "Too many requests. Try again later.")
		refused.RetryAfter = taken.Wait
		return refused
	}
	return nil
}

// oneSpelling replaces the parts of a key that one caller can spell in many ways:
// an e-mail address or a phone number becomes what users are told apart by, and an IPv6 address
// the /64 that one subscriber has. Otherwise each spelling had an allowance.
func oneSpelling(key []byte) []byte {
	if !bytes.ContainsAny(key, "@:+\uff20\ufe6b") { // the at sign also in full width and small
		return key
	}
	parts := strings.Split(string(key), "\x00")
	for i, part := range parts {
		if _, email, err := user.EmailKey(part); err == nil {
			parts[i] = email
		} else if number, err := user.PhoneNumber(part); err == nil {
			parts[i] = number
		} else {
			parts[i] = limit.Network(part, 32)
		}
	}
	return []byte(strings.Join(parts, "\x00"))
}
