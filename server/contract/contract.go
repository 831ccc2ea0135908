// Package contract says what the endpoints of some flows promise and permit: who
// may call them and how often, what they take and answer, and what they read,
// write and call on the way. Two such lists are compared by [Diff], in words; a
// list is written to flows.lock by [Lock], and what flows permit beyond it is
// told by [Permits].
package contract

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/server/rest"
)

// A Contract is what one endpoint promises and permits. Its lists are sorted.
type Contract struct {
	Method, Path string

	Session engine.SessionMode
	Groups  []string      // of which a session must have one; empty for any
	Fresh   time.Duration // of the session's proof; 0 for any
	APIKey  engine.KeyMode
	Limit   *engine.Limit // nil for none
	Reads   []string      // names of data
	Writes  []string
	Calls   []string // names of what is outside the server

	Timeout  time.Duration
	Repeat   *engine.Repeat // nil where each call runs
	Answers  []int          // statuses of success
	Failures []Failure
	Input    []Field
	Output   []Field // where the flow declares it
	Events   []Field // that the flow sends, by name

	places map[string]engine.Pos // of what is responsible for a fact, see place
}

// A Failure is one way in which a flow can fail. What every endpoint can answer
// by its header alone, such as invalid input or a missing session, is not among
// the failures.
type Failure struct {
	Status int
	Code   string
}

// Of returns the contracts of the flows that are enabled, by path and method.
func Of(app *engine.App) []Contract {
	g := newGraph(app)
	var all []Contract
	for _, f := range app.Flows {
		if f.Enabled {
			all = append(all, g.contract(f))
		}
	}
	sortContracts(all)
	return all
}

func (g *graph) contract(f *engine.Flow) Contract {
	c := Contract{
		Method: f.Method, Path: f.Path, Session: f.Session, Groups: slices.Compact(slices.Sorted(slices.Values(f.Groups))), APIKey: f.APIKey, Fresh: f.Fresh,
		Limit: f.Limit, Timeout: f.Timeout, Repeat: f.Repeat, Input: inputFields(f), places: map[string]engine.Pos{},
	}
	for key, at := range f.Places {
		c.places[key] = at
	}
	if f.Output != nil {
		c.Output = appendFields(nil, "output", f.Output, true)
	}
	c.Events = eventFields(f)
	for s := range all(f.Steps) {
		switch s.Verb {
		case "respond":
			c.Answers = append(c.Answers, s.Status)
		case "node":
			c.touch(g.touches(s), s.Pos)
		}
	}
	for _, fail := range f.Fails {
		c.Failures = append(c.Failures, Failure{cmp.Or(fail.Status, rest.Status(fail.Kind)), fail.Code})
	}
	slices.Sort(c.Answers)
	c.Answers = slices.Compact(c.Answers)
	slices.SortFunc(c.Failures, func(a, b Failure) int {
		return cmp.Or(a.Status-b.Status, strings.Compare(a.Code, b.Code))
	})
	for _, list := range [][]string{c.Reads, c.Writes, c.Calls} {
		slices.Sort(list)
	}
	return c
}

// touch adds what a step touches; the first step that touches something is
// responsible for it.
func (c *Contract) touch(t engine.Touches, at engine.Pos) {
	add := func(verb string, list *[]string, names []string) {
		for _, name := range names {
			if !slices.Contains(*list, name) {
				*list = append(*list, name)
				c.places[verb+" "+name] = at
			}
		}
	}
	add("reads", &c.Reads, t.Reads)
	add("writes", &c.Writes, t.Writes)
	add("calls", &c.Calls, t.Calls)
}

// Endpoint is the method and the path, as flows write them.
func (c *Contract) Endpoint() string { return c.Method + " " + c.Path }

// Who says in words who may call.
func (c *Contract) Who() string {
	var who string
	switch {
	case c.Session == engine.SessionRequired && len(c.Groups) > 0:
		who = "a session of group " + strings.Join(c.Groups, " or ")
	case c.Session == engine.SessionRequired:
		who = "any session"
	case c.APIKey == engine.KeyRequired:
		return "an API key"
	default:
		return "public"
	}
	if c.APIKey == engine.KeyRequired {
		who += ", with an API key"
	}
	return who
}

// place is where what is responsible for a fact stands: a key of the header or a
// touch such as "writes users", else the endpoint.
func (c *Contract) place(fact string) engine.Pos {
	if at, ok := c.places[fact]; ok {
		return at
	}
	return c.places["endpoint"]
}

var placeholder = regexp.MustCompile(`\{[^}.]*(\.\.\.)?\}`)

// shape is the endpoint as requests see it: without the names in its path.
func (c *Contract) shape() string { return placeholder.ReplaceAllString(c.Endpoint(), "{$1}") }

func sortContracts(all []Contract) {
	slices.SortFunc(all, func(a, b Contract) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
}
