package password

import (
	"errors"
	"strings"
	"testing"
)

const salt, key = "c29tZXNhbHRzb21lc2FsdA", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"

func TestParseDigest(t *testing.T) {
	for name, tt := range map[string]struct {
		in string
		ok bool
	}{
		"default":           {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key, true},
		"most":              {"$argon2id$v=19$m=262144,t=16,p=16$" + salt + "$" + key, true},
		"least":             {"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + salt, true},
		"too much memory":   {"$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + key, false},
		"too many passes":   {"$argon2id$v=19$m=19456,t=17,p=1$" + salt + "$" + key, false},
		"too many lanes":    {"$argon2id$v=19$m=19456,t=2,p=17$" + salt + "$" + key, false},
		"huge":              {"$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + salt + "$" + key, false},
		"overflow":          {"$argon2id$v=19$m=4294967304,t=2,p=257$" + salt + "$" + key, false},
		"no memory":         {"$argon2id$v=19$m=0,t=2,p=1$" + salt + "$" + key, false},
		"little for lanes":  {"$argon2id$v=19$m=31,t=2,p=4$" + salt + "$" + key, false},
		"no pass":           {"$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key, false},
		"no lane":           {"$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key, false},
		"negative":          {"$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + key, false},
		"short salt":        {"$argon2id$v=19$m=19456,t=2,p=1$c29tZQ$" + key, false},
		"short key":         {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key[:19], false},
		"no key":            {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$", false},
		"long key":          {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 100), false},
		"1 MiB of salt":     {"$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("A", 1<<20) + "$" + key, false},
		"other version":     {"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key, false},
		"other kind":        {"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key, false},
		"other order":       {"$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + key, false},
		"leading zero":      {"$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key, false},
		"padding":           {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + key, false},
		"loose last bits":   {"$argon2id$v=19$m=19456,t=2,p=1$" + salt[:21] + "B$" + key, false},
		"line end":          {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "\n", false},
		"space in front":    {" $argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key, false},
		"more parts":        {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$", false},
		"more parameters":   {"$argon2id$v=19$m=19456,t=2,p=1,x=1$" + salt + "$" + key, false},
		"bcrypt":            {"$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", false},
		"empty":             {"", false},
		"nothing but signs": {"$$$$$", false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := parseDigest(tt.in)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, errFormat) {
				t.Fatalf("parseDigest(%.80q) = %+v, %v, want ok %t", tt.in, d, err, tt.ok)
			}
			if tt.ok && d.String() != tt.in {
				t.Errorf("parseDigest(%q).String() = %q, want the same", tt.in, d)
			}
		})
	}
}

func FuzzParseDigest(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + salt)
	f.Fuzz(func(t *testing.T, in string) {
		d, err := parseDigest(in)
		if err != nil {
			return
		}
		if d.String() != in {
			t.Errorf("parseDigest(%q).String() = %q, want the same", in, d)
		}
		if d.memory > maxMemory || d.time > maxTime || d.threads > maxThreads || len(d.salt)+len(d.key) > 2*maxBytes {
			t.Errorf("parseDigest(%q) = %+v, want it within bounds", in, d)
		}
	})
}
