package studio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/session"
	"sluice/server/endpoint"
	"sluice/server/rest"
)

// maxBody is the longest body of a call, in bytes: a flow file and what it asks.
const maxBody = 2 << 20

// raw is JSON that goes through as it is.
type raw = json.RawMessage

// A route is one address of the API.
type route struct {
	*Studio
	method, path string
	open         bool // needs no session
	changes      bool // is refused where the studio is read only
	streams      bool
	do           func(context.Context, *endpoint.Request) (any, error)
}

var _ rest.Endpoint = route{}

func (r route) Method() string { return r.method }
func (r route) Path() string   { return "/_studio/api/" + r.path }
func (r route) Streams() bool  { return r.streams }

func (r route) MaxBody() int {
	if r.method == "GET" {
		return 0
	}
	return maxBody
}

func (r route) Call(ctx context.Context, req *endpoint.Request) (engine.Answer, error) {
	who, err := r.admit(ctx, req, r.open)
	if err != nil {
		return engine.Answer{}, err
	}
	if r.changes && r.ReadOnly {
		return engine.Answer{}, engine.Fail(engine.Forbidden, "read_only", "The studio of this server shows things, and changes nothing.")
	}
	ctx = audit.WithRequest(ctx, callOf(req, who))
	made, err := r.do(ctx, req)
	if err != nil {
		return engine.Answer{}, told(err)
	}
	if err := r.note(ctx, req); err != nil {
		return engine.Answer{}, err
	}
	if made == nil {
		return engine.Answer{Status: 204}, nil
	}
	body, ready := made.(raw)
	if !ready {
		if body, err = encode(made); err != nil {
			return engine.Answer{}, err
		}
	}
	return engine.Answer{Status: 200, Body: body}, nil
}

// callOf is what audit events say of a call. On a machine of one's own, where
// nobody signs in, the studio itself is who acts.
func callOf(req *endpoint.Request, who *session.Session) *audit.Request {
	call := &audit.Request{ID: req.ID, UserAgent: req.UserAgent}
	if req.IP.IsValid() { // as it is not on a Unix socket
		call.IP = req.IP.String()
	}
	if who == nil {
		call.Actor = audit.Studio
	} else {
		call.UserID, call.SessionID = who.UserID.ID, who.ID
	}
	return call
}

// note records a change of a file, or a run. Commands of package admin record what
// they do themselves.
func (r route) note(ctx context.Context, req *endpoint.Request) error {
	if !r.changes {
		return nil
	}
	var of struct{ File, To string }  // what a body may name
	_ = json.Unmarshal(req.Body, &of) // the body was read before, and not all of them name a file
	details := map[string]string{"what": r.path, "file": of.File}
	if of.To != "" {
		details["to"] = of.To
	}
	return r.Deps.Audit.Note(ctx, audit.Event{Kind: audit.StudioUsed, Details: details})
}

// told makes an error one that the page can show.
func told(err error) error {
	var failed *engine.Error
	var problems engine.Problems
	switch {
	case errors.As(err, &failed):
		return err
	case errors.As(err, &problems):
		return engine.Fail(engine.Invalid, "invalid_input", problems.Error())
	}
	return err
}

// refused is what a call cannot do as it is meant.
func refused(code, format string, args ...any) error {
	return engine.Fail(engine.Invalid, code, fmt.Sprintf(format, args...))
}

func missing(format string, args ...any) error {
	return engine.Fail(engine.NotFound, "not_found", fmt.Sprintf(format, args...))
}

// encode writes an answer; lists that are nil are empty.
func encode(v any) ([]byte, error) {
	of := reflect.New(reflect.TypeOf(v)).Elem()
	of.Set(reflect.ValueOf(v))
	fill(of)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(of.Interface()); err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var rawType = reflect.TypeFor[raw]()

// fill makes empty lists and maps of nil ones, in a value that is nobody else's.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type() == rawType {
			return
		}
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		for _, k := range v.MapKeys() {
			inner := reflect.New(v.Type().Elem()).Elem()
			inner.Set(v.MapIndex(k))
			fill(inner)
			v.SetMapIndex(k, inner)
		}
	}
}

// asked reads the body of a call.
func asked[In any](r *endpoint.Request) (in In, err error) {
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, refused("bad_input", "The body cannot be read: %v.", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return in, refused("bad_input", "The body cannot be read: something stands behind it.")
	}
	return in, nil
}

// posted makes what does a call of a function of its body.
func posted[In, Out any](do func(context.Context, In) (Out, error)) func(context.Context, *endpoint.Request) (any, error) {
	return func(ctx context.Context, r *endpoint.Request) (any, error) {
		in, err := asked[In](r)
		if err != nil {
			return nil, err
		}
		return do(ctx, in)
	}
}

// got makes what does a call without a body.
func got[Out any](do func(context.Context) (Out, error)) func(context.Context, *endpoint.Request) (any, error) {
	return func(ctx context.Context, _ *endpoint.Request) (any, error) { return do(ctx) }
}

// query is a parameter of the address.
func query(r *endpoint.Request, name string) (string, error) {
	all, err := url.ParseQuery(r.RawQuery)
	if err != nil || len(all[name]) != 1 {
		return "", refused("bad_input", "The address needs one %s.", name)
	}
	return all.Get(name), nil
}

// Endpoints are all addresses of the studio.
func (s *Studio) Endpoints() []rest.Endpoint {
	var all []rest.Endpoint
	for _, r := range s.routes() {
		r.Studio = s
		all = append(all, r)
	}
	return append(all, s.pages()...)
}

func (s *Studio) routes() []route {
	return []route{
		{method: "GET", path: "access", open: true, do: s.access},
		{method: "GET", path: "app", do: got(s.app)},
		{method: "GET", path: "flow", do: s.flow},
		{method: "POST", path: "flow/draw", do: posted(s.draw)},
		{method: "POST", path: "flow/edit", do: posted(s.edit)},
		{method: "POST", path: "flow/complete", do: posted(s.complete)},
		{method: "POST", path: "flow/format", do: posted(s.format)},
		{method: "POST", path: "flow/save", changes: true, do: posted(s.save)},
		{method: "POST", path: "flow/delete", changes: true, do: posted(s.remove)},
		{method: "POST", path: "flow/rename", changes: true, do: posted(s.rename)},
		{method: "POST", path: "run", changes: true, do: s.run},
		{method: "POST", path: "do/{command}", do: s.command},
		{method: "POST", path: "test/keep", changes: true, do: posted(s.keep)},
		{method: "GET", path: "tests", do: got(s.lastTests)},
		{method: "POST", path: "tests", streams: true, do: s.test},
		{method: "GET", path: "live", streams: true, do: s.live},
		{method: "GET", path: "trace", do: s.trace},
		{method: "GET", path: "openapi", do: got(s.openapi)},
		{method: "GET", path: "mail", do: s.mail},
	}
}
