package flowtest

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"sluice/engine"
)

// A coverage counts the ways out of steps that runs take.
type coverage struct {
	mu    sync.Mutex
	times map[engine.Way]int // guarded by mu; of all ways that there are
	files []string           // in the order of their loading
	ways  map[string][]engine.Way
}

func newCoverage(app *engine.App) *coverage {
	c := &coverage{times: map[engine.Way]int{}, ways: map[string][]engine.Way{}}
	add := func(file string, ways []engine.Way) {
		if c.ways[file] == nil && len(ways) > 0 {
			c.files = append(c.files, file)
			c.ways[file] = ways
		}
		for _, w := range ways {
			c.times[w] = 0
		}
	}
	for _, f := range app.Flows {
		add(f.File, f.Program.Ways())
	}
	for _, n := range app.Nodes {
		add(n.File, n.Ways())
	}
	return c
}

// took counts a way. Errors that are no way out of their step do not count.
func (c *coverage) took(w engine.Way) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.times[w]; ok {
		c.times[w]++
	}
}

// Covered tells how often the ways of a flow were taken.
type Covered struct {
	File string `json:"file"` // as the user can open it
	All  int    `json:"ways"`
	Done int    `json:"covered"` // of all, those that were taken at least once
	Ways []Way  `json:"steps"`   // in the order of the text
}

// A Way is one of the ways out of a step, see [engine.Way].
type Way struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Step   string `json:"step"`
	Name   string `json:"way"`
	Times  int    `json:"times"`
}

func (c *coverage) flows(s *Suite) []Covered {
	c.mu.Lock()
	defer c.mu.Unlock()
	flows := []Covered{}
	for _, file := range c.files {
		covered := Covered{File: s.path(file)}
		for _, w := range c.ways[file] {
			n := c.times[w]
			covered.Ways = append(covered.Ways, Way{w.Pos.Line, w.Pos.Column, w.Step, w.Name, n})
			covered.All++
			if n > 0 {
				covered.Done++
			}
		}
		flows = append(flows, covered)
	}
	return flows
}

// Ways returns how many ways there are in all flows, and how many were taken.
func (r *Report) Ways() (all, covered int) {
	for _, f := range r.Flows {
		all += f.All
		covered += f.Done
	}
	return all, covered
}

// Missed lists the ways that no test took, each as file:line:column: step: way.
func (r *Report) Missed() []string {
	var missed []string
	for _, f := range r.Flows {
		for _, w := range f.Ways {
			if w.Times == 0 {
				missed = append(missed, fmt.Sprintf("%s:%d:%d: %s: %s", f.File, w.Line, w.Column, w.Step, w.Name))
			}
		}
	}
	return missed
}

// Summary is a run in one line.
func (r *Report) Summary() string {
	var b strings.Builder
	passed, failed := r.Counts()
	fmt.Fprintf(&b, "%d passed, %d failed", passed, failed)
	if all, covered := r.Ways(); all > 0 {
		fmt.Fprintf(&b, "; ways covered %d of %d (%d %%)", covered, all, covered*100/all)
	}
	return b.String()
}

// WriteCoverage writes the coverage as JSON; the comment of the package shows it.
func (r *Report) WriteCoverage(w io.Writer) error {
	all, covered := r.Ways()
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Ways    int       `json:"ways"`
		Covered int       `json:"covered"`
		Flows   []Covered `json:"flows"`
	}{all, covered, r.Flows})
	if err != nil {
		return fmt.Errorf("writing coverage: %w", err)
	}
	return nil
}
