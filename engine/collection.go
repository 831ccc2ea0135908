package engine

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Collection is a set of documents of one form, as types.yaml declares it: a
// type with collection: in it.
type Collection struct {
	Name    string // as nodes are given it
	Type    *Type  // of a whole document, with what every document has
	Fields  *Type  // of what the app declares of it
	Unique  [][]string
	Indexes [][]string
	Owner   string // field with the id of the user whose document it is, or ""
	Pos     Pos    // where it is declared
}

var (
	collectionKeys = []string{"collection", "description", "fields", "unique", "indexes", "owner"}
	collectionName = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,39}$`)
	fieldName      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	// Words that a condition on documents begins with.
	conditionWords = []string{"and", "or", "not"}
)

// isCollection tells whether a type of types.yaml declares a collection.
func isCollection(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == "collection" && n.Content[i+1].Kind == yaml.ScalarNode {
			return true
		}
	}
	return false
}

// collection reads a type that declares a collection, and returns the type of its documents.
func (ts *types) collection(n *yaml.Node, name string) *Type {
	s := ts.source
	c := &Collection{Fields: (&Type{Base: Object}).held(), Pos: s.at(n)}
	if ts.document == nil {
		s.problem(c.Pos, "", "there is nothing here that keeps documents")
		return c.Fields
	}
	lists := map[string]*yaml.Node{}
	var owner, fields *yaml.Node
	for _, e := range s.mapping(n, name, collectionKeys...) {
		switch e.key {
		case "collection":
			c.Name, _ = s.text(e.value, "collection")
			if !collectionName.MatchString(c.Name) {
				s.problem(s.at(e.value), "a small letter, then at most 39 letters and digits", "%q cannot be the name of a collection", c.Name)
			}
			if other := ts.collections[c.Name]; other != nil {
				s.problem(s.at(e.value), "choose another name", "collection %s is there already, in line %d", c.Name, other.Pos.Line)
			}
		case "description":
			s.text(e.value, "description")
		case "fields":
			fields = e.value
			if t := s.parseType(e.value, "fields"); t != nil {
				c.Fields = t
				ts.checkFields(t, s.at(e.value))
			}
		case "unique", "indexes":
			lists[e.key] = e.value
		case "owner":
			owner = e.value
		}
	}
	if fields == nil {
		s.problem(c.Pos, "fields: with at least one, as in name: string", "a collection needs fields")
	}
	c.Type = ts.documentOf(c.Fields, name)
	c.Unique = ts.paths(lists["unique"], c, "unique")
	c.Indexes = ts.paths(lists["indexes"], c, "indexes")
	if owner != nil {
		c.Owner, _ = s.text(owner, "owner")
		if p := c.Fields.prop(c.Owner); p == nil {
			s.problem(s.at(owner), DidYouMean(c.Owner, c.Fields.propNames()), "%s has no field %q", c.Name, c.Owner)
		} else if p.Type.goType.Kind().String() != "string" || p.Optional {
			s.problem(s.at(owner), "as in userId: string", "the owner must be a string that is always there")
		}
	}
	ts.collections[c.Name] = c
	return c.Type
}

// documentOf makes the type of a document: its id, its fields, and what else every document has.
func (ts *types) documentOf(fields *Type, name string) *Type {
	head := ownProps(ts.document.Props)
	props := append(append(head[:1:1], ownProps(fields.Props)...), head[1:]...)
	return (&Type{Base: Object, Name: name, Props: props}).held()
}

// checkFields refuses fields that a collection cannot keep.
func (ts *types) checkFields(t *Type, at Pos) {
	if t.Base != Object || t.Open {
		ts.source.problem(at, "name each one, as in name: string", "fields must name what a document has")
		return
	}
	for _, p := range t.Props {
		switch {
		case ts.document.prop(p.Name) != nil:
			ts.source.problem(at, "", "every document has %q, it is not declared", p.Name)
		case slices.Contains(conditionWords, p.Name):
			ts.source.problem(at, "conditions use the word", "a field cannot be called %q", p.Name)
		}
	}
	ts.checkField(t, at, "")
}

func (ts *types) checkField(t *Type, at Pos, name string) {
	switch {
	case t.Secrecy != Public:
		ts.source.problem(at, "passwords are kept by user.create and password.set", "%s is secret, and a collection keeps none", name)
	case t.Nominal:
		ts.source.problem(at, "a string", "%s is %s, which cannot be kept", name, article(t))
	}
	if t.Items != nil {
		ts.checkField(t.Items, at, name)
	}
	for _, p := range t.Props {
		if !fieldName.MatchString(p.Name) {
			ts.source.problem(at, "a letter, then letters, digits, _ and -", "%q cannot be the name of a field", p.Name)
		}
		ts.checkField(p.Type, at, strings.TrimPrefix(name+"."+p.Name, "."))
	}
}

// paths reads a list of fields, each by itself or several together.
func (ts *types) paths(n *yaml.Node, c *Collection, what string) (all [][]string) {
	s := ts.source
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		s.problem(s.at(n), "as in [sku, [category, price]]", "%s must be a list of fields", what)
		return nil
	}
	for _, item := range n.Content {
		names := []*yaml.Node{item}
		if item.Kind == yaml.SequenceNode {
			names = item.Content
		}
		var group []string
		for _, name := range names {
			path, ok := s.text(name, what)
			t := c.Type.At(path)
			switch {
			case !ok:
			case t == nil:
				s.problem(s.at(name), DidYouMean(path, c.Type.propNames()), "%s has no field %q", c.Name, path)
			case t.Base == Array || t.Base == Object || t.Base == Any:
				s.problem(s.at(name), "a text, a number, a boolean or a time", "%s is %s and cannot be looked up", path, article(t))
			case slices.Contains(group, path):
				s.problem(s.at(name), "", "%s stands twice", path)
			default:
				group = append(group, path)
			}
		}
		all = append(all, group)
	}
	return all
}

// At returns the type of a field inside an object, by names with dots between
// them, or nil.
func (t *Type) At(path string) *Type {
	for name := range strings.SplitSeq(path, ".") {
		p := t.prop(name)
		if t.Base != Object || p == nil {
			return nil
		}
		t = p.Type
	}
	return t
}
