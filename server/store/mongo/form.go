package mongo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"sluice/nodes/data"
)

// key is the name of a field as the database has it. One of digits alone gets a
// colon, as a path would take it for a position in a list.
func key(name string) string {
	if strings.Trim(name, "0123456789") == "" {
		return ":" + name
	}
	return name
}

// fieldOf is the name of the field that has a key.
func fieldOf(key string) string { return strings.TrimPrefix(key, ":") }

// place is where the database has the field of a path.
func place(path string) string {
	switch path {
	case data.ID:
		return "_id"
	case data.Version:
		return "v"
	case data.Created:
		return "c"
	case data.Updated:
		return "u"
	}
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = key(name)
	}
	return "d." + strings.Join(names, ".")
}

// bodyOf is the JSON of an object of fields as the database has it.
func bodyOf(fields []data.Field, body []byte) (bson.Raw, error) {
	whole := &data.Field{Kind: data.Record, Fields: fields}
	v, err := valueOf(whole, body)
	if err == nil && v.IsZero() {
		err = errKind(whole)
	}
	return bson.Raw(v.Value), err
}

// valueOf is the JSON of a field's value as the database has it. A null is the
// zero RawValue.
func valueOf(f *data.Field, text []byte) (v bson.RawValue, err error) {
	w := bsonWriter{in: json.NewDecoder(bytes.NewReader(text))}
	w.in.UseNumber()
	there, err := w.element("", f)
	if err == nil {
		_, err = w.in.Token()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("something is behind its end")
		}
	}
	if err != nil {
		return v, fmt.Errorf("reading the JSON of a document: %w", err)
	}
	if !there {
		return v, nil
	}
	return bson.RawValue{Type: bson.Type(w.out[0]), Value: w.out[2:]}, nil
}

// A bsonWriter turns JSON into BSON, as fields say.
type bsonWriter struct {
	in  *json.Decoder
	out []byte
}

// element writes the next value under a key. It tells whether the value is
// there: null is not.
func (w *bsonWriter) element(key string, f *data.Field) (bool, error) {
	if f.Kind == data.Open {
		var text json.RawMessage
		if err := w.in.Decode(&text); err != nil || string(text) == "null" {
			return false, err
		}
		w.out = bsoncore.AppendStringElement(w.out, key, string(text))
		return true, nil
	}
	token, err := w.in.Token()
	if err != nil || token == nil {
		return false, err
	}
	switch t := token.(type) {
	case string:
		return true, w.text(key, f, t)
	case json.Number:
		return true, w.number(key, f, t)
	case bool:
		if f.Kind == data.Truth {
			w.out = bsoncore.AppendBooleanElement(w.out, key, t)
			return true, nil
		}
	case json.Delim:
		switch {
		case f.Kind == data.Record && t == '{':
			return true, w.record(key, f)
		case f.Kind == data.List && t == '[':
			return true, w.list(key, f)
		}
	}
	return false, errKind(f)
}

// errKind says that a field's value is not what its declaration says. It does
// not repeat the value.
func errKind(f *data.Field) error { return fmt.Errorf("field %q has a value of another kind", f.Name) }

func (w *bsonWriter) text(key string, f *data.Field, s string) error {
	switch f.Kind {
	case data.Text:
		w.out = bsoncore.AppendStringElement(w.out, key, s)
		return nil
	case data.Time:
		at, err := time.Parse(data.TimeLayout, s)
		if err != nil {
			return errKind(f)
		}
		w.out = bsoncore.AppendDateTimeElement(w.out, key, at.UnixMilli())
		return nil
	}
	return errKind(f)
}

func (w *bsonWriter) number(key string, f *data.Field, n json.Number) error {
	switch f.Kind {
	case data.Whole:
		i, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return errKind(f)
		}
		w.out = bsoncore.AppendInt64Element(w.out, key, i)
		return nil
	case data.Decimal:
		d, err := strconv.ParseFloat(string(n), 64)
		if err != nil {
			return errKind(f)
		}
		w.out = bsoncore.AppendDoubleElement(w.out, key, d)
		return nil
	}
	return errKind(f)
}

func (w *bsonWriter) record(name string, f *data.Field) error {
	var start int32
	start, w.out = bsoncore.AppendDocumentElementStart(w.out, name)
	for w.in.More() {
		token, err := w.in.Token()
		if err != nil {
			return err
		}
		member, _ := token.(string)
		i := slices.IndexFunc(f.Fields, func(inner data.Field) bool { return inner.Name == member })
		if i < 0 {
			return fmt.Errorf("object %q has a field that is not declared", f.Name)
		}
		if _, err := w.element(key(member), &f.Fields[i]); err != nil {
			return err
		}
	}
	return w.end(start)
}

func (w *bsonWriter) list(name string, f *data.Field) error {
	var start int32
	start, w.out = bsoncore.AppendArrayElementStart(w.out, name)
	for i := 0; w.in.More(); i++ {
		there, err := w.element(strconv.Itoa(i), f.Items)
		if err == nil && !there {
			err = fmt.Errorf("list %q has a null", f.Name)
		}
		if err != nil {
			return err
		}
	}
	return w.end(start)
}

// end closes the object or list that began at start.
func (w *bsonWriter) end(start int32) (err error) {
	if _, err = w.in.Token(); err == nil {
		w.out, err = bsoncore.AppendDocumentEnd(w.out, start)
	}
	return err
}

// errForm says that the database has what no store wrote there.
var errForm = errors.New("the database has a document of another form")

// appendBody appends the JSON of an object of fields. What is not declared any
// more is left out; what has another kind than the field by now is given as it is.
func appendBody(b []byte, fields []data.Field, doc bson.Raw) ([]byte, error) {
	elements, err := doc.Elements()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	b = append(b, '{')
	first := true
	for _, e := range elements {
		name := fieldOf(e.Key())
		i := slices.IndexFunc(fields, func(f data.Field) bool { return f.Name == name })
		if i < 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
		if b, err = appendValue(b, &fields[i], e.Value()); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, f *data.Field, v bson.RawValue) ([]byte, error) {
	switch v.Type {
	case bson.TypeString:
		s := v.StringValue()
		if f.Kind == data.Open && json.Valid([]byte(s)) {
			return append(b, s...), nil
		}
		return appendText(b, s), nil
	case bson.TypeInt64:
		return strconv.AppendInt(b, v.Int64(), 10), nil
	case bson.TypeDouble:
		return appendDecimal(b, v.Double())
	case bson.TypeBoolean:
		return strconv.AppendBool(b, v.Boolean()), nil
	case bson.TypeDateTime:
		return append(v.Time().UTC().AppendFormat(append(b, '"'), data.TimeLayout), '"'), nil
	case bson.TypeEmbeddedDocument:
		return appendBody(b, f.Fields, v.Document())
	case bson.TypeArray:
		return appendList(b, f, v.Array())
	}
	return nil, fmt.Errorf("%w: a value of type %s", errForm, v.Type)
}

func appendList(b []byte, f *data.Field, list bson.RawArray) ([]byte, error) {
	values, err := list.Values()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	items := f.Items
	if items == nil {
		items = &data.Field{}
	}
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, items, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendDecimal appends a number in the fewest digits that mean it.
func appendDecimal(b []byte, d float64) ([]byte, error) {
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return nil, fmt.Errorf("%w: a number that is none", errForm)
	}
	text, err := json.Marshal(d)
	return append(b, text...), err
}

func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // of a string it never fails
	return append(b, text...)
}

// A row is a document as the database has it.
type row struct {
	id               string
	version          int64
	created, updated int64    // milliseconds since 1970
	body             bson.Raw // fields
	rest             []byte   // JSON object of what was taken from elsewhere and fits no field, or nil
}

// insert is the row as the database takes it.
func (r *row) insert() (bson.Raw, error) {
	i, b := bsoncore.AppendDocumentStart(nil)
	b = bsoncore.AppendStringElement(b, "_id", r.id)
	b = bsoncore.AppendInt64Element(b, "v", r.version)
	b = bsoncore.AppendDateTimeElement(b, "c", r.created)
	b = bsoncore.AppendDateTimeElement(b, "u", r.updated)
	b = bsoncore.AppendDocumentElement(b, "d", r.body)
	if r.rest != nil {
		b = bsoncore.AppendStringElement(b, restKey, string(r.rest))
	}
	b, err := bsoncore.AppendDocumentEnd(b, i)
	return bson.Raw(b), err
}

// rowOf is a document of a collection as it is to be written.
func rowOf(c *data.Collection, d data.Document) (*row, error) {
	body, err := bodyOf(c.Fields, d.Body)
	if err != nil {
		return nil, err
	}
	return &row{id: d.ID, version: d.Version, created: d.Created.UnixMilli(), updated: d.Updated.UnixMilli(), body: body}, nil
}

// documentIn is the document of a collection that the database gave.
func documentIn(c *data.Collection, raw bson.Raw) (d data.Document, err error) {
	id, hasID := raw.Lookup("_id").StringValueOK()
	version, hasVersion := raw.Lookup("v").Int64OK()
	created, hasCreated := raw.Lookup("c").DateTimeOK()
	updated, hasUpdated := raw.Lookup("u").DateTimeOK()
	fields, hasBody := raw.Lookup("d").DocumentOK()
	if !hasID || !hasVersion || !hasCreated || !hasUpdated || !hasBody {
		return d, fmt.Errorf("reading a document of %s: %w", c.Name, errForm)
	}
	body, err := appendBody(nil, c.Fields, fields)
	if err != nil {
		return d, fmt.Errorf("reading a document of %s: %w", c.Name, err)
	}
	return data.Document{
		ID: id, Version: version, Body: body,
		Created: time.UnixMilli(created).UTC(), Updated: time.UnixMilli(updated).UTC(),
	}, nil
}
