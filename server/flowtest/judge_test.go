package flowtest

import (
	"errors"
	"strings"
	"testing"

	"sluice/engine"
)

// A path that breaks a rule of every flow is told. No flow that loads has one,
// so the ends of the paths are made up here.
func TestJudge(t *testing.T) {
	step, undo := engine.Pos{File: "x.yaml", Line: 5, Column: 5}, engine.Pos{File: "x.yaml", Line: 8, Column: 9}
	fail := func(code string) error { return engine.Fail(engine.Conflict, code, "No.") }
	for name, c := range map[string]struct {
		answer engine.Answer
		err    error
		hurt   bool
		done   []engine.Pos
		ran    []engine.Pos
		want   string
	}{
		"an answer":                {answer: engine.Answer{Status: 200, Body: []byte(`{"a":1}`)}},
		"none to show":             {answer: engine.Answer{Status: 204}},
		"another status":           {answer: engine.Answer{Status: 500}, want: "it answers 500, which no respond says"},
		"no JSON":                  {answer: engine.Answer{Status: 200, Body: []byte(`{"a":}`)}, want: `its answer is no JSON: {"a":}`},
		"a secret":                 {answer: engine.Answer{Status: 200, Body: []byte(`["` + engine.SecretSample + `"]`)}, want: "its answer shows a secret"},
		"a secret in a header":     {answer: engine.Answer{Status: 204, Headers: []engine.Header{{Name: "X", Value: "a " + engine.SecretSample}}}, want: "its answer shows a secret"},
		"a secret in an error":     {err: engine.Fail(engine.Conflict, "no", engine.SecretSample), want: "its answer shows a secret"},
		"an error of the contract": {err: fail("no")},
		"a general error":          {err: fail("timeout")},
		"another error":            {err: fail("maybe"), want: "it fails with maybe, which is not in its contract"},
		"an error that is none":    {err: errors.New("x"), want: "it ends in no answer and no failure: x"},
		"broken":                   {err: fail("internal_error"), hurt: true},
		"broken by itself":         {err: fail("internal_error"), want: "it fails with internal_error, though nothing broke: conflict internal_error"},
		"taken back":               {err: fail("no"), done: []engine.Pos{step}, ran: []engine.Pos{step, undo}},
		"not taken back":           {err: fail("no"), done: []engine.Pos{step}, ran: []engine.Pos{step}, want: "it fails, and order of line 5 is not taken back"},
		"nothing to take back":     {answer: engine.Answer{Status: 204}, done: []engine.Pos{step}, ran: []engine.Pos{step}},
	} {
		w := &walker{
			secrets: []string{engine.SecretSample}, allowed: map[string]bool{"no": true, "timeout": true}, statuses: map[int]bool{200: true, 204: true},
			undos: map[engine.Pos]engine.Step{}, hurt: c.hurt, done: c.done, ran: map[engine.Pos]bool{},
		}
		w.outline([]engine.Step{{Pos: step, Verb: "node", ID: "order", Branches: []engine.Branch{
			{Role: "undo", Steps: []engine.Step{{Pos: undo, Verb: "node", Word: "order.cancel"}}},
		}}})
		for _, pos := range c.ran {
			w.ran[pos] = true
		}
		if got := strings.Join(w.judge(c.answer, c.err), "; "); got != c.want {
			t.Errorf("%s: judge(%v, %v) = %q, want %q", name, c.answer, c.err, got, c.want)
		}
	}
}
