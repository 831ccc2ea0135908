package lsp

import (
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

func (s *server) definition(p placeParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil || d.folder.survey == nil {
		return nil, nil
	}
	at := d.offset(p.Position)
	root := readable(d.text)
	sp, ok := d.spotAt(root, at)
	if !ok {
		return nil, nil
	}
	if u, ok := d.useAt(sp, at); ok {
		i, _, _ := u.until(at)
		return d.locate(d.declarationOf(root, u, u.path[:i+1])), nil
	}
	name := sp.node.Value
	var node string // of the step around
	if n := child(sp.within(stepSort), "node"); n != nil {
		node = n.Value
	}
	switch {
	case sp.key && sp.sort == paramsSort:
		return s.inNode(d, node, "params", name), nil
	case sp.key && sp.sort == onSort:
		return s.inNode(d, node, "outcomes", name), nil
	case sp.key:
	case sp.sort == nodeSort:
		return s.inNode(d, name, "node"), nil
	case sp.sort == failSort:
		if n := key(root, "outcomes", name); n != nil {
			return d.locate(n), nil
		}
		return s.elsewhere(d, "errors.yaml", name), nil
	case sp.sort == typeSort:
		for dir := path.Dir(d.name); dir != "."; dir = path.Dir(dir) {
			if found := s.elsewhere(d, dir+"/types.yaml", name); found != nil {
				return found, nil
			}
		}
		return s.elsewhere(d, "types.yaml", name), nil
	}
	return nil, nil
}

// locate is the place of a scalar of the document, or nothing.
func (d *document) locate(n *yaml.Node) any {
	if n == nil {
		return nil
	}
	return location{d.uri, d.span(d.Extent(n))}
}

// declarationOf returns where the file declares what a path of names leads to: the
// id of a step, or a property of its input. Where it declares only the beginning, that.
func (d *document) declarationOf(root *yaml.Node, u use, path []string) *yaml.Node {
	if own := declared(declarations(root), u.spot, path[0]); own != nil {
		return own.node
	}
	switch path[0] {
	case "session":
		return key(root, "session")
	case "params":
		return property(key(root, "params"), child(root, "params"), path[1:])
	case "path", "query", "headers", "body":
		in := child(root, "input")
		if at := property(key(in, path[0]), child(in, path[0]), path[1:]); at != nil {
			return at
		}
		if path[0] == "path" {
			return key(root, "endpoint")
		}
	}
	return nil
}

// key returns the key at the end of a path of keys, or nil.
func key(n *yaml.Node, path ...string) *yaml.Node {
	for i, name := range path {
		k := childKey(n, name)
		switch {
		case k < 0:
			return nil
		case i == len(path)-1:
			return n.Content[k]
		}
		n = n.Content[k+1]
	}
	return nil
}

// property follows names through a type as a flow writes it, as far as they are there.
func property(at, t *yaml.Node, path []string) *yaml.Node {
	for _, name := range path {
		if t != nil && engine.IsSchema(t) {
			t = child(t, "properties")
		}
		k := max(childKey(t, name), childKey(t, name+"?"))
		if k < 0 {
			return at
		}
		at, t = t.Content[k], t.Content[k+1]
	}
	return at
}

// inNode is a place in the file of a node that is a flow, or nothing. The first name
// of the path stands for its whole value where there is only one.
func (s *server) inNode(d *document, node string, path ...string) any {
	file, ok := d.folder.survey.Files[node]
	if !ok {
		return nil
	}
	return s.elsewhere(d, file, path...)
}

// elsewhere is the place of a key in another file of the folder, or nothing.
func (s *server) elsewhere(d *document, file string, path ...string) any {
	t, ok := d.folder.read(s.files(d.folder), file)
	if !ok {
		return nil
	}
	root := readable(t)
	at := key(root, path...)
	if last := len(path) - 1; at == nil && last > 0 {
		path[last] = strings.TrimSuffix(path[last], "?") + "?"
		at = key(root, path...)
	}
	if at == nil {
		return nil
	}
	return location{d.folder.uri(file), t.span(t.Extent(at))}
}
