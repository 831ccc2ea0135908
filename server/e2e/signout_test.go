package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSignedOutTokensAreDeadAtOnce ends sessions that are in use: one goroutine
// uses a token without pause while another ends its session, and from the moment
// the answer to that was read, no request that starts may succeed.
func TestSignedOutTokensAreDeadAtOnce(t *testing.T) {
	const clients = 8
	rounds := times(800, 10_000, 10_000)
	c := newClient(serve(t, open(t)).url)
	var used, refused atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	for n := range clients {
		user := c.enter(t, "/auth/sign-up", fmt.Sprintf("user%d@example.com", n), password)
		wg.Go(func() {
			for round := n; round < rounds && !t.Failed(); round += clients {
				if err := signOutInUse(t, c, c, user.Session.Token, round, &used, &refused); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d sessions ended while in use, in %.1f s: %d uses before, %d refused after, 0 let in",
		rounds, time.Since(began).Seconds(), used.Load(), refused.Load())
}

// signOutInUse opens a session beside the one of token and ends it, through c,
// while it is in use, through other.
func signOutInUse(t *testing.T, c, other *client, token string, round int, used, refused *atomic.Int64) error {
	var m me
	a, err := c.try(t.Context(), "POST", "/test/again", token, "")
	if err == nil {
		err = a.into(&m)
	}
	if err != nil || m.Session.Token == "" {
		return fmt.Errorf("POST /test/again = %d %s, %v, want a session", a.status, a.text, err)
	}
	sent := m.Session.Token
	if round%2 == 1 {
		sent = "Bearer " + sent
	}
	use := [...][2]string{{"GET", "/auth/me"}, {"GET", "/auth/sessions"}, {"POST", "/examples/beta"}}[round%3]

	var over atomic.Bool            // the answer to the sign-out was read
	first := make(chan bool)        // closed after one use
	hammered := make(chan error, 1) // how using it ended
	go func() {
		open := true
		for {
			after := over.Load() // before the request starts
			a, err := other.try(t.Context(), use[0], use[1], sent, "")
			if open {
				close(first)
				open = false
			}
			switch {
			case err != nil:
				hammered <- err
				return
			case after && a.status != 401, a.status != 401 && a.status != 200:
				hammered <- fmt.Errorf("%s %s, begun after the sign-out: %t, = %d %s, want 200 before and 401 after", use[0], use[1], after, a.status, a.text)
				return
			case after:
				refused.Add(1)
				hammered <- nil
				return
			case a.status == 200:
				used.Add(1)
			}
		}
	}()
	<-first

	// Three ways out: its own, by its id from another session, and with all others.
	switch round % 10 {
	case 8:
		a, err = c.try(t.Context(), "DELETE", "/auth/sessions/"+m.Session.ID, token, "")
	case 9:
		a, err = c.try(t.Context(), "POST", "/auth/sign-out-others", token, "")
	default:
		a, err = c.try(t.Context(), "POST", "/auth/sign-out", m.Session.Token, "")
	}
	over.Store(true)
	// What was answered by 503 may have been done.
	done := a.status == 204 || a.status == 200 || a.again > 0 && (a.status == 401 || a.status == 404)
	if err != nil || !done {
		return fmt.Errorf("ending the session = %d %s, %v, want 2xx", a.status, a.text, err)
	}
	next, err := other.try(t.Context(), use[0], use[1], sent, "")
	if err != nil || next.status != 401 {
		return fmt.Errorf("%s %s right after the sign-out = %d %s, %v, want 401", use[0], use[1], next.status, next.text, err)
	}
	refused.Add(1)
	return <-hammered
}
