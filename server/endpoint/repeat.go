package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
)

const (
	// claimGrace is for how long a claim outlives the flow's timeout: a run that
	// ended at the last moment still has its answer kept.
	claimGrace = 10 * time.Second
	// settleTimeout is how long keeping an answer, or giving up a claim, can take.
	// It is behind the run, whose own time may be over.
	settleTimeout = claimGrace / 2
	maxRepeatName = 255 // bytes of what a client calls its call
)

// Replayed is the header that tells an answer which is given again.
const Replayed = "Idempotency-Replayed"

// once runs the flow unless the same call has run before, whose answer it then
// gives again. A call without the header that repeat: names always runs.
//
// The call is claimed before it runs and its answer is kept behind that. Where
// the process dies between the two, or while a node runs on for longer than
// claimGrace after the flow's timeout, the claim ends by itself and the call can
// run once more. Failures and answers longer than [repeat.MaxBody] are not kept:
// such a call runs again as well.
func (e *Endpoint) once(ctx context.Context, r *Request, s *session.Session, in engine.Inputs) (engine.Answer, error) {
	name, err := e.repeatName(r)
	if err != nil {
		return engine.Answer{}, err
	}
	if name == "" {
		return e.run(ctx, in)
	}
	now := time.Now()
	call := hash(e.flow.File, e.caller(r, s), name)
	c := repeat.NewClaim(call, hash(append([]string{r.RawQuery, string(r.Body)}, r.Params...)...), now.Add(e.flow.Timeout+claimGrace))
	earlier, err := e.Repeats.Claim(ctx, c, now)
	switch {
	case errors.Is(err, repeat.ErrRunning):
		err := engine.Fail(engine.Conflict, "request_in_progress", "The same request is being worked on. Try again in a moment.")
		err.RetryAfter = time.Second
		return engine.Answer{}, err
	case errors.Is(err, repeat.ErrOtherRequest):
		err := engine.Fail(engine.Invalid, "idempotency_key_reused", "Another request came with this "+e.flow.Repeat.Header+" before.")
		err.Status = 422
		return engine.Answer{}, err
	case err != nil:
		return engine.Answer{}, unavailable(fmt.Errorf("claiming call: %w", err))
	case earlier != nil:
		earlier.Headers = append(earlier.Headers, engine.Header{Name: Replayed, Value: "true"})
		return *earlier, nil
	}
	answer, err := e.run(ctx, in)
	e.settle(ctx, c, answer, err == nil)
	return answer, err
}

// settle keeps the answer of a call that went well, and otherwise gives the
// claim up. If the store can do neither, the caller is told what became of the
// call all the same, and the claim ends by itself: that the store is away, the
// next call that needs it tells.
func (e *Endpoint) settle(ctx context.Context, c repeat.Claim, a engine.Answer, keep bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if !keep || len(a.Body) > repeat.MaxBody {
		_ = e.Repeats.Release(ctx, c)
		return
	}
	// A cookie is for the browser that was answered, and may hold a secret.
	a.Headers = slices.DeleteFunc(slices.Clone(a.Headers), func(h engine.Header) bool { return strings.EqualFold(h.Name, "Set-Cookie") })
	now := time.Now()
	_ = e.Repeats.Keep(ctx, c, a, now.Add(e.flow.Repeat.Keep), now)
}

// repeatName returns what the caller calls the call, or "" where the header was
// not sent.
func (e *Endpoint) repeatName(r *Request) (string, error) {
	field := e.flow.Repeat.Header
	names := r.Header(field)
	if len(names) == 0 {
		return "", nil
	}
	message := "headers." + field
	switch name := names[0]; {
	case len(names) > 1:
		message += " is given twice"
	case name == "" || len(name) > maxRepeatName || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }):
		message += fmt.Sprintf(" must be 1 to %d visible characters of ASCII", maxRepeatName)
	default:
		return name, nil
	}
	return "", invalid([]engine.Fault{{Field: "headers." + field, Message: message}})
}

// caller tells callers apart who may call different calls the same: by user,
// else by the API key that was checked, else by address.
func (e *Endpoint) caller(r *Request, s *session.Session) string {
	switch {
	case s != nil:
		return "user " + s.UserID.ID
	case e.flow.APIKey != engine.KeyNone && r.APIKey != "":
		key := sha256.Sum256([]byte(r.APIKey))
		return "key " + string(key[:])
	}
	return "ip " + ipText(r.IP)
}

// hash is a hash of texts that no other list of texts has.
func hash(texts ...string) (h repeat.Hash) {
	sum := sha256.New()
	for _, t := range texts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(t)))
		sum.Write(n[:])
		sum.Write([]byte(t))
	}
	sum.Sum(h[:0])
	return h
}
