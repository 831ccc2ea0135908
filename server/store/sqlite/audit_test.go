package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"sluice/nodes/audit"
)

func key(t *testing.T, letter string) audit.Key {
	t.Helper()
	k, err := audit.NewKey([]byte(strings.Repeat(letter, audit.MinKey)))
	if err != nil {
		t.Fatalf("NewKey() = %v, want nil", err)
	}
	return k
}

// signIn opens a session with the event that tells so.
func signIn(t testing.TB, db *DB, subject string) error {
	t.Helper()
	of := addUser(t, db)
	h, s := newSession(of)
	rec := audit.NewRecorder(Events{db}, audit.Options{})
	return rec.Do(t.Context(), audit.Event{Kind: audit.SignIn, Subject: subject}, func(ctx context.Context) error {
		return Sessions{db}.Create(ctx, h, s)
	})
}

func wantFlaws(t *testing.T, db *DB, events int, want ...string) {
	t.Helper()
	r, err := audit.Verify(t.Context(), Events{db})
	if err != nil {
		t.Fatalf("Verify() = %v, want nil", err)
	}
	same := len(r.Flaws) == len(want) && r.Events == events
	for i := 0; same && i < len(want); i++ {
		same = strings.HasPrefix(r.Flaws[i].String(), want[i])
	}
	if !same {
		t.Errorf("Verify() of %d events = %q, want %d with %q", r.Events, r.Flaws, events, want)
	}
}

func TestWhoeverEditsTheFileIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		edit   string
		events int
		want   []string
	}{
		"nothing":   {"SELECT 1", 6, nil},
		"a column":  {"UPDATE audit SET subject = 'eve' WHERE seq = 3", 6, []string{"main:3: the event of"}},
		"the rest":  {"UPDATE audit SET rest = replace(rest, '\"ok\"', '\"no\"') WHERE seq = 3", 6, []string{"main:3: the event of"}},
		"removed":   {"DELETE FROM audit WHERE seq = 3", 5, []string{"main:3: 1 event is missing"}},
		"first":     {"DELETE FROM audit WHERE seq = 1", 5, []string{"main:1: 1 event is missing"}},
		"cut":       {"DELETE FROM audit WHERE seq > 3", 3, []string{"main:4: the end was cut off: 3 events are missing"}},
		"emptied":   {"DELETE FROM audit", 0, []string{"main:1: the end was cut off: 6 events are missing"}},
		"moved":     {"UPDATE audit SET seq = 99 WHERE seq = 3", 6, []string{"main:3: 1 event is missing", "main:7: 92 events are missing"}},
		"put in":    {"INSERT INTO audit SELECT chain, 7, at, kind, actor, subject, rest, seal FROM audit WHERE seq = 6", 7, []string{"main:7: the event of"}},
		"seal gone": {"UPDATE audit SET seal = x'00' WHERE seq = 6", 6, []string{"main:6: the event of", "main:6: the log was written anew"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := openTest(t, dir, Options{})
			for range 6 {
				if err := signIn(t, db, "ada"); err != nil {
					t.Fatalf("signing in = %v, want nil", err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatalf("Close() = %v, want nil", err)
			}
			c, err := connect(filepath.Join(dir, dataFile))
			if err != nil {
				t.Fatalf("connect() = %v, want nil", err)
			}
			if _, err := c.one(tt.edit); err != nil {
				t.Fatalf("%s = %v, want nil", tt.edit, err)
			}
			if err := c.Close(); err != nil {
				t.Fatalf("Close() = %v, want nil", err)
			}
			wantFlaws(t, openTest(t, dir, Options{}), tt.events, tt.want...)
		})
	}
}

func TestAChangeAndItsEventAreCommittedTogetherOrNotAtAll(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	var fail func() error
	db.writer.beforeCommit = func() error {
		if fail != nil {
			return fail()
		}
		return nil
	}
	of := addUser(t, db)
	rec := audit.NewRecorder(Events{db}, audit.Options{})
	create := func() error {
		h, s := newSession(of)
		err := rec.Do(t.Context(), audit.Event{Kind: audit.SignIn, Subject: of.ID}, func(ctx context.Context) error { return Sessions{db}.Create(ctx, h, s) })
		wantLive(t, db, "session", h, err == nil)
		return err
	}
	for round := range 3 {
		fail = func() error { return fault(lib.SQLITE_FULL) }
		wantUnavailable(t, "Do on a full disk", create())
		fail = nil
		if err := create(); err != nil {
			t.Fatalf("Do once there is space = %v, want nil", err)
		}
		wantFlaws(t, db, round+1)
	}
}

func TestAnEventThatCannotBeWrittenTakesItsChangeBack(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	err := db.writer.do(t.Context(), &op{run: func(c *conn) error {
		_, err := c.exec("CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
		return err
	}})
	if err != nil {
		t.Fatalf("making a trigger = %v, want nil", err)
	}
	of := addUser(t, db)
	h, s := newSession(of)
	rec := audit.NewRecorder(Events{db}, audit.Options{})
	err = rec.Do(t.Context(), audit.Event{Kind: audit.SignIn, Subject: of.ID}, func(ctx context.Context) error { return Sessions{db}.Create(ctx, h, s) })
	if err == nil {
		t.Error("Do() without its event = nil, want an error")
	}
	wantLive(t, db, "without its event", h, false)
	wantFlaws(t, db, 0)
	addSession(t, db, of) // what has no event goes on
}

func TestTheChainGoesOnAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		db := openTest(t, dir, Options{})
		if err := signIn(t, db, "ada"); err != nil {
			t.Fatalf("signing in = %v, want nil", err)
		}
		wantFlaws(t, db, i+1)
		if err := db.Close(); err != nil {
			t.Fatalf("Close() = %v, want nil", err)
		}
	}
}

func TestKeysOfTheSettingsComeBeforeTheOneInTheFolder(t *testing.T) {
	dir := t.TempDir()
	sign := func(keys audit.Keys) string {
		t.Helper()
		db := openTest(t, dir, Options{AuditKeys: keys})
		defer db.Close()
		if err := signIn(t, db, "ada"); err != nil {
			t.Fatalf("signing in = %v, want nil", err)
		}
		list, err := Events{db}.List(t.Context(), audit.Query{Limit: 100})
		if err != nil {
			t.Fatalf("List() = %v, want nil", err)
		}
		wantFlaws(t, db, len(list))
		return list[len(list)-1].KeyID
	}
	folder, first := sign(nil), sign(audit.Keys{key(t, "a")})
	second := sign(audit.Keys{key(t, "b"), key(t, "a")})
	if folder == first || first == second || folder == "" {
		t.Errorf("keys of the folder, of the settings and then others = %s, %s, %s, want three", folder, first, second)
	}
}

func TestALostKeyOfTheSettingsIsTold(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{AuditKeys: audit.Keys{key(t, "a")}})
	if err := signIn(t, db, "ada"); err != nil {
		t.Fatalf("signing in = %v, want nil", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	wantFlaws(t, openTest(t, dir, Options{}), 1, "main:1: the event of ")
}

func TestALogOutlivesTheKeyInTheFolder(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	if err := signIn(t, db, "ada"); err != nil {
		t.Fatalf("signing in = %v, want nil", err)
	}
	name := Events{db}.Keys().Pseudonym("eve@example.com")
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	path := filepath.Join(dir, keyFile)
	secret, err := os.ReadFile(path)
	if err != nil || len(strings.TrimSpace(string(secret))) < audit.MinKey {
		t.Fatalf("%s = %d bytes, %v, want a key", keyFile, len(secret), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db = openTest(t, dir, Options{})
	if err := signIn(t, db, "ada"); err != nil {
		t.Fatalf("signing in = %v, want nil", err)
	}
	wantFlaws(t, db, 2)
	if again := (Events{db}).Keys().Pseudonym("eve@example.com"); again == name || again == "" {
		t.Errorf("Pseudonym() without the file = %q, want another than %q", again, name)
	}
	db.Close()
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); err == nil || strings.Contains(err.Error(), "short\n") {
		t.Errorf("Open() with a short key = %v, want an error without it", err)
	}
}

func TestTheHeadInTheFolderIsNeverAheadOfTheLog(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	heads := func() audit.Head {
		t.Helper()
		h, err := Events{db}.Heads(t.Context())
		if err != nil || len(h) != 1 || h[0].Chain != chainName {
			t.Fatalf("Heads() = %v, %v, want one of the chain", h, err)
		}
		return h[0]
	}
	if h := heads(); h.Seq != 0 {
		t.Errorf("Heads() of a new folder = %v, want none", h)
	}
	fail := faults(db)
	if err := signIn(t, db, "ada"); err != nil {
		t.Fatalf("signing in = %v, want nil", err)
	}
	if err := db.anchor.write(db.writer.audit.durable()); err != nil {
		t.Fatalf("write() = %v, want nil", err)
	}
	of := addUser(t, db)
	h, s := newSession(of)
	fail.Store(lib.SQLITE_FULL)
	rec := audit.NewRecorder(Events{db}, audit.Options{})
	if err := rec.Do(t.Context(), audit.Event{Kind: audit.SignIn}, func(ctx context.Context) error { return Sessions{db}.Create(ctx, h, s) }); err == nil {
		t.Error("Do() on a full disk = nil, want an error")
	}
	fail.Store(0)
	if err := db.anchor.write(db.writer.audit.durable()); err != nil {
		t.Fatalf("write() = %v, want nil", err)
	}
	if h := heads(); h.Seq != 1 {
		t.Errorf("Heads() = %v, want number 1", h)
	}
	wantFlaws(t, db, 1)
}

func TestPruningTakesManyBatchesAndAnUnbrokenLogStays(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	const n = maxPrune + 100
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := Events{db}.Append(t.Context(), audit.Event{Kind: audit.SignInFailed, Outcome: "mismatch"})
			for errors.Is(err, errFull) {
				time.Sleep(time.Millisecond)
				_, err = Events{db}.Append(t.Context(), audit.Event{Kind: audit.SignInFailed, Outcome: "mismatch"})
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Fatalf("Append() = %v, want nil", err)
		}
	}
	time.Sleep(2 * time.Millisecond)
	gone, err := Events{db}.Prune(t.Context(), time.Now())
	if err != nil || gone < n {
		t.Errorf("Prune() = %d, %v, want at least %d, nil", gone, err, n)
	}
	r, err := audit.Verify(t.Context(), Events{db})
	if err != nil || len(r.Flaws) > 0 || r.Events > 2 {
		t.Errorf("Verify() = %+v, %v, want at most 2 events without a flaw", r, err)
	}
}

// BenchmarkCreateWithEvent is BenchmarkCreate with an event riding along.
func BenchmarkCreateWithEvent(b *testing.B) {
	for name, callers := range map[string]int{"alone": 1, "64 at once": 64} {
		b.Run(name, func(b *testing.B) {
			db := openTest(b, b.TempDir(), Options{})
			of := addUser(b, db)
			rec := audit.NewRecorder(Events{db}, audit.Options{})
			create := func() {
				h, s := newSession(of)
				e := audit.Event{Kind: audit.SignIn, Actor: of.ID, Subject: of.ID, SessionID: s.ID, IP: s.IP, UserAgent: "curl/8.5.0"}
				if err := rec.Do(b.Context(), e, func(ctx context.Context) error { return Sessions{db}.Create(ctx, h, s) }); err != nil {
					b.Errorf("Do() = %v, want nil", err)
				}
			}
			if callers == 1 {
				for b.Loop() {
					create()
				}
				return
			}
			b.SetParallelism(callers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					create()
				}
			})
		})
	}
}
