package contract_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/engine"
	"sluice/server/contract"
)

type orderIn struct {
	ID string `json:"id" doc:"Id of the order."`
}

type orderOut struct {
	Total int `json:"total" doc:"Cents."`
}

// shop returns nodes of a shop, which do nothing.
func shop() []*engine.Node {
	missing := engine.NewOutcome("missing", engine.NotFound, "There is no such order.")
	declined := engine.NewOutcome("declined", engine.Conflict, "The bank said no.")
	do := func(context.Context, orderIn) (orderOut, error) { return orderOut{}, errors.ErrUnsupported }
	return []*engine.Node{
		engine.Define("order.fetch", "Finds an order.", do, missing).Reading("orders"),
		engine.Define("order.pay", "Pays an order.", do, declined).Writing("orders", "bills").Calling("bank"),
		engine.Define("order.refund", "Pays an order back.", do).Calling("bank"),
		engine.Define("order.drop", "Removes an order.", do).Writing("orders"),
		engine.Define("mail.send", "Sends a mail about an order.", do).Calling("mail"),
	}
}

type files map[string]string

// of loads flows and returns their contracts.
func of(t *testing.T, flows files) []contract.Contract {
	t.Helper()
	fsys := fstest.MapFS{"errors.yaml": {Data: []byte("sold_out: {status: 410, message: There are none left.}\n")}}
	for name, text := range flows {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	type session struct {
		UserID string `json:"userId" doc:"Id of the user."`
	}
	type facts struct {
		IP string `json:"ip" doc:"Address."`
	}
	app, err := engine.Load(fsys, engine.Env{Nodes: shop(), Session: engine.TypeOf[session](), Request: engine.TypeOf[facts]()})
	if err != nil {
		t.Fatal(err)
	}
	return contract.Of(app)
}

// one is a flow of an endpoint with more at the top and in front of its answer.
func one(endpoint, top, steps string) string {
	return "about: x\nendpoint: " + endpoint + "\n" + top + "steps:\n" + steps + "  - respond: 204\n"
}

func step(node string) string { return "  - node: " + node + "\n    with: {id: a}\n" }

func TestContractHoldsWhatEveryStepDoesAtAnyDepth(t *testing.T) {
	all := of(t, files{
		"pay.yaml": `about: Pay.
endpoint: POST /orders/{id}
session: required
groups: [staff, admin]
apiKey: required
limit: {rate: 10/min, per: [ip, $path.id]}
timeout: 2s
input:
  body:
    "note?": {type: string, maxLength: 20}
    items: {type: array, items: {sku: string}, maxItems: 5}
output: {ok: boolean}
steps:
  - try:
      - node: shop.sell
        with: {id: $path.id}
    catch:
      missing:
        - respond: 202
          body: {ok: false}
    finally:
      - node: mail.send
        with: {id: $path.id}
  - node: order.fetch
    with: {id: $path.id}
  - respond: 200
    body: {ok: true}
`,
		"sell.yaml": `about: Sell.
node: shop.sell
params: {id: string}
outcomes:
  missing: {kind: notFound, about: There is no such order.}
  declined: {kind: conflict, about: The bank said no.}
steps:
  - node: order.fetch
    with: {id: $params.id}
  - node: order.pay
    with: {id: $params.id}
    undo:
      - node: order.drop
        with: {id: $params.id}
  - fail: sold_out
`,
		"off.yaml": one("GET /off", "session: none\nenabled: false\n", ""),
		"ask.yaml": one("GET /orders/{id}", "session: none\n", ""),
	})
	var got []string
	for _, c := range all {
		got = append(got, c.Endpoint()+" for "+c.Who())
	}
	if want := []string{"GET /orders/{id} for public", "POST /orders/{id} for a session of group admin or staff, with an API key"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("Of() = %q, want %q", got, want)
	}
	pay := all[1]
	for what, c := range map[string]struct{ got, want any }{
		"timeout": {pay.Timeout, 2 * time.Second},
		"answers": {pay.Answers, []int{200, 202}},
		"failures": {pay.Failures, []contract.Failure{
			{Status: 404, Code: "missing"}, {Status: 409, Code: "declined"}, {Status: 410, Code: "sold_out"}}},
		"reads":  {pay.Reads, []string{"orders"}},
		"writes": {pay.Writes, []string{"bills", "orders"}},
		"calls":  {pay.Calls, []string{"bank", "mail"}},
		"limit":  {pay.Limit.Per, []string{"ip", "$path.id"}},
		"input": {pay.Input, []contract.Field{
			{Name: "path.id", Type: "string", Required: true}, {Name: "body", Type: "object", Required: true},
			{Name: "body.note", Type: "string to 20"}, {Name: "body.items", Type: "list of object to 5", Required: true},
			{Name: "body.items[].sku", Type: "string", Required: true}}},
		"output": {pay.Output, []contract.Field{{Name: "output", Type: "object", Required: true}, {Name: "output.ok", Type: "boolean", Required: true}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s = %v, want %v", what, c.got, c.want)
		}
	}
}

func TestWho(t *testing.T) {
	for want, c := range map[string]contract.Contract{
		"public":                       {Session: engine.SessionOptional},
		"an API key":                   {APIKey: engine.KeyRequired},
		"any session":                  {Session: engine.SessionRequired},
		"a session of group beta":      {Session: engine.SessionRequired, Groups: []string{"beta"}},
		"any session, with an API key": {Session: engine.SessionRequired, APIKey: engine.KeyRequired},
	} {
		if got := c.Who(); got != want {
			t.Errorf("Who(%+v) = %q, want %q", c, got, want)
		}
	}
}

// told writes changes as a column: an exclamation mark where they permit more.
func told(changes []contract.Change) string {
	var b strings.Builder
	for _, c := range changes {
		if c.Wider {
			b.WriteString("! ")
		}
		b.WriteString(c.Endpoint + ": " + c.Text + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
