package rest

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestParametersAreDecodedOnceOrRefused(t *testing.T) {
	tests := map[string]struct {
		want string
		ok   bool
	}{
		"plain":         {"plain", true},
		"a%20b":         {"a b", true},
		"a+b":           {"a+b", true},
		"%e2%82%ac":     {"€", true},
		"%E2%82%AC":     {"€", true},
		"\xe2\x82\xac":  {"€", true},
		"%2525":         {"%25", true},
		"...":           {"...", true},
		".hidden":       {".hidden", true},
		"%":             {"", false},
		"%2":            {"", false},
		"%zz":           {"", false},
		"%2g":           {"", false},
		"a%00":          {"", false},
		"a%0d%0aSet":    {"", false},
		"%7f":           {"", false},
		"%c2%85":        {"", false}, // a control character beyond ASCII
		"%c0%af":        {"", false}, // an overlong slash
		"%ff":           {"", false},
		"\xff":          {"", false},
		"a%2fb":         {"", false},
		"a%2Fb":         {"", false},
		"a%5cb":         {"", false},
		`a\b`:           {"", false},
		".":             {"", false},
		"..":            {"", false},
		"%2e%2e":        {"", false},
		".%2E":          {"", false},
		"%ed%a0%80":     {"", false}, // half of a surrogate pair
		"caf%c3%a9%20é": {"café é", true},
	}
	for in, want := range tests {
		if got, ok := decode(in); got != want.want || ok != want.ok {
			t.Errorf("decode(%q) = %q, %v, want %q, %v", in, got, ok, want.want, want.ok)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("a%20b")
	f.Add("%2e%2e")
	f.Add("%c0%af")
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := decode(in)
		if !ok {
			return
		}
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || strings.ContainsAny(got, `/\`) || got == ".." {
			t.Errorf("decode(%q) = %q, which no parameter may be", in, got)
		}
	})
}

func TestTargetIsTakenAsSent(t *testing.T) {
	tests := map[string]struct {
		path, query string
		ok          bool
	}{
		"/":                    {"/", "", true},
		"/a/b?x=1&y=2":         {"/a/b", "x=1&y=2", true},
		"/a?":                  {"/a", "", true},
		"/a?b?c":               {"/a", "b?c", true},
		"//a/../b":             {"//a/../b", "", true},
		"http://h/a?x=1":       {"/a", "x=1", true},
		"HTTPS://h:1/":         {"/", "", true},
		"http://h":             {"", "", false},
		"ftp://h/a":            {"", "", false},
		"*":                    {"", "", false},
		"host:443":             {"", "", false},
		"":                     {"", "", false},
		"/a#b":                 {"", "", false},
		`\a`:                   {"", "", false},
		"/redirect?to=http://": {"/redirect", "to=http://", true},
	}
	for in, want := range tests {
		path, query, ok := target(in)
		if path != want.path || query != want.query || ok != want.ok {
			t.Errorf("target(%q) = %q, %q, %v, want %q, %q, %v", in, path, query, ok, want.path, want.query, want.ok)
		}
	}
}
