package record_test

import (
	"reflect"
	"testing"

	"sluice/nodes/data"
	"sluice/nodes/record"
)

// Each kind of field there is must have a name in records.
func TestNoPartOfADeclarationIsLost(t *testing.T) {
	c := &data.Collection{Name: "things", Owner: "f0", Indexes: []data.Index{{Fields: []string{"f0", "f1"}}, {Fields: []string{"f1"}, Unique: true}}}
	for k := data.Text; k <= data.Open; k++ {
		f := data.Field{Name: "f" + string(rune('0'+k)), Kind: k, Optional: k%2 == 0}
		switch k {
		case data.Record:
			f.Fields = []data.Field{{Name: "in", Kind: data.Time, Optional: true}}
		case data.List:
			f.Items = &data.Field{Kind: data.List, Items: &data.Field{Kind: data.Record, Fields: []data.Field{{Name: "x", Kind: data.Truth}}}}
		}
		c.Fields = append(c.Fields, f)
	}
	line, err := record.Encode(record.CollectionOf(c))
	if err != nil {
		t.Fatalf("Encode = %v, want nil", err)
	}
	got, err := record.ReadCollection(line)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("a declaration comes back as %+v, %v, want %+v", got, err, c)
	}
	if _, err := record.ReadCollection([]byte(`{"user":{"id":"a","emailKey":"b"}}`)); err == nil {
		t.Error("ReadCollection of a user = nil, want an error")
	}
}
