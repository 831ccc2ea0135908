package graph

import "sluice/engine"

const (
	columnGap  = 28
	branchHead = 48 // from a box to what stands in the columns below it
)

// A column is a branch that leads down beside others.
type column struct {
	part
	label string
	way   string
	x     int // of its spine, from that of the step
	empty bool
}

// columns lays the branches of a step out beside each other, below its box.
func (g *Graph) columns(s engine.Step) part {
	top := head(s)
	columns := g.branches(s)
	total := 0
	for i := range columns {
		c := &columns[i]
		half := width(c.label, smallSize)/2 + 6
		c.left, c.right = max(c.left, half), max(c.right, half)
		if i > 0 {
			total += columnGap
		}
		c.x = total + c.left
		total += c.left + c.right
	}
	// The spine is in the middle between the first and the last column.
	middle := (columns[0].x + columns[len(columns)-1].x) / 2
	p := part{left: max(top.left, middle), right: max(top.right, total-middle), dead: true}
	for i := range columns {
		c := &columns[i]
		c.x -= middle
		p.dead = p.dead && c.dead
		p.height = max(p.height, boxHeight+branchHead+c.height)
	}
	join := p.height + 16
	if !p.dead {
		p.height = join + 8
	}
	class := ""
	if s.Verb == "parallel" {
		class = "thick"
	}
	p.draw = func(c *canvas, x, y int) {
		top.draw(c, x, y)
		bus := y + boxHeight + 14
		for _, col := range columns {
			down := y + boxHeight + branchHead
			c.edge(link{step: s.Pos, way: col.way}, class, !col.empty, point{x, y + boxHeight}, point{x, bus}, point{x + col.x, bus}, point{x + col.x, down})
			c.label(link{step: s.Pos, way: col.way}, point{x + col.x, bus + 17}, "middle", col.label)
			if !col.empty {
				col.draw(c, x+col.x, down)
			}
			if !col.dead {
				c.edge(link{step: s.Pos, way: col.way}, class, false, point{x + col.x, down + col.height}, point{x + col.x, y + join}, point{x, y + join}, point{x, y + p.height})
			}
		}
	}
	return p
}

// branches are the columns of a step.
func (g *Graph) branches(s engine.Step) (all []column) {
	var otherwise *column
	for _, b := range s.Branches {
		c := column{part: g.block(b.Steps), label: label(b), way: wayOf(b)}
		if s.Verb == "if" && b.Role == "else" {
			c.label = "no"
		}
		if b.Role == "else" {
			otherwise = &c
			continue
		}
		all = append(all, c)
	}
	switch {
	case otherwise != nil:
		all = append(all, *otherwise)
	case s.Verb == "switch" && !s.Whole:
		all = append(all, column{label: "else", way: "else", empty: true})
	}
	return all
}
