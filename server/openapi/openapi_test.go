package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"sluice/engine"
	"sluice/nodes/session"
	"sluice/server"
	"sluice/server/openapi"
)

var info = openapi.Info{Title: "Endpoints", Version: "1"}

// documented is the document of the flows that come with Sluice.
func documented(t *testing.T) []byte {
	t.Helper()
	shipped, err := server.Check(server.Config{Dir: t.TempDir(), Compat: []string{"altogic"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := openapi.Document(info, shipped.Served)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// judge reads a document as other programs do, with the schema of OpenAPI 3.1.
func judge(t *testing.T, text []byte) validator.Validator {
	t.Helper()
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	return v
}

func TestCommittedDocumentIsUpToDate(t *testing.T) {
	committed, err := os.ReadFile("../../flows/openapi.json")
	if err != nil || !bytes.Equal(committed, documented(t)) {
		t.Errorf("flows/openapi.json is stale, %v; write it anew with go run ./server/cmd/sluice openapi -o flows/openapi.json", err)
	}
}

type orderIn struct {
	ID string `json:"id" doc:"Id of the order."`
}

type Order struct {
	ID     string        `json:"id" doc:"Id of the order."`
	Note   string        `json:"note,omitzero" doc:"What the buyer wrote."`
	State  string        `json:"state" doc:"How far it is." enum:"open|paid"`
	Within time.Duration `json:"within" doc:"How soon it comes."`
	Cost   float64       `json:"cost" doc:"Cost for the shop." secret:"true"`
	Paid   *time.Time    `json:"paid" doc:"When it was paid."`
	Key    string        `json:"key" doc:"Key of the parcel." secret:"once"`
}

// shop returns nodes that do nothing.
func shop() []*engine.Node {
	missing := engine.NewOutcome("missing", engine.NotFound, "There is no such order.")
	declined := engine.NewOutcome("declined", engine.Conflict, "The bank said no.")
	type other struct {
		Order Order `json:"order" doc:"An order."`
	}
	return []*engine.Node{
		engine.Define("order.fetch", "Finds an order.", func(context.Context, orderIn) (Order, error) { return Order{}, errors.ErrUnsupported }, missing),
		engine.Define("order.pay", "Pays an order.", func(context.Context, orderIn) (other, error) { return other{}, errors.ErrUnsupported }, missing, declined),
	}
}

// odd are flows that use what the shipped ones do not.
var odd = map[string]string{
	"errors.yaml": "sold_out: {status: 410, message: There are none left.}\n",
	"types.yaml":  "Place: {street: string, \"floor?\": {type: integer, minimum: -3, default: 0}}\nError: {text: string}\n",
	"shop/pay.yaml": `about: Pay an order. It is paid once.
endpoint: POST /orders/{id}
session: optional
apiKey: required
tags: [money]
repeat: header:Idempotency-Key
limit: {rate: 10/min}
input:
  path: {id: {type: string, format: uuid}}
  query: {"size?": {type: array, items: {type: integer, maximum: 9}, maxItems: 3}}
  headers: {"X-Shop?": {type: string, pattern: "^[a-z]+$", description: Which shop.}}
  body:
    "note?": {type: [string, "null"], pattern: "(?i)^a"}
    secret: {type: string, format: password}
    places: {type: array, items: Place, minItems: 1, uniqueItems: true}
    rest: {type: object, additionalProperties: {type: integer, enum: [1, 2]}}
    wait: {type: string, format: duration}
steps:
  - id: paid
    node: order.pay
    with: {id: $path.id}
    on:
      missing: continue
      declined:
        - respond: 202
          headers: {X-Why: bank}
          body: {paid: false}
  - if: len($body.places) > 3
    then:
      - fail: sold_out
  - respond: 200
    body: {place: $body.places, note: $body.note, all: [1, 2], user: "= 1 + 1"}
`,
	"shop/get.yaml": `about: Get an order.
endpoint: GET /orders/{orderId}
session: none
steps:
  - id: order
    node: order.fetch
    with: {id: $path.orderId}
    on: {missing: continue}
  - respond: 200
    body: {order: $order, error: {text: "Hello, {$path.orderId}"}}
`,
	"shop-get.yaml": `about: Get a page.
endpoint: GET /page
session: none
output: {"text?": string, n: number}
steps:
  - respond: 200
    body: {n: 1}
`,
	"save.yaml": `about: Save a list.
endpoint: PUT /list
session: required
groups: [staff]
input: {body: {error: Error, list: {type: array, maxItems: 3, items: string}}}
steps:
  - if: $body.error.text == "none"
    then:
      - respond: 200
        file: {content: "a,b", type: text/csv, name: list.csv}
  - respond: 303
    redirect: /page
`,
}

func load(t *testing.T, files map[string]string) []*engine.Flow {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	type facts struct {
		IP string `json:"ip" doc:"Address."`
	}
	app, err := engine.Load(fsys, engine.Env{Nodes: shop(), Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[facts]()})
	if err != nil {
		t.Fatal(err)
	}
	return app.Flows
}

func document(t *testing.T, flows []*engine.Flow) []byte {
	t.Helper()
	text, err := openapi.Document(info, flows)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDocumentsAreValid(t *testing.T) {
	for name, text := range map[string][]byte{"shipped": documented(t), "odd": document(t, load(t, odd)), "empty": document(t, nil)} {
		if ok, errs := judge(t, text).ValidateDocument(); !ok {
			for _, e := range errs {
				t.Errorf("ValidateDocument(%s) = %s: %v, want no error", name, e.Message, e.SchemaValidationErrors)
			}
		}
	}
}

func TestSameFlowsGiveTheSameBytes(t *testing.T) {
	first := load(t, odd)
	second := load(t, odd)
	slices.Reverse(second)
	if a, b := document(t, first), document(t, second); !bytes.Equal(a, b) {
		t.Errorf("Document of the same flows in another order =\n%s\nwant\n%s", b, a)
	}
}

// at follows the names and indexes of a way into a document, and $ref before them.
func at(doc, v any, way ...string) any {
	if len(way) == 0 {
		return v
	}
	switch inside := v.(type) {
	case map[string]any:
		if ref, ok := inside["$ref"].(string); ok {
			return at(doc, at(doc, doc, strings.Split(ref, "/")[1:]...), way...)
		}
		return at(doc, inside[way[0]], way[1:]...)
	case []any:
		if i, err := strconv.Atoi(way[0]); err == nil && i < len(inside) {
			return at(doc, inside[i], way[1:]...)
		}
	}
	return nil
}

// What a flow sends stands in the document, with the failure that ends it.
func TestDocumentsSayWhatIsSent(t *testing.T) {
	text := document(t, load(t, map[string]string{"x.yaml": `about: x
endpoint: GET /x
session: none
answer: events
input: {query: {"n?": integer}}
steps:
  - respond: 204
    when: $query.n
  - send: tick
    eventId: 1
    data: {n: $query.n}
  - send: tick
    eventId: 1
    data: {n: $query.n}
  - send: end
    data: null
  - respond: 200
`}))
	if ok, errs := judge(t, text).ValidateDocument(); !ok {
		t.Errorf("ValidateDocument() = %v, want no error", errs)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(at(doc, doc, "paths", "/x", "get", "responses", "200", "content", "text/event-stream", "schema", "oneOf"))
	want := `[{"properties":{"data":{"properties":{"n":{"anyOf":[{"type":"integer"},{"type":"null"}]}},"required":["n"],"type":"object"},` +
		`"event":{"const":"tick"},"id":{"type":"string"}},"required":["event","data"],"type":"object"},` +
		`{"properties":{"data":{},"event":{"const":"end"}},"required":["event","data"],"type":"object"},` +
		`{"properties":{"data":{"$ref":"#/components/schemas/Errors"},"event":{"const":"error"}},"required":["event","data"],"type":"object"}]`
	if err != nil || string(got) != want {
		t.Errorf("the events are %s, %v, want %s", got, err, want)
	}
	if got, _ := json.Marshal(at(doc, doc, "paths", "/x", "get", "responses", "204", "description")); string(got) != `"No Content."` {
		t.Errorf("the answer without events is %s, want it there", got)
	}
}

func TestDocumentSays(t *testing.T) {
	var doc any
	if err := json.Unmarshal(document(t, load(t, odd)), &doc); err != nil {
		t.Fatal(err)
	}
	const (
		pay     = "paths /orders/{id} post "
		get     = "paths /orders/{id} get "
		page    = "paths /page get "
		save    = "paths /list put "
		media   = " content application/json schema "
		in      = pay + "requestBody" + media
		schemas = "components schemas "
	)
	out := func(op, status, more string) string { return op + "responses " + status + media + more }
	codes := func(op, status string) string {
		return out(op, status, "allOf 1 properties errors items properties code enum")
	}
	for name, c := range map[string]struct {
		way  string
		want string
	}{
		"an id from the file":                         {pay + "operationId", `"shopPay"`},
		"a second id of one name":                     {page + "operationId", `"shopGet2"`},
		"the first sentence":                          {pay + "summary", `"Pay an order."`},
		"all sentences":                               {pay + "description", `"Pay an order. It is paid once."`},
		"tags":                                        {pay + "tags", `["money"]`},
		"the folder for want of tags":                 {get + "tags", `["shop"]`},
		"nothing to bring":                            {get + "security", `[{}]`},
		"a session to bring":                          {save + "security", `[{"session":[]},{"bearer":[]}]`},
		"a key to bring, and maybe a session":         {pay + "security", `[{"apiKey":[],"session":[]},{"apiKey":[]}]`},
		"one name for the parts of one path":          {get + "parameters 0 name", `"id"`},
		"a parameter of the path":                     {pay + "parameters 0 schema", `{"format":"uuid","type":"string"}`},
		"a list in the query":                         {pay + "parameters 1 schema", `{"items":{"maximum":9,"type":"integer"},"maxItems":3,"type":"array"}`},
		"a header":                                    {pay + "parameters 2", `{"description":"Which shop.","in":"header","name":"X-Shop","schema":{"pattern":"^[a-z]+$","type":"string"}}`},
		"the header of a repetition":                  {pay + "parameters 3 name", `"Idempotency-Key"`},
		"a body that is needed":                       {pay + "requestBody required", `true`},
		"that the body is closed":                     {in + "additionalProperties", `false`},
		"what the body needs":                         {in + "required", `["secret","places","rest","wait"]`},
		"a null, and no pattern that only Go knows":   {in + "properties note", `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
		"a secret that is sent":                       {in + "properties secret", `{"format":"password","type":"string"}`},
		"a named type by reference":                   {in + "properties places", `{"items":{"$ref":"#/components/schemas/PlaceInput"},"minItems":1,"type":"array","uniqueItems":true}`},
		"a default":                                   {schemas + "PlaceInput properties floor", `{"default":0,"minimum":-3,"type":"integer"}`},
		"names that callers choose":                   {in + "properties rest additionalProperties", `{"enum":[1,2],"type":"integer"}`},
		"a duration that is not one of ISO 8601":      {in + "properties wait format", `null`},
		"that a default is always answered":           {schemas + "Place required", `["street","floor"]`},
		"that what is absent is null in an object":    {out(pay, "200", "properties note"), `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
		"a list of one type":                          {out(pay, "200", "properties all"), `{"items":{"type":"integer"},"type":"array"}`},
		"the type of an expression":                   {out(pay, "200", "properties user"), `{"type":"integer"}`},
		"every answer":                                {out(pay, "202", "properties paid"), `{"type":"boolean"}`},
		"a header of an answer":                       {pay + "responses 202 headers X-Why schema", `{"type":"string"}`},
		"that an answer can be one of before":         {pay + "responses 200 headers Idempotency-Replayed schema", `{"const":"true"}`},
		"a step that may have failed":                 {out(get, "200", "properties order"), `{"anyOf":[{"$ref":"#/components/schemas/Order"},{"type":"null"}]}`},
		"neither what is hidden nor what can be left": {schemas + "Order required", `["id","state","within","key"]`},
		"nothing of what is hidden":                   {schemas + "Order properties cost", `null`},
		"what is shown once":                          {schemas + "Order properties key", `{"description":"Key of the parcel.","type":"string"}`},
		"allowed texts":                               {schemas + "Order properties state enum", `["open","paid"]`},
		"an output as it is declared":                 {out(page, "200", ""), `{"properties":{"n":{"type":"number"},"text":{"type":"string"}},"required":["n"],"type":"object"}`},
		"a file":                                      {save + "responses 200 content", `{"text/csv":{"schema":{}}}`},
		"where a redirect stands":                     {save + "responses 303 headers Location schema", `{"type":"string"}`},
		"a type beside another of its name":           {save + "requestBody content application/json schema properties error", `{"$ref":"#/components/schemas/ErrorInput"}`},
		"failures of the steps":                       {codes(pay, "410"), `["sold_out"]`},
		"that an outcome which is routed is no error": {pay + "responses 404", `null`},
		"a failure with its sentence":                 {pay + "responses 410 description", "\"Gone.\\n\\n- `sold_out`: There are none left.\""},
		"failures of the key and the session":         {codes(pay, "401"), `["invalid_API_key","invalid_session_token","missing_API_key"]`},
		"failures of a repetition":                    {codes(pay, "409"), `["request_in_progress"]`},
		"failures of a repetition's name":             {codes(pay, "422"), `["idempotency_key_reused"]`},
		"failures of the limit":                       {codes(pay, "429"), `["rate_limit_exceeded","too_many_connections"]`},
		"failures of an expression":                   {codes(pay, "400"), `["ambiguous_credentials","bad_path","bad_query","bad_request","duplicate_header","expression_failed","invalid_input","key_in_query"]`},
		"failures of what is away":                    {codes(pay, "503"), `["shutting_down","too_many_connections","unavailable"]`},
		"failures of what is slow":                    {codes(pay, "504"), `["timeout"]`},
		"no failure that cannot be":                   {get + "responses 401", `null`},
		"failures of groups":                          {codes(save, "403"), `["cross_site","missing_access_group"]`},
		"failures around the flows":                   {get + "responses default", `{"$ref":"#/components/responses/Refused"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(at(doc, doc, strings.Fields(c.way)...))
			var plain, want any
			if errGot, errWant := json.Unmarshal(got, &plain), json.Unmarshal([]byte(c.want), &want); err != nil || errGot != nil || errWant != nil {
				t.Fatal(err, errGot, errWant)
			}
			if !reflect.DeepEqual(plain, want) {
				t.Errorf("%s = %s, want %s", c.way, got, c.want)
			}
		})
	}
}
