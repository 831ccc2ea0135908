package audit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/engine"
)

const (
	appendTimeout = 5 * time.Second // of an event behind the change, whatever time the caller has left
	seldom        = time.Hour
	maxSeldom     = 10_000 // events that are told apart
)

// A Recorder writes events to a store and to the log of the server. It is safe
// for many goroutines. A nil one records nothing, for tests of nodes.
type Recorder struct {
	store   Store
	log     *slog.Logger
	lenient bool

	mu      sync.Mutex
	last    map[rare]time.Time   // of events that are written seldom; guarded by mu
	refused map[string]*refusals // since the last event about them, by code; guarded by mu
}

// A rare event is what tells those apart that are written seldom.
type rare struct {
	kind        Kind
	subject, ip string
}

// Options of a [Recorder].
type Options struct {
	Log *slog.Logger // gets a line for each event; nil for none
	// Lenient lets a call go on whose event cannot be written: it is in Log
	// only. Otherwise such a call fails and is [engine.ErrUnavailable], as nobody
	// should be able to act unseen by filling a disk.
	Lenient bool
}

// NewRecorder makes a recorder.
func NewRecorder(s Store, o Options) *Recorder {
	r := &Recorder{store: s, log: o.Log, lenient: o.Lenient, last: map[rare]time.Time{}, refused: map[string]*refusals{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r
}

// Do makes a change and writes the event that tells of it. The change is given a
// context in which the event rides along, and must hand it to the store. Where
// the change fails, or drops the event by [Riding], there is no event. Where the
// event cannot be written, the error is [engine.ErrUnavailable]: then the change
// was not made if the store writes both together, and otherwise it was.
func (r *Recorder) Do(ctx context.Context, e Event, change func(ctx context.Context) error) error {
	if r == nil {
		return change(ctx)
	}
	if err := r.complete(ctx, &e); err != nil {
		return err
	}
	rider := NewRider(e)
	if err := change(context.WithValue(ctx, riderKey{}, rider)); err != nil {
		return err
	}
	switch {
	case rider.dropped:
		return nil
	case rider.written:
		r.tell(ctx, rider.event)
		return nil
	}
	return r.append(ctx, rider.event)
}

// Note writes an event that comes with no change.
func (r *Recorder) Note(ctx context.Context, e Event) error {
	if r == nil {
		return nil
	}
	if err := r.complete(ctx, &e); err != nil {
		return err
	}
	return r.append(ctx, e)
}

// Seldom notes an event unless one of the same kind, subject and address was
// noted within the last hour, for what happens with every request.
func (r *Recorder) Seldom(ctx context.Context, e Event) error {
	if r == nil {
		return nil
	}
	if req := RequestOf(ctx); e.IP == "" && req != nil {
		e.IP = req.IP
	}
	what := rare{e.Kind, e.Subject, e.IP}
	if !r.due(what, time.Now()) {
		return nil
	}
	err := r.Note(ctx, e)
	if err != nil { // so that the next one tries again
		r.mu.Lock()
		delete(r.last, what)
		r.mu.Unlock()
	}
	return err
}

// Forget forgets which events were written seldom and which calls were refused,
// for tests that come one after the other.
func (r *Recorder) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.last)
	clear(r.refused)
}

// due tells whether an event is to be written that is written seldom.
func (r *Recorder) due(what rare, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[what]; ok && now.Sub(last) < seldom {
		return false
	}
	if len(r.last) >= maxSeldom {
		clear(r.last)
	}
	r.last[what] = now
	return true
}

// Pseudonym returns what stands for a text that must not be in the log, see
// [Keys.Pseudonym].
func (r *Recorder) Pseudonym(text string) string {
	if r == nil {
		return ""
	}
	return r.store.Keys().Pseudonym(text)
}

// NotProved notes that a caller could not prove to be somebody: as a sign-in that
// failed, or, of a caller who is signed in, as a proof that did. Subject is the id
// of a user or a pseudonym; the reason is for the log alone.
func (r *Recorder) NotProved(ctx context.Context, subject, outcome, reason string) error {
	e := Event{Kind: SignInFailed, Subject: subject, Outcome: outcome, Details: map[string]string{"reason": reason}}
	if req := RequestOf(ctx); req != nil && req.UserID != "" {
		e.Kind = ProofFailed
	}
	return r.Note(ctx, e)
}

// Throttled notes seldom that somebody was held back after too many failures, and
// returns why. An error that is no outcome is none of these.
func (r *Recorder) Throttled(ctx context.Context, subject string, why error) error {
	o, _ := engine.Left(why)
	if o == nil {
		return why
	}
	return cmp.Or(r.Seldom(ctx, Event{Kind: Locked, Subject: subject, Outcome: o.Name}), why)
}

// complete makes an event ready to be written.
func (r *Recorder) complete(ctx context.Context, e *Event) error {
	if !e.Kind.Known() {
		return fmt.Errorf("writing audit event: there is no kind %q", e.Kind)
	}
	RequestOf(ctx).fill(e)
	if e.Outcome == "" {
		e.Outcome = Done
	}
	e.clean()
	return nil
}

// append writes an event by itself. What it tells of has happened, so that the
// caller's going away is no reason to leave it out.
func (r *Recorder) append(ctx context.Context, e Event) error {
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	sealed, err := r.store.Append(writing, e)
	if err == nil {
		r.tell(ctx, sealed)
		return nil
	}
	r.log.LogAttrs(ctx, slog.LevelError, "audit event is not in the store", append(e.attrs(), slog.Any("error", err))...)
	if r.lenient {
		return nil
	}
	return fmt.Errorf("writing audit event: %w: %w", engine.ErrUnavailable, err)
}

// tell logs an event that is in the store.
func (r *Recorder) tell(ctx context.Context, e Event) {
	level := slog.LevelInfo
	switch {
	case e.Kind == Started:
		level = slog.LevelDebug // the server says so itself
	case e.Outcome != Done:
		level = slog.LevelWarn
	}
	if r.log.Enabled(ctx, level) {
		r.log.LogAttrs(ctx, level, "audit", append(e.attrs(), slog.String("head", e.Head().String()))...)
	}
}

// attrs are the fields of an event that say something.
func (e *Event) attrs() []slog.Attr {
	all := make([]slog.Attr, 0, 12)
	add := func(name, value string) {
		if value != "" {
			all = append(all, slog.String(name, value))
		}
	}
	add("kind", string(e.Kind))
	add("actor", e.Actor)
	add("subject", e.Subject)
	add("sessionId", e.SessionID)
	add("ip", e.IP)
	add("userAgent", e.UserAgent)
	add("request", e.RequestID)
	add("flow", e.Flow)
	add("outcome", e.Outcome)
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		add("details."+name, e.Details[name])
	}
	return all
}
