package mongo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes"
	"sluice/nodes/nodestest"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

func TestStoresKeepTheirPromises(t *testing.T) {
	for _, lack := range openTest(t, newName(), nil).lacks {
		t.Logf("the server has no %s", lack)
	}
	nodestest.Stores(t, func(t *testing.T) nodes.Stores { return openTest(t, newName(), nil).Stores() })
}

// TestRacesBringNothingBack runs them between two clients. SLUICE_E2E=long asks for
// more rounds.
func TestRacesBringNothingBack(t *testing.T) {
	rounds := 20
	if os.Getenv("SLUICE_E2E") == "long" {
		rounds = 2_000
	}
	name := newName()
	nodestest.Races(t, openTest(t, name, nil).Stores(), openTest(t, name, nil).Stores(), rounds)
}

// newSession returns the hash of a token, and its session.
func newSession(of user.ProvenID) (h session.Hash, s session.Session) {
	rand.Read(h[:])
	now := time.Now()
	return h, session.Session{
		ID: bson.NewObjectID().Hex(), UserID: of, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(time.Hour),
		Idle: time.Hour, End: now.Add(24 * time.Hour),
	}
}

func TestSignedOutOnOneClientIsOutOnTheOther(t *testing.T) {
	const users, rounds = 8, 250
	name := newName()
	here, there := openTest(t, name, nil), openTest(t, name, nil)
	var wg sync.WaitGroup
	for i := range users {
		u := addUser(t, here, fmt.Sprintf("%d@example.com", i))
		wg.Go(func() {
			for round := range rounds {
				p, err := (Users{there}).ByID(t.Context(), u.ID)
				if err != nil {
					t.Errorf("ByID() = %v, want nil", err)
					return
				}
				h, s := newSession(user.ProvenID{ID: u.ID, Epoch: p.Epoch})
				if err := (Sessions{here}).Create(t.Context(), h, s); err != nil {
					t.Errorf("Create() = %v, want nil", err)
					return
				}
				if _, err := (Sessions{there}).Get(t.Context(), h, time.Now()); err != nil {
					t.Errorf("Get() of a live session = %v, want nil", err)
					return
				}
				w := []session.Which{{Hash: h}, {UserID: u.ID, ID: s.ID}, {UserID: u.ID}, {UserID: u.ID, Except: "another"}}[round%4]
				if n, err := (Sessions{here}).End(t.Context(), w, time.Now()); err != nil || n != 1 {
					t.Errorf("End(%+v) = %d, %v, want 1, nil", w, n, err)
				}
				(Sessions{there}).Touch(h, time.Now().Add(30*time.Minute))
				if _, err := (Sessions{there}).Get(t.Context(), h, time.Now()); !errors.Is(err, session.ErrNoSession) {
					t.Errorf("Get() of the other client after End(%+v) = %v, want %v", w, err, session.ErrNoSession)
				}
			}
		})
	}
	wg.Wait()
}

func TestSpellingsOfAnAddressAreOneAccount(t *testing.T) {
	const callers = 200
	name := newName()
	clients := []*DB{openTest(t, name, nil), openTest(t, name, nil)}
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		address := []byte("grace.hopper@example.com")
		for bit, letter := range []int{0, 1, 2, 3, 4, 6, 7, 8} {
			if i>>bit&1 == 1 {
				address[letter] -= 'a' - 'A'
			}
		}
		display, key, err := user.EmailKey(string(address))
		if err != nil {
			t.Fatalf("EmailKey(%s) = %v, want nil", address, err)
		}
		u := user.User{ID: fmt.Sprint("u", i), Email: display, EmailKey: key, CreationDtm: time.Now(), UpdatedDtm: time.Now()}
		wg.Go(func() { errs[i] = Users{clients[i%2]}.Create(t.Context(), u, "hash") })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, user.ErrEmailTaken):
			t.Errorf("Create() = %v, want nil or %v", err, user.ErrEmailTaken)
		}
	}
	n, err := clients[0].users.CountDocuments(t.Context(), bson.D{})
	if won != 1 || n != 1 || err != nil {
		t.Errorf("%d sign-ups succeeded and left %d accounts, %v, want 1 and 1", won, n, err)
	}
}

func TestClaimOfACrashedSignUpLapses(t *testing.T) {
	db := openTest(t, newName(), nil)
	stale := func(key, uid string, age time.Duration) {
		t.Helper()
		_, err := db.claims.InsertOne(t.Context(), claim{key, uid, date(time.Now().Add(-age)), bson.NewObjectID()})
		if err != nil {
			t.Fatalf("InsertOne(%s) = %v, want nil", key, err)
		}
	}
	create := func(key string) error {
		return Users{db}.Create(t.Context(), user.User{ID: bson.NewObjectID().Hex(), Email: key, EmailKey: key}, "")
	}
	settled := addUser(t, db, "settled@example.com")
	for name, tt := range map[string]struct {
		uid  string
		age  time.Duration
		want error
	}{
		"a sign-up that runs":             {"nobody", lapse / 2, user.ErrEmailTaken},
		"a sign-up that crashed":          {"nobody", 2 * lapse, nil},
		"a user about to move":            {settled.ID, lapse / 2, user.ErrEmailTaken},
		"a user who moved away, or could": {settled.ID, 2 * lapse, nil},
	} {
		key := strings.ReplaceAll(name, " ", "") + "@example.com"
		stale(key, tt.uid, tt.age)
		if _, err := (Users{db}).ByEmail(t.Context(), key); !errors.Is(err, user.ErrNoUser) {
			t.Errorf("ByEmail() of the claim of %s = %v, want %v", name, err, user.ErrNoUser)
		}
		if err := create(key); !errors.Is(err, tt.want) {
			t.Errorf("Create() over the claim of %s = %v, want %v", name, err, tt.want)
		}
	}
	_, err := db.claims.UpdateOne(t.Context(), where(is("_id", settled.EmailKey)), bson.M{"$set": bson.M{"at": date(time.Now().Add(-1000 * time.Hour))}})
	if err != nil {
		t.Fatalf("UpdateOne() = %v, want nil", err)
	}
	if err := create(settled.EmailKey); !errors.Is(err, user.ErrEmailTaken) {
		t.Errorf("Create() over an old claim that its user confirms = %v, want %v", err, user.ErrEmailTaken)
	}
}

// A crash between the end of all sessions and their deletion is made by leaving
// the deletion out.
func TestEndOfAllSessionsIsOneWrite(t *testing.T) {
	db := openTest(t, newName(), nil)
	u := addUser(t, db, "ada@example.com")
	ss, now := Sessions{db}, time.Now()
	var hashes []session.Hash
	var made []session.Session
	for range 3 {
		h, s := newSession(user.ProvenID{ID: u.ID})
		if err := ss.Create(t.Context(), h, s); err != nil {
			t.Fatalf("Create() = %v, want nil", err)
		}
		hashes, made = append(hashes, h), append(made, s)
	}
	wantLive := func(step string, want ...bool) {
		t.Helper()
		for i, h := range hashes {
			if _, err := ss.Get(t.Context(), h, now); errors.Is(err, session.ErrNoSession) == want[i] {
				t.Errorf("after %s: Get(session %d) = %v, want live: %t", step, i, err, want[i])
			}
		}
	}
	for _, step := range []struct {
		except string
		live   []bool
	}{
		{made[0].ID, []bool{true, false, false}},
		{made[1].ID, []bool{false, false, false}}, // one that has ended is not spared
		{made[0].ID, []bool{false, false, false}}, // nor comes back
		{"", []bool{false, false, false}},
	} {
		if _, err := db.endAll(t.Context(), u.ID, step.except, now); err != nil {
			t.Fatalf("endAll(but %q) = %v, want nil", step.except, err)
		}
		wantLive("endAll(but "+step.except+")", step.live...)
	}
	if page, err := ss.List(t.Context(), u.ID, "", 10, now); err != nil || len(page) != 0 {
		t.Errorf("List() = %v, %v, want none", page, err)
	}
	n, err := ss.Update(t.Context(), session.Which{Hash: hashes[0]}, session.Groups{Add: []string{"a"}}, now)
	if err != nil || n != 0 {
		t.Errorf("Update(ended session) = %d, %v, want 0, nil", n, err)
	}
}

func TestUsesThatWaitAreNotedAtClose(t *testing.T) {
	name := newName()
	db, other := openTest(t, name, nil), openTest(t, name, nil)
	u := addUser(t, db, "ada@example.com")
	h, s := newSession(user.ProvenID{ID: u.ID})
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	at := s.CreationDtm.Add(30 * time.Minute)
	Sessions{db}.Touch(h, at)
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	got, err := (Sessions{other}).Get(t.Context(), h, at)
	if err != nil || got.LastSeenDtm.UnixMilli() != at.UnixMilli() {
		t.Errorf("Get() after Touch and Close = %+v, %v, want it seen at %v", got, err, at)
	}
}

func TestStartIsRefusedWhereAnIndexIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		keys bson.D
		o    *options.IndexOptionsBuilder
		want string
	}{
		"keys":   {bson.D{{Key: "uid", Value: 1}}, options.Index().SetName("user"), "index user of sessions in the database has the keys"},
		"unique": {bson.D{{Key: "uid", Value: 1}, {Key: "sid", Value: -1}}, options.Index().SetName("mine").SetUnique(true), "index mine of sessions in the database has unique true"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t, newName(), nil)
			if err := db.sessions.Indexes().DropOne(t.Context(), "user"); err != nil {
				t.Fatalf("DropOne() = %v, want nil", err)
			}
			if _, err := db.sessions.Indexes().CreateOne(t.Context(), driver.IndexModel{Keys: tt.keys, Options: tt.o}); err != nil {
				t.Fatalf("CreateOne() = %v, want nil", err)
			}
			if err := db.index(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("index() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}
