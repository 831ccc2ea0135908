package engine

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// A Survey is what is known of a folder of flows, mistakes or not, for tools
// that help its author while they write.
type Survey struct {
	Problems Problems          // of all files
	Warnings Problems          // of all files: what works and is better done otherwise
	Nodes    []*Node           // that flows can use, those that are flows as well, by name
	Files    map[string]string // of the nodes that are flows, by name
	Errors   []Declared        // of errors.yaml, by code
	Types    map[string]*Type  // that flows can use by name
	Flows    int               // files read, of endpoints and of nodes

	reading *reading
}

// Analyze reads and checks every flow file as [Load] does, and tells what it
// found out even where there are problems. Its error is one of reading files.
func Analyze(fsys fs.FS, env Env) (*Survey, error) {
	r, err := read(fsys, &env)
	if err != nil {
		return nil, err
	}
	s := &Survey{Problems: r.problems, Warnings: r.app.Warnings, Files: map[string]string{}, Types: map[string]*Type{}, Flows: len(r.app.Flows) + len(r.app.Nodes), reading: r}
	for _, name := range slices.Sorted(maps.Keys(r.nodes)) {
		if n := r.nodes[name]; !n.broken {
			s.Nodes = append(s.Nodes, n)
		}
	}
	for _, n := range r.app.Nodes {
		s.Files[n.Name] = n.File
	}
	for _, code := range slices.Sorted(maps.Keys(r.declared)) {
		s.Errors = append(s.Errors, r.declared[code])
	}
	for _, ts := range append(slices.Collect(maps.Values(env.types.inside)), env.types) {
		for name, t := range ts.byName {
			if t != nil { // two types of one name are none
				s.Types[name] = t
			}
		}
	}
	return s, nil
}

// Flow returns the endpoint of a file, as far as it could be read, or nil. It is to be
// looked at and not run.
func (s *Survey) Flow(file string) *Flow {
	i, ok := slices.BinarySearchFunc(s.reading.app.Flows, file, func(f *Flow, file string) int { return strings.Compare(f.File, file) })
	if !ok {
		return nil
	}
	return s.reading.app.Flows[i]
}

// A Sheet is what is known of one flow file.
type Sheet struct {
	Flow   *Flow  // of an endpoint, as far as it could be read, to be looked at and not run
	Node   *Node  // that the file is in place of an endpoint; else nil
	Steps  []Step // as written
	blocks []seen
}

// Read checks the text of one flow file against what the survey knows of the others, and
// returns its problems but for those that two files make together. The sheet is
// nil where the text is not YAML. Several can be read at once.
func (s *Survey) Read(file string, data []byte) (*Sheet, Problems) {
	if file == errorsFile || path.Base(file) == typesFile {
		return nil, nil
	}
	d := parseFlow(file, data, s.reading.env)
	if !d.read {
		return nil, d.problems.sorted()
	}
	w := &watch{}
	d.watch = w
	d.compile(s.reading.env, s.reading.nodes, s.reading.declared)
	slices.SortFunc(w.blocks, func(a, b seen) int { return cmp.Or(a.pos.Line-b.pos.Line, a.pos.Column-b.pos.Column) })
	sheet := &Sheet{Flow: d.Flow, Steps: d.Steps, blocks: w.blocks}
	if d.params != nil {
		sheet.Node = d.node()
	}
	return sheet, append(d.problems, d.warnings...).sorted()
}

// A Scope is what references can begin with at a place in a flow.
type Scope struct {
	Names  []Name
	Forms  map[string]*Type // what values of unions are known to be here, by the references to their tags
	Proven map[string]bool  // references with their dollar sign that may be absent, but are there here
}

// A Name is one that references can begin with.
type Name struct {
	Name     string
	Type     *Type // nil where it is not known, for a mistake
	Optional bool  // may be absent
	Pos      Pos   // of the id; no File for what the flow takes
}

// Name returns a name of the scope, or false.
func (s Scope) Name(name string) (Name, bool) {
	// A step's id hides a root of the same name.
	for _, n := range slices.Backward(s.Names) {
		if n.Name == name {
			return n, true
		}
	}
	return Name{}, false
}

// Scope returns what is set in front of the step that begins at a place, in the
// block whose list begins at a place: behind the block's steps where none of
// them is as far down. A block that is not there stands for the last one above it
// that is no further in.
func (s *Sheet) Scope(block, step Pos) Scope {
	var in *seen
	for i, b := range s.blocks {
		switch {
		case b.pos.Line > block.Line || b.pos.Line == block.Line && b.pos.Column > block.Column:
		case b.pos.Column <= block.Column || b.pos.Line == block.Line:
			in = &s.blocks[i]
		}
	}
	if in == nil {
		return Scope{}
	}
	for i, at := range in.steps {
		if at.Line > step.Line || at.Line == step.Line && at.Column >= step.Column {
			return in.scopes[i]
		}
	}
	return in.scopes[len(in.scopes)-1]
}

// End returns what is set behind the block whose list begins at a place.
func (s *Sheet) End(block Pos) Scope { return s.Scope(block, Pos{Line: int(^uint(0) >> 1)}) }

// Start returns what is set in front of the first step.
func (s *Sheet) Start() Scope {
	if len(s.blocks) == 0 {
		return Scope{}
	}
	return s.blocks[0].scopes[0]
}

// seen is a block with what was set in front of each step and behind the last.
type seen struct {
	pos    Pos
	steps  []Pos
	scopes []Scope // one more than steps
}

// watch takes notes of what the compiler knows on its way.
type watch struct{ blocks []seen }

// note takes down what is set at a step of a block, or at no place behind the
// last one. It does nothing where nobody watches.
func (w *watch) note(c *compiler, in *seen, at Pos) {
	if w == nil {
		return
	}
	in.scopes = append(in.scopes, c.scope())
	if at.Line > 0 {
		in.steps = append(in.steps, at)
		return
	}
	w.blocks = append(w.blocks, *in)
}

// again takes down anew what is set at the last step of a block that was noted.
func (w *watch) again(c *compiler, in *seen) {
	if w != nil {
		in.scopes[len(in.scopes)-1] = c.scope()
	}
}

// scope is what is set where the compiler is.
func (c *compiler) scope() Scope {
	s := Scope{Names: make([]Name, 0, len(c.slots)), Proven: maps.Clone(c.state.proven), Forms: map[string]*Type{}}
	for tag, form := range c.state.forms {
		s.Forms[tag] = form.Type
	}
	for i, slot := range c.slots {
		isRoot := i < int(rootSlots)
		p := c.state.slots[i]
		switch {
		case isRoot && (slot.t == nil || i >= slotGiven), p == unset, p == maybe:
		case i == slotPath && len(slot.t.Props) == 0:
		default:
			s.Names = append(s.Names, Name{Name: slot.name, Type: slot.t, Optional: p == optional && !c.state.proven["$"+slot.name], Pos: slot.pos})
		}
	}
	return s
}

// TypeWords returns the values of type: in types.
func TypeWords() []string { return slices.Sorted(maps.Keys(typeWords)) }

// TypeKeyFor returns what sort of type a key is for, [Any] for all of them.
// Those for numbers are for integers as well.
func TypeKeyFor(key string) Base { return schemaWords[key] }

// FormatIs says what a text of a format must be, as in "an e-mail address".
func FormatIs(name string) string {
	if f := formats[name]; f != nil {
		return f.what
	}
	return numberFormats[name].what
}

// OutcomeKinds returns the kinds that a node flow's outcomes can have.
func OutcomeKinds() []string { return slices.Sorted(maps.Keys(kindWords)) }

// OwnCodes returns the codes of errors that nobody declares, for catch.
func OwnCodes() []string { return slices.Clone(own) }

// Takes tells whether a value of a type, which may be absent, can be given for the
// property.
func (p *Prop) Takes(t *Type, optional bool) bool {
	if t == nil || optional && !p.Optional || t.Secrecy != Public && p.Type.Secrecy == Public {
		return false
	}
	_, why := convert(typed{t: t, optional: optional}, p.Type, 0)
	return why == ""
}
