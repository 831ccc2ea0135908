package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/engine"
)

type knockIn struct {
	User *user  `json:"user" absent:"name" doc:"Who knocks."`
	Name string `json:"name,omitzero" doc:"What the one who knocks is called."`
}

func TestParameterIsAskedForWhereAnotherMayBeAbsent(t *testing.T) {
	env := testEnv()
	env.Nodes = append(env.Nodes, engine.Define("door.knock", "Knocks.", func(context.Context, knockIn) (engine.None, error) { return engine.None{}, nil }))
	const head = "about: x\nendpoint: POST /x\nsession: none\nsteps:\n  - id: user\n    node: user.fetch\n    with: {id: u1}\n"
	const absent = "    on: {notFound: continue}\n"
	for name, c := range map[string]struct{ steps, want string }{
		"there":                {head + "  - node: door.knock\n    with: {user: $user}\n", ""},
		"absent":               {head + absent + "  - node: door.knock\n    with: {user: $user}\n", `a.yaml:10:18: $user may be absent, so door.knock needs "name" too (What the one who knocks is called.)`},
		"absent, and the name": {head + absent + "  - node: door.knock\n    with: {user: $user, name: ada}\n", ""},
		"asked for":            {head + absent + "  - if: $user\n    then:\n      - node: door.knock\n        with: {user: $user}\n", ""},
		"neither":              {head + "  - node: door.knock\n", ""},
	} {
		_, err := engine.Load(fstest.MapFS{"a.yaml": {Data: []byte(c.steps + "  - respond: 204\n")}}, env)
		got := ""
		if err != nil {
			got = strings.TrimSpace(err.Error())
		}
		if got != c.want {
			t.Errorf("%s: Load = %q, want %q", name, got, c.want)
		}
	}
}

func TestOutcomeTellsWhenToComeBack(t *testing.T) {
	shut := engine.NewOutcome("shut", engine.TooMany, "The door is shut.")
	env := testEnv()
	env.Nodes = append(env.Nodes, engine.Define("door.open", "Opens.", func(context.Context, engine.None) (engine.None, error) {
		return engine.None{}, shut.After(90 * time.Second)
	}, shut))
	f := loadWith(t, env, "about: x\nendpoint: POST /x\nsession: none\nsteps:\n  - node: door.open\n  - respond: 204\n")
	_, err := f.Program.Run(t.Context(), engine.Inputs{})
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.TooMany || e.Items[0].Message != "The door is shut." || e.RetryAfter != 90*time.Second {
		t.Errorf("Run = %+v, want tooMany and to come back after 90 s", err)
	}
}
