package mongo

import (
	"strings"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/data"
)

func TestTheRangeOfAPrefixIsWhatBeginsWithIt(t *testing.T) {
	texts := []string{"", "a", "ab", "abc", "ac", "b", "a\x00", "a\U0010ffff", "a\U0010ffff\U0010ffff", "\U0010ffff", "\U0010ffffa", "\ud7ff", "\ud7ffz", "\ue000", "é", "z"}
	for _, prefix := range texts {
		end, bounded := after(prefix)
		for _, text := range texts {
			in := prefix <= text && (!bounded || text < end)
			if want := strings.HasPrefix(text, prefix); in != want {
				t.Errorf("%q is in the range from %q to %q: %t, want %t", text, prefix, end, in, want)
			}
		}
	}
}

func TestFiltersTakeNothingButScalars(t *testing.T) {
	operator := map[string]any{"$gt": ""}
	for name, f := range map[string]data.Filter{
		"object":         {Op: data.Eq, Path: "a", Value: operator},
		"nothing":        {Op: data.Ne, Path: "a"},
		"list":           {Op: data.Lt, Path: "a", Value: []any{"a"}},
		"object in list": {Op: data.In, Path: "a", Value: []any{operator}},
		"no list":        {Op: data.Nin, Path: "a", Value: "a"},
		"has object":     {Op: data.Has, Path: "a", Value: operator},
		"exists text":    {Op: data.Exists, Path: "a", Value: "true"},
		"prefix object":  {Op: data.Prefix, Path: "a", Value: operator},
		"unknown":        {Op: 99, Path: "a", Value: "a"},
		"not of none":    {Op: data.Not},
		"inside":         {Op: data.Any, Of: []data.Filter{{Op: data.Not, Of: []data.Filter{{Op: data.Eq, Path: "a", Value: operator}}}}},
	} {
		if got, err := filterOf(f); err == nil {
			t.Errorf("filterOf(%s) = %v, want an error", name, got)
		}
	}
	for _, q := range []data.Query{
		{Sort: []data.Sort{{Path: "a"}}, After: []any{"a"}},
		{Sort: []data.Sort{{Path: "a"}}, After: []any{operator, "a"}},
		{After: []any{time.Duration(1)}},
	} {
		if got, err := orderOf(q); err == nil {
			t.Errorf("orderOf(%+v) = %v, want an error", q, got)
		}
	}
}

// What a document is called in a request can look like a place in a list.
func TestPlacesAreOfFieldsAlone(t *testing.T) {
	for path, want := range map[string]string{
		"id": "_id", "version": "v", "creationDtm": "c", "updatedDtm": "u",
		"a": "d.a", "a.b": "d.a.b", "a.0": "d.a.:0", "12.v": "d.:12.v", "_id": "d._id", "a.id": "d.a.id",
	} {
		if got := place(path); got != want {
			t.Errorf("place(%s) = %s, want %s", path, got, want)
		}
	}
}

func TestTheIndexThatRefusesIsTheOneThatTheServerNames(t *testing.T) {
	const values = ` dup key: { d.sku: "E11000 duplicate key error collection: a index: sluice_unique_name dup key: {}" }`
	for text, want := range map[string]string{
		"E11000 duplicate key error collection: app.data_things index: sluice_unique_sku" + values:                                                          "sluice_unique_sku",
		"Plan executor error during findAndModify :: caused by :: E11000 duplicate key error collection: a.b index: sluice_unique_place.city,name" + values: "sluice_unique_place.city,name",
		"E11000 duplicate key error collection: app.data_things index: _id_" + values:                                                                       "_id_",
		"E11000 duplicate key error collection: app.data_things":                                                                                            "",
	} {
		for _, err := range []error{
			driver.CommandError{Code: 11000, Message: text},
			driver.WriteException{WriteErrors: driver.WriteErrors{{Code: 11000, Message: text}}},
		} {
			if got := refusing(err); got != want {
				t.Errorf("refusing(%v) = %q, want %q", err, got, want)
			}
		}
	}
}
