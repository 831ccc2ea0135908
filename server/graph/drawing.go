package graph

import (
	"strings"

	"sluice/engine"
)

// A Drawing is a graph laid out, in pixels, for those who draw it themselves.
type Drawing struct {
	Width, Height int
	Boxes         []Box
	Edges         []Edge
	Slots         []Slot
	labels        map[link]caption
}

// A caption is the text at an edge.
type caption struct {
	at     [2]int
	centre bool
	text   string
}

// A Box is something drawn at a step.
type Box struct {
	Step            engine.Step
	Part            string // start, step, choice, frame, answer, or end of an outcome that nobody routes
	X, Y, W, H      int
	Title, Subtitle string
	Family          string // of a node: user of user.fetch
	Colour          int    // of the family
	Status          int    // of an answer or an end; 0 where it is not known
	Class           string // of an answer or an end: good, refused, broken or other
	Outcome         string // of an end
}

// An Edge is a line with its corners.
type Edge struct {
	From   engine.Pos // step that it leaves; no file for the start
	Way    string     // out of the step; next for what is below it
	Kind   string     // flow, route, back, join, thick, undo, end or goOn
	Points [][2]int
	Arrow  bool
	Label  string
	Mark   [2]int // base line of the label
	Centre bool   // Mark is its middle, not its left
	To     int    // index of the box that it leads to, or -1
}

// A Slot is a place between steps, where another one can be put: in front of a step
// or behind the last one of a block.
type Slot struct {
	Before, Behind engine.Pos
	X, Y           int
}

// A link is the way out of a step that an edge is about.
type link struct {
	step engine.Pos
	way  string
	back bool // it comes back to the spine
}

// home is the same way when it comes back.
func (l link) home() link {
	l.back = true
	return l
}

// wayOf names the way that leads into a branch.
func wayOf(b engine.Branch) string {
	if b.Name != "" {
		return b.Name
	}
	return b.Role
}

// Drawing lays the graph out without its title.
func (g *Graph) Drawing() Drawing {
	c := &canvas{}
	body := g.block(g.steps)
	spine, top := margin+body.left, margin
	c.drawn.Boxes = append(c.drawn.Boxes, Box{Part: "start", X: spine - 6, Y: top - 6, W: 12, H: 12, Title: g.Title, Colour: 8})
	c.edge(link{way: "start"}, "", true, point{spine, top + 6}, point{spine, top + gap})
	body.draw(c, spine, top+gap)
	d := c.drawn
	d.Width, d.Height = body.left+body.right+2*margin, top+gap+body.height+margin
	d.join()
	return d
}

func (d *Drawing) box(s engine.Step, part string, r rect, title, subtitle string) {
	b := Box{Step: s, Part: part, X: r.x, Y: r.y, W: r.w, H: r.h, Title: title, Subtitle: subtitle, Colour: 8}
	if s.Verb == "node" {
		b.Family, _, _ = strings.Cut(s.Word, ".")
		b.Colour = int(family(s.Word)[1] - '0')
	}
	d.Boxes = append(d.Boxes, b)
}

func (d *Drawing) answer(r rect, a answer) {
	part := "answer"
	if a.outcome != "" {
		part = "end"
	}
	d.Boxes = append(d.Boxes, Box{
		Step: a.step, Part: part, X: r.x, Y: r.y, W: r.w, H: r.h, Title: a.text, Colour: 8, Status: a.status, Class: a.class(), Outcome: a.outcome,
	})
}

func (d *Drawing) edge(l link, class string, arrow bool, points []point) {
	e := Edge{From: l.step, Way: l.way, Arrow: arrow, To: -1}
	switch {
	case class == "faint":
		e.Kind = "end"
	case class == "dashed" && l.way == "undo":
		e.Kind = "undo"
	case class == "dashed":
		e.Kind = "goOn"
	case l.back:
		e.Kind = "back"
	case class == "thick":
		e.Kind = class
	case !arrow:
		e.Kind = "join"
	case l.way == "next" || l.way == "start":
		e.Kind = "flow"
	default:
		e.Kind = "route"
	}
	for _, p := range points {
		e.Points = append(e.Points, [2]int{p.x, p.y})
	}
	d.Edges = append(d.Edges, e)
}

// label notes the words of a way, which stand at its first edge.
func (d *Drawing) label(l link, at point, anchor, s string) {
	if d.labels == nil {
		d.labels = map[link]caption{}
	}
	d.labels[l] = caption{[2]int{at.x, at.y}, anchor == "middle", s}
}

// join gives each label to its edge, and finds the box that each edge leads to.
func (d *Drawing) join() {
	for i := range d.Edges {
		e := &d.Edges[i]
		own := link{step: e.From, way: e.Way}
		if l, ok := d.labels[own]; ok && e.Kind != "back" {
			e.Label, e.Mark, e.Centre = l.text, l.at, l.centre
			delete(d.labels, own)
		}
		if !e.Arrow {
			continue
		}
		end := e.Points[len(e.Points)-1]
		for k, b := range d.Boxes {
			onTop := end[1] == b.Y && end[0] > b.X && end[0] < b.X+b.W
			onSide := (end[0] == b.X || end[0] == b.X+b.W) && end[1] > b.Y && end[1] < b.Y+b.H
			if onTop || onSide {
				e.To = k
			}
		}
	}
}
