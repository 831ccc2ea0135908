// Package graph draws flows: as SVG, laid out here so that no browser is needed,
// and as Mermaid, for pages that render that.
//
// A flow is drawn top to bottom. What a node leaves by without anyone routing it
// ends at its left; the ways that the flow routes lead to the right, and those
// that go on come back below. Edges never cross boxes, and the same flow always
// gives the same bytes.
package graph

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sluice/engine"
	"sluice/server/rest"
)

// A Graph is a flow to be drawn.
type Graph struct {
	Title  string   // the endpoint, or the name of a node
	About  string   // a sentence
	Tags   []string // what else there is to know, in a few words each
	steps  []engine.Step
	caught map[engine.Pos][]string // codes of a step that end no flow; any for all
	fails  map[string]engine.Failure
}

// Endpoint makes the graph of an endpoint's flow.
func Endpoint(f *engine.Flow) *Graph {
	g := newGraph(f.Method+" "+f.Path, f.About, f.Steps)
	g.Tags = append(g.Tags, "session "+f.Session.String())
	if len(f.Groups) > 0 {
		g.Tags = append(g.Tags, "groups "+strings.Join(f.Groups, ", "))
	}
	if f.ClientKey {
		g.Tags = append(g.Tags, "client key")
	}
	if f.APIKey != engine.KeyNone {
		g.Tags = append(g.Tags, "API key "+f.APIKey.String())
	}
	if f.Sends {
		g.Tags = append(g.Tags, "events")
	}
	if f.Limit != nil {
		g.Tags = append(g.Tags, "limited")
	}
	if !f.Enabled {
		g.Tags = append(g.Tags, "not enabled")
	}
	for _, fail := range f.Fails {
		g.fails[fail.Code] = fail
	}
	return g
}

// NodeFlow makes the graph of a node that is a flow.
func NodeFlow(n *engine.NodeFlow) *Graph {
	g := newGraph(n.Name, n.Doc, n.Steps)
	g.Tags = []string{"node"}
	for _, o := range n.Outcomes {
		g.fails[o.Name] = engine.Failure{Code: o.Name, Kind: o.Kind}
	}
	return g
}

func newGraph(title, about string, steps []engine.Step) *Graph {
	g := &Graph{Title: title, About: about, steps: steps, caught: map[engine.Pos][]string{}, fails: map[string]engine.Failure{}}
	g.catch(steps, nil)
	return g
}

// An answer is how a flow ends.
type answer struct {
	text    string
	status  int // 0 where none is known
	step    engine.Step
	outcome string // by which the step ends the flow without routing it; "" where the step is the end
}

// class names the colour of an answer.
func (a answer) class() string {
	switch {
	case a.status == 0:
		return "other"
	case a.status < 400:
		return "good"
	case a.status < 500:
		return "refused"
	}
	return "broken"
}

// ends tells how a step that ends the flow does so.
func (g *Graph) ends(s engine.Step) answer {
	switch s.Verb {
	case "respond":
		return answer{text: strings.TrimSpace(strconv.Itoa(s.Status) + " " + http.StatusText(s.Status)), status: s.Status}
	case "fail":
		f, ok := g.fails[s.Word]
		if !ok {
			return answer{text: s.Word}
		}
		return failure(f.Code, f.Kind, f.Status)
	}
	return answer{text: "return"}
}

func failure(code string, kind engine.Kind, status int) answer {
	status = cmp.Or(status, rest.Status(kind))
	return answer{text: strconv.Itoa(status) + " " + code, status: status}
}

// catch notes which outcomes of steps end no flow: those that a try around them
// catches, and all of steps that take others back.
func (g *Graph) catch(steps []engine.Step, codes []string) {
	for _, s := range steps {
		if len(codes) > 0 {
			g.caught[s.Pos] = codes
		}
		for _, b := range s.Branches {
			inside := codes
			switch {
			case b.Role == "undo":
				inside = []string{"any"}
			case b.Role == "try":
				for _, other := range s.Branches {
					if other.Role == "catch" {
						inside = append(slices.Clip(inside), other.Name)
					}
				}
			}
			g.catch(b.Steps, inside)
		}
	}
}

// unrouted lists how a step can end the flow by outcomes that it does not route.
func (g *Graph) unrouted(s engine.Step) (all []answer) {
	if s.Node == nil {
		return nil
	}
	for _, o := range s.Node.Outcomes {
		routed := func(b engine.Branch) bool { return b.Role == "on" && b.Name == o.Name }
		caught := func(code string) bool { return code == o.Name || code == "any" }
		if !slices.ContainsFunc(s.Branches, routed) && !slices.ContainsFunc(g.caught[s.Pos], caught) {
			end := failure(o.Name, o.Kind, 0)
			end.outcome = o.Name
			all = append(all, end)
		}
	}
	return all
}

// family names the colour of a node by the first part of its name. Families that
// are not among the first ones share their colours.
func family(node string) string {
	name, _, _ := strings.Cut(node, ".")
	first := []string{"user", "password", "session", "data", "http", "mail", "code", "token"}
	i := slices.Index(first, name)
	if i < 0 {
		for _, r := range name {
			i += int(r)
		}
		i %= len(first)
	}
	return "f" + strconv.Itoa(i)
}

// words say what a step does, in two lines.
func words(s engine.Step) (title, subtitle string) {
	id := ""
	if s.ID != "" {
		id = "$" + s.ID
	}
	switch s.Verb {
	case "node":
		return s.Word, id
	case "let":
		names := make([]string, len(s.Names))
		for i, n := range s.Names {
			names[i] = "$" + n
		}
		return "let", strings.Join(names, ", ")
	case "if":
		return s.Word, ""
	case "switch":
		return "switch " + s.Word, ""
	case "send":
		return "send " + s.Word, ""
	case "each":
		return "each " + s.Word, id
	}
	return s.Verb, id
}

// label names a branch.
func label(b engine.Branch) string {
	switch b.Role {
	case "then":
		return "yes"
	case "else":
		return "else"
	case "undo":
		return "undo, if a later step fails"
	}
	return b.Name
}
