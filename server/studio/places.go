package studio

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/server/flowtext"
	"sluice/server/graph"
	"sluice/server/lsp"
	"sluice/server/rest"
)

// places know where in a text the steps are that the engine tells by line and column.
type places struct {
	tree  *flowtext.Tree
	begin map[[2]int]string         // places of steps by the line and column of their keys; PLACE#when by that of when
	verbs map[[2]int]string         // those keys
	spots map[string]*flowtext.Spot // of steps, by place
}

// newPlaces finds the steps of a text.
func newPlaces(tree *flowtext.Tree) *places {
	p := &places{tree, map[[2]int]string{}, map[[2]int]string{}, map[string]*flowtext.Spot{}}
	tree.Walk(func(s *flowtext.Spot) bool {
		if !flowtext.IsStep(s.Place) || s.Value.Kind != yaml.MappingNode {
			return true
		}
		p.spots[s.Place] = s
		for _, c := range s.Children() {
			at := [2]int{c.Key.Line, c.Key.Column}
			p.verbs[at] = c.Key.Value
			if p.begin[at] = s.Place; c.Key.Value == "when" {
				p.begin[at] = s.Place + "#when"
			}
		}
		return true
	})
	return p
}

// step is the place of a step that the engine tells, with #when for its condition.
func (p *places) step(at engine.Pos) string { return p.begin[[2]int{at.Line, at.Column}] }

// verb is the key at which a step is told by the engine: what it does, or when.
func (p *places) verb(at engine.Pos) string { return p.verbs[[2]int{at.Line, at.Column}] }

// bare is the place of a step without the mark of its condition.
func bare(id string) string {
	place, _, _ := strings.Cut(id, "#")
	return place
}

// at is the place of the step that something is in, and where it is below it.
func (p *places) at(from int) (step, field string) {
	found := ""
	p.tree.Walk(func(s *flowtext.Spot) bool {
		begin := p.tree.From(s.Value)
		if s.Key != nil {
			begin = p.tree.From(s.Key)
		}
		if from < begin || from > p.tree.Behind(s.Value) {
			return false
		}
		found = s.Place
		return true
	})
	step, field = flowtext.StepOf(found)
	return step, field
}

// span is where a spot stands.
func (p *places) span(s *flowtext.Spot) Span {
	from := p.tree.From(s.Value)
	if s.Key != nil {
		from = p.tree.From(s.Key)
	}
	return p.between(from, p.tree.Behind(s.Value))
}

func (p *places) between(from, to int) Span {
	line, toLine := p.tree.LineOf(from), p.tree.LineOf(to)
	column := func(n, at int) int {
		begin, _ := p.tree.Line(n)
		return len([]rune(p.tree.S[begin:at])) + 1
	}
	return Span{line + 1, column(line, from), toLine + 1, column(toLine, to)}
}

// manySteps make a flow so large that what is set at each step is told only when
// it is asked for.
const manySteps = 100

// steps tells the steps of a flow.
func (p *places) steps(read *engine.Sheet, s *Studio) (all []Step) {
	nodes := map[string]NodeInfo{}
	if survey, err := s.surveyed(); err == nil {
		for _, n := range survey.Nodes {
			nodes[n.Name] = nodeInfo(n, survey.Files[n.Name])
		}
	}
	var walk func([]engine.Step)
	walk = func(steps []engine.Step) {
		for _, st := range steps {
			place := p.step(st.Pos)
			if st.Guard {
				walk(st.Branches[0].Steps)
				continue
			}
			if spot := p.spots[place]; spot != nil {
				all = append(all, p.stepOf(spot, st, nodes))
			}
			for _, b := range st.Branches {
				walk(b.Steps)
			}
		}
	}
	walk(read.Steps)
	for i := range all {
		spot := p.spots[all[i].Place]
		scope := read.Scope(posOf(spot.Up.Value), posOf(spot.Value))
		for j, v := range all[i].Values {
			if t := lsp.TypeOf(scope, v.Text); t != nil && v.Kind == "reference" {
				text := lsp.Describe(t)
				all[i].Values[j].Type = &text
			}
		}
		if len(all) > manySteps {
			continue
		}
		for _, n := range scope.Names {
			all[i].Scope = append(all[i].Scope, ScopeName{n.Name, lsp.Describe(n.Type), n.Optional, p.declared(n)})
		}
	}
	return all
}

// declared is the place of the step that sets a name.
func (p *places) declared(n engine.Name) string {
	if n.Pos.File == "" {
		return ""
	}
	step, _ := p.at(p.tree.At(n.Pos.Line, n.Pos.Column))
	return step
}

func posOf(n *yaml.Node) engine.Pos { return engine.Pos{Line: n.Line, Column: n.Column} }

// stepOf tells what stands in a step.
func (p *places) stepOf(spot *flowtext.Spot, st engine.Step, nodes map[string]NodeInfo) Step {
	out := Step{Place: spot.Place, Verb: st.Verb, ID: st.ID, Word: st.Word, Status: st.Status, Names: st.Names, Span: p.span(spot)}
	if st.Verb == "node" {
		info, known := nodes[st.Word]
		out.Node, out.Known, out.Inputs, out.Outputs = st.Word, known, info.Inputs, info.Outputs
		if st.Node != nil {
			out.Outputs = fieldsOf(st.Node.Out, 0)
		}
	}
	there := map[string]bool{}
	for _, b := range st.Branches {
		place := p.branchPlace(spot.Place, b)
		there[place] = true
		out.Branches = append(out.Branches, BranchInfo{place, b.Role, b.Name, b.GoOn, len(b.Steps), true})
	}
	if st.Node != nil {
		for _, o := range st.Node.Outcomes {
			r := RouteInfo{Name: o.Name, Kind: o.Kind.String(), Status: rest.Status(o.Kind), Doc: o.Doc, Place: flowtext.Join(spot.Place, "on", o.Name)}
			for _, b := range st.Branches {
				if b.Role == "on" && b.Name == o.Name {
					r.To = "block"
					if b.GoOn {
						r.To = "continue"
					}
				}
			}
			out.Outcomes = append(out.Outcomes, r)
		}
	}
	for _, role := range map[string][]string{"if": {"then", "else"}, "switch": {"else"}, "each": {"do"}, "try": {"try", "finally"}, "node": {"undo"}}[st.Verb] {
		if place := flowtext.Join(spot.Place, role); !there[place] {
			out.Branches = append(out.Branches, BranchInfo{Place: place, Role: role})
		}
	}
	for _, c := range spot.Children() {
		p.values(&out, c)
	}
	return out
}

// branchPlace is the place of the list of a branch.
func (p *places) branchPlace(step string, b engine.Branch) string {
	key := map[string]string{"on": "on", "case": "cases", "catch": "catch", "lane": "parallel"}[b.Role]
	if key == "" {
		return flowtext.Join(step, b.Role)
	}
	return flowtext.Join(step, key, b.Name)
}

// parted are the keys of a step behind which each key is a value of its own.
var parted = map[string]bool{"with": true, "let": true, "headers": true, "cookies": true, "file": true, "retry": true, "body": true, "data": true, "details": true, "return": true}

// values notes what is written behind a key of a step.
func (p *places) values(out *Step, c *flowtext.Spot) {
	name := c.Key.Value
	if name == "on" || name == "catch" || name == "cases" || flowtext.IsBlock(c.Place) || name == "parallel" {
		return
	}
	if name == "when" {
		out.When = &c.Value.Value
	}
	if parted[name] && c.Value.Kind == yaml.MappingNode {
		for _, inner := range c.Children() {
			out.Values = append(out.Values, p.value(out.Place, inner))
		}
		return
	}
	out.Values = append(out.Values, p.value(out.Place, c))
}

func (p *places) value(step string, c *flowtext.Spot) Value {
	from, to := p.tree.From(c.Value), p.tree.Behind(c.Value)
	v := Value{
		Place: c.Place, Key: strings.TrimPrefix(c.Place, step+"/"), Text: p.tree.S[from:to], Plain: plain(c.Value),
		Span: p.between(from, to), Kind: "literal",
	}
	if c.Key != nil {
		begin, end := p.tree.Extent(c.Key)
		v.Name = p.between(begin, end)
	}
	s := c.Value.Value
	switch {
	case c.Value.Kind == yaml.SequenceNode:
		v.Kind = "list"
	case c.Value.Kind == yaml.MappingNode:
		v.Kind = "object"
	case c.Value.Tag != "!!str":
	case v.Key == "if" || v.Key == "when" || strings.HasPrefix(s, "= "):
		v.Kind = "expression"
	case strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "$$"):
		v.Kind = "reference"
	case strings.Contains(s, "{$"):
		v.Kind = "text"
	}
	return v
}

// plain is a value of a file as data.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		return list
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			object[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return object
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && f-f == 0 {
			return f
		}
	}
	return n.Value
}

// drawing lays a flow out.
func (p *places) drawing(read *engine.Sheet) *Drawing {
	if len(read.Steps) == 0 {
		return nil
	}
	g := graph.Endpoint(read.Flow)
	if read.Node != nil {
		g = graph.NodeFlow(&engine.NodeFlow{Node: read.Node, Steps: read.Steps})
	}
	laid := g.Drawing()
	d := &Drawing{Width: laid.Width, Height: laid.Height}
	seen := map[string]int{}
	unique := func(id string) string {
		if seen[id]++; seen[id] > 1 {
			return fmt.Sprintf("%s~%d", id, seen[id])
		}
		return id
	}
	for _, b := range laid.Boxes {
		d.Boxes = append(d.Boxes, p.box(b, unique))
	}
	for _, e := range laid.Edges {
		row := EdgeRow{Way: e.Way, Label: e.Label, Kind: e.Kind, Points: e.Points, Arrow: e.Arrow, Centre: e.Centre, From: p.step(e.From)}
		if e.From.File == "" {
			row.From = "start"
		}
		if e.Label != "" {
			row.Mark = &e.Mark
		}
		if e.To >= 0 {
			row.To = d.Boxes[e.To].ID
		}
		row.ID = unique(row.From + "|" + e.Way + "|" + e.Kind)
		d.Edges = append(d.Edges, row)
	}
	for _, sl := range laid.Slots {
		d.Slots = append(d.Slots, p.slot(sl))
	}
	return d
}

func (p *places) box(b graph.Box, unique func(string) string) Box {
	id := p.step(b.Step.Pos)
	out := Box{
		Place: bare(id), Kind: b.Part, Verb: b.Step.Verb, X: b.X, Y: b.Y, W: b.W, H: b.H, Title: b.Title, Subtitle: b.Subtitle,
		Family: b.Family, Colour: b.Colour, Status: b.Status, Class: b.Class, Outcome: b.Outcome,
	}
	switch {
	case b.Part == "start":
		id = "start"
	case b.Part == "end":
		id += "#" + b.Outcome
	case b.Part == "frame" && b.Step.Verb == "try" && b.Title == "finally":
		id += "#finally"
	case b.Part == "step" && b.Step.Verb == "parallel":
		out.Kind = "fork"
	case b.Part == "step":
		out.Kind = b.Step.Verb
	}
	out.ID = unique(id)
	return out
}

// slot is where a step can be put: in front of one, or behind the last of a block.
func (p *places) slot(sl graph.Slot) Slot {
	if sl.Before.File != "" || sl.Before.Line > 0 {
		return Slot{Place: bare(p.step(sl.Before)), X: sl.X, Y: sl.Y}
	}
	around, key := flowtext.Split(bare(p.step(sl.Behind)))
	n, _ := strconv.Atoi(key) // of a step's place
	return Slot{Place: flowtext.Join(around, strconv.Itoa(n+1)), X: sl.X, Y: sl.Y}
}
