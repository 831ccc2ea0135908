package audit

import (
	"context"
	"errors"
	"strconv"
)

// Bounds of refusals that are counted.
const (
	maxCodes     = 100
	maxAddresses = 1000
)

// refusals are calls that were refused for the same reason.
type refusals struct {
	times     int
	addresses map[string]bool
}

// Refused counts a call that was refused before its flow ran, for a dead token, a
// missing group, a limit. Anybody can make any number of such calls, so that
// there is no event for each: [Recorder.Flush] writes one for each code.
func (r *Recorder) Refused(code, ip string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.refused[code]
	if c == nil {
		if len(r.refused) >= maxCodes {
			return
		}
		c = &refusals{addresses: map[string]bool{}}
		r.refused[code] = c
	}
	c.times++
	if len(c.addresses) < maxAddresses {
		c.addresses[ip] = true
	}
}

// Flush writes what Refused counted since the last time. A server calls it once a
// minute and when it stops.
func (r *Recorder) Flush(ctx context.Context) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	counted := r.refused
	r.refused = map[string]*refusals{}
	r.mu.Unlock()
	var errs []error
	for code, c := range counted {
		e := Event{Kind: Refused, Outcome: code, Details: map[string]string{
			"times": strconv.Itoa(c.times), "addresses": strconv.Itoa(len(c.addresses)),
		}}
		if len(c.addresses) == 1 {
			for ip := range c.addresses {
				e.IP = ip
			}
		}
		errs = append(errs, r.Note(ctx, e))
	}
	return errors.Join(errs...)
}
