package nodestest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

func manyAreGiven(t *testing.T, s nodes.Stores) {
	const users = 1234
	now := present()
	var some []record.Record
	for i := range users {
		u := newUser()
		some = append(some, record.UserOf(u, "hash"))
		for range i % 3 {
			made := newSession(user.ProvenID{ID: u.ID}, now)
			some = append(some, record.SessionOf(hashOf(made.ID), made))
		}
		some = append(some, record.RepeatOf(repeat.NewClaim(sha256.Sum256([]byte(u.ID)), repeat.Hash{}, now.Add(time.Hour)), nil))
	}
	take(t, s, some, false)
	wantRecords(t, s, now, lines(t, some...))
	want := map[string]int{
		"user": users, "session": users - 1, "key": 0, "factor": 0, "identity": 0, "passkey": 0, "repeat": users, "collection": 0, "document": 0,
		"event": 0, "auditKey": 0,
	}
	if got, err := s.Records.Count(t.Context()); err != nil || !maps.Equal(got, want) {
		t.Errorf("Records.Count = %v, %v, want %v", got, err, want)
	}
}

func givenBesideWriters(t *testing.T, s nodes.Stores) {
	now := present()
	var users []user.User
	for range 40 {
		users = append(users, addUser(t, s))
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				u := users[i%len(users)]
				if i%7 == 0 {
					_, _ = s.Sessions.End(ctx, session.Which{UserID: u.ID}, now)
					continue
				}
				if i%5 == 0 {
					_ = s.Keys.Create(ctx, keyHash(newID()), newKey(u.ID))
					continue
				}
				if i%11 == 0 {
					u = newUser()
					if s.Users.Create(ctx, u, "hash") != nil {
						continue
					}
				}
				if got, err := s.Users.ByID(ctx, u.ID); err == nil {
					made := newSession(user.ProvenID{ID: u.ID, Epoch: got.Epoch}, now)
					_ = s.Sessions.Create(ctx, hashOf(made.ID), made) // stale, at times
				}
			}
		})
	}
	for range 20 {
		m := memory.New()
		if err := m.Records.Import(t.Context(), record.All(t.Context(), s.Records, now), false); err != nil {
			t.Errorf("Import of what was given beside writers = %v, want nil", err)
			break
		}
		for _, u := range users {
			if _, err := m.Users.ByID(t.Context(), u.ID); err != nil {
				t.Errorf("user %s is missing in what was given beside writers", u.ID)
			}
		}
	}
	stop()
	wg.Wait()
}

func takerEnds(t *testing.T, s nodes.Stores) {
	now := present()
	furnish(t, s, now)
	for most := range 3 {
		given := 0
		err := s.Records.Export(t.Context(), now, func(record.Record) error {
			if given++; given > most {
				return errBroken
			}
			return nil
		})
		if !errors.Is(err, errBroken) || given != most+1 {
			t.Errorf("Records.Export to a taker who ends after %d = %v after %d, want %v", most, err, given, errBroken)
		}
	}
	given := 0
	for range record.All(t.Context(), s.Records, now) {
		if given++; given == 2 {
			break
		}
	}
	addUser(t, s) // nothing is left locked
}

func recordsCancel(t *testing.T, s nodes.Stores) {
	u, _, _ := fullRecords(present())
	wantCancelled(t, map[string]func(context.Context) error{
		"Records.Export": func(ctx context.Context) error {
			return s.Records.Export(ctx, present(), func(r record.Record) error { return fmt.Errorf("given %s", r.Kind()) })
		},
		"Records.Import": func(ctx context.Context) error { return s.Records.Import(ctx, of([]record.Record{u}, nil), false) },
		"Records.Count":  func(ctx context.Context) error { _, err := s.Records.Count(ctx); return err },
	})
	wantRecords(t, s, present(), []string{})
}
