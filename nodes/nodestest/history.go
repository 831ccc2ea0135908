package nodestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Histories compares stores with package memory over random histories.
func Histories(t *testing.T, open func(t *testing.T) nodes.Stores) {
	const histories, operations = 20, 250
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { History(t, open(t), seed, operations) })
	}
}

// History does n operations, which follow from the seed, to a store and to
// package memory, and fails the test at the first that they answer differently. What
// it prints is the shortest history of the seed that shows the difference.
func History(t *testing.T, s nodes.Stores, seed uint64, n int) {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 0)), now: present(), model: memory.New()}
	got := world{s, map[string]user.ProvenID{}}
	want := world{h.model, map[string]user.ProvenID{}}
	var done []string
	for range n {
		op := h.next()
		done = append(done, op.text)
		w := op.do(t.Context(), want)
		g := op.do(t.Context(), got)
		for range 500 {
			if g == w || !op.again {
				break
			}
			time.Sleep(10 * time.Millisecond)
			g = op.do(t.Context(), got)
		}
		if g != w {
			t.Fatal(h.named(fmt.Sprintf("seed %d, history:\n\t%s\n%s = %s, want %s", seed, strings.Join(done, "\n\t"), op.text, g, w)))
		}
	}
}

// A world is a store with the proofs that were made in it. Stores count epochs
// as they like, so that a proof is good in its own world only.
type world struct {
	nodes.Stores
	proofs map[string]user.ProvenID // by a name that the history gives them
}

// An operation is done to both worlds and answers with a text.
type operation struct {
	text  string
	again bool // a store may need a moment until it answers right, and doing it twice does no harm
	do    func(ctx context.Context, w world) string
}

// A history makes operations. It keeps what it made, so that later operations
// are about things that are there, or were.
type history struct {
	*rand.Rand
	now      time.Time
	model    nodes.Stores
	users    []string // ids
	sessions []string // ids, which are also their first tokens
	tokens   []string // of sessions
	proofs   []string // names
}

// pick returns one of some, a late one rather than an early one, or sometimes
// something that is not among them.
func (h *history) pick(some []string) string {
	if len(some) == 0 || h.IntN(20) == 0 {
		return "unknown"
	}
	return some[len(some)-1-min(h.IntN(len(some)), h.IntN(len(some)))]
}

// token returns a token, mostly one that is good, and the id of its session or,
// for a dead one, of any.
func (h *history) token() (token, id string) {
	for range 1 + h.IntN(8) {
		token = h.pick(h.tokens)
		if s, err := h.model.Sessions.Get(context.Background(), hashOf(token), h.now); err == nil {
			return token, s.ID
		}
	}
	return token, h.pick(h.sessions)
}

// named puts names in place of ids, which mean nothing to a reader.
func (h *history) named(text string) string {
	var names []string
	for kind, ids := range map[string][]string{"user": h.users, "session": h.sessions, "token": h.tokens} {
		for i, id := range ids {
			names = append(names, id, fmt.Sprint(kind, i))
		}
	}
	return strings.NewReplacer(names...).Replace(text)
}

// key returns one of a few addresses, so that users collide.
func (h *history) key() string { return fmt.Sprintf("%d@example.com", h.IntN(5)) }

// number returns one of a few phone numbers.
func (h *history) number() string { return fmt.Sprint("+1415555010", h.IntN(4)) }

// which names sessions, mostly some that are there, and says so.
func (h *history) which() (session.Which, string) {
	token, id := h.token()
	owner := h.pick(h.users)
	if s, err := h.model.Sessions.Get(context.Background(), hashOf(token), h.now); err == nil && h.IntN(4) > 0 {
		owner = s.UserID.ID
	}
	switch h.IntN(4) {
	case 0:
		return session.Which{Hash: hashOf(token)}, "that of token " + token
	case 1:
		return session.Which{UserID: owner, ID: id}, id + " of " + owner
	case 2:
		return session.Which{UserID: owner, Except: id}, "sessions of " + owner + " except " + id
	}
	return session.Which{UserID: owner}, "sessions of " + owner
}

func (h *history) groups() []string {
	var some []string
	for range h.IntN(4) {
		some = append(some, string(rune('a'+h.IntN(6))))
	}
	return some
}

// next makes an operation, after some time has passed.
func (h *history) next() operation {
	h.now = h.now.Add([]time.Duration{0, 0, time.Millisecond, time.Second, 20 * time.Second, time.Minute, 13 * time.Minute}[h.IntN(7)])
	switch n := h.IntN(100); {
	case n < 2 || len(h.users) < 3:
		return h.createUser()
	case n < 12:
		return h.updateUser()
	case n < 13:
		return h.deleteUser()
	case n < 18:
		return h.findUser()
	case n < 24:
		return h.password()
	case n < 30:
		return h.prove()
	case n < 54:
		return h.createSession()
	case n < 60:
		return h.renew()
	case n < 68:
		return h.look()
	case n < 76:
		return h.list()
	case n < 84:
		return h.touch()
	case n < 93:
		return h.updateSessions()
	}
	return h.end()
}

func (h *history) createUser() operation {
	u := newUser()
	u.EmailKey, u.CreationDtm, u.UpdatedDtm, u.Disabled = h.key(), h.now, h.now, h.IntN(8) == 0
	switch h.IntN(3) {
	case 0:
		u.Phone = h.number()
	case 1:
		u.Email, u.EmailKey, u.Phone = "", "", h.number()
	}
	h.users = append(h.users, u.ID)
	return operation{text: fmt.Sprintf("create %s as %q %q, disabled %t", u.ID, u.EmailKey, u.Phone, u.Disabled),
		do: func(ctx context.Context, w world) string { return answer(w.Users.Create(ctx, u, "hash 0")) }}
}

func (h *history) updateUser() operation {
	id, now, c := h.pick(h.users), h.now, user.Change{}
	key, name, on := h.key(), fmt.Sprint("name ", h.IntN(9)), h.IntN(2) == 0
	text := fmt.Sprintf("update %s:", id)
	switch h.IntN(6) {
	case 5:
		number := h.number()
		if h.IntN(4) == 0 {
			number = ""
		}
		c.Phone, c.PhoneVerified = &number, &on
		text += fmt.Sprintf(" number %q verified %t", number, on)
	case 4:
		c.Groups = user.SortGroups(h.groups())
		text += fmt.Sprintf(" groups %q", c.Groups)
	case 0:
		c.Email, c.EmailKey = &key, &key
		text += " address " + key
	case 1:
		c.Name = &name
		text += " " + name
	case 2:
		c.EmailVerified = &on
		text += fmt.Sprint(" verified ", on)
	case 3:
		on = h.IntN(4) == 0
		c.Disabled = &on
		text += fmt.Sprint(" disabled ", on)
	}
	return operation{text: text, do: func(ctx context.Context, w world) string {
		return found(w.Users.Update(ctx, id, c, now))
	}}
}

func (h *history) deleteUser() operation {
	id, now := h.pick(h.users), h.now
	return operation{text: "delete " + id, do: func(ctx context.Context, w world) string { return answer(w.Users.Delete(ctx, id, now)) }}
}

func (h *history) findUser() operation {
	id, key, number, after, limit := h.pick(h.users), h.key(), h.number(), h.pick(h.users), 1+h.IntN(3)
	text := fmt.Sprintf("find %s, the ones of %s and %s, and %d behind %s", id, key, number, limit, after)
	return operation{text: text, do: func(ctx context.Context, w world) string {
		page, err := w.Users.List(ctx, after, limit)
		text := found(w.Users.ByID(ctx, id)) + "; " + found(w.Users.ByEmail(ctx, key)) + "; " + found(w.Users.ByPhone(ctx, number)) + "; " + answer(err)
		for _, u := range page {
			text += "; " + found(u, nil)
		}
		return text
	}}
}

func (h *history) password() operation {
	id, prev, next := h.pick(h.users), fmt.Sprint("hash ", h.IntN(3)), fmt.Sprint("hash ", h.IntN(3))
	if h.IntN(3) == 0 {
		prev = ""
	}
	return operation{text: fmt.Sprintf("set password of %s from %q to %q", id, prev, next), do: func(ctx context.Context, w world) string {
		err := w.Passwords.SetHash(ctx, id, prev, next)
		hash, errNow := w.Passwords.Hash(ctx, id)
		return answer(err) + ", now " + answer(errNow) + " " + hash
	}}
}

// prove notes the proof of a user as of now, to be used later. Nodes prove
// nobody who is disabled, so neither does a history.
func (h *history) prove() operation {
	id, name := h.pick(h.users), fmt.Sprint("proof ", len(h.proofs))
	h.proofs = append(h.proofs, name)
	return operation{text: fmt.Sprintf("%s of %s", name, id), do: func(ctx context.Context, w world) string {
		u, err := w.Users.ByID(ctx, id)
		if err == nil && !u.Disabled {
			w.proofs[name] = user.ProvenID{ID: id, Epoch: u.Epoch}
		}
		return answer(err)
	}}
}

// createSession opens a session by an older proof, by a new one or by a session.
func (h *history) createSession() operation {
	by, now, id := h.pick(h.users), h.now, newID()
	token, _ := h.token()
	proofName, from, most := h.pick(h.proofs), h.IntN(4), max(h.IntN(8)-4, 0)
	idle := []time.Duration{time.Minute, time.Hour, 48 * time.Hour}[h.IntN(3)]
	life := []time.Duration{time.Minute, 90 * time.Minute, 24 * time.Hour}[h.IntN(3)]
	groups := session.Groups{Set: h.groups()}.Apply(nil)
	h.sessions, h.tokens = append(h.sessions, id), append(h.tokens, id)
	source := []string{proofName, token, by, by}[from]
	text := fmt.Sprintf("create %s by %s, idle %v, life %v, groups %q, of %d at most", id, source, idle, life, groups, most)
	return operation{text: text, do: func(ctx context.Context, w world) string {
		p := w.proofs[proofName]
		switch u, err := w.Users.ByID(ctx, by); {
		case from == 1:
			p = user.ProvenID{}
			if s, err := w.Sessions.Get(ctx, hashOf(token), now); err == nil {
				p = s.UserID
			}
		case from > 1 && err == nil && !u.Disabled:
			p = user.ProvenID{ID: by, Epoch: u.Epoch}
		}
		s := newSession(p, now)
		s.ID, s.Idle, s.End, s.AccessGroupKeys = id, idle, now.Add(life), slices.Clone(groups)
		s.ExpiresDtm = now.Add(min(idle, life))
		if most > 0 {
			n, err := w.Sessions.CreateWithin(ctx, hashOf(id), s, most)
			return fmt.Sprint(n, " ", answer(err))
		}
		return answer(w.Sessions.Create(ctx, hashOf(id), s))
	}}
}

// renew gives a session a new token, a later proof, or both.
func (h *history) renew() operation {
	token, _ := h.token()
	next, now, r := newID(), h.now, session.Renewal{}
	text := "renew that of token " + token
	if h.IntN(4) > 0 {
		r.Hash = hashOf(next)
		h.tokens = append(h.tokens, next)
		text += ", now " + next
	}
	if h.IntN(2) == 0 {
		r.AuthenticatedDtm = now.Add(-time.Duration(h.IntN(3)) * time.Minute)
		text += ", proved " + clock(r.AuthenticatedDtm)
	}
	return operation{text: text + " at " + clock(now), do: func(ctx context.Context, w world) string {
		return got(w.Sessions.Renew(ctx, hashOf(token), r, now))
	}}
}

func (h *history) look() operation {
	token, now := h.pick(h.tokens), h.now
	return operation{text: fmt.Sprintf("get token %s at %s", token, clock(now)), do: func(ctx context.Context, w world) string {
		return got(w.Sessions.Get(ctx, hashOf(token), now))
	}}
}

func (h *history) list() operation {
	id, after, limit, now := h.pick(h.users), "", 1+h.IntN(5), h.now
	if h.IntN(2) == 0 {
		after = h.pick(h.sessions)
	}
	text := fmt.Sprintf("list %d sessions of %s after %q at %s", limit, id, after, clock(now))
	return operation{text: text, do: func(ctx context.Context, w world) string {
		page, err := w.Sessions.List(ctx, id, after, limit, now)
		text := answer(err)
		for i := range page {
			text += "; " + got(&page[i], nil)
		}
		return text
	}}
}

// touch uses a session, sometimes at a time that is past, which changes nothing.
// A touch so early that a store may spare the write is not made.
func (h *history) touch() operation {
	token, _ := h.token()
	now := h.now
	at := now
	if s, err := h.model.Sessions.Get(context.Background(), hashOf(token), now); err != nil {
		at = now.Add(time.Hour)
	} else if !s.TouchDue(now) {
		at = s.LastSeenDtm.Add(-time.Minute)
	}
	text := fmt.Sprintf("touch token %s at %s", token, clock(at))
	return operation{text: text, again: true, do: func(ctx context.Context, w world) string {
		w.Sessions.Touch(hashOf(token), at)
		return got(w.Sessions.Get(ctx, hashOf(token), now))
	}}
}

func (h *history) updateSessions() operation {
	which, what := h.which()
	now := h.now
	g := session.Groups{Add: h.groups(), Remove: h.groups()}
	if h.IntN(3) == 0 {
		g.Set = append([]string{}, h.groups()...)
	}
	return operation{text: fmt.Sprintf("update %s with %q at %s", what, g, clock(now)), do: func(ctx context.Context, w world) string {
		n, err := w.Sessions.Update(ctx, which, g, now)
		return fmt.Sprint(n, " ", answer(err))
	}}
}

func (h *history) end() operation {
	which, what := h.which()
	now := h.now
	return operation{text: fmt.Sprintf("end %s at %s", what, clock(now)), do: func(ctx context.Context, w world) string {
		n, err := w.Sessions.End(ctx, which, now)
		return fmt.Sprint(n, " ", answer(err))
	}}
}

// answer names the sentinel in an error, as two stores wrap it differently.
func answer(err error) string {
	for _, sentinel := range []error{user.ErrNoUser, user.ErrEmailTaken, user.ErrPhoneTaken, user.ErrNameless, password.ErrNoPassword, session.ErrNoSession, session.ErrStaleProof} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func found(u user.User, err error) string {
	if err != nil {
		return answer(err)
	}
	return fmt.Sprintf("%s %q %q %q %q verified %t %t disabled %t %q %s %s", u.ID, u.Email, u.EmailKey, u.Phone, u.Name,
		u.EmailVerified, u.PhoneVerified, u.Disabled, u.Groups, clock(u.CreationDtm), clock(u.UpdatedDtm))
}

func got(s *session.Session, err error) string {
	if err != nil {
		return answer(err)
	}
	return fmt.Sprintf("%s of %s %q created %s seen %s expires %s ends %s idle %v proved %s", s.ID, s.UserID.ID, s.AccessGroupKeys,
		clock(s.CreationDtm), clock(s.LastSeenDtm), clock(s.ExpiresDtm), clock(s.End), s.Idle, clock(s.AuthenticatedDtm))
}

func clock(t time.Time) string { return t.UTC().Format("02T15:04:05.000") }
