package openapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/engine"
	"sluice/flows"
	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/data"
	"sluice/nodes/mail"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/server/endpoint"
	"sluice/server/rest"
)

// serve returns what serves the shipped flows from memory, with their mails in
// box, and the memory. While madeUp says so, nodes succeed with made-up values.
func serve(t *testing.T, box *mail.Mailbox, madeUp *bool) (fasthttp.RequestHandler, nodes.Stores) {
	t.Helper()
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	stores := memory.New()
	templates, problems := mail.ReadTemplates(flows.FS)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	post := nodes.Post{Post: mail.Post{Sender: box, Texts: box, Queue: atOnce{}, Templates: templates}}
	app, err := engine.Load(flows.FS, engine.Env{
		Nodes: nodes.Core(stores, hasher, post, nodes.Trust{}), Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[endpoint.Facts](),
		APIKey: engine.TypeOf[apikey.Caller](), Document: engine.TypeOf[data.Head](),
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*data.Collection
	for _, c := range app.Collections {
		all = append(all, data.FromEngine(c))
	}
	if err := stores.Data.Prepare(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	var eps []rest.Endpoint
	for _, f := range app.Flows {
		if f.Method == "" {
			continue // a field of GraphQL alone
		}
		eps = append(eps, endpoint.New(f, endpoint.Deps{
			Sessions: stores.Sessions, Repeats: stores.Repeats, Limits: stores.Limits, MaxBody: 1 << 16,
		}).Probed(&engine.Probe{Fake: func(at engine.At) (engine.Fake, bool) { return engine.Fake{}, *madeUp && at.Node != nil }}))
	}
	s := rest.New(rest.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.Swap(eps); err != nil {
		t.Fatal(err)
	}
	return s.Handler(), stores
}

// nobodys is the id of no session.
const nobodys = "00000000-0000-4000-8000-000000000000"

// A call is a request to a server, and what is expected of its answer.
type call struct {
	endpoint string // method and path
	body     string
	token    string // name of a token that an answer gave before
	status   int
	keep     string // name to keep the token, and the ids, of the answer under
	group    string // that the session gets first
	at       string // path as documented, where an id is not that of the last session
	code     string // of a failure
	madeUp   bool   // what the nodes give
}

// do calls a server and returns the request and the response as other programs
// see them.
func (c call) do(t *testing.T, handler fasthttp.RequestHandler, token string) (*http.Request, *http.Response, []byte) {
	t.Helper()
	method, path, _ := strings.Cut(c.endpoint, " ")
	asked, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	raw := c.endpoint + " HTTP/1.1\r\nHost: localhost\r\n"
	if c.body != "" {
		asked.Header.Set("Content-Type", "application/json")
		raw += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(c.body))
	}
	if strings.HasPrefix(path, "/_api/") {
		asked.Header.Set("X-Client-Key", "client")
		raw += "X-Client-Key: client\r\n"
	}
	if token != "" {
		asked.Header.Set("Session", token)
		raw += "Session: " + token + "\r\n"
	}
	var rc fasthttp.RequestCtx
	rc.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, nil)
	if err := rc.Request.Read(bufio.NewReader(strings.NewReader(raw + "\r\n" + c.body))); err != nil {
		t.Fatal(err)
	}
	handler(&rc)
	body := bytes.Clone(rc.Response.Body())
	res := &http.Response{StatusCode: rc.Response.StatusCode(), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: asked}
	for name, value := range rc.Response.Header.All() {
		res.Header.Add(string(name), string(value))
	}
	return asked, res, body
}

// seal forbids what a document does not name, so that an answer which holds more
// is found.
func seal(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" && v["properties"] != nil {
			v["additionalProperties"] = false
		}
		for _, inside := range v {
			seal(inside)
		}
	case []any:
		for _, inside := range v {
			seal(inside)
		}
	}
}

// story calls every shipped endpoint with success and without. ID stands for the
// id of the session that was opened last.
func story() []call {
	const (
		ada  = `{"email": "ada@example.com", "password": "a ferry across the river"}`
		news = `{"current": "a ferry across the river", "new": "a bridge over the river"}`
	)
	return []call{
		{endpoint: "POST /auth/sign-up", body: ada, status: 201, keep: "first"},
		{endpoint: "POST /auth/sign-up", body: ada, status: 409, code: "emailTaken"},
		{endpoint: "POST /auth/sign-up", body: `{"email": "ada", "name": ""}`, status: 400, code: "invalid_input"},
		{endpoint: "POST /auth/sign-in", body: ada, status: 200, keep: "second"},
		{endpoint: "POST /auth/sign-in", body: news, status: 400, code: "invalid_input"},
		{endpoint: "POST /auth/sign-in", body: strings.Replace(ada, "ferry", "boat", 1), status: 401, code: "invalid_credentials"},
		{endpoint: "GET /auth/me", token: "first", status: 200},
		{endpoint: "GET /auth/me", status: 401, code: "missing_session_token"},
		{endpoint: "GET /auth/me?more=1", token: "first", status: 400, code: "invalid_input"},
		{endpoint: "GET /auth/sessions?limit=1", token: "first", status: 200},
		{endpoint: "GET /auth/sessions?limit=0", token: "first", status: 400, code: "invalid_input"},
		{endpoint: "GET /examples/beta", token: "first", status: 403, code: "missing_access_group"},
		{endpoint: "DELETE /examples/beta", token: "first", status: 403, code: "missing_access_group"},
		{endpoint: "POST /examples/beta", token: "first", status: 200},
		{endpoint: "POST /examples/beta", token: "wrong", status: 401, code: "invalid_session_token"},
		{endpoint: "GET /examples/beta", token: "first", status: 200},
		{endpoint: "DELETE /examples/beta", token: "first", status: 204},
		{endpoint: "DELETE /auth/sessions/" + nobodys, token: "first", status: 404, code: "unknown_session"},
		{endpoint: "DELETE /auth/sessions/ID", token: "first", status: 204},
		{endpoint: "POST /auth/change-password", body: strings.Replace(news, "ferry", "boat", 1), token: "first", status: 403, code: "wrong_password"},
		{endpoint: "POST /auth/change-password", body: news, token: "first", status: 200, keep: "third"},
		{endpoint: "POST /auth/sign-out-others", token: "third", status: 200},
		{endpoint: "POST /auth/sign-out-others", token: "first", status: 401, code: "invalid_session_token"},
		{endpoint: "POST /auth/sign-out", token: "third", status: 204},
		{endpoint: "POST /auth/sign-out", token: "third", status: 401, code: "invalid_session_token"},
		{endpoint: "POST /auth/sign-in", body: strings.Replace(ada, "ferry across", "bridge over", 1), status: 200, keep: "fourth"},
		{endpoint: "POST /auth/sign-out-all", token: "fourth", status: 200},
		{endpoint: "POST /auth/sign-out-all", token: "fourth", status: 401, code: "invalid_session_token"},

		{endpoint: "POST /auth/sign-in", body: strings.Replace(ada, "ferry across", "bridge over", 1), status: 200, keep: "ada"},
		{endpoint: "GET /auth/sessions/ID", token: "ada", status: 200},
		{endpoint: "GET /auth/sessions/" + nobodys, token: "ada", status: 404, code: "unknown_session"},
		{endpoint: "POST /auth/confirm-password", body: `{"password": "a bridge over the river"}`, token: "ada", status: 200},
		{endpoint: "POST /auth/confirm-password", body: `{"password": "a ferry across the river"}`, token: "ada", status: 403, code: "wrong_password"},
		{endpoint: "POST /auth/renew-token", token: "ada", status: 200, keep: "ada2"},
		{endpoint: "POST /auth/renew-token", token: "ada", status: 401, code: "invalid_session_token"},
	}
}

// adminStory goes on with what administrators do. {NAME.user} and {NAME.id} stand
// for the ids of the user and of the session or key that an answer gave.
func adminStory() []call {
	const (
		root     = `{"email": "root@example.com", "password": "a ferry across the river"}`
		key      = `{"name": "importer", "scope": "only", "endpoints": ["GET /orders/{id}"]}`
		sessions = "/admin/users/{id}/sessions"
		one      = "/admin/users/{id}/sessions/{session}"
		keys     = "/admin/keys/{id}"
	)
	return []call{
		{endpoint: "POST /auth/sign-up", body: root, status: 201, keep: "root"},
		{endpoint: "GET /admin/keys", token: "root", status: 403, code: "missing_access_group"},
		{endpoint: "GET /admin/users/{ada.user}/sessions", at: sessions, token: "root", status: 403, code: "missing_access_group"},
		{endpoint: "GET /admin/users/{ada.user}/sessions", at: sessions, token: "root", group: "admin", status: 200},
		{endpoint: "POST /admin/sessions", body: `{"userId": "{ada.user}", "expiration": 5}`, token: "root", status: 201, keep: "made"},
		{endpoint: "POST /admin/sessions", body: `{"userId": "{root.user}"}`, token: "root", status: 403, code: "protected"},
		{endpoint: "POST /admin/impersonate", body: `{"userId": "{ada.user}", "reason": "Ticket 42"}`, token: "root", status: 201, keep: "acting"},
		{endpoint: "POST /admin/impersonate", body: `{"userId": "` + nobodys + `", "reason": "Ticket 42"}`, token: "root", status: 404, code: "notFound"},
		{endpoint: "GET /auth/sessions", token: "acting", status: 200},
		{endpoint: "POST /auth/sign-out-others", token: "acting", status: 403, code: "reauth_required"},
		{endpoint: "PATCH /admin/users/{ada.user}/sessions/{made.id}", at: one, body: `{"addGroups": ["beta"]}`, token: "root", status: 200},
		{endpoint: "PATCH /admin/users/{root.user}/sessions/{made.id}", at: one, body: `{"addGroups": ["beta"]}`, token: "root", status: 404, code: "notFound"},
		{endpoint: "DELETE /admin/users/{ada.user}/sessions/{made.id}", at: one, token: "root", status: 204},
		{endpoint: "DELETE /admin/users/{ada.user}/sessions/{made.id}", at: one, token: "root", status: 404, code: "notFound"},
		{endpoint: "DELETE /admin/users/{ada.user}/sessions", at: sessions, token: "acting", status: 403, code: "missing_access_group"},
		{endpoint: "DELETE /admin/users/{ada.user}/sessions", at: sessions, token: "root", status: 200},
		{endpoint: "POST /admin/keys", body: key, token: "root", status: 201, keep: "key"},
		{endpoint: "POST /admin/keys", body: strings.Replace(key, "only", "full", 1), token: "root", status: 400, code: "invalidKey"},
		{endpoint: "GET /admin/keys", token: "root", status: 200},
		{endpoint: "PATCH /admin/keys/{key.id}", at: keys, body: `{"suspended": true}`, token: "root", status: 200},
		{endpoint: "PATCH /admin/keys/" + nobodys, at: keys, body: `{"suspended": true}`, token: "root", status: 404, code: "notFound"},
		{endpoint: "DELETE /admin/keys/{key.id}", at: keys, token: "root", status: 204},
		{endpoint: "DELETE /admin/keys/{key.id}", at: keys, token: "root", status: 404, code: "notFound"},
	}
}

// shopStory goes on in the shop, with root as its keeper.
func shopStory() []call {
	const (
		ink     = `{"sku": "INK-1", "name": "Ink", "category": "pens", "price": 300, "stock": 5}`
		address = `{"address": {"name": "Ada", "street": "1 Mill Lane", "city": "Gent", "country": "be"}}`
		shop    = "/examples/shop"
		product = shop + "/admin/products/{id}"
		order   = shop + "/orders/{id}"
		sku     = shop + "/products/{sku}"
		line    = shop + "/basket/{sku}"
	)
	return []call{
		{endpoint: "POST " + shop + "/admin/products", body: ink, token: "root", status: 403, code: "missing_access_group"},
		{endpoint: "POST " + shop + "/admin/products", body: ink, token: "root", group: "shopkeeper", status: 201, keep: "ink"},
		{endpoint: "POST " + shop + "/admin/products", body: ink, token: "root", status: 409, code: "sku_taken"},
		{endpoint: "PATCH " + shop + "/admin/products/{ink.id}?version=1", at: product, body: `{"about": "Black."}`, token: "root", status: 200},
		{endpoint: "PATCH " + shop + "/admin/products/{ink.id}?version=1", at: product, body: `{"about": "Blue."}`, token: "root", status: 409, code: "stale"},
		{endpoint: "GET " + shop + "/products?sort=-price&category=pens&most=500", status: 200},
		{endpoint: "GET " + shop + "/products?after=nowhere", status: 400, code: "invalidCursor"},
		{endpoint: "GET " + shop + "/products/INK-1", at: sku, status: 200},
		{endpoint: "GET " + shop + "/products/NONE", at: sku, status: 404, code: "unknown_product"},
		{endpoint: "POST " + shop + "/basket", body: `{"sku": "INK-1", "quantity": 2}`, token: "root", status: 201},
		{endpoint: "POST " + shop + "/basket", body: `{"sku": "INK-1"}`, token: "root", status: 200},
		{endpoint: "POST " + shop + "/basket", body: `{"sku": "INK-1", "quantity": 99}`, token: "root", status: 409, code: "too_many"},
		{endpoint: "GET " + shop + "/basket", token: "root", status: 200},
		{endpoint: "GET " + shop + "/basket", status: 401, code: "missing_session_token"},
		{endpoint: "POST " + shop + "/checkout", body: address, token: "root", status: 201, keep: "order"},
		{endpoint: "POST " + shop + "/checkout", body: address, token: "root", status: 409, code: "empty_basket"},
		{endpoint: "POST " + shop + "/basket", body: `{"sku": "INK-1"}`, token: "root", status: 201},
		{endpoint: "DELETE " + shop + "/basket/INK-1", at: line, token: "root", status: 204},
		{endpoint: "DELETE " + shop + "/basket/INK-1", at: line, token: "root", status: 404, code: "not_in_basket"},
		{endpoint: "GET " + shop + "/orders", token: "root", status: 200},
		{endpoint: "GET " + shop + "/orders?limit=0", token: "root", status: 400, code: "invalid_input"},
		{endpoint: "GET " + shop + "/orders/{order.id}", at: order, token: "root", status: 200},
		{endpoint: "GET " + shop + "/orders/" + nobodys, at: order, token: "root", status: 404, code: "unknown_order"},
		{endpoint: "GET " + shop + "/admin/orders", token: "root", status: 200},
		{endpoint: "GET " + shop + "/admin/orders?status=lost", token: "root", status: 400, code: "invalid_input"},
		{endpoint: "POST " + shop + "/orders/{order.id}/cancel", at: order + "/cancel", token: "root", status: 200},
		{endpoint: "POST " + shop + "/orders/{order.id}/cancel", at: order + "/cancel", token: "root", status: 409, code: "order_not_open"},
		{endpoint: "POST " + shop + "/basket", body: `{"sku": "INK-1"}`, token: "root", status: 201},
		{endpoint: "POST " + shop + "/checkout", body: address, token: "root", status: 201, keep: "order2"},
		{endpoint: "POST " + shop + "/admin/orders/{order2.id}/ship", at: shop + "/admin/orders/{id}/ship", token: "root", status: 204},
		{endpoint: "POST " + shop + "/admin/orders/{order2.id}/ship", at: shop + "/admin/orders/{id}/ship", token: "root", status: 409, code: "order_not_open"},
		{endpoint: "DELETE " + shop + "/admin/products/{ink.id}", at: product, token: "root", status: 204},
		{endpoint: "DELETE " + shop + "/admin/products/" + nobodys, at: product, token: "root", status: 404, code: "unknown_product"},
	}
}

// give adds a group to the session of a token.
func give(t *testing.T, s nodes.Stores, token, group string) {
	t.Helper()
	h, _ := session.HashOf(token)
	if n, err := s.Sessions.Update(t.Context(), session.Which{Hash: h}, session.Groups{Add: []string{group}}, time.Now()); err != nil || n != 1 {
		t.Fatalf("Sessions.Update(%s) = %d, %v, want 1", group, n, err)
	}
}

func TestAnswersAreAsDocumented(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(documented(t), &doc); err != nil {
		t.Fatal(err)
	}
	seal(doc)
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v := judge(t, text)
	box := mail.NewMailbox(10, nil)
	var madeUp bool
	handler, stores := serve(t, box, &madeUp)
	mailed, filled := &filler{box: box}, []string{} // what stands for ids, and the ids
	tokens := map[string]string{"wrong": "sls_0123456789abcdefghijklmnopqrstuvwxyz0123456"}
	called := map[string]map[bool]bool{} // by endpoint, whether it succeeded
	var id string                        // of the last session that was opened
	for _, c := range slices.Concat(story(), adminStory(), shopStory(), mailStory(), federationStory(), altogicStory()) {
		fill := strings.NewReplacer(filled...)
		c.endpoint, c.body = mailed.fill(fill.Replace(strings.Replace(c.endpoint, "/ID", "/"+id, 1))), mailed.fill(fill.Replace(c.body))
		if c.group != "" {
			give(t, stores, tokens[c.token], c.group)
		}
		madeUp = c.madeUp
		asked, res, body := c.do(t, handler, tokens[c.token])
		var told struct {
			Session struct{ ID, UserID, Token string }
			Key     struct{ ID string }
			ID      string // of a document
			Errors  []struct{ Code string }
		}
		if !json.Valid(body) && len(body) > 0 {
			t.Fatalf("%s = %s, want JSON", c.endpoint, body)
		}
		if bytes.HasPrefix(body, []byte("{")) {
			if err := json.Unmarshal(body, &told); err != nil {
				t.Fatalf("%s = %s, %v", c.endpoint, body, err)
			}
			mailed.note(t, body)
		}
		mailed.follow(res.Header.Get("Location"))
		if res.StatusCode != c.status || c.code != "" && (len(told.Errors) == 0 || told.Errors[0].Code != c.code) {
			t.Fatalf("%s = %d %s, want %d %s", c.endpoint, res.StatusCode, body, c.status, c.code)
		}
		if c.keep != "" {
			if tokens[c.keep] = told.Session.Token; told.Session.ID != "" {
				id = told.Session.ID
			}
			filled = append(filled, "{"+c.keep+".id}", told.Session.ID+told.Key.ID+told.ID, "{"+c.keep+".user}", told.Session.UserID)
		}
		if ok, errs := v.ValidateHttpResponse(asked, res); !ok {
			for _, e := range errs {
				t.Errorf("%s = %d %s, documented otherwise: %s %v", c.endpoint, res.StatusCode, body, e.Reason, e.SchemaValidationErrors)
			}
		}
		if ok, errs := v.ValidateHttpRequest(asked); !ok && c.status < 400 {
			t.Errorf("%s was answered, documented otherwise: %v", c.endpoint, errs[0].Reason)
		}
		path, _, _ := strings.Cut(strings.Replace(strings.Replace(c.endpoint, id, "{id}", 1), nobodys, "{id}", 1), "?")
		if c.at != "" {
			method, _, _ := strings.Cut(c.endpoint, " ")
			path = method + " " + c.at
		}
		if called[path] == nil {
			called[path] = map[bool]bool{}
		}
		called[path][c.status < 400] = true
	}
	for path, ops := range doc["paths"].(map[string]any) {
		for method, op := range ops.(map[string]any) {
			want := 1
			for status := range op.(map[string]any)["responses"].(map[string]any) {
				if status < "400" {
					want = 2
				}
			}
			if e := strings.ToUpper(method) + " " + path; len(called[e]) != want {
				t.Errorf("%s was called with %v, want a success, where it has one, and a failure", e, called[e])
			}
		}
	}
}
