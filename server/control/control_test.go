package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/admin"
	"sluice/server/control"
	"sluice/server/store/health"
	"sluice/server/store/transfer"
)

func newDesk(t *testing.T) *admin.Desk {
	t.Helper()
	h, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	s := memory.New()
	s.Recorder = audit.NewRecorder(s.Audit, audit.Options{})
	return &admin.Desk{
		Stores: s, Hasher: h, Kind: "memory", Version: "test",
		Check: func(context.Context) []health.Finding { return []health.Finding{health.Good("store", "fine")} },
	}
}

// serve serves a carrier from a folder until the test ends.
func serve(t *testing.T, dir string, c admin.Carrier) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no control sockets on Windows")
	}
	ln, err := control.Listen(dir)
	if err != nil {
		t.Fatalf("Listen = %v, want nil", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, ln, c, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("the folder still has %q", left)
		}
	})
}

func dial(t *testing.T, dir string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), dir)
	if err != nil {
		t.Fatalf("Dial = %v, want nil", err)
	}
	return c
}

const secret = "a ferry across the river"

// Everyone is more than a page of users.
func TestEveryoneIsSignedOut(t *testing.T) {
	const users, each = 1234, 2
	d, now := newDesk(t), time.Now()
	hashes := make([]session.Hash, 0, users*each)
	for i := range users {
		u := user.User{ID: fmt.Sprintf("u%04d", i), Email: fmt.Sprintf("u%d@example.com", i), EmailKey: fmt.Sprintf("u%d@example.com", i), CreationDtm: now, UpdatedDtm: now}
		if err := d.Stores.Users.Create(t.Context(), u, "hash"); err != nil {
			t.Fatal(err)
		}
		for n := range each {
			_, h := session.NewToken()
			hashes = append(hashes, h)
			made := session.Session{ID: fmt.Sprintf("s%04d-%d", i, n), UserID: user.ProvenID{ID: u.ID}, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(time.Hour), Idle: time.Hour, End: now.Add(time.Hour)}
			if err := d.Stores.Sessions.Create(t.Context(), h, made); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := admin.Do[admin.Ended](t.Context(), d, "session.end", admin.EndSessions{All: true, Everyone: true})
	if err != nil || got.Ended != users*each {
		t.Errorf("session.end of everyone = %+v, %v, want %d ended", got, err, users*each)
	}
	for _, h := range hashes {
		if _, err := d.Stores.Sessions.Get(t.Context(), h, now); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("Get of a session of everyone = %v, want %v", err, session.ErrNoSession)
		}
	}
}

// Every step is done in order, on a desk at hand and on one behind a socket, and
// must end alike.
func TestBothCarriersDoTheSame(t *testing.T) {
	steps := []struct{ name, in, want string }{
		{"user.list", `{"limit":10}`, `{"users":[]}`},
		{"user.add", `{"email":"Ada@example.com","password":"` + secret + `","groups":["staff","admin"]}`, `"groups":["admin","staff"]`},
		{"user.add", `{"email":"ada@EXAMPLE.com","password":"` + secret + `"}`, "emailTaken: The e-mail address belongs to another user."},
		{"user.add", `{"email":"ada","password":"` + secret + `"}`, "invalidEmail: "},
		{"user.add", `{"email":"bob@example.com","password":"password12345678"}`, "weakPassword: "},
		{"user.add", `{"email":"bob@example.com","password":"` + secret + `","groups":[""]}`, "invalidGroup: "},
		{"user.add", `{"email":"bob@example.com","password":"` + secret + `","name":"Bob"}`, `"name":"Bob"`},
		{"user.add", `{"email":"eve@example.com","mood":1}`, `badInput: The input of the command cannot be read: json: unknown field "mood"`},
		{"user.add", `{`, "badInput: "},
		{"user.add", ``, "badInput: "},
		{"user.add", `{} {}`, "badInput: "},
		{"user.list", `{"limit":1}`, `"next":"`},
		{"user.list", `{"limit":-1}`, `"next":"`},
		{"user.show", `{"user":"ADA@example.com"}`, `"sessions":0`},
		{"user.show", `{"user":"nobody@example.com"}`, `notFound: There is no user with the address "nobody@example.com".`},
		{"user.show", `{"user":"nobody"}`, `notFound: There is no user with the id "nobody"`},
		{"user.change", `{"user":"ada@example.com","disabled":true}`, `"disabled":true`},
		{"user.change", `{"user":"ada@example.com","disabled":false,"groups":["b","a","b"]}`, `"groups":["a","b"]`},
		{"user.change", `{"user":"ada@example.com","groups":[]}`, `"groups":[],`},
		{"user.change", `{"user":"nobody","disabled":true}`, "notFound: "},
		{"user.password", `{"user":"ada@example.com","password":"short"}`, "weakPassword: "},
		{"user.password", `{"user":"ada@example.com","password":"another ferry across the river"}`, `{"ended":0}`},
		{"session.list", `{"user":"ada@example.com","limit":10}`, `{"sessions":[]}`},
		{"session.list", `{"user":"nobody","limit":10}`, "notFound: "},
		{"session.end", `{"user":"ada@example.com"}`, "badInput: "},
		{"session.end", `{"user":"ada@example.com","id":"x","all":true}`, "badInput: "},
		{"session.end", `{"user":"ada@example.com","id":"x"}`, "notFound: "},
		{"session.end", `{"user":"ada@example.com","all":true}`, `{"ended":0}`},
		{"session.end", `{"everyone":true}`, "badInput: "},
		{"session.end", `{"everyone":true,"id":"x"}`, "badInput: "},
		{"session.end", `{"everyone":true,"all":true,"user":"ada@example.com"}`, "badInput: "},
		{"session.end", `{"everyone":true,"all":true}`, `{"ended":0}`},
		{"key.add", `{"name":"importer","scope":"some"}`, "invalidKey: "},
		{"key.add", `{"name":"importer","scope":"full"}`, `"key":"slk_`},
		{"key.list", `{"limit":10}`, `"name":"importer"`},
		{"key.change", `{"id":"x","suspended":true}`, "notFound: "},
		{"key.end", `{"id":"x"}`, "notFound: "},
		{"user.delete", `{"user":"bob@example.com"}`, `"email":"bob@example.com"`},
		{"user.delete", `{"user":"bob@example.com"}`, "notFound: "},
		{"audit.list", `{"kinds":["userDeleted"],"limit":10}`, `"actor":"cli"`},
		{"audit.list", `{"user":"ada@example.com","limit":1}`, `"kind":"userCreated"`},
		{"audit.list", `{"after":{"chain":"memory","seq":"1"}}`, "badInput: "},
		{"audit.verify", `{}`, `"flaws":null`},
		{"store.check", `{}`, `[{"name":"store","level":"ok","text":"fine"}]`},
		{"store.drop", `{}`, `unknown: This release of Sluice knows no command "store.drop".`},
	}
	dir := t.TempDir()
	serve(t, dir, newDesk(t))
	for how, c := range map[string]admin.Carrier{"at hand": newDesk(t), "behind the socket": dial(t, dir)} {
		done := map[string]bool{}
		for _, s := range steps {
			done[s.name] = true
			var out bytes.Buffer
			err := c.Do(t.Context(), s.name, []byte(s.in), &out)
			got := strings.TrimSpace(out.String())
			var r *admin.Refusal
			if errors.As(err, &r) {
				got, err = r.Code+": "+r.Message, nil
			}
			if err != nil || !strings.Contains(got, s.want) {
				t.Errorf("%s: %s %s = %s, %v, want %s", how, s.name, s.in, got, err, s.want)
			}
			if strings.Contains(got, secret) || strings.Contains(got, "argon2") {
				t.Errorf("%s: %s tells a secret: %s", how, s.name, got)
			}
		}
		var file bytes.Buffer
		if err := c.Do(t.Context(), "store.backup", []byte("{}"), &file); err != nil {
			t.Errorf("%s: store.backup = %v, want nil", how, err)
		}
		done["store.backup"] = true
		if head, tally, err := transfer.Verify(&file); err != nil || tally.Counts["user"] != 1 || head.Store != "memory" || head.Version != "test" {
			t.Errorf("%s: the backup is %+v with %v, %v, want one user", how, head, tally, err)
		}
		for _, name := range admin.Names() {
			if !done[name] {
				t.Errorf("%s: %s is not tested", how, name)
			}
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: Close = %v, want nil", how, err)
		}
	}
}

func TestPasswordCountsAndEndsSessions(t *testing.T) {
	d := newDesk(t)
	u, err := admin.Do[user.User](t.Context(), d, "user.add", admin.AddUser{Email: "ada@example.com", Password: secret})
	if err != nil {
		t.Fatal(err)
	}
	before, err := d.Stores.Users.ByID(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Do[admin.Ended](t.Context(), d, "user.password", admin.SetPassword{User: u.ID, Password: "another " + secret}); err != nil {
		t.Fatal(err)
	}
	hash, err := d.Stores.Passwords.Hash(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := d.Hasher.Check(t.Context(), hash, "another "+secret); !ok || err != nil {
		t.Errorf("Check of the new password = %t, %v, want true", ok, err)
	}
	if after, err := d.Stores.Users.ByID(t.Context(), u.ID); err != nil || after.Epoch <= before.Epoch {
		t.Errorf("epoch = %d, %v, want more than %d, so that older proofs end", after.Epoch, err, before.Epoch)
	}
}

// A carrier that does what a test says.
type carrier func(ctx context.Context, out io.Writer) error

func (f carrier) Do(ctx context.Context, _ string, _ []byte, out io.Writer) error { return f(ctx, out) }
func (carrier) Close() error                                                      { return nil }

func TestErrorsArriveAsWhatTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		do   carrier
		want string
	}{
		"before any output": {func(context.Context, io.Writer) error { return errors.New("disk\nis gone") }, "the server says: disk\nis gone"},
		"in the middle": {func(_ context.Context, out io.Writer) error {
			_, err := out.Write(make([]byte, 1<<20))
			return errors.Join(err, errors.New("disk is gone"))
		}, "the server broke off: disk is gone"},
	} {
		dir := t.TempDir()
		serve(t, dir, c.do)
		if err := dial(t, dir).Do(t.Context(), "x", nil, io.Discard); err == nil || err.Error() != c.want {
			t.Errorf("Do of an error %s = %v, want %s", name, err, c.want)
		}
	}
}

func TestSocketIsForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, newDesk(t))
	info, err := os.Stat(filepath.Join(dir, control.File))
	if err != nil || info.Mode()&os.ModeSocket == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v, want a socket of 600", info.Mode(), err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".control*")); len(hidden) > 0 {
		t.Errorf("making the socket left %q", hidden)
	}
}

func TestSocketOfADeadProcessIsReplaced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no control sockets on Windows")
	}
	dir := t.TempDir()
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, control.File), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNobody) {
		t.Errorf("Dial of a dead socket = %v, want %v", err, control.ErrNobody)
	}
	serve(t, dir, newDesk(t))
	if _, err := admin.Do[admin.Users](t.Context(), dial(t, dir), "user.list", admin.ListUsers{Limit: 1}); err != nil {
		t.Errorf("user.list = %v, want nil", err)
	}
}

func TestFolderOfALongPathHasASocketToo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a way")
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, newDesk(t))
	if _, err := admin.Do[admin.Users](t.Context(), dial(t, dir), "user.list", admin.ListUsers{Limit: 1}); err != nil {
		t.Errorf("user.list = %v, want nil", err)
	}
}

// raw sends bytes to the socket and returns the first line of the answer.
func raw(t *testing.T, dir string, text string) string {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(dir, control.File))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, text) // the server may refuse it half-way
	answer, _ := io.ReadAll(c)
	line, _, _ := strings.Cut(string(answer), "\r\n")
	return line
}

func TestHostileBytesAreRefused(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, newDesk(t))
	for name, c := range map[string]struct{ text, want string }{
		"no HTTP":            {"\x00\x01\x02\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"another method":     {"GET /v1/user.list HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"},
		"another version":    {"POST /v2/user.list HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found"},
		"a path":             {"POST /v1/../../etc HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 307 Temporary Redirect"},
		"a huge header":      {"POST /v1/user.list HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large"},
		"a huge input":       {fmt.Sprintf("POST /v1/user.list HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", 2<<20, strings.Repeat("x", 2<<20)), "HTTP/1.1 400 Bad Request"},
		"an unknown command": {"POST /v1/%0d%0ax HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 422 Unprocessable Entity"},
	} {
		if got := raw(t, dir, c.text); got != c.want {
			t.Errorf("%s is answered %q, want %q", name, got, c.want)
		}
	}
}

func TestOneRequestAConnection(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, newDesk(t))
	one := "POST /v1/store.check HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
	c, err := net.Dial("unix", filepath.Join(dir, control.File))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, one+one); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if n := strings.Count(string(answer), "HTTP/1.1 200"); n != 1 || (err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset")) {
		t.Errorf("two requests on a connection get %d answers, %v, want 1", n, err)
	}
}

func TestFloodOfCommandsIsBounded(t *testing.T) {
	dir := t.TempDir()
	hold := make(chan struct{})
	serve(t, dir, carrier(func(ctx context.Context, out io.Writer) error {
		<-hold
		return json.NewEncoder(out).Encode("done")
	}))
	const calls = 40
	c, results := dial(t, dir), make(chan error, calls)
	for range calls {
		go func() { results <- c.Do(t.Context(), "x", nil, io.Discard) }()
	}
	busy := 0
	for range calls - 16 {
		var r *admin.Refusal
		if err := <-results; !errors.As(err, &r) || r.Code != "busy" {
			t.Errorf("Do beyond the bound = %v, want busy", err)
		}
		busy++
	}
	close(hold)
	for range calls - busy {
		if err := <-results; err != nil {
			t.Errorf("Do within the bound = %v, want nil", err)
		}
	}
}
