package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/engine"
)

// hostileTimeout is that of the flows that are attacked.
const hostileTimeout = 200 * time.Millisecond

// large is a body of the size that servers take by default.
func large(t testing.TB, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func times[T any](n int, v T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// TestHostileRequestsStopAtTheirBound keeps the promise that no request makes an
// expression run for longer than the flow's timeout, or make more than its bound,
// whatever its values are: it ends in an answer, by the timeout or by an error that
// tells of the bound. With -v it prints how long each took and what it allocated.
func TestHostileRequestsStopAtTheirBound(t *testing.T) {
	a64 := strings.Repeat("a", 64<<10)
	const head = "about: x\nendpoint: POST /x\nsession: none\ntimeout: 200ms\ninput:\n  body:\n    t: string\n    u: string\n    n: integer\n    any: any\n" +
		"    open: {type: array, items: string}\n    ints: {type: array, items: integer}\n    list: {type: array, items: integer, maxItems: 1000}\n    texts: {type: array, items: string, maxItems: 1000}\nsteps:\n"
	body := func(fields map[string]any) map[string]any {
		all := map[string]any{"t": a64, "u": a64, "n": 1 << 40, "any": nil, "open": []string{}, "ints": []int{}, "list": numbers(1000), "texts": times(1000, "text")}
		for k, v := range fields {
			all[k] = v
		}
		return all
	}
	lets := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  - let: {v%d: '"+format+"'}\n", i+1, i)
		}
		return b.String()
	}
	const (
		bound   = "invalid expression_failed"
		late    = "timeout timeout"
		answers = "204"
		either  = "an answer, or one of the bounds" // as the machine is fast
	)
	for name, c := range map[string]struct {
		steps string // an expression, or steps where it begins with two spaces
		body  map[string]any
		want  string
	}{
		"nested predicates":                  {steps: `all($body.list, any($body.list, # == -1 or # < 0) == false)`, want: either},
		"nested predicates over texts":       {steps: `count($body.list, count($body.list, upper($body.t) == lower($body.u)) > 1)`, want: bound},
		"nested comparisons of long texts":   {steps: `count($body.list, count($body.list, $body.t == $body.u) > 1) > 0`},
		"a pattern in nested predicates":     {steps: `count($body.list, count($body.list, $body.t matches "(x+x+)+y") > 1)`, want: late},
		"a search in nested predicates":      {steps: `count($body.list, count($body.list, indexOf($body.t, "b") > 0) > 1)`, want: either},
		"a list in nested predicates":        {steps: `count($body.list, count($body.list, -1 in $body.ints) > 1)`, body: map[string]any{"ints": numbers(12000)}, want: late},
		"a sum in nested predicates":         {steps: `count($body.list, count($body.list, sum($body.ints) == 1) > 1)`, body: map[string]any{"ints": numbers(12000)}, want: late},
		"a list sorted in nested predicates": {steps: `count($body.list, count($body.list, len(sort($body.open)) == 1) > 1)`, body: map[string]any{"open": times(12000, "")}, want: bound},
		"texts added up":                     {steps: `len(map($body.list, $body.t + $body.u))`, want: bound},
		"texts added up by let":              {steps: `let a = $body.t + $body.t; let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; let g = f + f; let h = g + g; len(h)`, want: bound},
		"data added up by let":               {steps: `let a = $body.any + $body.any; let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; let g = f + f; let h = g + g; len(h)`, body: map[string]any{"any": a64}, want: bound},
		"texts added up from step to step":   {steps: "  - let: {v0: $body.t}\n" + lets(20, "= $v%[2]d + $v%[2]d"), want: bound},
		"texts put together step by step":    {steps: "  - let: {v0: $body.t}\n" + lets(20, "{$v%[2]d}{$v%[2]d}"), want: bound},
		"replacing all by much":              {steps: `len(replace($body.t, "a", $body.u))`, want: bound},
		"replacing nothing by much":          {steps: `len(replace($body.t, "", $body.u))`, want: bound},
		"joining with much":                  {steps: `len(join($body.open, $body.t))`, body: map[string]any{"open": times(16000, "")}, want: bound},
		"joining what was split":             {steps: `len(join(split($body.t, ""), $body.u))`, want: bound},
		"splitting in rounds":                {steps: `len(map($body.list, split($body.t, "")))`, want: bound},
		"lists put together":                 {steps: `let a = concat($body.ints, $body.ints); let b = concat(a, a); let c = concat(b, b); let d = concat(c, c); let e = concat(d, d); let f = concat(e, e); let g = concat(f, f); let h = concat(g, g); len(concat(h, h))`, body: map[string]any{"ints": numbers(12000)}, want: bound},
		"different texts":                    {steps: `len(uniq($body.open))`, body: map[string]any{"open": strings.Split(strings.Repeat("a b c d e f ", 2000), " ")}},
		"different numbers":                  {steps: `len(uniq($body.ints)) == 12000`, body: map[string]any{"ints": numbers(12000)}},
		"different lists":                    {steps: `len(uniq($body.any))`, body: map[string]any{"any": times(16000, []int{1, 2})}, want: either},
		"different objects":                  {steps: `len(uniq(map(1..9000, [#])))`, want: either},
		"a long range":                       {steps: `len(1..$body.n)`, want: bound},
		"a long range of the flow":           {steps: `sum(1..90000)`},
		"a catastrophic pattern":             {steps: `$body.t matches "(x+x+)+y" or $body.t matches "^(a|a)*$" or $body.t matches "^(a*)*b$"`},
		"a large pattern":                    {steps: `$body.t matches "^(a?){100}(a{1,3}){50}b$"`, want: either},
		"a large number":                     {steps: `$body.n * $body.n * $body.n == 1`},
		"a place out of the list":            {steps: `$body.list[$body.n] == 1`, want: bound},
		"a number divided by nothing":        {steps: `$body.n % ($body.n - $body.n) == 1`, want: bound},
		"many rounds of long texts":          {steps: "  - each: $body.list\n    do:\n      - let: {x: '= replace($body.t, \"a\", \"b\")'}\n", want: either},
		"rounds in rounds":                   {steps: "  - each: $body.list\n    do:\n      - each: $body.list\n        as: inner\n        do:\n          - let: {x: = $item + $inner}\n", want: bound},
		"lanes with nested predicates":       {steps: "  - each: $body.list\n    atOnce: 4\n    do:\n      - let: {x: '= count($body.list, count($body.list, indexOf($body.t, \"b\") > 0) > 1)'}\n", want: either},
	} {
		t.Run(name, func(t *testing.T) {
			steps := c.steps
			if !strings.HasPrefix(steps, "  ") {
				steps = "  - let:\n      x: " + quote("= "+steps) + "\n"
			}
			f := load(t, head+steps+"  - respond: 204\n")
			in := engine.Inputs{Request: engine.ValueOf(&requestFacts{})}
			var faults []engine.Fault
			if in.Body, faults = f.Input.Body.ReadJSON([]byte(large(t, body(c.body))), "body"); faults != nil {
				t.Fatal(faults)
			}
			ctx, cancel := context.WithTimeout(t.Context(), f.Timeout)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got := answers
			a, err := f.Program.Run(ctx, in)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var e *engine.Error
			if errors.As(err, &e) {
				got = fmt.Sprint(e.Kind, " ", e.Items[0].Code)
			} else {
				got = fmt.Sprint(a.Status)
			}
			want := cmp.Or(c.want, answers)
			stopped := got == late || got == bound || strings.HasSuffix(got, " too_much_work")
			if got != want && !(want == bound && stopped) && !(want == either && (got == answers || stopped)) {
				t.Errorf("the run = %s, %v, want %s", got, err, want)
			}
			if took > hostileTimeout+5*time.Second { // so long only on a machine that has much else to do
				t.Errorf("the run took %v, want it stopped at %v", took, hostileTimeout)
			}
			made := (after.TotalAlloc - before.TotalAlloc) >> 20
			if made > 1024 {
				t.Errorf("the run made %d MiB, want less", made)
			}
			t.Logf("%s after %v, %d MiB allocated", got, took.Round(time.Millisecond), made)
		})
	}
}

// What a flow takes back when its time is over has time of its own, also for
// expressions that are stopped when the run is.
func TestUndoComputesWhenTheRunIsOver(t *testing.T) {
	env := testEnv()
	undone := ""
	env.Nodes = append(env.Nodes, engine.Define("text.pass", "Passes a text on.", func(_ context.Context, in passIn) (passOut, error) {
		undone = in.A
		return passOut{}, nil
	}))
	f := loadWith(t, env, `about: x
endpoint: POST /x
session: none
input: {body: {few: {type: array, items: integer, maxItems: 10}, list: {type: array, items: integer, maxItems: 1000}}}
steps:
  - node: note.write
    with: {text: hi}
    undo:
      - node: text.pass
        with: {a: '= join(map($body.few, string(#)), "-")', c: x}
  - let: {y: '= count($body.list, count($body.list, -1 in $body.list) > 0)'}
  - respond: 200
`)
	in := engine.Inputs{Request: engine.ValueOf(&requestFacts{})}
	var faults []engine.Fault
	if in.Body, faults = f.Input.Body.ReadJSON([]byte(large(t, map[string]any{"few": numbers(3), "list": numbers(1000)})), "body"); faults != nil {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := f.Program.Run(ctx, in)
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.Timeout || undone != "0-1-2" {
		t.Errorf("Run = %v and took back %q, want a timeout that takes back 0-1-2", err, undone)
	}
}

// quote writes a text as a YAML scalar in single quotes.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
