package server

import "sluice/server/flowtest"

// Tests returns the flow tests of the folder that [New] would serve, with their
// flows, ready to run on stores of their own: in memory, or with sqlite embedded
// ones. Where flows or tests have mistakes, the error is engine.Problems.
func Tests(c Config, sqlite bool, opts ...Option) (*flowtest.Suite, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	o := newOptions(opts)
	s, err := newSource(&c, o, false)
	if err != nil {
		return nil, err
	}
	return flowtest.Load(s.fs, flowtest.Settings{
		Dir: s.dir, Vars: c.Vars, Timeout: c.Timeout, Nodes: o.nodes,
		MinPassword: c.MinPassword, MaxBody: int(c.MaxBody), SQLite: sqlite,
	})
}
