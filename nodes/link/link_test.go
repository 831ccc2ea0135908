package link

import (
	"net/url"
	"testing"
)

func site(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Whatever a path or a value is, a link leads to the site that is set.
func TestMake(t *testing.T) {
	sites := Sites{App: site(t, "https://app.example.com/shop/"), Server: site(t, "https://api.example.com")}
	for name, tt := range map[string]struct {
		sites Sites
		in    makeIn
		want  string
	}{
		"a page":         {sites, makeIn{Page: "/welcome", Query: map[string]any{"status": int64(200), "none": nil}}, "https://app.example.com/shop/welcome?status=200"},
		"a secret":       {sites, makeIn{Page: "welcome", Token: "slc_1", As: "access_token"}, "https://app.example.com/shop/welcome?access_token=slc_1"},
		"an endpoint":    {sites, makeIn{Endpoint: "/_auth/magic-link", Token: "a&b=c", As: "code"}, "https://api.example.com/_auth/magic-link?code=a%26b%3Dc"},
		"another host":   {sites, makeIn{Endpoint: "//evil.example/x"}, "https://api.example.com/evil.example/x"},
		"a whole URL":    {sites, makeIn{Page: "https://evil.example"}, "https://app.example.com/shop/https://evil.example"},
		"line breaks":    {sites, makeIn{Page: "/a b\r\nX: y"}, "https://app.example.com/shop/a%20b%0D%0AX:%20y"},
		"a query inside": {sites, makeIn{Page: "/a?b#c"}, "https://app.example.com/shop/a%3Fb%23c"},
		"no site":        {Sites{}, makeIn{Page: "/a"}, "http://localhost/a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := tt.sites.make(t.Context(), tt.in); err != nil || got.URL != tt.want {
				t.Errorf("make(%+v) = %q, %v, want %q", tt.in, got.URL, err, tt.want)
			}
		})
	}
}
