// Package engine is the language of flows: it reads them, checks them, compiles
// them and runs them. It knows neither HTTP nor a database.
//
// # From text to a program
//
// [Load] takes the files of a folder through four stages, and collects every
// mistake of every file on the way as a [Problem] with its place:
//
//	source.go      YAML text       → a tree with positions, without anchors, tags and repeated keys
//	header.go      the top         → what the endpoint is and takes (schema.go and word.go read its types)
//	step.go        steps           → a syntax tree (syntax.go reads their values)
//	compile.go     the syntax tree → a list of instructions
//
// The compiler checks and compiles in one pass. It knows at every step what is
// set on every way that leads there (scope.go), so a reference that resolves
// has a value when it is used, of a type that fits where it goes. Flows lead
// downwards only and every way ends in an answer, so a flow that loads ends.
//
// # Values
//
// Every value has a [Type], whose words are those of JSON Schema. Parameters and
// results of nodes are Go structs, described by their tags; what a flow takes
// from a request is held in structs that are made for it. A value is moved from
// one step to the next by copying words from one offset to another (move.go),
// without maps, JSON or reflection. JSON is read (jsonread.go) and written
// (jsonwrite.go) at the edges, by code that follows the types.
//
// A value can have one of several forms (union.go). Where these are objects that
// a property tells apart, each form is held as its type, and a switch on the
// property makes its other properties known; else the value is held as data and
// checked when it is read (rule.go), as is whatever else must hold of a value.
//
// Some types are more than their form. A nominal type ([Nominal]) fits only
// itself: a session is opened for a proven user id and for nothing else. A
// secret reaches no text, no answer, no condition and no parameter that does
// not say that it takes one.
//
// # Runs
//
// A [Program] is immutable and runs any number of times at once; each run owns a
// frame, with a slot for every name of the flow. Blocks inside each, parallel
// and try end by themselves, so that rounds and lanes run on frames of their
// own; a run waits for all of them. A run can send events before it answers
// (send.go), to whom its caller says. Conditions and values that begin with "= "
// are expressions (expression.go): the expression library computes on a struct
// with one typed field for each reference, and sees nothing else. A meter (meter.go)
// ends what takes long there with the run, and bounds what it makes.
//
// # Nodes
//
// A node is a Go function and its description, made by [Define]. Its ways out that are
// not success are [Outcome] values, which a flow routes by name. A file with
// node: in place of endpoint: is a node as well (nodeflow.go).
package engine
