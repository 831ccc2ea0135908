package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/engine"
	"sluice/nodes/data"
	"sluice/nodes/session"
	"sluice/server"
	"sluice/server/endpoint"
)

type packIn struct {
	Box    string        `json:"box" enum:"small|large" doc:"Box to take."`
	Items  []string      `json:"items" min:"1" max:"9" doc:"What goes in."`
	Note   *string       `json:"note" max:"200" doc:"Text for the card."`
	Wait   time.Duration `json:"wait" default:"1m" max:"36h" doc:"How long it waits."`
	Copies int           `json:"copies" min:"1" doc:"How many."`
}

type packOut struct {
	Label string `json:"label,omitzero" secret:"once" doc:"What to stick on."`
}

var errFull = engine.NewOutcome("full", engine.Conflict, "The box is full.")

func packNode() *engine.Node {
	return engine.Define("parcel.pack", "Packs a parcel. Slowly.",
		func(context.Context, packIn) (packOut, error) { return packOut{}, nil }, errFull)
}

// tell runs sluice nodes with a node of its own.
func tell(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := Env{Stdout: &out, Stderr: &errs, Dir: t.TempDir(), Getenv: func(string) string { return "" }}
	code = Main(t.Context(), env, append([]string{"nodes"}, args...), server.With(packNode()))
	return code, out.String(), errs.String()
}

func TestNodesTellsAllOfOneNode(t *testing.T) {
	code, stdout, stderr := tell(t, "parcel.pack")
	want := `parcel.pack

Packs a parcel. Slowly.

Parameters
  box     small or large                      required    Box to take.
  items   list of strings, from 1 to 9 items  required    What goes in.
  note    string, up to 200 characters        optional    Text for the card.
  wait    duration up to 36h                  default 1m  How long it waits.
  copies  integer from 1                      required    How many.

Results
  label  string, secret, shown once  may be absent  What to stick on.

Outcomes
  full  conflict  The box is full.

Example
  - id: parcel
    node: parcel.pack
    with: {box: small, items: [one, two], copies: $body.copies}
`
	if code != 0 || stdout != want || stderr != "" {
		t.Errorf("sluice nodes parcel.pack = %d\n%s%s\nwant\n%s", code, stdout, stderr, want)
	}
}

func TestNodesListsCoreNodesAndOthers(t *testing.T) {
	_, stdout, _ := tell(t)
	for _, want := range []string{"NODE ", "\nuser.fetch ", "\nsession.create ", "\nparcel.pack ", " full ", " Packs a parcel.\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("sluice nodes says\n%s\nwant %q in it", stdout, want)
		}
	}
}

func TestNodesKnowsMisspeltNames(t *testing.T) {
	code, _, stderr := tell(t, "parcel.pakc")
	if want := "sluice: there is no node \"parcel.pakc\" (did you mean parcel.pack?)\n"; code != 1 || stderr != want {
		t.Errorf("sluice nodes parcel.pakc = %d, %q, want 1, %q", code, stderr, want)
	}
	code, _, stderr = tell(t, "nothing.like")
	if want := "sluice: there is no node \"nothing.like\" (sluice nodes lists them)\n"; code != 1 || stderr != want {
		t.Errorf("sluice nodes nothing.like = %d, %q, want 1, %q", code, stderr, want)
	}
}

// A flow in which the samples of all nodes can stand: it takes every $body.NAME
// of them, and steps above give what only steps can.
const sampleFlow = `about: Try a node.
endpoint: POST /try
session: required
groups: [staff]
input:
  headers:
    cookie?: string
  body:
    password: {type: string, format: password}
    state: string
    code: string
%s
steps:
  - id: user
    node: user.fetch
    with: {id: $session.userId}
  - id: proof
    node: password.check
    with: {user: $user, password: $body.password}
%s
  - respond: 204
`

// The collections of the samples.
const sampleTypes = `Product:
  collection: products
  fields: {sku: string, stock: {type: integer, minimum: 0}}
  unique: [sku]
Order:
  collection: orders
  fields: {userId: string, status: {type: string, enum: [open, paid]}}
  owner: userId
  indexes: [[userId, creationDtm]]
`

func TestSamplesOfAllNodesLoad(t *testing.T) {
	all, err := server.Nodes(server.With(packNode()))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		var body strings.Builder
		for _, p := range n.In.Props {
			if n.Example == "" && !slices.Contains([]string{"password", "state", "code"}, p.Name) && needed(n, p) && strings.HasPrefix(sampleValue(p), "$body.") {
				fmt.Fprintf(&body, "    %s: %s\n", p.Name, p.Type.Base)
			}
		}
		// The ids of the steps above are taken.
		step := strings.NewReplacer("id: user\n", "id: other\n", "id: proof\n", "id: other\n", "id: session\n", "id: other\n").Replace(sample(n))
		flow := fmt.Sprintf(sampleFlow, body.String(), step)
		files := fstest.MapFS{"try.yaml": {Data: []byte(flow)}, "types.yaml": {Data: []byte(sampleTypes)}}
		_, err := engine.Load(files, engine.Env{
			Nodes: all, Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[endpoint.Facts](), Document: engine.TypeOf[data.Head](),
		})
		if err != nil {
			t.Errorf("Load of a flow with the sample of %s = %v, want nil:\n%s", n.Name, err, flow)
		}
	}
}
