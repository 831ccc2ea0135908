package sqlite

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"sluice/nodes/limit"
)

// spend takes a whole allowance of an hour.
func spend(t *testing.T, ls limit.Store, k limit.Key, now time.Time) {
	t.Helper()
	for range hourly.Count {
		if got, err := ls.Take(t.Context(), k, hourly, now); err != nil || got.Wait != 0 {
			t.Fatalf("Take() = %+v, %v, want it counted", got, err)
		}
	}
}

var hourly = limit.Rate{Count: 10, Each: time.Hour}

func wantLimited(t *testing.T, when string, ls limit.Store, k limit.Key, now time.Time) {
	t.Helper()
	if got, err := ls.Take(t.Context(), k, hourly, now); err != nil || got.Wait == 0 {
		t.Errorf("%s: Take() = %+v, %v, want it refused", when, got, err)
	}
}

func TestCountsSurviveARestartAndACrash(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	k, cleared := limit.KeyOf("k"), limit.KeyOf("cleared")
	db, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	spend(t, Limits{db}, k, now)
	spend(t, Limits{db}, cleared, now)
	if err := db.flushLimits(now); err != nil {
		t.Fatalf("flushLimits() = %v, want nil", err)
	}
	if err := (Limits{db}).Set(t.Context(), cleared, time.Time{}, now); err != nil {
		t.Fatal(err)
	}
	// The keeper does so once a second; from then on a crash finds the counts.
	if err := db.flushLimits(now); err != nil {
		t.Fatalf("flushLimits() = %v, want nil", err)
	}
	if n := len(db.counters.unsavedOnes()); n != 0 {
		t.Errorf("%d counters are unsaved after a flush, want none", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	wantLimited(t, "after a restart", Limits{db}, k, now)
	if got, err := (Limits{db}).Take(t.Context(), cleared, hourly, now); err != nil || got.Used != 1 {
		t.Errorf("Take() of a cleared counter after a restart = %+v, %v, want the first", got, err)
	}
}

// A counter that memory has no room for is in the file, and counts.
func TestCountsThatMemoryHasNoRoomForAreInTheFile(t *testing.T) {
	db, err := Open(t.Context(), t.TempDir(), Options{Counters: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	victims := make([]limit.Key, 20)
	for i := range victims {
		victims[i] = limit.KeyOf("victim", string(rune('a'+i)))
		spend(t, Limits{db}, victims[i], now)
	}
	longer := limit.Rate{Count: 1, Each: 1000 * time.Hour} // which memory prefers to keep
	var k limit.Key
	for i := range 5000 {
		binary.LittleEndian.PutUint64(k[:], uint64(i))
		if _, err := (Limits{db}).Take(t.Context(), k, longer, now); err != nil {
			t.Fatal(err)
		}
		if i%500 == 0 {
			if err := db.flushLimits(now); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept := 0
	for _, v := range victims {
		if db.counters.table.Has(v) {
			kept++
		}
	}
	if n := db.counters.table.Len(); n > 100 || kept == len(victims) {
		t.Fatalf("memory has %d counters and all victims, want at most 100 and some forgotten", n)
	}
	for _, v := range victims {
		wantLimited(t, "with memory full", Limits{db}, v, now)
	}
	if err := db.flushLimits(now); err != nil {
		t.Fatal(err)
	}
	if err := db.sweepLimits(now.Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	var left int64
	err = db.read(t.Context(), func(c *conn) error {
		v, err := c.one("SELECT count(*) FROM limits")
		left, _ = v.(int64)
		return err
	})
	if err != nil || left != 5000 {
		t.Errorf("%d counters are in the file after two hours, %v, want the 5000 that still run", left, err)
	}
}

func TestLimitsHoldOnABrokenDisk(t *testing.T) {
	db, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	broken := errors.New("the disk is on fire")
	db.writer.broken.Store(&broken)
	now, k := time.Now(), limit.KeyOf("k")
	spend(t, Limits{db}, k, now)
	if err := db.flushLimits(now); !errors.Is(err, broken) {
		t.Errorf("flushLimits() = %v, want %v", err, broken)
	}
	wantLimited(t, "on a broken disk", Limits{db}, k, now)
}

func BenchmarkTake(b *testing.B) {
	db, err := Open(b.Context(), b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	r, now, i := limit.Rate{Count: 10, Each: time.Minute}, time.Now(), uint64(0)
	var k limit.Key
	for b.Loop() {
		i++
		binary.LittleEndian.PutUint64(k[:], i%150_000)
		if _, err := (Limits{db}).Take(b.Context(), k, r, now); err != nil {
			b.Fatal(err)
		}
	}
}
