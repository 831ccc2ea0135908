package rest

import (
	"strings"
	"testing"
)

func TestCredentialsComeFromTheirPlacesOnly(t *testing.T) {
	long := strings.Repeat("a", 5000)
	tests := map[string]struct {
		header            string // as "Name: value" lines
		query             string
		token, key, after string // after is the query that is left
		err               error
		headersOnly       bool // keys may not be in the query
		cookies, inCookie bool // tokens may be in the cookie, and this one was
	}{
		"none":                        {},
		"session header":              {header: "Session: tok", token: "tok"},
		"empty session header":        {header: "Session: "},
		"bearer":                      {header: "Authorization: Bearer tok", token: "tok"},
		"bearer in any case":          {header: "authorization: bEARER   tok", token: "tok"},
		"bearer and tab":              {header: "Authorization: Bearer\ttok", token: "tok"},
		"both the same":               {header: "Authorization: Bearer tok\r\nSession: tok", token: "tok"},
		"both different":              {header: "Authorization: Bearer tok\r\nSession: kot", err: errAmbiguous},
		"api key":                     {header: "Authorization: key", key: "key"},
		"api key and session":         {header: "Authorization: key\r\nSession: tok", key: "key", token: "tok"},
		"empty authorization":         {header: "Authorization: "},
		"bearer alone":                {header: "Authorization: Bearer ", token: "Bearer"},
		"two bearers":                 {header: "Authorization: Bearer a, Bearer b", token: "Bearer a, Bearer b"},
		"list of tokens":              {header: "Authorization: Bearer a,b", token: "Bearer a,b"},
		"basic":                       {header: "Authorization: Basic dXNlcjpwYXNz", token: "Basic dXNlcjpwYXNz"},
		"token of any length":         {header: "Session: " + long, token: long[:maxCredential]},
		"key of any length":           {header: "Authorization: " + long, key: long[:maxCredential]},
		"api key in the query":        {query: "apikey=key", key: "key"},
		"amid others":                 {query: "a=1&apikey=k%2By&b=%20", key: "k+y", after: "a=1&b=%20"},
		"spelled otherwise":           {query: "%61pikey=key&a=1", key: "key", after: "a=1"},
		"another name":                {query: "apikeys=1&xapikey=2", after: "apikeys=1&xapikey=2"},
		"the same in both":            {header: "Authorization: key", query: "apikey=key", key: "key"},
		"different in both":           {header: "Authorization: key", query: "apikey=yek", err: errAmbiguous},
		"two in the query":            {query: "apikey=a&apikey=b", err: errAmbiguous},
		"not to be in the query":      {query: "a=1&apikey=key", headersOnly: true, err: errKeyInQuery},
		"not to be there encoded":     {header: "Authorization: key", query: "%61pikey=key", headersOnly: true, err: errKeyInQuery},
		"no key in the query":         {header: "Authorization: key", query: "a=1&apikey=", headersOnly: true, key: "key", after: "a=1"},
		"broken in the query":         {query: "apikey=%zz", err: errBadQuery},
		"broken elsewhere":            {query: "x=%zz", after: "x=%zz"},
		"session token in the query":  {query: "access_token=tok&session=tok", after: "access_token=tok&session=tok"},
		"session token in the cookie": {header: "Cookie: __Host-session=tok"},
		"cookie":                      {header: "Cookie: a=b; __Host-session=tok; c", cookies: true, token: "tok", inCookie: true},
		"cookie of another name":      {header: "Cookie: session=tok; __host-session=tok", cookies: true},
		"empty cookie":                {header: "Cookie: __Host-session=", cookies: true},
		"cookie and the same token":   {header: "Cookie: __Host-session=tok\r\nSession: tok", cookies: true, token: "tok"},
		"cookie and another token":    {header: "Cookie: __Host-session=tok\r\nAuthorization: Bearer kot", cookies: true, err: errAmbiguous},
		"cookie and an API key":       {header: "Cookie: __Host-session=tok\r\nAuthorization: key", cookies: true, token: "tok", key: "key", inCookie: true},
		"two cookies":                 {header: "Cookie: __Host-session=a; __Host-session=b", cookies: true, err: errAmbiguous},
		"two cookie headers":          {header: "Cookie: __Host-session=a\r\nCookie: __Host-session=b", cookies: true, err: errAmbiguous},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := head{raw: tt.header + "\r\n\r\n"}
			if err := h.read(); err != nil {
				t.Fatalf("read(%q) = %v", tt.header, err)
			}
			got, err := places{keyInQuery: !tt.headersOnly, cookie: tt.cookies}.credentials(&h, tt.query)
			if got != (given{tt.token, tt.key, tt.after, tt.inCookie}) || err != tt.err {
				t.Errorf("credentials(%q, %q) = %+v, %v, want %q, %q, %q, %t, %v", tt.header, tt.query, got, err, tt.token, tt.key, tt.after, tt.inCookie, tt.err)
			}
		})
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add("Bearer tok", "tok", "a=1&apikey=k")
	f.Add("key", "", "%61pikey=%zz")
	f.Fuzz(func(t *testing.T, authorization, session, query string) {
		h := head{authorization: strings.TrimSpace(authorization), session: strings.TrimSpace(session)}
		g, err := places{keyInQuery: true}.credentials(&h, query)
		if err != nil {
			return
		}
		if len(g.token) > maxCredential || len(g.key) > maxCredential {
			t.Errorf("credentials(%q) = %d and %d bytes, want at most %d", authorization, len(g.token), len(g.key), maxCredential)
		}
		if _, again, err := takeKey(g.query); again != "" || err != nil {
			t.Errorf("the query %q of %q still has the key %q", g.query, query, again)
		}
	})
}
