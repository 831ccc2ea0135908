package flowtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/session"
	"sluice/server/endpoint"
)

// Bounds of the paths that are walked through one flow.
const (
	maxPaths = 2000
	maxWalk  = 5 * time.Second // as a retry waits in real time
)

// Walked is what came of walking the paths of one flow.
type Walked struct {
	File     string // as the user can open it
	Paths    int
	Cut      bool // there are more paths, or they took too long
	Took     time.Duration
	Breaches []Breach
}

// A Breach is a path on which the flow did not do what every flow must.
type Breach struct {
	Pos  engine.Pos // of the last step
	Path string     // as in user ok, proof mismatch
	What string
}

func (b Breach) String() string {
	return b.Pos.String() + ": " + b.What + " (on the path " + b.Path + ")"
}

// Paths walks every path through every flow: each way out of each if and
// switch, each outcome of each node, its success, and something broken in it.
// Nodes are made up and so is the request, with all that is optional; nodes that
// are flows are walked inside. On each path
//
//   - the flow answers JSON, or fails with a code that stands in its contract
//   - nothing is an internal error but what was broken on purpose
//   - no secret is in the answer or in an event, and each event holds JSON
//   - where the flow fails, each step with undo: that succeeded was taken back
func (s *Suite) Paths(ctx context.Context) ([]Walked, error) {
	var all []Walked
	for _, f := range s.app.Flows {
		w, err := s.walk(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("walking %s: %w", f.File, err)
		}
		all = append(all, w)
	}
	return all, nil
}

// A walker walks the paths of one flow, depth first.
type walker struct {
	*Suite
	flow      *engine.Flow
	in        engine.Inputs
	secrets   []string
	allowed   map[string]bool // codes
	statuses  map[int]bool
	undos     map[engine.Pos]engine.Step // steps with undo, by place
	decisions []*decision

	mu   sync.Mutex // of what the goroutines of one path share
	seen map[place]int
	path []string
	last engine.Pos
	hurt bool     // a node was broken on purpose
	sent [][]byte // data of events
	done []engine.Pos
	ran  map[engine.Pos]bool
}

// A place is a step, the nth time that a path comes to it.
type place struct {
	pos engine.Pos
	nth int
}

// A decision is made at one place of a path. Decisions are known by their
// place, since lanes that run at once come to theirs in any order.
type decision struct {
	place
	ways  []string
	taken int
}

// broken is the way out of a node that breaks.
const broken = "broken"

func (s *Suite) walk(ctx context.Context, f *engine.Flow) (Walked, error) {
	began := time.Now()
	w := s.newWalker(f)
	out := Walked{File: s.path(f.File)}
	for {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		w.seen, w.path, w.hurt, w.done, w.ran = map[place]int{}, nil, false, nil, map[engine.Pos]bool{}
		w.sent = nil
		a, err := f.Program.RunProbed(ctx, w.in, w.probe())
		out.Paths++
		for _, what := range w.judge(a, err) {
			at := w.last
			at.File = s.path(at.File)
			out.Breaches = append(out.Breaches, Breach{at, strings.Join(w.path, ", "), what})
		}
		if !w.next() {
			break
		}
		if out.Paths >= maxPaths || time.Since(began) > maxWalk {
			out.Cut = true
			break
		}
	}
	out.Took = time.Since(began)
	return out, nil
}

func (s *Suite) newWalker(f *engine.Flow) *walker {
	w := &walker{
		Suite: s, flow: f, allowed: map[string]bool{}, statuses: map[int]bool{}, undos: map[engine.Pos]engine.Step{},
		secrets: []string{engine.SecretSample},
	}
	sample := func(t *engine.Type) engine.Value {
		if t == nil {
			return engine.Value{}
		}
		return t.Sample()
	}
	w.in = engine.Inputs{
		Path: sample(f.Input.Path), Query: sample(f.Input.Query), Headers: sample(f.Input.Headers), Body: sample(f.Input.Body),
		Request: engine.TypeOf[endpoint.Facts]().Sample(),
	}
	w.in.Send = func(_ context.Context, e engine.Event) error {
		w.sent = append(w.sent, e.Data) // runs send one event at a time
		return nil
	}
	if f.Session != engine.SessionNone {
		w.in.Session = engine.TypeOf[session.Session]().Sample()
	}
	for _, code := range []string{"invalid_input", "expression_failed", "too_much_work", "timeout", "unavailable"} {
		w.allowed[code] = true // of every flow
	}
	for _, fail := range f.Fails {
		w.allowed[fail.Code] = true
	}
	if f.APIKey != engine.KeyNone {
		w.in.APIKey = engine.TypeOf[apikey.Caller]().Sample()
	}
	w.outline(f.Steps)
	for _, n := range s.app.Nodes {
		w.outline(n.Steps)
	}
	return w
}

// outline notes what a flow can answer and which of its steps have undo.
func (w *walker) outline(steps []engine.Step) {
	for _, st := range steps {
		if st.Verb == "respond" {
			w.statuses[st.Status] = true
		}
		for _, b := range st.Branches {
			if b.Role == "undo" {
				w.undos[st.Pos] = st
			}
			w.outline(b.Steps)
		}
	}
}

// decide returns the way to take at a place, the first time the first.
func (w *walker) decide(at engine.At, ways []string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = at.Pos
	key := place{at.Pos, 0}
	key.nth = w.seen[key]
	w.seen[place{at.Pos, 0}]++
	i := slices.IndexFunc(w.decisions, func(d *decision) bool { return d.place == key })
	if i < 0 {
		i = len(w.decisions)
		w.decisions = append(w.decisions, &decision{place: key, ways: ways})
	}
	d := w.decisions[i]
	way := d.ways[min(d.taken, len(d.ways)-1)]
	w.path = append(w.path, at.Step+" "+way)
	return way
}

// next turns to the next path and tells whether there is one: the last decision
// that has ways left takes its next one, and those behind it are forgotten.
func (w *walker) next() bool {
	for i := len(w.decisions) - 1; i >= 0; i-- {
		d := w.decisions[i]
		if d.taken++; d.taken < len(d.ways) {
			w.decisions = w.decisions[:i+1]
			return true
		}
	}
	return false
}

func (w *walker) probe() *engine.Probe {
	return &engine.Probe{
		Fake: func(at engine.At) (engine.Fake, bool) {
			if slices.ContainsFunc(w.app.Nodes, func(n *engine.NodeFlow) bool { return n.Node == at.Node }) {
				return engine.Fake{}, false // it is walked inside
			}
			ways := []string{"ok"}
			for _, o := range at.Node.Outcomes {
				ways = append(ways, o.Name)
			}
			switch way := w.decide(at, append(ways, broken)); way {
			case "ok":
				return engine.Fake{}, true
			case broken:
				w.mu.Lock()
				w.hurt = true
				w.mu.Unlock()
				return engine.Fake{Err: errFaked}, true
			default:
				return engine.Fake{Outcome: way}, true
			}
		},
		Choose: func(at engine.At, ways []string) (string, bool) { return w.decide(at, ways), true },
		Took: func(way engine.Way) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ran[way.Pos] = true
		},
		Ran: func(c engine.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ran[c.Pos] = true
			if c.Outcome == "" {
				w.done = append(w.done, c.Pos)
			}
		},
	}
}

// judge says what is wrong with how a path ended.
func (w *walker) judge(a engine.Answer, err error) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var failed *engine.Error
	shown := [][]byte{a.Body}
	for _, h := range a.Headers {
		shown = append(shown, []byte(h.Value))
	}
	switch {
	case err == nil:
		if !w.statuses[a.Status] {
			say("it answers %d, which no respond says", a.Status)
		}
		if a.Body != nil && a.Type == "" && !json.Valid(a.Body) {
			say("its answer is no JSON: %s", short(string(a.Body)))
		}
	case !errors.As(err, &failed) || len(failed.Items) == 0:
		say("it ends in no answer and no failure: %v", err)
	default:
		for _, it := range failed.Items {
			shown = append(shown, []byte(it.Message), it.Details)
			if it.Details != nil && !json.Valid(it.Details) {
				say("the details of %s are no JSON", it.Code)
			}
			switch {
			case it.Code == "internal_error" && !w.hurt:
				say("it fails with internal_error, though nothing broke: %v", failed)
			case it.Code != "internal_error" && !w.allowed[it.Code]:
				say("it fails with %s, which is not in its contract", it.Code)
			}
		}
		for _, st := range w.notUndone() {
			say("it fails, and %s of line %d is not taken back", nameOf(st), st.Pos.Line)
		}
	}
	for _, data := range w.sent {
		shown = append(shown, data)
		if !json.Valid(data) {
			say("it sends what is no JSON: %s", short(string(data)))
		}
	}
	for _, secret := range w.secrets {
		if slices.ContainsFunc(shown, func(b []byte) bool { return bytes.Contains(b, []byte(secret)) }) {
			say("its answer shows a secret")
		}
	}
	return wrong
}

// notUndone lists the steps that succeeded, have undo, and were not taken back.
func (w *walker) notUndone() (left []engine.Step) {
	for _, pos := range w.done {
		st, ok := w.undos[pos]
		if !ok {
			continue
		}
		for _, b := range st.Branches {
			if b.Role == "undo" && len(b.Steps) > 0 && b.Steps[0].Verb == "node" && !w.ran[b.Steps[0].Pos] {
				left = append(left, st)
			}
		}
	}
	return left
}
