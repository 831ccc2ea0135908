package graph

import (
	"strings"

	"sluice/engine"
)

// Measures, in pixels.
const (
	boxHeight  = 44
	pillHeight = 28
	stubHeight = 20
	gap        = 30 // between steps, with room for an arrow
	aside      = 18 // from a box to the line that leads along its side
	framePad   = 18
	frameHead  = 30
	mostWords  = 46 // characters of a title
)

// A part is something laid out around a spine, the vertical line at x = 0 by
// which it is entered at y = 0 and left at y = height.
type part struct {
	left, right int // how far it reaches to the sides of the spine
	height      int
	dead        bool // nothing leaves it
	pill        bool // it can be entered from the left, at half its height
	step        engine.Pos
	draw        func(c *canvas, x, y int)
}

// block lays steps out below each other.
func (g *Graph) block(steps []engine.Step) part {
	p := g.bare(steps)
	if len(steps) == 0 {
		return p
	}
	inner, last := p.draw, steps[len(steps)-1].Pos
	p.draw = func(c *canvas, x, y int) {
		inner(c, x, y)
		c.drawn.Slots = append(c.drawn.Slots, Slot{Before: steps[0].Pos, X: x, Y: y - gap/2})
		if !p.dead {
			c.drawn.Slots = append(c.drawn.Slots, Slot{Behind: last, X: x, Y: y + p.height + gap/2})
		}
	}
	return p
}

// bare is a block in which no more steps can be put.
func (g *Graph) bare(steps []engine.Step) part {
	parts := make([]part, len(steps))
	for i, s := range steps {
		parts[i] = g.step(s)
		parts[i].step = s.Pos
	}
	return stacked(parts)
}

func stacked(parts []part) part {
	if len(parts) == 1 {
		return parts[0]
	}
	var p part
	tops := make([]int, len(parts))
	for i, inner := range parts {
		if i > 0 {
			p.height += gap
		}
		tops[i] = p.height
		p.left, p.right = max(p.left, inner.left), max(p.right, inner.right)
		p.height += inner.height
		p.dead = inner.dead
	}
	p.draw = func(c *canvas, x, y int) {
		for i, inner := range parts {
			if i > 0 && inner.step != parts[i-1].step {
				c.drawn.Slots = append(c.drawn.Slots, Slot{Before: inner.step, X: x, Y: y + tops[i] - gap/2})
			}
			if i > 0 && !parts[i-1].dead {
				c.edge(link{step: parts[i-1].step, way: "next"}, "", true, point{x, y + tops[i] - gap}, point{x, y + tops[i]})
			}
			inner.draw(c, x, y+tops[i])
		}
	}
	return p
}

func (g *Graph) step(s engine.Step) part {
	switch s.Verb {
	case "respond", "fail", "return":
		return ending(s, g.ends(s))
	case "each":
		title, subtitle := words(s)
		return g.framed(s, "do", title, subtitle, true)
	case "try":
		p := rows(g.framed(s, "try", "try", "", false), frameHead/2, g.ways(s, "catch"))
		if branch(s, "finally") != nil {
			p.step = s.Pos
			end := g.framed(s, "finally", "finally", "", false)
			end.step = s.Pos
			p = stacked([]part{p, end})
		}
		return p
	case "switch", "parallel":
		return g.columns(s)
	case "if":
		if branch(s, "else") != nil {
			return g.columns(s)
		}
		p := rows(head(s), boxHeight/2, g.ways(s, "then"))
		if len(s.Branches) > 0 {
			inner, height := p.draw, p.height
			p.height = max(height, boxHeight+20)
			p.draw = func(c *canvas, x, y int) {
				inner(c, x, y)
				if height < boxHeight+20 {
					c.edge(link{step: s.Pos, way: "next"}, "", false, point{x, y + height}, point{x, y + boxHeight + 20})
				}
				c.label(link{step: s.Pos, way: "next"}, point{x + 7, y + boxHeight + 16}, "start", "no")
			}
		}
		return p
	}
	p := rows(head(s), boxHeight/2, append(g.ways(s, "on"), g.ways(s, "undo")...))
	return stubs(s, p, head(s).left, g.unrouted(s))
}

// branch returns the steps of the only branch with a role, or nil.
func branch(s engine.Step, role string) []engine.Step {
	for _, b := range s.Branches {
		if b.Role == role {
			return b.Steps
		}
	}
	return nil
}

// ending is an answer.
func ending(s engine.Step, a answer) part {
	a.step = s
	half := width(a.text, nameSize)/2 + 16
	return part{left: half, right: half, height: pillHeight, dead: true, pill: true, draw: func(c *canvas, x, y int) {
		c.pill(rect{x - half, y, 2 * half, pillHeight}, a, "name")
	}}
}

// head is the box of a step without what hangs on it.
func head(s engine.Step) part {
	title, subtitle := words(s)
	full := strings.TrimSpace(title + " " + subtitle)
	title, subtitle = short(title, mostWords), short(subtitle, mostWords)
	p := part{height: boxHeight}
	if s.Verb == "if" || s.Verb == "switch" {
		half := (len([]rune(title))*8)/2 + 24
		p.left, p.right = half, half
		p.draw = func(c *canvas, x, y int) {
			c.choice(s, rect{x - half, y, 2 * half, boxHeight}, title, s.Verb+" "+s.Word)
		}
		return p
	}
	half := max(76, (46+max(width(title, nameSize), width(subtitle, smallSize))+16)/2)
	letter, class := strings.ToUpper(title[:1]), "f8"
	if s.Verb == "node" {
		class = family(s.Word)
	}
	p.left, p.right = half, half
	p.draw = func(c *canvas, x, y int) {
		c.box(s, rect{x - half, y, 2 * half, boxHeight}, class, letter, title, subtitle, full)
	}
	return p
}

// framed puts a frame around the steps of a branch. Where what they do is repeated,
// the frame is left even if they never are.
func (g *Graph) framed(s engine.Step, role, title, subtitle string, repeated bool) part {
	inner := g.block(branch(s, role))
	title = short(title, mostWords)
	p := part{ // its words stand beside the spine
		left: max(inner.left+framePad, width(title, nameSize)+24), right: max(inner.right+framePad, width(subtitle, smallSize)+24),
		height: frameHead + inner.height + 2*framePad, dead: inner.dead && !repeated,
	}
	p.draw = func(c *canvas, x, y int) {
		c.frame(s, rect{x - p.left, y, p.left + p.right, p.height}, title, subtitle)
		c.edge(link{step: s.Pos, way: role}, "", true, point{x, y}, point{x, y + frameHead + framePad})
		inner.draw(c, x, y+frameHead+framePad)
		if !inner.dead {
			c.edge(link{step: s.Pos, way: "next"}, "", false, point{x, y + p.height - framePad}, point{x, y + p.height})
		}
	}
	return p
}

// A way leads from the side of a box.
type way struct {
	link
	label  string
	class  string
	to     *part // nil where it goes on below at once
	apart  bool  // it is no way of the flow, and does not come back to it
	across int   // from the line along the side to the spine of where it leads
	at, y  int   // the height of its line, and of what it leads to
}

// ways are the branches of a step with a role; those that go on at once are one.
func (g *Graph) ways(s engine.Step, role string) []way {
	var all []way
	var on []string
	for _, b := range s.Branches {
		if b.Role != role {
			continue
		}
		if b.GoOn {
			on = append(on, label(b))
			continue
		}
		lay := g.block
		if s.Guard {
			lay = g.bare
		}
		p := lay(b.Steps)
		w := way{link: link{step: s.Pos, way: wayOf(b)}, label: label(b), to: &p}
		if role == "undo" {
			w.class, w.apart = "dashed", true
		}
		all = append(all, w)
	}
	if on != nil {
		all = append(all, way{link: link{step: s.Pos, way: strings.Join(on, ", ")}, label: strings.Join(on, ", "), class: "dashed"})
	}
	return all
}

// rows hangs ways on the right side of a part, below each other; they begin at a
// height. What comes back joins the spine below all of them.
func rows(p part, from int, ways []way) part {
	if len(ways) == 0 {
		return p
	}
	inner := p
	ways = sorted(ways)
	height := from - pillHeight/2
	reach := 0 // from the line along the side
	for i := range ways {
		w := &ways[i]
		text := width(w.label, smallSize) + 20
		if i > 0 {
			height += 12
		}
		w.at = max(height+pillHeight/2, from)
		switch {
		case w.to == nil:
			w.across = text
			reach, height = max(reach, text), w.at+8
		case w.to.pill:
			w.y = w.at - pillHeight/2
			w.across = text + 10 + w.to.left
			reach, height = max(reach, w.across+w.to.right), w.y+pillHeight
		default:
			w.y = w.at + gap - 4
			w.across = max(text, w.to.left+aside)
			reach, height = max(reach, w.across+w.to.right), w.y+w.to.height
		}
		if w.back() && w.to != nil {
			height += 14
		}
	}
	join, bus := 0, p.right+aside+reach+aside
	for i, w := range ways {
		if !w.back() {
			continue
		}
		join = max(height, inner.height) + 14
		if w.to != nil && i+1 < len(ways) {
			p.right = max(p.right, bus)
		}
	}
	p.right = max(p.right, inner.right+aside+reach)
	p.dead = inner.dead && join == 0
	p.height = max(height, inner.height)
	if join > 0 {
		p.height = join + 6
	}
	below := link{step: ways[0].step, way: "next"}
	p.draw = func(c *canvas, x, y int) {
		inner.draw(c, x, y)
		if !inner.dead && p.height > inner.height {
			c.edge(below, "", false, point{x, y + inner.height}, point{x, y + p.height})
		} else if inner.dead && join > 0 {
			c.edge(below, "", false, point{x, y + join}, point{x, y + p.height})
		}
		for i, w := range ways {
			w.draw(c, point{x, y}, x+inner.right, from, join, x+bus, i+1 == len(ways))
		}
	}
	return p
}

// back tells whether a way comes back to the spine.
func (w *way) back() bool { return !w.apart && (w.to == nil || !w.to.dead) }

// sorted puts the ways that go on at once last: nothing can be below them.
func sorted(ways []way) (all []way) {
	for _, at := range []bool{false, true} {
		for _, w := range ways {
			if (w.to == nil) == at {
				all = append(all, w)
			}
		}
	}
	return all
}

// draw draws a way of a part at o, from its side: to what it leads to and, by
// the bus at the outer right where others are below it, back to the spine.
func (w *way) draw(c *canvas, o point, side, from, join, bus int, last bool) {
	along := side + aside
	start := []point{{side, o.y + from}, {along, o.y + from}, {along, o.y + w.at}}
	if w.at == from {
		start = start[:1]
	}
	x := along + w.across
	c.label(w.link, point{along + 6, o.y + w.at - 5}, "start", w.label)
	switch {
	case w.to == nil:
		c.edge(w.link, w.class, true, append(start, point{x, o.y + w.at}, point{x, o.y + join}, point{o.x, o.y + join})...)
		return
	case w.to.pill:
		c.edge(w.link, w.class, true, append(start, point{x - w.to.left, o.y + w.at})...)
	default:
		c.edge(w.link, w.class, true, append(start, point{x, o.y + w.at}, point{x, o.y + w.y})...)
	}
	w.to.draw(c, x, o.y+w.y)
	end := o.y + w.y + w.to.height
	switch {
	case !w.back():
	case last:
		c.edge(w.link.home(), "", true, point{x, end}, point{x, o.y + join}, point{o.x, o.y + join})
	default:
		c.edge(w.link.home(), "", true, point{x, end}, point{x, end + 10}, point{bus, end + 10}, point{bus, o.y + join}, point{o.x, o.y + join})
	}
}

// stubs hangs the answers of outcomes that nobody routes on the left of a box,
// whose left side is half away from the spine.
func stubs(s engine.Step, p part, half int, answers []answer) part {
	if len(answers) == 0 {
		return p
	}
	inner := p
	wide := 0
	for _, a := range answers {
		wide = max(wide, width(a.text, smallSize)+20)
	}
	p.left = max(p.left, half+2*aside+wide)
	p.height = max(p.height, boxHeight/2+stubHeight/2+(len(answers)-1)*(stubHeight+5))
	p.draw = func(c *canvas, x, y int) {
		inner.draw(c, x, y)
		if !inner.dead && p.height > inner.height {
			c.edge(link{step: s.Pos, way: "next"}, "", false, point{x, y + inner.height}, point{x, y + p.height})
		}
		for i, a := range answers {
			a.step = s
			at := y + boxHeight/2 + i*(stubHeight+5)
			w := width(a.text, smallSize) + 20
			right := x - half - 2*aside
			line := []point{{x - half, y + boxHeight/2}, {x - half - aside, y + boxHeight/2}, {x - half - aside, at}, {right, at}}
			if i == 0 {
				line = []point{line[0], line[3]}
			}
			c.edge(link{step: s.Pos, way: a.outcome}, "faint", true, line...)
			c.pill(rect{right - w, at - stubHeight/2, w, stubHeight}, a, "small")
		}
	}
	return p
}
