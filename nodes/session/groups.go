package session

import (
	"slices"

	"sluice/nodes/user"
)

// InvalidGroup is the way out of nodes that are given a group that cannot be one.
var InvalidGroup = user.InvalidGroup

// Apply returns the groups that a session with the groups has after the change.
func (g Groups) Apply(groups []string) []string {
	if g.Set != nil {
		groups = g.Set
	}
	groups = slices.Concat(groups, g.Add)
	groups = slices.DeleteFunc(groups, func(name string) bool { return slices.Contains(g.Remove, name) })
	slices.Sort(groups)
	return slices.Compact(groups)
}
