package sqlite

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"sluice/engine"
	"sluice/nodes/repeat"
)

// newClaim returns a claim of a minute of a call that nobody knows yet.
func newClaim(now time.Time) repeat.Claim {
	var call, request repeat.Hash
	rand.Read(call[:])
	rand.Read(request[:])
	return repeat.NewClaim(call, request, now.Add(time.Minute))
}

// wantClaim fails the test unless a claim is answered with a status, 0 for none,
// and an error.
func wantClaim(t *testing.T, db *DB, what string, c repeat.Claim, now time.Time, status int, want error) {
	t.Helper()
	a, err := (Repeats{db}).Claim(t.Context(), c, now)
	got := 0
	if a != nil {
		got = a.Status
	}
	if got != status || !errors.Is(err, want) {
		t.Errorf("Claim(%s) = status %d, %v, want %d, %v", what, got, err, status, want)
	}
}

func TestReopenKeepsClaimsAndAnswers(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	db := openTest(t, dir, Options{})
	running, done, released := newClaim(now), newClaim(now), newClaim(now)
	for _, c := range []repeat.Claim{running, done, released} {
		wantClaim(t, db, "first", c, now, 0, nil)
	}
	if err := (Repeats{db}).Keep(t.Context(), done, engine.Answer{Status: 201}, now.Add(time.Hour), now); err != nil {
		t.Fatalf("Keep() = %v, want nil", err)
	}
	if err := (Repeats{db}).Release(t.Context(), released); err != nil {
		t.Fatalf("Release() = %v, want nil", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}

	db = openTest(t, dir, Options{})
	wantClaim(t, db, "running at a restart", running, now, 0, repeat.ErrRunning)
	wantClaim(t, db, "kept before a restart", done, now, 201, nil)
	wantClaim(t, db, "released before a restart", released, now, 0, nil)
	wantClaim(t, db, "running at a restart, when its claim ends", running, running.Until, 0, nil)
}

func TestFirstSchemaIsMigrated(t *testing.T) {
	dir := t.TempDir()
	c, err := connect(filepath.Join(dir, dataFile))
	if err != nil {
		t.Fatalf("connect() = %v, want nil", err)
	}
	if err := migrateOnce(c, migrations()[0], 1); err != nil {
		t.Fatalf("migrateOnce(1) = %v, want nil", err)
	}
	if _, err := c.exec("INSERT INTO users VALUES ('u1', 'a@b.c', 'a@b.c', 0, 'Ada', 0, 1, 1, 7, 'hash')"); err != nil {
		t.Fatalf("adding a user = %v, want nil", err)
	}
	if err := c.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}

	db, now := openTest(t, dir, Options{}), time.Now()
	if u, err := (Users{db}).ByID(t.Context(), "u1"); err != nil || u.Name != "Ada" || u.Epoch != 7 {
		t.Errorf("ByID(u1) after a migration = %+v, %v, want Ada of epoch 7, nil", u, err)
	}
	call := newClaim(now)
	wantClaim(t, db, "after a migration", call, now, 0, nil)
	wantClaim(t, db, "after a migration, again", call, now, 0, repeat.ErrRunning)
}

func TestSweepDeletesWhatExpired(t *testing.T) {
	db, now := openTest(t, t.TempDir(), Options{}), time.Now()
	rs := Repeats{db}
	const expired = 2*sweepBatch + 1
	err := db.writer.do(t.Context(), &op{run: func(c *conn) error {
		for range expired {
			cl := newClaim(now)
			_, err := c.exec("INSERT INTO repeats (call, request, token, expires) VALUES (?, ?, ?, ?)",
				cl.Call[:], cl.Request[:], cl.Token[:], millis(now))
			if err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatalf("adding expired claims = %v, want nil", err)
	}
	running, kept := newClaim(now), newClaim(now)
	wantClaim(t, db, "that runs", running, now, 0, nil)
	wantClaim(t, db, "that is kept", kept, now, 0, nil)
	if err := rs.Keep(t.Context(), kept, engine.Answer{Status: 204}, now.Add(time.Hour), now); err != nil {
		t.Fatalf("Keep() = %v, want nil", err)
	}
	if err := db.sweepExpired("repeats", now); err != nil {
		t.Fatalf("sweepExpired(repeats) = %v, want nil", err)
	}
	var left int64
	err = db.read(t.Context(), func(c *conn) error {
		v, err := c.one("SELECT count(*) FROM repeats")
		left, _ = v.(int64)
		return err
	})
	if err != nil || left != 2 {
		t.Errorf("rows after a sweep of %d = %d, %v, want 2, nil", expired, left, err)
	}
	wantClaim(t, db, "that runs, after a sweep", running, now, 0, repeat.ErrRunning)
	wantClaim(t, db, "that is kept, after a sweep", kept, now, 204, nil)
}

func TestClaimThatIsNotDurableIsNotMade(t *testing.T) {
	db, now := openTest(t, t.TempDir(), Options{}), time.Now()
	fail, rs, c := faults(db), Repeats{db}, newClaim(now)

	fail.Store(lib.SQLITE_FULL)
	wantClaim(t, db, "on a full disk", c, now, 0, engine.ErrUnavailable)
	fail.Store(0)
	wantClaim(t, db, "once there is space", c, now, 0, nil)

	fail.Store(lib.SQLITE_FULL)
	wantUnavailable(t, "Keep() on a full disk", rs.Keep(t.Context(), c, engine.Answer{Status: 204}, now.Add(time.Hour), now))
	wantUnavailable(t, "Release() on a full disk", rs.Release(t.Context(), c))
	fail.Store(0)
	wantClaim(t, db, "whose Keep and Release failed", c, now, 0, repeat.ErrRunning)
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	wantClaim(t, db, "of a closed store", c, now, 0, engine.ErrUnavailable)
	wantUnavailable(t, "Keep() of a closed store", rs.Keep(t.Context(), c, engine.Answer{Status: 204}, now.Add(time.Hour), now))
	wantUnavailable(t, "Release() of a closed store", rs.Release(t.Context(), c))
}

func TestRepetitionCostsNoWrite(t *testing.T) {
	db, now := openTest(t, t.TempDir(), Options{}), time.Now()
	fail, c := faults(db), newClaim(now)
	wantClaim(t, db, "first", c, now, 0, nil)
	fail.Store(lib.SQLITE_FULL)
	wantClaim(t, db, "that runs, on a full disk", c, now, 0, repeat.ErrRunning)
	fail.Store(0)
	if err := (Repeats{db}).Keep(t.Context(), c, engine.Answer{Status: 204}, now.Add(time.Hour), now); err != nil {
		t.Fatalf("Keep() = %v, want nil", err)
	}
	fail.Store(lib.SQLITE_FULL)
	wantClaim(t, db, "that is kept, on a full disk", c, now, 204, nil)
}
