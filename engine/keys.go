package engine

import (
	"maps"
	"slices"
)

// The words of the flow format, for tools that write, format or complete flows.

// HeaderKeys returns the keys at the top of an endpoint's flow, in the order in
// which flows write them.
func HeaderKeys() []string { return slices.Clone(headerKeys) }

// NodeFlowKeys returns the keys at the top of a node flow, in the order in
// which flows write them.
func NodeFlowKeys() []string { return slices.Clone(nodeFlowKeys) }

// Verbs returns what a step can do.
func Verbs() []string { return slices.Clone(verbs) }

// StepKeys returns the keys of a step by its verb, which comes first; nil for
// what is no verb.
func StepKeys(verb string) []string { return slices.Clone(stepKeys[verb]) }

// TypeKeys returns the keys of a type that is written with type:.
func TypeKeys() []string { return slices.Sorted(maps.Keys(schemaWords)) }

// Formats returns the values of format: in types.
func Formats() []string { return slices.Sorted(maps.Keys(allFormats())) }

func allFormats() map[string]bool {
	all := map[string]bool{}
	for f := range formats {
		all[f] = true
	}
	for f := range numberFormats {
		all[f] = true
	}
	return all
}
