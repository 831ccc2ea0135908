package sqlite

import (
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
			text, _, err := apikey.Make(b.Context(), Keys{db}, k)
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
