package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sluice/nodes/data"
)

// A Document is one of a collection.
type Document struct {
	Collection string          `json:"collection"`
	ID         string          `json:"id"`
	Version    int64           `json:"version"`
	Created    time.Time       `json:"created"`
	Updated    time.Time       `json:"updated"`
	Body       json.RawMessage `json:"body"` // object; members that do not fit the declaration are last, see [data.Split]
}

// DocumentOf returns the record of a document of a collection, as its store
// remembers that.
func DocumentOf(c *data.Collection, d data.Document) (*Document, error) {
	body, rest, err := data.Split(c.Fields, d.Body)
	if err == nil {
		body, err = data.Join(body, rest)
	}
	if err != nil {
		return nil, fmt.Errorf("reading document %s of %s: %w", d.ID, c.Name, err)
	}
	return &Document{Collection: c.Name, ID: d.ID, Version: d.Version, Created: moment(d.Created), Updated: moment(d.Updated), Body: body}, nil
}

// Document returns the document.
func (r *Document) Document() data.Document {
	return data.Document{ID: r.ID, Version: r.Version, Created: r.Created, Updated: r.Updated, Body: bytes.Clone(r.Body)}
}

// Kind is "document".
func (*Document) Kind() string { return "document" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Document) Check() error {
	if err := (&data.Collection{Name: r.Collection}).Check(); err != nil {
		return err
	}
	if len(r.Body) == 0 || r.Body[0] != '{' {
		return errors.New("it is no object")
	}
	return nil
}
