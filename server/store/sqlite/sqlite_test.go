package sqlite

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/nodestest"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// openTest opens a database that is closed at the end of the test.
func openTest(t testing.TB, dir string, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("Open(%q) = %v, want nil", dir, err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// addUser creates a user and returns the proof.
func addUser(t testing.TB, db *DB) user.ProvenID {
	t.Helper()
	id, now := rand.Text(), time.Now()
	u := user.User{ID: id, Email: id, EmailKey: id, CreationDtm: now, UpdatedDtm: now}
	if err := (Users{db}).Create(t.Context(), u, "hash"); err != nil {
		t.Fatalf("Create(user) = %v, want nil", err)
	}
	return user.ProvenID{ID: id}
}

// newSession returns a session of a user for an hour, and a hash for it.
func newSession(of user.ProvenID) (h session.Hash, s session.Session) {
	rand.Read(h[:])
	now := time.Now().UTC().Truncate(time.Millisecond)
	return h, session.Session{
		ID: rand.Text(), UserID: of, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(time.Hour), End: now.Add(24 * time.Hour),
		Idle: time.Hour, IP: "192.0.2.1", AccessGroupKeys: []string{"staff"},
		UserAgent: session.UserAgent{Family: "Firefox", Major: "128", OS: session.Version{Family: "Linux"}},
	}
}

func addSession(t testing.TB, db *DB, of user.ProvenID) (session.Hash, session.Session) {
	t.Helper()
	h, s := newSession(of)
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create(session) = %v, want nil", err)
	}
	return h, s
}

func TestStoresKeepTheirPromises(t *testing.T) {
	for name, o := range map[string]Options{"cache": {}, "hardly any cache": {Cached: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodestest.Stores(t, func(t *testing.T) nodes.Stores { return openTest(t, t.TempDir(), o).Stores() })
		})
	}
}

// TestRacesBringNothingBack runs as many rounds as the fault plan asks for where
// SLUICE_E2E=long does.
func TestRacesBringNothingBack(t *testing.T) {
	rounds := 1_000
	switch {
	case os.Getenv("SLUICE_E2E") == "long":
		rounds = 100_000
	case testing.Short():
		rounds = 100
	}
	s := openTest(t, t.TempDir(), Options{}).Stores()
	nodestest.Races(t, s, s, rounds)
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	of := addUser(t, db)
	h, want := addSession(t, db, of)
	ended, _ := addSession(t, db, of)
	if _, err := (Sessions{db}).End(t.Context(), session.Which{Hash: ended}, time.Now()); err != nil {
		t.Fatalf("End() = %v, want nil", err)
	}
	used := want.CreationDtm.Add(time.Minute)
	Sessions{db}.Touch(h, used)
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}

	s := openTest(t, dir, Options{}).Stores()
	got, err := s.Sessions.Get(t.Context(), h, used)
	if err != nil || got.ID != want.ID || got.UserAgent != want.UserAgent || !got.LastSeenDtm.Equal(used) {
		t.Errorf("Get() after a restart = %+v, %v, want %+v, used at %v", got, err, want, used)
	}
	if _, err := s.Sessions.Get(t.Context(), ended, used); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Get(ended) after a restart = %v, want %v", err, session.ErrNoSession)
	}
	if u, err := s.Users.ByEmail(t.Context(), of.ID); err != nil || u.ID != of.ID {
		t.Errorf("ByEmail() after a restart = %+v, %v, want user %s", u, err, of.ID)
	}
	if hash, err := s.Passwords.Hash(t.Context(), of.ID); err != nil || hash != "hash" {
		t.Errorf("Hash() after a restart = %q, %v, want hash", hash, err)
	}
}

func TestClosedStoreAnswersNothing(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	h, made := addSession(t, db, of)
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	s, ctx, now := db.Stores(), t.Context(), time.Now()
	s.Sessions.Touch(h, now)
	for name, call := range map[string]func() error{
		"Get":    func() error { _, err := s.Sessions.Get(ctx, h, now); return err },
		"List":   func() error { _, err := s.Sessions.List(ctx, of.ID, "", 1, now); return err },
		"Create": func() error { return s.Sessions.Create(ctx, h, made) },
		"End":    func() error { _, err := s.Sessions.End(ctx, session.Which{Hash: h}, now); return err },
		"ByID":   func() error { _, err := s.Users.ByID(ctx, of.ID); return err },
		"Hash":   func() error { _, err := s.Passwords.Hash(ctx, of.ID); return err },
		"Ready":  func() error { return db.Ready(ctx) },
	} {
		wantUnavailable(t, name+"() after Close", call())
	}
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	addUser(t, openTest(t, dir, Options{}))
	modes := map[string]fs.FileMode{"": fs.ModeDir | 0o700}
	for _, name := range []string{dataFile, dataFile + "-wal", dataFile + "-shm", lockFile} {
		modes[name] = 0o600
	}
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("Stat(%q) = %v, want nil", name, err)
		} else if info.Mode() != want {
			t.Errorf("mode of %q = %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestNoTokenIsInAnyFile(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	h, s := newSession(addUser(t, db))
	s.Token = "sl_token-that-nobody-else-may-see"
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create(session) = %v, want nil", err)
	}
	if got, err := (Sessions{db}).Get(t.Context(), h, time.Now()); err != nil || got.Token != "" {
		t.Errorf("Get() = token %q, %v, want none", got.Token, err)
	}
	db.Close()
	text, err := os.ReadFile(filepath.Join(dir, dataFile))
	if err != nil || !strings.Contains(string(text), s.ID) || strings.Contains(string(text), s.Token) {
		t.Errorf("file of %d bytes, %v: has id %t, has token %t, want id and no token",
			len(text), err, strings.Contains(string(text), s.ID), strings.Contains(string(text), s.Token))
	}
}

func TestLaterSchemaIsRefusedUntouched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, dataFile)
	if err := openTest(t, dir, Options{}).Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	c, err := connect(path, "user_version = 99", "journal_mode = DELETE")
	if err != nil {
		t.Fatalf("connect() = %v, want nil", err)
	}
	c.Close()
	before, _ := os.ReadFile(path)

	_, err = Open(t.Context(), dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "schema 99") {
		t.Errorf("Open() = %v, want an error that names schema 99", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("Open() changed the file that it refused")
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	refused := func(err error) bool {
		return err != nil && strings.Contains(err.Error(), "another process is serving from "+dir)
	}
	if _, err := Open(t.Context(), dir, Options{}); !refused(err) {
		t.Errorf("Open() of the same process = %v, want it refused", err)
	}
	if out, err := child(t, "open", dir).CombinedOutput(); err == nil || !refused(errors.New(string(out))) {
		t.Errorf("Open() of another process = %s, %v, want it refused", out, err)
	}
	db.Close()
	if out, err := child(t, "open", dir).CombinedOutput(); err != nil {
		t.Errorf("Open() of another process after Close = %s, %v, want nil", out, err)
	}
	openTest(t, dir, Options{})
}

func TestNoPasswordHasNoHash(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	if err := (Passwords{db}).SetHash(t.Context(), of.ID, "", ""); err != nil {
		t.Fatalf("SetHash() = %v, want nil", err)
	}
	if _, err := (Passwords{db}).Hash(t.Context(), of.ID); !errors.Is(err, password.ErrNoPassword) {
		t.Errorf("Hash() = %v, want %v", err, password.ErrNoPassword)
	}
}

// childVar tells this binary, run once more by a test, what to do instead of testing.
const childVar = "SLUICE_STORE_CHILD"

func TestMain(m *testing.M) {
	task, dir, _ := strings.Cut(os.Getenv(childVar), " ")
	switch task {
	case "":
		os.Exit(m.Run())
	case "open":
		openInChild(dir)
	case "write":
		writeInChild(dir)
	}
}

// child returns this binary as another process with a task.
func child(t *testing.T, task, dir string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childVar+"="+task+" "+dir)
	return c
}
