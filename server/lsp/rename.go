package lsp

import (
	"fmt"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

var idPattern = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

// named is a name of a file that can be changed: where it is declared, and where the
// cursor is on it.
type named struct {
	root     *yaml.Node
	all      []declaration
	at       declaration
	from, to int
}

// nameAt returns the name that a place is in: at its declaration, or at the beginning
// of a reference to it.
func (d *document) nameAt(at int) (named, error) {
	n := named{}
	if n.root, _ = parse(d.S); n.root == nil {
		return n, &failure{requestFailed, "the file is not YAML at the moment, so not every reference can be found"}
	}
	n.all = declarations(n.root)
	for _, own := range n.all {
		if from, to := d.inner(own.node); at >= from && at <= to && !own.bare {
			n.at, n.from, n.to = own, from, to
			return n, nil
		}
	}
	nothing := &failure{requestFailed, "only ids of steps, and names that let and each give, can be renamed"}
	sp, ok := d.spotAt(n.root, at)
	if !ok {
		return n, nothing
	}
	u, ok := d.useAt(sp, at)
	if !ok {
		return n, nothing
	}
	own := declared(n.all, u.spot, u.path[0])
	if i, _, _ := u.until(at); i > 0 || own == nil {
		return n, nothing
	}
	if own.bare {
		return n, &failure{requestFailed, "the item has no name of its own; give it one with as:"}
	}
	n.at, n.from, n.to = *own, u.from, u.from+len(u.path[0])
	return n, nil
}

// inner returns where a scalar stands, without its quotes.
func (d *document) inner(n *yaml.Node) (from, to int) {
	from, to = d.Extent(n)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return from + 1, to - 1
	}
	return from, to
}

func (s *server) prepareRename(p placeParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	n, err := d.nameAt(d.offset(p.Position))
	if err != nil {
		return nil, err
	}
	return renameRange{d.span(n.from, n.to), n.at.name}, nil
}

func (s *server) rename(p renameParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	edits, err := d.renamed(d.offset(p.Position), p.NewName)
	if err != nil {
		return nil, err
	}
	return workspaceEdit{map[string][]textEdit{d.uri: edits}}, nil
}

// renamed gives the name that a place is in another one, and to all that refer to it.
func (d *document) renamed(at int, name string) ([]textEdit, error) {
	n, err := d.nameAt(at)
	if err != nil {
		return nil, err
	}
	if !idPattern.MatchString(name) {
		return nil, &failure{requestFailed, fmt.Sprintf("%q cannot be an id (a letter, then letters, digits and _)", name)}
	}
	taken := slices.ContainsFunc(n.all, func(o declaration) bool { return o.name == name && o.node != n.at.node })
	if taken || hides(n.root, name) {
		return nil, &failure{requestFailed, fmt.Sprintf("there is a $%s already", name)}
	}
	from, to := d.inner(n.at.node)
	edits := []textEdit{{d.span(from, to), name}}
	walk(n.root, rootSort(d.name), func(sp spot) bool {
		for _, u := range uses(d.text, sp) {
			if own := declared(n.all, u.spot, u.path[0]); own != nil && own.node == n.at.node {
				edits = append(edits, textEdit{d.span(u.from, u.from+len(u.path[0])), name})
			}
		}
		return true
	})
	return edits, nil
}

// hides tells whether an id would hide what flows have without a step.
func hides(root *yaml.Node, name string) bool {
	session := child(root, "session")
	if name == "session" && session != nil && session.Value == engine.SessionNone.String() {
		return false
	}
	_, ok := rootText[name]
	return ok
}
