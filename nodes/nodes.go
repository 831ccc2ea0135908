// Package nodes is the catalogue of what flows can do with the domain: a folder
// a family, each with its types, the interface of its store and its nodes.
package nodes

import (
	"slices"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/data"
	"sluice/nodes/limit"
	"sluice/nodes/password"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Stores are what the core nodes, and the endpoints around them, keep their data in.
type Stores struct {
	Users     user.Store
	Passwords password.Store
	Sessions  session.Store
	Repeats   repeat.Store // of the endpoints; no node uses it
	Data      data.Store
	Limits    limit.Store
	Keys      apikey.Store
	Records   record.Store // all of it, for backups and migrations; no node uses it
}

// Core returns the nodes that every server has. Passwords are hashed and judged
// by h.
func Core(s Stores, h *password.Hasher) []*engine.Node {
	return slices.Concat(
		user.Nodes(s.Users, h),                            // fetch create update
		password.Nodes(s.Passwords, s.Users, s.Limits, h), // check set
		session.Nodes(s.Sessions, s.Users),                // create get list update delete deleteAll deleteOthers rotate confirm impersonate
		apikey.Nodes(s.Keys),                              // create get list update end
		data.Nodes(s.Data),                                // get find count create update delete write
	)
}
