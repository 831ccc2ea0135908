package engine

// A joint brings ways together that went apart at one step.
type joint struct {
	c     *compiler
	after state // of the ways so far
	jumps []int // to where they meet
}

// join begins a joint with the way that the compiler is on.
func (c *compiler) join() *joint { return &joint{c: c, after: c.state} }

// begin goes back to where the ways parted.
func (j *joint) begin(before state) { j.c.state = before.clone() }

// end ends a way where it is and joins it to the others.
func (j *joint) end() {
	if !j.c.state.dead {
		j.jumps = append(j.jumps, j.c.emit(op{code: opJump}))
	}
	j.after = meet(j.after, j.c.state)
}

// close goes on behind the place where the ways meet.
func (j *joint) close() {
	for _, at := range j.jumps {
		j.c.ops[at].next = len(j.c.ops)
	}
	j.c.state = j.after
}
