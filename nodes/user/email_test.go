package user

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEmailKey(t *testing.T) {
	local64, label63 := strings.Repeat("a", 64), strings.Repeat("a", 63)
	tests := map[string]struct{ in, display, key string }{
		"plain":             {"ada@example.com", "ada@example.com", "ada@example.com"},
		"case":              {"Ada.Lovelace@Example.COM", "Ada.Lovelace@Example.COM", "ada.lovelace@example.com"},
		"signs":             {"a!#$%&'*+-/=?^_`{|}~b@x.org", "a!#$%&'*+-/=?^_`{|}~b@x.org", "a!#$%&'*+-/=?^_`{|}~b@x.org"},
		"tags differ":       {"ada+sluice@example.com", "ada+sluice@example.com", "ada+sluice@example.com"},
		"decomposed":        {"cafe\u0301@example.com", "café@example.com", "café@example.com"},
		"full width":        {"\uff41dmin\uff20example.com", "admin@example.com", "admin@example.com"},
		"ligature":          {"o\ufb03ce@example.com", "office@example.com", "office@example.com"},
		"Kelvin sign":       {"mi\u212ae@example.com", "miKe@example.com", "mike@example.com"},
		"long s":            {"micha\u017f@example.com", "michas@example.com", "michas@example.com"},
		"dotless i":         {"m\u0131ke@example.com", "m\u0131ke@example.com", "m\u0131ke@example.com"},
		"dotted capital I":  {"m\u0130ke@example.com", "m\u0130ke@example.com", "mi\u0307ke@example.com"},
		"sharp s":           {"Straße@example.com", "Straße@example.com", "strasse@example.com"},
		"final sigma":       {"ΟΔΟΣ@example.com", "ΟΔΟΣ@example.com", "οδοσ@example.com"},
		"Cherokee":          {"ᎠᏍᎦ@example.com", "ᎠᏍᎦ@example.com", "ꭰꮝꭶ@example.com"},
		"Cherokee, small":   {"ꭰꮝꭶ@example.com", "ꭰꮝꭶ@example.com", "ꭰꮝꭶ@example.com"},
		"Cyrillic":          {"Юрий@пример.рф", "Юрий@пример.рф", "юрий@xn--e1afmkfd.xn--p1ai"},
		"Han":               {"用户@例子.广告", "用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"},
		"domain of Unicode": {"mike@EXÄMPLE.com", "mike@EXÄMPLE.com", "mike@xn--exmple-cua.com"},
		"domain of ASCII":   {"mike@xn--exmple-cua.com", "mike@xn--exmple-cua.com", "mike@xn--exmple-cua.com"},
		"longest":           {local64 + "@" + label63 + "." + label63 + ".com", local64 + "@" + label63 + "." + label63 + ".com", local64 + "@" + label63 + "." + label63 + ".com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			display, key, err := EmailKey(tt.in)
			if err != nil || display != tt.display || key != tt.key {
				t.Errorf("EmailKey(%q) = %q, %q, %v, want %q, %q, nil", tt.in, display, key, err, tt.display, tt.key)
			}
		})
	}
}

func TestEmailKeyRefusesWhatCannotBeOne(t *testing.T) {
	for name, in := range map[string]string{
		"empty":                 "",
		"no at":                 "ada.example.com",
		"two ats":               "ada@b@example.com",
		"second at, full width": "ada@b\uff20example.com",
		"no local part":         "@example.com",
		"no domain":             "ada@",
		"one label":             "root@localhost",
		"trailing dot":          "ada@example.com.",
		"empty label":           "ada@example..com",
		"IP literal":            "mike@[127.0.0.1]",
		"IPv6 literal":          "mike@[IPv6:::1]",
		"IP address":            "mike@127.0.0.1",
		"quoted":                `"mi ke"@example.com`,
		"quoted at":             `"a@b"@example.com`,
		"leading dot":           ".ada@example.com",
		"trailing local dot":    "ada.@example.com",
		"two dots":              "a..da@example.com",
		"two-dot leader":        "a\u2025da@example.com",
		"space":                 "a da@example.com",
		"surrounding space":     " ada@example.com",
		"no-break space":        "a\u00a0da@example.com",
		"ideographic space":     "a\u3000da@example.com",
		"tab":                   "mike\t@example.com",
		"header injection":      "mike@example.com\r\nBcc: evil@x.org",
		"NUL":                   "mike\x00@example.com",
		"C1 control":            "mike\u0085@example.com",
		"zero-width space":      "mike\u200b@example.com",
		"zero-width joiner":     "mi\u200dke@example.com",
		"right-to-left":         "mike\u202e@example.com",
		"isolate":               "mike\u2066@example.com",
		"soft hyphen":           "mi\u00adke@example.com",
		"byte order mark":       "\ufeffmike@example.com",
		"variation selector":    "mike\ufe0f@example.com",
		"grapheme joiner":       "mi\u034fke@example.com",
		"Hangul filler":         "mike\u3164@example.com",
		"half-width filler":     "mike\uffa0@example.com",
		"tag character":         "mike\U000e0041@example.com",
		"noncharacter":          "mike\ufffe@example.com",
		"leading mark":          "\u0301ada@example.com",
		"mark behind a dot":     "a.\u0301da@example.com",
		"symbol":                "a\u2260da@example.com",
		"emoji":                 "\U0001f600@example.com",
		"angle brackets":        "<ada@example.com>",
		"list":                  "ada@example.com,bob@example.com",
		"invalid UTF-8":         "ad\xff@example.com",
		"underscore in domain":  "ada@exa_mple.com",
		"hyphen at an end":      "ada@-example.com",
		"broken punycode":       "ada@xn--a.com",
		"joiner in the domain":  "ada@exam\u200dple.com",
		"long local part":       strings.Repeat("a", 65) + "@example.com",
		"long label":            "ada@" + strings.Repeat("a", 64) + ".com",
		"long":                  strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 95) + "com",
		"long when folded":      strings.Repeat("\ufb03", 22) + "@example.com",
		"very long":             strings.Repeat("a", 1<<20) + "@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			if display, key, err := EmailKey(in); !errors.Is(err, ErrNoAddress) {
				t.Errorf("EmailKey(%.80q) = %q, %q, %v, want %v", in, display, key, err, ErrNoAddress)
			}
		})
	}
}

func FuzzEmailKey(f *testing.F) {
	for _, seed := range []string{
		"Ada@Example.com", "cafe\u0301@EXÄMPLE.com", "m\u0130ke@x.org", "\uff41@\uff42.c", "ß@ß.de", "ΟΔΟΣ@ς.gr", "a@xn--a.com", "\u1e9e\u0345@x.org", "ǰ\u0323@x.org", "Ꭰꭰ@x.org",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		display, key, err := EmailKey(in)
		if err != nil {
			return
		}
		for _, again := range []string{key, display} {
			_, k, err := EmailKey(again)
			if err != nil || k != key {
				t.Errorf("EmailKey(%q) = %q, %v, want the key %q of %q", again, k, err, key, in)
			}
		}
		if strings.Count(key, "@") != 1 || len(key) > maxAddress || strings.ContainsFunc(key, unseen) {
			t.Errorf("EmailKey(%q) = %q, want one @, at most %d bytes and nothing unseen", in, key, maxAddress)
		}
		if _, domain, _ := strings.Cut(key, "@"); strings.ContainsFunc(domain, func(r rune) bool { return r > '~' || r >= 'A' && r <= 'Z' }) {
			t.Errorf("EmailKey(%q) = %q, want a domain of lower-case ASCII", in, key)
		}
	})
}

func ExampleEmailKey() {
	for _, address := range []string{"Ada@Example.com", "ada@EXÄMPLE.com", "ada@localhost"} {
		display, key, err := EmailKey(address)
		fmt.Println(display, key, err)
	}
	// Output:
	// Ada@Example.com ada@example.com <nil>
	// ada@EXÄMPLE.com ada@xn--exmple-cua.com <nil>
	//   not an e-mail address
}
