package studio

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"sluice/engine"
	"sluice/server/rest"
)

// maxTraced is how many steps of one run a trace keeps.
const maxTraced = 2000

// A recorder writes a trace of one run. Lanes that run at once tell it of theirs at once.
type recorder struct {
	flow   *engine.Flow
	most   int                       // steps that the trace keeps
	places func(file string) *places // nil for a file that cannot be read

	mu    sync.Mutex
	began time.Time                   // guarded by mu, as all below
	trace Trace                       //
	last  map[engine.Pos]int          // of the steps, that a place came to last
	times map[engine.Pos]int          // that a place was come to
	why   map[engine.Pos]string       // how a place was stood in for
	known map[string]*places          // by file
	calls map[string][]engine.Call    // of the flow's own steps, by place, in order
	faked func(engine.At, int) canned // nil where nothing is
	final string                      // place of the last step that ends a flow
}

// A canned is a fake with the reason for it.
type canned struct {
	engine.Fake
	why string // fake, recorded or made up; "" for the node itself
}

func newRecorder(f *engine.Flow, at func(string) *places) *recorder {
	return &recorder{
		flow: f, most: maxTraced, places: at, began: time.Now(), last: map[engine.Pos]int{}, times: map[engine.Pos]int{}, why: map[engine.Pos]string{},
		known: map[string]*places{}, calls: map[string][]engine.Call{},
		trace: Trace{File: f.File, Name: triggerOf(f).String()},
	}
}

// place is that of a step, and the key at which it is told.
func (r *recorder) place(at engine.Pos) (place, verb string) {
	p, ok := r.known[at.File]
	if !ok {
		p = r.places(at.File)
		r.known[at.File] = p
	}
	if p == nil {
		return "", ""
	}
	return bare(p.step(at)), p.verb(at)
}

// millis is a time as the page has it.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reach notes that the run comes to a step.
func (r *recorder) reach(at engine.At) {
	r.mu.Lock()
	defer r.mu.Unlock()
	nth := r.times[at.Pos]
	r.times[at.Pos]++
	place, verb := r.place(at.Pos)
	if at.Pos.File == r.flow.File && (verb == "respond" || verb == "fail") {
		r.final = place
	}
	if len(r.trace.Steps) >= r.most {
		r.trace.Cut = true
		delete(r.last, at.Pos)
		return
	}
	depth := 0
	if at.Pos.File != r.flow.File {
		depth = 1
	}
	r.last[at.Pos] = len(r.trace.Steps)
	r.trace.Steps = append(r.trace.Steps, TraceStep{
		Place: place, File: at.Pos.File, Verb: verb, Step: at.Step, Nth: nth, Depth: depth, Start: millis(time.Since(r.began)),
	})
}

func (r *recorder) took(w engine.Way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.last[w.Pos]; ok {
		r.trace.Steps[i].Way = w.Name
	}
}

func (r *recorder) ran(c engine.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Pos.File == r.flow.File {
		place, _ := r.place(c.Pos)
		r.calls[place] = append(r.calls[place], c)
	}
	i, ok := r.last[c.Pos]
	if !ok {
		return
	}
	st := &r.trace.Steps[i]
	st.In, st.Out, st.Took, st.Way = c.In, c.Out, millis(c.Took), c.Outcome
	if c.Outcome == "" {
		st.Way = "ok"
	}
	if c.Faked {
		st.Faked = r.why[c.Pos]
	}
	if c.Outcome == "error" && c.Err != nil {
		st.Error = c.Err.Error()
	}
}

// fake asks what stands in for the node of a step.
func (r *recorder) fake(at engine.At) (engine.Fake, bool) {
	r.mu.Lock()
	nth := r.times[at.Pos] - 1
	r.mu.Unlock()
	c := r.faked(at, nth)
	r.mu.Lock()
	r.why[at.Pos] = c.why
	r.mu.Unlock()
	return c.Fake, c.why != ""
}

// probe watches a run for the recorder.
func (r *recorder) probe() *engine.Probe {
	p := &engine.Probe{Reach: func(at engine.At) error { r.reach(at); return nil }, Took: r.took, Ran: r.ran}
	if r.faked != nil {
		p.Fake = r.fake
	}
	return p
}

// sent notes an event.
func (r *recorder) sent(_ context.Context, e engine.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.trace.Events) < maxTraced {
		r.trace.Events = append(r.trace.Events, EventInfo{e.Name, e.ID, raw(e.Data)})
	}
	return nil
}

// end notes how the call ended. What the answer shows is kept where whole says so:
// answers hold secrets that are shown once.
func (r *recorder) end(a engine.Answer, err error, whole bool) *Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.trace
	t.Time, t.Took = r.began.UTC().Format("2006-01-02T15:04:05.000Z07:00"), millis(time.Since(r.began))
	info := &AnswerInfo{Status: a.Status, Type: a.Type, Place: r.final}
	t.Answer = info
	body := a.Body
	var failed *engine.Error
	if err != nil {
		info.Status, body = rest.Told(err)
		info.Place = ""
		if errors.As(err, &failed) && len(failed.Items) > 0 {
			info.Code = failed.Items[0].Code
			if failed.Pos.File == r.flow.File && r.known != nil {
				info.Place, _ = r.place(failed.Pos)
			}
		}
		if whole {
			info.Cause = causeOf(err)
		}
	}
	if !whole {
		return t
	}
	for _, h := range a.Headers {
		info.Headers = append(info.Headers, [2]string{h.Name, h.Value})
	}
	switch {
	case body == nil:
	case json.Valid(body):
		info.Body = body
	default:
		info.Body, _ = json.Marshal(string(body)) // a text can always be written
	}
	return t
}

// causeOf is what the log would say of a failure, where that is more than the caller
// is told.
func causeOf(err error) string {
	var failed *engine.Error
	if errors.As(err, &failed) && failed.Err == nil {
		return ""
	}
	return err.Error()
}
