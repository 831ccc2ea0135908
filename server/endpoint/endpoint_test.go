package endpoint_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/audit"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
)

// A world is a store with one user and one session, whose token is token.
type world struct {
	nodes.Stores
	token   string
	hash    session.Hash
	clients []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Stores: memory.New()}
	w.Recorder = audit.NewRecorder(w.Audit, audit.Options{})
	now := time.Now()
	u := user.User{ID: "u1", Email: "ada@example.com", EmailKey: "ada@example.com", CreationDtm: now, UpdatedDtm: now}
	if err := w.Users.Create(t.Context(), u, ""); err != nil {
		t.Fatal(err)
	}
	w.token, w.hash = session.NewToken()
	s := session.Session{
		ID: "0198a000-0000-7000-8000-000000000001", UserID: user.ProvenID{ID: "u1"}, CreationDtm: now, LastSeenDtm: now,
		Idle: time.Hour, End: now.Add(24 * time.Hour), ExpiresDtm: now.Add(time.Hour), AccessGroupKeys: []string{"staff"},
	}
	if err := w.Sessions.Create(t.Context(), w.hash, s); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) endpoint(t testing.TB, flow string) *endpoint.Endpoint {
	t.Helper()
	return w.endpoints(t, nil, flow)[0]
}

// endpoints makes endpoints of flows that use nodes beside the core ones.
func (w *world) endpoints(t testing.TB, more []*engine.Node, flows ...string) (made []*endpoint.Endpoint) {
	t.Helper()
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for i, flow := range flows {
		files[fmt.Sprintf("flow%d.yaml", i)] = &fstest.MapFile{Data: []byte("about: x\n" + flow)}
	}
	app, err := engine.Load(files, engine.Env{
		Nodes: append(nodes.Core(w.Stores, hasher, nodes.Post{}, nodes.Trust{}), more...), Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[endpoint.Facts](),
		APIKey: engine.TypeOf[apikey.Key](),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range app.Flows {
		made = append(made, endpoint.New(f, endpoint.Deps{
			Sessions: w.Sessions, Repeats: w.Repeats, APIKeys: w.Keys, Limits: w.Limits, MaxBody: 1 << 16, Audit: w.Recorder,
			Clients: w.clients, Keys: endpoint.Keys{sha256.Sum256([]byte("key-1")): true, sha256.Sum256([]byte("key-3")): true},
		}))
	}
	return made
}

// ask calls an endpoint and prints its answer, or the codes it fails with.
func ask(t testing.TB, e *endpoint.Endpoint, r endpoint.Request) string {
	t.Helper()
	if !r.IP.IsValid() {
		r.IP = netip.MustParseAddr("192.0.2.7")
	}
	if r.Header == nil {
		r.Header = func(string) []string { return nil }
	}
	a, err := e.Call(t.Context(), &r)
	if err == nil {
		return strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, a.Body))
	}
	var failed *engine.Error
	if !errors.As(err, &failed) {
		t.Fatalf("Call = %v, want an *engine.Error", err)
	}
	out := failed.Kind.String()
	for _, it := range failed.Items {
		out += " " + it.Code
		if it.Code == "invalid_input" {
			out += "(" + it.Message + ")"
		}
	}
	return out
}

const (
	required = "endpoint: GET /x\nsession: required\nsteps:\n  - respond: 200\n    body: $session.userId\n"
	optional = "endpoint: GET /x\nsession: optional\nsteps:\n  - if: $session\n    then:\n      - respond: 200\n        body: $session.userId\n  - respond: 204\n"
)

const anyClient = "endpoint: GET /x\nsession: none\nclientKey: required\nsteps:\n  - respond: 204\n"

// values are those of every header of a request.
func values(all ...string) func(string) []string { return func(string) []string { return all } }

// Where the settings name the keys of applications, others are none.
func TestClientKeysOfTheSettings(t *testing.T) {
	w := newWorld(t)
	w.clients = []string{"shop", "desk"}
	e := w.endpoint(t, anyClient)
	for key, want := range map[string]string{"shop": "204", "desk": "204", "Shop": "unauthenticated invalid_client_key", "": "unauthenticated invalid_client_key"} {
		if got := ask(t, e, endpoint.Request{Header: values(key)}); got != want {
			t.Errorf("Call with client key %q = %s, want %s", key, got, want)
		}
	}
}

// An endpoint lets in whom its flow lets in, and nobody else.
func TestGuards(t *testing.T) {
	w := newWorld(t)
	other, _ := session.NewToken()
	for name, tt := range map[string]struct {
		flow    string
		request endpoint.Request
		want    string
	}{
		"required, none":        {required, endpoint.Request{}, "unauthenticated missing_session_token"},
		"required, live":        {required, endpoint.Request{Token: w.token}, `200 "u1"`},
		"required, unknown":     {required, endpoint.Request{Token: other}, "unauthenticated invalid_session_token"},
		"required, no token":    {required, endpoint.Request{Token: "Basic x"}, "unauthenticated invalid_session_token"},
		"required, public id":   {required, endpoint.Request{Token: "0198a000-0000-7000-8000-000000000001"}, "unauthenticated invalid_session_token"},
		"required, hash":        {required, endpoint.Request{Token: fmt.Sprintf("%x", w.hash)}, "unauthenticated invalid_session_token"},
		"optional, none":        {optional, endpoint.Request{}, "204"},
		"optional, live":        {optional, endpoint.Request{Token: w.token}, `200 "u1"`},
		"optional, dead":        {optional, endpoint.Request{Token: other}, "unauthenticated invalid_session_token"},
		"none, dead is no word": {"endpoint: GET /x\nsession: none\nsteps:\n  - respond: 204\n", endpoint.Request{Token: other}, "204"},
		"group held":            {strings.Replace(required, "steps", "groups: [admin, staff]\nsteps", 1), endpoint.Request{Token: w.token}, `200 "u1"`},
		"group lacked":          {strings.Replace(required, "steps", "groups: [admin]\nsteps", 1), endpoint.Request{Token: w.token}, "forbidden missing_access_group"},
		"key none":              {"endpoint: GET /x\nsession: none\napiKey: required\nsteps:\n  - respond: 204\n", endpoint.Request{}, "unauthenticated missing_API_key"},
		"key wrong":             {"endpoint: GET /x\nsession: none\napiKey: required\nsteps:\n  - respond: 204\n", endpoint.Request{APIKey: "key-2"}, "unauthenticated invalid_API_key"},
		"key right":             {"endpoint: GET /x\nsession: none\napiKey: required\nsteps:\n  - respond: 204\n", endpoint.Request{APIKey: "key-1"}, "204"},
		"client none":           {"endpoint: GET /x\nsession: required\nclientKey: required\nsteps:\n  - respond: 204\n", endpoint.Request{}, "unauthenticated invalid_client_key"},
		"client empty":          {anyClient, endpoint.Request{Header: values("")}, "unauthenticated invalid_client_key"},
		"client twice":          {anyClient, endpoint.Request{Header: values("a", "a")}, "unauthenticated invalid_client_key"},
		"client of any name":    {anyClient, endpoint.Request{Header: values("a")}, "204"},
		"key before session":    {strings.Replace(required, "steps", "apiKey: required\nsteps", 1), endpoint.Request{APIKey: "key-2"}, "unauthenticated invalid_API_key"},
		"session before input":  {strings.Replace(required, "steps", "input: {query: {n: integer}}\nsteps", 1), endpoint.Request{RawQuery: "n=x"}, "unauthenticated missing_session_token"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, w.endpoint(t, tt.flow), tt.request); got != tt.want {
				t.Errorf("Call = %s, want %s", got, tt.want)
			}
		})
	}
}

const everywhere = `endpoint: POST /x/{id}
session: none
input:
  path: {id: integer}
  query: {q: string}
  headers: {X-Trace: {type: string, maxLength: 3}}
  body: {n: integer}
steps:
  - respond: 200
    body: [$path.id, $query.q, $headers.X-Trace, $body.n]
`

// All that is wrong with a request is told in one answer, wherever it stands.
func TestInput(t *testing.T) {
	w := newWorld(t)
	header := func(values ...string) func(string) []string { return func(string) []string { return values } }
	none := "endpoint: POST /x\nsession: none\nsteps:\n  - respond: 204\n"
	anything := "endpoint: POST /x\nsession: none\ninput: {query: any, body: any}\nsteps:\n  - respond: 200\n    body: {query: $query, body: $body}\n"
	address := "endpoint: POST /x\nsession: none\ninput: {query: {email: {type: string, format: email}, name: string}}\nsteps:\n  - respond: 200\n    body: [$query.email, $query.name]\n"
	for name, tt := range map[string]struct {
		flow    string
		request endpoint.Request
		want    string
	}{
		"right": {everywhere, endpoint.Request{Params: []string{"7"}, RawQuery: "q=a+b%20c", Header: header("t"), Body: []byte(`{"n":1}`)}, `200 [7,"a b c","t",1]`},
		"all wrong": {everywhere, endpoint.Request{Params: []string{"x"}, RawQuery: "r=1", Header: header("long"), Body: []byte(`{"m":1}`)},
			"invalid invalid_input(Path.id must be an integer.) invalid_input(Query.q is missing.) invalid_input(Query has a parameter that is not known.) " +
				"invalid_input(Headers.X-Trace must have at most 3 characters.) invalid_input(Body has a property that is not known (known: n).) invalid_input(Body.n is missing.)"},
		"no body":            {everywhere, endpoint.Request{Params: []string{"7"}, RawQuery: "q=", Header: header("t")}, "invalid invalid_input(Body is missing.)"},
		"query twice":        {everywhere, endpoint.Request{Params: []string{"7"}, RawQuery: "q=1&q=2", Header: header("t"), Body: []byte(`{"n":1}`)}, "invalid invalid_input(Query.q is given twice.)"},
		"query broken":       {everywhere, endpoint.Request{Params: []string{"7"}, RawQuery: "q=%zz", Header: header("t"), Body: []byte(`{"n":1}`)}, "invalid invalid_input(Query is not well formed.)"},
		"any body":           {anything, endpoint.Request{RawQuery: "", Body: []byte(`[{"$gt":1},null]`)}, `200 {"query":{},"body":[{"$gt":1},null]}`},
		"any query":          {anything, endpoint.Request{RawQuery: "a[$ne]=1&b=x&b=y+z&c=&__proto__=p"}, `200 {"query":{"__proto__":"p","a[$ne]":"1","b":["x","y z"],"c":""},"body":{}}`},
		"any query, no text": {anything, endpoint.Request{RawQuery: "a=%ff"}, "invalid invalid_input(Query must be UTF-8 without control characters.)"},
		"any query, broken":  {anything, endpoint.Request{RawQuery: "a=%zz"}, "invalid invalid_input(Query is not well formed.)"},
		"a whole path":       {strings.Replace(strings.Replace(anything, "/x", "/x/{id}/{rest...}", 1), "query: $query", "path: $path", 1), endpoint.Request{Params: []string{"7", "a/b"}}, `200 {"path":{"id":"7","rest":"a/b"},"body":{}}`},
		"an address":         {address, endpoint.Request{RawQuery: "email=a+b@x.com&name=a+b"}, `200 ["a+b@x.com","a b"]`},
		"an encoded address": {address, endpoint.Request{RawQuery: "email=a%2Bb%40x.com&name=a%2Bb"}, `200 ["a+b@x.com","a+b"]`},
		"none wanted":        {none, endpoint.Request{}, "204"},
		"empty object":       {none, endpoint.Request{Body: []byte(" {} ")}, "204"},
		"body unwanted":      {none, endpoint.Request{Body: []byte(`{"token":"x"}`)}, "invalid invalid_input(Body must be empty, this endpoint takes none.)"},
		"query unwanted":     {none, endpoint.Request{RawQuery: "access_token=x"}, "invalid invalid_input(Query has a parameter that is not known.)"},
		"all of it optional": {"endpoint: POST /x\nsession: none\ninput:\n  body:\n    n?: integer\nsteps:\n  - respond: 200\n    body: $body\n", endpoint.Request{}, "200 {}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, w.endpoint(t, tt.flow), tt.request); got != tt.want {
				t.Errorf("Call = %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A limit lets the allowance through at once and gives it back evenly, for each
// caller by itself.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.endpoint(t, "endpoint: POST /x\nsession: none\nlimit: {rate: 3/min, per: [ip, $body.who]}\ninput: {body: {who: string}}\nsteps:\n  - respond: 204\n")
		try := func(who string) string { return ask(t, e, endpoint.Request{Body: []byte(`{"who":"` + who + `"}`)}) }
		for i, want := range []string{"204", "204", "204", "tooMany rate_limit_exceeded", "tooMany rate_limit_exceeded"} {
			if got := try("a"); got != want {
				t.Errorf("call %d = %s, want %s", i, got, want)
			}
		}
		if got := try("b"); got != "204" {
			t.Errorf("another caller's call = %s, want 204", got)
		}
		time.Sleep(20 * time.Second)
		if got := try("a") + ", " + try("a"); got != "204, tooMany rate_limit_exceeded" {
			t.Errorf("after a third of the time: %s, want one more call", got)
		}
	})
}

// Who can write an address in many ways, or has many addresses, has one allowance.
func TestLimitCountsEverySpelling(t *testing.T) {
	w := newWorld(t)
	e := w.endpoint(t, "endpoint: POST /x\nsession: none\nlimit: {rate: 1/day, per: [ip, $body.who]}\ninput: {body: {who: string}}\nsteps:\n  - respond: 204\n")
	for _, c := range []struct{ ip, who, want string }{
		{"192.0.2.1", "ada@example.com", "204"},
		{"192.0.2.1", "ADA@Example.com", "tooMany rate_limit_exceeded"},
		{"192.0.2.1", "\uff41da@example\u3002com", "tooMany rate_limit_exceeded"},
		{"192.0.2.1", "ada\uff20example.com", "tooMany rate_limit_exceeded"},
		{"192.0.2.1", "bob@example.com", "204"},
		{"192.0.2.2", "ada@example.com", "204"},
		{"2001:db8::1", "ada@example.com", "204"},
		{"2001:db8::2:1", "ada@example.com", "tooMany rate_limit_exceeded"},
		{"2001:db8:0:1::1", "ada@example.com", "204"},
	} {
		r := endpoint.Request{IP: netip.MustParseAddr(c.ip), Body: []byte(`{"who":"` + c.who + `"}`)}
		if got := ask(t, e, r); got != c.want {
			t.Errorf("call of %s from %s = %s, want %s", c.who, c.ip, got, c.want)
		}
	}
}

// Use keeps a session alive, its end stands, and the flow sees it as it is now.
func TestSessionSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.endpoint(t, required)
		for range 25 { // 24 hours of use, every 58 minutes
			time.Sleep(58 * time.Minute)
			if got := ask(t, e, endpoint.Request{Token: w.token}); got != `200 "u1"` {
				if since := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); since < 24*time.Hour {
					t.Fatalf("after %v: %s", since, got)
				}
				return
			}
		}
		t.Error("the session outlived its end")
	})
}

// An unused session is dead at the very second at which its idle time is over.
func TestSessionIdles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.endpoint(t, required)
		time.Sleep(time.Hour)
		if got := ask(t, e, endpoint.Request{Token: w.token}); got != "unauthenticated invalid_session_token" {
			t.Errorf("Call after the idle time = %s, want invalid_session_token", got)
		}
	})
}
