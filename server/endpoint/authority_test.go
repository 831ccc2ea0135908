package endpoint_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
)

// open opens one more session of the user of a world and returns its token.
func (w *world) open(t *testing.T, id string, change func(*session.Session)) string {
	t.Helper()
	token, hash := session.NewToken()
	now := time.Now()
	s := session.Session{
		ID: id, UserID: user.ProvenID{ID: "u1"}, CreationDtm: now, LastSeenDtm: now, Idle: time.Hour, End: now.Add(24 * time.Hour),
		ExpiresDtm: now.Add(time.Hour), AuthenticatedDtm: now,
	}
	change(&s)
	if err := w.Sessions.Create(t.Context(), hash, s); err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAFreshSessionIsOneThatWasProvedAShortWhileAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.endpoint(t, "endpoint: GET /x\nsession: {required: fresh 10m}\nsteps:\n  - respond: 204\n")
		token := w.open(t, "s2", func(*session.Session) {})
		want := func(token, want string) {
			t.Helper()
			if got := ask(t, e, endpoint.Request{Token: token}); got != want {
				t.Errorf("GET /x = %s, want %s", got, want)
			}
		}
		want(token, "204")
		want(w.token, "forbidden reauth_required") // which nobody proved
		want("", "unauthenticated missing_session_token")
		time.Sleep(10 * time.Minute)
		want(token, "204")
		time.Sleep(time.Millisecond)
		want(token, "forbidden reauth_required") // though it was just used
		h, _ := session.HashOf(token)
		if _, err := w.Sessions.Renew(t.Context(), h, session.Renewal{AuthenticatedDtm: time.Now()}, time.Now()); err != nil {
			t.Fatal(err)
		}
		want(token, "204")
	})
}

type heldIn struct {
	By     session.Authority `json:"by" secret:"true" doc:"Authority."`
	UserID user.ProvenID     `json:"userId" doc:"Proof."`
}

type heldOut struct {
	Text string `json:"text" doc:"What was given."`
}

// held tells what authority and what proof a flow is given.
func held() *engine.Node {
	return engine.Define("test.held", "Tells.", func(_ context.Context, in heldIn) (heldOut, error) {
		return heldOut{fmt.Sprintf("%s %s %v, %s by %q at %t", in.By.UserID, in.By.SessionID, in.By.Groups, in.UserID.ID, in.UserID.Actor, !in.UserID.Time.IsZero())}, nil
	})
}

func TestAuthorityIsOfTheCallerAndNotOfWhoActs(t *testing.T) {
	w := newWorld(t)
	staff := w.open(t, "s2", func(s *session.Session) { s.AccessGroupKeys = []string{"staff"} })
	acting := w.open(t, "s3", func(s *session.Session) {
		s.AccessGroupKeys, s.AuthenticatedDtm = []string{"staff"}, time.Time{}
		s.ImpersonatedBy = &session.Impersonation{UserID: "u1", SessionID: "s2", Reason: "A test."}
	})
	e := w.endpoints(t, []*engine.Node{held()}, "endpoint: GET /x\nsession: required\ngroups: [staff, admin]\nsteps:\n  - id: held\n    node: test.held\n    with: {by: $session.authority, userId: $session.userId}\n  - respond: 200\n    body: $held.text\n")[0]
	for token, want := range map[string]string{
		staff:  `200 "u1 s2 [staff admin], u1 by \"\" at true"`,
		acting: `200 "  [], u1 by \"u1\" at false"`,
	} {
		if got := ask(t, e, endpoint.Request{Token: token}); got != want {
			t.Errorf("GET /x = %s, want %s", got, want)
		}
	}
	h, _ := session.HashOf(staff)
	if _, err := w.Sessions.End(t.Context(), session.Which{Hash: h}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, e, endpoint.Request{Token: acting}), "unauthenticated invalid_session_token"; got != want {
		t.Errorf("GET /x behind the end of the actor's session = %s, want %s", got, want)
	}
}
