// Package graphql serves flows as fields of GraphQL: those that say graphql: in
// their head, all of one path together.
//
// A [Mount] is what answers POST at one path. It has the form of an endpoint of
// package rest and is served by it, which so brings connections, limits, CORS and
// credentials; neither package knows the other. A request passes through it once:
// a dead session or API key is refused whatever it asks for, the document is
// parsed, measured and checked against the schema, and each field at its root is
// the call of one flow, by the same [endpoint.Endpoint] that serves it over REST.
// Of what the flow answers, the caller gets what was selected.
//
// The schema is text (see [SDL]), made from what flows take and answer.
//
// Parsing and validating is gqlparser's, which is what gqlgen is built on and is
// released about monthly. graphql-go had its last release in 2023, and
// graph-gophers/graphql-go binds schemas to Go methods by reflection, while the
// fields here are not known before the flows are loaded. The executor is our own:
// the values are there already, in the JSON that flows answer.
package graphql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/endpoint"
)

// A Mount answers the fields of one path. It does not change after [New].
type Mount struct {
	path   string
	schema *fieldSchema
	deps   *endpoint.Deps
	log    *slog.Logger
	closed bool // no field can be called without a session or an API key
}

// New makes a mount for each path at which fields of the flows are served, and one
// more for the same path with a slash behind it, which some clients send.
func New(flows []*engine.Flow, d endpoint.Deps, log *slog.Logger) ([]*Mount, error) {
	var all []*Mount
	for _, path := range Paths(flows) {
		s, err := load(path, flows)
		if err != nil {
			return nil, fmt.Errorf("making the schema of %s: %w", path, err)
		}
		m := Mount{path: path, schema: s, deps: &d, log: log, closed: true}
		for _, f := range at(path, flows) {
			ep := endpoint.By(f.GraphQL.Trigger(), f, d)
			s.fields[fieldKey(f.GraphQL.Op, f.GraphQL.Name)] = ep
			m.closed = m.closed && ep.Demands()
		}
		slashed := m
		slashed.path += "/"
		all = append(all, &m, &slashed)
	}
	return all, nil
}

// Paths returns the paths at which fields of flows are served, in order.
func Paths(flows []*engine.Flow) []string {
	var all []string
	for _, f := range flows {
		if f.GraphQL != nil {
			all = append(all, f.GraphQL.At)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// at returns the flows whose fields are served at a path, queries first, by name.
func at(path string, flows []*engine.Flow) []*engine.Flow {
	var all []*engine.Flow
	for _, f := range flows {
		if f.GraphQL != nil && f.GraphQL.At == path {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *engine.Flow) int {
		if a.GraphQL.Op != b.GraphQL.Op {
			return strings.Compare(b.GraphQL.Op, a.GraphQL.Op)
		}
		return strings.Compare(a.GraphQL.Name, b.GraphQL.Name)
	})
	return all
}

func fieldKey(op, name string) string { return op + " " + name }

// Method is POST: what a GET asks for could be a mutation.
func (m *Mount) Method() string { return "POST" }

// Path returns the path of the mount.
func (m *Mount) Path() string { return m.path }

// MaxBody returns how long a request may be, in bytes.
func (m *Mount) MaxBody() int { return m.deps.MaxBody }

// Call answers a request. What is wrong with the request is an answer, too; an
// error says that the server cannot tell whether to let the caller in.
func (m *Mount) Call(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
	caller := *r
	if caller.APIKey == "" && endpoint.IsKey(caller.Token) {
		caller.APIKey, caller.Token = caller.Token, "" // as in Authorization: Bearer KEY
	}
	err := m.deps.Admit(ctx, &caller)
	if err == nil && m.closed && caller.Token == "" && caller.APIKey == "" {
		err = endpoint.Missing()
	}
	if err != nil {
		return unlet(err)
	}
	w, faults := m.schema.read(caller.Body)
	if faults != nil {
		return refuse(faults), nil
	}
	x := &execution{mount: m, work: w, caller: &caller}
	return x.run(ctx)
}

// unlet answers a caller who is not let in. Other errors stay what they are.
func unlet(err error) (engine.Answer, error) {
	var e *engine.Error
	if !endpoint.Unlet(err) || !errors.As(err, &e) {
		return engine.Answer{}, err
	}
	return engine.Answer{Status: statusUnlet, Body: failures([]failure{{
		Code: statusUnlet, Message: e.Items[0].Message, Extensions: &extensions{Code: e.Items[0].Code},
	}})}, nil
}

// refuse answers a request that cannot be run.
func refuse(faults []failure) engine.Answer {
	return engine.Answer{Status: statusRefused, Body: failures(faults)}
}
