package flowtext

// Lines2 is the first and the last line of a spot with its comments, from 0.
func (t *Tree) Lines2(s *Spot) (from, to int) {
	for s.Up != nil && flows(s.Up.Value) {
		s = s.Up
	}
	e := t.entry(s)
	return e.lead, e.last
}

// Alone is the outermost place of which only what stands at a place is there.
func (t *Tree) Alone(place string) string { return t.alone(place) }
