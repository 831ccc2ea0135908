package endpoint_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
)

func recorded(t *testing.T, w *world) []audit.Event {
	t.Helper()
	list, err := w.Audit.List(t.Context(), audit.Query{Limit: 100})
	if err != nil {
		t.Fatalf("Audit.List = %v, want nil", err)
	}
	return list
}

func TestAFlowOfOnesOwnIsAuditedWithWhatIsKnownOfTheRequest(t *testing.T) {
	w := newWorld(t)
	e := w.endpoint(t, "endpoint: POST /x\nsession: none\ntimeout: 5s\ninput: {body: {who: string, password: {type: string, format: password}}}\nsteps:\n"+
		"  - id: someone\n    node: user.fetch\n    with: {email: $body.who}\n    on: {notFound: continue}\n"+
		"  - try:\n      - node: password.check\n        timeout: 3s\n        with: {user: $someone, account: $body.who, password: $body.password}\n    catch:\n      any:\n        - respond: 204\n  - respond: 204\n")
	for _, who := range []string{"ada@example.com", "eve@example.com"} {
		r := endpoint.Request{ID: "r1", UserAgent: "curl/8", Body: []byte(`{"who":"` + who + `","password":"a wrong password"}`)}
		if got := ask(t, e, r); got != "204" {
			t.Fatalf("Call = %s, want 204", got)
		}
	}
	got := recorded(t, w)
	if len(got) != 2 {
		t.Fatalf("%d events, want 2", len(got))
	}
	for i, want := range []struct{ subject, reason string }{
		{"u1", "user has no password"}, {w.Audit.Keys().Pseudonym("eve@example.com"), "no such user"},
	} {
		e := got[i]
		if e.Kind != audit.SignInFailed || e.Subject != want.subject || e.Details["reason"] != want.reason || e.RequestID != "r1" ||
			e.IP != "192.0.2.7" || e.UserAgent != "curl/8" || e.Flow != "flow0.yaml" || e.Actor != "" {
			t.Errorf("event %d = %+v, want a failed sign-in of %s with the facts of the request", i, e, want.subject)
		}
	}
}

func TestAnEndOfTheCallersSessionIsASignOutAndOfAnotherIsNot(t *testing.T) {
	w := newWorld(t)
	e := w.endpoints(t, nil, "endpoint: POST /x\nsession: required\nsteps:\n  - node: session.delete\n    with: {token: $session.token}\n  - respond: 204\n",
		"endpoint: POST /y\nsession: required\ninput: {body: {token: {type: string, format: password}}}\nsteps:\n  - node: session.delete\n    with: {token: $body.token}\n  - respond: 204\n")
	other := newWorld(t)
	s, err := other.Sessions.Get(t.Context(), other.hash, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	second := *s
	second.ID = "0198a000-0000-7000-8000-000000000002"
	if err := w.Sessions.Create(t.Context(), other.hash, second); err != nil {
		t.Fatal(err)
	}
	for i, r := range []endpoint.Request{{Token: w.token, Body: []byte(`{"token":"` + other.token + `"}`)}, {Token: w.token}} {
		if got := ask(t, e[1-i], r); got != "204" {
			t.Fatalf("Call = %s, want 204", got)
		}
	}
	got := recorded(t, w)
	if len(got) != 2 || got[0].Kind != audit.SessionEnded || got[0].SessionID != second.ID || got[1].Kind != audit.SignOut || got[1].Actor != "u1" {
		t.Errorf("events = %+v, want another session ended, and a sign-out", got)
	}
}

func TestRefusedCallsAreCountedByTheReason(t *testing.T) {
	w := newWorld(t)
	dead, _ := session.NewToken()
	e := w.endpoints(t, nil, required, "endpoint: GET /y\nsession: none\nlimit: {rate: 1/min, per: [ip]}\nsteps:\n  - respond: 204\n")
	for range 3 {
		ask(t, e[0], endpoint.Request{Token: dead})
		ask(t, e[1], endpoint.Request{})
	}
	ask(t, e[0], endpoint.Request{Token: w.token})
	if err := w.Recorder.Flush(t.Context()); err != nil {
		t.Fatalf("Flush = %v, want nil", err)
	}
	times := map[string]string{}
	for _, e := range recorded(t, w) {
		times[e.Outcome] = e.Details["times"]
	}
	if len(times) != 2 || times["invalid_session_token"] != "3" || times["rate_limit_exceeded"] != "2" {
		t.Errorf("refusals = %v, want 3 dead tokens and 2 over the limit", times)
	}
}

func TestAKeyIsNotedOnceAnHourAndWhatAProgramDoesIsOfItsKey(t *testing.T) {
	w := newWorld(t)
	e := w.endpoints(t, nil, "endpoint: POST /x\nsession: none\napiKey: required\nsteps:\n  - node: session.deleteAll\n    with: {userId: u1}\n  - respond: 204\n")
	text, made, err := apikey.Make(t.Context(), w.Keys, nil, apikey.Key{Name: "importer", Scope: apikey.Full})
	if err != nil {
		t.Fatal(err)
	}
	reader, narrow, err := apikey.Make(t.Context(), w.Keys, nil, apikey.Key{Name: "reader", Scope: apikey.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{text, text, reader, reader, "slk_unknown"} {
		ask(t, e[0], endpoint.Request{APIKey: key})
	}
	var kinds []string
	for _, e := range recorded(t, w) {
		kinds = append(kinds, string(e.Kind)+" "+e.Subject+" "+e.Actor)
	}
	of := audit.KeyActor(made.ID)
	want := []string{
		"keyUsed " + made.ID + " " + of, "sessionsEnded u1 " + of, "sessionsEnded u1 " + of, "keyRefused " + narrow.ID + " ",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("events = %q, want %q", kinds, want)
	}
}

func TestWhoActsForAUserIsTheActor(t *testing.T) {
	w := newWorld(t)
	e := w.endpoints(t, nil, "endpoint: POST /x\nsession: required\nsteps:\n  - node: session.update\n    with: {userId: $session.userId, addGroups: [beta]}\n  - node: session.delete\n    with: {token: $session.token}\n  - respond: 204\n")
	own, err := w.Sessions.Get(t.Context(), w.hash, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	token, hash := session.NewToken()
	acting := *own
	acting.ID = "0198a000-0000-7000-8000-000000000002"
	acting.ImpersonatedBy = &session.Impersonation{UserID: own.UserID.ID, SessionID: own.ID, Reason: "Ticket 42"}
	u := user.User{ID: "u2", Email: "eve@example.com", EmailKey: "eve@example.com"}
	acting.UserID = user.ProvenID{ID: u.ID}
	if err := errors.Join(w.Users.Create(t.Context(), u, ""), w.Sessions.Create(t.Context(), hash, acting)); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, e[0], endpoint.Request{Token: token}); got != "204" {
		t.Fatalf("Call = %s, want 204", got)
	}
	got := recorded(t, w)
	if len(got) != 2 || got[0].Kind != audit.GroupsChanged || got[1].Kind != audit.ImpersonationEnded {
		t.Fatalf("events = %+v, want %s and %s", got, audit.GroupsChanged, audit.ImpersonationEnded)
	}
	for _, e := range got {
		if e.Actor != "u1" || e.Subject != "u2" {
			t.Errorf("%s is of %s by %s, want of u2 by u1", e.Kind, e.Subject, e.Actor)
		}
	}
}
