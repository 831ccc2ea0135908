package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/server/store/mongo/mongotest"
)

// patience is for a database that is shared and slow: FerretDB takes one command
// at a time and looks at each document of a collection.
const patience = 200

// replicas starts two processes on one database, and a client of each.
func replicas(t *testing.T) (here, there *client) {
	t.Helper()
	uri := mongotest.Database(t)
	clients := [2]*client{}
	for i := range clients {
		clients[i] = newClient(serve(t, open(t), "--store", uri).url)
		clients[i].patience = patience
	}
	return clients[0], clients[1]
}

func TestSignedOutOnOneReplicaIsOutOnTheOther(t *testing.T) {
	const clients = 4
	rounds := times(0, 200, 10_000)
	here, there := replicas(t)
	var used, refused atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	for n := range clients {
		user := here.enter(t, "/auth/sign-up", fmt.Sprintf("user%d@example.com", n), password)
		wg.Go(func() {
			for round := n; round < rounds && !t.Failed(); round += clients {
				if err := signOutInUse(t, here, there, user.Session.Token, round, &used, &refused); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d sessions ended in one process while in use in the other, in %.1f s: %d uses before, %d refused after, 0 let in",
		rounds, time.Since(began).Seconds(), used.Load(), refused.Load())
}

func TestOneAddressIsOneAccountOnAllReplicas(t *testing.T) {
	callers := times(0, 60, 500)
	here, there := replicas(t)
	clients := [2]*client{here, there}
	spelling := func(n int) string {
		address := []byte("grace.hopper@example.com")
		for bit, letter := range []int{0, 1, 2, 3, 4, 6, 7, 8, 9} {
			if n>>bit&1 == 1 {
				address[letter] -= 'a' - 'A'
			}
		}
		return string(address)
	}
	statuses := make([]int, callers)
	began := time.Now()
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			a, err := clients[n%2].try(t.Context(), "POST", "/auth/sign-up", "", credentials(spelling(n), password))
			if err != nil {
				t.Error(err)
			}
			statuses[n] = a.status
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[201] != 1 || count[409] != callers-1 {
		t.Fatalf("%d sign-ups at once = %v, want one 201 and else 409", callers, count)
	}
	t.Logf("%d sign-ups at once in two processes, in %.1f s: %v", callers, time.Since(began).Seconds(), count)
	first := here.enter(t, "/auth/sign-in", spelling(0), password)
	for n, c := range clients {
		if m := c.enter(t, "/auth/sign-in", spelling(callers-1), password); m.User.ID != first.User.ID {
			t.Errorf("sign-in on replica %d = user %s, want %s", n, m.User.ID, first.User.ID)
		}
	}
}

// TestADatabaseThatSaysNothingLetsNobodyInNorOut loses what is said to the
// database and by it. Whoever calls meanwhile is told to come again, within the
// time of a call to the store; nobody is taken for signed out.
func TestADatabaseThatSaysNothingLetsNobodyInNorOut(t *testing.T) {
	const callers, budget = 24, 2 * time.Second
	const slack = 3 * time.Second // for a machine with much else to do
	line := mongotest.NewLine(t, mongotest.Need(t).Addr())
	c := newClient(serve(t, open(t), "--store", line.URI()+"e2e").url)
	c.patience = patience
	m := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	c.want(t, 200, "GET", "/auth/me", m.Session.Token, "")
	c.patience = 0
	line.Silence(true)
	var longest atomic.Int64
	var wg sync.WaitGroup
	for n := range callers {
		call := [...][4]string{
			{"GET", "/auth/me", m.Session.Token}, {"GET", "/auth/sessions", m.Session.Token}, {"POST", "/auth/sign-out", m.Session.Token},
			{"POST", "/auth/sign-in", "", credentials("ada@example.com", password)}, {"GET", "/readyz"}, {"POST", "/examples/beta", m.Session.Token},
		}[n%6]
		wg.Go(func() {
			began := time.Now()
			a, err := c.try(t.Context(), call[0], call[1], call[2], call[3])
			took := time.Since(began)
			if err != nil || a.status != 503 || a.header.Get("Retry-After") == "" || took > budget+slack {
				t.Errorf("%s %s while the database says nothing = %d %s, %v after %v, want 503 with Retry-After within %v", call[0], call[1], a.status, a.text, err, took, budget)
			}
			for was := longest.Load(); was < int64(took) && !longest.CompareAndSwap(was, int64(took)); was = longest.Load() {
			}
		})
	}
	wg.Wait()
	line.Silence(false)
	back := time.Now()
	for end := back.Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a, err := c.try(t.Context(), "GET", "/auth/me", m.Session.Token, "")
		if err == nil && a.status == 200 {
			break
		}
		if err != nil || a.status != 503 || time.Now().After(end) {
			t.Fatalf("GET /auth/me once the database is back = %d %s, %v, want 200 soon, and 503 until then", a.status, a.text, err)
		}
	}
	t.Logf("%d calls answered by 503, the last after %v; served again %v after the database was back", callers, time.Duration(longest.Load()), time.Since(back))
}
