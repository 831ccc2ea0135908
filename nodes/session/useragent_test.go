package session

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestParseUserAgent(t *testing.T) {
	none := Version{"Other", "0", "0", "0"}
	for header, want := range map[string]UserAgent{
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/105.0.1.2 Safari/537.36": {
			"Chrome", "105", "0", "1", none, Version{"macOS", "10", "15", "7"},
		},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5.1 Mobile/15E148 Safari/604.1": {
			"Safari", "17", "5", "1", Version{"iPhone", "0", "0", "0"}, Version{"iOS", "17", "5", "0"},
		},
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": {
			"Firefox", "128", "0", "0", none, Version{"Linux", "0", "0", "0"},
		},
		"curl/8.5.0":         {"curl", "8", "5", "0", none, none},
		"":                   {"Other", "0", "0", "0", none, none},
		"   ":                {"Other", "0", "0", "0", none, none},
		"\x00\r\n\xff\u202e": {"Other", "0", "0", "0", none, none},
	} {
		if got := ParseUserAgent(header); got != want {
			t.Errorf("ParseUserAgent(%q) = %+v, want %+v", header, got, want)
		}
	}
}

func FuzzParseUserAgent(f *testing.F) {
	for _, seed := range []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5.1 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0.0.0 Mobile", "curl/8.5.0", "a/1;b(c;)/", "\xff\x00/(",
		strings.Repeat("é", 300), strings.Repeat("(", 600), "x/99999999999999999999.1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		ua := ParseUserAgent(header)
		for _, s := range []string{
			ua.Family, ua.Major, ua.Minor, ua.Patch, ua.Device.Family, ua.Device.Major, ua.Device.Minor, ua.Device.Patch,
			ua.OS.Family, ua.OS.Major, ua.OS.Minor, ua.OS.Patch,
		} {
			if s == "" || len(s) > 512 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("ParseUserAgent(%q) = %+v, want every field a short text", header, ua)
			}
		}
	})
}
