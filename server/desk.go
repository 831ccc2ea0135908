package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/password"
	"sluice/server/admin"
	"sluice/server/control"
	"sluice/server/store"
)

// startTime is how long a server that has the store may take until it can be
// asked to do a command.
const startTime = 3 * time.Second

// ErrNoStore says that there is no database yet where the settings say.
var ErrNoStore = errors.New("there is no database yet")

// Admin finds the store of a configuration to do commands on: through the
// server that has it, or else by opening it, which with make it does also where
// there is nothing yet. Without make it returns [ErrNoStore] there.
func Admin(ctx context.Context, c Config, make bool, opts ...Option) (admin.Carrier, error) {
	o := newOptions(opts)
	if err := c.complete(); err != nil {
		return nil, err
	}
	address, err := c.storeURL()
	if err != nil {
		return nil, err
	}
	keys, err := c.SealingKeys()
	if err != nil {
		return nil, err
	}
	dir := store.Dir(address)
	if !make && !store.Exists(address) {
		return nil, fmt.Errorf("%w in %s", ErrNoStore, dir)
	}
	for end := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		s, err := store.Open(ctx, address, keys...)
		if err == nil {
			return newDesk(s, c, o)
		}
		if !errors.Is(err, store.ErrOwned) {
			return nil, err
		}
		client, unheard := control.Dial(ctx, dir)
		if unheard == nil {
			return client, nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return nil, errors.Join(err, unheard)
		}
	}
}

// newDesk makes a desk that owns its store.
func newDesk(s *store.Store, c Config, o options) (*admin.Desk, error) {
	hasher, err := password.NewHasher(password.Settings{MinLength: c.MinPassword})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("setting passwords up: %w", err), s.Close())
	}
	s.Recorder = c.recorder(s, nil)
	d := desk(s, hasher, o.version)
	d.Release = s.Close
	return d, nil
}

func desk(s *store.Store, h *password.Hasher, version string) *admin.Desk {
	return &admin.Desk{Stores: s.Stores, Hasher: h, Check: s.Check, Kind: s.Kind, Version: version}
}

// OpenStore opens the store of a configuration for a command that needs it for
// itself, such as a restore, see store.OpenStill. It fails while a server has it.
func OpenStore(ctx context.Context, c Config) (*store.Store, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	address, err := c.storeURL()
	if err != nil {
		return nil, err
	}
	keys, err := c.SealingKeys()
	if err != nil {
		return nil, err
	}
	return store.OpenStill(ctx, address, keys...)
}

// listen makes the control socket of an embedded store. A server without one
// serves all the same.
func (s *Server) listen(address string) {
	dir := store.Dir(address)
	if dir == "" {
		return
	}
	ln, err := control.Listen(dir)
	if err != nil {
		s.log.Warn("commands such as sluice user cannot reach this server", "error", err)
		return
	}
	s.control = ln
}

// command does the commands that come in by the control socket until ctx ends.
func (s *Server) command(ctx context.Context) error {
	if s.control == nil {
		return nil
	}
	return control.Serve(ctx, s.control, desk(s.store, s.hasher, s.version), s.log)
}
