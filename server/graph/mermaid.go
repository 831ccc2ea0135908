package graph

import (
	"fmt"
	"strings"

	"sluice/engine"
)

// Mermaid writes the graph as a Mermaid flowchart.
func (g *Graph) Mermaid() string {
	m := &mermaid{g: g}
	m.line("%%%% %s: %s", g.Title, strings.Join(strings.Fields(g.About), " "))
	m.line("flowchart TD")
	m.in = "  "
	m.line(`start(["%s"])`, quoted(g.Title))
	m.block(g.steps, []tail{{from: "start"}})
	for _, class := range []string{
		"good fill:#dafbe1,stroke:#2da44e,color:#116329", "refused fill:#fff8c5,stroke:#bf8700,color:#6a4a00",
		"broken fill:#ffebe9,stroke:#cf222e,color:#a40e26", "other fill:#eff2f5,stroke:#818b98,color:#1f2328",
	} {
		m.line("classDef %s", class)
	}
	return m.String()
}

// A mermaid is a flowchart while it is written.
type mermaid struct {
	strings.Builder
	g    *Graph
	in   string // indent
	next int    // number of the next box
}

// A tail is a way whose end is open: a box and what its next edge is called.
type tail struct {
	from, label string
	thin        bool
}

func (m *mermaid) line(format string, args ...any) {
	fmt.Fprintf(m, m.in+format+"\n", args...)
}

// quoted is a text in Mermaid's quotes.
func quoted(s string) string {
	return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(s)
}

func (m *mermaid) id() string {
	m.next++
	return fmt.Sprintf("n%d", m.next)
}

// join draws edges to a box.
func (m *mermaid) join(tails []tail, to string) {
	for _, t := range tails {
		arrow := "-->"
		if t.thin {
			arrow = "-.->"
		}
		if t.label != "" {
			arrow += fmt.Sprintf(`|"%s"|`, quoted(t.label))
		}
		m.line("%s %s %s", t.from, arrow, to)
	}
}

// block writes steps that are entered by tails and returns those that leave them.
func (m *mermaid) block(steps []engine.Step, tails []tail) []tail {
	for _, s := range steps {
		tails = m.step(s, tails)
	}
	return tails
}

func (m *mermaid) step(s engine.Step, tails []tail) []tail {
	id := m.id()
	title, subtitle := words(s)
	switch s.Verb {
	case "respond", "fail", "return":
		m.answer(id, m.g.ends(s))
		m.join(tails, id)
		return nil
	case "each", "try":
		return m.frame(s, id, strings.TrimSpace(title+" "+subtitle), tails)
	case "if", "switch":
		m.line(`%s{{"%s"}}`, id, quoted(title))
	default:
		text := quoted(title)
		if subtitle != "" {
			text += "<br/>" + quoted(subtitle)
		}
		m.line(`%s["%s"]`, id, text)
	}
	m.join(tails, id)
	for _, a := range m.g.unrouted(s) {
		end := m.id()
		m.answer(end, a)
		m.line("%s -.-> %s", id, end)
	}
	return m.branches(s, id)
}

// branches writes what a box leads to and returns what goes on.
func (m *mermaid) branches(s engine.Step, id string) (after []tail) {
	for _, b := range s.Branches {
		way := tail{from: id, label: label(b), thin: b.GoOn || b.Role == "undo"}
		if s.Verb == "if" && b.Role == "else" {
			way.label = "no"
		}
		if inner := m.block(b.Steps, []tail{way}); b.Role != "undo" { // without steps it is the way itself
			after = append(after, inner...)
		}
	}
	switch {
	case branch(s, "else") != nil || s.Verb == "parallel" || s.Whole:
	case s.Verb == "if":
		after = append(after, tail{from: id, label: "no"})
	case s.Verb == "switch":
		after = append(after, tail{from: id, label: "else"})
	default:
		after = append(after, tail{from: id})
	}
	return after
}

// frame writes steps inside a frame. What repeats or catches them is an edge of
// the frame as a whole.
func (m *mermaid) frame(s engine.Step, id, title string, tails []tail) []tail {
	role := map[string]string{"each": "do", "try": "try"}[s.Verb]
	m.line(`subgraph %s ["%s"]`, id, quoted(title))
	m.in += "  "
	inner := m.block(branch(s, role), nil)
	m.in = m.in[2:]
	m.line("end")
	m.join(tails, id)
	var after []tail
	if len(inner) > 0 || s.Verb == "each" {
		after = append(after, tail{from: id})
	}
	for _, b := range s.Branches {
		if b.Role == "catch" {
			after = append(after, m.block(b.Steps, []tail{{from: id, label: b.Name}})...)
		}
	}
	if finally := branch(s, "finally"); finally != nil {
		end := m.id()
		m.line(`subgraph %s ["finally"]`, end)
		m.in += "  "
		m.block(finally, nil)
		m.in = m.in[2:]
		m.line("end")
		m.join(after, end)
		after = []tail{{from: end}}
	}
	return after
}

// answer writes the end of a flow.
func (m *mermaid) answer(id string, a answer) {
	m.line(`%s(["%s"]):::%s`, id, quoted(a.text), a.class())
}
