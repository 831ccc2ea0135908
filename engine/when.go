package engine

import "strings"

// A step with when: is an if around it, and what it names may be absent behind
// it. Where the same condition is asked again it is there: conditions are about
// what does not change, so they hold again where they held.

// A follow is a name that is there where a condition holds.
type follow struct{ condition, name string }

// skippable makes what a guarded step names optional behind it, with then as what
// is known where the step ran.
func (c *compiler) skippable(st *step, then state) {
	for _, name := range st.guards.names() {
		i := c.slotOf(name)
		if i < 0 || then.slots[i] != set && then.slots[i] != optional {
			continue
		}
		c.has(i, optional)
		if then.slots[i] == set && st.cond != nil {
			if c.state.follows == nil {
				c.state.follows = map[follow]bool{}
			}
			c.state.follows[follow{st.cond.text, name}] = true
		}
	}
}

// recall takes for present what is there wherever a condition holds.
func (s *state) recall(cond *condition) {
	if cond == nil {
		return
	}
	text := strings.TrimSpace(cond.text)
	for f := range s.follows {
		if f.condition == text {
			s.proven["$"+f.name] = true
		}
	}
}
