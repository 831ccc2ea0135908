// Package memory has every store, in memory.
// It is simple and obviously right: the model to which other stores are
// compared, and good enough for tests that need any store.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/attempt"
	"sluice/nodes/code"
	"sluice/nodes/data"
	"sluice/nodes/limit"
	"sluice/nodes/oidc"
	"sluice/nodes/passkey"
	"sluice/nodes/password"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

var (
	_ user.Store     = users{}
	_ password.Store = passwords{}
	_ session.Store  = sessions{}
	_ repeat.Store   = repeats{}
)

// New returns empty stores, which forget everything with the process. They never clean up, and finding something is a walk through all.
func New() nodes.Stores {
	m := empty()
	ds := &documents{kept: map[string]map[string]data.Document{}, declared: map[string]*data.Collection{}}
	es := newEvents()
	return nodes.Stores{
		Users: users{m}, Passwords: passwords{m}, Sessions: sessions{m}, Repeats: repeats{m}, Keys: keys{m}, Codes: codes{m}, Factors: factors{m},
		Attempts: attempts{m}, Identities: identities{m}, Passkeys: passkeys{m},
		Data:    ds,
		Limits:  limit.NewTable(math.MaxInt),
		Audit:   es,
		Records: records{m, ds, es},
	}
}

func empty() *memory {
	return &memory{
		users: map[string]*account{}, sessions: map[session.Hash]*session.Session{}, repeats: map[repeat.Hash]*known{},
		keys: map[apikey.Hash]*apikey.Key{}, codes: map[code.Slot]code.Code{}, factors: map[string]*paidFactor{},
		attempts: map[attempt.Hash]attempt.Attempt{},
	}
}

type memory struct {
	mu       sync.Mutex
	users    map[string]*account               // by id; guarded by mu
	sessions map[session.Hash]*session.Session // guarded by mu; what a pointer leads to never changes
	repeats  map[repeat.Hash]*known            // by call; guarded by mu
	keys     map[apikey.Hash]*apikey.Key       // guarded by mu; what a pointer leads to never changes
	codes    map[code.Slot]code.Code           // guarded by mu
	factors  map[string]*paidFactor            // by user; guarded by mu

	attempts   map[attempt.Hash]attempt.Attempt // guarded by mu
	identities []oidc.Identity                  // in the order of their ids; guarded by mu
	passkeys   []passkey.Passkey                // in the order of their ids; guarded by mu
}

// An account is a user with what others must not see.
type account struct {
	user.User
	hash string // of the password; empty for none
}

// shown returns the user, who shares nothing with the account.
func (a *account) shown() user.User {
	u := a.User
	u.Groups = slices.Clone(u.Groups)
	return u
}

// A known call runs under its claim, or has an answer that is kept until the
// claim's Until.
type known struct {
	repeat.Claim
	answer *engine.Answer // nil while the call runs
}

// lock locks the memory unless the context has ended.
func (m *memory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	return nil
}

// byKey returns the user with an address, or nil.
func (m *memory) byKey(key string) *account {
	for _, a := range m.users {
		if a.EmailKey == key && key != "" {
			return a
		}
	}
	return nil
}

// byPhone returns the user with a phone number, or nil.
func (m *memory) byPhone(number string) *account {
	for _, a := range m.users {
		if a.Phone == number && number != "" {
			return a
		}
	}
	return nil
}

// free tells whether nobody but one user has an address or a phone number.
func (m *memory) free(key, number string, of *account) error {
	if a := m.byKey(key); a != nil && a != of {
		return user.ErrEmailTaken
	}
	if a := m.byPhone(number); a != nil && a != of {
		return user.ErrPhoneTaken
	}
	return nil
}

// named returns the hashes of the live sessions that w names.
func (m *memory) named(w session.Which, now time.Time) []session.Hash {
	var found []session.Hash
	for h, s := range m.sessions {
		of := s.UserID.ID == w.UserID && (w.ID == "" || s.ID == w.ID) && (w.Except == "" || s.ID != w.Except)
		if w.Hash != (session.Hash{}) {
			of = h == w.Hash
		}
		if of && s.Live(now) {
			found = append(found, h)
		}
	}
	return found
}

// endAll ends the sessions of a user but one, and every proof made before. The
// session that is spared lives on and proves as much as a new one.
func (m *memory) endAll(a *account, except string) {
	a.Epoch++
	for h, s := range m.sessions {
		switch {
		case s.UserID.ID != a.ID:
		case except != "" && s.ID == except:
			spared := *s
			spared.UserID.Epoch = a.Epoch
			m.sessions[h] = &spared
		default:
			delete(m.sessions, h)
		}
	}
}

type users struct{ m *memory }

func (us users) Create(ctx context.Context, u user.User, passwordHash string) error {
	if err := us.m.lock(ctx); err != nil {
		return err
	}
	defer us.m.mu.Unlock()
	if err := us.m.free(u.EmailKey, u.Phone, nil); err != nil {
		return err
	}
	u.Groups = append([]string{}, u.Groups...)
	us.m.users[u.ID] = &account{u, passwordHash}
	return nil
}

func (us users) ByID(ctx context.Context, id string) (user.User, error) {
	if err := us.m.lock(ctx); err != nil {
		return user.User{}, err
	}
	defer us.m.mu.Unlock()
	if a := us.m.users[id]; a != nil {
		return a.shown(), nil
	}
	return user.User{}, user.ErrNoUser
}

func (us users) ByEmail(ctx context.Context, key string) (user.User, error) {
	if err := us.m.lock(ctx); err != nil {
		return user.User{}, err
	}
	defer us.m.mu.Unlock()
	if a := us.m.byKey(key); a != nil {
		return a.shown(), nil
	}
	return user.User{}, user.ErrNoUser
}

func (us users) ByPhone(ctx context.Context, number string) (user.User, error) {
	if err := us.m.lock(ctx); err != nil {
		return user.User{}, err
	}
	defer us.m.mu.Unlock()
	if a := us.m.byPhone(number); a != nil {
		return a.shown(), nil
	}
	return user.User{}, user.ErrNoUser
}

func (us users) Update(ctx context.Context, id string, c user.Change, now time.Time) (user.User, error) {
	if err := us.m.lock(ctx); err != nil {
		return user.User{}, err
	}
	defer us.m.mu.Unlock()
	a := us.m.users[id]
	if a == nil {
		return user.User{}, user.ErrNoUser
	}
	key, number := a.EmailKey, a.Phone
	set(&key, c.EmailKey)
	set(&number, c.Phone)
	if key == "" && number == "" {
		return user.User{}, user.ErrNameless
	}
	if err := us.m.free(key, number, a); err != nil {
		return user.User{}, err
	}
	set(&a.Email, c.Email)
	set(&a.EmailKey, c.EmailKey)
	set(&a.EmailVerified, c.EmailVerified)
	set(&a.Phone, c.Phone)
	set(&a.PhoneVerified, c.PhoneVerified)
	set(&a.Name, c.Name)
	set(&a.Disabled, c.Disabled)
	if c.Groups != nil {
		a.Groups = append([]string{}, c.Groups...)
	}
	a.UpdatedDtm = now
	if c.EndsSessions() {
		us.m.endAll(a, "")
	}
	return a.shown(), nil
}

func (us users) List(ctx context.Context, after string, limit int) ([]user.User, error) {
	if err := us.m.lock(ctx); err != nil {
		return nil, err
	}
	defer us.m.mu.Unlock()
	var page []user.User
	for id, a := range us.m.users {
		if after == "" || id < after {
			page = append(page, a.shown())
		}
	}
	slices.SortFunc(page, func(a, b user.User) int { return cmp.Compare(b.ID, a.ID) })
	return page[:min(limit, len(page))], nil
}

func (us users) Delete(ctx context.Context, id string, _ time.Time) error {
	if err := us.m.lock(ctx); err != nil {
		return err
	}
	defer us.m.mu.Unlock()
	a := us.m.users[id]
	if a == nil {
		return user.ErrNoUser
	}
	us.m.endAll(a, "")
	maps.DeleteFunc(us.m.keys, func(_ apikey.Hash, k *apikey.Key) bool { return k.UserID == id })
	delete(us.m.factors, id)
	us.m.identities = slices.DeleteFunc(us.m.identities, func(i oidc.Identity) bool { return i.UserID == id })
	us.m.passkeys = slices.DeleteFunc(us.m.passkeys, func(p passkey.Passkey) bool { return p.UserID == id })
	delete(us.m.users, id)
	return nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

type passwords struct{ m *memory }

func (ps passwords) Hash(ctx context.Context, userID string) (string, error) {
	if err := ps.m.lock(ctx); err != nil {
		return "", err
	}
	defer ps.m.mu.Unlock()
	if a := ps.m.users[userID]; a != nil && a.hash != "" {
		return a.hash, nil
	}
	return "", password.ErrNoPassword
}

func (ps passwords) SetHash(ctx context.Context, userID, prev, next string) error {
	if err := ps.m.lock(ctx); err != nil {
		return err
	}
	defer ps.m.mu.Unlock()
	a := ps.m.users[userID]
	if a == nil {
		return password.ErrNoPassword
	}
	if prev == "" || prev == a.hash {
		a.hash = next
	}
	return nil
}

type sessions struct{ m *memory }

func (ss sessions) Create(ctx context.Context, h session.Hash, s session.Session) error {
	if err := ss.m.lock(ctx); err != nil {
		return err
	}
	defer ss.m.mu.Unlock()
	return ss.m.create(h, s)
}

func (m *memory) create(h session.Hash, s session.Session) error {
	a := m.users[s.UserID.ID]
	if a == nil || a.Disabled || a.Epoch != s.UserID.Epoch {
		return session.ErrStaleProof
	}
	s.AccessGroupKeys = slices.Clone(s.AccessGroupKeys)
	m.sessions[h] = &s
	return nil
}

func (ss sessions) Get(ctx context.Context, h session.Hash, now time.Time) (*session.Session, error) {
	if err := ss.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ss.m.mu.Unlock()
	if s := ss.m.sessions[h]; s != nil && s.Live(now) {
		return s, nil
	}
	return nil, session.ErrNoSession
}

func (ss sessions) List(ctx context.Context, userID, after string, limit int, now time.Time) ([]session.Session, error) {
	if err := ss.m.lock(ctx); err != nil {
		return nil, err
	}
	defer ss.m.mu.Unlock()
	var page []session.Session
	for _, s := range ss.m.sessions {
		if s.UserID.ID == userID && s.Live(now) && (after == "" || s.ID < after) {
			page = append(page, *s)
		}
	}
	slices.SortFunc(page, func(a, b session.Session) int { return cmp.Compare(b.ID, a.ID) })
	return page[:min(limit, len(page))], nil
}

func (ss sessions) Update(ctx context.Context, w session.Which, g session.Groups, now time.Time) (int, error) {
	if err := ss.m.lock(ctx); err != nil {
		return 0, err
	}
	defer ss.m.mu.Unlock()
	found := ss.m.named(w, now)
	for _, h := range found {
		s := *ss.m.sessions[h]
		s.AccessGroupKeys = g.Apply(s.AccessGroupKeys)
		ss.m.sessions[h] = &s
	}
	return len(found), nil
}

func (ss sessions) End(ctx context.Context, w session.Which, now time.Time) (int, error) {
	if err := ss.m.lock(ctx); err != nil {
		return 0, err
	}
	defer ss.m.mu.Unlock()
	found := ss.m.named(w, now)
	for _, h := range found {
		delete(ss.m.sessions, h)
	}
	if a := ss.m.users[w.UserID]; a != nil && w.Hash == (session.Hash{}) && w.ID == "" {
		ss.m.endAll(a, w.Except)
	}
	return len(found), nil
}

func (ss sessions) Touch(h session.Hash, now time.Time) {
	ss.m.mu.Lock()
	defer ss.m.mu.Unlock()
	if s := ss.m.sessions[h]; s != nil && s.Live(now) {
		ss.m.sessions[h] = s.Touched(now)
	}
}

type repeats struct{ m *memory }

func (rs repeats) Claim(ctx context.Context, c repeat.Claim, now time.Time) (*engine.Answer, error) {
	if err := rs.m.lock(ctx); err != nil {
		return nil, err
	}
	defer rs.m.mu.Unlock()
	k := rs.m.repeats[c.Call]
	switch {
	case k == nil || !now.Before(k.Until):
		rs.m.repeats[c.Call] = &known{Claim: c}
		return nil, nil
	case k.Request != c.Request:
		return nil, repeat.ErrOtherRequest
	case k.answer == nil:
		return nil, repeat.ErrRunning
	}
	return own(*k.answer), nil
}

func (rs repeats) Keep(ctx context.Context, c repeat.Claim, a engine.Answer, until, now time.Time) error {
	if err := rs.m.lock(ctx); err != nil {
		return err
	}
	defer rs.m.mu.Unlock()
	k := rs.m.repeats[c.Call]
	if k != nil && now.Before(k.Until) && (k.Token != c.Token || k.answer != nil) {
		return repeat.ErrTaken
	}
	c.Until = until
	rs.m.repeats[c.Call] = &known{c, own(a)}
	return nil
}

func (rs repeats) Release(ctx context.Context, c repeat.Claim) error {
	if err := rs.m.lock(ctx); err != nil {
		return err
	}
	defer rs.m.mu.Unlock()
	if k := rs.m.repeats[c.Call]; k != nil && k.Token == c.Token && k.answer == nil {
		delete(rs.m.repeats, c.Call)
	}
	return nil
}

// own returns an answer that shares nothing with a.
func own(a engine.Answer) *engine.Answer {
	a.Headers, a.Body = slices.Clone(a.Headers), bytes.Clone(a.Body)
	return &a
}
