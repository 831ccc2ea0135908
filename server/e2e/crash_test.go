package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestAcknowledgedWritesSurviveKill kills the server again and again while
// clients write, and compares what it then holds with a journal of what it
// acknowledged. The page cache outlives the process, so this says nothing about
// loss of power.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	const clients = 8
	rounds := times(3, 20, 200)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SLUICE_E2E_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("reading SLUICE_E2E_SEED: %v", err)
		}
	}
	t.Logf("SLUICE_E2E_SEED=%d", seed)
	dir := open(t)
	journals := make([]*journal, clients)
	for n := range journals {
		journals[n] = &journal{name: fmt.Sprintf("client%d", n), rng: rand.New(rand.NewPCG(seed, uint64(n)))}
	}
	rng := rand.New(rand.NewPCG(seed, clients))

	var slowest time.Duration
	for round := range rounds {
		s := serve(t, dir)
		slowest = max(slowest, s.took)
		if s.took > 2*time.Second {
			t.Errorf("round %d: first 200 after %v, want it within 2 s", round, s.took)
		}
		each(journals, func(j *journal) { j.verify(t, newClient(s.url), false) })
		if t.Failed() {
			t.Fatalf("round %d: what was acknowledged was lost", round)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond+time.Duration(rng.Int64N(int64(1450*time.Millisecond))), func() { s.kill(); cancel() })
		each(journals, func(j *journal) { j.write(ctx, t, newClient(s.url)) })
		<-s.ended
	}
	s := serve(t, dir)
	each(journals, func(j *journal) { j.verify(t, newClient(s.url), true) })

	if t.Failed() {
		return
	}
	var sum counts
	for _, j := range journals {
		sum.add(j.counts)
	}
	t.Logf("%d kills, first 200 after %v at most; acknowledged: %d sign-ups, %d sign-ins, %d more sessions, %d sign-outs, %d groups joined; "+
		"cut off: %d, of which %d had happened; looked at %d sessions, 0 lost, 0 back",
		rounds, slowest.Round(time.Millisecond), sum.signUps, sum.signIns, sum.sessions, sum.signOuts, sum.joins, sum.cuts, sum.happened, sum.looked)
}

// each runs do for all journals at once.
func each(journals []*journal, do func(*journal)) {
	var wg sync.WaitGroup
	for _, j := range journals {
		wg.Go(func() { do(j) })
	}
	wg.Wait()
}

type counts struct{ signUps, signIns, sessions, signOuts, joins, cuts, happened, looked int }

func (c *counts) add(d counts) {
	c.signUps += d.signUps
	c.signIns += d.signIns
	c.sessions += d.sessions
	c.signOuts += d.signOuts
	c.joins += d.joins
	c.cuts += d.cuts
	c.happened += d.happened
	c.looked += d.looked
}

// A journal is what one client knows to be true of its accounts, because the
// server acknowledged it. Nobody else touches these accounts.
type journal struct {
	name     string
	rng      *rand.Rand
	accounts []*account
	cut      *cut // what had no answer when the server was killed
	counts
}

type account struct {
	email, id string
	sessions  []*held
	dead      []string // tokens whose end was acknowledged
	fresh     bool     // nobody has signed in since the sign-up
	touched   bool     // something happened since the last look
}

// A held session lives.
type held struct {
	token string
	beta  bool // it is in the group
}

// A cut operation happened or it did not, but for all of its sessions alike.
type cut struct {
	what     string
	account  *account
	sessions []*held
}

// write changes accounts until the server is gone.
func (j *journal) write(ctx context.Context, t *testing.T, c *client) {
	for {
		op := j.next()
		if op.account.email == "" {
			op.account.email = fmt.Sprintf("%s-%d@example.com", j.name, j.signUps+j.cuts)
		}
		op.account.touched = true
		a, err := op.send(ctx, c)
		switch {
		case err != nil:
			j.cut = op
			j.cuts++
			return
		case a.status == 503 && a.code() == "busy": // it says that nothing happened
		case a.status < 200 || a.status > 299:
			t.Errorf("%s of %s = %d %s, want 2xx", op.what, op.account.email, a.status, a.text)
			return
		default:
			if err := j.note(op, a); err != nil {
				t.Errorf("%s of %s: %v", op.what, op.account.email, err)
				return
			}
		}
	}
}

// next draws an operation.
func (j *journal) next() *cut {
	draw := j.rng.IntN(100)
	if len(j.accounts) == 0 || draw < 6 {
		return &cut{what: "sign-up", account: &account{}}
	}
	a := j.accounts[j.rng.IntN(len(j.accounts))]
	if len(a.sessions) == 0 || draw < 10 {
		return &cut{what: "sign-in", account: a}
	}
	one := a.sessions[j.rng.IntN(len(a.sessions)):][:1]
	switch {
	case draw < 55:
		return &cut{"again", a, one}
	case draw < 82:
		return &cut{"sign-out", a, one}
	case draw < 95:
		return &cut{"join", a, a.sessions}
	}
	return &cut{"sign-out-all", a, a.sessions}
}

func (op *cut) send(ctx context.Context, c *client) (answer, error) {
	switch op.what {
	case "sign-up", "sign-in":
		return c.patient(ctx, "POST", "/auth/"+op.what, "", credentials(op.account.email, password))
	case "again":
		return c.try(ctx, "POST", "/test/again", op.sessions[0].token, "")
	case "join":
		return c.try(ctx, "POST", "/examples/beta", op.sessions[0].token, "")
	}
	return c.try(ctx, "POST", "/auth/"+op.what, op.sessions[0].token, "")
}

// note makes an acknowledged operation part of the journal.
func (j *journal) note(op *cut, a answer) error {
	switch op.what {
	case "sign-up", "sign-in", "again":
		var m me
		if err := a.into(&m); err != nil {
			return err
		}
		switch op.what {
		case "sign-up":
			op.account.id, op.account.fresh = m.User.ID, true
			j.accounts = append(j.accounts, op.account)
			j.signUps++
		case "sign-in":
			j.signIns++
		default:
			j.counts.sessions++
		}
		op.account.sessions = append(op.account.sessions, &held{token: m.Session.Token})
	case "join":
		for _, s := range op.sessions {
			s.beta = true
		}
		j.joins++
	default:
		op.end()
		j.signOuts++
	}
	return nil
}

// end moves the sessions of an operation to the dead.
func (op *cut) end() {
	gone := map[*held]bool{}
	for _, s := range op.sessions {
		gone[s] = true
		op.account.dead = append(op.account.dead, s.token)
	}
	var left []*held
	for _, s := range op.account.sessions {
		if !gone[s] {
			left = append(left, s)
		}
	}
	op.account.sessions = left
}

// verify compares the server with the journal: the accounts that were touched
// since the last time, or all.
func (j *journal) verify(t *testing.T, c *client, all bool) {
	if j.cut != nil {
		if err := j.resolve(t.Context(), c); err != nil {
			t.Errorf("%s of %s, cut off by a kill: %v", j.cut.what, j.cut.account.email, err)
		}
		j.cut = nil
	}
	for _, a := range j.accounts {
		if !all && !a.touched {
			continue
		}
		a.touched = false
		for _, s := range a.sessions {
			alive, beta, err := look(t.Context(), c, s.token, a.id)
			if err != nil || !alive || beta != s.beta {
				t.Errorf("session of %s = alive %t, group %t, %v, want alive and group %t", a.email, alive, beta, err, s.beta)
			}
		}
		for _, token := range a.dead {
			if alive, _, err := look(t.Context(), c, token, a.id); err != nil || alive {
				t.Errorf("session of %s, signed out = alive %t, %v, want it dead", a.email, alive, err)
			}
		}
		j.looked += len(a.sessions) + len(a.dead)
		if a.fresh {
			if err := j.signIn(t.Context(), c, a); err != nil {
				t.Error(err)
			}
		}
	}
}

func (j *journal) signIn(ctx context.Context, c *client, a *account) error {
	op := &cut{what: "sign-in", account: a}
	got, err := op.send(ctx, c)
	if err != nil || got.status != 200 {
		return fmt.Errorf("sign-in of %s, whose sign-up was acknowledged = %d %s, %v, want 200", a.email, got.status, got.text, err)
	}
	a.fresh = false
	return j.note(op, got)
}

// resolve finds out whether an operation without an answer happened. Half of it
// must not have.
func (j *journal) resolve(ctx context.Context, c *client) error {
	op := j.cut
	switch op.what {
	case "sign-in", "again": // a session whose token nobody has
		return nil
	case "sign-up":
		a, err := op.send(ctx, c)
		switch {
		case err == nil && a.status == 201:
			return j.note(op, a)
		case err != nil || a.status != 409:
			return fmt.Errorf("the same again = %d %s, %v, want 201 or 409", a.status, a.text, err)
		}
		j.happened++
		j.accounts = append(j.accounts, op.account)
		var m me
		if a, err = (&cut{what: "sign-in", account: op.account}).send(ctx, c); err == nil {
			err = a.into(&m)
		}
		if err != nil || a.status != 200 {
			return fmt.Errorf("sign-in = %d %s, %v, want 200 as the address is taken", a.status, a.text, err)
		}
		op.account.id = m.User.ID
		op.account.sessions = append(op.account.sessions, &held{token: m.Session.Token})
		return nil
	}
	happened := 0
	for _, s := range op.sessions {
		alive, beta, err := look(ctx, c, s.token, op.account.id)
		switch {
		case err != nil:
			return err
		case op.what == "join":
			if !alive {
				return fmt.Errorf("a session is dead, want it alive")
			}
			if beta && !s.beta {
				happened++
			}
			if !beta && s.beta {
				return fmt.Errorf("a session lost its group")
			}
		case !alive:
			happened++
		}
	}
	if op.what == "join" {
		return op.joined(j, happened)
	}
	switch happened {
	case 0:
	case len(op.sessions):
		op.end()
		j.happened++
	default:
		return fmt.Errorf("%d of %d sessions have ended, want all or none", happened, len(op.sessions))
	}
	return nil
}

// joined notes a join that gave the group to so many sessions which had none.
func (op *cut) joined(j *journal, got int) error {
	without := 0
	for _, s := range op.sessions {
		if !s.beta {
			without++
		}
	}
	switch got {
	case 0:
		return nil
	case without:
		for _, s := range op.sessions {
			s.beta = true
		}
		j.happened++
		return nil
	}
	return fmt.Errorf("%d of %d sessions have the group, want all or none", got, without)
}

// look tells whether a token can be used, and whether its session has the group.
func look(ctx context.Context, c *client, token, id string) (alive, beta bool, err error) {
	a, err := c.try(ctx, "GET", "/auth/me", token, "")
	if err != nil {
		return false, false, err
	}
	var m me
	switch a.status {
	case 401:
		return false, false, nil
	case 200:
		err = a.into(&m)
	default:
		err = fmt.Errorf("GET /auth/me = %d %s, want 200 or 401", a.status, a.text)
	}
	if err == nil && m.User.ID != id {
		err = fmt.Errorf("GET /auth/me = %s, want user %s", a.text, id)
	}
	return true, len(m.Session.AccessGroupKeys) > 0, err
}
