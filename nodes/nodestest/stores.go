// Package nodestest holds what stores must do, as tests: [Stores] runs them against one. The
// model to which stores are compared is that of package memory.
package nodestest

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/nodes"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Stores runs every promise of the store interfaces against the stores that
// open returns. Each call of open gives empty stores of their own, which last
// until the end of the test they were opened for.
//
// Times that the tests hand to a store start at the present and never go back,
// so that a store may clean up by the clock. A store may keep times to the
// millisecond, and may note a touch a little later.
func Stores(t *testing.T, open func(t *testing.T) nodes.Stores) {
	for name, suite := range map[string]func(*testing.T, func(*testing.T) nodes.Stores){
		"users": Users, "passwords": Passwords, "sessions": Sessions, "renewals": Renewals, "keys": Keys, "repeats": Repeats, "histories": Histories,
		"codes": Codes, "factors": Factors,
		"documents": Documents, "histories of documents": DocumentHistories,
		"limits": Limits, "audits": Audits, "records": Records, "records of documents": DocumentRecords,
		"attempts": Attempts, "identities": Identities, "passkeys": Passkeys,
	} {
		t.Run(name, func(t *testing.T) { suite(t, open) })
	}
}

// A promise is one thing that stores must do.
type promise struct {
	name string
	keep func(t *testing.T, s nodes.Stores)
}

func run(t *testing.T, open func(*testing.T) nodes.Stores, promises []promise) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.keep(t, open(t)) })
	}
}

// present is the time to the millisecond, which every store can keep.
func present() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// newID returns an id as nodes make them: a later one is greater.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// hashOf returns the hash under which the tests keep the session with an id.
func hashOf(id string) session.Hash { return sha256.Sum256([]byte(id)) }

// newUser returns a user with an address of its own who is in no store yet.
func newUser() user.User {
	id, now := newID(), present()
	return user.User{ID: id, Email: id + "@Example.com", EmailKey: id + "@example.com", CreationDtm: now, UpdatedDtm: now}
}

// addUser creates a user.
func addUser(t *testing.T, s nodes.Stores) user.User {
	t.Helper()
	u := newUser()
	if err := s.Users.Create(t.Context(), u, "hash of "+u.ID); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", u.ID, err)
	}
	return u
}

// proof proves who a user is, as of now.
func proof(t *testing.T, s nodes.Stores, id string) user.ProvenID {
	t.Helper()
	u, err := s.Users.ByID(t.Context(), id)
	if err != nil {
		t.Fatalf("Users.ByID(%s) = %v, want nil", id, err)
	}
	return user.ProvenID{ID: u.ID, Epoch: u.Epoch}
}

// newSession returns a session of an hour's idle time and a day's life that is
// in no store yet.
func newSession(p user.ProvenID, now time.Time) session.Session {
	return session.Session{
		ID: newID(), UserID: p, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(time.Hour),
		IP: "192.0.2.1", Idle: time.Hour, End: now.Add(24 * time.Hour),
	}
}

// addSession creates a session of a user.
func addSession(t *testing.T, s nodes.Stores, userID string, now time.Time) session.Session {
	t.Helper()
	made := newSession(proof(t, s, userID), now)
	if err := s.Sessions.Create(t.Context(), hashOf(made.ID), made); err != nil {
		t.Fatalf("Sessions.Create(%s) = %v, want nil", made.ID, err)
	}
	return made
}

// wantLive fails the test unless the session is live at now, and returns it.
func wantLive(t *testing.T, s nodes.Stores, id string, now time.Time) *session.Session {
	t.Helper()
	got, err := s.Sessions.Get(t.Context(), hashOf(id), now)
	if err != nil {
		t.Fatalf("Sessions.Get(%s) = %v, want a live session", id, err)
	}
	return got
}

// wantDead fails the test unless the session is absent at now, however one looks.
func wantDead(t *testing.T, s nodes.Stores, made session.Session, now time.Time) {
	t.Helper()
	if _, err := s.Sessions.Get(t.Context(), hashOf(made.ID), now); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Sessions.Get(%s) = %v, want %v", made.ID, err, session.ErrNoSession)
	}
	for _, l := range list(t, s, made.UserID.ID, "", 1000, now) {
		if l.ID == made.ID {
			t.Errorf("Sessions.List(%s) has %s, want it absent", made.UserID.ID, made.ID)
		}
	}
}

func list(t *testing.T, s nodes.Stores, userID, after string, limit int, now time.Time) []session.Session {
	t.Helper()
	page, err := s.Sessions.List(t.Context(), userID, after, limit, now)
	if err != nil {
		t.Fatalf("Sessions.List(%q, %q, %d) = %v, want nil", userID, after, limit, err)
	}
	return page
}

// ids returns the ids of sessions in their order.
func ids(page []session.Session) []string {
	names := []string{}
	for _, s := range page {
		names = append(names, s.ID)
	}
	return names
}

// wantCount fails the test unless an Update or End returned the number.
func wantCount(t *testing.T, call string, got int, err error, want int) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s = %d, %v, want %d, nil", call, got, err, want)
	}
}

// together calls f n times at once and returns what the calls returned.
func together(n int, f func(i int) error) []error {
	var wg sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// wantOne fails the test unless exactly one call succeeded and the others
// returned the sentinel. It returns the index of the winner.
func wantOne(t *testing.T, call string, errs []error, sentinel error) int {
	t.Helper()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Fatalf("%s succeeded for %d and %d, want one of them", call, won, i)
		case err == nil:
			won = i
		case !errors.Is(err, sentinel):
			t.Fatalf("%s = %v, want nil or %v", call, err, sentinel)
		}
	}
	if won < 0 {
		t.Fatalf("%s succeeded for none of %d", call, len(errs))
	}
	return won
}

// wantCancelled fails the test for each call that does not soon return an error
// under a context that has ended.
func wantCancelled(t *testing.T, calls map[string]func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		done := make(chan error, 1)
		go func() { done <- call(ctx) }()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s under a cancelled context = nil, want an error", name)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s under a cancelled context hangs", name)
		}
	}
}

// texts are strings that a store must give back as they are, by what they are.
func texts() map[string]string {
	return map[string]string{
		"empty":               "",
		"quotes":              `O'Brien "x" \ ; -- $ne {"$gt":""}`,
		"controls":            "a\x00b\r\nc\td\x7f",
		"beyond the BMP":      "👩‍👩‍👧 𝒳 漢字 العربية",
		"not normalised":      "cafe\u0301 ｆｕｌｌ ﬃ İıK",
		"invisible":           "\u200b\u202e\ufeff\u00ad",
		"the last code point": "\U0010ffff\ufffe",
		"long":                strings.Repeat("0123456789abcdef", 1024),
		"spaced":              "  x  ",
	}
}
