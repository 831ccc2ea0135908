package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/user"
	"sluice/server/endpoint"
)

// keyed is a flow that takes keys, with blanks for its endpoint and its demand.
const keyed = "endpoint: ENDPOINT\nsession: none\napiKey: required\nsteps:\n  - respond: 200\n    body: {name: $apiKey.name, scope: $apiKey.scope}\n"

// key makes a key in the world.
func (w *world) key(t testing.TB, k apikey.Key) string {
	t.Helper()
	if k.Name == "" {
		k.Name = "importer"
	}
	text, _, err := apikey.Make(t.Context(), w.Keys, nil, k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestScopesOfKeysAreKept(t *testing.T) {
	listed := []string{"GET /orders/{id}", "POST /orders"}
	w := newWorld(t)
	for scope, c := range map[string]struct {
		key   apikey.Key
		reach map[string]bool
	}{
		"full":     {apikey.Key{Scope: apikey.Full}, map[string]bool{"GET /orders/{id}": true, "POST /orders": true, "DELETE /orders/{id}": true}},
		"readOnly": {apikey.Key{Scope: apikey.ReadOnly}, map[string]bool{"GET /orders/{id}": true, "POST /orders": false, "DELETE /orders/{id}": false}},
		"only": {apikey.Key{Scope: apikey.Only, Endpoints: listed}, map[string]bool{
			"GET /orders/{id}": true, "GET /orders/{order}": true, "POST /orders": true, "POST /orders/{id}": false, "GET /orders/all": false, "GET /orders/{id}/lines": false}},
		"except": {apikey.Key{Scope: apikey.Except, Endpoints: listed}, map[string]bool{"GET /orders/{other}": false, "POST /orders": false, "DELETE /orders/{id}": true}},
	} {
		key := w.key(t, c.key)
		for at, reached := range c.reach {
			want := "forbidden insufficient_scope"
			if reached {
				want = `200 {"name":"importer","scope":"` + scope + `"}`
			}
			e := w.endpoint(t, strings.Replace(keyed, "ENDPOINT", at, 1))
			if got := ask(t, e, endpoint.Request{APIKey: key, Params: []string{"7"}[:strings.Count(at, "{")]}); got != want {
				t.Errorf("%s by a key of scope %s = %s, want %s", at, scope, got, want)
			}
		}
	}
}

func TestKeysThatAreNotGoodAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, yes, no := newWorld(t), true, false
		e := w.endpoint(t, strings.Replace(keyed, "ENDPOINT", "GET /x", 1))
		const bad, good = "unauthenticated invalid_API_key", `200 {"name":"importer","scope":"full"}`
		want := func(what, key, want string) {
			t.Helper()
			if got := ask(t, e, endpoint.Request{APIKey: key}); got != want {
				t.Errorf("%s = %s, want %s", what, got, want)
			}
		}
		unknown, _ := apikey.NewKey()
		want("no key", "", "unauthenticated missing_API_key")
		want("an unknown key", unknown, bad)
		want("a token", w.token, bad)
		want("a key of the settings", "key-1", `200 {"name":"API key of the settings","scope":"full"}`)

		text, made, err := apikey.Make(t.Context(), w.Keys, nil, apikey.Key{Name: "importer", Scope: apikey.Full, UserID: "u1", ExpiresDtm: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		want("a good key", text, good)
		want("its id", made.ID, bad)
		which := apikey.Which{ID: made.ID}
		for _, off := range []*bool{&yes, &no} {
			answer := map[bool]string{true: bad, false: good}[*off]
			if _, err := w.Keys.Update(t.Context(), which, apikey.Change{Suspended: off}); err != nil {
				t.Fatal(err)
			}
			want(fmt.Sprintf("a key with suspended %t", *off), text, answer)
		}
		for _, off := range []*bool{&yes, &no} {
			answer := map[bool]string{true: bad, false: good}[*off]
			if _, err := w.Users.Update(t.Context(), "u1", user.Change{Disabled: off}, time.Now()); err != nil {
				t.Fatal(err)
			}
			want(fmt.Sprintf("the key of a user with disabled %t", *off), text, answer)
		}
		time.Sleep(time.Hour - time.Millisecond)
		want("a key right before its end", text, good)
		time.Sleep(time.Millisecond)
		want("an expired key", text, bad)
	})
}

func TestKeysAreNoSessionsAndDoNotSignOut(t *testing.T) {
	w := newWorld(t)
	key := w.key(t, apikey.Key{Scope: apikey.Full})
	signOut := "endpoint: POST /out\nsession: required\napiKey: optional\nsteps:\n  - node: session.delete\n    with: {token: $session.token}\n  - respond: 204\n"
	e := w.endpoint(t, signOut)
	if got, want := ask(t, e, endpoint.Request{APIKey: key}), "unauthenticated missing_session_token"; got != want {
		t.Errorf("signing out by a key alone = %s, want %s", got, want)
	}
	if got, want := ask(t, e, endpoint.Request{Token: key}), "unauthenticated invalid_session_token"; got != want {
		t.Errorf("signing out by a key in a token's place = %s, want %s", got, want)
	}
	if got := ask(t, e, endpoint.Request{APIKey: key, Token: w.token}); got != "204" {
		t.Errorf("signing out by a key and a token = %s, want 204", got)
	}
}

func TestAnOptionalKeyMustBeGood(t *testing.T) {
	w := newWorld(t)
	e := w.endpoint(t, "endpoint: GET /x\nsession: none\napiKey: optional\nsteps:\n  - if: $apiKey\n    then:\n      - respond: 200\n        body: $apiKey.name\n  - respond: 204\n")
	for key, want := range map[string]string{"": "204", "key-1": `200 "API key of the settings"`, "key-2": "unauthenticated invalid_API_key"} {
		if got := ask(t, e, endpoint.Request{APIKey: key}); got != want {
			t.Errorf("GET /x with the key %q = %s, want %s", key, got, want)
		}
	}
}

func TestUsesOfKeysAreNotedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		touches := &countedKeys{Store: w.Keys}
		w.Keys = touches
		e, key := w.endpoint(t, strings.Replace(keyed, "ENDPOINT", "GET /x", 1)), w.key(t, apikey.Key{Scope: apikey.Full})
		for range 100 {
			ask(t, e, endpoint.Request{APIKey: key})
			time.Sleep(time.Second)
		}
		if touches.n != 2 {
			t.Errorf("100 calls in 100 s = %d uses noted, want 2", touches.n)
		}
	})
}

type countedKeys struct {
	apikey.Store
	n int
}

func (c *countedKeys) Touch(h apikey.Hash, now time.Time) {
	c.n++
	c.Store.Touch(h, now)
}

type brokenKeys struct{ apikey.Store }

func (brokenKeys) Get(context.Context, apikey.Hash, time.Time) (*apikey.Key, error) {
	return nil, errors.Join(errors.New("reading keys"), engine.ErrUnavailable)
}

func TestAStoreThatIsAwayRefusesNoKeyForGood(t *testing.T) {
	w := newWorld(t)
	key := w.key(t, apikey.Key{Scope: apikey.Full})
	w.Keys = brokenKeys{w.Keys}
	if got, want := ask(t, w.endpoint(t, strings.Replace(keyed, "ENDPOINT", "GET /x", 1)), endpoint.Request{APIKey: key}), "unavailable unavailable"; got != want {
		t.Errorf("GET /x while keys cannot be read = %s, want %s", got, want)
	}
}
