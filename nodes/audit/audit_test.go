package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/memory"
)

// key makes a key of a letter.
func key(t *testing.T, letter string) audit.Key {
	t.Helper()
	k, err := audit.NewKey([]byte(strings.Repeat(letter, audit.MinKey)))
	if err != nil {
		t.Fatalf("NewKey = %v, want nil", err)
	}
	return k
}

// A log is a store of one chain whose events a test can spoil.
type log struct {
	audit.Store // for what it does not say itself
	keys        audit.Keys
	events      []audit.Event
	heads       []audit.Head
	fails       error
}

func (l *log) Keys() audit.Keys                            { return l.keys }
func (l *log) Heads(context.Context) ([]audit.Head, error) { return l.heads, nil }
func (l *log) Append(context.Context, audit.Event) (audit.Event, error) {
	return audit.Event{}, l.fails
}

func (l *log) List(_ context.Context, q audit.Query) (page []audit.Event, err error) {
	for _, e := range l.events {
		if q.Has(&e) && len(page) < q.Limit {
			page = append(page, e)
		}
	}
	return page, nil
}

func (l *log) Chain(_ context.Context, chain string, after int64, limit int) (page []audit.Event, err error) {
	for _, e := range l.events {
		if e.Chain == chain && e.Seq > after && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, nil
}

// newLog makes a log of n events that a key seals, with their head.
func newLog(k audit.Keys, n int) *log {
	l, c := &log{keys: k}, audit.Chain{Keys: k, Head: audit.Head{Chain: "main"}}
	for i := range n {
		e := audit.Event{Kind: audit.SignIn, Subject: "ada", Outcome: audit.Done, Details: map[string]string{"a": "b"}}
		l.events = append(l.events, c.Seal(e, time.UnixMilli(int64(1000*i))))
	}
	l.heads = []audit.Head{c.Head}
	return l
}

func TestVerifyTellsWhatWasDoneToTheLogAndWhere(t *testing.T) {
	good, other := key(t, "a"), key(t, "b")
	forged := func(l *log) { // everything from 4 on, by somebody with a key of his own
		c := audit.Chain{Keys: audit.Keys{other}, Head: l.events[2].Head()}
		for i := 3; i < len(l.events); i++ {
			l.events[i] = c.Seal(l.events[i], l.events[i].At)
		}
	}
	for name, tt := range map[string]struct {
		spoil func(l *log)
		want  []string // beginnings of what is told
	}{
		"nothing":        {func(*log) {}, nil},
		"a text":         {func(l *log) { l.events[4].Subject = "eve" }, []string{"main:5: the event of 1970-01-01 00:00:04Z was changed"}},
		"a time":         {func(l *log) { l.events[4].At = l.events[4].At.Add(time.Millisecond) }, []string{"main:5: the event of"}},
		"a kind":         {func(l *log) { l.events[4].Kind = audit.SignOut }, []string{"main:5: the event of"}},
		"a detail":       {func(l *log) { l.events[4].Details = map[string]string{"a": "c"} }, []string{"main:5: the event of"}},
		"a text moved":   {func(l *log) { l.events[4].Actor, l.events[4].Subject = "ada", "" }, []string{"main:5: the event of"}},
		"a seal":         {func(l *log) { l.events[4].Seal[0]++ }, []string{"main:5: the event of", "main:6: the event of"}},
		"one taken out":  {func(l *log) { l.events = append(l.events[:4], l.events[5:]...) }, []string{"main:5: 1 event is missing"}},
		"some taken out": {func(l *log) { l.events = append(l.events[:4], l.events[7:]...) }, []string{"main:5: 3 events are missing"}},
		"the first":      {func(l *log) { l.events = l.events[1:] }, []string{"main:1: 1 event is missing"}},
		"the last":       {func(l *log) { l.events = l.events[:9] }, []string{"main:10: the end was cut off: 1 event is missing, as the log had got to 10"}},
		"the end":        {func(l *log) { l.events = l.events[:6] }, []string{"main:7: the end was cut off: 4 events are missing"}},
		"all":            {func(l *log) { l.events = nil }, []string{"main:1: the end was cut off: 10 events are missing"}},
		"two swapped":    {func(l *log) { a, b := &l.events[4], &l.events[5]; *a, *b = *b, *a; a.Seq, b.Seq = b.Seq, a.Seq }, []string{"main:5: ", "main:6: ", "main:7: "}},
		"another key":    {forged, []string{"main:4: the event of 1970-01-01 00:00:03Z is sealed by key ", "main:5", "main:6", "main:7", "main:8", "main:9", "main:10", "main:10: the log was written anew"}},
		"no key from 9 on": {func(l *log) {
			c := audit.Chain{Head: l.events[7].Head()}
			l.events[8], l.events[9], l.heads = c.Seal(l.events[8], l.events[8].At), c.Seal(l.events[9], l.events[9].At), nil
			l.events[0].Kind = audit.ChainBegan // so that the chain is found
		}, []string{"main:1: ", "main:9: the event of 1970-01-01 00:00:08Z has no key", "main:10: the event of"}},
		"a mark that nobody sealed": {func(l *log) {
			l.events[9].Kind, l.events[9].Details = audit.Pruned, audit.PrunedEvent(l.events[3]).Details
			l.events = l.events[4:]
		}, []string{"main:10: the event of"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(audit.Keys{good}, 10)
			tt.spoil(l)
			r, err := audit.Verify(t.Context(), l)
			if err != nil {
				t.Fatalf("Verify = %v, want nil", err)
			}
			same := len(r.Flaws) == len(tt.want)
			for i := 0; same && i < len(r.Flaws); i++ {
				same = strings.HasPrefix(r.Flaws[i].String(), tt.want[i])
			}
			if !same {
				t.Errorf("Verify = %q, want those that begin %q", r.Flaws, tt.want)
			}
		})
	}
}

func TestWhoeverHasTheWholeStoreNeedsTheKeyOrTheHead(t *testing.T) {
	mine := newLog(audit.Keys{key(t, "a")}, 10)
	kept := mine.heads[0]
	unkeyed := newLog(nil, 10)
	unkeyed.keys = mine.keys
	r, err := audit.Verify(t.Context(), unkeyed)
	if err != nil || len(r.Flaws) > 0 || r.Unkeyed != 10 {
		t.Errorf("Verify of a log that was written anew without a key = %+v, %v, want 10 unkeyed events", r, err)
	}
	if r, err = audit.Verify(t.Context(), unkeyed, kept); err != nil || len(r.Flaws) != 1 || r.Flaws[0].Seq != 10 {
		t.Errorf("Verify of that log with the head that was kept = %+v, %v, want a flaw at 10", r, err)
	}
}

func TestEventsOfAnEarlierKeyAreStillVerified(t *testing.T) {
	old, young := key(t, "a"), key(t, "b")
	l := newLog(audit.Keys{old}, 5)
	l.keys = audit.Keys{young, old}
	c := audit.Chain{Keys: l.keys, Head: l.events[4].Head()}
	l.events = append(l.events, c.Seal(l.events[0], time.UnixMilli(9000)))
	if r, err := audit.Verify(t.Context(), l); err != nil || len(r.Flaws) > 0 || r.Events != 6 {
		t.Errorf("Verify = %+v, %v, want 6 events without a flaw", r, err)
	}
	if l.events[5].KeyID == l.events[4].KeyID {
		t.Errorf("events of two keys have the key id %s, want two", l.events[5].KeyID)
	}
}

func TestALogThatMovedIsVerifiedByThePartOfTheKeyThatCameAlong(t *testing.T) {
	mine := key(t, "a")
	l := newLog(audit.Keys{mine}, 5)
	l.keys = audit.Keys{audit.PastKey(mine.Parts())}
	c := audit.Chain{Keys: l.keys, Head: audit.Head{Chain: "other"}}
	l.events = append(l.events, c.Seal(audit.ImportedEvent(l.heads), time.UnixMilli(9000)))
	if r, err := audit.Verify(t.Context(), l); err != nil || len(r.Flaws) > 0 || r.Events != 6 || r.Unkeyed != 1 {
		t.Errorf("Verify = %+v, %v, want 6 events without a flaw, of which the last has no key", r, err)
	}
	l.events, l.heads = append(l.events[:3], l.events[5]), nil
	if r, err := audit.Verify(t.Context(), l); err != nil || len(r.Flaws) != 1 || r.Flaws[0].Seq != 4 {
		t.Errorf("Verify of a log whose end did not come along = %+v, %v, want a flaw at 4", r, err)
	}
}

func TestAShortKeyIsRefusedUnrepeated(t *testing.T) {
	if _, err := audit.NewKey([]byte("only-a-short-one")); err == nil || strings.Contains(err.Error(), "only") {
		t.Errorf("NewKey of a short secret = %v, want an error without it", err)
	}
}

func TestPseudonymsTellTextsApartAndNothingElse(t *testing.T) {
	a, b := audit.Keys{key(t, "a")}, audit.Keys{key(t, "b")}
	name := a.Pseudonym("ada@example.com")
	if name != a.Pseudonym("ada@example.com") || name == a.Pseudonym("eve@example.com") || name == b.Pseudonym("ada@example.com") || len(name) != 27 {
		t.Errorf("Pseudonym = %q, want 27 characters that are of the text and the key", name)
	}
	past := audit.PastKey(key(t, "a").Parts())
	for how, keys := range map[string]audit.Keys{"without a key": nil, "by a key that came with the log": {past}} {
		if got := keys.Pseudonym("ada@example.com"); got != "" {
			t.Errorf("Pseudonym %s = %q, want none", how, got)
		}
	}
}

func TestTextsOfEventsAreCutAndCleaned(t *testing.T) {
	s := memory.New()
	long := strings.Repeat("ä", 1000)
	e := audit.Event{Kind: audit.SignIn, Subject: long, UserAgent: "a\x00b\r\n\u202ec" + long, Details: map[string]string{"x": long, "y": "", "z\n": "1\x1b[31m"}}
	for i := range 50 {
		e.Details["more"+strings.Repeat("x", i)] = "1"
	}
	if err := audit.NewRecorder(s.Audit, audit.Options{}).Note(t.Context(), e); err != nil {
		t.Fatalf("Note = %v, want nil", err)
	}
	got, err := s.Audit.List(t.Context(), audit.Query{Limit: 2})
	if err != nil || len(got) != 1 {
		t.Fatalf("List = %v, %v, want one event", got, err)
	}
	if e := got[0]; len(e.Subject) > 128 || len(e.UserAgent) > 256 || !strings.HasPrefix(e.UserAgent, "abcä") || len(e.Details) != 16 || e.Outcome != audit.Done {
		t.Errorf("event = %+v, want it cut and cleaned", e)
	}
	for name, value := range got[0].Details {
		if strings.ContainsAny(name+value, "\n\x1b") || len(value) > 256 {
			t.Errorf("detail %q = %q, want it cut and cleaned", name, value)
		}
	}
}

func TestAnEventHasWhatIsKnownOfTheRequest(t *testing.T) {
	s := memory.New()
	rec := audit.NewRecorder(s.Audit, audit.Options{})
	r := &audit.Request{ID: "r1", IP: "192.0.2.1", UserAgent: "curl/8", Flow: "a.yaml"}
	ctx := audit.WithRequest(t.Context(), r)
	signedIn := audit.WithRequest(t.Context(), &audit.Request{UserID: "eve", SessionID: "s1"})
	acting := audit.WithRequest(t.Context(), &audit.Request{UserID: "eve", Actor: "root"})
	err := errors.Join(
		rec.NotProved(ctx, rec.Pseudonym("ada@example.com"), "mismatch", "no such user"),
		rec.NotProved(ctx, "ada", "mismatch", "wrong password"),
		rec.NotProved(signedIn, "eve", "mismatch", "wrong password"),
		rec.Note(acting, audit.Event{Kind: audit.KeyCreated, Subject: "k1"}),
		rec.Note(signedIn, audit.Event{Kind: audit.SignIn, Actor: "ada", SessionID: "s2"}),
	)
	if err != nil {
		t.Fatalf("recording = %v, want nil", err)
	}
	got, err := s.Audit.List(t.Context(), audit.Query{Limit: 10})
	if err != nil || len(got) != 5 {
		t.Fatalf("List = %v, %v, want 5 events", got, err)
	}
	if e := got[0]; e.Kind != audit.SignInFailed || e.IP != r.IP || e.UserAgent != r.UserAgent || e.RequestID != r.ID || e.Flow != r.Flow ||
		e.Subject != s.Audit.Keys().Pseudonym("ada@example.com") {
		t.Errorf("sign-in of nobody = %+v, want the request's facts and a pseudonym", e)
	}
	if e := got[1]; e.Subject != "ada" {
		t.Errorf("subject of a failed sign-in of a user = %q, want the user's id", e.Subject)
	}
	if e := got[2]; e.Kind != audit.ProofFailed || e.Actor != "eve" || e.SessionID != "s1" {
		t.Errorf("failure of somebody signed in = %+v, want %s by eve", e, audit.ProofFailed)
	}
	if e := got[3]; e.Actor != "root" {
		t.Errorf("actor = %q, want who acts in the caller's place", e.Actor)
	}
	if e := got[4]; e.Actor != "ada" || e.SessionID != "s2" {
		t.Errorf("event = %+v, want what it says itself", e)
	}
}

func TestAnEventThatCannotBeWrittenFailsTheCallUnlessSettingsSayOtherwise(t *testing.T) {
	broken := &log{fails: errors.New("disk full")}
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		var text strings.Builder
		rec := audit.NewRecorder(broken, audit.Options{Log: slog.New(slog.NewTextHandler(&text, nil)), Lenient: lenient})
		err := rec.Note(t.Context(), audit.Event{Kind: audit.SignInFailed, Subject: "ada"})
		if lenient && err != nil || !lenient && !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s: Note = %v, want unavailable: %t", name, err, !lenient)
		}
		if !strings.Contains(text.String(), "level=ERROR") || !strings.Contains(text.String(), "subject=ada") {
			t.Errorf("%s: log = %q, want the event and that it is lost", name, text.String())
		}
	}
	if err := audit.NewRecorder(broken, audit.Options{Lenient: true}).Note(t.Context(), audit.Event{Kind: "signin"}); err == nil {
		t.Error("Note of a kind that is none = nil, want an error")
	}
}

func TestWhatHappensAllTheTimeIsNotedOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		rec := audit.NewRecorder(s.Audit, audit.Options{})
		use := func(id, ip string) {
			if err := rec.Seldom(t.Context(), audit.Event{Kind: audit.KeyUsed, Subject: id, IP: ip}); err != nil {
				t.Fatalf("Seldom = %v, want nil", err)
			}
		}
		want := func(when string, n int) {
			t.Helper()
			if got, err := s.Audit.List(t.Context(), audit.Query{Limit: 100}); err != nil || len(got) != n {
				t.Errorf("%s: %d events, %v, want %d", when, len(got), err, n)
			}
		}
		for range 10 {
			use("k1", "192.0.2.1")
		}
		want("ten uses", 1)
		use("k2", "192.0.2.1")
		use("k1", "192.0.2.2")
		want("another key and another address", 3)
		time.Sleep(time.Hour)
		use("k1", "192.0.2.1")
		want("an hour later", 4)
	})
}

func TestRefusedCallsAreCountedAndNotListed(t *testing.T) {
	s := memory.New()
	rec := audit.NewRecorder(s.Audit, audit.Options{})
	for range 1000 {
		rec.Refused("invalid_session_token", "192.0.2.1")
	}
	rec.Refused("missing_access_group", "192.0.2.1")
	rec.Refused("missing_access_group", "192.0.2.2")
	for range 2 { // the second has nothing to tell
		if err := rec.Flush(t.Context()); err != nil {
			t.Fatalf("Flush = %v, want nil", err)
		}
	}
	got, err := s.Audit.List(t.Context(), audit.Query{Limit: 10})
	if err != nil || len(got) != 2 {
		t.Fatalf("List = %+v, %v, want 2 events", got, err)
	}
	for _, e := range got {
		want := map[string][3]string{"invalid_session_token": {"1000", "1", "192.0.2.1"}, "missing_access_group": {"2", "2", ""}}[e.Outcome]
		if e.Kind != audit.Refused || e.Details["times"] != want[0] || e.Details["addresses"] != want[1] || e.IP != want[2] {
			t.Errorf("event = %+v, want times, addresses and address %v", e, want)
		}
	}
}

func TestNilRecordsNothing(t *testing.T) {
	var rec *audit.Recorder
	ran := false
	err := errors.Join(
		rec.Do(t.Context(), audit.Event{}, func(context.Context) error { ran = true; return nil }),
		rec.Note(t.Context(), audit.Event{}), rec.Seldom(t.Context(), audit.Event{}), rec.NotProved(t.Context(), "", "", ""), rec.Flush(t.Context()),
	)
	rec.Refused("x", "y")
	if err != nil || !ran {
		t.Errorf("calls of nil = %v, change made: %t, want nil and made", err, ran)
	}
}

func FuzzHead(f *testing.F) {
	f.Add("main:42:" + strings.Repeat("0a", 32))
	f.Add("main:+1:")
	f.Add("a:b:c:d")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := audit.ParseHead(text)
		if err != nil {
			return
		}
		again, err := audit.ParseHead(h.String())
		if err != nil || again != h || !strings.EqualFold(h.String(), text) {
			t.Errorf("ParseHead(%q) = %v, which reads as %v, %v", text, h, again, err)
		}
	})
}
