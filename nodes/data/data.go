// Package data keeps documents in collections that an app declares in its
// types.yaml, and has the nodes that flows read and change them with.
//
// # What a document is
//
// A document is an object of the fields of its collection, with four that
// every document has: id, version, creationDtm and updatedDtm. Documents come
// and go as JSON; a store may hold them in any form that gives the same JSON
// back, with the members in any order and without those that are null.
//
// The JSON that reaches a store has the form that the collection says: no
// member twice, a [Whole] in digits alone, a [Decimal] as encoding/json writes a
// float64, a [Time] by [TimeLayout].
//
// # What every store promises
//
//   - Each change is of one document and happens whole or not at all; what was
//     acknowledged is kept. Two changes of one document never mix, and none is lost.
//   - A read that begins after a change was acknowledged sees it.
//   - Conditions mean the same everywhere: see [Filter].
//   - No value becomes a name, an operator or a part of a statement.
//   - A filter or sort that an index of the collection serves reads no more
//     documents than it gives, but for a constant factor.
package data

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Collection is a set of documents of one form.
type Collection struct {
	Name    string  // letters and digits of ASCII, first one small
	Fields  []Field // in order, without the four that every document has
	Indexes []Index
	Owner   string // text field with the id of the user whose document it is, or ""
}

// A Kind is the form of a field's values.
type Kind uint8

const (
	Text    Kind = iota
	Whole        // integer of 64 bits
	Decimal      // double-precision number, never NaN or infinite
	Truth        // boolean
	Time         // date-time, in milliseconds; in JSON as [TimeLayout], always in UTC
	Record       // object of known Fields
	List         // of Items
	Open         // any JSON: it is kept as it is, nulls too, and nothing inside can be asked for
)

// TimeLayout is how a document's JSON holds times: of one width, so that they
// sort as text. Documents have it so already when they reach a store.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// A Field is one member of a document, of a record in it, or the form of a
// list's items, which has no name.
type Field struct {
	Name     string // letters, digits, _ and -
	Kind     Kind
	Optional bool
	Fields   []Field // of a Record
	Items    *Field  // of a List
}

// The fields of every document. A path can name them as any other.
const (
	ID      = "id"          // Text
	Version = "version"     // Whole
	Created = "creationDtm" // Time
	Updated = "updatedDtm"  // Time
)

// An Index speeds up filters and sorts that begin with its fields, in order.
// Where it is unique no two documents that have all its fields have the same
// values in them; documents that lack one of them are free.
type Index struct {
	Fields []string // paths of scalar fields, as in address.city
	Unique bool
}

// A Document is one stored object.
type Document struct {
	ID      string // at most 128 bytes
	Version int64  // 1 at first, one more with each change
	Created time.Time
	Updated time.Time
	Body    []byte // JSON object of the collection's fields, without the four above
}

// An Op is how a filter compares.
type Op uint8

const (
	All Op = iota // of the filters in Of: true where there are none
	Any           // one of the filters in Of: false where there are none
	Not           // the one filter in Of
	Eq            // the rest compare the value at Path with Value ...
	Ne
	Gt
	Gte
	Lt
	Lte
	In // ... with a list of values
	Nin
	Exists // ... is there, where Value is true, or is not
	Prefix // ... begins with a text
	Has    // ... is a list with the value in it
)

// A Filter is a condition on documents. The zero Filter is true for all.
//
// A comparison has two outcomes and no third one: with a field that is not
// there it is false, but Ne and Nin, which are the opposites of Eq and In, are
// true. Texts compare by their bytes, false is less than true, -0 equals 0.
// Null does not exist: a member that is null counts as not there, and writers
// leave it out. [Match] is the one meaning that all stores share.
type Filter struct {
	Op    Op
	Path  string // names of fields with dots between them; only through records
	Value any    // string, int64, float64, bool or time.Time as the kind of the field has it, or of the items for Has; []any of these for In and Nin; bool for Exists
	Of    []Filter
}

// A Sort orders documents by one scalar field. Documents without it come
// first, or last where Down. Behind all sorts of a query comes the id, down
// where the last of them is: so one index serves a sort both ways.
type Sort struct {
	Path string
	Down bool
}

// A Query asks for documents.
type Query struct {
	Filter Filter
	Sort   []Sort
	After  []any // [Keys] of the document in front of the first; empty to begin at the start
	Limit  int   // most documents to give, more than 0
}

// A Target names one document to change, and what must hold of it. All of it
// is checked in one step with the change. An id that is not in the store's
// reach, as one with a NUL or too long, is that of no document.
type Target struct {
	ID      string
	Scope   Filter // where it is false the document does not exist for the caller: [ErrNotFound]
	Version int64  // that it must have, or 0: else [ErrStale]
	If      Filter // else [ErrUnmet]
}

// A Change changes one document. Its parts name different fields of the
// collection, none of them inside another.
type Change struct {
	Set   []Set
	Unset []string // paths
	Inc   []Inc
	Push  []Push
	Pull  []Pull
}

// Set puts a value in place of what is there. A record on the way is made
// where it is missing, as it is for Inc and Push. Null takes away what is there.
type Set struct {
	Path string
	JSON []byte
}

// Inc adds to a number; one that is not there counts as 0. Where the result is
// less than Least or more than Most, or leaves 64 bits, the change is refused with [ErrUnmet].
type Inc struct {
	Path        string
	By          any // int64 or float64, as the field is
	Least, Most any // of the same type, or nil
}

// Push adds to the end of a list; one that is not there counts as empty. Where
// items are added and the list is then longer than Most, the change is refused
// with [ErrUnmet].
type Push struct {
	Path   string
	JSON   [][]byte // the items
	Unique bool     // leave out what the list of scalars has already, also by this push
	Most   int      // or 0
}

// Pull takes all items out of a list that equal a value.
type Pull struct {
	Path string
	JSON []byte // of the item: a scalar
}

// MaxWrites is how many changes happen together at most.
const MaxWrites = 100

// A Write is one change of several that happen together: a Create of a
// document, or a Change or, where that is nil, a removal of a target.
type Write struct {
	Collection *Collection
	Create     *Document
	Target     Target
	Change     *Change
}

// Errors of stores, beside [engine.ErrUnavailable].
var (
	ErrNotFound = errors.New("no such document")
	ErrStale    = errors.New("document has another version")
	ErrUnmet    = errors.New("a condition of the change does not hold")
)

// A TakenError says that another document has the values of unique fields. Of
// several it names one.
type TakenError struct {
	Collection string
	Fields     []string // of the unique index; the id alone where that is taken
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("another of %s has the same %s", e.Collection, strings.Join(e.Fields, ", "))
}

// A WriteError says which of several changes failed; it wraps why.
type WriteError struct {
	At  int // from 0
	Err error
}

func (e *WriteError) Error() string { return fmt.Sprintf("change %d: %v", e.At+1, e.Err) }

func (e *WriteError) Unwrap() error { return e.Err }

// A Store keeps documents. It is safe for many goroutines. Collections that it
// is given are prepared ones and do not change.
type Store interface {
	// Prepare makes ready for collections, and what they need, as indexes. It can
	// be called again with others while the store is in use; what is no longer
	// named keeps its documents and loses its indexes. An index that the stored documents
	// contradict is an error that names the collection and the fields, and
	// leaves everything as it was.
	Prepare(ctx context.Context, all []*Collection) error

	// Get returns the document of an id, or ErrNotFound where there is none for which scope holds.
	Get(ctx context.Context, c *Collection, id string, scope Filter) (Document, error)

	// Find returns documents in order. Changes that happen meanwhile do not make it
	// give one twice, nor leave out one that was there all the time and did not change.
	Find(ctx context.Context, c *Collection, q Query) ([]Document, error)

	// Count counts documents, up to most.
	Count(ctx context.Context, c *Collection, f Filter, most int) (int, error)

	// Create adds a document as it is given, version and times too. It returns a TakenError.
	Create(ctx context.Context, c *Collection, d Document) error

	// Update changes one document and returns what it is then; now becomes its
	// Updated. It returns ErrNotFound, ErrStale, ErrUnmet (in this order) or a TakenError.
	Update(ctx context.Context, c *Collection, t Target, change Change, now time.Time) (Document, error)

	// Delete removes one document. It returns ErrNotFound, ErrStale or ErrUnmet.
	Delete(ctx context.Context, c *Collection, t Target) error

	// Write makes several changes, at most MaxWrites, all together or none of them: in order, each
	// seeing the ones before. It returns each document as its change left it, without a body
	// where it was removed, or a WriteError.
	Write(ctx context.Context, writes []Write, now time.Time) ([]Document, error)

	// Atomic tells whether the store has Write; where it has not, Write fails.
	Atomic() bool
}
