package endpoint

import (
	"bytes"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sluice/engine"
	"sluice/nodes/user"
)

// A Limiter counts calls in memory, by the generic cell rate algorithm (ITU-T
// I.371): a caller may spend its whole allowance at once and gets it back
// evenly. It outlives reloads of the flows.
type Limiter struct {
	mu   sync.Mutex
	next map[string]time.Time // when the allowance is whole again, by flow and key; guarded by mu
	most int
}

// NewLimiter makes a limiter that tells at most so many callers apart; beyond
// that the ones longest idle are forgotten first.
func NewLimiter(most int) *Limiter {
	return &Limiter{next: map[string]time.Time{}, most: most}
}

// take counts a call and returns 0, or how long to wait where it is one too many.
func (l *Limiter) take(flow string, limit *engine.Limit, in engine.Inputs, now time.Time) time.Duration {
	var buf [256]byte
	key := oneSpelling(limit.Key(append(append(buf[:0], flow...), 0), in))
	step := limit.Each / time.Duration(limit.Rate)
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.next[string(key)]
	if !known && len(l.next) >= l.most {
		l.forget(now)
	}
	if at.Before(now) {
		at = now
	}
	at = at.Add(step)
	if wait := at.Sub(now) - limit.Each; wait > 0 {
		return wait
	}
	l.next[string(key)] = at
	return 0
}

// oneSpelling replaces the parts of a key that one caller can spell in many ways:
// an e-mail address becomes what users are told apart by, and an IPv6 address
// the /64 that one subscriber has. Otherwise each spelling had an allowance.
func oneSpelling(key []byte) []byte {
	if !bytes.ContainsAny(key, "@:\uff20\ufe6b") { // the at sign also in full width and small
		return key
	}
	parts := strings.Split(string(key), "\x00")
	for i, part := range parts {
		if _, email, err := user.EmailKey(part); err == nil {
			parts[i] = email
		} else if ip, err := netip.ParseAddr(part); err == nil && ip.Is6() && !ip.Is4In6() {
			parts[i] = netip.PrefixFrom(ip, 64).Masked().String()
		}
	}
	return []byte(strings.Join(parts, "\x00"))
}

// forget drops callers whose allowance is whole, which changes nothing for
// them, and if that is not enough, others at random.
func (l *Limiter) forget(now time.Time) {
	for k, at := range l.next {
		if at.Before(now) {
			delete(l.next, k)
		}
	}
	for k := range l.next {
		if len(l.next) < l.most*9/10 {
			return
		}
		delete(l.next, k)
	}
}

// Len returns how many callers the limiter keeps.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.next)
}
