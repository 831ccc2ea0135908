package session

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"sluice/engine"
)

// Limits of access groups.
const (
	maxGroups    = 100 // in one list of a node's input
	maxGroupName = 64  // code points
)

// InvalidGroup is the way out of nodes that are given a group that cannot be one.
var InvalidGroup = engine.NewOutcome("invalidGroup", engine.Invalid,
	"An access group is 1 to 64 characters without control characters, and there are at most 100 of them.")

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

// checkGroups returns InvalidGroup where a list holds something that is no group.
func checkGroups(lists ...[]string) error {
	for _, list := range lists {
		if len(list) > maxGroups || slices.ContainsFunc(list, func(name string) bool { return !validGroup(name) }) {
			return InvalidGroup
		}
	}
	return nil
}

func validGroup(name string) bool {
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxGroupName {
		return false
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}
