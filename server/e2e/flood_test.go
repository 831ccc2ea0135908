package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	passwords "sluice/nodes/password"
	"sluice/nodes/user"
	"sluice/server/store/sqlite"
)

// seed puts users, all with the same password, into a folder's database before a
// server serves from it, without the price of hashing each: user 7 is
// u7@example.com. Those from a number on are disabled.
func seed(t testing.TB, dir string, n, off int) {
	t.Helper()
	h, err := passwords.NewHasher(passwords.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.New(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "data"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var wg sync.WaitGroup
	for part := range 8 {
		wg.Go(func() {
			for i := part; i < n; i += 8 {
				address := numbered(i)
				u := user.User{ID: fmt.Sprintf("u%d", i), Email: address, EmailKey: address, CreationDtm: now, UpdatedDtm: now, Disabled: i >= off}
				if err := db.Stores().Users.Create(t.Context(), u, hash); err != nil {
					t.Errorf("seeding user %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func numbered(i int) string { return fmt.Sprintf("u%d@example.com", i) }

// resident is how much memory a process has, and the most it ever had, in bytes.
func resident(t testing.TB, c *child) (now, most int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		t.Skipf("this system tells no process's memory: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		for name, n := range map[string]*int64{"VmRSS:": &now, "VmHWM:": &most} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				*n = kib << 10
			}
		}
	}
	return now, most
}

// A flood is many clients that post sign-ins as fast as they are answered.
type flood struct {
	mu       sync.Mutex
	statuses map[int]int // guarded by mu
	bare     int         // refusals without Retry-After; guarded by mu
}

// attack signs in from as many addresses as there are clients, each on a
// connection of its own, until ctx ends. Every other client names a user that there is.
func (f *flood) attack(ctx context.Context, url string, clients int) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	h := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			address := numbered(i / 2)
			if i%2 == 1 {
				address = "nobody-" + address
			}
			for ctx.Err() == nil {
				q, err := http.NewRequestWithContext(ctx, "POST", url+"/auth/sign-in", strings.NewReader(credentials(address, "quite another ferry entirely")))
				if err != nil {
					return
				}
				q.Header.Set("Content-Type", "application/json")
				q.Header.Set("X-Forwarded-For", fmt.Sprintf("198.18.%d.%d", i/250, i%250+1))
				r, err := h.Do(q)
				if err != nil {
					if ctx.Err() == nil {
						f.note(0, "")
					}
					return
				}
				_, _ = io.Copy(io.Discard, r.Body) // so that the connection stays; the status counts
				r.Body.Close()
				f.note(r.StatusCode, r.Header.Get("Retry-After"))
			}
		})
	}
	wg.Wait()
}

func (f *flood) note(status int, after string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses[status]++
	if (status == 429 || status == 503) && after == "" {
		f.bare++
	}
}

// latencies calls /auth/me for a while and returns how long each call took, in order.
func latencies(t testing.TB, c *client, token string, during time.Duration) (took []time.Duration) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		began := time.Now()
		c.want(t, 200, "GET", "/auth/me", token, "")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took
}

// A flood of sign-ins takes a bounded piece of memory, and those who are signed
// in are served meanwhile. That they are served as fast as before is printed:
// here the attackers need the same two cores.
func TestFloodOfSignInsIsBorne(t *testing.T) {
	const clients, most = 2000, 96 << 20
	dir := open(t)
	seed(t, dir, clients/2, clients/2)
	s := serve(t, dir, "--trusted-proxies", "127.0.0.1")
	c := newClient(s.url)
	ada := c.enter(t, "/auth/sign-up", "ada@example.com", password)
	idle := latencies(t, c, ada.Session.Token, time.Second)
	base, _ := resident(t, s)

	f := &flood{statuses: map[int]int{}}
	during := time.Duration(times(5, 10, 60)) * time.Second
	ctx, stop := context.WithTimeout(t.Context(), during)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.attack(ctx, s.url, clients)
	}()
	busy := latencies(t, c, ada.Session.Token, during)
	<-done
	_, peak := resident(t, s)

	p99 := func(took []time.Duration) time.Duration { return took[len(took)*99/100] }
	t.Logf("memory %d MiB, at most %d MiB more; p99 of GET /auth/me %v, in the flood %v; answers %v",
		base>>20, (peak-base)>>20, p99(idle), p99(busy), f.statuses)
	if peak-base > most {
		t.Errorf("memory grew from %d MiB to %d MiB, want at most %d MiB more", base>>20, peak>>20, most>>20)
	}
	for status, n := range f.statuses {
		if status != 401 && status != 503 && status != 429 {
			t.Errorf("%d sign-ins were answered by %d, want 401, 429 or 503", n, status)
		}
	}
	if f.bare > 0 {
		t.Errorf("%d refusals were without Retry-After, want none", f.bare)
	}
	if f.statuses[401] == 0 || f.statuses[503] == 0 {
		t.Errorf("the flood was answered by %v, want some of 401 and of 503", f.statuses)
	}
}
