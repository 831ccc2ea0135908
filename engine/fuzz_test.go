package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"sluice/engine"
)

// FuzzLoad keeps the promise that no file, however odd, makes the loader panic,
// and that every problem has a place in a file.
func FuzzLoad(f *testing.F) {
	for _, glob := range []string{"testdata/problems/*.txtar", "testdata/runs/*.txtar"} {
		names, _ := filepath.Glob(glob)
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range txtar.Parse(data).Files {
				if strings.HasSuffix(file.Name, ".yaml") {
					f.Add(string(file.Data))
				}
			}
		}
	}
	env := testEnv()
	f.Fuzz(func(t *testing.T, text string) {
		app, err := engine.Load(fstest.MapFS{"flow.yaml": {Data: []byte(text)}}, env)
		if err == nil {
			if len(app.Flows) > 1 {
				t.Fatalf("Load gave %d flows of one file", len(app.Flows))
			}
			return
		}
		problems, ok := err.(engine.Problems)
		if !ok {
			t.Fatalf("Load = %v, want problems", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.File == "" || p.Message == "" {
				t.Fatalf("problem %+v has no place or nothing to say", p)
			}
		}
	})
}

// FuzzExpression keeps the promise that no expression makes the loader or a run
// panic, that one which loads ends with its context, and that it fails as a mistake
// of the caller and never as one of the server.
func FuzzExpression(f *testing.F) {
	for _, fn := range engine.Functions() {
		f.Add(fn.Usage)
	}
	for _, src := range []string{
		`$body.n % 2 == 0 and not $body.flag`, `$body.user?.name ?? "x" + $body.t`, `filter($body.items, .qty > 1)[0].qty`,
		`let a = $body.t + $body.t; a matches "^a+$"`, `sum(map($body.items, .qty * .price)) > 1.5 ? $body.tags[1:2] : []`, `{"a": [1, 2.5, nil]}.a[$body.n]`,
		`1..3 | map(# ** 2)`, `$body.data.a.b`, `"a" in $body.tags or "b" not in {"b": 1}`, `$request.ip startsWith "10."`, `all($body.items, any($body.tags, # == "x"))`,
	} {
		f.Add(src)
	}
	const head = "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body:\n    t: string\n    n: integer\n    price: number\n    flag?: boolean\n    data?: any\n" +
		"    user?: {name: string, city: string}\n    tags: {type: array, items: string, maxItems: 9}\n    numbers: {type: array, items: number}\n" +
		"    items: {type: array, maxItems: 50, items: {sku: string, qty: integer, price: number, main: boolean, \"note?\": string}}\nsteps:\n"
	const body = `{"t":"a text, of a few words","n":7,"price":2.5,"data":{"a":[1,{"b":null}]},"tags":["x","y","z"],"numbers":[3,1.5,2,1.5],` +
		`"items":[{"sku":"a","qty":2,"price":1.5,"main":true},{"sku":"b","qty":0,"price":3,"main":false,"note":"n"}]}`
	env := testEnv()
	f.Fuzz(func(t *testing.T, src string) {
		if strings.ContainsFunc(src, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r > 0xd7ff }) {
			t.Skip() // which is a matter of YAML
		}
		for _, steps := range []string{"  - let:\n      x: " + quote("= "+src) + "\n  - respond: 200\n    body: {x: $x}\n", "  - if: " + quote(src) + "\n    then:\n      - respond: 204\n  - respond: 200\n"} {
			app, err := engine.Load(fstest.MapFS{"flow.yaml": {Data: []byte(head + steps)}}, env)
			if err != nil {
				continue
			}
			flow := app.Flows[0]
			in := engine.Inputs{Request: engine.ValueOf(&requestFacts{IP: "10.0.0.7"})}
			in.Body, _ = flow.Input.Body.ReadJSON([]byte(body), "body")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			start := time.Now()
			_, err = flow.Program.Run(ctx, in)
			cancel()
			var failed *engine.Error
			if errors.As(err, &failed) && failed.Kind == engine.Internal {
				t.Fatalf("%q ran into %v", src, err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Fatalf("%q took %v", src, took)
			}
		}
	})
}

// FuzzRun keeps the promise that a request can make a flow answer or fail, but
// never panic.
func FuzzRun(f *testing.F) {
	a, err := txtar.ParseFile("testdata/runs/references.txtar")
	if err != nil {
		f.Fatal(err)
	}
	flow := load(f, string(a.Files[0].Data))
	for _, file := range a.Files[1:] {
		body, _, _ := strings.Cut(string(file.Data), "\n")
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if got := call(t, flow, body, "", false); strings.HasPrefix(got, "internal") && !strings.Contains(body, "pan") && !strings.Contains(body, "brok") {
			t.Fatalf("%q gave %s", body, got)
		}
	})
}
