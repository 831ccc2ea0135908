package engine

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Field says that a flow is a field of GraphQL. Its arguments are what the
// flow takes in path, query and body, each by its own name.
type Field struct {
	Op   string // query or mutation
	Name string
	At   string // path under which the field is served
}

// DefaultAt is the path at which fields are served that do not say.
const DefaultAt = "/graphql"

// A Trigger is one way in which a flow is called: METHOD /path for an endpoint,
// and QUERY or MUTATION /path#name for a field of GraphQL. Locks and the scopes of
// API keys name it so.
type Trigger struct{ Method, Path string }

func (t Trigger) String() string { return t.Method + " " + t.Path }

// Triggers returns the ways in which the flow is called, its endpoint first.
func (f *Flow) Triggers() []Trigger {
	var all []Trigger
	if f.Method != "" {
		all = append(all, Trigger{f.Method, f.Path})
	}
	if g := f.GraphQL; g != nil {
		all = append(all, g.Trigger())
	}
	return all
}

// Trigger returns the field as a way of calling.
func (g *Field) Trigger() Trigger { return Trigger{strings.ToUpper(g.Op), g.At + "#" + g.Name} }

var (
	fieldOps  = []string{"query", "mutation"}
	gqlName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	fixedPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
)

const fieldHint = "as in graphql: query orders, or graphql: {mutation: signIn, at: /tenant}"

// ValidField tells whether a text can name a field or an argument. What begins
// with two underscores is GraphQL's own.
func ValidField(name string) bool {
	return gqlName.MatchString(name) && !strings.HasPrefix(name, "__")
}

// graphql reads mutation NAME, or the same as a mapping with the path.
func (d *draft) graphql(n *yaml.Node) {
	f := &Field{At: DefaultAt}
	name := n
	if n.Kind != yaml.MappingNode {
		f.Op, f.Name, _ = strings.Cut(n.Value, " ")
	} else {
		for _, e := range d.mapping(n, "graphql", append(slices.Clone(fieldOps), "at")...) {
			switch {
			case e.key == "at":
				f.At = e.value.Value
				d.servedAt(f.At, d.at(e.value))
			case f.Op != "":
				d.problem(e.at, "one of the two", "a field is a query or a mutation")
			default:
				f.Op, f.Name, name = e.key, e.value.Value, e.value
			}
		}
	}
	switch {
	case !slices.Contains(fieldOps, f.Op) || f.Name == "":
		d.problem(d.at(n), fieldHint, "graphql must say query or mutation, and the name of the field")
	case !ValidField(f.Name):
		d.problem(d.at(name), "a letter, then letters, digits and _", "%q cannot be the name of a field", f.Name)
	}
	d.GraphQL = f
}

func (d *draft) servedAt(path string, at Pos) {
	if !fixedPath.MatchString(path) {
		d.problem(at, "as in /tenant", "%q cannot be the path of fields", path)
	}
	d.notReserved(path, at)
}

// completeField checks that what the flow takes can be arguments, and what it
// answers a value.
func (d *draft) completeField() {
	if d.GraphQL == nil {
		return
	}
	at := d.Places["graphql"]
	if d.Sends {
		d.problem(at, "remove answer: events", "a field of GraphQL gives one value, and sends no events")
	}
	if t := d.Input.Body; t != nil && (t.Base != Object || t.Open || t.Union != nil) {
		d.problem(at, "name the properties of the body", "the arguments of a field are the properties of the body, which has none")
		return
	}
	taken := map[string]string{}
	for _, part := range []struct {
		name string
		t    *Type
	}{{"path", d.Input.Path}, {"query", d.Input.Query}, {"body", d.Input.Body}} {
		if part.t == nil {
			continue
		}
		for _, p := range part.t.Props {
			switch {
			case !ValidField(p.Name):
				d.problem(at, "a letter, then letters, digits and _", "input.%s.%s cannot be an argument of a field", part.name, p.Name)
			case taken[p.Name] != "":
				d.problem(at, "rename one", "the argument %s is in input.%s and in input.%s", p.Name, taken[p.Name], part.name)
			}
			taken[p.Name] = part.name
		}
	}
}

// fieldCollisions reports fields that are there twice, and endpoints where fields
// are served.
func fieldCollisions(drafts []*draft) {
	fields, served := map[Trigger]*draft{}, map[string]*draft{}
	for _, d := range drafts {
		if d.GraphQL == nil {
			continue
		}
		at, t := d.Places["graphql"], d.GraphQL.Trigger()
		if other := fields[t]; other != nil {
			d.problem(at, "in "+other.File, "%s %s is there already at %s", d.GraphQL.Op, d.GraphQL.Name, d.GraphQL.At)
			continue
		}
		fields[t] = d
		served[strings.ToLower(d.GraphQL.At)] = d
	}
	for _, d := range drafts {
		if other := served[strings.ToLower(d.Path)]; other != nil && d.Method == "POST" {
			d.problem(d.pathPos, "as "+other.File+" says", "POST %s is where fields of GraphQL are served", d.Path)
		}
	}
}
