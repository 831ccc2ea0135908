package data_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/data"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// load compiles a flow with the collections of testdata, in a store of its own.
func load(t *testing.T, flow string) (*engine.Flow, nodes.Stores) {
	t.Helper()
	types, err := os.ReadFile("testdata/types.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stores := memory.New()
	app, err := engine.Load(fstest.MapFS{"types.yaml": {Data: types}, "flow.yaml": {Data: []byte(flow)}}, engine.Env{
		Nodes: data.Nodes(stores.Data), Session: engine.TypeOf[session.Session](), Document: engine.TypeOf[data.Head](),
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
	return app.Flows[0], stores
}

// call runs a flow with a body, for a user.
func call(t *testing.T, f *engine.Flow, body, userID string) (string, error) {
	t.Helper()
	v, faults := f.Input.Body.ReadJSON([]byte(body), "body")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	s := &session.Session{UserID: user.ProvenID{ID: userID}}
	a, err := f.Program.Run(t.Context(), engine.Inputs{Body: v, Session: engine.ValueOf(s)})
	return string(a.Body), err
}

func TestStepsTouchTheirCollections(t *testing.T) {
	f, _ := load(t, `
about: x
endpoint: POST /x
session: required
steps:
  - node: data.find
    with: {collection: orders, owner: $session.userId}
  - node: data.count
    with: {collection: orders, everyone: true}
  - node: data.write
    with:
      changes:
        - {delete: products, id: x}
        - {update: orders, everyone: true, id: x, set: {status: paid}}
  - node: data.delete
    with: {collection: products, id: x}
  - respond: 204
`)
	var got []string
	for _, s := range f.Steps {
		if s.Node != nil {
			got = append(got, fmt.Sprintf("%s reads %v writes %v", s.Word, s.Node.Touches.Reads, s.Node.Touches.Writes))
		}
	}
	want := "data.find reads [orders] writes []\n" +
		"data.count reads [orders of everyone] writes []\n" +
		"data.write reads [] writes [products orders of everyone]\n" +
		"data.delete reads [] writes [products]"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("steps touch\n%s\nwant\n%s", text, want)
	}
}

func TestNoStepReachesTheDocumentsOfAnotherOwner(t *testing.T) {
	const flow = `
about: x
endpoint: POST /x
session: required
input: {body: {id: string}}
steps:
  - %s
    with: {collection: orders, owner: $session.userId, %s}
  - respond: 200
    body: %s
`
	order := data.Document{ID: "o1", Version: 1, Body: []byte(`{"userId":"ada","number":1,"status":"open","address":{"city":"x","zip":"y"},"lines":[]}`)}
	for node, test := range map[string]struct{ with, body, eve string }{
		"data.get":    {"id: $body.id", "$x.number", "notFound"},
		"data.find":   {"where: {id: $body.id}", "$x.items", "[]"},
		"data.count":  {"where: {id: $body.id}", "$x.count", "0"},
		"data.update": {"id: $body.id, set: {status: paid}", "$x.status", "notFound"},
		"data.delete": {"id: $body.id", "ok", "notFound"},
	} {
		t.Run(node, func(t *testing.T) {
			step := "id: x\n    node: " + node
			if node == "data.delete" {
				step = "node: " + node
			}
			f, stores := load(t, fmt.Sprintf(flow, step, test.with, test.body))
			c := &data.Collection{Name: "orders"}
			if err := stores.Data.Create(t.Context(), c, order); err != nil {
				t.Fatal(err)
			}
			got, err := call(t, f, `{"id":"o1"}`, "eve")
			if err != nil {
				got = err.(*engine.Error).Items[0].Code
			}
			if got != test.eve {
				t.Errorf("for another user: %s, want %s", got, test.eve)
			}
			if got, err = call(t, f, `{"id":"o1"}`, "ada"); err != nil || got == test.eve {
				t.Errorf("for the owner: %s, %v, want the document", got, err)
			}
		})
	}
}

func TestPagesFollowEachOtherWhateverTheOrder(t *testing.T) {
	f, stores := load(t, `
about: x
endpoint: POST /x
session: required
input:
  body:
    order: {type: string, enum: [weight, -weight, since, -since, name, -price, live, creationDtm]}
    after?: string
steps:
  - id: x
    node: data.find
    with: {collection: products, sort: $body.order, after: $body.after, limit: 7}
  - respond: 200
    body: $x
`)
	const count = 50
	for i := range count {
		body := fmt.Sprintf(`{"sku":"AB%02d","name":"n%d","price":%d,"stock":0,"category":"toys","live":%t`, i, i%5, i%3, i%2 == 0)
		if i%4 > 0 {
			body += fmt.Sprintf(`,"weight":%d.5,"since":"2026-01-0%dT00:00:00.000Z"`, i%7, 1+i%6)
		}
		d := data.Document{ID: fmt.Sprintf("p%02d", i), Version: 1, Created: time.UnixMilli(int64(i / 10)).UTC(), Body: []byte(body + "}")}
		if err := stores.Data.Create(context.Background(), &data.Collection{Name: "products"}, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, order := range []string{"weight", "-weight", "since", "-since", "name", "-price", "live", "creationDtm"} {
		seen := map[string]bool{}
		after := ""
		for page := 0; ; page++ {
			text, err := call(t, f, fmt.Sprintf(`{"order":%q%s}`, order, after), "ada")
			if err != nil || page > count {
				t.Fatalf("page %d of %s: %v", page, order, err)
			}
			var got struct {
				Items []struct{ ID string }
				Next  string
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			for _, d := range got.Items {
				if seen[d.ID] {
					t.Errorf("%s: %s is on two pages", order, d.ID)
				}
				seen[d.ID] = true
			}
			if got.Next == "" {
				break
			}
			after = fmt.Sprintf(`,"after":%q`, got.Next)
		}
		if len(seen) != count {
			t.Errorf("%s: %d documents on all pages, want %d", order, len(seen), count)
		}
	}
}

func TestCursorsOfOtherListsAreRefused(t *testing.T) {
	f, stores := load(t, `
about: x
endpoint: POST /x
session: required
input: {body: {order: {type: string, enum: [price, name]}, after: string}}
steps:
  - id: x
    node: data.find
    with: {collection: products, sort: $body.order, after: $body.after, limit: 1}
  - respond: 200
    body: $x.next
`)
	for i := range 2 {
		d := data.Document{ID: fmt.Sprint(i), Version: 1, Body: fmt.Appendf(nil, `{"sku":"AAA%d","name":"n","price":1,"stock":0,"category":"toys","live":true}`, i)}
		if err := stores.Data.Create(t.Context(), &data.Collection{Name: "products"}, d); err != nil {
			t.Fatal(err)
		}
	}
	next, err := call(t, f, `{"order":"price","after":""}`, "ada")
	if err != nil || next == "null" {
		t.Fatalf("first page: next = %s, %v", next, err)
	}
	for _, after := range []string{next, `"AAAA"`, `"WyJ4Il0"`, `"é"`, `"` + strings.Repeat("A", 4000) + `"`} {
		_, err := call(t, f, `{"order":"name","after":`+after+`}`, "ada")
		if e, ok := err.(*engine.Error); !ok || e.Kind != engine.Invalid || e.Items[0].Code != "invalidCursor" {
			t.Errorf("after %.40s = %v, want invalidCursor", after, err)
		}
	}
}
