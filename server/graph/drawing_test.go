package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/engine"
)

// numbered gives every step a place of its own.
func numbered(steps []engine.Step, line *int) {
	for i := range steps {
		*line++
		steps[i].Pos = engine.Pos{File: "a.yaml", Line: *line, Column: 1}
		for _, b := range steps[i].Branches {
			numbered(b.Steps, line)
		}
	}
}

// positions are the places of steps and of those in them.
func positions(steps []engine.Step) (all []engine.Pos) {
	for _, s := range steps {
		all = append(all, s.Pos)
		for _, b := range s.Branches {
			all = append(all, positions(b.Steps)...)
		}
	}
	return all
}

func TestDrawingHasABoxForEveryStepAndAStepForEveryEdge(t *testing.T) {
	outcomes := []*engine.Outcome{engine.NewOutcome("notFound", engine.NotFound, "x"), engine.NewOutcome("busy", engine.Unavailable, "x")}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		line := 0
		steps := withNode(grown(r, 1+int(seed%3)), &engine.Node{Name: "user.fetch", Outcomes: outcomes})
		numbered(steps, &line)
		g := newGraph("GET /", "About.", steps)
		d := g.Drawing()
		all := positions(steps)
		for _, pos := range all {
			if !slices.ContainsFunc(d.Boxes, func(b Box) bool { return b.Step.Pos == pos }) {
				t.Fatalf("seed %d: the step of line %d has no box", seed, pos.Line)
			}
		}
		for _, e := range d.Edges {
			what := fmt.Sprintf("seed %d: the edge %s of line %d", seed, e.Way, e.From.Line)
			if e.Way != "start" && !slices.Contains(all, e.From) {
				t.Fatalf("%s leaves no step", what)
			}
			if e.Kind == "end" && (e.To < 0 || d.Boxes[e.To].Outcome != e.Way) {
				t.Fatalf("%s leads to box %d, want the end of its outcome", what, e.To)
			}
		}
		for _, b := range d.Boxes {
			if b.X < 0 || b.Y < 0 || b.X+b.W > d.Width || b.Y+b.H > d.Height {
				t.Fatalf("seed %d: box %+v is not on the paper, %d by %d", seed, b, d.Width, d.Height)
			}
		}
		if len(d.labels) > 0 {
			t.Fatalf("seed %d: the labels %v stand at no edge", seed, d.labels)
		}
	}
}
