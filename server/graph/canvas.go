package graph

import (
	"fmt"
	"html"
	"strings"

	"sluice/engine"
)

// A point is a place on the canvas, in pixels from its upper left.
type point struct{ x, y int }

// A rect is a place that something takes.
type rect struct{ x, y, w, h int }

// A canvas takes in what is drawn: frames below edges below boxes and texts.
type canvas struct {
	frames, edges, boxes strings.Builder
	lines                [][]point // of the edges
	taken                []rect    // by boxes and labels
	drawn                Drawing   // the same for those who draw it themselves
}

// text writes a text; at is the left, the middle or the right of its base line.
func (c *canvas) text(b *strings.Builder, at point, class, anchor, s string) {
	if anchor != "start" {
		class += " " + anchor
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" class="%s">%s</text>`, at.x, at.y, class, html.EscapeString(s))
}

// edge draws a line through points, with round corners and, where it leads
// somewhere, an arrow.
func (c *canvas) edge(l link, class string, arrow bool, points ...point) {
	c.lines = append(c.lines, points)
	c.drawn.edge(l, class, arrow, points)
	fmt.Fprintf(&c.edges, `<path class="edge %s" d="M%d %d`, class, points[0].x, points[0].y)
	for i := 1; i < len(points); i++ {
		p := points[i]
		if i+1 == len(points) {
			fmt.Fprintf(&c.edges, "L%d %d", p.x, p.y)
			break
		}
		r := min(8, distance(points[i-1], p)/2, distance(p, points[i+1])/2)
		before, after := toward(p, points[i-1], r), toward(p, points[i+1], r)
		fmt.Fprintf(&c.edges, "L%d %dQ%d %d %d %d", before.x, before.y, p.x, p.y, after.x, after.y)
	}
	c.edges.WriteString("\"/>\n")
	if !arrow {
		return
	}
	end := points[len(points)-1]
	back := toward(end, points[len(points)-2], 7)
	side := point{(end.y - back.y) * 4 / 7, (end.x - back.x) * 4 / 7}
	fmt.Fprintf(&c.edges, `<path class="arrow %s" d="M%d %dL%d %dL%d %dZ"/>`+"\n", class, end.x, end.y, back.x+side.x, back.y+side.y, back.x-side.x, back.y-side.y)
}

// distance is that of points above or beside each other.
func distance(a, b point) int { return max(a.x-b.x, b.x-a.x) + max(a.y-b.y, b.y-a.y) }

// toward is the point r pixels from p in the direction of q.
func toward(p, q point, r int) point {
	step := func(from, to int) int { return max(-r, min(r, to-from)) }
	return point{p.x + step(p.x, q.x), p.y + step(p.y, q.y)}
}

// label writes a text in the middle of an edge that leads down, or above one
// that leads to the right.
func (c *canvas) label(l link, at point, anchor, s string) {
	if s == "" {
		return
	}
	c.drawn.label(l, at, anchor, s)
	w := width(s, smallSize)
	box := rect{at.x, at.y - smallSize, w, smallSize + 2}
	if anchor == "middle" {
		box.x -= w / 2
		fmt.Fprintf(&c.boxes, `<rect class="paper" x="%d" y="%d" width="%d" height="%d"/>`, box.x-3, box.y-1, w+6, box.h+3)
	} else {
		c.taken = append(c.taken, box)
	}
	c.text(&c.boxes, at, "label", anchor, s)
	c.boxes.WriteByte('\n')
}

// begin opens the group of a box, whose full text is its tooltip.
func (c *canvas) begin(r rect, class, full string) {
	c.taken = append(c.taken, r)
	fmt.Fprintf(&c.boxes, `<g class="%s"><title>%s</title>`, class, html.EscapeString(full))
}

func (c *canvas) end() { c.boxes.WriteString("</g>\n") }

// pill draws the end of a flow.
func (c *canvas) pill(r rect, a answer, size string) {
	c.drawn.answer(r, a)
	c.begin(r, "pill "+a.class(), "ends with "+a.text)
	fmt.Fprintf(&c.boxes, `<rect x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, r.x, r.y, r.w, r.h, r.h/2)
	down := 4
	if size == "name" {
		down = 5
	}
	c.text(&c.boxes, point{r.x + r.w/2, r.y + r.h/2 + down}, size, "middle", a.text)
	c.end()
}

// box draws a step: a tile with a letter, a title and perhaps a line below it.
func (c *canvas) box(s engine.Step, r rect, family, letter, title, subtitle, full string) {
	c.drawn.box(s, "step", r, title, subtitle)
	c.begin(r, "step "+family, full)
	fmt.Fprintf(&c.boxes, `<rect class="card" x="%d" y="%d" width="%d" height="%d" rx="10"/>`, r.x, r.y, r.w, r.h)
	fmt.Fprintf(&c.boxes, `<rect class="tile" x="%d" y="%d" width="28" height="28" rx="7"/>`, r.x+8, r.y+8)
	c.text(&c.boxes, point{r.x + 22, r.y + 27}, "letter", "middle", letter)
	x := r.x + 46
	if subtitle == "" {
		c.text(&c.boxes, point{x, r.y + 27}, "name", "start", title)
	} else {
		c.text(&c.boxes, point{x, r.y + 20}, "name", "start", title)
		c.text(&c.boxes, point{x, r.y + 35}, "small", "start", subtitle)
	}
	c.end()
}

// choice draws where a flow decides: a box with pointed sides.
func (c *canvas) choice(s engine.Step, r rect, title, full string) {
	c.drawn.box(s, "choice", r, title, "")
	c.begin(r, "choice", full)
	m := r.y + r.h/2
	fmt.Fprintf(&c.boxes, `<path d="M%d %dL%d %dH%dL%d %dL%d %dH%dZ"/>`,
		r.x, m, r.x+14, r.y, r.x+r.w-14, r.x+r.w, m, r.x+r.w-14, r.y+r.h, r.x+14)
	c.text(&c.boxes, point{r.x + r.w/2, m + 5}, "code", "middle", title)
	c.end()
}

// frame draws what holds steps.
func (c *canvas) frame(s engine.Step, r rect, title, subtitle string) {
	c.drawn.box(s, "frame", r, title, subtitle)
	fmt.Fprintf(&c.frames, `<g class="frame"><rect x="%d" y="%d" width="%d" height="%d" rx="12"/>`, r.x, r.y, r.w, r.h)
	c.text(&c.frames, point{r.x + 14, r.y + 20}, "name", "start", title)
	if subtitle != "" {
		c.text(&c.frames, point{r.x + r.w - 14, r.y + 20}, "small", "end", subtitle)
	}
	c.frames.WriteString("</g>\n")
}
