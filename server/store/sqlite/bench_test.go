package sqlite

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/session"
)

// fillFor puts n sessions of ten users into a database.
func fillFor(b *testing.B, db *DB, n int) []session.Hash {
	b.Helper()
	hashes := make([]session.Hash, 0, n)
	for range 10 {
		of := addUser(b, db)
		errs := make(chan error, n/10)
		for range n / 10 {
			h, s := newSession(of)
			hashes = append(hashes, h)
			go func() { errs <- Sessions{db}.Create(b.Context(), h, s) }()
		}
		for range n / 10 {
			if err := <-errs; err != nil {
				b.Fatalf("Create() = %v, want nil", err)
			}
		}
	}
	return hashes
}

func BenchmarkGet(b *testing.B) {
	for name, o := range map[string]Options{"hit": {}, "miss": {Cached: 1}} {
		b.Run(name, func(b *testing.B) {
			db := openTest(b, b.TempDir(), o)
			hashes, now := fillFor(b, db, 20_000), time.Now()
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := next.Add(7919); pb.Next(); i += 7919 {
					if _, err := (Sessions{db}).Get(b.Context(), hashes[int(i)%len(hashes)], now); err != nil {
						b.Errorf("Get() = %v, want nil", err)
						return
					}
				}
			})
		})
	}
}

// settle puts n sessions into a new database, ten a user, and returns some of
// their hashes. Nothing is kept in memory.
func settle(b *testing.B, n int) (*DB, []session.Hash) {
	b.Helper()
	dir := b.TempDir()
	db, err := Open(b.Context(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	const count = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
	far := millis(time.Now().Add(time.Hour))
	err = db.writer.do(b.Context(), &op{run: func(c *conn) error {
		_, err := c.exec(count+"INSERT INTO users ("+userColumns+`, password)
			SELECT printf('user-%031d', i), i || '@example.com', i || '@example.com', 0, 'Ada', 0, 0, 0, 0, '[]', '', 0, hex(zeroblob(48)) FROM n`,
			int64(n/10-1))
		if err != nil {
			return err
		}
		_, err = c.exec(count+"INSERT INTO sessions ("+sessionColumns+`)
			SELECT unhex(printf('%08x%056d', i * 4000, 0)), 0, ?, ?, 0, printf('%036d', i), printf('user-%031d', i * 7919 % ?),
			       0, 0, '192.0.2.1', '[]', '{}', 0, NULL FROM n`,
			int64(n-1), far, far, int64(n/10))
		return err
	}})
	if err == nil {
		err = db.Close() // which moves the log into the file
	}
	if err != nil {
		b.Fatal(err)
	}
	hashes := make([]session.Hash, 5000)
	for i := range hashes {
		binary.BigEndian.PutUint32(hashes[i][:], uint32(rand.IntN(n)*4000))
	}
	return openTest(b, dir, Options{Cached: 1}), hashes
}

// BenchmarkGetAmongMany reads sessions and their users from files of 10,000 and
// of a million sessions (with -short 20,000), in turns. The ratio is that of the
// fastest batches, which nothing else on the machine disturbed.
func BenchmarkGetAmongMany(b *testing.B) {
	const batch = 100
	many := 1_000_000
	if testing.Short() {
		many = 20_000
	}
	var best [2]time.Duration
	var turns [2]func() time.Duration
	now := time.Now()
	for side, n := range []int{10_000, many} {
		db, hashes := settle(b, n)
		best[side] = time.Hour
		turns[side] = func() time.Duration {
			began := time.Now()
			for range batch {
				s, err := (Sessions{db}).Get(b.Context(), hashes[rand.IntN(len(hashes))], now)
				if err == nil {
					_, err = (Users{db}).ByID(b.Context(), s.UserID.ID)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			return time.Since(began)
		}
	}
	for b.Loop() {
		for side, turn := range turns {
			best[side] = min(best[side], turn())
		}
	}
	b.ReportMetric(best[0].Seconds()*1e6/batch, "µs/few")
	b.ReportMetric(best[1].Seconds()*1e6/batch, "µs/many")
	b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "ratio")
}

func BenchmarkByID(b *testing.B) {
	db := openTest(b, b.TempDir(), Options{})
	of := addUser(b, db)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Users{db}).ByID(b.Context(), of.ID); err != nil {
			b.Fatalf("ByID() = %v, want nil", err)
		}
	}
}

// BenchmarkKey reads an API key, which belongs to nobody or to a user.
func BenchmarkKey(b *testing.B) {
	for name, owned := range map[string]bool{"of nobody": false, "of a user": true} {
		b.Run(name, func(b *testing.B) {
			db := openTest(b, b.TempDir(), Options{})
			k := apikey.Key{Name: "importer", Scope: apikey.Full}
			if owned {
				k.UserID = addUser(b, db).ID
			}
			text, _, err := apikey.Make(b.Context(), Keys{db}, nil, k)
			if err != nil {
				b.Fatal(err)
			}
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				h, _ := apikey.HashOf(text)
				if _, err := (Keys{db}).Get(b.Context(), h, now); err != nil {
					b.Fatalf("Get() = %v, want nil", err)
				}
			}
		})
	}
}

func BenchmarkTouch(b *testing.B) {
	db := openTest(b, b.TempDir(), Options{})
	h, s := addSession(b, db, addUser(b, db))
	now := s.CreationDtm
	for b.Loop() {
		Sessions{db}.Touch(h, now)
	}
}

// BenchmarkCreate shows what callers who share an fsync gain.
func BenchmarkCreate(b *testing.B) {
	for name, callers := range map[string]int{"alone": 1, "64 at once": 64} {
		b.Run(name, func(b *testing.B) {
			db := openTest(b, b.TempDir(), Options{})
			of := addUser(b, db)
			if callers == 1 {
				for b.Loop() {
					addSession(b, db, of)
				}
				return
			}
			b.SetParallelism(callers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					addSession(b, db, of)
				}
			})
		})
	}
}
