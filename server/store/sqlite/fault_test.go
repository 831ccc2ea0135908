package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"sluice/engine"
	"sluice/nodes/session"
)

// A fault is a failure of the disk as SQLite tells it.
type fault int

func (f fault) Error() string { return fmt.Sprintf("fault %d", int(f)) }
func (f fault) Code() int     { return int(f) }

// faults are commits that fail from now on while the value is not 0.
func faults(db *DB) *atomic.Int32 {
	var now atomic.Int32
	db.writer.beforeCommit = func() error {
		if code := now.Load(); code != 0 {
			return fault(code)
		}
		return nil
	}
	return &now
}

func wantUnavailable(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("%s = %v, want %v", call, err, engine.ErrUnavailable)
	}
}

func wantLive(t *testing.T, db *DB, name string, h session.Hash, live bool) {
	t.Helper()
	var want error
	if !live {
		want = session.ErrNoSession
	}
	if _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); !errors.Is(err, want) {
		t.Errorf("Get(%s) = %v, want %v", name, err, want)
	}
}

func TestFailedCommitIsNotAcknowledgedAndPasses(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	fail, of := faults(db), addUser(t, db)
	h, s := newSession(of)

	fail.Store(lib.SQLITE_FULL)
	wantUnavailable(t, "Create() on a full disk", Sessions{db}.Create(t.Context(), h, s))
	wantLive(t, db, "of a failed Create", h, false)
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready() on a full disk = %v, want nil", err)
	}
	fail.Store(0)
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Errorf("Create() once there is space = %v, want nil", err)
	}
	wantLive(t, db, "of the second Create", h, true)
}

func TestFullFileRefusesAndRecovers(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	old, _ := addSession(t, db, of)
	limit := func(pages int64) {
		t.Helper()
		err := db.writer.do(t.Context(), &op{run: func(c *conn) error {
			_, err := c.one(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			return err
		}})
		if err != nil {
			t.Fatalf("limiting the file = %v, want nil", err)
		}
	}
	limit(1) // as low as the file allows
	var err error
	var h session.Hash
	for range 1000 {
		var s session.Session
		if h, s = newSession(of); err == nil {
			err = Sessions{db}.Create(t.Context(), h, s)
		}
	}
	wantUnavailable(t, "Create() in a full file", err)
	wantLive(t, db, "of before", old, true)
	limit(1 << 30)
	h, _ = addSession(t, db, of)
	wantLive(t, db, "of after", h, true)
}

func TestFailedEndDeniesUntilItSucceeds(t *testing.T) {
	for name, which := range map[string]func(h session.Hash, s session.Session) session.Which{
		"token": func(h session.Hash, _ session.Session) session.Which { return session.Which{Hash: h} },
		"id": func(_ session.Hash, s session.Session) session.Which {
			return session.Which{UserID: s.UserID.ID, ID: s.ID}
		},
		"all": func(_ session.Hash, s session.Session) session.Which { return session.Which{UserID: s.UserID.ID} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := openTest(t, dir, Options{})
			fail, of := faults(db), addUser(t, db)
			h, s := addSession(t, db, of)
			other, _ := addSession(t, db, addUser(t, db))
			w := which(h, s)

			fail.Store(lib.SQLITE_FULL)
			_, err := Sessions{db}.End(t.Context(), w, time.Now())
			wantUnavailable(t, "End() on a full disk", err)
			wantLive(t, db, "session whose end failed", h, false)
			wantLive(t, db, "session of another user", other, true)
			db.sessions.clear()
			wantLive(t, db, "session whose end failed, from the file", h, false)
			if page, err := (Sessions{db}).List(t.Context(), of.ID, "", 10, time.Now()); err != nil || len(page) != 0 {
				t.Errorf("List() = %d sessions, %v, want none", len(page), err)
			}
			fail.Store(0)
			time.Sleep(2 * time.Millisecond) // a session of the same moment is taken for an older one
			next, _ := addSession(t, db, of)
			wantLive(t, db, "later session", next, true)
			wantLive(t, db, "session whose end failed, with space again", h, false)
			if n, err := (Sessions{db}).End(t.Context(), w, time.Now()); err != nil || n < 1 {
				t.Errorf("End() once there is space = %d, %v, want it to end", n, err)
			}
			wantLive(t, db, "ended session", h, false)
			if db.denials.any.Load() {
				t.Errorf("denials = %+v, want none after End succeeded", &db.denials)
			}
		})
	}
}

func TestFailedEndOfOthersSparesOne(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	fail, of := faults(db), addUser(t, db)
	mine, s := addSession(t, db, of)
	other, _ := addSession(t, db, of)
	w := session.Which{UserID: of.ID, Except: s.ID}
	fail.Store(lib.SQLITE_FULL)
	_, err := Sessions{db}.End(t.Context(), w, time.Now())
	wantUnavailable(t, "End(others) on a full disk", err)
	wantLive(t, db, "spared", mine, true)
	wantLive(t, db, "other", other, false)
	fail.Store(0)
	if n, err := (Sessions{db}).End(t.Context(), session.Which{UserID: of.ID}, time.Now()); err != nil || n != 2 {
		t.Errorf("End(all) = %d, %v, want 2", n, err)
	}
}

func TestDiskFailureStopsWritesUntilRestart(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	fail, of := faults(db), addUser(t, db)
	kept, s := addSession(t, db, of)
	ended, _ := addSession(t, db, of)

	fail.Store(lib.SQLITE_IOERR_FSYNC)
	_, err := Sessions{db}.End(t.Context(), session.Which{Hash: ended}, time.Now())
	wantUnavailable(t, "End() whose fsync failed", err)
	fail.Store(0)
	h, next := newSession(of)
	wantUnavailable(t, "Create() after a failed fsync", Sessions{db}.Create(t.Context(), h, next))
	wantUnavailable(t, "SetHash() after a failed fsync", Passwords{db}.SetHash(t.Context(), of.ID, "", "x"))
	_, err = Sessions{db}.End(t.Context(), session.Which{UserID: of.ID, Except: s.ID}, time.Now())
	wantUnavailable(t, "End() after a failed fsync", err)
	wantUnavailable(t, "Ready() after a failed fsync", db.Ready(t.Context()))
	wantLive(t, db, "kept", kept, true)
	wantLive(t, db, "whose end failed", ended, false)
	if err := db.Close(); err == nil {
		t.Error("Close() after a failed fsync = nil, want an error")
	}

	if _, err := os.Stat(filepath.Join(dir, suspectFile)); err != nil {
		t.Errorf("Stat(%s) = %v, want it there", suspectFile, err)
	}
	db = openTest(t, dir, Options{})
	if _, err := os.Stat(filepath.Join(dir, suspectFile)); err == nil {
		t.Errorf("%s is there after a check, want it gone", suspectFile)
	}
	wantLive(t, db, "kept, after a restart", kept, true)
	addSession(t, db, of)
}

func TestDamagedFileIsRefusedAfterADiskFailure(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	of := addUser(t, db)
	for range 100 {
		addSession(t, db, of)
	}
	db.Close()
	path := filepath.Join(dir, dataFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("ReadFile() = %v, want nil", err)
	}
	clear(data[len(data)-3*4096 : len(data)-4096])
	for name, text := range map[string][]byte{path: data, filepath.Join(dir, suspectFile): nil} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatalf("WriteFile(%s) = %v, want nil", name, err)
		}
	}
	for range 2 {
		if db, err := Open(t.Context(), dir, Options{}); err == nil {
			db.Close()
			t.Fatal("Open() of a damaged file = nil, want an error")
		}
	}
}

func TestRefusedOperationLeavesTheOthersOfItsBatch(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	release, held := make(chan struct{}), make(chan struct{})
	go db.writer.do(context.Background(), &op{run: func(*conn) error { close(held); <-release; return nil }})
	<-held
	h, s := newSession(of)
	good, first, bad := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { first <- Sessions{db}.Create(t.Context(), h, s) }()
	waitQueue(t, db, 1)
	go func() { bad <- Sessions{db}.Create(t.Context(), h, s) }() // the same hash once more
	waitQueue(t, db, 2)
	other, s2 := newSession(of)
	go func() { good <- Sessions{db}.Create(t.Context(), other, s2) }()
	waitQueue(t, db, 3)
	close(release)
	if err := <-first; err != nil {
		t.Errorf("first Create() = %v, want nil", err)
	}
	if err := <-bad; err == nil || errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("Create() of a hash that is there = %v, want a refusal of its own", err)
	}
	if err := <-good; err != nil {
		t.Errorf("Create() beside a refused one = %v, want nil", err)
	}
	wantLive(t, db, "first", h, true)
	wantLive(t, db, "beside", other, true)
}

// waitQueue waits until n operations wait for the writer.
func waitQueue(t *testing.T, db *DB, n int) {
	t.Helper()
	for range 5000 {
		if len(db.writer.queue) == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d operations wait, want %d", len(db.writer.queue), n)
}

func TestWhoLeavesTheQueueIsNotServed(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	release, held := make(chan struct{}), make(chan struct{})
	go db.writer.do(context.Background(), &op{run: func(*conn) error { close(held); <-release; return nil }})
	<-held

	ctx, cancel := context.WithCancel(t.Context())
	h, s := newSession(of)
	gone := make(chan error, 1)
	go func() { gone <- Sessions{db}.Create(ctx, h, s) }()
	waitQueue(t, db, 1)
	cancel()
	wantUnavailable(t, "Create() that nobody waits for", <-gone)

	for len(db.writer.queue) < maxQueue {
		db.writer.queue <- &op{run: func(*conn) error { return nil }, done: make(chan error, 1)}
	}
	full, s2 := newSession(of)
	wantUnavailable(t, "Create() behind a full queue", Sessions{db}.Create(t.Context(), full, s2))
	close(release)
	for len(db.writer.queue) > 0 {
		time.Sleep(time.Millisecond)
	}
	addSession(t, db, of)
	wantLive(t, db, "left", h, false)
	wantLive(t, db, "refused", full, false)
}

func TestContextThatEndsLateHearsTheTruth(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	of := addUser(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	db.writer.beforeCommit = func() error { cancel(); return nil }
	h, s := newSession(of)
	if err := (Sessions{db}).Create(ctx, h, s); err != nil {
		t.Errorf("Create() whose context ended while it was written = %v, want nil", err)
	}
	wantLive(t, db, "written", h, true)
}

func TestLogStaysShort(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	of := addUser(t, db)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 150 {
				addSession(t, db, of)
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(filepath.Join(dir, dataFile+"-wal"))
	if err != nil {
		t.Fatalf("Stat() = %v, want nil", err)
	}
	const most = 2 * maxLog * 4096
	if info.Size() < maxLog*4096 || info.Size() > most {
		t.Errorf("log has %d bytes, want it to have grown and started over before %d", info.Size(), most)
	}
}
