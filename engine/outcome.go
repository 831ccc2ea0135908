package engine

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure ends a flow. Each transport maps it to its own
// word (a status, for HTTP).
type Kind uint8

const (
	Internal        Kind = iota // a bug or a broken dependency; the caller learns nothing more
	Invalid                     // the caller sent something wrong
	Unauthenticated             // the caller must sign in
	Forbidden                   // the caller may not
	NotFound                    // there is no such thing
	Conflict                    // it collides with what is there
	TooMany                     // too often; later it may work
	Unavailable                 // a dependency is away; later it may work
	Timeout                     // it took longer than the flow allows
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "notFound", Conflict: "conflict", TooMany: "tooMany", Unavailable: "unavailable", Timeout: "timeout",
}

func (k Kind) String() string { return kindNames[k] }

// An Outcome is a named way out of a node, as io.EOF is of a Read. A node
// returns it as its error; a flow routes it by name with on:, and where no on:
// routes it, the flow ends with the outcome's kind and its name as the code.
type Outcome struct {
	Name string // camelCase, as flows write it
	Kind Kind
	Doc  string // a sentence a caller may read
}

// NewOutcome makes an outcome. It panics without a documentation, which is what
// callers read when no flow routes the outcome.
func NewOutcome(name string, kind Kind, doc string) *Outcome {
	if name == "" || doc == "" {
		panic(fmt.Sprintf("engine: outcome %q needs a name and a documentation", name))
	}
	return &Outcome{Name: name, Kind: kind, Doc: doc}
}

func (o *Outcome) Error() string { return o.Name }

// Because leaves by o and tells the log, and only the log, why.
func (o *Outcome) Because(cause error) error { return &exit{o: o, cause: cause} }

// Saying leaves by o with a sentence for the caller in place of o.Doc. The
// sentence must not hold anything internal.
func (o *Outcome) Saying(sentence string) error { return &exit{o: o, sentence: sentence} }

// After leaves by o and tells the caller after what time trying again may help.
func (o *Outcome) After(wait time.Duration) error { return &exit{o: o, wait: wait} }

// exit is an outcome with something to add.
type exit struct {
	o        *Outcome
	cause    error
	sentence string
	wait     time.Duration
}

func (e *exit) Error() string {
	if e.cause != nil {
		return e.o.Name + ": " + e.cause.Error()
	}
	if e.sentence != "" {
		return e.o.Name + ": " + e.sentence
	}
	return e.o.Name
}

func (e *exit) Unwrap() []error {
	if e.cause != nil {
		return []error{e.o, e.cause}
	}
	return []error{e.o}
}

// Left returns the outcome by which an error leaves, and the sentence for callers,
// or nil where it leaves by none.
func Left(err error) (o *Outcome, sentence string) {
	if !errors.As(err, &o) {
		return nil, ""
	}
	return o, o.sentence(err)
}

// sentence is what callers are told of an error that leaves by o.
func (o *Outcome) sentence(err error) string {
	if e := (*exit)(nil); errors.As(err, &e) && e.sentence != "" {
		return e.sentence
	}
	return o.Doc
}

// ErrUnavailable is wrapped by stores and clients whose service is away or
// overloaded. Where a node passes it on, the run ends with [Unavailable]
// instead of [Internal]: the caller may try again.
var ErrUnavailable = errors.New("unavailable")
