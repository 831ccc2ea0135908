package sqlite

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"sluice/engine"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/user"
	"sluice/server/store/health"
)

func finding(t *testing.T, found []health.Finding, name string) health.Finding {
	t.Helper()
	for _, f := range found {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("Check() = %+v, want a finding about %s", found, name)
	return health.Finding{}
}

func TestCheckFindsASoundDatabaseSound(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	addSession(t, db, addUser(t, db))
	for _, name := range []string{"store", "fsync", "integrity", "log", "clock"} {
		if f := finding(t, db.Check(t.Context()), name); f.Level == health.Fail {
			t.Errorf("Check() = %+v, want nothing to fail", f)
		}
	}
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	u := addUser(t, db)
	name := "later"
	if _, err := (Users{db}).Update(t.Context(), u.ID, user.Change{Name: &name}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h, s := newSession(u)
	s.LastSeenDtm = time.Now().Add(time.Hour)
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatal(err)
	}
	if f := finding(t, db.Check(t.Context()), "clock"); f.Level != health.Fail || f.Do == "" {
		t.Errorf("Check() beside data of the future = %+v, want a failure", f)
	}
	faults(db).Store(lib.SQLITE_IOERR)
	_, _ = (Users{db}).Update(t.Context(), u.ID, user.Change{Name: &name}, time.Now())
	if f := finding(t, db.Check(t.Context()), "store"); f.Level != health.Fail {
		t.Errorf("Check() after a failed fsync = %+v, want a failure", f)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if f := FileModes(dir); f.Level != health.OK {
		t.Errorf("FileModes() = %+v, want ok", f)
	}
	if err := os.Chmod(filepath.Join(dir, dataFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if f := FileModes(dir); f.Level != health.Warn || !strings.Contains(f.Text, "644") {
		t.Errorf("FileModes() of a file that all can read = %+v, want a warning", f)
	}
}

// While a backup reads, the log is not started over, and what is read stays the
// same; afterwards it is.
func TestExportIsOneStateAndHoldsNobodyUp(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	for range 3 {
		addUser(t, db)
	}
	given, slowest := 0, time.Duration(0)
	err := Records{db}.Export(t.Context(), time.Now(), func(record.Record) error {
		given++
		for range 3 * lookAtLog {
			began := time.Now()
			long(t, db) // so that the log is long enough to be started over
			slowest = max(slowest, time.Since(began))
		}
		return nil
	})
	if err != nil || given != 3 {
		t.Errorf("Export() = %v with %d users, want the 3 of its beginning", err, given)
	}
	if slowest > 4*time.Second {
		t.Errorf("a write beside Export() took %v, want it not to wait for it", slowest)
	}
	if n := db.writer.snapshots.Load(); n != 0 {
		t.Errorf("%d snapshots are open after Export()", n)
	}
}

// long writes about 64 pages.
func long(t *testing.T, db *DB) {
	t.Helper()
	now := time.Now()
	var call repeat.Hash
	rand.Read(call[:])
	a := engine.Answer{Status: 200, Body: make([]byte, repeat.MaxBody)}
	if err := (Repeats{db}).Keep(t.Context(), repeat.NewClaim(call, repeat.Hash{}, now), a, now.Add(time.Hour), now); err != nil {
		t.Fatalf("Keep() = %v, want nil", err)
	}
}

func TestFailedImportLeavesTheDatabaseAsItWas(t *testing.T) {
	u := record.UserOf(user.User{ID: "u", EmailKey: "new@example.com", CreationDtm: time.Now(), UpdatedDtm: time.Now()}, "hash")
	one := func(yield func(record.Record, error) bool) { yield(u, nil) }
	for name, code := range map[string]int32{"a full disk": lib.SQLITE_FULL, "an input/output error": lib.SQLITE_IOERR} {
		dir := t.TempDir()
		db := openTest(t, dir, Options{})
		before := addUser(t, db)
		faults(db).Store(code)
		wantUnavailable(t, "Import() on "+name, Records{db}.Import(t.Context(), one, true))
		if err := db.Close(); err != nil && code == lib.SQLITE_FULL {
			t.Errorf("Close() after %s = %v, want nil", name, err)
		}
		again := openTest(t, dir, Options{})
		if _, err := (Users{again}).ByID(t.Context(), before.ID); err != nil {
			t.Errorf("ByID() after an Import() on %s = %v, want the user of before", name, err)
		}
		if err := (Records{again}).Import(t.Context(), one, true); err != nil {
			t.Errorf("Import() after %s has passed = %v, want nil", name, err)
		}
	}
}
