package mongo

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/data"
	"sluice/nodes/nodestest"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

// standIn opens a store on a set that stands in for a replica set.
func standIn(t *testing.T) (*mongotest.Set, *DB) {
	t.Helper()
	needFerret(t)
	set := mongotest.NewSet(t, shared.Addr())
	return set, openWith(t, settingsOf(t, set.URI()).SetTimeout(patience), newName())
}

// Documents that a replica set keeps are the same as those of a single server,
// and more of them can be written together.
func TestDocumentsOfAReplicaSetKeepTheirPromises(t *testing.T) {
	needFerret(t)
	nodestest.Documents(t, func(t *testing.T) nodes.Stores {
		_, db := standIn(t)
		if !(Data{db}).Atomic() {
			t.Fatal("Atomic() of a replica set = false, want true")
		}
		return db.Stores()
	})
}

func counters() *data.Collection {
	return &data.Collection{Name: "counters", Fields: []data.Field{{Name: "n", Kind: data.Whole}, {Name: "tags", Kind: data.List, Items: &data.Field{Kind: data.Text}}}}
}

// newCounter makes a document of which the number is 0.
func newCounter(t *testing.T, db *DB, id string) *data.Collection {
	t.Helper()
	c, now := counters(), time.Now()
	err := Data{db}.Prepare(t.Context(), []*data.Collection{c})
	if err == nil {
		err = Data{db}.Create(t.Context(), c, data.Document{ID: id, Version: 1, Created: now, Updated: now, Body: []byte(`{"n":0,"tags":[]}`)})
	}
	if err != nil {
		t.Fatalf("making a counter = %v, want nil", err)
	}
	return c
}

func count(t *testing.T, db *DB, c *data.Collection, id string) int64 {
	t.Helper()
	d, err := Data{db}.Get(t.Context(), c, id, data.Filter{})
	n, ok := data.Value(c, d, "n").(int64)
	if err != nil || !ok {
		t.Fatalf("Get(%s) = %+v, %v, want a number", id, d, err)
	}
	return n
}

// addOne is a change that shows how often it was made.
func addOne(ds Data, t *testing.T, c *data.Collection, id string) error {
	ch := data.Change{Inc: []data.Inc{{Path: "n", By: int64(1)}}, Push: []data.Push{{Path: "tags", JSON: [][]byte{[]byte(`"x"`)}}}}
	_, err := ds.Update(t.Context(), c, data.Target{ID: id}, ch, time.Now())
	return err
}

func TestAWriteWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	set, db := standIn(t)
	ds, now := Data{db}, time.Now()
	c := newCounter(t, db, "a")
	u := addUser(t, db, "ada@example.com")
	h, made := newSession(user.ProvenID{ID: u.ID})
	for name, write := range map[string]func() error{
		"create": func() error {
			return ds.Create(t.Context(), c, data.Document{ID: "b", Version: 1, Created: now, Updated: now, Body: []byte(`{"n":0}`)})
		},
		"update":  func() error { return addOne(ds, t, c, "a") },
		"sign-in": func() error { return Sessions{db}.Create(t.Context(), h, made) },
		"sign-up": func() error {
			return Users{db}.Create(t.Context(), user.User{ID: "x", Email: "x@example.com", EmailKey: "x@example.com"}, "hash")
		},
	} {
		set.LoseAnswers(1)
		if err := write(); err != nil {
			t.Errorf("%s whose answer is lost = %v, want nil", name, err)
		}
	}
	if n := count(t, db, c, "a"); n != 1 {
		t.Errorf("number after one change whose answer was lost = %d, want 1", n)
	}
	set.LoseAnswers(1)
	if n, err := (Sessions{db}).End(t.Context(), session.Which{Hash: h}, now); err != nil || n != 1 {
		t.Errorf("End() whose answer is lost = %d, %v, want 1, nil", n, err)
	}
	set.LoseAnswers(1)
	if err := ds.Delete(t.Context(), c, data.Target{ID: "b"}); err != nil {
		t.Errorf("Delete() whose answer is lost = %v, want nil", err)
	}
}

// A load is what callers do while primaries change: what is acknowledged is made
// once and kept, what is not is made once at most, nobody who is signed in is told
// otherwise, and nobody who is signed out is let in.
type load struct {
	db   *DB
	c    *data.Collection
	u    user.User
	live session.Hash

	mu                   sync.Mutex
	done, unsure, checks int64 // changes acknowledged and not, and sessions; guarded by mu
}

// underLoad runs callers until what changes primaries returns, and judges what
// became of all.
func underLoad(t *testing.T, db *DB, change func()) {
	t.Helper()
	l := &load{db: db, c: newCounter(t, db, "a"), u: addUser(t, db, "ada@example.com")}
	h, made := newSession(user.ProvenID{ID: l.u.ID})
	if err := (Sessions{db}).Create(t.Context(), h, made); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	l.live = h
	over := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					l.call(t)
				}
			}
		})
	}
	change()
	close(over)
	wg.Wait()
	if n := count(t, db, l.c, "a"); n < l.done || n > l.done+l.unsure {
		t.Errorf("number = %d, want %d that were acknowledged and at most %d more", n, l.done, l.unsure)
	}
	t.Logf("%d changes acknowledged, %d not, %d sessions ended and dead", l.done, l.unsure, l.checks)
}

func (l *load) call(t *testing.T) {
	ss := Sessions{l.db}
	changed := addOne(Data{l.db}, t, l.c, "a")
	_, checked := ss.Get(t.Context(), l.live, time.Now())
	h, made := newSession(user.ProvenID{ID: l.u.ID})
	ended := ss.Create(t.Context(), h, made)
	if ended == nil {
		_, ended = ss.End(t.Context(), session.Which{Hash: h}, time.Now())
	}
	for name, err := range map[string]error{"change": changed, "check of a live session": checked, "end of a session": ended} {
		if err != nil && !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s while primaries change = %v, want nil or %v", name, err, engine.ErrUnavailable)
		}
	}
	if ended == nil {
		if _, err := ss.Get(t.Context(), h, time.Now()); !errors.Is(err, session.ErrNoSession) && !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("Get() of a session that was ended = %v, want %v", err, session.ErrNoSession)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if changed == nil {
		l.done++
	} else {
		l.unsure++
	}
	if ended == nil {
		l.checks++
	}
}

func TestPrimariesChangeUnderLoad(t *testing.T) {
	set, db := standIn(t)
	underLoad(t, db, func() {
		for i := range 6 {
			time.Sleep(700 * time.Millisecond)
			set.StepDown(i%2 == 0)
		}
		time.Sleep(700 * time.Millisecond)
	})
}

func TestATransactionThatPassesIsTriedAgain(t *testing.T) {
	set, db := standIn(t)
	ds, now := Data{db}, time.Now()
	c := newCounter(t, db, "a")
	set.RefuseForNow(3)
	add := data.Change{Inc: []data.Inc{{Path: "n", By: int64(1)}}}
	writes := []data.Write{
		{Collection: c, Target: data.Target{ID: "a"}, Change: &add},
		{Collection: c, Create: &data.Document{ID: "b", Version: 1, Created: now, Updated: now, Body: []byte(`{"n":5}`)}},
		{Collection: c, Target: data.Target{ID: "b"}, Change: &add},
	}
	made, err := ds.Write(t.Context(), writes, now)
	if err != nil || len(made) != 3 || count(t, db, c, "a") != 1 || count(t, db, c, "b") != 6 {
		t.Errorf("Write() refused for now = %v, %v, want 1 and 6", made, err)
	}
	var failed *data.WriteError
	if _, err = ds.Write(t.Context(), writes, now); !errors.As(err, &failed) || failed.At != 1 || count(t, db, c, "a") != 1 {
		t.Errorf("Write() of what is taken = %v, want its second change to fail and nothing changed", err)
	}
}

func TestTransactionsAreOfAMajorityAndASnapshot(t *testing.T) {
	needFerret(t)
	set, r := mongotest.NewSet(t, shared.Addr()), &recorder{}
	db := openWith(t, settingsOf(t, set.URI()).SetTimeout(patience).SetMonitor(r.monitor()), newName())
	c := newCounter(t, db, "a")
	r.taken()
	add := data.Change{Inc: []data.Inc{{Path: "n", By: int64(1)}}}
	if _, err := (Data{db}).Write(t.Context(), []data.Write{{Collection: c, Target: data.Target{ID: "a"}, Change: &add}, {Collection: c, Target: data.Target{ID: "a"}}}, time.Now()); err != nil {
		t.Fatalf("Write() = %v, want nil", err)
	}
	var told []string
	for _, command := range r.taken() {
		first, err := command.IndexErr(0)
		if err != nil {
			t.Fatalf("IndexErr(%v) = %v, want nil", command, err)
		}
		begins, _ := command.Lookup("startTransaction").BooleanOK()
		level, _ := command.Lookup("readConcern", "level").StringValueOK()
		w, _ := command.Lookup("writeConcern", "w").StringValueOK()
		told = append(told, fmt.Sprint(first.Key(), " ", begins, " ", level, " ", w))
	}
	want := []string{"findAndModify true snapshot ", "findAndModify false  ", "commitTransaction false  majority"}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("a transaction told the server %q, want %q", told, want)
	}
}

func TestASingleServerHasNoTransactions(t *testing.T) {
	needFerret(t)
	db := openTest(t, newName(), nil)
	if _, err := (Data{db}).Write(t.Context(), nil, time.Now()); (Data{db}).Atomic() || !errors.Is(err, errAlone) {
		t.Errorf("Atomic() = %t, Write() = %v, want false and %v", Data{db}.Atomic(), err, errAlone)
	}
}
