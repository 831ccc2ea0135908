package mongo

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"sluice/nodes/session"
)

// Bounds of what is kept of sessions.
const (
	minRecent = time.Second
	maxRecent = time.Minute
	maxKept   = 50_000 // sessions, and as many users
)

// recentVar is what asks for a cache, in a store URL.
const recentVar = "sessionCache"

// recentOf returns for how long a store URL lets sessions be kept in memory, or
// 0 for not at all.
func recentOf(uri string, o *options.ClientOptions) (bound time.Duration, err error) {
	_, query, _ := strings.Cut(uri, "?")
	n := 0
	for _, setting := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, given, _ := strings.Cut(setting, "=")
		if !strings.EqualFold(name, recentVar) {
			continue
		}
		n++
		bound, err = time.ParseDuration(given)
		if err != nil || bound != 0 && (bound < minRecent || bound > maxRecent) {
			return 0, fmt.Errorf("store URL has %s=%s: 0, for none, and durations from %v to %v are known", recentVar, given, minRecent, maxRecent)
		}
	}
	switch {
	case n > 1:
		return 0, fmt.Errorf("store URL has %s more than once", recentVar)
	case bound != 0 && o.ReadConcern.Level == readconcern.Linearizable().Level:
		return 0, fmt.Errorf("store URL has %s and readConcernLevel=linearizable: checks that ask a majority each cannot be remembered; leave one out", recentVar)
	}
	return bound, nil
}

// recent keeps what session checks have read, for a time that is bounded
// whatever happens. Changes by this process are forgotten before anybody hears
// of them, those of others when the stream of changes tells. While there is no
// such stream nothing is kept.
type recent struct {
	db       *DB
	bound    time.Duration
	sessions *shelf[session.Hash, document]
	accounts *shelf[string, account]

	base    time.Time
	heard   atomic.Int64 // when the stream last told that it works, in nanoseconds from base; 0 while there is none
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// keepRecent begins to keep what session checks read. It fails where the
// database has no stream of changes. It is called before db is used.
func (db *DB) keepRecent(ctx context.Context, bound time.Duration) error {
	if !db.atomic {
		return fmt.Errorf("store URL has %s: %w, nor a stream of changes; leave %s out", recentVar, errAlone, recentVar)
	}
	r := &recent{db: db, bound: bound, base: time.Now()}
	r.sessions = newShelf(r, func(ctx context.Context, h session.Hash) (*document, error) {
		return find[document](ctx, db.checked.sessions, where(is("_id", binary(h[:]))))
	})
	r.accounts = newShelf(r, func(ctx context.Context, id string) (*account, error) {
		return find[account](ctx, db.checked.users, where(is("_id", id)), lean())
	})
	changes, err := r.open(ctx)
	if err != nil {
		return fmt.Errorf("opening the stream of changes that %s needs: %w", recentVar, err)
	}
	var follow context.Context
	follow, r.stop = context.WithCancel(context.Background())
	r.hear()
	r.stopped.Go(func() { r.follow(follow, changes) })
	db.recent = r
	return nil
}

// get is what Sessions.Get does, with what is kept. That a session does not
// count is said only by the database.
func (r *recent) get(ctx context.Context, h session.Hash, now time.Time) (*session.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed("checking session", err)
	}
	for anew := false; ; anew = true {
		d, a, old, err := r.look(ctx, h, anew)
		switch {
		case err != nil:
			return nil, err
		case d != nil && a != nil && d.Expires > date(now) && a.counts(d):
			return d.session(a), nil
		case !old:
			return nil, session.ErrNoSession
		}
	}
}

// look returns the document of a token's session and that of its user, or nil
// for one that there is not, and whether a kept one had a say in that, which with
// anew none has.
func (r *recent) look(ctx context.Context, h session.Hash, anew bool) (d *document, a *account, old bool, err error) {
	d, err = byToken(h, func(id []byte) (*document, error) {
		if len(id) != len(h) {
			return nil, nil // nothing has such an _id
		}
		d, kept, err := r.sessions.look(ctx, session.Hash(id), anew)
		old = old || kept
		return d, err
	})
	if err != nil || d == nil {
		return nil, nil, old, err
	}
	a, kept, err := r.accounts.look(ctx, d.UID, anew)
	return d, a, old || kept, err
}

// trusted tells whether the stream of changes works.
func (r *recent) trusted() bool {
	heard := r.heard.Load()
	return heard != 0 && time.Since(r.base)-time.Duration(heard) < silence
}

// hear notes that the stream of changes works. What was kept before it was
// silent for too long is forgotten.
func (r *recent) hear() {
	now := time.Since(r.base)
	if was := r.heard.Load(); was != 0 && now-time.Duration(was) >= silence {
		r.forgetAll()
	}
	r.heard.Store(int64(max(now, 1)))
}

// forgetAll, forgetSession and forgetUser do nothing where nothing is kept. A
// call that writes defers them, so that they come behind the write, however
// that went, and in front of the answer.
func (r *recent) forgetAll() {
	if r != nil {
		r.sessions.clear()
		r.accounts.clear()
	}
}

// forgetSession takes the _id of a session.
func (r *recent) forgetSession(id []byte) {
	switch {
	case r == nil:
	case len(id) == len(session.Hash{}):
		r.sessions.drop(session.Hash(id))
	default:
		r.sessions.clear()
	}
}

func (r *recent) forgetUser(id string) {
	if r != nil {
		r.accounts.drop(id)
	}
}

// forgetUsers takes the filter of a change, and forgets all users where that
// names none by its id.
func (r *recent) forgetUsers(filter bson.D) {
	if r == nil {
		return
	}
	if len(filter) > 0 && filter[0].Key == "_id" {
		if is, ok := filter[0].Value.(bson.D); ok && len(is) == 1 && is[0].Key == "$eq" {
			if id, ok := is[0].Value.(string); ok {
				r.accounts.drop(id)
				return
			}
		}
	}
	r.accounts.clear()
}

// close ends the stream of changes, and trust in what is kept.
func (r *recent) close() {
	if r != nil {
		r.stop()
		r.stopped.Wait()
	}
}

// A shelf keeps a bounded number of documents by their _id, each for a bounded
// time, and reads those that it does not have. What goes when it is full is left
// to chance.
type shelf[K comparable, V any] struct {
	of   *recent
	read func(context.Context, K) (*V, error) // nil where there is none

	mu      sync.Mutex
	kept    map[K]kept[V]  // guarded by mu
	reading map[K]*reading // guarded by mu
}

// kept is a document that nobody changes.
type kept[V any] struct {
	document *V
	until    time.Time
}

// A reading is what all are about who read a document at the same time.
type reading struct {
	readers int  // guarded by mu of the shelf
	stale   bool // a change came in between; guarded by mu of the shelf
}

func newShelf[K comparable, V any](of *recent, read func(context.Context, K) (*V, error)) *shelf[K, V] {
	return &shelf[K, V]{of: of, read: read, kept: map[K]kept[V]{}, reading: map[K]*reading{}}
}

// look returns a document, or nil where there is none, and whether it is a kept
// one, which with anew it is not.
func (s *shelf[K, V]) look(ctx context.Context, k K, anew bool) (v *V, old bool, err error) {
	began := time.Now()
	s.mu.Lock()
	have, ok := s.kept[k]
	// Trust is asked for behind the look at what is kept, so that what a break of
	// the stream is about to drop is not given.
	trusted := s.of.trusted()
	if ok && !anew && trusted && began.Before(have.until) {
		s.mu.Unlock()
		return have.document, true, nil
	}
	if !trusted {
		s.mu.Unlock()
		v, err = s.read(ctx, k)
		return v, false, err
	}
	r := s.reading[k]
	if r == nil {
		r = &reading{}
		s.reading[k] = r
	}
	r.readers++
	s.mu.Unlock()
	v, err = s.read(ctx, k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.readers--; r.readers == 0 && s.reading[k] == r {
		delete(s.reading, k)
	}
	if err == nil && v != nil && !r.stale {
		s.put(k, kept[V]{v, began.Add(s.of.bound)})
	}
	return v, false, err
}

// put is called with mu held.
func (s *shelf[K, V]) put(k K, v kept[V]) {
	was, ok := s.kept[k]
	if ok && was.until.After(v.until) {
		return // another reader began later
	}
	if !ok && len(s.kept) >= maxKept {
		for other := range s.kept {
			delete(s.kept, other)
			break
		}
	}
	s.kept[k] = v
}

// drop forgets a document, and sees to it that nobody keeps what was read
// before.
func (s *shelf[K, V]) drop(k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, k)
	if r := s.reading[k]; r != nil {
		r.stale = true
		delete(s.reading, k)
	}
}

// clear forgets all documents, as drop does.
func (s *shelf[K, V]) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept)
	for _, r := range s.reading {
		r.stale = true
	}
	clear(s.reading)
}
