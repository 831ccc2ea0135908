package mongo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes/data"
)

// everything is a collection with a field of each kind, alone, in a record and
// in a list.
func everything() *data.Collection {
	c := &data.Collection{Name: "everything"}
	for kind := data.Text; kind <= data.Open; kind++ {
		f := data.Field{Name: fmt.Sprintf("f%d", kind), Kind: kind}
		switch kind {
		case data.Record:
			f.Fields = []data.Field{{Name: "3", Kind: data.Text}, {Name: "-_", Kind: data.List, Items: &data.Field{Kind: data.Open}}}
		case data.List:
			f.Items = &data.Field{Kind: data.Record, Fields: []data.Field{{Name: "0", Kind: data.Whole}, {Name: "in", Kind: data.Record}}}
		}
		c.Fields = append(c.Fields, f, data.Field{Name: fmt.Sprintf("%d", kind), Kind: data.List, Items: &f})
	}
	return c
}

// anyJSON is a value of a field's kind.
func anyJSON(r *rand.Rand, f *data.Field) any {
	switch f.Kind {
	case data.Text:
		return []string{"", hostile, "$set", "a\x00b", "\u2028<&>", "\U0010ffff", "cafe\u0301", strings.Repeat("x", 300)}[r.IntN(8)]
	case data.Whole:
		return []int64{0, -1, math.MaxInt64, math.MinInt64, 1<<53 + 1, r.Int64()}[r.IntN(6)]
	case data.Decimal:
		return []float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21, 0.1, r.NormFloat64()}[r.IntN(7)]
	case data.Truth:
		return r.IntN(2) == 0
	case data.Time:
		return time.UnixMilli(r.Int64N(253402300799999)).UTC().Format(data.TimeLayout)
	case data.Record:
		return anyObject(r, f.Fields)
	case data.List:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, anyJSON(r, f.Items))
		}
		return list
	}
	return []any{hostile, map[string]any{"$where": nil, "a.b": []any{nil, 1.5}, "": "x", "__proto__": 1.0}, 1.0, []any{}, true}[r.IntN(5)]
}

func anyObject(r *rand.Rand, fields []data.Field) map[string]any {
	object := map[string]any{}
	for i := range fields {
		if r.IntN(3) > 0 {
			object[fields[i].Name] = anyJSON(r, &fields[i])
		}
	}
	return object
}

// meaning is what JSON says, with numbers to the last digit.
func meaning(t *testing.T, text []byte) (v any) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		t.Fatalf("Decode(%s) = %v, want nil", text, err)
	}
	return v
}

func TestDocumentsComeBackAsTheyWent(t *testing.T) {
	c := everything()
	if err := c.Check(); err != nil {
		t.Fatalf("Check() = %v, want nil", err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text, err := json.Marshal(anyObject(r, c.Fields))
		if err != nil {
			t.Fatalf("Marshal() = %v, want nil", err)
		}
		raw, err := bodyOf(c.Fields, text)
		if err != nil {
			t.Fatalf("bodyOf(%s) = %v, want nil", text, err)
		}
		if err := raw.Validate(); err != nil || !plain(raw) {
			t.Fatalf("bodyOf(%s) = %v, %v, want BSON without operators", text, raw, err)
		}
		back, err := appendBody(nil, c.Fields, raw)
		if err != nil || !reflect.DeepEqual(meaning(t, back), meaning(t, text)) {
			t.Fatalf("document came back as %s, %v, want %s", back, err, text)
		}
	}
}

func TestWhatIsNotOfItsKindIsRefused(t *testing.T) {
	c := everything()
	for text, why := range map[string]string{
		`{"f0":1}`: "another kind", `{"f0":{"$gt":""}}`: "another kind", `{"f0":["a"]}`: "another kind",
		`{"f1":"1"}`: "another kind", `{"f1":1.5}`: "another kind", `{"f1":9223372036854775808}`: "another kind",
		`{"f2":1e999}`: "another kind", `{"f2":true}`: "another kind", `{"f3":0}`: "another kind",
		`{"f4":"2026-01-01"}`: "another kind", `{"f5":[]}`: "another kind", `{"f6":{}}`: "another kind",
		`{"f5":{"$set":1}}`: "not declared", `{"$set":{}}`: "not declared", `{"6":[null]}`: "a null",
		`{"f7":`: "reading", `{"f0":"a"} {}`: "behind", `null`: "another kind", `[]`: "another kind", ``: "reading",
	} {
		if raw, err := bodyOf(c.Fields, []byte(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("bodyOf(%s) = %v, %v, want an error with %q", text, raw, err, why)
		}
	}
}

func TestNullIsNotThere(t *testing.T) {
	c := everything()
	raw, err := bodyOf(c.Fields, []byte(`{"f0":null,"f5":{"3":null},"f7":null,"7":[{"a":null}]}`))
	if err != nil {
		t.Fatalf("bodyOf() = %v, want nil", err)
	}
	if got, err := appendBody(nil, c.Fields, raw); err != nil || string(got) != `{"f5":{},"7":[{"a":null}]}` {
		t.Errorf("appendBody() = %s, %v, want the nulls of declared fields left out", got, err)
	}
}

// A declaration may change while documents stay.
func TestDocumentsOfAnOldDeclarationCanBeRead(t *testing.T) {
	raw, err := bodyOf([]data.Field{{Name: "a", Kind: data.Open}, {Name: "b", Kind: data.Text}, {Name: "c", Kind: data.Whole}},
		[]byte(`{"a":{"x":1},"b":"{} or not","c":1}`))
	if err != nil {
		t.Fatalf("bodyOf() = %v, want nil", err)
	}
	got, err := appendBody(nil, []data.Field{{Name: "a", Kind: data.Text}, {Name: "b", Kind: data.Open}}, raw)
	if want := `{"a":"{\"x\":1}","b":"{} or not"}`; err != nil || string(got) != want {
		t.Errorf("appendBody() = %s, %v, want %s", got, err, want)
	}
	for name, doc := range map[string]bson.D{
		"a type that no store wrote": {{Key: "a", Value: bson.NewObjectID()}},
		"a number that is none":      {{Key: "a", Value: math.NaN()}},
	} {
		raw, err := bson.Marshal(doc)
		if err != nil {
			t.Fatalf("Marshal(%v) = %v, want nil", doc, err)
		}
		if got, err := appendBody(nil, []data.Field{{Name: "a", Kind: data.Decimal}}, raw); err == nil {
			t.Errorf("appendBody(%s) = %s, want an error", name, got)
		}
	}
}

func FuzzDocumentsComeBackAsTheyWent(f *testing.F) {
	c := everything()
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		text, _ := json.Marshal(anyObject(r, c.Fields))
		f.Add(text)
	}
	f.Add([]byte(`{"f0":"\ud800","f7":{"a":1,"a":2},"f2":-0.0,"f0":"again"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		raw, err := bodyOf(c.Fields, text)
		if err != nil {
			return
		}
		if err := raw.Validate(); err != nil || !plain(raw) {
			t.Fatalf("bodyOf(%s) = %v, %v, want BSON without operators", text, raw, err)
		}
		back, err := appendBody(nil, c.Fields, raw)
		if err != nil || !json.Valid(back) {
			t.Fatalf("appendBody() of %s = %s, %v, want JSON", text, back, err)
		}
		again, err := bodyOf(c.Fields, back)
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%s came back as %s and then became %v, %v, want %v", text, back, again, err, raw)
		}
	})
}

// Whatever an import brings along has a place: what data.Split calls proper is
// taken, and comes back in the same form.
func FuzzWhatIsProperIsTaken(f *testing.F) {
	c := everything()
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		text, _ := json.Marshal(anyObject(r, c.Fields))
		f.Add(text)
	}
	f.Add([]byte(`{"f1":1.5,"f2":-0,"f4":"2026-02-30T00:00:00.000Z","f5":{"$set":1},"7":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		proper, _, err := data.Split(c.Fields, text)
		if err != nil {
			return
		}
		raw, err := bodyOf(c.Fields, proper)
		if err != nil {
			t.Fatalf("bodyOf(%s) = %v, want nil", proper, err)
		}
		back, err := appendBody(nil, c.Fields, raw)
		if err != nil {
			t.Fatalf("appendBody() of %s = %v, want nil", proper, err)
		}
		if again, rest, err := data.Split(c.Fields, back); err != nil || rest != nil || !bytes.Equal(again, proper) {
			t.Fatalf("%s came back as %s and %s, %v", proper, again, rest, err)
		}
	})
}

func BenchmarkDocumentsThereAndBack(b *testing.B) {
	c := orders()
	text := []byte(`{"owner":"0197a1b2-0000-7000-8000-000000000001","sku":"AB-1234","stock":12,"price":19.95,"paid":true,
		"due":"2026-01-02T03:04:05.678Z","to":{"city":"Lisbon"},"tags":["new","blue"],"log":[{"at":1}],"any":{"a":[1,2,3]}}`)
	raw, err := bodyOf(c.Fields, text)
	if err != nil {
		b.Fatalf("bodyOf() = %v, want nil", err)
	}
	b.Run("to BSON", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bodyOf(c.Fields, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("to JSON", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := appendBody(nil, c.Fields, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
