package user

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

// CheckGroups returns InvalidGroup where a list holds something that is no group.
func CheckGroups(lists ...[]string) error {
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

// SortGroups returns groups in the form in which stores keep them: in order, each
// once, and never nil.
func SortGroups(groups []string) []string {
	all := append([]string{}, groups...)
	slices.Sort(all)
	return slices.Compact(all)
}
