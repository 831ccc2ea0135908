package studio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/server/endpoint"
)

// LiveState is the first event of live.
type LiveState struct {
	Calls []LiveCall  `json:"calls"` // the last ones, newest first
	Stats []FlowStats `json:"stats"`
	Every int         `json:"every"` // one call of so many has a trace
}

// A LiveCall is a call of an endpoint.
type LiveCall struct {
	ID     string  `json:"id"` // for trace?id=
	Traced bool    `json:"traced"`
	File   string  `json:"file"`
	Method string  `json:"method"`
	Path   string  `json:"path"` // the pattern
	Time   string  `json:"time"`
	Took   float64 `json:"took"` // milliseconds
	Status int     `json:"status"`
	Code   string  `json:"code"`
}

// FlowStats are counts of one flow since the flows were loaded.
type FlowStats struct {
	File  string      `json:"file"`
	Calls int         `json:"calls"`
	Fails int         `json:"fails"` // answered with 400 or more
	Broke int         `json:"broke"` // of these, with 500 or more
	P50   float64     `json:"p50"`   // milliseconds
	P99   float64     `json:"p99"`
	Steps []StepStats `json:"steps"` // of the calls that have a trace
}

// StepStats are counts of one step.
type StepStats struct {
	Place string         `json:"place"`
	Runs  int            `json:"runs"`
	P50   float64        `json:"p50"`
	P99   float64        `json:"p99"`
	Ways  map[string]int `json:"ways"` // how often each was taken
}

// Bounds of what is remembered of calls.
const (
	maxCalls  = 200
	maxTraces = 300
	maxShown  = 4 << 10 // bytes of one value in the trace of a call
	maxSteps  = 200     // of one call
)

// live watches the calls of the endpoints.
type live struct {
	every  uint64
	count  atomic.Uint64
	places func(file string) *places

	mu        sync.Mutex
	calls     []LiveCall                 // guarded by mu, as all below; oldest first
	traces    map[string]*Trace          // by id
	order     []string                   // of traces, oldest first
	stats     map[string]*tally          // by file
	known     map[string]*places         // by file, since the flows were loaded
	listeners map[chan engine.Event]bool //
}

func newLive(every int, at func(string) *places) *live {
	return &live{
		every: uint64(every), places: at, traces: map[string]*Trace{}, stats: map[string]*tally{}, known: map[string]*places{},
		listeners: map[chan engine.Event]bool{},
	}
}

// A tally counts the calls of a flow, or the runs of a step.
type tally struct {
	times
	fails, broke int
	steps        map[string]*tally // by place
	ways         map[string]int
}

// times are counted in classes, each a fifth wider than the one below.
type times struct {
	n       int
	classes [128]int
}

const wider = 1.2

func (t *times) add(ms float64) {
	t.n++
	i := 0
	if us := ms * 1000; us > 1 {
		i = int(math.Log(us) / math.Log(wider))
	}
	t.classes[min(i, len(t.classes)-1)]++
}

// share is the time, in milliseconds, within which a share of them were.
func (t *times) share(of float64) float64 {
	left := int(math.Ceil(float64(t.n) * of))
	for i, n := range t.classes {
		if left -= n; left <= 0 && t.n > 0 {
			return math.Round(math.Pow(wider, float64(i)+0.5)) / 1000
		}
	}
	return 0
}

// Watch is told each call of an endpoint.
func (s *Studio) Watch(f *engine.Flow, _ *endpoint.Request) *endpoint.Watched {
	l := s.watch
	traced := l.count.Add(1)%l.every == 0
	rec := &recorder{flow: f, began: time.Now()}
	w := &endpoint.Watched{}
	var input raw
	if traced {
		rec = newRecorder(f, l.at)
		rec.most = maxSteps
		w.Probe = rec.probe()
		w.Input = func(in engine.Inputs) { input = f.Masked(in) }
	}
	w.End = func(a engine.Answer, err error) {
		t := rec.end(a, err, false)
		t.ID = uuid.Must(uuid.NewV7()).String()
		by := triggerOf(f)
		t.Request = &RequestInfo{Method: by.Method, Path: by.Path, Input: shortened(input)}
		for i := range t.Steps {
			t.Steps[i].In, t.Steps[i].Out = shortened(t.Steps[i].In), shortened(t.Steps[i].Out)
		}
		l.add(f, t, traced)
	}
	return w
}

// shortened is a value, or how long it is.
func shortened(v raw) raw {
	if len(v) <= maxShown {
		return v
	}
	text, _ := json.Marshal(fmt.Sprintf("%d bytes", len(v))) // a text can always be written
	return text
}

// at finds the steps of a file as it was when the flows were loaded.
func (l *live) at(file string) *places {
	l.mu.Lock()
	p, ok := l.known[file]
	l.mu.Unlock()
	if ok {
		return p
	}
	p = l.places(file)
	l.mu.Lock()
	l.known[file] = p
	l.mu.Unlock()
	return p
}

// add notes a call that has ended.
func (l *live) add(f *engine.Flow, t *Trace, traced bool) {
	by := triggerOf(f)
	c := LiveCall{t.ID, traced, f.File, by.Method, by.Path, t.Time, t.Took, t.Answer.Status, t.Answer.Code}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls = append(l.calls, c); len(l.calls) > maxCalls {
		l.calls = slices.Clone(l.calls[1:])
	}
	of := l.stats[f.File]
	if of == nil {
		of = &tally{steps: map[string]*tally{}}
		l.stats[f.File] = of
	}
	of.add(t.Took)
	if c.Status >= 400 {
		of.fails++
	}
	if c.Status >= 500 {
		of.broke++
	}
	if traced {
		of.trace(t)
		l.traces[t.ID] = t
		if l.order = append(l.order, t.ID); len(l.order) > maxTraces {
			delete(l.traces, l.order[0])
			l.order = slices.Clone(l.order[1:])
		}
	}
	l.tell("call", c)
}

// trace counts the steps of a call.
func (y *tally) trace(t *Trace) {
	for _, st := range t.Steps {
		if st.File != t.File || st.Place == "" {
			continue
		}
		of := y.steps[st.Place]
		if of == nil {
			of = &tally{ways: map[string]int{}}
			y.steps[st.Place] = of
		}
		of.add(st.Took)
		if st.Way != "" {
			of.ways[st.Way]++
		}
	}
}

// tell sends an event to all who listen; who is too slow misses it.
func (l *live) tell(name string, v any) {
	if len(l.listeners) == 0 {
		return
	}
	data, err := encode(v)
	if err != nil {
		return // nothing that is told holds what cannot be written
	}
	for c := range l.listeners {
		select {
		case c <- engine.Event{Name: name, Data: data}:
		default:
		}
	}
}

// reloaded begins to count anew: steps are not where they were.
func (l *live) reloaded(r Reload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(r.Problems) == 0 {
		l.stats, l.known = map[string]*tally{}, map[string]*places{}
	}
	l.tell("reload", r)
}

// state is all that is known. The caller holds mu.
func (l *live) state() LiveState {
	st := LiveState{Calls: slices.Clone(l.calls), Every: int(l.every)}
	slices.Reverse(st.Calls)
	for _, file := range slices.Sorted(maps.Keys(l.stats)) {
		y := l.stats[file]
		f := FlowStats{File: file, Calls: y.n, Fails: y.fails, Broke: y.broke, P50: y.share(0.5), P99: y.share(0.99)}
		for _, place := range slices.Sorted(maps.Keys(y.steps)) {
			of := y.steps[place]
			f.Steps = append(f.Steps, StepStats{place, of.n, of.share(0.5), of.share(0.99), maps.Clone(of.ways)})
		}
		st.Stats = append(st.Stats, f)
	}
	return st
}

// pace is how often counts are sent.
const pace = 2 * time.Second

// live sends what happens until the caller goes.
func (s *Studio) live(ctx context.Context, r *endpoint.Request) (any, error) {
	l := s.watch
	c := make(chan engine.Event, 64)
	l.mu.Lock()
	state := l.state()
	l.listeners[c] = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.listeners, c)
		l.mu.Unlock()
	}()
	if err := sendEvent(ctx, r, "state", state); err != nil {
		return nil, err
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	news := false
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case e := <-c:
			news = true
			if err := r.Send(ctx, e); err != nil {
				return nil, err
			}
		case <-tick.C:
			if !news {
				continue
			}
			news = false
			l.mu.Lock()
			stats := l.state().Stats
			l.mu.Unlock()
			if err := sendEvent(ctx, r, "stats", stats); err != nil {
				return nil, err
			}
		}
	}
}

func sendEvent(ctx context.Context, r *endpoint.Request, name string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return r.Send(ctx, engine.Event{Name: name, Data: data})
}

// trace returns that of a call.
func (s *Studio) trace(_ context.Context, r *endpoint.Request) (any, error) {
	id, err := query(r, "id")
	if err != nil {
		return nil, err
	}
	l := s.watch
	l.mu.Lock()
	t := l.traces[id]
	l.mu.Unlock()
	if t == nil {
		return nil, missing("The call is not remembered any more, or had no trace.")
	}
	return *t, nil
}
