package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/engine"
)

// grown makes steps at random, a few levels deep.
func grown(r *rand.Rand, depth int) (steps []engine.Step) {
	for range 1 + r.IntN(3) {
		steps = append(steps, sprout(r, depth))
	}
	switch r.IntN(4) {
	case 0:
		steps = append(steps, engine.Step{Verb: "respond", Status: 200})
	case 1:
		steps = append(steps, engine.Step{Verb: "fail", Word: "a_rather_long_code"})
	}
	return steps
}

func sprout(r *rand.Rand, depth int) engine.Step {
	verb := []string{"node", "node", "let", "if", "switch", "each", "parallel", "try"}[r.IntN(8)]
	if depth == 0 {
		verb = "node"
	}
	s := engine.Step{Verb: verb, Word: fmt.Sprintf("some.word%d", r.IntN(1e6)), ID: []string{"", "id"}[r.IntN(2)]}
	several := func(role string) {
		for i := range 1 + r.IntN(3) {
			s.Branches = append(s.Branches, engine.Branch{Role: role, Name: fmt.Sprintf("%s%d", role, i), Steps: grown(r, depth-1)})
		}
	}
	one := func(role string) {
		s.Branches = append(s.Branches, engine.Branch{Role: role, Steps: grown(r, depth-1)})
	}
	switch verb {
	case "node":
		s.Word = "user.fetch"
		if depth > 0 {
			several("on")
		}
		if r.IntN(2) == 0 {
			s.Branches = append(s.Branches, engine.Branch{Role: "on", Name: "goesOn", GoOn: true})
		}
		if depth > 0 && r.IntN(3) == 0 {
			one("undo")
		}
	case "if":
		one("then")
		if r.IntN(2) == 0 {
			one("else")
		}
	case "switch":
		several("case")
	case "each":
		one("do")
	case "parallel":
		several("lane")
	case "try":
		one("try")
		several("catch")
		if r.IntN(2) == 0 {
			one("finally")
		}
	}
	return s
}

// withNode gives a node to all steps that run the one of its name.
func withNode(steps []engine.Step, n *engine.Node) []engine.Step {
	for i := range steps {
		if steps[i].Word == n.Name {
			steps[i].Node = n
		}
		for _, b := range steps[i].Branches {
			withNode(b.Steps, n)
		}
	}
	return steps
}

// crosses tells whether a line leads through the inside of a box.
func crosses(a, b point, r rect) bool {
	return min(a.x, b.x) < r.x+r.w && max(a.x, b.x) > r.x && min(a.y, b.y) < r.y+r.h && max(a.y, b.y) > r.y
}

func TestEdgesNeverCrossBoxesAndBoxesNeverEachOther(t *testing.T) {
	outcomes := []*engine.Outcome{
		engine.NewOutcome("notFound", engine.NotFound, "x"), engine.NewOutcome("aLongerName", engine.Conflict, "x"), engine.NewOutcome("busy", engine.Unavailable, "x"),
	}
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := newGraph("GET /", "About.", withNode(grown(r, 1+int(seed%3)), &engine.Node{Name: "user.fetch", Outcomes: outcomes[:r.IntN(4)]}))
		c, w, h := g.lay()
		for i, box := range c.taken {
			if box.x < 0 || box.y < 0 || box.x+box.w > w || box.y+box.h > h {
				t.Fatalf("seed %d: box %v is not on the paper, %d by %d", seed, box, w, h)
			}
			for _, other := range c.taken[:i] {
				if crosses(point{box.x, box.y}, point{box.x + box.w, box.y + box.h}, other) {
					t.Fatalf("seed %d: box %v lies on box %v", seed, box, other)
				}
			}
			for _, line := range c.lines {
				for j := 1; j < len(line); j++ {
					if a, b := line[j-1], line[j]; crosses(a, b, box) {
						t.Fatalf("seed %d: the edge from %v to %v crosses box %v", seed, a, b, box)
					}
					if line[j].x != line[j-1].x && line[j].y != line[j-1].y {
						t.Fatalf("seed %d: the edge from %v to %v is slanted", seed, line[j-1], line[j])
					}
				}
			}
		}
	}
}
