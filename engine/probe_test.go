package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/engine"
)

const probed = `about: x
endpoint: POST /x
session: none
input:
  body: {email: string, n: integer, password: {type: string, format: password}}
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  - id: proof
    node: password.check
    with: {user: $user, password: $body.password}
  - if: $body.n > 3
    then:
      - respond: 202
  - id: new
    node: session.create
    with: {userId: $proof.userId}
  - respond: 200
    body: {user: $user, session: $new}
`

// A probe stands in for nodes and conditions, is told every way and every
// call, and sees no secret.
func TestProbe(t *testing.T) {
	f := load(t, probed)
	in := engine.Inputs{Request: engine.ValueOf(&requestFacts{IP: "10.0.0.7"})}
	in.Body, _ = f.Input.Body.ReadJSON([]byte(`{"email":"eve@example.com","n":9,"password":"hush"}`), "body")
	for name, tt := range map[string]struct {
		probe engine.Probe
		want  string // ways, and how it ended
	}{
		"nothing faked": {engine.Probe{}, "user notFound, proof mismatch -> mismatch"},
		"a step faked": {engine.Probe{Fake: func(at engine.At) (engine.Fake, bool) {
			return engine.Fake{Out: []byte(`{"userId":"u7"}`)}, at.Step == "proof"
		}}, "user notFound, proof ok, if then -> 202"},
		"all faked": {engine.Probe{
			Fake:   func(at engine.At) (engine.Fake, bool) { return engine.Fake{}, true },
			Choose: func(at engine.At, ways []string) (string, bool) { return ways[1], true },
		}, `user ok, proof ok, if else -> 200 {"user":{"id":"sample","email":"sample","name":"sample","age":1,"score":1,"admin":true,"since":"2026-01-31T12:00:00.000Z","tags":["sample"],"address":{"city":"sample","zip":"sample"}},"session":{"id":"sample","userId":"sample","token":"sample"}}`},
		"an outcome": {engine.Probe{Fake: func(at engine.At) (engine.Fake, bool) {
			return engine.Fake{Outcome: "mismatch"}, at.Step == "proof"
		}}, "user notFound, proof mismatch -> mismatch"},
		"something broken": {engine.Probe{Fake: func(at engine.At) (engine.Fake, bool) {
			return engine.Fake{Err: errors.New("cable")}, at.Step == "user"
		}}, "user error -> internal_error"},
		"an outcome that there is not": {engine.Probe{Fake: func(at engine.At) (engine.Fake, bool) {
			return engine.Fake{Outcome: "nowhere"}, true
		}}, "user error -> internal_error"},
	} {
		t.Run(name, func(t *testing.T) {
			var ways, calls []string
			tt.probe.Took = func(w engine.Way) { ways = append(ways, w.Step+" "+w.Name) }
			tt.probe.Ran = func(c engine.Call) { calls = append(calls, fmt.Sprintf("%s %s %s", c.Step, c.In, c.Out)) }
			a, err := f.Program.RunProbed(t.Context(), in, &tt.probe)
			end := strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, a.Body))
			var e *engine.Error
			if errors.As(err, &e) {
				end = e.Items[0].Code
			}
			if got := strings.Join(ways, ", ") + " -> " + end; got != tt.want {
				t.Errorf("the run took %s\nwant %s", got, tt.want)
			}
			if all := strings.Join(calls, "\n"); strings.Contains(all, "hush") || strings.Contains(all, `"token":"`) && !strings.Contains(all, `"token":"•••"`) {
				t.Errorf("a secret was seen in\n%s", all)
			}
		})
	}
	var ways []string
	for _, w := range f.Program.Ways() {
		ways = append(ways, w.Step+" "+w.Name)
	}
	if want := []string{"user ok", "user notFound", "proof ok", "proof mismatch", "if then", "if else"}; !slices.Equal(ways, want) {
		t.Errorf("Ways = %v, want %v", ways, want)
	}
}

// A sample of a type is one of its values.
func TestSampleFits(t *testing.T) {
	f := load(t, "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body:\n    a: {type: string, format: email}\n    b: {type: string, enum: [x, y]}\n    c: {type: integer, minimum: 5}\n    d: {type: array, items: {type: string, minLength: 12}, minItems: 3}\n    e?: {f: boolean, g: {type: string, format: uuid}}\n    h: {type: string, format: date-time}\n    i: {type: string, maxLength: 3}\n    j: {type: string, format: duration}\nsteps:\n  - respond: 200\n    body: $body\n")
	a, err := f.Program.Run(t.Context(), engine.Inputs{Body: f.Input.Body.Sample()})
	if err != nil {
		t.Fatal(err)
	}
	if _, faults := f.Input.Body.ReadJSON(a.Body, "body"); len(faults) > 0 {
		t.Errorf("the sample %s does not fit: %v", a.Body, faults)
	}
}
