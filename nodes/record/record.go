// Package record holds what a store holds, in the form in which it leaves one
// store and enters another: typed records, which backups are made of and which
// migrations move. A record has all there is to know of a thing, hashes of
// passwords and of tokens too, and nothing of how a store keeps it.
//
// To move something new: write its record, list it in [Kinds], and have every
// store yield and take it. The contract suite of package nodestest then tells
// which store does not.
//
// Counters of limits are no records: they are of the last minutes, a store
// forgets some of them in a crash, and no backup of yesterday should bring them back.
// Nor are codes and attempts, which end within minutes.
package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// A Record is one thing of a store: a *[User], *[Session], *[Key], *[Factor],
// *[Identity], *[Passkey], *[Repeat], *[Collection], *[Document], *[Event] or *[AuditKey]. Its JSON is the same whichever store it
// comes from.
type Record interface {
	// Kind is the name that the record has in [Kinds].
	Kind() string
	// Check says why the record cannot be one of any store, or returns nil.
	Check() error
}

// A Kind is a sort of record.
type Kind struct {
	Name  string
	empty func() Record
}

// Kinds returns all sorts of records.
func Kinds() []Kind {
	return []Kind{
		{"user", func() Record { return &User{} }},
		{"session", func() Record { return &Session{} }},
		{"key", func() Record { return &Key{} }},
		{"factor", func() Record { return &Factor{} }},
		{"identity", func() Record { return &Identity{} }},
		{"passkey", func() Record { return &Passkey{} }},
		{"repeat", func() Record { return &Repeat{} }},
		{"collection", func() Record { return &Collection{} }},
		{"document", func() Record { return &Document{} }},
		{"event", func() Record { return &Event{} }},
		{"auditKey", func() Record { return &AuditKey{} }},
	}
}

// Sentinels of a [Store].
var (
	// ErrNotEmpty says that a store holds something already.
	ErrNotEmpty = errors.New("store is not empty")
	// ErrUnfinished says that an import into a store was cut off, so that what it
	// holds is not whole.
	ErrUnfinished = errors.New("import into the store has not finished")
)

// A Store gives and takes all that it holds. It is safe for many goroutines.
type Store interface {
	// Export yields what the store holds at now, in any order but every user
	// before what is the user's, every collection before its documents and every
	// event behind those before it in its chain, until yield returns an error. What has ended
	// or expired at now is left out. Export returns the error of yield as it is.
	Export(ctx context.Context, now time.Time, yield func(Record) error) error
	// Import fills the store, in which replace first deletes everything, and
	// which otherwise must be empty, or it returns ErrNotEmpty. Where all or
	// some of the records cannot be had or taken, it returns an error; then the
	// store is as it was, or else every later start refuses it with
	// ErrUnfinished until an Import with replace succeeds. Epochs are kept, so
	// that sessions live on. Nobody else may use the store meanwhile. Documents
	// are there for data.Store once its Prepare has made the indexes, which tells
	// where documents have the same values in unique fields.
	Import(ctx context.Context, records iter.Seq2[Record, error], replace bool) error
	// Count counts the records of each kind, and may count what has expired.
	Count(ctx context.Context) (map[string]int, error)
}

// All returns what s holds at now. The sequence ends with the first error.
func All(ctx context.Context, s Store, now time.Time) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		stopped := errors.New("enough")
		err := s.Export(ctx, now, func(r Record) error {
			if !yield(r, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

// Encode writes a record as one line of JSON, without the line feed.
func Encode(r Record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding a %s: %w", r.Kind(), err)
	}
	line := make([]byte, 0, len(data)+len(r.Kind())+6) // and a line feed
	line = append(append(append(line, `{"`...), r.Kind()...), `":`...)
	return append(append(line, data...), '}'), nil
}

// Decode reads and checks what Encode wrote. What a later release knows of
// things is refused, as it would be lost.
func Decode(line []byte) (Record, error) {
	rest, begins := bytes.CutPrefix(line, []byte(`{"`))
	name, rest, named := bytes.Cut(rest, []byte(`":`))
	data, ends := bytes.CutSuffix(rest, []byte("}"))
	if !begins || !named || !ends {
		return nil, errors.New("reading a record: it has not the form of one")
	}
	for _, k := range Kinds() {
		if k.Name != string(name) {
			continue
		}
		r := k.empty()
		err := strictly(data, r)
		if err == nil {
			err = r.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("reading a %s: %w", k.Name, err)
		}
		return r, nil
	}
	return nil, fmt.Errorf("reading a record: this release knows no %.40q", name)
}

// strictly reads JSON that has nothing but what v has.
func strictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something stands behind it")
	}
	return nil
}

// moment is a time as records have it: UTC, to the millisecond.
func moment(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
