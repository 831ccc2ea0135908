package flowtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/attempt"
	"sluice/nodes/audit"
	"sluice/nodes/code"
	"sluice/nodes/data"
	"sluice/nodes/factor"
	"sluice/nodes/limit"
	"sluice/nodes/memory"
	"sluice/nodes/oidc"
	"sluice/nodes/passkey"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store"
)

// A stage is a set of stores that the nodes know, behind which each test has
// stores of its own. Tests come on stage one after the other.
type stage struct {
	users     *watchedUsers
	passwords *struct{ password.Store }
	sessions  *struct{ session.Store }
	documents *struct{ data.Store }
	limits    *struct{ limit.Store }
	keys      *struct{ apikey.Store }
	codes     *struct{ code.Store }
	factors   *struct{ factor.Store }
	attempts  *struct{ attempt.Store }
	linked    *struct{ oidc.Store }
	passkeys  *struct{ passkey.Store }
	mailbox   *postbox
	audit     *struct{ audit.Store }
	recorder  *audit.Recorder
	now       nodes.Stores // of the test that is on
	hasher    *password.Hasher
	sqlite    bool

	mu     sync.Mutex
	hashes map[string]string // of the passwords that tests give, by password; guarded by mu
}

// watchedUsers notes who is created, since a store does not list its users.
type watchedUsers struct {
	user.Store
	mu  sync.Mutex
	ids []string // guarded by mu
}

func (u *watchedUsers) Create(ctx context.Context, who user.User, passwordHash string) error {
	err := u.Store.Create(ctx, who, passwordHash)
	if err == nil {
		u.mu.Lock()
		u.ids = append(u.ids, who.ID)
		u.mu.Unlock()
	}
	return err
}

func newStage(h *password.Hasher, sqlite bool) *stage {
	events := &struct{ audit.Store }{}
	return &stage{
		audit: events, recorder: audit.NewRecorder(events, audit.Options{}),
		users: &watchedUsers{}, passwords: &struct{ password.Store }{}, sessions: &struct{ session.Store }{}, keys: &struct{ apikey.Store }{},
		codes: &struct{ code.Store }{}, factors: &struct{ factor.Store }{}, mailbox: &postbox{},
		attempts: &struct{ attempt.Store }{}, linked: &struct{ oidc.Store }{}, passkeys: &struct{ passkey.Store }{},
		documents: &struct{ data.Store }{memory.New().Data}, limits: &struct{ limit.Store }{},
		hasher: h, sqlite: sqlite, hashes: map[string]string{},
	}
}

func (st *stage) stores() nodes.Stores {
	return nodes.Stores{
		Users: st.users, Passwords: st.passwords, Sessions: st.sessions, Keys: st.keys, Codes: st.codes, Factors: st.factors,
		Data: st.documents, Limits: st.limits, Attempts: st.attempts, Identities: st.linked, Passkeys: st.passkeys,
		Audit: st.audit, Recorder: st.recorder,
	}
}

// clear brings empty stores on stage. The caller calls off when the test is over.
func (st *stage) clear(ctx context.Context, collections []*engine.Collection) (off func() error, err error) {
	s, off := memory.New(), func() error { return nil }
	if st.sqlite {
		if s, off, err = openSQLite(ctx); err != nil {
			return nil, err
		}
	}
	st.now = s
	st.users.Store, st.users.ids = s.Users, nil
	st.passwords.Store, st.sessions.Store, st.keys.Store, st.documents.Store, st.limits.Store = s.Passwords, s.Sessions, s.Keys, s.Data, s.Limits
	st.codes.Store, st.factors.Store = s.Codes, s.Factors
	st.attempts.Store, st.linked.Store, st.passkeys.Store = s.Attempts, s.Identities, s.Passkeys
	st.audit.Store = s.Audit
	st.recorder.Forget()
	st.mailbox.clear()
	if len(collections) > 0 {
		var all []*data.Collection
		for _, c := range collections {
			all = append(all, data.FromEngine(c))
		}
		if err := s.Data.Prepare(ctx, all); err != nil {
			return nil, errors.Join(fmt.Errorf("making collections ready: %w", err), off())
		}
	}
	return off, nil
}

// openSQLite opens the embedded store in a folder that goes when it is closed.
func openSQLite(ctx context.Context) (nodes.Stores, func() error, error) {
	dir, err := os.MkdirTemp("", "sluice-test-")
	if err != nil {
		return nodes.Stores{}, nil, fmt.Errorf("making a folder: %w", err)
	}
	s, err := store.Open(ctx, "sqlite:"+dir)
	if err != nil {
		return nodes.Stores{}, nil, err
	}
	return s.Stores, func() error {
		if err := s.Close(); err != nil {
			return fmt.Errorf("closing store: %w", err)
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing store: %w", err)
		}
		return nil
	}, nil
}

// hash returns a hash of a password, the same for every test: it costs as much
// as a sign-in.
func (st *stage) hash(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if h := st.hashes[password]; h != "" {
		return h, nil
	}
	h, err := st.hasher.New(ctx, password)
	if err != nil {
		return "", err
	}
	st.hashes[password] = h
	return h, nil
}

// set puts what is given into the stores. It returns what the test can refer
// to, and the token of the caller's session or "".
func (st *stage) set(ctx context.Context, g given) (ns names, token string, err error) {
	ns = names{}
	for _, p := range g.users {
		u, err := st.create(ctx, p)
		if err != nil {
			return nil, "", fmt.Errorf("%s: creating user %s: %w", p.pos, p.as, err)
		}
		ns[p.as] = map[string]string{"id": u.ID, "email": u.Email, "phone": u.Phone, "name": u.Name}
		if p.totp != "" {
			if err := st.secondFactor(ctx, p, ns[p.as]); err != nil {
				return nil, "", fmt.Errorf("%s: giving %s a second factor: %w", p.pos, p.as, err)
			}
		}
	}
	// Sessions in which somebody acts come behind those of the actors.
	slices.SortStableFunc(g.sessions, func(a, b opened) int { return min(1, len(a.by)) - min(1, len(b.by)) })
	for _, o := range g.sessions {
		t, id, err := st.open(ctx, o, ns)
		if err != nil {
			return nil, "", fmt.Errorf("%s: opening session %s: %w", o.pos, o.as, err)
		}
		ns[o.as] = map[string]string{"id": id, "token": t, "userId": ns[o.user]["id"]}
		if o.as == "session" {
			token = t
		}
	}
	for _, c := range g.codes {
		secret, err := st.makeCode(ctx, c, ns[c.user]["id"])
		if err != nil {
			return nil, "", fmt.Errorf("%s: making code %s: %w", c.pos, c.as, err)
		}
		ns[c.as] = map[string]string{"code": secret}
	}
	if g.key != nil {
		text, made, err := apikey.Make(ctx, st.keys, nil, apikey.Key{Name: "Key of the test.", Scope: apikey.Full, Roles: g.key.roles})
		if err != nil {
			return nil, "", fmt.Errorf("%s: making a key: %w", g.key.pos, err)
		}
		ns["key"] = map[string]string{"id": made.ID, "key": text}
	}
	for _, k := range g.kept {
		values, err := st.keep(ctx, k, ns)
		if err != nil {
			return nil, "", fmt.Errorf("keeping a document of %s: %w", k.in.Name, err)
		}
		if k.as != "" {
			ns[k.as] = values
		}
	}
	return ns, token, nil
}

func (st *stage) create(ctx context.Context, p person) (user.User, error) {
	u, err := p.named()
	if err != nil {
		return user.User{}, err
	}
	hash, err := st.hash(ctx, p.password)
	if err != nil {
		return user.User{}, err
	}
	now := present()
	u.ID, u.Name, u.Disabled, u.Groups = newID(), p.name, p.disabled, session.Groups{Add: p.groups}.Apply(nil)
	u.CreationDtm, u.UpdatedDtm = now, now
	return u, st.users.Create(ctx, u, hash)
}

// named returns a user who is only known by address and phone number yet.
func (p *person) named() (u user.User, err error) {
	u.EmailVerified, u.PhoneVerified = p.verified, p.reached
	if p.email != "" || p.phone == "" {
		if u.Email, u.EmailKey, err = user.EmailKey(p.email); err != nil {
			return u, err
		}
	}
	if p.phone != "" {
		u.Phone, err = user.PhoneNumber(p.phone)
	}
	return u, err
}

func (st *stage) open(ctx context.Context, o opened, ns names) (token, id string, err error) {
	u, err := st.users.ByID(ctx, ns[o.user]["id"])
	if err != nil {
		return "", "", err
	}
	token, hash := session.NewToken()
	now := present()
	s := session.Session{
		ID: newID(), UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch}, CreationDtm: now, LastSeenDtm: now,
		ExpiresDtm: now.Add(time.Hour), End: now.Add(24 * time.Hour), Idle: time.Hour, AuthenticatedDtm: now.Add(-o.proved),
		AccessGroupKeys: session.Groups{Add: o.groups}.Apply(nil), IP: defaultIP,
	}
	if o.by != "" {
		actor := ns[o.by]
		if actor["token"] == "" {
			return "", "", fmt.Errorf("by names no session that is given: %s", o.by)
		}
		s.AuthenticatedDtm = time.Time{}
		s.ImpersonatedBy = &session.Impersonation{UserID: actor["userId"], SessionID: actor["id"], Reason: "A test."}
	}
	return token, s.ID, st.sessions.Create(ctx, hash, s)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// present is the time to the millisecond, which is what stores keep.
func present() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// A shownSession is a session as stored: shows it.
type shownSession struct {
	ID              string            `json:"id"`
	UserID          string            `json:"userId"`
	AccessGroupKeys []string          `json:"accessGroupKeys"`
	IP              string            `json:"ip"`
	UserAgent       session.UserAgent `json:"userAgent"`
	CreationDtm     time.Time         `json:"creationDtm"`
	ExpiresDtm      time.Time         `json:"expiresDtm"`
	LastSeenDtm     time.Time         `json:"lastSeenDtm"`

	AuthenticatedDtm time.Time              `json:"authenticatedDtm,omitzero"`
	ImpersonatedBy   *session.Impersonation `json:"impersonatedBy,omitempty"`
}

// stored lists the users and the live sessions that there are, oldest first.
func (st *stage) stored(ctx context.Context) (users []user.User, sessions []shownSession, err error) {
	for _, id := range st.users.ids {
		u, err := st.users.ByID(ctx, id)
		if err != nil {
			return nil, nil, fmt.Errorf("reading user: %w", err)
		}
		users = append(users, u)
		const most = 1000
		page, err := st.sessions.List(ctx, id, "", most, time.Now())
		if err != nil {
			return nil, nil, fmt.Errorf("listing sessions: %w", err)
		}
		for _, s := range page {
			sessions = append(sessions, shownSession{
				ID: s.ID, UserID: s.UserID.ID, AccessGroupKeys: append([]string{}, s.AccessGroupKeys...), IP: s.IP, UserAgent: s.UserAgent,
				CreationDtm: s.CreationDtm, ExpiresDtm: s.ExpiresDtm, LastSeenDtm: s.LastSeenDtm,
				AuthenticatedDtm: s.AuthenticatedDtm, ImpersonatedBy: s.ImpersonatedBy,
			})
		}
	}
	slices.SortFunc(sessions, func(a, b shownSession) int { return strings.Compare(a.ID, b.ID) })
	return users, sessions, nil
}

// hasPassword tells whether a password is that of a user.
func (st *stage) hasPassword(ctx context.Context, userID, text string) (bool, error) {
	hash, err := st.passwords.Hash(ctx, userID)
	if err != nil {
		return false, fmt.Errorf("reading password: %w", err)
	}
	ok, _, err := st.hasher.Check(ctx, hash, text)
	if err != nil {
		return false, fmt.Errorf("checking password: %w", err)
	}
	return ok, nil
}
