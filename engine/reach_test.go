package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sluice/engine"
)

const reached = `about: x
endpoint: POST /x
session: none
input:
  body: {email: string}
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  - let: {word: $body.email}
  - try:
      - when: $user
        let: {name: $user.name}
    catch:
      any:
        - let: {none: 1}
  - respond: 200
    body: {word: $word}
`

func TestProbeIsToldEachStepInFrontOfIt(t *testing.T) {
	f := load(t, reached)
	in := engine.Inputs{Request: engine.ValueOf(&requestFacts{})}
	in.Body, _ = f.Input.Body.ReadJSON([]byte(`{"email":"ada@example.com"}`), "body")
	var lines []int
	probe := &engine.Probe{Reach: func(at engine.At) error { lines = append(lines, at.Pos.Line); return nil }}
	if _, err := f.Program.RunProbed(t.Context(), in, probe); err != nil {
		t.Fatal(err)
	}
	if want := []int{8, 11, 12, 13, 14, 18}; !slices.Equal(lines, want) {
		t.Errorf("the run came to the lines %v, want %v", lines, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := errors.New("stop")
	lines = nil
	probe.Reach = func(at engine.At) error {
		if lines = append(lines, at.Pos.Line); at.Pos.Line == 13 {
			cancel()
			return stop
		}
		return nil
	}
	if _, err := f.Program.RunProbed(ctx, in, probe); !errors.Is(err, stop) {
		t.Errorf("RunProbed() = %v, want the error of the probe, which nothing catches", err)
	}
	if want := []int{8, 11, 12, 13}; !slices.Equal(lines, want) {
		t.Errorf("the run that was stopped came to the lines %v, want %v", lines, want)
	}
}

func TestResultOfARunStandsInForANodeOfAnother(t *testing.T) {
	f := load(t, probed)
	in := engine.Inputs{Request: engine.ValueOf(&requestFacts{})}
	in.Body, _ = f.Input.Body.ReadJSON([]byte(`{"email":"ada@example.com","n":1,"password":"hush"}`), "body")
	kept := map[string]engine.Value{}
	made := func(at engine.At) (engine.Fake, bool) { return engine.Fake{}, at.Step != "new" }
	first, err := f.Program.RunProbed(t.Context(), in, &engine.Probe{Fake: made, Ran: func(c engine.Call) { kept[c.Step] = c.Result }})
	if err != nil {
		t.Fatal(err)
	}
	again := func(at engine.At) (engine.Fake, bool) { return engine.Fake{Same: kept[at.Step]}, true }
	second, err := f.Program.RunProbed(t.Context(), in, &engine.Probe{Fake: again})
	if err != nil || string(second.Body) != string(first.Body) {
		t.Errorf("the run on what another gave = %s, %v, want %s, with its secrets", second.Body, err, first.Body)
	}
}

func TestMaskedInputShowsNoSecret(t *testing.T) {
	f := load(t, probed)
	in := engine.Inputs{}
	in.Body, _ = f.Input.Body.ReadJSON([]byte(`{"email":"ada@example.com","n":1,"password":"hush"}`), "body")
	if got := string(f.Masked(in)); strings.Contains(got, "hush") || !strings.Contains(got, `"email":"ada@example.com"`) {
		t.Errorf("Masked() = %s, want all but the password", got)
	}
	if got := string(f.Input.Body.Example(true)); !strings.Contains(got, `"password":"`) {
		t.Errorf("Example() = %s, want all that is required", got)
	}
}
