package engine

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const typesFile = "types.yaml"

// types are the types that flows can use by name: those of types.yaml, and
// those that nodes take and give. A folder can have a types.yaml of its own,
// whose types are for the flows in it and below, in place of others of their names.
type types struct {
	around *types            // of the folder around; nil at the top
	inside map[string]*types // of folders, by path; only at the top
	byName map[string]*Type
	source *source
	open   map[string]*yaml.Node // of types.yaml, not read yet
	way    []string              // being read

	document    *Type                  // what every document has; nil where nothing keeps any
	collections map[string]*Collection // by name
}

var typeName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// loadTypes reads types.yaml, where it exists, and the named types of nodes.
func loadTypes(fsys fs.FS, env *Env) (*types, Problems) {
	ts := &types{inside: map[string]*types{}, byName: map[string]*Type{}, open: map[string]*yaml.Node{}, document: env.Document, collections: map[string]*Collection{}}
	for _, n := range env.Nodes {
		ts.learn(n.In)
		ts.learn(n.Out)
	}
	if env.Session != nil {
		ts.learn(env.Session)
	}
	problems := ts.read(fsys, ".")
	for _, dir := range typeFolders(fsys) {
		inside := &types{byName: map[string]*Type{}, open: map[string]*yaml.Node{}, document: ts.document, collections: ts.collections}
		inside.around = ts.of(dir)
		problems = append(problems, inside.read(fsys, dir)...)
		ts.inside[dir] = inside
	}
	return ts, problems
}

// typeFolders lists the folders that have types of their own, outer ones first.
func typeFolders(fsys fs.FS) (dirs []string) {
	fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error { // what cannot be read is told of flows
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && file != "." && (d.Name()[0] == '.' || d.Name()[0] == '_'):
			return fs.SkipDir
		case !d.IsDir() && d.Name() == typesFile && file != typesFile:
			dirs = append(dirs, path.Dir(file))
		}
		return nil
	})
	slices.Sort(dirs)
	return dirs
}

// of returns the types that a flow in a folder can use.
func (ts *types) of(dir string) *types {
	for ; ts != nil && dir != "."; dir = path.Dir(dir) {
		if inside := ts.inside[dir]; inside != nil {
			return inside
		}
	}
	return ts
}

// read reads the types.yaml of a folder, where there is one.
func (ts *types) read(fsys fs.FS, dir string) Problems {
	file := path.Join(dir, typesFile)
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil
	}
	s := &source{file: file, types: ts}
	ts.source = s
	root := s.parse(data)
	if root == nil {
		return s.problems
	}
	entries := s.mapping(root, "types.yaml")
	for _, e := range entries {
		switch {
		case !typeName.MatchString(e.key):
			s.problem(e.at, "a capital letter, then letters and digits", "%q cannot be the name of a type", e.key)
		case dir != "." && isCollection(e.value):
			s.problem(e.at, "declare it in the types.yaml at the top", "%s is a collection, which all flows share", e.key)
		case dir == "." && ts.byName[e.key] != nil:
			s.problem(e.at, "choose another name", "%s is a type of a node already", e.key)
		default:
			ts.open[e.key] = e.value
		}
	}
	for _, e := range entries {
		ts.named(e.key)
	}
	return s.problems
}

// learn takes in the names in a node's type.
func (ts *types) learn(t *Type) {
	if t.Name != "" && t.goType != noneType && (t.Nominal || t.Base == Object) {
		if old, ok := ts.byName[t.Name]; ok && (old == nil || old.goType != t.goType) {
			ts.byName[t.Name] = nil // two types of one name: neither can be used by it
		} else {
			ts.byName[t.Name] = t
		}
	}
	for _, p := range t.Props {
		ts.learn(p.Type)
	}
	if t.Items != nil {
		ts.learn(t.Items)
	}
}

// named returns the type of a name, or nil.
func (ts *types) named(name string) *Type {
	if ts == nil {
		return nil
	}
	n, open := ts.open[name]
	if !open {
		if t := ts.byName[name]; t != nil || ts.around == nil {
			return t
		}
		return ts.around.named(name)
	}
	if slices.Contains(ts.way, name) {
		ts.source.problem(ts.source.at(n), "a type cannot contain itself", "%s leads back to itself: %s", name, strings.Join(append(ts.way, name), ", "))
		delete(ts.open, name)
		ts.byName[name] = (&Type{}).held()
		return ts.byName[name]
	}
	ts.way = append(ts.way, name)
	conditional := ts.source.conditional
	ts.source.conditional = false
	var t *Type
	if isCollection(n) {
		t = ts.collection(n, name)
	} else {
		t = ts.source.parseNamed(n, name)
	}
	ts.source.conditional = conditional
	ts.way = ts.way[:len(ts.way)-1]
	delete(ts.open, name)
	if t == nil {
		t = (&Type{}).held()
	} else if (t.Base == Object || t.Union != nil) && t.Name == "" {
		t.Name = name
	}
	if t.Called == "" && n.Kind == yaml.MappingNode { // else it is another one's
		t.Called = name
	}
	ts.byName[name] = t
	return t
}

// parseNamed is parseType for a type that may be null where it is a property.
func (s *source) parseNamed(n *yaml.Node, name string) *Type {
	d := s.parseDeclared(n, name)
	if d.hasDefault || d.readOnly {
		s.problem(s.at(n), "say it where the type is used", "%s cannot have a default or be readOnly, only properties can", name)
	}
	if d.t != nil && n.Kind == yaml.MappingNode && ValidField(d.notes.Title) {
		d.t.Called = d.notes.Title
	}
	return d.t
}

func (ts *types) names() []string {
	if ts == nil {
		return nil
	}
	return append(slices.AppendSeq(slices.Collect(maps.Keys(ts.byName)), maps.Keys(ts.open)), ts.around.names()...)
}
