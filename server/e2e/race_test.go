package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestSignInsUnderWayAreShutOut disables a user, or changes the password, while
// the user is signing in with what was right until then. Once all is answered, no
// session that came of it lives.
func TestSignInsUnderWayAreShutOut(t *testing.T) {
	const atOnce = 4
	rounds := times(6, 40, 1000)
	c := newClient(serve(t, open(t)).url)
	opened, refused := 0, 0
	for round := range rounds {
		email := fmt.Sprintf("user%d@example.com", round)
		m := c.enter(t, "/auth/sign-up", email, password)
		path, body, status := "/test/disable", "", 204
		if round%2 == 1 {
			path, body, status = "/auth/change-password", fmt.Sprintf(`{"current": %q, "new": "a ferry back over the river"}`, password), 200
		}
		answers := make(chan answer, atOnce)
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				time.Sleep(rand.N(60 * time.Millisecond))
				a, err := c.try(t.Context(), "POST", "/auth/sign-in", "", credentials(email, password))
				if err != nil {
					t.Error(err)
				}
				answers <- a
			})
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		changed := c.want(t, status, "POST", path, m.Session.Token, body)
		c.want(t, 401, "GET", "/auth/me", m.Session.Token, "")
		wg.Wait()
		close(answers)
		for a := range answers {
			switch a.status {
			case 200:
				opened++
				if live := c.want(t, 401, "GET", "/auth/me", token.FindString(a.text), ""); live.code() != "invalid_session_token" {
					t.Errorf("GET /auth/me behind POST %s = %s, want invalid_session_token", path, live.text)
				}
			case 401:
				refused++
			default:
				t.Errorf("sign-in during POST %s = %d %s, want 200 or 401", path, a.status, a.text)
			}
		}
		c.want(t, 401, "POST", "/auth/sign-in", "", credentials(email, password))
		if status == 200 {
			c.want(t, 200, "GET", "/auth/me", token.FindString(changed.text), "")
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d users shut out while signing in: %d sessions that had opened are dead, %d sign-ins refused", rounds, opened, refused)
}

func TestOneAddressIsOneAccount(t *testing.T) {
	spellings := []string{"mike@example.com", "Mike@example.com", "MIKE@EXAMPLE.COM", "mi\u212ae@example.com", "\uff4dike@example.com", "mike@example\u3002com"}
	c := newClient(serve(t, open(t)).url)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for n := range 30 {
		wg.Go(func() {
			a, err := c.try(t.Context(), "POST", "/auth/sign-up", "", credentials(spellings[n%len(spellings)], password))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wg.Wait()
	// A slow machine may turn some away with 503 before their password is hashed.
	if statuses[201] != 1 || statuses[409] == 0 || statuses[201]+statuses[409]+statuses[503] != 30 {
		t.Errorf("30 sign-ups at once in %d spellings = %v, want one 201 and else 409 (or 503)", len(spellings), statuses)
	}
	for _, spelling := range spellings {
		c.enter(t, "/auth/sign-in", spelling, password)
	}
}
