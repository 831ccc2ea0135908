package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
)

// A diary is what the nodes of a test did, in order.
type diary struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

type doIn struct {
	Name string        `json:"name" doc:"What to do."`
	Take time.Duration `json:"take" doc:"How long it takes." default:"0s"`
	Fail string        `json:"fail,omitzero" doc:"How it fails: busy, refused, bug."`
	Up   int           `json:"up" doc:"How often it fails before it works; -1 for always." default:"-1"`
}

type doOut struct {
	Name string `json:"name" doc:"What was done."`
}

var refused = engine.NewOutcome("refused", engine.Conflict, "It was refused.")

// diaryEnv has a node that does what it is told and writes it down.
func diaryEnv(d *diary) engine.Env {
	env := testEnv()
	tries := map[string]int{}
	env.Nodes = append(env.Nodes, engine.Define("thing.do", "Does a thing.", func(ctx context.Context, in doIn) (doOut, error) {
		select {
		case <-time.After(in.Take):
		case <-ctx.Done():
			d.add("%s cancelled", in.Name)
			return doOut{}, ctx.Err()
		}
		d.mu.Lock()
		tries[in.Name]++
		works := in.Fail == "" || in.Up >= 0 && tries[in.Name] > in.Up
		d.mu.Unlock()
		if works {
			d.add("%s", in.Name)
			return doOut{in.Name}, nil
		}
		d.add("%s %s", in.Name, in.Fail)
		switch in.Fail {
		case "busy":
			return doOut{}, engine.ErrUnavailable
		case "refused":
			return doOut{}, refused
		}
		return doOut{}, errors.New("a bug")
	}, refused))
	return env
}

const head = "about: x\nendpoint: POST /x\nsession: none\nsteps:\n"

// What a flow did before it failed is taken back, the last first, also when
// the request is over by then; what a try caught is taken back before its catch.
func TestUndo(t *testing.T) {
	for name, tt := range map[string]struct {
		steps string
		want  string // the diary, and how it ended
	}{
		"nothing fails": {`
  - node: thing.do
    with: {name: a}
    undo:
      - node: thing.do
        with: {name: undo a}
  - respond: 204
`, "a -> 204"},
		"last first": {`
  - id: a
    node: thing.do
    with: {name: a}
    undo:
      - node: thing.do
        with: {name: "undo {$a.name}"}
  - node: thing.do
    with: {name: b}
    undo:
      - node: thing.do
        with: {name: undo b}
  - node: thing.do
    with: {name: c, fail: refused}
    undo:
      - node: thing.do
        with: {name: undo c}
  - respond: 204
`, "a, b, c refused, undo b, undo a -> refused"},
		"an undo that fails stops no other": {`
  - node: thing.do
    with: {name: a}
    undo:
      - node: thing.do
        with: {name: undo a}
  - node: thing.do
    with: {name: b}
    undo:
      - node: thing.do
        with: {name: undo b, fail: bug}
  - fail: sold_out
`, "a, b, undo b bug, undo a -> sold_out"},
		"before the catch": {`
  - node: thing.do
    with: {name: a}
    undo:
      - node: thing.do
        with: {name: undo a}
  - try:
      - node: thing.do
        with: {name: b}
        undo:
          - node: thing.do
            with: {name: undo b}
      - node: thing.do
        with: {name: c, fail: refused}
    catch:
      refused:
        - node: thing.do
          with: {name: caught}
    finally:
      - node: thing.do
        with: {name: finally}
  - respond: 204
`, "a, b, c refused, undo b, caught, finally -> 204"},
		"after the time is over": {`
  - node: thing.do
    with: {name: a}
    undo:
      - node: thing.do
        with: {name: undo a, take: 3s}
  - node: thing.do
    with: {name: b, take: 1h}
  - respond: 204
`, "a, b cancelled, undo a -> timeout"},
		"a try takes back its own lane only": {`
  - parallel:
      one:
        - try:
            - node: thing.do
              with: {name: a, take: 1s}
              undo:
                - node: thing.do
                  with: {name: undo a}
            - node: thing.do
              with: {name: b, take: 2s, fail: refused}
          catch:
            refused:
              - node: thing.do
                with: {name: caught}
      two:
        - node: thing.do
          with: {name: c, take: 2s}
          undo:
            - node: thing.do
              with: {name: undo c}
  - respond: 204
`, "a, c, b refused, undo a, caught -> 204"},
		"lanes are taken back when the flow fails behind them": {`
  - parallel:
      one:
        - node: thing.do
          with: {name: a, take: 1s}
          undo:
            - node: thing.do
              with: {name: undo a}
      two:
        - node: thing.do
          with: {name: b, take: 2s}
          undo:
            - node: thing.do
              with: {name: undo b}
  - fail: sold_out
`, "a, b, undo b, undo a -> sold_out"},
		"in every round": {`
  - each: [x, y]
    do:
      - node: thing.do
        with: {name: $item}
        undo:
          - node: thing.do
            with: {name: "undo {$item}"}
  - fail: sold_out
`, "x, y, undo y, undo x -> sold_out"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				f := loadWith(t, diaryEnv(d), head+strings.TrimPrefix(tt.steps, "\n"))
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if got := d.run(ctx, f); got != tt.want {
					t.Errorf("the flow did %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// run runs a flow and prints what it did and how it ended.
func (d *diary) run(ctx context.Context, f *engine.Flow) string {
	a, err := f.Program.Run(ctx, engine.Inputs{})
	end := fmt.Sprint(a.Status)
	var e *engine.Error
	if errors.As(err, &e) {
		end = e.Items[0].Code
	}
	return strings.Join(d.lines, ", ") + " -> " + end
}

// A retry comes after a wait that grows, only where trying again may help, and
// only as often as it says.
func TestRetry(t *testing.T) {
	for name, tt := range map[string]struct {
		steps string
		want  string
		least time.Duration // that it takes; at most it takes three times that
	}{
		"works at last": {"  - try:\n      - node: thing.do\n        with: {name: a, fail: busy, up: 2}\n    retry: {times: 3, wait: 1s, factor: 2}\n  - respond: 204\n",
			"a busy, a busy, a -> 204", 1500 * time.Millisecond},
		"gives up": {"  - try:\n      - node: thing.do\n        with: {name: a, fail: busy}\n    retry: {times: 2, wait: 1s, factor: 10, upTo: 2s}\n  - respond: 204\n",
			"a busy, a busy, a busy -> unavailable", 1500 * time.Millisecond},
		"a bug is no reason":      {"  - try:\n      - node: thing.do\n        with: {name: a, fail: bug}\n    retry: {times: 2}\n  - respond: 204\n", "a bug -> internal_error", 0},
		"an outcome is no reason": {"  - try:\n      - node: thing.do\n        with: {name: a, fail: refused}\n    retry: {times: 2}\n  - respond: 204\n", "a refused -> refused", 0},
		"unless it is named":      {"  - try:\n      - node: thing.do\n        with: {name: a, fail: refused, up: 1}\n    retry: {times: 2, on: [refused]}\n  - respond: 204\n", "a refused, a -> 204", 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				f := loadWith(t, diaryEnv(d), head+tt.steps)
				start := time.Now()
				if got := d.run(t.Context(), f); got != tt.want {
					t.Errorf("the flow did %s, want %s", got, tt.want)
				}
				if took := time.Since(start); took < tt.least || took > 3*tt.least {
					t.Errorf("it took %v, want about %v", took, 2*tt.least)
				}
			})
		})
	}
}

// Lanes and rounds run at once, not more than allowed, and the first failure
// cancels the others. Nothing of them is left when the run is over.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := loadWith(t, diaryEnv(d), head+`  - parallel:
      slow:
        - node: thing.do
          with: {name: slow, take: 3s}
      fast:
        - node: thing.do
          with: {name: fast, take: 1s}
  - each: [1, 2, 3, 4, 5]
    atOnce: 2
    do:
      - node: thing.do
        with: {name: "{$item}", take: 1s}
  - respond: 204
`)
		start := time.Now()
		if got := d.run(t.Context(), f); !strings.HasPrefix(got, "fast, slow, ") || !strings.HasSuffix(got, " -> 204") {
			t.Errorf("the flow did %s", got)
		}
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("it took %v, want 3 s for the slower lane and 3 s for five items, two at once", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := loadWith(t, diaryEnv(d), head+`  - parallel:
      slow:
        - node: thing.do
          with: {name: slow, take: 1h}
      bad:
        - node: thing.do
          with: {name: bad, take: 1s, fail: refused}
  - respond: 204
`)
		// The bubble of synctest fails where a goroutine is left.
		if got, want := d.run(t.Context(), f), "bad refused, slow cancelled -> refused"; got != want {
			t.Errorf("the flow did %s, want %s", got, want)
		}
	})
}

// What one round sets is not there in the next, nor what an attempt set in the next one.
func TestRoundsBeginAnew(t *testing.T) {
	f := load(t, `about: x
endpoint: POST /x
session: none
input: {body: {ids: {type: array, items: string, maxItems: 3}}}
steps:
  - id: found
    each: $body.ids
    do:
      - id: u
        node: user.fetch
        with: {id: $item}
        on: {notFound: continue}
    collect: {id: $item, email: $u.email}
  - respond: 200
    body: $found
`)
	got := call(t, f, `{"ids":["u1","u2","u1"]}`, "", false)
	want := "200\n" + `[{"id":"u1","email":"ada@example.com"},{"id":"u2"},{"id":"u1","email":"ada@example.com"}]`
	if got != want {
		t.Errorf("the flow gave %s, want %s", got, want)
	}
}

// A list that the time does not suffice for is never answered in part.
func TestTimeEndsBetweenRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := loadWith(t, diaryEnv(d), head+"  - each: [1, 2, 3, 4]\n    atOnce: 2\n    do:\n      - try:\n          - node: thing.do\n            with: {name: \"{$item}\", take: 3s}\n        catch:\n          any:\n            - let: {x: 1}\n  - respond: 204\n")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got := d.run(ctx, f); !strings.HasSuffix(got, " -> timeout") {
			t.Errorf("the flow did %s, want a timeout", got)
		}
	})
}

// A step with a timeout of its own fails by it, and the flow goes on from there.
func TestStepTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := loadWith(t, diaryEnv(d), head+"  - try:\n      - node: thing.do\n        with: {name: a, take: 1h}\n        timeout: 2s\n    catch:\n      timeout:\n        - respond: 202\n  - respond: 204\n")
		start := time.Now()
		if got, want := d.run(t.Context(), f), "a cancelled -> 202"; got != want {
			t.Errorf("the flow did %s, want %s", got, want)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("it took %v, want 2s", took)
		}
	})
}

// However lists are nested, a run does no more than its bound, and says so.
func TestWorkIsBounded(t *testing.T) {
	list := "[" + strings.Repeat("1, ", 99) + "1]"
	f := load(t, head+"  - each: "+list+"\n    do:\n      - each: "+list+"\n        as: b\n        do:\n          - each: "+list+"\n            as: c\n            do:\n              - node: session.delete\n                with: {token: x}\n  - respond: 204\n")
	_, err := f.Program.Run(t.Context(), engine.Inputs{})
	var e *engine.Error
	if !errors.As(err, &e) || e.Items[0].Code != "too_much_work" {
		t.Errorf("Run = %v, want too_much_work", err)
	}
}

// Hostile expressions end at their bounds, long before the flow's time is over.
func TestExpressionsAreBounded(t *testing.T) {
	f := load(t, "about: x\nendpoint: POST /x\nsession: none\ninput:\n  body:\n    list: {type: array, items: integer, maxItems: 1000}\n    text: string\nsteps:\n"+
		"  - let:\n      n: '= count($body.list, any($body.list, # < 0))'\n      m: '= $body.text matches \"(a+)+$\"'\n      s: '= split($body.text, \"\")'\n  - respond: 204\n")
	body := `{"list":[` + strings.TrimSuffix(strings.Repeat("1,", 1000), ",") + `],"text":"` + strings.Repeat("a", 50_000) + `!"}`
	start := time.Now()
	got := call(t, f, body, "", false)
	if took := time.Since(start); took > f.Timeout { // which call does not set; on a machine with nothing else to do it takes 0.2 s
		t.Errorf("it took %v", took)
	}
	if !slices.Contains([]string{"204", "invalid"}, strings.Fields(got)[0]) {
		t.Errorf("the flow gave %s, want an answer or the caller's failure", got)
	}
}
