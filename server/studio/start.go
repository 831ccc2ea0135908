package studio

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
	"sluice/server/flowtext"
	"sluice/server/lsp"
)

// maxRuns is how many runs can be run again from one of their steps.
const maxRuns = 40

// recordings are the last runs of the studio.
type recordings struct {
	mu    sync.Mutex
	by    map[string]*recording // guarded by mu
	order []string              // guarded by mu; oldest first
}

// A recording is a run with what its steps gave, secrets too: it never leaves the server.
type recording struct {
	run   Run
	flow  *engine.Flow
	trace *Trace
	calls map[string][]engine.Call
}

func newRecordings() *recordings { return &recordings{by: map[string]*recording{}} }

func (r *recordings) add(id string, one *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by[id] = one
	if r.order = append(r.order, id); len(r.order) > maxRuns {
		delete(r.by, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *recordings) get(id string) *recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[id]
}

func (s *Studio) run(ctx context.Context, req *endpoint.Request) (any, error) {
	in, err := asked[Run](req)
	if err == nil {
		err = checkFile(in.File)
	}
	if err != nil {
		return nil, err
	}
	var again *recording
	if in.Again != "" {
		if again = s.runs.get(in.Again); again == nil || again.flow.File != in.File {
			return nil, missing("The run is not remembered any more. Run the flow from its start.")
		}
	}
	flow, text, problems, err := s.compiled(in)
	if err != nil || problems != nil {
		return Ran{Problems: problems}, err
	}
	call, err := requestOf(flow, in)
	if err != nil {
		return nil, err
	}
	deps := s.Deps
	scratch := memory.New() // a run from here is no caller's: it uses up no limit and is no repetition
	deps.Limits, deps.Repeats, deps.Cookie, deps.Watch = scratch.Limits, scratch.Repeats, "", nil
	if in.APIKey {
		call.APIKey = "run-of-the-studio-" + rand.Text()
		deps.Keys = endpoint.Keys{sha256.Sum256([]byte(call.APIKey)): true}
	}
	end, err := s.open(ctx, in.Session, &deps, call)
	if err != nil {
		return nil, err
	}
	defer end()
	id := uuid.Must(uuid.NewV7()).String()
	rec := newRecorder(flow, func(file string) *places {
		if file == in.File {
			return placesOf(file, text)
		}
		return s.placesOf(file)
	})
	trace := s.play(ctx, in, again, rec, endpoint.New(flow, deps), call)
	trace.ID = id
	s.runs.add(id, &recording{in, flow, trace, rec.calls})
	return Ran{ID: id, Trace: trace}, nil
}

// play runs a flow as it is asked for.
func (s *Studio) play(ctx context.Context, in Run, again *recording, rec *recorder, ep *endpoint.Endpoint, call *endpoint.Request) *Trace {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &director{Run: in, again: again, rec: rec, cancel: cancel, passed: in.From == ""}
	if in.Alone {
		d.UpTo = in.From
	}
	rec.faked = d.fake
	probe := rec.probe()
	probe.Reach, probe.Choose = d.reach, d.choose
	call.Send = rec.sent
	a, err := ep.Probed(probe).Call(ctx, call)
	trace := rec.end(a, err, true)
	by := triggerOf(rec.flow)
	trace.Request = &RequestInfo{Method: by.Method, Path: by.Path, Input: inputOf(in.Input)}
	if d.stopped != "" {
		trace.Answer, trace.Stopped = nil, d.stopped
	}
	return trace
}

// placesOf finds the steps of a text; nil where it is no YAML.
func placesOf(file, text string) *places {
	tree, err := flowtext.Read(file, text)
	if err != nil {
		return nil
	}
	return newPlaces(tree)
}

// placesOf finds the steps of a file.
func (s *Studio) placesOf(file string) *places {
	data, err := fs.ReadFile(s.Files, file)
	if err != nil {
		return nil
	}
	return placesOf(file, string(data))
}

// compiled is the flow to run: the one that is served, or one compiled apart of a text
// that is not saved.
func (s *Studio) compiled(in Run) (f *engine.Flow, text string, problems []Problem, err error) {
	files := s.Files
	if in.Text != nil {
		text = *in.Text
		files = lsp.Unsaved(s.Files, map[string]string{in.File: text})
	} else if text, _, err = s.disk(in.File); err != nil {
		return nil, "", nil, err
	}
	env, err := s.Env(files)
	if err != nil {
		return nil, "", nil, err
	}
	app, err := load(files, env)
	var found engine.Problems
	switch {
	case errors.As(err, &found):
		return nil, text, marked(found, placesOf(in.File, text), text), nil
	case err != nil:
		return nil, "", nil, err
	}
	i := slices.IndexFunc(app.Flows, func(f *engine.Flow) bool { return f.File == in.File })
	if i < 0 {
		return nil, "", nil, missing("There is no endpoint in %s. A node is run by the flows that use it.", in.File)
	}
	return app.Flows[i], text, nil, nil
}

// load is that of the engine, where a panic is an error.
func load(files fs.FS, env engine.Env) (app *engine.App, err error) {
	defer func() {
		if r := recover(); r != nil {
			app, err = nil, fmt.Errorf("compiling flows: %v", r)
		}
	}()
	return engine.Load(files, env)
}

// Who calls in a run.
const (
	runIP    = "127.0.0.1"
	runAgent = "Sluice studio"
)

// requestOf makes the request of a run.
func requestOf(f *engine.Flow, in Run) (*endpoint.Request, error) {
	r := &endpoint.Request{ID: "studio", IP: netip.MustParseAddr(runIP), UserAgent: runAgent, Body: in.Input.Body}
	if string(in.Input.Body) == "null" {
		r.Body = nil
	}
	for _, name := range f.Params {
		v, ok := in.Input.Path[name]
		if !ok || v == "" {
			return nil, refused("bad_input", "The path needs %s.", name)
		}
		r.Params = append(r.Params, v)
	}
	r.RawQuery = url.Values(in.Input.Query).Encode()
	headers := http.Header{}
	for name, v := range in.Input.Headers {
		if strings.ContainsAny(name+v, "\r\n\x00") {
			return nil, refused("bad_input", "A header has no line breaks.")
		}
		headers.Set(name, v)
	}
	if agent := headers.Get("User-Agent"); agent != "" {
		r.UserAgent = agent
	}
	r.Header = headers.Values
	return r, nil
}

// runTime is how long a session lives that is opened for one run.
const runTime = 5 * time.Minute

// open gives a call the session that is asked for, and returns what ends it again.
func (s *Studio) open(ctx context.Context, who *Caller, deps *endpoint.Deps, call *endpoint.Request) (end func(), err error) {
	end = func() {}
	if who == nil {
		return end, nil
	}
	if who.Token != "" {
		call.Token = who.Token
		return end, nil
	}
	proven := user.ProvenID{ID: uuid.Must(uuid.NewV7()).String()}
	if who.User != "" {
		u, err := s.Desk.Find(ctx, who.User)
		if err != nil {
			return end, plainly(err)
		}
		proven = user.ProvenID{ID: u.ID, Epoch: u.Epoch}
	} else if who.Made {
		stores := memory.New()
		nobody := user.User{ID: proven.ID, Email: "nobody@example.com", EmailKey: "nobody@example.com", CreationDtm: time.Now(), UpdatedDtm: time.Now()}
		if err := stores.Users.Create(ctx, nobody, ""); err != nil {
			return end, fmt.Errorf("making up a user for the run: %w", err)
		}
		deps.Sessions = stores.Sessions
	} else {
		return end, refused("bad_input", "Whose session? It takes a token, a user, or a made-up one.")
	}
	token, hash := session.NewToken()
	now := time.Now().UTC().Truncate(time.Millisecond)
	made := session.Session{
		ID: uuid.Must(uuid.NewV7()).String(), UserID: proven, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(runTime),
		End: now.Add(runTime), Idle: runTime, AuthenticatedDtm: now, AccessGroupKeys: session.Groups{Add: who.Groups}.Apply(nil), IP: runIP,
	}
	if err := deps.Sessions.Create(ctx, hash, made); err != nil {
		return end, fmt.Errorf("opening a session for the run: %w", err)
	}
	call.Token = token
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), runTime)
		defer cancel()
		if _, err := deps.Sessions.End(ctx, session.Which{Hash: hash}, time.Now()); err != nil {
			s.Log.Warn("ending the session of a run", "error", err)
		}
	}, nil
}

// inputOf is what a run was given, as JSON.
func inputOf(in Input) raw {
	text, err := encode(in)
	if err != nil {
		return nil // its body was no JSON, which the answer says
	}
	return text
}
