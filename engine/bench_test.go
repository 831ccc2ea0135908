package engine_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/expr-lang/expr"

	"sluice/engine"
)

type passIn struct {
	A string `json:"a" doc:"A text."`
	B int    `json:"b" doc:"A number." default:"3"`
	C string `json:"c" doc:"Another text." default:"c"`
}

type passOut struct {
	A string `json:"a" doc:"The text."`
}

func pass(_ context.Context, in passIn) (passOut, error) { return passOut{in.A}, nil }

func chain(b *testing.B, steps int) *engine.Flow {
	b.Helper()
	var s strings.Builder
	before := "body"
	for i := range steps {
		fmt.Fprintf(&s, "  - id: s%d\n    node: text.pass\n    with: {a: $%s.a, c: $body.a}\n", i, before)
		before = fmt.Sprintf("s%d", i)
	}
	return flowOf(b, s.String())
}

// flowOf makes a flow of some steps and a respond behind them.
func flowOf(b *testing.B, steps string) *engine.Flow {
	b.Helper()
	env := testEnv()
	env.Nodes = append(env.Nodes, engine.Define("text.pass", "Passes a text on.", pass))
	return loadWith(b, env, "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body:\n    a: string\n    n: integer\n    kind: string\n    flag?: boolean\n    list: {type: array, items: {n: integer}, maxItems: 1000}\nsteps:\n"+steps+"  - respond: 204\n")
}

// BenchmarkSteps measures what a step costs: its input moved (two references,
// a constant), its node called, its output kept. ns/step is what is left when
// the cost of a flow without steps is taken away; it must be flat from 2 to 100.
func BenchmarkSteps(b *testing.B) {
	empty := perRun(b, chain(b, 0))
	for _, steps := range []int{2, 10, 100} {
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			perKind(b, chain(b, steps), empty, steps, "ns/step")
		})
	}
}

// perRun is what one run of a flow takes, in nanoseconds: the least of some tries.
func perRun(b *testing.B, f *engine.Flow) float64 {
	in := inputs(f)
	least := math.Inf(1)
	for range 20 {
		start := time.Now()
		for range 5000 {
			if _, err := f.Program.Run(b.Context(), in); err != nil {
				b.Fatal(err)
			}
		}
		least = min(least, float64(time.Since(start).Nanoseconds())/5000)
	}
	return least
}

func inputs(f *engine.Flow) engine.Inputs {
	list := strings.TrimSuffix(strings.Repeat(`{"n":1},`, 1000), ",")
	body, _ := f.Input.Body.ReadJSON([]byte(`{"a":"hello","n":7,"kind":"b","list":[`+list+`]}`), "body")
	return engine.Inputs{Body: body}
}

func perKind(b *testing.B, f *engine.Flow, empty float64, parts int, unit string) {
	in := inputs(f)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Program.Run(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((float64(b.Elapsed().Nanoseconds())/float64(b.N)-empty)/float64(parts), unit)
}

// BenchmarkKinds measures what each kind of step costs, beside the cost of a
// flow that does nothing.
func BenchmarkKinds(b *testing.B) {
	empty := perRun(b, chain(b, 0))
	pass := "node: text.pass\n%swith: {a: $body.a}\n"
	for _, k := range []struct {
		name, steps, unit string
		parts             int
	}{
		{"node", "  - " + fmt.Sprintf(pass, "    "), "ns/step", 1},
		{"if", "  - if: $body.flag\n    then:\n      - respond: 200\n", "ns/if", 1},
		{"if expression", "  - if: $body.n > 9\n    then:\n      - respond: 200\n", "ns/if", 1},
		{"switch", "  - switch: $body.kind\n    cases:\n      a: [{respond: 200}]\n      b: [{let: {x: 1}}]\n", "ns/switch", 1},
		{"let", "  - let: {x: $body.a}\n", "ns/let", 1},
		{"expression", "  - let: {x: = $body.n * 2 + 1}\n", "ns/expression", 1},
		{"each of 1000", "  - each: $body.list\n    do:\n      - " + fmt.Sprintf(pass, "        "), "ns/round", 1000},
		{"parallel of 4", "  - parallel:\n      a: [{let: {v: 1}}]\n      b: [{let: {w: 1}}]\n      c: [{let: {y: 1}}]\n      d: [{let: {z: 1}}]\n", "ns/lane", 4},
		{"try", "  - try:\n      - let: {x: 1}\n    catch:\n      any:\n        - respond: 200\n", "ns/try", 1},
	} {
		b.Run(k.name, func(b *testing.B) { perKind(b, flowOf(b, k.steps), empty, k.parts, k.unit) })
	}
}

// BenchmarkBareExpression is the expression of BenchmarkKinds without the
// engine, over a struct.
func BenchmarkBareExpression(b *testing.B) {
	type env struct{ N int }
	program, err := expr.Compile("N * 2 + 1", expr.Env(env{}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expr.Run(program, &env{N: 7}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadJSON reads the body of a sign-in as its flow declares it.
func BenchmarkReadJSON(b *testing.B) {
	f := load(b, "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body:\n    email: {type: string, format: email}\n    password: {type: string, format: password}\nsteps:\n  - respond: 204\n")
	body := []byte(`{"email":"ada@example.com","password":"correct horse battery staple"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := f.Input.Body.ReadJSON(body, "body"); faults != nil {
			b.Fatal(faults)
		}
	}
}

// BenchmarkLoad checks and compiles 1,000 flows.
func BenchmarkLoad(b *testing.B) {
	files := fstest.MapFS{}
	for i := range 1000 {
		files[fmt.Sprintf("f%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, `about: x
endpoint: POST /x/%d/{id}
session: none
input:
  body:
    email: {type: string, format: email}
    password: {type: string, format: password}
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  - id: proof
    node: password.check
    with: {user: $user, password: $body.password}
  - respond: 200
    body: {user: $user}
`, i)}
	}
	env := testEnv()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.Load(files, env); err != nil {
			b.Fatal(err)
		}
	}
}
