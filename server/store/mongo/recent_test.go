package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes"
	"sluice/nodes/nodestest"
	"sluice/nodes/record"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

func TestStoresWithACacheKeepTheirPromises(t *testing.T) {
	needFerret(t)
	// Of these suites the checks of sessions are a part.
	for name, suite := range map[string]func(*testing.T, func(*testing.T) nodes.Stores){
		"users": nodestest.Users, "sessions": nodestest.Sessions, "renewals": nodestest.Renewals, "records": nodestest.Records,
		"histories": func(t *testing.T, open func(*testing.T) nodes.Stores) {
			for seed := range uint64(6) {
				nodestest.History(t, open(t), seed, 250)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			suite(t, func(t *testing.T) nodes.Stores { return newPair(t, time.Minute).here.Stores() })
		})
	}
}

func TestAKeptSessionIsCheckedWithoutTheDatabase(t *testing.T) {
	p := newPair(t, time.Minute)
	_, h, s := p.signIn(t)
	p.reads()
	got, err := (Sessions{p.here}).Get(t.Context(), h, p.now)
	if err != nil || got.ID != s.ID {
		t.Errorf("Get() = %+v, %v, want the session", got, err)
	}
	if n := p.reads(); n != 0 {
		t.Errorf("Get() of a kept session made %d reads, want 0", n)
	}
	if _, err := (Sessions{p.here}).Get(t.Context(), h, s.ExpiresDtm); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Get() of a kept session at its end = %v, want %v", err, session.ErrNoSession)
	}
}

func TestAChangeHereIsKnownHereAtOnceWithoutTheStream(t *testing.T) {
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	p.change(t, p.here.Stores(), func(name string, h session.Hash, seen func(*session.Session) bool) {
		if !knows(t, p.here, h, seen) {
			t.Errorf("Get() after %s here is answered from memory", name)
		}
	})
	_, h, _ := p.signIn(t)
	nothing := func(func(record.Record, error) bool) {}
	if err := (Records{p.here}).Import(t.Context(), nothing, true); err != nil || !knows(t, p.here, h, ended) {
		t.Errorf("Import() = %v, want nil and no session left in memory", err)
	}
}

func TestAChangeElsewhereIsKnownWhenTheStreamTells(t *testing.T) {
	for name, delay := range map[string]time.Duration{"at once": 0, "late": 400 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, time.Minute)
			p.set.DelayChanges(delay)
			p.change(t, p.there.Stores(), func(name string, h session.Hash, seen func(*session.Session) bool) {
				made := time.Now()
				for !knows(t, p.here, h, seen) && time.Since(made) < 20*time.Second {
					time.Sleep(time.Millisecond)
				}
				if took := time.Since(made); took > delay+10*time.Second {
					t.Errorf("Get() after %s elsewhere is right after %v, want about %v", name, took, delay)
				}
			})
		})
	}
}

func TestAChangeElsewhereThatIsNeverToldIsKnownWithinTheBound(t *testing.T) {
	p := newPair(t, time.Second)
	p.set.LoseChanges(true)
	var wg sync.WaitGroup
	p.change(t, p.there.Stores(), func(name string, h session.Hash, seen func(*session.Session) bool) {
		made := time.Now()
		wg.Go(func() {
			for {
				began := time.Now()
				if knows(t, p.here, h, seen) {
					return
				}
				if began.Sub(made) > time.Second {
					t.Errorf("Get() that began %v after %s is answered from memory, want a second at most", began.Sub(made), name)
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	})
	wg.Wait()
}

func TestWhileThereIsNoStreamEachCheckAsksTheDatabase(t *testing.T) {
	for name, tt := range map[string]struct{ stop, start func(*mongotest.Set) }{
		"broken": {func(s *mongotest.Set) { s.BreakStreams(true) }, func(s *mongotest.Set) { s.BreakStreams(false) }},
		"silent": {func(s *mongotest.Set) { s.MuteStreams(true) }, func(s *mongotest.Set) { s.MuteStreams(false) }},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, time.Minute)
			// Nothing that happens meanwhile is told afterwards.
			p.set.LoseChanges(true)
			_, live, _ := p.signIn(t)
			_, before, _ := p.signIn(t)
			_, during, _ := p.signIn(t)
			end := func(h session.Hash) {
				if n, err := (Sessions{p.there}).End(t.Context(), session.Which{Hash: h}, p.now); err != nil || n != 1 {
					t.Fatalf("End() = %d, %v, want 1, nil", n, err)
				}
			}
			end(before)
			tt.stop(p.set)
			p.wantTrust(t, false)
			end(during)
			p.reads()
			for range 3 {
				if knows(t, p.here, live, ended) || !knows(t, p.here, before, ended) || !knows(t, p.here, during, ended) {
					t.Errorf("a check without a stream is answered from memory")
				}
			}
			if n := p.reads(); n != 3*(2+1+1) {
				t.Errorf("9 checks without a stream made %d reads, want 12", n)
			}
			tt.start(p.set)
			p.wantTrust(t, true)
			if knows(t, p.here, live, ended) || !knows(t, p.here, before, ended) || !knows(t, p.here, during, ended) {
				t.Errorf("a check once there is a stream again knows what was kept before")
			}
			p.reads()
			if knows(t, p.here, live, ended) || p.reads() != 0 {
				t.Errorf("a session is not kept once there is a stream again")
			}
		})
	}
}

func TestANewPrimaryStreamsToo(t *testing.T) {
	for _, hangUp := range []bool{true, false} {
		p := newPair(t, time.Minute)
		_, h, _ := p.signIn(t)
		p.set.StepDown(hangUp)
		if _, err := (Sessions{p.there}).End(t.Context(), session.Which{Hash: h}, p.now); err != nil {
			t.Fatalf("End() = %v, want nil", err)
		}
		for end := time.Now().Add(20 * time.Second); !knows(t, p.here, h, ended); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("a session that ended when the primary changed is kept for 20 s")
			}
		}
		p.wantTrust(t, true)
		_, h, _ = p.signIn(t)
		p.reads()
		if knows(t, p.here, h, ended) || p.reads() != 0 {
			t.Errorf("a session is not kept under the new primary")
		}
	}
}

func TestWhatIsKeptIsNoReasonToRefuse(t *testing.T) {
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	u, h, s := p.signIn(t)
	at := s.ExpiresDtm.Add(-time.Minute)
	if err := p.there.touch(t.Context(), use{hash: h, at: at}); err != nil {
		t.Fatalf("touch() = %v, want nil", err)
	}
	if _, err := (Sessions{p.here}).Get(t.Context(), h, s.ExpiresDtm.Add(time.Minute)); err != nil {
		t.Errorf("Get() of a session that was used elsewhere = %v, want nil", err)
	}
	if _, err := (Sessions{p.there}).End(t.Context(), session.Which{UserID: u.ID}, p.now); err != nil {
		t.Fatalf("End() = %v, want nil", err)
	}
	next, made := newSession(user.ProvenID{ID: u.ID, Epoch: u.Epoch + 1})
	if _, err := (Sessions{p.here}).Get(t.Context(), next, p.now); !errors.Is(err, session.ErrNoSession) {
		t.Fatalf("Get() in front of the sign-in = %v, want %v", err, session.ErrNoSession)
	}
	if err := (Sessions{p.there}).Create(t.Context(), next, made); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	if _, err := (Sessions{p.here}).Get(t.Context(), next, p.now); err != nil {
		t.Errorf("Get() of a new session elsewhere, of a new epoch = %v, want nil", err)
	}
}

func TestWhoActsForAUserIsAskedForEachTime(t *testing.T) {
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	_, actors, actor := p.signIn(t)
	_, _, of := p.signIn(t)
	h, s := newSession(of.UserID)
	s.ImpersonatedBy = &session.Impersonation{UserID: actor.UserID.ID, SessionID: actor.ID, Reason: "ticket 42"}
	if err := (Sessions{p.there}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	for range 2 {
		if _, err := session.Check(t.Context(), Sessions{p.here}, h, p.now); err != nil {
			t.Fatalf("Check() while the actor is signed in = %v, want nil", err)
		}
	}
	if _, err := (Sessions{p.there}).End(t.Context(), session.Which{Hash: actors}, p.now); err != nil {
		t.Fatalf("End() = %v, want nil", err)
	}
	if _, err := session.Check(t.Context(), Sessions{p.here}, h, p.now); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("Check() after the actor signed out elsewhere = %v, want %v", err, session.ErrNoSession)
	}
}

func TestATokenThatWasRenewedElsewhereIsKnownAtOnce(t *testing.T) {
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	_, h, s := p.renewed(t)
	for range 3 {
		next, _ := newSession(s.UserID)
		if _, err := (Sessions{p.there}).Renew(t.Context(), h, session.Renewal{Hash: next}, p.now); err != nil {
			t.Fatalf("Renew() = %v, want nil", err)
		}
		if _, err := (Sessions{p.here}).Get(t.Context(), next, p.now); err != nil {
			t.Errorf("Get() of a new token from elsewhere = %v, want nil", err)
		}
		// What was read for the new token says that the old one is dead.
		if !knows(t, p.here, h, ended) {
			t.Errorf("Get() of the old token = a session, want %v", session.ErrNoSession)
		}
		h = next
	}
	p.reads()
	if knows(t, p.here, h, ended) || p.reads() != 0 {
		t.Errorf("a session with a later token is not kept")
	}
}

func TestAUseIsSeenOnceItIsNoted(t *testing.T) {
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	_, h, s := p.signIn(t)
	at := s.CreationDtm.Add(30 * time.Minute)
	Sessions{p.here}.Touch(h, at)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		got, err := (Sessions{p.here}).Get(t.Context(), h, at)
		if err != nil || time.Now().After(end) {
			t.Fatalf("Get() after Touch = %+v, %v, want it seen at %v", got, err, at)
		}
		if !got.TouchDue(at) {
			return
		}
	}
}

// Nobody ever gets what ended before the check began, nor groups older than
// those that were acknowledged. That is said without the stream.
func TestNothingThatHasEndedComesBack(t *testing.T) {
	const rounds = 6
	p := newPair(t, time.Minute)
	p.set.LoseChanges(true)
	s := p.here.Stores()
	var wg sync.WaitGroup
	var checks atomic.Int64
	for range 6 {
		u := addUser(t, p.here, bson.NewObjectID().Hex()+"@example.com")
		wg.Go(func() {
			for range rounds {
				epoch, err := s.Users.ByID(t.Context(), u.ID)
				if err != nil {
					t.Errorf("ByID() = %v, want nil", err)
					return
				}
				h, made := newSession(user.ProvenID{ID: u.ID, Epoch: epoch.Epoch})
				if err := s.Sessions.Create(t.Context(), h, made); err != nil {
					t.Errorf("Create() = %v, want nil", err)
					return
				}
				var ended atomic.Bool
				var version atomic.Int64
				var around sync.WaitGroup
				for range 3 {
					around.Go(func() {
						for stop := false; !stop; {
							stop = ended.Load()
							want := version.Load()
							got, err := s.Sessions.Get(t.Context(), h, time.Now())
							checks.Add(1)
							if stop && !errors.Is(err, session.ErrNoSession) {
								t.Errorf("Get() after the end = %v, want %v", err, session.ErrNoSession)
							}
							if err == nil && int64(len(got.AccessGroupKeys)) < want {
								t.Errorf("Get() has %d groups, want the %d that were acknowledged", len(got.AccessGroupKeys), want)
							}
							time.Sleep(50 * time.Microsecond) // the one who ends it has to come round
						}
					})
				}
				s.Sessions.Touch(h, time.Now().Add(30*time.Minute))
				for n := range rand.IntN(3) {
					g := session.Groups{Add: []string{fmt.Sprint(n)}}
					if _, err := s.Sessions.Update(t.Context(), session.Which{Hash: h}, g, time.Now()); err != nil {
						t.Errorf("Update() = %v, want nil", err)
					}
					version.Store(int64(n) + 1)
				}
				w := []session.Which{{Hash: h}, {UserID: u.ID, ID: made.ID}, {UserID: u.ID}, {UserID: u.ID, Except: "another"}}[rand.IntN(4)]
				if n, err := s.Sessions.End(t.Context(), w, time.Now()); err != nil || n != 1 {
					t.Errorf("End(%+v) = %d, %v, want 1, nil", w, n, err)
				}
				ended.Store(true)
				around.Wait()
			}
		})
	}
	wg.Wait()
	t.Logf("%d checks around %d ends, with %d reads of all kinds", checks.Load(), 6*rounds, p.reads())
}

func TestWhatTheStreamIsAskedFor(t *testing.T) {
	p := newPair(t, time.Minute)
	const want = `[{"$changeStream":{}},` +
		`{"$match":{"$or":[{"operationType":{"$in":["drop","rename","dropDatabase","invalidate"]}},` +
		`{"ns.coll":{"$eq":"users"},"operationType":{"$in":["update","replace","delete"]}},` +
		`{"ns.coll":{"$eq":"sessions"},"operationType":{"$in":["replace","delete"]}},` +
		`{"ns.coll":{"$eq":"sessions"},"operationType":{"$eq":"update"},"updateDescription.updatedFields.seen":{"$exists":false}}]}},` +
		`{"$project":{"operationType":1,"ns.coll":1,"documentKey._id":1}}]`
	var opened, more bool
	for end := time.Now().Add(20 * time.Second); !(opened && more) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, command := range p.told.taken() {
			if pipeline, err := command.LookupErr("pipeline"); err == nil {
				level, _ := command.Lookup("readConcern", "level").StringValueOK()
				_, limited := command.LookupErr("maxTimeMS")
				text, err := bson.MarshalExtJSON(bson.D{{Key: "p", Value: pipeline}}, false, false)
				opened = true
				if got := strings.TrimSuffix(strings.TrimPrefix(string(text), `{"p":`), "}"); err != nil || got != want || level != "majority" || limited == nil {
					t.Errorf("the stream asks for %s, %v with read concern %s in %v, want %s with majority", got, err, level, command, want)
				}
			}
			if _, err := command.LookupErr("getMore"); err == nil {
				more = true
				if wait, _ := command.Lookup("maxTimeMS").AsInt64OK(); wait != await.Milliseconds() {
					t.Errorf("%v waits for %d ms, want %v", command, wait, await)
				}
			}
		}
	}
	if !opened || !more {
		t.Errorf("the stream was opened: %t, and read: %t, want both", opened, more)
	}
}

func TestUsesAndNewDocumentsAreNoNews(t *testing.T) {
	p := newPair(t, time.Minute)
	u, h, s := p.signIn(t)
	if err := p.there.touch(t.Context(), use{hash: h, at: s.CreationDtm.Add(30 * time.Minute)}); err != nil {
		t.Fatalf("touch() = %v, want nil", err)
	}
	other, made := newSession(user.ProvenID{ID: u.ID})
	if err := (Sessions{p.there}).Create(t.Context(), other, made); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	// When this is known, all before it was told.
	_, last, _ := p.signIn(t)
	if _, err := (Sessions{p.there}).End(t.Context(), session.Which{Hash: last}, p.now); err != nil {
		t.Fatalf("End() = %v, want nil", err)
	}
	for !knows(t, p.here, last, ended) {
		time.Sleep(time.Millisecond)
	}
	p.reads()
	if knows(t, p.here, h, ended) || p.reads() != 0 {
		t.Errorf("a session that was used elsewhere is not kept")
	}
}

func TestACacheThatCannotBeKeptRightIsRefused(t *testing.T) {
	for query, want := range map[string]string{
		"sessionCache=999ms":                            "durations from 1s to 1m0s are known",
		"sessionCache=61s":                              "durations from 1s to 1m0s are known",
		"sessionCache=-5s":                              "durations from 1s to 1m0s are known",
		"sessionCache=5":                                "durations from 1s to 1m0s are known",
		"sessionCache=":                                 "durations from 1s to 1m0s are known",
		"sessionCache=5s&sessionCache=6s":               "more than once",
		"sessionCache=5s&readConcernLevel=linearizable": "leave one out",
		"sessioncache=5s&readConcernLevel=linearizable": "leave one out",
		"sessionCache=0&readConcernLevel=linearizable":  "",
		"sessionCache=0":                                "",
		"sessionCache=1s":                               "",
		"w=majority&sessionCache=60s":                   "",
		"sessionCache=1500ms&readConcernLevel=local":    "",
	} {
		uri := "mongodb://ada:secret@db/app?" + query
		bound, err := recentOf(uri, settingsOf(t, uri))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("recentOf(%q) = %v, %v, want %q", uri, bound, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("recentOf(%q) = %v, want the password kept out", uri, err)
		}
	}
	needFerret(t)
	uri := strings.TrimSuffix(serverURI(t), "/") + "/" + newName() + "?sessionCache=5s"
	if db, err := Open(t.Context(), uri); err == nil || !strings.Contains(err.Error(), "single server") {
		t.Errorf("Open() of a single server with a cache = %v, %v, want it refused", db, err)
	}
	set := mongotest.NewSet(t, shared.Addr())
	set.BreakStreams(true)
	db := openWith(t, settingsOf(t, set.URI()).SetTimeout(patience), newName())
	if err := db.keepRecent(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), "stream of changes that sessionCache needs") {
		t.Errorf("keepRecent() where there are no streams = %v, want an error", err)
	}
}

func TestACacheIsOpenedByTheURLAndEndsWithTheStore(t *testing.T) {
	needFerret(t)
	set := mongotest.NewSet(t, shared.Addr())
	name := newName()
	uri := strings.Replace(set.URI(), "/?", "/"+name+"?sessionCache=60s&", 1)
	var db *DB
	var err error
	for range 5 { // the shared server may take longer than a call may
		if db, err = Open(t.Context(), uri); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("Open(%s) = %v, want nil", uri, err)
	}
	defer db.users.Database().Drop(context.Background())
	if db.recent == nil || db.recent.bound != time.Minute || set.Streams() != 1 {
		t.Errorf("the cache is %+v with %d streams, want one of a minute with one", db.recent, set.Streams())
	}
	if found := fmt.Sprint(db.Check(t.Context())); !strings.Contains(found, "at most 1m0s old") {
		t.Errorf("Check() = %s, want the cache in it", found)
	}
	if err := db.Close(); err != nil || db.recent.trusted() {
		t.Errorf("Close() = %v, want nil and no trust left", err)
	}
}
