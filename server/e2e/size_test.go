package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/nodes/data"
	hashing "sluice/nodes/password"
	"sluice/nodes/record"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store"
)

// A town is a store with many users, sessions and documents, from before the
// server starts.
type town struct {
	dir    string
	tokens []string // some of the sessions
	users  int
}

// TestMillionsOfSessionsCostNoMore prints the table in README.md of server/bench,
// and compares a million sessions with 10,000. It takes minutes, so that
// SLUICE_E2E=long must ask for it.
func TestMillionsOfSessionsCostNoMore(t *testing.T) {
	if !long() {
		t.Skip("takes minutes: SLUICE_E2E=long runs it")
	}
	sizes := []int{1000, 10_000, 100_000, 1_000_000}
	towns := map[int]*town{}
	for _, n := range sizes {
		dir := open(t)
		began := time.Now()
		w := settle(t, dir, n)
		towns[n] = w
		t.Logf("%d sessions were imported in %v", n, time.Since(began).Round(time.Millisecond))
		first := serve(t, dir) // which makes the indexes of documents
		first.stop(t)
		s := serve(t, dir)
		started := rss(s.cmd.Process.Pid)
		c := newClient(s.url)
		me := median(t, 4000, func(int) { c.want(t, 200, "GET", "/auth/me", w.any(), "") })
		list := median(t, 400, func(int) { c.want(t, 200, "GET", "/auth/sessions", w.any(), "") })
		enter := median(t, 100, func(int) {
			c.want(t, 200, "POST", "/auth/sign-in", "", credentials(address(rand.IntN(w.users)), password))
		})
		var tokens []string
		for i := range min(100, w.users/2) { // the others keep their sessions
			tokens = append(tokens, c.enter(t, "/auth/sign-in", address(i), password).Session.Token)
		}
		out := median(t, len(tokens), func(i int) { c.want(t, 200, "POST", "/auth/sign-out-all", tokens[i], "") })
		t.Logf("| %d | %d | %v | %v | %v | %v | %v | %v | %d MiB | %d MiB | %d MiB |", n, w.users,
			first.took.Round(time.Millisecond), s.took.Round(time.Millisecond), me.Round(time.Microsecond), list.Round(time.Microsecond),
			enter.Round(100*time.Microsecond), out.Round(100*time.Microsecond), size(t, dir)>>20, started, rss(s.cmd.Process.Pid))
		if s.took > 2*time.Second {
			t.Errorf("a start with %d sessions takes %v, want 2 s at most", n, s.took)
		}
		if n == slices.Max(sizes) {
			moved(t, dir)
			if now := rss(s.cmd.Process.Pid); now > 256 {
				t.Errorf("the server has %d MiB with %d sessions, after a backup, want 256 at most", now, n)
			}
		}
		s.stop(t)
	}
	compare(t, towns[10_000], towns[slices.Max(sizes)])
}

// compare fails the test where calls cost much more in a large town than in a
// small one. Servers of both run at the same time and are called in turns, so that
// whatever else the machine does happens to both. The first check of a session
// reads the file in both, later ones find it in memory in both.
func compare(t *testing.T, small, large *town) {
	t.Helper()
	both := [2]*town{small, large}
	var clients [2]*client
	for i, w := range both {
		clients[i] = newClient(serve(t, w.dir).url)
		clients[i].want(t, 200, "GET", "/healthz", "", "")
	}
	n := len(small.tokens)
	check := func(side, i int) {
		w := both[side]
		clients[side].want(t, 200, "GET", "/auth/me", w.tokens[i%n*(len(w.tokens)/n)], "")
	}
	for _, kind := range []struct {
		name  string
		times int
		call  func(side, i int)
	}{
		{"first check of a session", n, check},
		{"later check", 8 * n, check},
		{"sign-in", 100, func(side, _ int) {
			clients[side].want(t, 200, "POST", "/auth/sign-in", "", credentials(address(rand.IntN(both[side].users)), password))
		}},
	} {
		var took [2][]time.Duration
		for i := range kind.times {
			for side := range both {
				took[side] = append(took[side], timed(func() { kind.call(side, i) }))
			}
		}
		few, many := middle(took[0]), middle(took[1])
		ratio := many.Seconds() / few.Seconds()
		t.Logf("%s: %v with %d users, %v with %d: %.2f times", kind.name, few, small.users, many, large.users, ratio)
		if ratio > 1.2 {
			t.Errorf("%s costs %.2f times that of %d users with %d, want 1.2 at most", kind.name, ratio, small.users, large.users)
		}
	}
}

// moved times a backup beside the server, a restore and a migration.
func moved(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"backup", "many.backup"}, {"restore", "--data", "restored", "many.backup"},
		{"migrate", "--from", "sqlite:restored", "--to", "sqlite:migrated"},
	} {
		t.Logf("sluice %s: %s", args[0], strings.TrimSpace(owner(t, dir, "", args...)))
	}
}

func address(i int) string { return fmt.Sprintf("user%07d@example.com", i) }

func (w *town) any() string { return w.tokens[rand.IntN(len(w.tokens))] }

// settle fills the store of a folder: ten sessions a user, and a document for
// every ten sessions.
func settle(t *testing.T, dir string, sessions int) *town {
	t.Helper()
	hasher, err := hashing.NewHasher(hashing.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.New(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &town{dir: dir, users: sessions / 10}
	now := time.Now().UTC().Truncate(time.Millisecond)
	err = s.Records.Import(t.Context(), func(yield func(record.Record, error) bool) {
		for i := range w.users {
			u := user.User{ID: uuid.Must(uuid.NewV7()).String(), Email: address(i), EmailKey: address(i), Name: "Ada", CreationDtm: now, UpdatedDtm: now}
			if !yield(record.UserOf(u, hash), nil) {
				return
			}
			for n := range 10 {
				token, h := session.NewToken()
				if i >= w.users/2 && n == 0 && len(w.tokens) < 50_000 {
					w.tokens = append(w.tokens, token)
				}
				if !yield(record.SessionOf(h, visit(u.ID, now)), nil) {
					return
				}
			}
		}
		c := &data.Collection{Name: "products", Fields: []data.Field{
			{Name: "sku", Kind: data.Text}, {Name: "name", Kind: data.Text}, {Name: "category", Kind: data.Text},
			{Name: "price", Kind: data.Whole}, {Name: "stock", Kind: data.Whole}, {Name: "hidden", Kind: data.Truth},
		}}
		if !yield(record.CollectionOf(c), nil) {
			return
		}
		for i := range sessions / 10 {
			body := fmt.Appendf(nil, `{"sku":"SKU-%d","name":"A thing of number %d","category":"pens","price":%d,"stock":10,"hidden":false}`, i, i, 100+i%10_000)
			r, err := record.DocumentOf(c, data.Document{ID: uuid.Must(uuid.NewV7()).String(), Version: 1, Created: now, Updated: now, Body: body})
			if !yield(r, err) {
				return
			}
		}
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// visit is a session whose last use is so long ago that the next one is noted,
// however long the import takes.
func visit(userID string, now time.Time) session.Session {
	seen := now.Add(-time.Hour)
	return session.Session{
		ID: uuid.Must(uuid.NewV7()).String(), UserID: user.ProvenID{ID: userID}, CreationDtm: seen, LastSeenDtm: seen,
		ExpiresDtm: seen.Add(12 * time.Hour), End: seen.Add(24 * time.Hour), Idle: 12 * time.Hour, IP: "192.0.2.1",
		UserAgent: session.ParseUserAgent("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"),
	}
}

// median is how long one of n calls takes as a rule.
func median(t *testing.T, n int, call func(i int)) time.Duration {
	t.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		took[i] = timed(func() { call(i) })
	}
	return middle(took)
}

func timed(call func()) time.Duration {
	began := time.Now()
	call()
	return time.Since(began)
}

// middle is the median of times, which it sorts.
func middle(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// size is how long the files of the store are.
func size(t *testing.T, dir string) (n int64) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	of := regexp.MustCompile(`^sluice\.db`)
	for _, f := range files {
		if info, err := f.Info(); err == nil && of.MatchString(f.Name()) {
			n += info.Size()
		}
	}
	return n
}
