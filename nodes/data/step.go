package data

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes/user"
)

// scalars has the types of parameters that are the same for every collection.
type scalars struct {
	ID      string `json:"id" doc:"Id of a document." min:"1" max:"128"`
	Limit   int    `json:"limit" doc:"Documents on a page." min:"1" max:"100"`
	Most    int    `json:"most" doc:"Where to stop counting." min:"1" max:"100000"`
	Version int    `json:"version" doc:"Version of a document." min:"1"`
	After   string `json:"after" doc:"Cursor." max:"4096"`
}

var (
	scalarTypes = engine.TypeOf[scalars]()
	ownerType   = engine.TypeOf[user.ProvenID]()
	textType    = engine.TypeOf[string]()
)

// access says whether a step reads or writes.
type access bool

const (
	reads  access = false
	writes access = true
)

// A step is one use of a node, or one change of data.write, while it is compiled.
type step struct {
	u        *engine.Use
	given    []engine.Entry
	of       *engine.Collection
	c        *Collection
	owner    *engine.Slot // nil where it reaches the documents of everyone
	selected []string     // fields to give; nil for all
	ways     ways
}

// ways are the outcomes that a step can leave by, as far as what it says tells.
type ways map[*engine.Outcome]bool

func (w ways) outcomes(all []*engine.Outcome) []*engine.Outcome {
	return slices.DeleteFunc(slices.Clone(all), func(o *engine.Outcome) bool { return !w[o] })
}

// mayTake notes that a change of some fields can meet another document's
// unique key; of none: that it makes a new document.
func (s *step) mayTake(paths ...string) {
	for _, x := range s.c.Indexes {
		if x.Unique && (len(paths) == 0 || slices.ContainsFunc(x.Fields, func(f string) bool { return overlap(f, paths) != "" })) {
			s.ways[Taken] = true
		}
	}
}

// overlap returns the first of some paths that is another one, holds it or is in it.
func overlap(path string, others []string) string {
	for _, other := range others {
		if other == path || strings.HasPrefix(other, path+".") || strings.HasPrefix(path, other+".") {
			return other
		}
	}
	return ""
}

// begin finds the collection of a step and checks whose documents it reaches.
// In data.write the collection stands behind the verb. It returns nil after
// reporting what makes all else meaningless.
func begin(u *engine.Use, given []engine.Entry, verb string, how access) *step {
	s := &step{u: u, given: given, ways: ways{}}
	name := "collection"
	if verb != "" {
		name = verb
		s.checkNames(verb)
	}
	e, ok := s.entry(name)
	if !ok {
		return nil
	}
	if s.of = u.Collection(e); s.of == nil {
		return nil
	}
	s.c = FromEngine(s.of)
	touched := s.c.Name
	if !s.reach(e) {
		touched += " of everyone"
	}
	if how == writes {
		u.Touches.Writes = append(slices.Clone(u.Touches.Writes), touched)
	} else {
		u.Touches.Reads = append(slices.Clone(u.Touches.Reads), touched)
	}
	return s
}

// checkNames reports parameters that a change of data.write does not have.
func (s *step) checkNames(verb string) {
	known := map[string][]string{
		"create": {"create", "owner", "everyone", "id", "values"},
		"update": {"update", "owner", "everyone", "id", "where", "version", "set", "unset", "inc", "push", "pull"},
		"delete": {"delete", "owner", "everyone", "id", "where", "version"},
	}[verb]
	for _, e := range s.given {
		if !slices.Contains(known, e.Name) {
			s.u.Problem(e.At, engine.DidYouMean(e.Name, known), "%s has no %q", verb, e.Name)
		}
	}
	for _, name := range map[string][]string{"create": {"values"}, "update": {"id"}, "delete": {"id"}}[verb] {
		if _, ok := s.entry(name); !ok {
			e, _ := s.entry(verb)
			s.u.Problem(e.Pos(), "", "%s needs %q", verb, name)
		}
	}
}

// reach reads owner: and everyone:, and tells whether the step keeps to the
// documents of one user, or to a collection whose documents belong to nobody.
func (s *step) reach(collection engine.Entry) bool {
	owner, owned := s.entry("owner")
	all, everyone := s.entry("everyone")
	if everyone {
		if lit, _ := all.Literal(); lit != true {
			s.u.Problem(all.Pos(), "leave it out otherwise", "everyone can only be true, fixed in the flow")
		}
	}
	switch {
	case s.of.Owner == "":
		for _, e := range []engine.Entry{owner, all} {
			if e.Name != "" {
				s.u.Problem(e.At, "owner: FIELD in types.yaml gives it one", "%s has no owner", s.c.Name)
			}
		}
		return true
	case owned && everyone:
		s.u.Problem(all.At, "", "a step reaches the documents of one owner or of everyone, not both")
	case owned:
		s.owner = s.u.Slot(owner, ownerType, false, "owner")
		return true
	case !everyone:
		s.u.Problem(collection.Pos(), "owner: $session.userId reaches those of the caller, everyone: true reaches all", "%s belong to users, and the step does not say whose", s.c.Name)
	}
	return false
}

func (s *step) entry(name string) (engine.Entry, bool) { return entry(s.given, name) }

func entry(given []engine.Entry, name string) (engine.Entry, bool) {
	for _, e := range given {
		if e.Name == name {
			return e, true
		}
	}
	return engine.Entry{}, false
}

// slot claims one of the parameters in scalars, or returns nil where it is not
// given. What can be left out can be absent.
func (s *step) slot(name string) *engine.Slot {
	e, ok := s.entry(name)
	if !ok {
		return nil
	}
	return s.u.Slot(e, scalarTypes.Prop(name).Type, name != "id", name)
}

func text(slot *engine.Slot, in engine.Args) string {
	v, _ := slot.Value(in).(string)
	return v
}

func whole(slot *engine.Slot, in engine.Args, standard int) int {
	if v, ok := slot.Value(in).(int64); ok {
		return int(v)
	}
	return standard
}

// scope is what must hold of a document for the caller to know it.
func (s *step) scope(in engine.Args, where *condition) Filter {
	f, _ := where.filter(in)
	if s.owner == nil {
		return f
	}
	own := Filter{Op: Eq, Path: s.of.Owner, Value: text(s.owner, in)}
	if where == nil {
		return own
	}
	return Filter{Op: All, Of: []Filter{own, f}}
}

// target reads what names the document to change and what must hold of it.
func (s *step) target() func(engine.Args) Target {
	id, version, where := s.slot("id"), s.slot("version"), s.conditions("where")
	s.ways[NotFound] = true
	if version != nil {
		s.ways[Stale] = true
	}
	if where != nil {
		s.ways[Unmet] = true
	}
	return func(in engine.Args) Target {
		t := Target{ID: text(id, in), Scope: s.scope(in, nil), Version: int64(whole(version, in, 0))}
		t.If, _ = where.filter(in)
		return t
	}
}

// creation reads what a new document has in it.
func (s *step) creation() func(engine.Args) (Document, error) {
	var fields []*engine.Prop
	for _, p := range s.of.Fields.Props {
		if s.owner == nil || p.Name != s.of.Owner {
			fields = append(fields, p)
		}
	}
	id := s.slot("id")
	if s.mayTake(); id != nil {
		s.ways[Taken] = true
	}
	var values *engine.Slot
	if e, ok := s.entry("values"); ok {
		t := engine.NewType("", fields...)
		values = s.u.Slot(e, t, false, "values")
		s.keeps(e, t)
	}
	return func(in engine.Args) (Document, error) {
		at := now()
		d := Document{ID: text(id, in), Version: 1, Created: at, Updated: at, Body: values.AppendJSON(nil, in)}
		if s.owner != nil {
			d.Body = withMember(d.Body, s.of.Owner, appendText(nil, text(s.owner, in)))
		}
		switch {
		case len(d.ID) > 128:
			return Document{}, engine.Fail(engine.Invalid, "invalid_input", "id must have at most 128 bytes")
		case d.ID == "":
			u, err := uuid.NewV7()
			if err != nil {
				return Document{}, fmt.Errorf("making id: %w", err)
			}
			d.ID = u.String()
		}
		return d, nil
	}
}

// keeps reports what a value that is not written out is known to have and the
// fields have not, as that would be lost and nobody told. A document that is copied
// leaves its head behind, and its owner where the step says whose it is to be.
func (s *step) keeps(e engine.Entry, fields *engine.Type) {
	if _, written := e.Object(); written {
		return // the engine tells
	}
	from := s.u.Likely(e)
	if from == nil {
		return
	}
	for _, p := range from.Props {
		switch to := fields.Prop(p.Name); {
		case to != nil:
			s.keepsWithin(e, p.Name, p.Type, to.Type)
		case s.of.Type.Prop(p.Name) == nil:
			s.lost(e, p.Name)
		}
	}
}

// keepsWithin is keeps of what a field holds.
func (s *step) keepsWithin(e engine.Entry, path string, from, to *engine.Type) {
	for from.Base == engine.Array && to.Base == engine.Array && from.Items != nil && to.Items != nil {
		from, to = from.Items, to.Items
	}
	if to.Base != engine.Object || to.Open || to.More {
		return
	}
	for _, p := range from.Props {
		if inner := to.Prop(p.Name); inner != nil {
			s.keepsWithin(e, path+"."+p.Name, p.Type, inner.Type)
		} else {
			s.lost(e, path+"."+p.Name)
		}
	}
}

func (s *step) lost(e engine.Entry, path string) {
	s.u.Problem(e.Pos(), "declare it, or write out the fields that are meant", "%s has no field %q, so that what the value has there would be lost", s.c.Name, path)
}

// selects reads which fields the step gives.
func (s *step) selects() {
	e, ok := s.entry("select")
	if !ok {
		return
	}
	items, ok := e.List()
	if !ok || len(items) == 0 {
		s.u.Problem(e.Pos(), "as in [name, price]", "select must be a list of fields")
		return
	}
	s.selected = []string{ID}
	for _, item := range items {
		name, _ := item.Text()
		if s.of.Type.Prop(name) == nil {
			s.unknownField(item.Pos(), name)
		} else if !slices.Contains(s.selected, name) {
			s.selected = append(s.selected, name)
		}
	}
}

// gives is the type of a document as the step gives it.
func (s *step) gives() *engine.Type {
	if s.selected == nil {
		return s.of.Type
	}
	var props []*engine.Prop
	for _, name := range s.selected {
		if p := s.of.Type.Prop(name); p != nil {
			props = append(props, p)
		}
	}
	return engine.NewType("", props...)
}

func (s *step) give(out engine.Result, d Document) error {
	if err := out.SetJSON(appendDocument(nil, d)); err != nil {
		return fmt.Errorf("document %s of %s: %w", d.ID, s.c.Name, err)
	}
	return nil
}

func setList(out engine.Result, found []Document, next string) error {
	b := []byte(`{"items":[`)
	for i, d := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendDocument(b, d)
	}
	b = append(b, ']')
	if next != "" {
		b = appendText(append(b, `,"next":`...), next)
	}
	return out.SetJSON(append(b, '}'))
}

func (s *step) unknownField(at engine.Pos, name string) {
	var known []string
	for _, p := range s.of.Type.Props {
		known = append(known, p.Name)
	}
	s.u.Problem(at, engine.DidYouMean(name, known), "%s has no field %q", s.c.Name, name)
}

// appendDocument writes a document whole: its head and its fields.
func appendDocument(b []byte, d Document) []byte {
	b = appendText(append(b, `{"id":`...), d.ID)
	b = fmt.Appendf(b, `,"version":%d,"creationDtm":"%s","updatedDtm":"%s"`, d.Version, d.Created.UTC().Format(TimeLayout), d.Updated.UTC().Format(TimeLayout))
	if inner := strings.TrimSpace(string(d.Body)); len(inner) > 2 {
		b = append(append(b, ','), inner[1:len(inner)-1]...)
	}
	return append(b, '}')
}

// withMember adds a member to the front of a JSON object.
func withMember(object []byte, name string, value []byte) []byte {
	b := append(append(appendText([]byte{'{'}, name), ':'), value...)
	if len(object) > 2 {
		b = append(b, ',')
	}
	return append(b, object[1:]...)
}

// appendText writes a text as JSON.
func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string always can
	return append(b, text...)
}
