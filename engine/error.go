package engine

import (
	"fmt"
	"strings"
	"time"
)

// An Error is a run that ended in no answer of the flow's: by a fail, by an
// outcome that no on: routes, or by something broken.
type Error struct {
	Kind       Kind
	Status     int           // what flows/errors.yaml gives the code; 0 where the Kind decides
	Items      []Item        // what the caller is told, one for each thing wrong; never empty
	RetryAfter time.Duration // when trying again may help; 0 says nothing
	Pos        Pos           // of the step, for the log
	Step       string        // its id or node, for the log
	Err        error         // why, for the log and never for the caller
}

// An Item is one thing that is wrong, in words a caller may read.
type Item struct {
	Code    string
	Message string
	Details []byte // JSON, or nil
}

// Fail makes an error of one item.
func Fail(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Items: []Item{{Code: code, Message: message}}}
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Pos.File != "" {
		fmt.Fprintf(&b, "%s: ", e.Pos)
	}
	if e.Step != "" {
		fmt.Fprintf(&b, "%s: ", e.Step)
	}
	b.WriteString(e.Kind.String())
	for _, it := range e.Items {
		b.WriteString(" " + it.Code)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// An Answer is what a flow's respond gives back.
type Answer struct {
	Status  int
	Headers []Header
	Body    []byte // nil for none
	Type    string // media type of Body; "" is JSON
}

// A Header is one header of an answer. Its value holds no control characters.
type Header struct {
	Name, Value string
}
