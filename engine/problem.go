package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Pos is a place in a flow file.
type Pos struct {
	File         string // slash-separated, relative to where flows were loaded from
	Line, Column int    // from 1; a column is a character, not a byte
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A Problem is a mistake of a flow's author.
type Problem struct {
	Pos
	Message string // what is wrong
	Hint    string // what to do about it, or ""
	Warning bool   // it works, and is better done otherwise
}

// String gives file:line:column: message (hint), with the word warning in front of
// the message of one.
func (p Problem) String() string {
	text := p.Pos.String() + ": "
	if p.Warning {
		text += "warning: "
	}
	text += p.Message
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Problems are all mistakes of some files, in the order of the text.
type Problems []Problem

// Err returns the problems as an error, or nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the problems by place and drops repetitions.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}
