package nodestest

import (
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/factor"
	"sluice/nodes/memory"
	"sluice/nodes/record"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Records tests how a store gives and takes all that it holds.
func Records(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"what is taken is given as it was", recordsSurvive},
		{"API keys are taken and given as they were", keysSurvive},
		{"second factors are taken and given as they were, and work", factorsSurvive},
		{"a session is given under its last token", renewedTravels},
		{"everything of a full store reaches package memory and comes back", recordsTravel},
		{"sessions, passwords and answers work after a move", movedStoreWorks},
		{"what has ended or expired is not given", deadStaysBehind},
		{"a store that is not empty is refused and stays as it is", fullIsRefused},
		{"replace leaves nothing of before", replaceReplaces},
		{"records that break off leave an empty store empty", brokenLeavesEmpty},
		{"a replacement that broke off can be made again", brokenCanBeReplaced},
		{"records that contradict each other are refused", contradictionsAreRefused},
		{"many records are given once each", manyAreGiven},
		{"what is given beside writers can always be taken", givenBesideWriters},
		{"an error of the taker ends the giving and comes back", takerEnds},
		{"a cancelled context is an error", recordsCancel},
	})
}

// export returns the records of a store as lines, sorted.
func export(t *testing.T, s nodes.Stores, now time.Time) []string {
	t.Helper()
	lines := []string{}
	for r, err := range record.All(t.Context(), s.Records, now) {
		if err != nil {
			t.Fatalf("Records.Export = %v, want nil", err)
		}
		line, err := record.Encode(r)
		if err != nil {
			t.Fatalf("Encode(%+v) = %v, want nil", r, err)
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}

func wantRecords(t *testing.T, s nodes.Stores, now time.Time, want []string) {
	t.Helper()
	if got := export(t, s, now); !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("Records.Export = %d records, want %d; the first other one is %.500s, want %.500s", len(got), len(want), got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
			}
		}
	}
}

func lines(t *testing.T, some ...record.Record) (lines []string) {
	t.Helper()
	for _, r := range some {
		line, err := record.Encode(r)
		if err != nil {
			t.Fatalf("Encode(%+v) = %v, want nil", r, err)
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}

// of is a sequence of records, which an error may end.
func of(some []record.Record, end error) iter.Seq2[record.Record, error] {
	return func(yield func(record.Record, error) bool) {
		for _, r := range some {
			if !yield(r, nil) {
				return
			}
		}
		if end != nil {
			yield(nil, end)
		}
	}
}

func take(t *testing.T, s nodes.Stores, some []record.Record, replace bool) {
	t.Helper()
	if err := s.Records.Import(t.Context(), of(some, nil), replace); err != nil {
		t.Fatalf("Records.Import of %d = %v, want nil", len(some), err)
	}
}

// fullRecords are records without a field that is empty.
func fullRecords(now time.Time) (*record.User, *record.Session, *record.Repeat) {
	u := newUser()
	u.EmailVerified, u.Name, u.Groups, u.Epoch = true, "Ada", []string{"a", "b"}, 7
	u.Phone, u.PhoneVerified = "+14155550100", true
	u.UpdatedDtm = u.CreationDtm.Add(time.Second)
	s := newSession(user.ProvenID{ID: u.ID, Epoch: 7}, now)
	s.LastSeenDtm, s.ExpiresDtm = now.Add(time.Millisecond), now.Add(time.Hour+time.Millisecond)
	s.AccessGroupKeys, s.AuthenticatedDtm = []string{"c", "d"}, now.Add(-time.Second)
	s.ImpersonatedBy = &session.Impersonation{UserID: "u", SessionID: "s", Reason: "r"}
	v := session.Version{Family: "f", Major: "1", Minor: "2", Patch: "3"}
	s.UserAgent = session.UserAgent{Family: "Firefox", Major: "1", Minor: "2", Patch: "3", Device: v, OS: v}
	a := created()
	a.Type = "application/json"
	return record.UserOf(u, "hash"), record.SessionOf(hashOf(s.ID), s), record.RepeatOf(newClaim(now), &a)
}

func recordsSurvive(t *testing.T, s nodes.Stores) {
	now := present()
	u, se, re := fullRecords(now)
	some := []record.Record{u, se, re, record.RepeatOf(newClaim(now), nil)}
	empty := created()
	empty.Headers, empty.Body = nil, []byte{}
	some = append(some, record.RepeatOf(newClaim(now), &empty))
	some = append(some, record.UserOf(withNumber("+14155550101"), ""), record.UserOf(withNumber("+14155550102"), ""))
	for name, text := range texts() {
		u := newUser()
		u.Email, u.EmailKey, u.Name, u.Groups = text, "key "+text, text, []string{"g " + text}
		if name != "empty" {
			u.Disabled = name == "quotes"
		}
		some = append(some, record.UserOf(u, ""))
		if !u.Disabled {
			made := newSession(user.ProvenID{ID: u.ID}, now)
			made.IP, made.UserAgent.Family, made.AccessGroupKeys = text, text, []string{"g " + text}
			some = append(some, record.SessionOf(hashOf(made.ID), made))
		}
	}
	take(t, s, some, false)
	wantRecords(t, s, now, lines(t, some...))
}

func keysSurvive(t *testing.T, s nodes.Stores) {
	now, u := present(), newUser()
	whole, plain := newKey(u.ID), newKey("")
	whole.Scope, whole.Endpoints, whole.Suspended = apikey.Only, []string{"GET /orders/{id}", "POST /orders"}, true
	whole.ExpiresDtm, whole.LastUsedDtm = now.Add(time.Hour), now.Add(-time.Hour)
	as := func(k apikey.Key) record.Record { return record.KeyOf(keyHash(k.ID), k) }
	take(t, s, []record.Record{record.UserOf(u, "hash"), as(whole), as(plain)}, false)
	wantRecords(t, s, now, lines(t, record.UserOf(u, "hash"), as(whole), as(plain)))
	wantKey(t, s, plain, now)
	wantRecords(t, s, whole.ExpiresDtm, lines(t, record.UserOf(u, "hash"), as(plain)))
	take(t, s, []record.Record{record.UserOf(u, "hash")}, true)
	wantNoKey(t, s, plain.ID, now)
	for name, some := range map[string][]record.Record{"a key twice": {as(plain), as(plain)}, "a key without its user": {as(whole)}} {
		if err := s.Records.Import(t.Context(), of(some, nil), true); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
	}
}

func factorsSurvive(t *testing.T, s nodes.Stores) {
	now, u := present(), newUser()
	f := factor.Factor{Secret: []byte("sealed"), Active: true, Step: 7, Recovery: []factor.Hash{{1}, {2}}}
	some := []record.Record{record.UserOf(u, "hash"), record.FactorOf(u.ID, f)}
	take(t, s, some, false)
	wantRecords(t, s, now, lines(t, some...))
	if active, err := s.Factors.Active(t.Context(), u.ID); err != nil || !active {
		t.Errorf("Factors.Active of a moved user = %t, %v, want true", active, err)
	}
	if err := s.Factors.Use(t.Context(), u.ID, f.Secret, 7); !errors.Is(err, factor.ErrUsed) {
		t.Errorf("Factors.Use of a step that was used before the move = %v, want %v", err, factor.ErrUsed)
	}
	if err := s.Factors.Recover(t.Context(), u.ID, factor.Hash{2}); err != nil {
		t.Errorf("Factors.Recover of a moved code = %v, want nil", err)
	}
	if err := s.Users.Delete(t.Context(), u.ID, now); err != nil {
		t.Fatalf("Users.Delete = %v, want nil", err)
	}
	wantRecords(t, s, now, []string{})
	for name, some := range map[string][]record.Record{"a second factor twice": {some[0], some[1], some[1]}, "one without its user": {some[1]}} {
		if err := s.Records.Import(t.Context(), of(some, nil), true); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
	}
}

func renewedTravels(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	made := addSession(t, s, u.ID, now)
	next := hashOf("the next token of " + made.ID)
	if _, err := s.Sessions.Renew(t.Context(), hashOf(made.ID), session.Renewal{Hash: next}, now); err != nil {
		t.Fatalf("Sessions.Renew = %v, want nil", err)
	}
	wantRecords(t, s, now, lines(t, record.UserOf(u, "hash of "+u.ID), record.SessionOf(next, made)))
	if err := s.Records.Import(t.Context(), record.All(t.Context(), moved(t, s, now).Records, now), true); err != nil {
		t.Fatalf("Records.Import = %v, want nil", err)
	}
	noneAt(t, s, hashOf(made.ID), now)
	if _, err := s.Sessions.Get(t.Context(), next, now); err != nil {
		t.Errorf("Sessions.Get of the last token = %v, want the session", err)
	}
}

// moved returns a store in memory with all that is in s.
func moved(t *testing.T, s nodes.Stores, now time.Time) nodes.Stores {
	t.Helper()
	m := memory.New()
	if err := m.Records.Import(t.Context(), record.All(t.Context(), s.Records, now), false); err != nil {
		t.Fatalf("Import into memory = %v, want nil", err)
	}
	return m
}

// furnish fills a store by its other methods.
func furnish(t *testing.T, s nodes.Stores, now time.Time) (sessions []session.Session) {
	t.Helper()
	yes := true
	for i := range 4 {
		u := addUser(t, s)
		for range i {
			sessions = append(sessions, addSession(t, s, u.ID, now))
		}
		if i == 3 { // the epoch counts up, one session is spared
			if _, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, Except: sessions[len(sessions)-1].ID}, now); err != nil {
				t.Fatalf("Sessions.End = %v, want nil", err)
			}
			sessions = append(sessions[:len(sessions)-3], sessions[len(sessions)-1], addSession(t, s, u.ID, now))
		}
	}
	shut := addUser(t, s)
	addSession(t, s, shut.ID, now)
	if _, err := s.Users.Update(t.Context(), shut.ID, user.Change{Disabled: &yes}, now); err != nil {
		t.Fatalf("Users.Update = %v, want nil", err)
	}
	if err := s.Factors.Enroll(t.Context(), shut.ID, []byte("sealed")); err != nil {
		t.Fatalf("Factors.Enroll = %v, want nil", err)
	}
	addKey(t, s, newKey(""))
	addKey(t, s, newKey(shut.ID))
	link(t, s, newIdentity(shut.ID))
	addPasskey(t, s, newPasskey(shut.ID))
	begin(t, s, newAttempt([]byte("x"), now.Add(time.Hour)))
	c := newClaim(now)
	wantClaimed(t, s, "a call", c, now)
	if err := s.Repeats.Keep(t.Context(), c, created(), now.Add(time.Hour), now); err != nil {
		t.Fatalf("Repeats.Keep = %v, want nil", err)
	}
	wantClaimed(t, s, "a call that runs", newClaim(now), now)
	return sessions
}

func recordsTravel(t *testing.T, s nodes.Stores) {
	now := present()
	sessions := furnish(t, s, now)
	want := export(t, s, now)
	if n := 5 + len(sessions) + 7; len(want) != n {
		t.Fatalf("Records.Export = %d records, want %d", len(want), n)
	}
	m := moved(t, s, now)
	wantRecords(t, m, now, want)
	if err := s.Records.Import(t.Context(), record.All(t.Context(), m.Records, now), true); err != nil {
		t.Fatalf("Records.Import = %v, want nil", err)
	}
	wantRecords(t, s, now, want)
}

func movedStoreWorks(t *testing.T, s nodes.Stores) {
	now, m := present(), memory.New()
	sessions := furnish(t, m, now)
	u, se, re := fullRecords(now)
	if err := s.Records.Import(t.Context(), func(yield func(record.Record, error) bool) {
		for r, err := range record.All(t.Context(), m.Records, now) {
			if !yield(r, err) {
				return
			}
		}
		_ = yield(u, nil) && yield(se, nil) && yield(re, nil)
	}, false); err != nil {
		t.Fatalf("Records.Import = %v, want nil", err)
	}
	for _, made := range sessions {
		if got := wantLive(t, s, made.ID, now); got.UserID.ID != made.UserID.ID {
			t.Errorf("session %s is of user %s, want %s", made.ID, got.UserID.ID, made.UserID.ID)
		}
	}
	wantUser(t, s, u.User())
	if hash, err := s.Passwords.Hash(t.Context(), u.ID); err != nil || hash != "hash" {
		t.Errorf("Passwords.Hash = %q, %v, want hash", hash, err)
	}
	claim, answer := re.Repeat()
	wantKept(t, s, "a moved call", again(claim, now), now, *answer)
	more := addSession(t, s, u.ID, now)
	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End of a moved user", n, err, 2)
	wantDead(t, s, more, now)
	wantStale(t, s, "that was moved", user.ProvenID{ID: u.ID, Epoch: u.Epoch}, now)
	other := newUser()
	other.EmailKey = u.EmailKey
	if err := s.Users.Create(t.Context(), other, "hash"); !errors.Is(err, user.ErrEmailTaken) {
		t.Errorf("Users.Create with a moved address = %v, want %v", err, user.ErrEmailTaken)
	}
	if err := s.Users.Create(t.Context(), withNumber(u.Phone), "hash"); !errors.Is(err, user.ErrPhoneTaken) {
		t.Errorf("Users.Create with a moved number = %v, want %v", err, user.ErrPhoneTaken)
	}
}

func deadStaysBehind(t *testing.T, s nodes.Stores) {
	now := present()
	u := addUser(t, s)
	live, ended := addSession(t, s, u.ID, now), addSession(t, s, u.ID, now)
	brief := newSession(proof(t, s, u.ID), now)
	brief.ExpiresDtm = now.Add(time.Minute)
	if err := s.Sessions.Create(t.Context(), hashOf(brief.ID), brief); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, ID: ended.ID}, now)
	wantCount(t, "Sessions.End", n, err, 1)
	wantClaimed(t, s, "of a minute", newClaim(now), now)
	later := now.Add(time.Minute)
	wantRecords(t, s, later, lines(t, record.UserOf(u, "hash of "+u.ID), record.SessionOf(hashOf(live.ID), live)))
	if got := len(export(t, s, later.Add(-time.Millisecond))); got != 4 {
		t.Errorf("Records.Export before the end = %d records, want 4", got)
	}
}

func fullIsRefused(t *testing.T, s nodes.Stores) {
	now := present()
	furnish(t, s, now)
	before := export(t, s, now)
	u, _, _ := fullRecords(now)
	if err := s.Records.Import(t.Context(), of([]record.Record{u}, nil), false); !errors.Is(err, record.ErrNotEmpty) {
		t.Errorf("Records.Import into a full store = %v, want %v", err, record.ErrNotEmpty)
	}
	wantRecords(t, s, now, before)
}

func replaceReplaces(t *testing.T, s nodes.Stores) {
	now := present()
	sessions := furnish(t, s, now)
	wantLive(t, s, sessions[0].ID, now)
	u, se, re := fullRecords(now)
	take(t, s, []record.Record{u, se, re}, true)
	wantRecords(t, s, now, lines(t, u, se, re))
	for _, made := range sessions {
		wantDead(t, s, made, now)
	}
	if _, err := s.Users.ByID(t.Context(), sessions[0].UserID.ID); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Users.ByID of a user who was replaced = %v, want %v", err, user.ErrNoUser)
	}
	wantLive(t, s, se.ID, now)
}

var errBroken = errors.New("the source broke off")

func brokenLeavesEmpty(t *testing.T, s nodes.Stores) {
	now := present()
	u, se, re := fullRecords(now)
	if err := s.Records.Import(t.Context(), of([]record.Record{u, se, re}, errBroken), false); !errors.Is(err, errBroken) {
		t.Errorf("Records.Import = %v, want %v", err, errBroken)
	}
	wantRecords(t, s, now, []string{})
	take(t, s, []record.Record{u, se}, false)
	wantRecords(t, s, now, lines(t, u, se))
}

func brokenCanBeReplaced(t *testing.T, s nodes.Stores) {
	now := present()
	furnish(t, s, now)
	u, se, re := fullRecords(now)
	if err := s.Records.Import(t.Context(), of([]record.Record{u, se}, errBroken), true); !errors.Is(err, errBroken) {
		t.Errorf("Records.Import = %v, want %v", err, errBroken)
	}
	take(t, s, []record.Record{u, se, re}, true)
	wantRecords(t, s, now, lines(t, u, se, re))
}

func contradictionsAreRefused(t *testing.T, s nodes.Stores) {
	now := present()
	u, se, re := fullRecords(now)
	other, lone := newUser(), newSession(user.ProvenID{ID: newID()}, now)
	sameKey := other
	sameKey.EmailKey = u.EmailKey
	old := *se
	old.Epoch--
	ahead := *se
	ahead.Epoch++
	shut := *u
	shut.Disabled = true
	for name, some := range map[string][]record.Record{
		"a user twice":                   {u, u},
		"an address twice":               {u, record.UserOf(sameKey, "")},
		"a number twice":                 {u, record.UserOf(withNumber(u.Phone), "")},
		"a session twice":                {u, se, se},
		"a call twice":                   {re, re},
		"a session without its user":     {u, record.SessionOf(hashOf(lone.ID), lone)},
		"a session of an old epoch":      {u, &old},
		"a session of a later epoch":     {u, &ahead},
		"a session of a disabled user":   {&shut, se},
		"a session of one epoch and two": {u, se, &ahead},
	} {
		if err := s.Records.Import(t.Context(), of(some, nil), false); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
		wantRecords(t, s, now, []string{})
	}
}
