package record

import (
	"errors"
	"fmt"
	"slices"

	"sluice/nodes/data"
)

// A Collection is the declaration of a collection of documents as a store
// remembers it: with the fields that it had before. A target holds documents by
// it until a server declares it anew; one that nothing declares any more has none
// but its name, or no indexes.
type Collection struct {
	Name    string  `json:"name"`
	Fields  []Field `json:"fields"`
	Indexes []Index `json:"indexes"`
	Owner   string  `json:"owner"` // path of a field, or ""
}

// A Field is one of a [Collection], of a record in it, or the form of a list's items.
type Field struct {
	Name     string  `json:"name,omitempty"`
	Kind     string  `json:"kind"` // as kindNames has it
	Optional bool    `json:"optional,omitempty"`
	Fields   []Field `json:"fields,omitempty"`
	Items    *Field  `json:"items,omitempty"`
}

// An Index is one of a [Collection].
type Index struct {
	Fields []string `json:"fields"` // paths
	Unique bool     `json:"unique,omitempty"`
}

// kindNames are the names of kinds in records, each at its number.
func kindNames() []string {
	return []string{"text", "whole", "decimal", "truth", "time", "record", "list", "open"}
}

// CollectionOf returns the record of a declaration.
func CollectionOf(c *data.Collection) *Collection {
	r := &Collection{Name: c.Name, Fields: fieldsOf(c.Fields), Indexes: []Index{}, Owner: c.Owner}
	for _, x := range c.Indexes {
		r.Indexes = append(r.Indexes, Index{slices.Clone(x.Fields), x.Unique})
	}
	return r
}

func fieldsOf(some []data.Field) []Field {
	fields := make([]Field, len(some))
	for i, f := range some {
		fields[i] = fieldOf(f)
	}
	return fields
}

func fieldOf(f data.Field) Field {
	made := Field{Name: f.Name, Kind: "unknown", Optional: f.Optional, Fields: fieldsOf(f.Fields)}
	if names := kindNames(); int(f.Kind) < len(names) {
		made.Kind = names[f.Kind]
	}
	if f.Items != nil {
		items := fieldOf(*f.Items)
		made.Items = &items
	}
	return made
}

// Collection returns the declaration, which passes its Check where the record does.
func (r *Collection) Collection() *data.Collection {
	c := &data.Collection{Name: r.Name, Fields: declared(r.Fields), Owner: r.Owner}
	for _, x := range r.Indexes {
		c.Indexes = append(c.Indexes, data.Index{Fields: slices.Clone(x.Fields), Unique: x.Unique})
	}
	return c
}

func declared(some []Field) []data.Field {
	var fields []data.Field
	for _, f := range some {
		fields = append(fields, declaredOne(f))
	}
	return fields
}

func declaredOne(f Field) data.Field {
	made := data.Field{Name: f.Name, Optional: f.Optional, Fields: declared(f.Fields)}
	made.Kind = data.Kind(slices.Index(kindNames(), f.Kind)) // 255, which no Check lets pass, for one that is unknown
	if f.Items != nil {
		items := declaredOne(*f.Items)
		made.Items = &items
	}
	return made
}

// Kind is "collection".
func (*Collection) Kind() string { return "collection" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Collection) Check() error {
	if r.Name == "" {
		return errors.New("it has no name")
	}
	return r.Collection().Check()
}

// ReadCollection reads a declaration that Encode wrote.
func ReadCollection(line []byte) (*data.Collection, error) {
	r, err := Decode(line)
	if err != nil {
		return nil, err
	}
	c, ok := r.(*Collection)
	if !ok {
		return nil, fmt.Errorf("reading a collection: it is a %s", r.Kind())
	}
	return c.Collection(), nil
}
