package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/engine"
)

type callIn struct {
	Email string `json:"email,omitzero" doc:"Address."`
	Phone string `json:"phone,omitzero" doc:"Number."`
}

func (callIn) Alternatives() [][]string {
	return [][]string{{"email"}, {"phone"}, {"email", "phone"}}
}

func TestStepHasTheOutcomesOfWhatItGives(t *testing.T) {
	lost, engaged := engine.NewOutcome("lost", engine.Invalid, "There is no such address."), engine.NewOutcome("engaged", engine.Conflict, "The line is engaged.")
	env := testEnv()
	env.Nodes = append(env.Nodes, engine.Define("friend.call", "Calls.", func(context.Context, callIn) (engine.None, error) {
		return engine.None{}, nil
	}, full, lost, engaged).Only("email", lost).Only("phone", engaged))
	for with, want := range map[string]struct {
		codes   string
		problem string
	}{
		"{email: a@b}":             {codes: "full lost"},
		"{phone: '1'}":             {codes: "engaged full"},
		"{email: a@b, phone: '1'}": {codes: "engaged full lost"},
		"{}":                       {problem: "a.yaml:5:11: friend.call needs either email or phone or email and phone"},
		"{email: a@b}\n    on: {engaged: continue}": {problem: `a.yaml:7:10: friend.call has no outcome "engaged" (it has, where phone is given)`},
	} {
		flow := "about: x\nendpoint: POST /x\nsession: none\nsteps:\n  - node: friend.call\n    with: " + with + "\n  - respond: 204\n"
		app, err := engine.Load(fstest.MapFS{"a.yaml": {Data: []byte(flow)}}, env)
		if got := problem(err); got != want.problem {
			t.Errorf("with %s: Load = %q, want %q", with, got, want.problem)
		}
		if err != nil {
			continue
		}
		var codes []string
		for _, f := range app.Flows[0].Fails {
			codes = append(codes, f.Code)
		}
		slices.Sort(codes)
		if got := strings.Join(codes, " "); got != want.codes {
			t.Errorf("with %s the flow can fail with %q, want %q", with, got, want.codes)
		}
	}
}

// problem is the text of an error, and "" for none.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSpace(err.Error())
}
