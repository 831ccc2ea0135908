package server

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"sluice/engine"
	"sluice/nodes/mail"
	"sluice/server/flowtest"
	"sluice/server/studio"
)

// tracedShare is one call of how many that is traced where the studio is for those
// who are signed in.
const tracedShare = 100

// hasStudio tells whether a server has a studio.
func (c *Config) hasStudio() bool {
	return c.inDevelopment() || c.StudioGroup != "" && c.Studio != "off"
}

// newStudio makes the studio of a server whose store and nodes are there.
func (s *Server) newStudio() (*studio.Studio, error) {
	set := studio.Settings{
		Version: s.version, Files: s.flows.fs, ReadOnly: s.conf.StudioReadOnly, Group: s.conf.StudioGroup, Every: s.conf.StudioTrace,
		Deps: s.deps, Desk: desk(s.store, s.hasher, s.version), Mailbox: s.post.mailbox, Env: s.flows.language, Log: s.log,
		Tests: func(files fs.FS) (*flowtest.Suite, error) {
			return flowtest.Load(files, flowtest.Settings{
				Vars: s.conf.Vars, Timeout: s.conf.Timeout, Nodes: s.nodes, MinPassword: s.conf.MinPassword, MaxBody: int(s.conf.MaxBody),
			})
		},
		Reload: func() {
			select {
			case s.again <- struct{}{}:
			default: // it will be anyway
			}
		},
	}
	if set.Every == 0 {
		set.Every = 1
		if set.Group != "" {
			set.Every = tracedShare
		}
	}
	root, err := filepath.Abs(s.conf.path("."))
	if s.flows.dir != "" && err == nil {
		set.Dir, err = filepath.Abs(s.flows.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for flows: %w", err)
	}
	set.Name = filepath.Base(root)
	return studio.New(set), nil
}

// language is what flows in some files can use.
func (s *source) language(files fs.FS) (engine.Env, error) {
	templates, _ := mail.ReadTemplates(files) // whose mistakes are told when flows are loaded
	env := s.env
	env.Nodes = s.nodes(templates)
	return env, nil
}
