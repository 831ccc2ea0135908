package lsp

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// spotAt returns the scalar that a place is in.
func (d *document) spotAt(root *yaml.Node, at int) (spot, bool) {
	var found spot
	ok := false
	walk(root, rootSort(d.name), func(s spot) bool {
		if from, to := d.Extent(s.node); at >= from && at <= to {
			found, ok = s, true
			found.up = slices.Clone(s.up)
		}
		return !ok
	})
	return found, ok
}

// useAt returns the reference that a place is in.
func (d *document) useAt(s spot, at int) (use, bool) {
	for _, u := range uses(d.text, s) {
		if at >= u.from-1 && at <= u.to {
			return u, true
		}
	}
	return use{}, false
}

func (s *server) hover(p placeParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil || d.folder.survey == nil {
		return nil, nil
	}
	at := d.offset(p.Position)
	sp, ok := d.spotAt(readable(d.text), at)
	if !ok {
		return nil, nil
	}
	from, to := d.Extent(sp.node)
	text := ""
	if u, ok := d.useAt(sp, at); ok {
		i, _, end := u.until(at)
		from, to = u.from-1, end
		path := u.path[:i+1]
		if f, ok := follow(sp.scope(d.sheet), path); ok {
			text = typeDoc("$"+strings.Join(path, "."), f.t, f.optional, f.doc)
		}
	} else if sp.key {
		text = d.keyText(sp)
	} else {
		text = d.valueText(sp)
	}
	if text == "" {
		return nil, nil
	}
	return hover{markdown(text), d.span(from, to)}, nil
}

// keyText says what a key means.
func (d *document) keyText(sp spot) string {
	name := sp.node.Value
	var n *engine.Node
	if of := child(sp.within(stepSort), "node"); of != nil {
		n = d.folder.node(of.Value)
	}
	switch {
	case sp.sort == paramsSort && n != nil:
		if p := prop(n.In, name); p != nil {
			return typeDoc(name, p.Type, false, p.Doc+" ("+presence(p)+")")
		}
	case sp.sort == onSort && n != nil:
		for _, o := range n.Outcomes {
			if o.Name == name {
				return fmt.Sprintf("`%s` (%s)\n\n%s", o.Name, o.Kind, o.Doc)
			}
		}
	}
	if doc := keyDoc(sp, name); doc != "" {
		return fmt.Sprintf("`%s`\n\n%s", name, doc)
	}
	return ""
}

// valueText says what a value means.
func (d *document) valueText(sp spot) string {
	name := sp.node.Value
	switch sp.sort {
	case nodeSort:
		if n := d.folder.node(name); n != nil {
			return nodeDoc(n)
		}
	case failSort:
		for _, e := range d.folder.survey.Errors {
			if e.Code == name {
				return fmt.Sprintf("`%s`: status %d\n\n%s", e.Code, e.Status, e.Message)
			}
		}
	case typeSort:
		if t := d.folder.survey.Types[name]; t != nil {
			return typeDoc(name, t, false, "")
		}
	case formatSort:
		if is := engine.FormatIs(name); is != "" {
			return fmt.Sprintf("`%s`: %s", name, is)
		}
	case idSort:
		if f, ok := d.sheetEnd(sp, name); ok {
			return typeDoc("$"+name, f.t, f.optional, "")
		}
	}
	if doc := docOf(values[sp.sort], name); doc != "" {
		return fmt.Sprintf("`%s`\n\n%s", name, doc)
	}
	return ""
}

// sheetEnd is what the id of a step is, behind the step.
func (d *document) sheetEnd(sp spot, id string) (found, bool) {
	step := sp.within(stepSort)
	for i, l := range sp.up {
		if l.node == step && i > 0 && d.sheet != nil {
			list := sp.up[i-1].node
			j := slices.Index(list.Content, step)
			next := engine.Pos{Line: step.Line + 1<<20}
			if j >= 0 && j+1 < len(list.Content) {
				next = pos(list.Content[j+1])
			}
			return follow(d.sheet.Scope(pos(list), next), []string{id})
		}
	}
	return found{}, false
}
