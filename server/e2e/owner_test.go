package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/nodes/record"
	"sluice/nodes/user"
	"sluice/server/store/transfer"
)

// owner runs a command with a text on standard input, and ends the test unless
// it exits with 0.
func owner(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("sluice %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), log.String())
	}
	return out.String()
}

// noSockets skips the test where commands cannot reach a server.
func noSockets(t testing.TB) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no control sockets on Windows")
	}
}

// TestOwnerRunsTheSystemWithoutStoppingIt adds a user before the first start and
// one while the server serves, signs them in, shuts them out, and makes a backup
// while others sign up, which is then served elsewhere.
func TestOwnerRunsTheSystemWithoutStoppingIt(t *testing.T) {
	noSockets(t)
	dir := open(t)
	owner(t, dir, password+"\n", "user", "add", "--email", "root@example.com", "--groups", "admin", "--password-stdin")
	s := serve(t, dir)
	c := newClient(s.url)
	root := c.enter(t, "/auth/sign-in", "root@example.com", password)
	if g := root.Session.AccessGroupKeys; len(g) != 1 || g[0] != "admin" {
		t.Errorf("session of a user of the group admin has %q", g)
	}
	owner(t, dir, password, "user", "add", "--email", "ada@example.com", "--password-stdin")
	ada := c.enter(t, "/auth/sign-in", "ada@example.com", password)

	owner(t, dir, "", "user", "groups", "root@example.com", "--groups", "")
	c.want(t, 401, "GET", "/auth/me", root.Session.Token, "")
	root = c.enter(t, "/auth/sign-in", "root@example.com", password)
	if g := root.Session.AccessGroupKeys; len(g) != 0 {
		t.Errorf("session of a user of no group has %q", g)
	}
	owner(t, dir, "", "user", "disable", "root@example.com")
	c.want(t, 401, "GET", "/auth/me", root.Session.Token, "")
	c.want(t, 401, "POST", "/auth/sign-in", "", credentials("root@example.com", password))
	owner(t, dir, "", "session", "end", ada.Session.ID, "--user", "ada@example.com")
	c.want(t, 401, "GET", "/auth/me", ada.Session.Token, "")
	ada = c.enter(t, "/auth/sign-in", "ada@example.com", password)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	writers := &crowd{client: c, token: ada.Session.Token}
	writers.start(ctx, t)
	for writers.done.Load() < 50 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	acknowledged := writers.known()
	began, before := time.Now(), writers.done.Load()
	owner(t, dir, "", "backup", "one.backup")
	took, beside := time.Since(began), writers.done.Load()-before
	stop()
	writers.Wait()
	t.Logf("backup beside writers: %v, %d writes meanwhile, the slowest of all %v", took.Round(time.Millisecond), beside, time.Duration(writers.slowest.Load()).Round(time.Millisecond))

	elsewhere := open(t)
	owner(t, elsewhere, "", "restore", filepath.Join(dir, "one.backup"))
	there := newClient(serve(t, elsewhere).url)
	there.want(t, 200, "GET", "/auth/me", ada.Session.Token, "")
	there.enter(t, "/auth/sign-in", "ada@example.com", password)
	there.want(t, 401, "POST", "/auth/sign-in", "", credentials("root@example.com", password))
	for _, token := range acknowledged {
		there.want(t, 200, "GET", "/auth/me", token, "")
	}
	t.Logf("%d sessions that were acknowledged before the backup live in the restored system", len(acknowledged))
}

// A crowd signs up and opens sessions.
type crowd struct {
	sync.WaitGroup
	client  *client
	token   string // of a session by which others are opened
	done    atomic.Int64
	slowest atomic.Int64 // nanoseconds of one call

	mu     sync.Mutex
	tokens []string // that were acknowledged; guarded by mu
}

// start has a few sign up, each of which costs a hash, and more open sessions.
func (w *crowd) start(ctx context.Context, t testing.TB) {
	for n := range 8 {
		w.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				path, token, body := "/test/again", w.token, ""
				if n < 2 {
					path, token, body = "/auth/sign-up", "", credentials(fmt.Sprintf("%d-%d@example.com", n, i), password)
				}
				began := time.Now()
				var m me
				a, err := w.client.try(ctx, "POST", path, token, body)
				if err == nil {
					err = a.into(&m)
				}
				switch {
				case ctx.Err() != nil:
					return
				case err != nil || m.Session.Token == "":
					t.Errorf("POST %s = %d %s, %v, want a session", path, a.status, a.text, err)
					return
				}
				w.slowest.Store(max(w.slowest.Load(), int64(time.Since(began))))
				w.done.Add(1)
				w.mu.Lock()
				w.tokens = append(w.tokens, m.Session.Token)
				w.mu.Unlock()
			}
		})
	}
}

func (w *crowd) known() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.tokens...)
}

// TestKilledRestoreIsAllOrNothing kills a restore and a migration at some moment:
// what is there then is nothing, or everything.
func TestKilledRestoreIsAllOrNothing(t *testing.T) {
	rounds := times(2, 6, 100)
	dir := open(t)
	const users = 5000
	file := filepath.Join(dir, "many.backup")
	many(t, file, users)
	owner(t, dir, "", "restore", "--data", "whole", file)
	began := time.Now()
	owner(t, dir, "", "migrate", "--from", "sqlite:whole", "--to", "sqlite:timed")
	took := time.Since(began)

	nothing, all := 0, 0
	for round := range rounds {
		target := fmt.Sprint("target", round)
		args := []string{"restore", "--data", target, file}
		if round%2 == 1 {
			args = []string{"migrate", "--from", "sqlite:whole", "--to", "sqlite:" + target}
		}
		cmd := exec.Command(binary, args...)
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(took))))
		cmd.Process.Kill() // an error means that it is through
		cmd.Wait()
		code, out, log := sluice(t, dir, "user", "list", "--limit", "1000", "--json", "--data", target)
		switch n := strings.Count(out, "\n"); {
		case code == 1 && strings.Contains(log, "no database yet"), code == 0 && n == 0:
			nothing++
			owner(t, dir, "", args...) // begins anew
		case code == 0 && n == 1000:
			all++
		default:
			t.Fatalf("after %v was killed, user list = %d with %d users\n%s", args, code, n, log)
		}
		if out := owner(t, dir, "", "backup", "--data", target, fmt.Sprint("again", round)); !strings.Contains(out, fmt.Sprintf("has %d users", users)) {
			t.Errorf("round %d: %s, want %d users", round, out, users)
		}
	}
	t.Logf("%d kills: %d left nothing, %d everything", rounds, nothing, all)
}

// TestBackupOnAFullDiskLeavesNoFile limits how long a file can be.
func TestBackupOnAFullDiskLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no ulimit")
	}
	dir := open(t)
	many(t, filepath.Join(dir, "many.backup"), 6000)
	owner(t, dir, "", "restore", filepath.Join(dir, "many.backup"))
	backups := filepath.Join(dir, "backups")
	if err := os.Mkdir(backups, 0o700); err != nil {
		t.Fatal(err)
	}
	limited := func(blocks int, args string) (int, string) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", fmt.Sprintf("trap '' XFSZ; ulimit -f %d; exec %q %s", blocks, binary, args))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, out := limited(200, "backup backups/one")
	if code != 1 || !strings.Contains(out, "file too large") {
		t.Errorf("backup = %d\n%s\nwant it to fail by %v", code, out, syscall.EFBIG)
	}
	if left, err := os.ReadDir(backups); err != nil || len(left) > 0 {
		t.Errorf("a backup that failed left %v, %v", left, err)
	}
	code, out = limited(200, "restore --data small many.backup")
	if code != 1 {
		t.Errorf("restore = %d\n%s\nwant it to fail", code, out)
	}
	if got := owner(t, dir, "", "restore", "--data", "small", "many.backup"); !strings.HasPrefix(got, "6000 users restored") {
		t.Errorf("restore once there is space = %s, want 6000 users", got)
	}
}

// many writes a backup of users by hand.
func many(t testing.TB, file string, users int) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	some := func(yield func(record.Record, error) bool) {
		for i := range users {
			u := user.User{ID: fmt.Sprintf("user%08d", i), Email: fmt.Sprint(i, "@example.com"), EmailKey: fmt.Sprint(i, "@example.com"), CreationDtm: now, UpdatedDtm: now}
			if !yield(record.UserOf(u, fmt.Sprint("hash ", rand.Uint64(), rand.Uint64(), rand.Uint64())), nil) {
				return
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = transfer.Write(t.Context(), f, given{records: some}, transfer.Head{Version: "test", Store: "memory"})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// given is a store that holds some records.
type given struct {
	record.Store
	records iter.Seq2[record.Record, error]
}

func (g given) Export(_ context.Context, _ time.Time, yield func(record.Record) error) error {
	for r, err := range g.records {
		if err := cmp.Or(err, yield(r)); err != nil {
			return err
		}
	}
	return nil
}
