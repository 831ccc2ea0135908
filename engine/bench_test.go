package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

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
	s.WriteString("about: x\nendpoint: POST /x\nsession: none\ninput: {body: {a: string}}\nsteps:\n")
	before := "body"
	for i := range steps {
		fmt.Fprintf(&s, "  - id: s%d\n    node: text.pass\n    with: {a: $%s.a, c: $body.a}\n", i, before)
		before = fmt.Sprintf("s%d", i)
	}
	s.WriteString("  - respond: 204\n")
	env := testEnv()
	env.Nodes = append(env.Nodes, engine.Define("text.pass", "Passes a text on.", pass))
	app, err := engine.Load(fstest.MapFS{"x.yaml": {Data: []byte(s.String())}}, env)
	if err != nil {
		b.Fatal(err)
	}
	return app.Flows[0]
}

// BenchmarkSteps measures what a step costs: its input moved (two references,
// a constant), its node called, its output kept. The metric ns/step must be
// flat from 2 steps to 100.
func BenchmarkSteps(b *testing.B) {
	for _, steps := range []int{2, 10, 100} {
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			f := chain(b, steps)
			body, _ := f.Input.Body.ReadJSON([]byte(`{"a":"hello"}`), "body")
			in := engine.Inputs{Body: body}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Program.Run(ctx, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(steps), "ns/step")
		})
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
