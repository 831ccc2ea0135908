package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"sluice/engine"
	"sluice/server/endpoint"
)

// Bounds of a document. A client that shows a form is far from all of them; the
// query by which tools ask for the whole schema is the deepest that is common.
const (
	maxTokens    = 5_000
	maxDepth     = 20 // selections in selections
	maxFields    = 1_000
	maxAliases   = 50
	maxQueries   = 20 // fields at the root
	maxMutations = 5
)

// A fieldSchema is the fields of one path, ready to be asked.
type fieldSchema struct {
	*ast.Schema
	rules  *rules.Rules
	fields map[string]*endpoint.Endpoint // by operation and name
}

func load(path string, flows []*engine.Flow) (*fieldSchema, error) {
	parsed, err := gqlparser.LoadSchema(&ast.Source{Name: path, Input: SDL(path, flows)})
	if err != nil {
		return nil, fmt.Errorf("loading: %w", err)
	}
	return &fieldSchema{parsed, rules.NewDefaultRules(), map[string]*endpoint.Endpoint{}}, nil
}

// A work is an operation that can be run.
type work struct {
	op        string // query or mutation
	root      *ast.Definition
	set       ast.SelectionSet
	variables map[string]any // those that have a value; null is one
}

// A request is the body of a POST.
type request struct {
	Query         *string
	OperationName string
	Variables     map[string]any
}

// read makes work of the body of a request, or says what is wrong with it.
func (s *fieldSchema) read(body []byte) (*work, []failure) {
	var req request
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&req); err != nil {
		return nil, fault("The body must be a JSON object with query, and variables and operationName where they are needed.")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault("There is something behind the JSON of the body.")
	}
	if req.Query == nil || *req.Query == "" {
		return nil, fault("Missing request query")
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: *req.Query}, maxTokens)
	if err != nil {
		return nil, faults(err)
	}
	if why := (&measure{doc: doc, sizes: map[string]size{}}).check(); why != "" {
		return nil, fault(why)
	}
	if list := validator.ValidateWithRules(s.Schema, doc, s.rules); len(list) > 0 {
		return nil, faults(list)
	}
	op := doc.Operations.ForName(req.OperationName)
	switch {
	case op == nil && req.OperationName == "":
		return nil, fault("The document has several operations: operationName must name one.")
	case op == nil:
		return nil, fault(fmt.Sprintf("The document has no operation %.100q.", req.OperationName))
	}
	w := &work{op: string(op.Operation), root: s.Query, set: op.SelectionSet}
	if op.Operation == ast.Mutation {
		w.root = s.Mutation
	}
	if w.variables, err = s.coerceVariables(op, req.Variables); err != nil {
		return nil, fault(err.Error())
	}
	return w, nil
}

func fault(message string) []failure { return []failure{{Message: message}} }

// faults are what the library found wrong with a document.
func faults(err error) []failure {
	var list gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = gqlerror.List{one}
	default:
		return fault(err.Error())
	}
	const most = 20
	var all []failure
	for _, e := range list[:min(most, len(list))] {
		f := failure{Message: e.Message}
		for _, l := range e.Locations {
			f.Locations = append(f.Locations, location{l.Line, l.Column})
		}
		all = append(all, f)
	}
	return all
}

// A size is how much a selection asks for, with its fragments.
type size struct{ fields, depth, aliases, roots int }

// A measure measures a document in front of everything that takes time by its
// size: a fragment is counted as often as it is used, but walked once.
type measure struct {
	doc   *ast.QueryDocument
	sizes map[string]size // of fragments; nothing while one is measured, so that circles end
}

// check says what a document has too much of, or "".
func (m *measure) check() string {
	for _, op := range m.doc.Operations {
		s := m.of(op.SelectionSet, 1)
		roots := maxQueries
		if op.Operation == ast.Mutation {
			roots = maxMutations
		}
		switch {
		case s.depth > maxDepth:
			return fmt.Sprintf("The document is deeper than %d levels.", maxDepth)
		case s.fields > maxFields:
			return fmt.Sprintf("The document selects more than %d fields.", maxFields)
		case s.aliases > maxAliases:
			return fmt.Sprintf("The document has more than %d aliases.", maxAliases)
		case s.roots > roots:
			return fmt.Sprintf("The document has more than %d fields at the root of a %s.", roots, op.Operation)
		}
	}
	return ""
}

// enough is where counting ends, so that it does not overflow.
const enough = 1 << 20

func (m *measure) of(set ast.SelectionSet, level int) size {
	total := size{depth: level}
	if level > maxDepth+1 {
		return total
	}
	add := func(s size, spread bool) {
		total.fields = min(enough, total.fields+s.fields)
		total.aliases = min(enough, total.aliases+s.aliases)
		total.depth = max(total.depth, s.depth)
		if spread {
			total.roots = min(enough, total.roots+s.roots)
		}
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			total.fields, total.roots = total.fields+1, total.roots+1
			if sel.Alias != sel.Name {
				total.aliases++
			}
			if len(sel.SelectionSet) > 0 {
				add(m.of(sel.SelectionSet, level+1), false)
			}
		case *ast.InlineFragment:
			add(m.of(sel.SelectionSet, level), true)
		case *ast.FragmentSpread:
			s := m.fragment(sel.Name)
			s.depth += level - 1
			add(s, true)
		}
	}
	return total
}

// fragment is the size of a fragment as if it stood at the top.
func (m *measure) fragment(name string) size {
	if s, ok := m.sizes[name]; ok {
		return s
	}
	m.sizes[name] = size{}
	f := m.doc.Fragments.ForName(name)
	if f == nil {
		return size{}
	}
	m.sizes[name] = m.of(f.SelectionSet, 1)
	return m.sizes[name]
}
