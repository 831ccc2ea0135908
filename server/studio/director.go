package studio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"sluice/engine"
	"sluice/server/flowtext"
)

// A director has a run go as it is asked for: with fakes, from a step or up to one.
type director struct {
	Run
	again  *recording // whose outputs are used in front of From; nil for none
	rec    *recorder
	cancel context.CancelFunc

	mu      sync.Mutex
	passed  bool   // guarded by mu; the run has come to From
	done    bool   // guarded by mu; the run has come to UpTo
	stopped string // guarded by mu; place in front of which it was stopped
}

var errStopped = errors.New("the run was told to stop here")

// reach stops the run behind the last step that is asked for.
func (d *director) reach(at engine.At) error {
	d.rec.mu.Lock()
	place, _ := d.rec.place(at.Pos)
	d.rec.mu.Unlock()
	if at.Pos.File == d.rec.flow.File {
		d.mu.Lock()
		inside := strings.HasPrefix(place, d.UpTo+"/") && d.holds()
		if d.stopped != "" || d.done && place != d.UpTo && !inside {
			if d.stopped == "" {
				d.stopped = place
			}
			d.mu.Unlock()
			d.cancel()
			return errStopped
		}
		d.passed = d.passed || place == d.From
		d.done = d.done || d.UpTo != "" && place == d.UpTo
		d.mu.Unlock()
	}
	d.rec.reach(at)
	return nil
}

// holds tells whether the last step holds others that run as part of it.
func (d *director) holds() bool {
	d.rec.mu.Lock()
	defer d.rec.mu.Unlock()
	p := d.rec.known[d.rec.flow.File]
	if p == nil {
		return false
	}
	spot := p.tree.Find(d.UpTo)
	return spot != nil && slices.ContainsFunc(spot.Children(), func(c *flowtext.Spot) bool {
		return c.Key.Value == "each" || c.Key.Value == "parallel" || c.Key.Value == "try"
	})
}

// fake says what stands in for the node of a step.
func (d *director) fake(at engine.At, nth int) canned {
	if at.Pos.File != d.rec.flow.File {
		return canned{}
	}
	d.rec.mu.Lock()
	place, _ := d.rec.place(at.Pos)
	d.rec.mu.Unlock()
	if c, ok := d.Fakes[place]; ok {
		f := engine.Fake{Out: c.Out, Outcome: c.Outcome}
		if c.Error != "" {
			f.Err = errors.New(c.Error)
		}
		if string(c.Out) == "null" {
			f.Out = nil
		}
		return canned{f, "fake"}
	}
	d.mu.Lock()
	passed := d.passed
	d.mu.Unlock()
	if passed {
		return canned{}
	}
	if d.again != nil {
		if calls := d.again.calls[place]; len(calls) > 0 {
			c := calls[min(nth, len(calls)-1)]
			f := engine.Fake{Same: c.Result, Out: c.Out, Outcome: c.Outcome}
			if c.Outcome == "error" {
				f = engine.Fake{Err: c.Err}
			}
			return canned{f, "recorded"}
		}
	}
	return canned{engine.Fake{Outcome: d.toward(place, "on")}, "made up"}
}

// choose takes the ways that lead to From where nothing is recorded.
func (d *director) choose(at engine.At, ways []string) (string, bool) {
	if at.Pos.File != d.rec.flow.File || d.again != nil {
		return "", false
	}
	d.rec.mu.Lock()
	place, verb := d.rec.place(at.Pos)
	d.rec.mu.Unlock()
	d.mu.Lock()
	passed := d.passed
	d.mu.Unlock()
	if passed {
		return "", false
	}
	if verb == "when" && (place == d.From || strings.HasPrefix(d.From, place+"/")) {
		return "then", true
	}
	way := d.toward(place, "cases")
	if rest, ok := strings.CutPrefix(d.From, place+"/"); ok && way == "" {
		way, _, _ = strings.Cut(rest, "/")
	}
	if slices.Contains(ways, way) {
		return way, true
	}
	if verb == "if" || verb == "when" {
		return "else", true // From is further down
	}
	return "", false
}

// toward is the name of the branch of a step, below a key, in which From is, or "".
func (d *director) toward(place, key string) string {
	rest, ok := strings.CutPrefix(d.From, flowtext.Join(place, key)+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	_, name = flowtext.Split(name)
	return name
}
