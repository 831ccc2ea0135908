package record_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/data"
	"sluice/nodes/factor"
	"sluice/nodes/oidc"
	"sluice/nodes/passkey"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// fill gives every field below v a value that is not zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + int64(*n)).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString(strings.Repeat("x", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n%255 + 1))
	default:
		if v.Type() == reflect.TypeFor[time.Duration]() {
			v.SetInt(int64(time.Duration(*n) * time.Millisecond))
			return
		}
		v.SetInt(int64(*n))
	}
}

func filled[T any]() (v T) {
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

// A field that is added to a user or a session must not be lost in a backup.
func TestNoFieldIsLost(t *testing.T) {
	again := func(r record.Record) record.Record {
		line, err := record.Encode(r)
		if err != nil {
			t.Fatalf("Encode(%+v) = %v, want nil", r, err)
		}
		back, err := record.Decode(line)
		if err != nil {
			t.Fatalf("Decode(%s) = %v, want nil", line, err)
		}
		return back
	}
	u := filled[user.User]()
	r := again(record.UserOf(u, "hash")).(*record.User)
	if got := r.User(); !reflect.DeepEqual(got, u) || r.PasswordHash != "hash" {
		t.Errorf("a user comes back as %+v, want %+v", got, u)
	}
	h, s := filled[session.Hash](), filled[session.Session]()
	// What no store has.
	s.Token, s.Authority = "", session.Authority{}
	s.UserID = user.ProvenID{ID: s.UserID.ID, Epoch: s.UserID.Epoch}
	if gotHash, got := again(record.SessionOf(h, s)).(*record.Session).Session(); !reflect.DeepEqual(got, s) || gotHash != h {
		t.Errorf("a session comes back as %+v, want %+v", got, s)
	}
	kh, k := filled[apikey.Hash](), filled[apikey.Key]()
	if gotHash, got := again(record.KeyOf(kh, k)).(*record.Key).Key(); !reflect.DeepEqual(got, k) || gotHash != kh {
		t.Errorf("an API key comes back as %+v, want %+v", got, k)
	}
	never := apikey.Key{ID: "a", Scope: apikey.Full, CreationDtm: k.CreationDtm}
	if _, got := again(record.KeyOf(kh, never)).(*record.Key).Key(); !reflect.DeepEqual(got, never) {
		t.Errorf("a key that never expires comes back as %+v, want %+v", got, never)
	}
	second := filled[factor.Factor]()
	if got := again(record.FactorOf("u", second)).(*record.Factor); !reflect.DeepEqual(got.Factor(), second) || got.UserID != "u" {
		t.Errorf("a second factor comes back as %+v, want %+v", got, second)
	}
	i := filled[oidc.Identity]()
	if got := again(record.IdentityOf(i)).(*record.Identity).Identity(); got != i {
		t.Errorf("an identity comes back as %+v, want %+v", got, i)
	}
	p := filled[passkey.Passkey]()
	if got := again(record.PasskeyOf(p)).(*record.Passkey).Passkey(); !reflect.DeepEqual(got, p) {
		t.Errorf("a passkey comes back as %+v, want %+v", got, p)
	}
	p.LastUsedDtm = nil
	if got := again(record.PasskeyOf(p)).(*record.Passkey).Passkey(); !reflect.DeepEqual(got, p) {
		t.Errorf("a passkey that was never used comes back as %+v, want %+v", got, p)
	}
	c, a := filled[repeat.Claim](), filled[engine.Answer]()
	if gotClaim, got := again(record.RepeatOf(c, &a)).(*record.Repeat).Repeat(); !reflect.DeepEqual(*got, a) || gotClaim != c {
		t.Errorf("a repeated call comes back as %+v %+v, want %+v %+v", gotClaim, got, c, a)
	}
	if _, got := again(record.RepeatOf(c, nil)).(*record.Repeat).Repeat(); got != nil {
		t.Errorf("a call that runs comes back with %+v, want no answer", got)
	}
}

func TestEveryKindIsItsOwn(t *testing.T) {
	for _, k := range record.Kinds() {
		if _, err := record.Decode([]byte(`{"` + k.Name + `":{}}`)); err == nil || !strings.HasPrefix(err.Error(), "reading a "+k.Name+": ") {
			t.Errorf("Decode of an empty %s = %v, want a reason", k.Name, err)
		}
	}
}

func TestDecodeRefusesWhatNoStoreWrote(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for name, line := range map[string]string{
		"nothing":                      ``,
		"no JSON":                      `{`,
		"no kind":                      `{}`,
		"null":                         `null`,
		"a list":                       `[]`,
		"two kinds":                    `{"user":{"id":"a","emailKey":"b"},"session":{}}`,
		"something behind":             `{"user":{"id":"a","emailKey":"b"}} {}`,
		"an unknown kind":              `{"cat":{}}`,
		"an unknown field":             `{"user":{"id":"a","emailKey":"b","admin":true}}`,
		"a user of no id":              `{"user":{"emailKey":"b"}}`,
		"a user of no key":             `{"user":{"id":"a"}}`,
		"an epoch below 0":             `{"user":{"id":"a","emailKey":"b","epoch":-1}}`,
		"a short hash":                 `{"session":{"hash":"ab","id":"a","userId":"b"}}`,
		"a hash of no digits":          `{"session":{"hash":"` + strings.Repeat("x", 64) + `","id":"a","userId":"b"}}`,
		"a session of nobody":          `{"session":{"hash":"` + hash + `","id":"a"}}`,
		"a huge idle time":             `{"session":{"hash":"` + hash + `","id":"a","userId":"b","idleMs":9223372036854775807}}`,
		"a call of no token":           `{"repeat":{"call":"` + hash + `","request":"` + hash + `"}}`,
		"a collection of no form":      `{"collection":{"name":"a; DROP TABLE users","fields":[],"indexes":[],"owner":""}}`,
		"a field of an unknown kind":   `{"collection":{"name":"a","fields":[{"name":"f","kind":"number"}],"indexes":[],"owner":""}}`,
		"a list of nothing":            `{"collection":{"name":"a","fields":[{"name":"f","kind":"list"}],"indexes":[],"owner":""}}`,
		"an index over nothing":        `{"collection":{"name":"a","fields":[],"indexes":[{"fields":["f"]}],"owner":""}}`,
		"a document of an evil name":   `{"document":{"collection":"a; DROP TABLE users","id":"a","body":{}}}`,
		"a document that is a list":    `{"document":{"collection":"a","id":"a","body":[]}}`,
		"a document that is not there": `{"document":{"collection":"a","id":"a"}}`,
		"an answer of none":            `{"repeat":{"call":"` + hash + `","request":"` + hash + `","token":"` + hash[:32] + `","answer":{}}}`,
		"a key of no id":               `{"key":{"hash":"` + hash + `","scope":"full"}}`,
		"a key of no scope":            `{"key":{"hash":"` + hash + `","id":"a"}}`,
		"a key's short hash":           `{"key":{"hash":"ab","id":"a","scope":"full"}}`,
		"an identity of nobody":        `{"identity":{"id":"a","issuer":"b","subject":"c"}}`,
		"an identity of no issuer":     `{"identity":{"id":"a","userId":"b","subject":"c"}}`,
		"a passkey of nobody":          `{"passkey":{"id":"a","credential":"ab","state":"ab"}}`,
		"a passkey without its key":    `{"passkey":{"id":"a","userId":"b","credential":"ab"}}`,
		"a count below 0":              `{"passkey":{"id":"a","userId":"b","credential":"ab","state":"ab","count":-1}}`,
		"a factor of nobody":           `{"factor":{"secret":"ab"}}`,
		"no secret":                    `{"factor":{"userId":"a"}}`,
		"a short recovery":             `{"factor":{"userId":"a","secret":"ab","recovery":["ab"]}}`,
	} {
		if r, err := record.Decode([]byte(line)); err == nil {
			t.Errorf("Decode of %s, %s = %+v, want an error", name, line, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	u, s := filled[user.User](), filled[session.Session]()
	c := data.Collection{Name: "things", Fields: []data.Field{{Name: "name", Kind: data.Text}}}
	d, err := record.DocumentOf(&c, data.Document{ID: "d", Version: 1, Body: []byte(`{"name":"n","rest":[1.0]}`)})
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range []record.Record{
		record.UserOf(u, "hash"), record.SessionOf(session.Hash{1}, s), record.KeyOf(apikey.Hash{1}, filled[apikey.Key]()),
		record.FactorOf("u", filled[factor.Factor]()), record.RepeatOf(filled[repeat.Claim](), nil), record.CollectionOf(&c), d,
	} {
		line, err := record.Encode(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := record.Decode(line)
		if err != nil {
			return
		}
		once, err := record.Encode(r)
		if err != nil {
			return // a year that JSON cannot write
		}
		back, err := record.Decode(once)
		if err != nil {
			t.Fatalf("Decode(%s) = %v, want what Encode wrote", once, err)
		}
		if twice, err := record.Encode(back); err != nil || string(twice) != string(once) {
			t.Errorf("Encode = %s, then %s, %v, want the same", once, twice, err)
		}
	})
}
