package rest

import (
	"net/netip"
	"strings"
	"testing"
)

func FuzzSessionCookie(f *testing.F) {
	f.Add("__Host-session=a; b=c")
	f.Add("__Host-session=a;__Host-session=b")
	f.Add("a=__Host-session=b; =; ;;")
	f.Fuzz(func(t *testing.T, cookies string) {
		cookies = strings.NewReplacer("\r", "", "\n", "").Replace(cookies)
		h := head{raw: "Cookie: " + cookies + "\r\n\r\n"}
		token, err := sessionCookie(&h)
		if strings.ContainsAny(token, ";\r\n") || err != nil && token != "" {
			t.Errorf("sessionCookie(%q) = %q, %v, want a token without the rest", cookies, token, err)
		}
		if token != "" && !strings.Contains(cookies, "__Host-session="+token) {
			t.Errorf("sessionCookie(%q) = %q, want what stands there", cookies, token)
		}
	})
}

func TestPagesAreKnownByWhatBrowsersSay(t *testing.T) {
	s := New(Options{Origins: []string{"https://app.example.com", "*"}, Cookie: "Lax", TrustedProxies: []netip.Prefix{}})
	for name, c := range map[string]struct {
		lines string
		want  page
	}{
		"nothing":                 {"", noPage},
		"own":                     {"Sec-Fetch-Site: same-origin", ownPage},
		"typed":                   {"Sec-Fetch-Site: none", ownPage},
		"neighbour":               {"Sec-Fetch-Site: same-site", otherPage},
		"other":                   {"Sec-Fetch-Site: cross-site", otherPage},
		"said twice":              {"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin", otherPage},
		"own origin":              {"Host: a.example:8443\r\nOrigin: https://A.example:8443", ownPage},
		"own origin without host": {"Origin: https://a.example", otherPage},
		"other port":              {"Host: a.example:8443\r\nOrigin: https://a.example", otherPage},
		"null":                    {"Host: null\r\nOrigin: null", otherPage},
		"named":                   {"Host: a.example\r\nOrigin: https://app.example.com\r\nSec-Fetch-Site: cross-site", ownPage},
		"any, which is none":      {"Host: a.example\r\nOrigin: *", otherPage},
		"other, as if own origin": {"Host: a.example\r\nOrigin: https://a.example\r\nSec-Fetch-Site: cross-site", otherPage},
	} {
		h := head{raw: c.lines + "\r\n\r\n"}
		if err := h.read(); err != nil {
			t.Fatalf("read(%s) = %v, want nil", name, err)
		}
		if got := s.pageOf(&h); got != c.want {
			t.Errorf("pageOf(%s) = %d, want %d", name, got, c.want)
		}
	}
}
