package nodestest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Audits tests a store of audit events, and that the other stores write the
// events that ride along with their changes.
func Audits(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"an event comes back as it was appended", eventComesBack},
		{"any text survives and keeps its seal", eventTextsSurvive},
		{"events of many writers at once stand in one unbroken order", eventsAreOrdered},
		{"a list has what was asked for and nothing else", eventsAreListed},
		{"pages join without a gap", eventPagesJoin},
		{"a change has its event, once", changeHasEvent},
		{"a change that fails has none", failureHasNoEvent},
		{"a change that finds nothing has none", nothingHasNoEvent},
		{"an end of sessions tells how many", endTellsCount},
		{"a code that was used has an event of its user, and a wrong try none", usedCodeHasEvent},
		{"a second factor that is removed has its event", factorHasEvent},
		{"a sign-in tells what it ended, and a renewal which session it is of", displacedIsTold},
		{"a user who is deleted has an event, once", deletedUserHasEvent},
		{"a log that moves is verified and goes on", logSurvives},
		{"pruning deletes what is older and leaves an unbroken log", pruneLeavesWhole},
		{"pruning all leaves the event that says so", pruneLeavesMark},
		{"a cancelled context is an error", auditsCancel},
	})
}

// newEvent returns an event with every field that its maker sets.
func newEvent(subject string) audit.Event {
	return audit.Event{
		Kind: audit.SignIn, Actor: "actor", Subject: subject, SessionID: "session", IP: "192.0.2.1", UserAgent: "curl/8",
		RequestID: "request", Flow: "auth/sign-in.yaml", Outcome: audit.Done, Details: map[string]string{"a.b": "1", "$c": "2"},
	}
}

func appendEvent(t *testing.T, s nodes.Stores, e audit.Event) audit.Event {
	t.Helper()
	sealed, err := s.Audit.Append(t.Context(), e)
	if err != nil {
		t.Fatalf("Audit.Append(%s) = %v, want nil", e.Kind, err)
	}
	return sealed
}

// events lists what a query asks for.
func events(t *testing.T, s nodes.Stores, q audit.Query) []audit.Event {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 10_000
	}
	list, err := s.Audit.List(t.Context(), q)
	if err != nil {
		t.Fatalf("Audit.List(%+v) = %v, want nil", q, err)
	}
	return list
}

// about lists the events about a subject.
func about(t *testing.T, s nodes.Stores, subject string) []audit.Event {
	t.Helper()
	return events(t, s, audit.Query{Of: []string{subject}})
}

// wantWhole fails the test unless the log of so many events, or any number where
// it is negative, is as it was written.
func wantWhole(t *testing.T, s nodes.Stores, want int) {
	t.Helper()
	r, err := audit.Verify(t.Context(), s.Audit)
	if err != nil || len(r.Flaws) > 0 || want >= 0 && r.Events != want {
		t.Fatalf("Verify = %+v, %v, want %d events without a flaw", r, err, want)
	}
}

func sameEvent(a, b audit.Event) bool {
	same := a.At.Equal(b.At) && maps.Equal(a.Details, b.Details)
	a.At, a.Details, b.At, b.Details = time.Time{}, nil, time.Time{}, nil
	return same && fmt.Sprint(a) == fmt.Sprint(b)
}

func eventComesBack(t *testing.T, s nodes.Stores) {
	before := present()
	bare := appendEvent(t, s, audit.Event{Kind: audit.Started, Outcome: audit.Done, Subject: "bare"})
	full := appendEvent(t, s, newEvent("full"))
	if full.Seq != bare.Seq+1 || full.Chain != bare.Chain || full.ID != audit.ID(full.Chain, full.Seq) || full.At.Before(before) {
		t.Errorf("Audit.Append = %+v behind %+v, want the next one of the chain, of now", full, bare)
	}
	for name, want := range map[string]audit.Event{"bare": bare, "full": full} {
		if got := about(t, s, name); len(got) != 1 || !sameEvent(got[0], want) {
			t.Errorf("Audit.List(%s) = %+v, want %+v", name, got, want)
		}
	}
	page, err := s.Audit.Chain(t.Context(), full.Chain, bare.Seq, 10)
	if err != nil || len(page) != 1 || !sameEvent(page[0], full) {
		t.Errorf("Audit.Chain = %+v, %v, want %+v", page, err, full)
	}
	wantWhole(t, s, -1)
}

func eventTextsSurvive(t *testing.T, s nodes.Stores) {
	for name, text := range texts() {
		e := newEvent(name)
		e.UserAgent, e.Details = text, map[string]string{"text": text}
		want := appendEvent(t, s, e)
		if got := about(t, s, name); len(got) != 1 || !sameEvent(got[0], want) || got[0].UserAgent != text {
			t.Errorf("Audit.List of an event with a text that is %s = %.300v, want it back", name, got)
		}
	}
	wantWhole(t, s, -1)
}

func eventsAreOrdered(t *testing.T, s nodes.Stores) {
	const writers, each = 16, 8
	errs := together(writers, func(i int) error {
		for j := range each {
			if _, err := s.Audit.Append(t.Context(), newEvent(fmt.Sprintf("%d/%d", i, j))); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("Audit.Append at once = %v, want nil", err)
	}
	wantWhole(t, s, -1)
	var last audit.Event
	for _, e := range events(t, s, audit.Query{Kinds: []audit.Kind{audit.SignIn}}) {
		if e.At.Before(last.At) || last.Seq > 0 && e.Seq != last.Seq+1 {
			t.Fatalf("event %d of %v follows %d of %v, want the next one, and no earlier", e.Seq, e.At, last.Seq, last.At)
		}
		last = e
	}
	if got := len(events(t, s, audit.Query{Kinds: []audit.Kind{audit.SignIn}})); got != writers*each {
		t.Errorf("%d events are listed, want %d", got, writers*each)
	}
}

func eventsAreListed(t *testing.T, s nodes.Stores) {
	add := func(k audit.Kind, actor, subject string) audit.Event {
		e := newEvent(subject)
		e.Kind, e.Actor = k, actor
		return appendEvent(t, s, e)
	}
	one, two := add(audit.SignIn, "ada", "ada"), add(audit.GroupsChanged, "eve", "ada")
	time.Sleep(3 * time.Millisecond)
	three, four := add(audit.SignOut, "eve", "eve"), add(audit.SignIn, "", "' or 1=1 --")
	for name, tt := range map[string]struct {
		query audit.Query
		want  []audit.Event
	}{
		"kind":                  {audit.Query{Kinds: []audit.Kind{audit.SignIn}}, []audit.Event{one, four}},
		"kinds":                 {audit.Query{Kinds: []audit.Kind{audit.SignOut, audit.GroupsChanged}}, []audit.Event{two, three}},
		"actor or subject":      {audit.Query{Of: []string{"ada"}}, []audit.Event{one, two}},
		"one of two names":      {audit.Query{Of: []string{"nobody", "eve"}}, []audit.Event{two, three}},
		"kind and name":         {audit.Query{Kinds: []audit.Kind{audit.SignIn}, Of: []string{"ada"}}, []audit.Event{one}},
		"a name that is no SQL": {audit.Query{Of: []string{"' or 1=1 --"}}, []audit.Event{four}},
		"since":                 {audit.Query{Since: three.At, Of: []string{"ada", "eve"}}, []audit.Event{three}},
		"until":                 {audit.Query{Until: three.At, Of: []string{"ada", "eve"}}, []audit.Event{one, two}},
		"behind one":            {audit.Query{After: two.Head(), Of: []string{"eve", "ada"}}, []audit.Event{three}},
		"at most":               {audit.Query{Limit: 1, Of: []string{"ada"}}, []audit.Event{one}},
		"nothing":               {audit.Query{Of: []string{"ghost"}}, nil},
	} {
		got := events(t, s, tt.query)
		same := len(got) == len(tt.want)
		for i := 0; same && i < len(got); i++ {
			same = sameEvent(got[i], tt.want[i])
		}
		if !same {
			t.Errorf("%s: Audit.List = %+v, want %+v", name, got, tt.want)
		}
	}
}

func eventPagesJoin(t *testing.T, s nodes.Stores) {
	const n = 23
	for range n {
		appendEvent(t, s, newEvent("x"))
	}
	q, found := audit.Query{Limit: 5, Of: []string{"x"}}, map[int64]bool{}
	for {
		page := events(t, s, q)
		for _, e := range page {
			found[e.Seq] = true
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].Head()
	}
	if len(found) != n {
		t.Errorf("pages have %d events, want %d", len(found), n)
	}
}

// recorder returns a recorder on the stores.
func recorder(s nodes.Stores) *audit.Recorder { return audit.NewRecorder(s.Audit, audit.Options{}) }

// wantKinds fails the test unless the events about a subject are of the kinds.
func wantKinds(t *testing.T, s nodes.Stores, when, subject string, want ...audit.Kind) {
	t.Helper()
	var kinds []audit.Kind
	for _, e := range about(t, s, subject) {
		kinds = append(kinds, e.Kind)
	}
	if fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("events %s = %v, want %v", when, kinds, want)
	}
}

func changeHasEvent(t *testing.T, s nodes.Stores) {
	u, rec := newUser(), recorder(s)
	do := func(k audit.Kind, change func(ctx context.Context) error) {
		t.Helper()
		if err := rec.Do(t.Context(), audit.Event{Kind: k, Subject: u.ID}, change); err != nil {
			t.Fatalf("Do(%s) = %v, want nil", k, err)
		}
	}
	do(audit.UserCreated, func(ctx context.Context) error { return s.Users.Create(ctx, u, "hash") })
	made := newSession(proof(t, s, u.ID), present())
	do(audit.SignIn, func(ctx context.Context) error { return s.Sessions.Create(ctx, hashOf(made.ID), made) })
	do(audit.PasswordChanged, func(ctx context.Context) error { return s.Passwords.SetHash(ctx, u.ID, "", "new") })
	name := "Ada"
	do(audit.UserChanged, func(ctx context.Context) error {
		_, err := s.Users.Update(ctx, u.ID, user.Change{Name: &name}, present())
		return err
	})
	if err := rec.Note(t.Context(), audit.Event{Kind: audit.Locked, Subject: u.ID}); err != nil {
		t.Fatalf("Note = %v, want nil", err)
	}
	wantKinds(t, s, "of all changes", u.ID, audit.UserCreated, audit.SignIn, audit.PasswordChanged, audit.UserChanged, audit.Locked)
	wantWhole(t, s, -1)
}

func failureHasNoEvent(t *testing.T, s nodes.Stores) {
	taken, u, rec := addUser(t, s), newUser(), recorder(s)
	u.EmailKey = taken.EmailKey
	err := rec.Do(t.Context(), audit.Event{Kind: audit.UserCreated, Subject: u.ID}, func(ctx context.Context) error { return s.Users.Create(ctx, u, "hash") })
	if !errors.Is(err, user.ErrEmailTaken) {
		t.Fatalf("Do of a change that fails = %v, want %v", err, user.ErrEmailTaken)
	}
	stale := newSession(user.ProvenID{ID: taken.ID, Epoch: 7}, present())
	err = rec.Do(t.Context(), audit.Event{Kind: audit.SignIn, Subject: u.ID}, func(ctx context.Context) error {
		return s.Sessions.Create(ctx, hashOf(stale.ID), stale)
	})
	if !errors.Is(err, session.ErrStaleProof) {
		t.Fatalf("Do of a change that fails = %v, want %v", err, session.ErrStaleProof)
	}
	wantKinds(t, s, "of changes that failed", u.ID)
	appendEvent(t, s, newEvent("behind"))
	wantWhole(t, s, -1)
}

// recordEnd ends sessions as the nodes do.
func recordEnd(t *testing.T, s nodes.Stores, k audit.Kind, w session.Which) {
	t.Helper()
	err := recorder(s).Do(t.Context(), audit.Event{Kind: k, Subject: w.UserID}, func(ctx context.Context) error {
		n, err := s.Sessions.End(ctx, w, present())
		session.Recorded(ctx, n, w.All())
		return err
	})
	if err != nil {
		t.Fatalf("Do(%s) = %v, want nil", k, err)
	}
}

func nothingHasNoEvent(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	recordEnd(t, s, audit.SessionEnded, session.Which{UserID: u.ID, ID: newID()})
	err := recorder(s).Do(t.Context(), audit.Event{Kind: audit.GroupsChanged, Subject: u.ID}, func(ctx context.Context) error {
		n, err := s.Sessions.Update(ctx, session.Which{UserID: u.ID}, session.Groups{Add: []string{"staff"}}, present())
		session.Recorded(ctx, n, false)
		return err
	})
	if err != nil {
		t.Fatalf("Do = %v, want nil", err)
	}
	wantKinds(t, s, "of changes that found nothing", u.ID)
}

func endTellsCount(t *testing.T, s nodes.Stores) {
	u, now := addUser(t, s), present()
	for range 3 {
		addSession(t, s, u.ID, now)
	}
	recordEnd(t, s, audit.SessionsEnded, session.Which{UserID: u.ID})
	recordEnd(t, s, audit.SessionsEnded, session.Which{UserID: u.ID})
	got := about(t, s, u.ID)
	if len(got) != 2 || got[0].Details["sessions"] != "3" || got[1].Details["sessions"] != "0" {
		t.Errorf("events of two ends of all sessions = %+v, want one of 3 and one of 0", got)
	}
}

func pruneLeavesWhole(t *testing.T, s nodes.Stores) {
	for range 5 {
		appendEvent(t, s, newEvent("old"))
	}
	time.Sleep(5 * time.Millisecond)
	kept := appendEvent(t, s, newEvent("new"))
	for range 2 {
		if _, err := s.Audit.Prune(t.Context(), kept.At); err != nil {
			t.Fatalf("Audit.Prune = %v, want nil", err)
		}
		wantKinds(t, s, "that are old", "old")
		wantKinds(t, s, "that are new", "new", audit.SignIn)
		wantWhole(t, s, 2) // with that of the first Prune
	}
	appendEvent(t, s, newEvent("newer"))
	wantWhole(t, s, 3)
	if n, err := s.Audit.Prune(t.Context(), kept.At.Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("Audit.Prune of nothing = %d, %v, want 0, nil", n, err)
	}
	wantWhole(t, s, 3)
}

func pruneLeavesMark(t *testing.T, s nodes.Stores) {
	for range 3 {
		appendEvent(t, s, newEvent("old"))
	}
	n, err := s.Audit.Prune(t.Context(), time.Now().Add(time.Hour))
	if err != nil || n < 3 {
		t.Fatalf("Audit.Prune = %d, %v, want at least 3, nil", n, err)
	}
	left := events(t, s, audit.Query{})
	if len(left) != 1 || left[0].Kind != audit.Pruned {
		t.Errorf("events that are left = %+v, want one, %s", left, audit.Pruned)
	}
	wantWhole(t, s, 1)
}

func auditsCancel(t *testing.T, s nodes.Stores) {
	wantCancelled(t, map[string]func(context.Context) error{
		"Audit.Append": func(ctx context.Context) error { _, err := s.Audit.Append(ctx, newEvent("x")); return err },
		"Audit.List":   func(ctx context.Context) error { _, err := s.Audit.List(ctx, audit.Query{Limit: 1}); return err },
		"Audit.Chain":  func(ctx context.Context) error { _, err := s.Audit.Chain(ctx, "x", 0, 1); return err },
		"Audit.Heads":  func(ctx context.Context) error { _, err := s.Audit.Heads(ctx); return err },
		"Audit.Prune":  func(ctx context.Context) error { _, err := s.Audit.Prune(ctx, time.Now()); return err },
	})
	if got := about(t, s, "x"); len(got) > 0 {
		t.Errorf("events that were cancelled = %+v, want none", got)
	}
}
