package engine

// A Step is one step of a flow as it was written, for tools that draw, list or
// cover flows.
type Step struct {
	Pos      Pos
	Verb     string   // node, if, switch, each, parallel, try, let, send, respond, fail or return
	ID       string   // "" without one
	Word     string   // the node, the event, the error's code, the condition, the list, what a switch chooses by
	Status   int      // of respond
	Names    []string // that a let gives
	Given    []string // parameters that a node is given
	Guard    bool     // of an if: it is the when: of the one step in its one branch
	Whole    bool     // of a switch: its cases are all that the value can be
	Node     *Node    // that a step runs, once it was compiled; nil where it is not known
	Branches []Branch // in the order of the text
}

// A Branch is a way that leads from a step into steps inside it.
type Branch struct {
	Pos   Pos
	Role  string // on, then, else, case, do, lane, try, catch, finally or undo
	Name  string // of the outcome, the case, the lane or the code
	GoOn  bool   // an outcome that is routed to the step below
	Steps []Step
}

// outline makes the public tree of a block.
func (b *block) outline() []Step {
	if b == nil {
		return nil
	}
	steps := make([]Step, len(b.steps))
	for i, st := range b.steps {
		s := Step{Pos: st.pos, Verb: st.verb, ID: st.id, Word: st.word, Status: st.status, Whole: st.whole, Guard: st.guards != nil, Node: st.node}
		switch {
		case st.cond != nil:
			s.Word = st.cond.text
		case st.value != nil && (st.verb == "each" || st.verb == "switch"):
			s.Word = st.value.String()
		}
		for _, m := range st.with {
			switch st.verb {
			case "let":
				s.Names = append(s.Names, m.name)
			case "node":
				s.Given = append(s.Given, m.name)
			}
		}
		for _, inside := range st.blocks {
			s.Branches = append(s.Branches, Branch{Pos: inside.at, Role: inside.role, Name: inside.name, GoOn: inside.goOn, Steps: inside.block.outline()})
		}
		steps[i] = s
	}
	return steps
}

// String is a value as a short text: references and expressions as written.
func (v *value) String() string {
	switch v.kind {
	case refValue:
		text := "$"
		for i, name := range v.path {
			if i > 0 {
				text += "."
			}
			text += name
		}
		return text
	case exprValue:
		return v.lit.(string)
	case literalValue:
		return caseKey(v.lit)
	case listValue:
		return "[...]"
	}
	return "{...}"
}
