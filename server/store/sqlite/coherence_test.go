package sqlite

import (
	"errors"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

func TestEndedSessionIsNeverGotAgain(t *testing.T) {
	const rounds, workers = 4_000, 40
	for name, o := range map[string]Options{"cache": {}, "hardly any cache": {Cached: 8}} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t, t.TempDir(), o)
			s, of := db.Stores().Sessions, addUser(t, db)
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for range rounds / workers / 2 {
						h, _ := addSession(t, db, of)
						var ended atomic.Bool
						var getter sync.WaitGroup
						getter.Go(func() {
							for {
								runtime.Gosched() // the writer has to come round as well
								was := ended.Load()
								_, err := s.Get(t.Context(), h, time.Now())
								s.Touch(h, time.Now())
								switch {
								case was && !errors.Is(err, session.ErrNoSession):
									t.Errorf("Get() after End = %v, want %v", err, session.ErrNoSession)
									return
								case was:
									return
								}
							}
						})
						if n, err := s.End(t.Context(), session.Which{Hash: h}, time.Now()); err != nil || n != 1 {
							t.Errorf("End() = %d, %v, want 1", n, err)
						}
						ended.Store(true)
						getter.Wait()
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestNobodySeesAnOlderVersionThanWasAcknowledged(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{Cached: 2}) // so that two sessions drive each other out
	s, of := db.Stores(), addUser(t, db)
	first, _ := addSession(t, db, of)
	second, _ := addSession(t, db, of)
	var acknowledged atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := i; ; n++ {
				runtime.Gosched()
				select {
				case <-done:
					return
				default:
				}
				want := acknowledged.Load()
				got, err := s.Sessions.Get(t.Context(), []session.Hash{first, second}[n%2], time.Now())
				if err != nil || versionOf(got.AccessGroupKeys) < want {
					t.Errorf("Get() = %+v, %v, want version %d or later", got, err, want)
					return
				}
				if u, err := s.Users.ByID(t.Context(), of.ID); err != nil || versionOf([]string{u.Name}) < want {
					t.Errorf("ByID() = %+v, %v, want version %d or later", u, err, want)
					return
				}
			}
		})
	}
	for n := range int64(300) {
		text := strconv.FormatInt(n, 10)
		if _, err := s.Sessions.Update(t.Context(), session.Which{UserID: of.ID}, session.Groups{Set: []string{text}}, time.Now()); err != nil {
			t.Fatalf("Update(session) = %v, want nil", err)
		}
		if _, err := s.Users.Update(t.Context(), of.ID, user.Change{Name: &text}, time.Now()); err != nil {
			t.Fatalf("Update(user) = %v, want nil", err)
		}
		acknowledged.Store(n)
	}
	close(done)
	wg.Wait()
}

// versionOf returns the number in the only text, or 0.
func versionOf(texts []string) int64 {
	n, _ := strconv.ParseInt(texts[0], 10, 64)
	return n
}

func TestFillIsRefusedAfterAWrite(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(c *cache[string, int])
		want  int // 0 is none
	}{
		"nothing":         {func(*cache[string, int]) {}, 1},
		"a commit":        {func(c *cache[string, int]) { c.set("k", 2) }, 2},
		"an end":          {func(c *cache[string, int]) { c.drop("k") }, 0},
		"an end of two":   {func(c *cache[string, int]) { c.set("k", 2); c.drop("k") }, 0},
		"a change":        {func(c *cache[string, int]) { c.change("k", func(int) int { return 2 }) }, 0},
		"closing":         {func(c *cache[string, int]) { c.clear() }, 0},
		"another's fill":  {func(c *cache[string, int]) { c.fill("k", 1, 0) }, 1},
		"a stale fill":    {func(c *cache[string, int]) { c.drop("k"); c.fill("k", 3, 0) }, 0},
		"an end of other": {func(c *cache[string, int]) { c.drop("other") }, 0}, // of the same shard
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache[string, int](1)
			_, seen, ok := c.get("k")
			if ok {
				t.Fatal("get() of an empty cache found something")
			}
			tt.write(c)
			c.fill("k", 1, seen)
			if got, _, _ := c.get("k"); got != tt.want {
				t.Errorf("get() = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCacheStaysWithinItsSize(t *testing.T) {
	for _, size := range []int{1, 2, 63, 64, 1000} {
		c := newCache[int, int](size)
		for i := range 10 * size {
			c.set(i, i)
			if got, _, ok := c.get(i); !ok || got != i {
				t.Errorf("get(%d) = %d, %t, want it just after set", i, got, ok)
			}
		}
		kept := 0
		for i := range c.shards {
			kept += len(c.shards[i].values)
		}
		if kept > size+maxShards || kept < size/2 {
			t.Errorf("cache of %d keeps %d", size, kept)
		}
	}
}

func TestUseIsSeenAtOnceWithoutTheCache(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	s, of := db.Stores().Sessions, addUser(t, db)
	h, made := addSession(t, db, of)
	for i, at := range []time.Duration{40 * time.Minute, 80 * time.Minute, 120 * time.Minute} {
		used := made.CreationDtm.Add(at)
		db.sessions.clear() // so that nobody but the uses that wait knows
		s.Touch(h, used)
		if i == 1 {
			if err := db.flush(); err != nil {
				t.Fatalf("flush() = %v, want nil", err)
			}
		}
		got, err := s.Get(t.Context(), h, used)
		if err != nil || !got.LastSeenDtm.Equal(used) || !got.ExpiresDtm.Equal(used.Add(time.Hour)) {
			t.Errorf("Get() = %+v, %v, want it used at %v", got, err, used)
		}
		page, err := s.List(t.Context(), of.ID, "", 10, used)
		if err != nil || len(page) != 1 || !page[0].LastSeenDtm.Equal(used) {
			t.Errorf("List() = %+v, %v, want it used at %v", page, err, used)
		}
	}
	late := made.CreationDtm.Add(150 * time.Minute)
	if n, err := s.End(t.Context(), session.Which{Hash: h}, late); err != nil || n != 1 {
		t.Errorf("End() of a session that lives by a use that waits = %d, %v, want 1", n, err)
	}
}

func TestUseRevivesNothingInTheFile(t *testing.T) {
	db := openTest(t, t.TempDir(), Options{})
	s, of := db.Stores().Sessions, addUser(t, db)
	h, made := addSession(t, db, of)
	db.sessions.clear()
	s.Touch(h, made.LastSeenDtm.Add(-time.Minute))
	if err := db.flush(); err != nil {
		t.Fatalf("flush() = %v, want nil", err)
	}
	db.sessions.clear()
	if got, err := s.Get(t.Context(), h, made.LastSeenDtm); err != nil || !got.LastSeenDtm.Equal(made.LastSeenDtm) {
		t.Errorf("Get() after an earlier use = %+v, %v, want %v as the last", got, err, made.LastSeenDtm)
	}
	late := made.ExpiresDtm.Add(time.Minute)
	db.sessions.clear()
	s.Touch(h, late)
	s.Touch(h, late.Add(time.Second))
	for _, when := range []string{"before", "after"} {
		if _, err := s.Get(t.Context(), h, late); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("Get() of an expired session %s its use was written = %v, want %v", when, err, session.ErrNoSession)
		}
		if err := db.flush(); err != nil {
			t.Fatalf("flush() = %v, want nil", err)
		}
		db.sessions.clear()
	}
	if n := len(db.touches.all()); n != 0 {
		t.Errorf("%d uses wait after flush, want 0", n)
	}
}

func TestUsesJoinWhileTheSessionIsKnownToLive(t *testing.T) {
	at := func(minute int) time.Time { return time.Unix(int64(60*minute), 0) }
	h := session.Hash{1}
	ts := touches{waiting: map[session.Hash][]use{}}
	for _, u := range []struct {
		minute int
		live   bool
	}{{1, true}, {2, true}, {2, true}, {1, false}, {90, false}, {91, true}} {
		ts.add(h, at(u.minute), u.live)
	}
	want := []use{{at(1), at(2)}, {at(90), at(91)}}
	if got := ts.of(h); !slices.Equal(got, want) {
		t.Errorf("of() = %v, want %v", got, want)
	}
	taken := ts.all()
	ts.add(h, at(92), true) // while those taken are written
	ts.written(taken)
	want = []use{{at(90), at(92)}}
	if got := ts.of(h); !slices.Equal(got, want) {
		t.Errorf("of() after a flush = %v, want %v", got, want)
	}
	ts.written(ts.all())
	for i := range 2 * maxUses {
		ts.add(h, at(100+i), false)
	}
	if got := len(ts.of(h)); got != maxUses {
		t.Errorf("%d uses wait, want at most %d", got, maxUses)
	}
}

func TestExpiredRowsAreSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t, t.TempDir(), Options{})
		of := addUser(t, db)
		wantRows := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			var rows any
			err := db.read(t.Context(), func(c *conn) (err error) {
				rows, err = c.one("SELECT count(*) FROM sessions")
				return err
			})
			s := &db.sessions.shards[0]
			s.mu.RLock()
			defer s.mu.RUnlock()
			if err != nil || rows != want || len(s.values) != int(want) {
				t.Errorf("%s there are %v rows and %d in memory, %v, want %d", when, rows, len(s.values), err, want)
			}
		}
		db.sessions.shards, db.sessions.limit = db.sessions.shards[:1], 1000
		for range 2*sweepBatch + 1 {
			addSession(t, db, of) // lives for an hour
		}
		used, _ := addSession(t, db, of)
		time.Sleep(30 * time.Minute)
		Sessions{db}.Touch(used, time.Now())
		wantRows("after half an hour", 2*sweepBatch+2)
		time.Sleep(33 * time.Minute)
		wantRows("after an hour", 1)
		wantLive(t, db, "used", used, true)
		db.Close()
	})
}
