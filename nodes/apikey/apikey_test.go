package apikey_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/nodes/apikey"
	"sluice/nodes/memory"
	"sluice/nodes/session"
)

func TestAllowsKnowsPathsByTheirShape(t *testing.T) {
	for _, c := range []struct {
		listed, method, path string
		want                 bool
	}{
		{"GET /a", "GET", "/a", true},
		{"GET /a", "POST", "/a", false},
		{"GET /a", "GET", "/a/b", false},
		{"GET /a/{id}", "GET", "/a/{id}", true},
		{"GET /a/{id}", "GET", "/a/{other}", true},
		{"GET /a/{id}/b", "GET", "/a/{x}/b", true},
		{"GET /a/{id}/b", "GET", "/a/{x}/c", false},
		{"GET /a/{id}", "GET", "/a/id", false},
		{"GET /a/id", "GET", "/a/{id}", false},
		{"GET /a/{id}/{of}", "GET", "/a/{x}/{y}", true},
		{"GET /a/{id}/{of}", "GET", "/a/{x}", false},
		{"GET /{a", "GET", "/{a", false},
	} {
		only := apikey.Key{Scope: apikey.Only, Endpoints: []string{"POST /other", c.listed}}
		except := apikey.Key{Scope: apikey.Except, Endpoints: only.Endpoints}
		if got := only.Allows(c.method, c.path); got != c.want {
			t.Errorf("only %s: Allows(%s %s) = %t, want %t", c.listed, c.method, c.path, got, c.want)
		}
		if got := except.Allows(c.method, c.path); got == c.want {
			t.Errorf("except %s: Allows(%s %s) = %t, want %t", c.listed, c.method, c.path, got, !c.want)
		}
	}
	if none := (&apikey.Key{Scope: "all"}); none.Allows("GET", "/a") {
		t.Error("a key of an unknown scope allows GET /a, want nothing")
	}
}

func TestKeysAndTokensAreNotEachOther(t *testing.T) {
	key, hash := apikey.NewKey()
	token, _ := session.NewToken()
	if h, ok := apikey.HashOf(key); !ok || h != hash {
		t.Errorf("HashOf(%q) = %x, %t, want %x, true", key, h, ok, hash)
	}
	if _, ok := session.HashOf(key); ok {
		t.Errorf("session.HashOf(%q) takes a key for a token", key)
	}
	if _, ok := apikey.HashOf(token); ok {
		t.Errorf("HashOf(%q) takes a token for a key", token)
	}
}

func TestMakeRefusesWhatNoKeyCanBe(t *testing.T) {
	s := memory.New().Keys
	many := strings.Split(strings.Repeat("GET /a,", 101), ",")[:101]
	for name, k := range map[string]apikey.Key{
		"no name":                  {Scope: apikey.Full},
		"a blank name":             {Name: " ", Scope: apikey.Full},
		"a long name":              {Name: strings.Repeat("é", 101), Scope: apikey.Full},
		"a name that is not seen":  {Name: "a\u202eb", Scope: apikey.Full},
		"a name of no text":        {Name: "\xff", Scope: apikey.Full},
		"no scope":                 {Name: "a"},
		"another scope":            {Name: "a", Scope: "all"},
		"endpoints of a full key":  {Name: "a", Scope: apikey.Full, Endpoints: []string{"GET /a"}},
		"no endpoints":             {Name: "a", Scope: apikey.Only},
		"what is no endpoint":      {Name: "a", Scope: apikey.Except, Endpoints: []string{"/a"}},
		"a method that is unknown": {Name: "a", Scope: apikey.Only, Endpoints: []string{"TRACE /a"}},
		"a line break":             {Name: "a", Scope: apikey.Only, Endpoints: []string{"GET /a\nGET /b"}},
		"too many endpoints":       {Name: "a", Scope: apikey.Only, Endpoints: many},
	} {
		var fault apikey.Fault
		if text, _, err := apikey.Make(t.Context(), s, nil, k); !errors.As(err, &fault) || text != "" {
			t.Errorf("Make(%s) = %q, %v, want a Fault", name, text, err)
		}
	}
	if page, err := s.List(t.Context(), "", "", 10); err != nil || len(page) != 0 {
		t.Errorf("List() = %v, %v, want no keys", page, err)
	}
	text, made, err := apikey.Make(t.Context(), s, nil, apikey.Key{Name: "importer", Scope: apikey.Only, Endpoints: []string{"GET /a/{id}"}})
	if err != nil {
		t.Fatalf("Make() = %v, want nil", err)
	}
	h, _ := apikey.HashOf(text)
	if got, err := s.Get(t.Context(), h, time.Now()); err != nil || got.ID != made.ID {
		t.Errorf("Get(the new key) = %v, %v, want %s", got, err, made.ID)
	}
}

func FuzzAllows(f *testing.F) {
	f.Add("GET /a/{id}", "/a/{x}")
	f.Add("GET /{", "/}")
	f.Fuzz(func(t *testing.T, listed, path string) {
		only, except := apikey.Key{Scope: apikey.Only, Endpoints: []string{listed}}, apikey.Key{Scope: apikey.Except, Endpoints: []string{listed}}
		if only.Allows("GET", path) == except.Allows("GET", path) {
			t.Errorf("%q and %q: both scopes say %t", listed, path, only.Allows("GET", path))
		}
		if only.Allows("GET", path) && !strings.HasPrefix(listed, "GET ") {
			t.Errorf("%q allows GET %q", listed, path)
		}
	})
}
