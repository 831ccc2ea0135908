package flowtest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sluice/flows"
	"sluice/server/flowtest"
)

// Every path through the flows that come with Sluice keeps what every flow must.
func TestPathsOfShippedFlows(t *testing.T) {
	s, err := flowtest.Load(flows.FS, flowtest.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	walked, err := s.Paths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walked {
		for _, b := range w.Breaches {
			t.Error(b)
		}
		if w.Cut || w.Took > time.Second {
			t.Errorf("%s has more than %d paths, %v", w.File, w.Paths, w.Took)
		}
		t.Logf("%s: %d paths, %v", w.File, w.Paths, w.Took)
	}
}

// stressed is a flow with all that leads a run another way.
const stressed = `about: Do much, and take it back.
endpoint: POST /much
session: required
input:
  body:
    kind: {type: string, enum: [a, b, c]}
    names: {type: array, maxItems: 3, items: string}
    password: {type: string, format: password}
steps:
  - id: user
    node: user.fetch
    with: {id: $session.userId}
    on: {notFound: continue}
  - id: proof
    node: password.check
    with: {user: $user, account: ada, password: $body.password}
    on:
      mismatch:
        - fail: no
  - id: fresh
    node: session.create
    with: {userId: $proof.userId}
    undo:
      - node: session.delete
        with: {userId: $proof.userId, id: $fresh.id}
        on: {notFound: continue}
  - switch: $body.kind
    cases:
      a:
        - try:
            - node: session.deleteAll
              with: {userId: $session.userId}
            - id: asked
              node: people.ask
              with: {id: $session.userId}
          catch:
            nobody:
              - fail: no
            internal_error:
              - respond: 202
      b:
        - parallel:
            left:
              - id: l
                node: user.fetch
                with: {id: $session.userId}
            right:
              - id: r
                node: user.fetch
                with: {email: ada@example.com}
        - respond: 200
          body: [$l, $r]
    else:
      - each: $body.names
        as: name
        do:
          - node: user.update
            with: {userId: $session.userId, name: $name}
            on: {notFound: continue}
  - if: $user
    then:
      - respond: 200
        body: {user: $user, session: $fresh}
  - respond: 204
`

const asked = `about: Ask a user.
node: people.ask
params: {id: string}
outcomes:
  nobody: {kind: notFound, about: There is nobody to ask.}
steps:
  - id: user
    node: user.fetch
    with: {id: $params.id}
    on:
      notFound:
        - fail: nobody
  - return: {name: $user.name}
`

// Every path is walked, through switches, loops, lanes, tries and nodes
// that are flows, and what was done is taken back on each that fails.
func TestPathsOfEverything(t *testing.T) {
	files := fstest.MapFS{
		"much.yaml":   {Data: []byte(stressed)},
		"ask.yaml":    {Data: []byte(asked)},
		"errors.yaml": {Data: []byte("\"no\": {status: 403, message: No.}\n")},
	}
	s, err := flowtest.Load(files, flowtest.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	walked, err := s.Paths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := walked[0]
	for _, b := range w.Breaches {
		t.Error(b)
	}
	// How many there are depends on which lane fails first and spares the other.
	if w.Cut || w.Paths < 70 {
		t.Errorf("Paths walked %d (cut: %t), want all of more than 70", w.Paths, w.Cut)
	}
}

// Where there are too many paths, it is said that there are more.
func TestPathsAreBounded(t *testing.T) {
	step := "  - node: user.update\n    with: {userId: $session.userId}\n    on: {notFound: continue, emailTaken: continue, invalidEmail: continue}\n"
	s, err := flowtest.Load(fstest.MapFS{"many.yaml": {
		Data: []byte("about: x\nendpoint: GET /many\nsession: required\nsteps:\n" + strings.Repeat(step, 12) + "  - respond: 204\n"),
	}}, flowtest.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	walked, err := s.Paths(t.Context())
	if err != nil || !walked[0].Cut || walked[0].Paths != 2000 {
		t.Errorf("Paths = %+v, %v, want 2000 paths and that there are more", walked, err)
	}
}
