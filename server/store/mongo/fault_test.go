package mongo

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/nodes/data"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

// wantUnavailable fails the test for each kind of call that does anything but
// say within its time that the database is away.
func wantUnavailable(t *testing.T, db *DB, u user.User) {
	t.Helper()
	now := time.Now()
	docs, ds := counters(), Data{db}
	h, made := newSession(user.ProvenID{ID: u.ID})
	c := repeat.NewClaim(repeat.Hash{1}, repeat.Hash{2}, now.Add(time.Minute))
	var wg sync.WaitGroup
	for name, call := range map[string]func(ctx context.Context) error{
		"Ready":           db.Ready,
		"Sessions.Get":    func(ctx context.Context) error { _, err := Sessions{db}.Get(ctx, h, now); return err },
		"Sessions.Create": func(ctx context.Context) error { return Sessions{db}.Create(ctx, h, made) },
		"Sessions.List": func(ctx context.Context) error {
			_, err := Sessions{db}.List(ctx, u.ID, "", 10, now)
			return err
		},
		"Sessions.End": func(ctx context.Context) error {
			_, err := Sessions{db}.End(ctx, session.Which{UserID: u.ID}, now)
			return err
		},
		"Users.ByEmail":     func(ctx context.Context) error { _, err := Users{db}.ByEmail(ctx, u.EmailKey); return err },
		"Users.Create":      func(ctx context.Context) error { return Users{db}.Create(ctx, user.User{ID: "x", EmailKey: "x"}, "") },
		"Passwords.Hash":    func(ctx context.Context) error { _, err := Passwords{db}.Hash(ctx, u.ID); return err },
		"Passwords.SetHash": func(ctx context.Context) error { return Passwords{db}.SetHash(ctx, u.ID, "", "next") },
		"Data.Prepare":      func(ctx context.Context) error { return ds.Prepare(ctx, []*data.Collection{docs}) },
		"Data.Get":          func(ctx context.Context) error { _, err := ds.Get(ctx, docs, "a", data.Filter{}); return err },
		"Data.Find":         func(ctx context.Context) error { _, err := ds.Find(ctx, docs, data.Query{Limit: 1}); return err },
		"Data.Count":        func(ctx context.Context) error { _, err := ds.Count(ctx, docs, data.Filter{}, 1); return err },
		"Data.Create": func(ctx context.Context) error {
			return ds.Create(ctx, docs, data.Document{ID: "x", Body: []byte("{}")})
		},
		"Data.Update": func(ctx context.Context) error {
			_, err := ds.Update(ctx, docs, data.Target{ID: "a"}, data.Change{}, now)
			return err
		},
		"Data.Delete":   func(ctx context.Context) error { return ds.Delete(ctx, docs, data.Target{ID: "a"}) },
		"Repeats.Claim": func(ctx context.Context) error { _, err := Repeats{db}.Claim(ctx, c, now); return err },
	} {
		wg.Go(func() {
			start := time.Now()
			err := call(t.Context())
			if took := time.Since(start); !errors.Is(err, engine.ErrUnavailable) || took > 2500*time.Millisecond {
				t.Errorf("%s = %v after %v, want %v within 2.5 s", name, err, took, engine.ErrUnavailable)
			}
		})
	}
	wg.Wait()
}

func TestADatabaseThatIsGoneIsUnavailable(t *testing.T) {
	s := mongotest.Need(t)
	db := openWith(t, settingsOf(t, s.URI), newName())
	u := addUser(t, db, "ada@example.com")
	if err := s.Process().Kill(); err != nil {
		t.Fatalf("Kill() = %v, want nil", err)
	}
	wantUnavailable(t, db, u)
}

func TestADatabaseThatSaysNothingIsUnavailableAndComesBack(t *testing.T) {
	needFerret(t)
	line := mongotest.NewLine(t, shared.Addr())
	db := openWith(t, settingsOf(t, line.URI()), newName())
	u := addUser(t, db, "ada@example.com")
	h, s := newSession(user.ProvenID{ID: u.ID})
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	line.Silence(true)
	Sessions{db}.Touch(h, time.Now().Add(30*time.Minute))
	wantUnavailable(t, db, u)
	line.Silence(false)
	var err error
	for range 100 {
		if _, err = (Sessions{db}).Get(t.Context(), h, time.Now()); err == nil || errors.Is(err, session.ErrNoSession) {
			break
		}
	}
	// Where the end of all sessions arrived after all, they have ended.
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Get() once the database is back = %v, want an answer", err)
	}
}

func TestALineThatBreaksIsUnavailableOrMadeAnew(t *testing.T) {
	needFerret(t)
	line := mongotest.NewLine(t, shared.Addr())
	db := openWith(t, settingsOf(t, line.URI()), newName())
	u := addUser(t, db, "ada@example.com")
	h, s := newSession(user.ProvenID{ID: u.ID})
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	line.Delay(2 * time.Millisecond)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for range 20 {
			line.Cut()
			time.Sleep(150 * time.Millisecond)
		}
	}()
	answered := 0
	for cut := true; cut; {
		select {
		case <-over:
			cut = false
		default:
		}
		switch _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); {
		case err == nil:
			answered++
		case !errors.Is(err, engine.ErrUnavailable):
			t.Errorf("Get() of a live session on a line that breaks = %v, want it or %v", err, engine.ErrUnavailable)
		}
	}
	if _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); err != nil {
		t.Errorf("Get() on the line that is whole again = %v, want nil", err)
	}
	t.Logf("%d checks were answered while the line broke 20 times", answered)
}

func TestCallsOfAClosedStoreAreUnavailable(t *testing.T) {
	db := openTest(t, newName(), nil)
	u := addUser(t, db, "ada@example.com")
	if err := db.users.Database().Drop(t.Context()); err != nil {
		t.Fatalf("Drop() = %v, want nil", err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}
	Sessions{db}.Touch(session.Hash{1}, time.Now())
	wantUnavailable(t, db, u)
}
