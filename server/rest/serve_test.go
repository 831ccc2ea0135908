package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

// echoed is what echo answers.
type echoed struct {
	Params                                 []string
	Query, Body, Token, Key, IP, UserAgent string
	X                                      []string
}

func TestEndpointsGetWhatWasSent(t *testing.T) {
	_, addr := start(t, Options{KeyInQuery: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
		fake{method: "PUT", path: "/users/{id}/orders/{order}", max: 1000, call: echo})
	got := ask(t, addr, "PUT", "/users/caf%C3%A9/orders/7?a=1&apikey=k&b=%26",
		"Content-Type: application/json\r\nSession: tok\r\nUser-Agent: test/1\r\nX-Test: 1\r\nx-test:2\r\nX-Forwarded-For: 192.0.2.7", `{"n":1}`)
	var have echoed
	if err := json.Unmarshal([]byte(got.body), &have); err != nil || got.status != 200 {
		t.Fatalf("PUT = %d %s, %v", got.status, got.body, err)
	}
	want := echoed{Params: []string{"café", "7"}, Query: "a=1&b=%26", Body: `{"n":1}`, Token: "tok", Key: "k",
		IP: "192.0.2.7", UserAgent: "test/1", X: []string{"1", "2"}}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("the endpoint got %+v, want %+v", have, want)
	}
}

func TestRequestsThatNoEndpointSees(t *testing.T) {
	unseen := func(context.Context, *endpoint.Request) (engine.Answer, error) {
		t.Error("the endpoint was called")
		return engine.Answer{Status: 200}, nil
	}
	_, addr := start(t, Options{BodyLimit: 3000},
		fake{method: "POST", path: "/in", max: 1000, call: unseen},
		fake{method: "GET", path: "/in", call: unseen},
		fake{method: "DELETE", path: "/users/{id}", call: unseen},
		fake{method: "POST", path: "/large", max: 1 << 20, call: unseen})
	const asJSON = "Content-Type: application/json"
	tests := map[string]struct {
		method, path, lines, body string
		status                    int
		code                      string
		allow                     string
	}{
		"unknown path":             {method: "GET", path: "/out", status: 404, code: "not_found"},
		"unknown path with a body": {method: "POST", path: "/out", lines: asJSON, body: strings.Repeat("1", 1001), status: 404, code: "not_found"},
		"wrong method":             {method: "PUT", path: "/in", status: 405, code: "method_not_allowed", allow: "GET, HEAD, OPTIONS, POST"},
		"trace":                    {method: "TRACE", path: "/in", status: 405, code: "method_not_allowed", allow: "GET, HEAD, OPTIONS, POST"},
		"connect":                  {method: "CONNECT", path: "/in", status: 405, code: "method_not_allowed", allow: "GET, HEAD, OPTIONS, POST"},
		"connect to elsewhere":     {method: "CONNECT", path: "example.com:443", status: 400, code: "bad_path"},
		"unknown method":           {method: "PROPFIND", path: "/in", status: 501, code: "method_unknown"},
		"method in small letters":  {method: "get", path: "/in", status: 501, code: "method_unknown"},
		"method override":          {method: "PUT", path: "/in", lines: "X-HTTP-Method-Override: GET", status: 405, code: "method_not_allowed", allow: "GET, HEAD, OPTIONS, POST"},
		"options of the server":    {method: "OPTIONS", path: "*", status: 400, code: "bad_path"},

		"capital letters":       {method: "GET", path: "/IN", status: 404, code: "not_found"},
		"trailing slash":        {method: "GET", path: "/in/", status: 404, code: "not_found"},
		"doubled slash":         {method: "GET", path: "//in", status: 404, code: "not_found"},
		"dot segments":          {method: "GET", path: "/x/../in", status: 404, code: "not_found"},
		"one dot":               {method: "GET", path: "/./in", status: 404, code: "not_found"},
		"encoded slash":         {method: "GET", path: "/%2fin", status: 404, code: "not_found"},
		"encoded letter":        {method: "GET", path: "/%69n", status: 404, code: "not_found"},
		"encoded twice":         {method: "GET", path: "/%2569%256e", status: 404, code: "not_found"},
		"NUL":                   {method: "GET", path: "/in%00", status: 404, code: "not_found"},
		"bad escape":            {method: "GET", path: "/in%zz", status: 404, code: "not_found"},
		"overlong":              {method: "GET", path: "/in%c0%af", status: 404, code: "not_found"},
		"semicolon":             {method: "GET", path: "/in;a=b", status: 404, code: "not_found"},
		"fragment":              {method: "GET", path: "/in#x", status: 400, code: "bad_path"},
		"dots as a value":       {method: "DELETE", path: "/users/..", status: 400, code: "bad_path"},
		"slash in a value":      {method: "DELETE", path: "/users/a%2Fb", status: 400, code: "bad_path"},
		"NUL in a value":        {method: "DELETE", path: "/users/a%00", status: 400, code: "bad_path"},
		"bad escape in a value": {method: "DELETE", path: "/users/%", status: 400, code: "bad_path"},

		"no media type":          {method: "POST", path: "/in", body: "{}", status: 415, code: "unsupported_media_type"},
		"text":                   {method: "POST", path: "/in", lines: "Content-Type: text/plain", body: "{}", status: 415, code: "unsupported_media_type"},
		"form":                   {method: "POST", path: "/in", lines: "Content-Type: application/x-www-form-urlencoded", body: "a=1", status: 415, code: "unsupported_media_type"},
		"multipart":              {method: "POST", path: "/in", lines: "Content-Type: multipart/form-data; boundary=x", body: "--x--", status: 415, code: "unsupported_media_type"},
		"near to JSON":           {method: "POST", path: "/in", lines: "Content-Type: application/jsonfoo", body: "{}", status: 415, code: "unsupported_media_type"},
		"another charset":        {method: "POST", path: "/in", lines: "Content-Type: application/json; charset=utf-7", body: "{}", status: 415, code: "unsupported_media_type"},
		"another parameter":      {method: "POST", path: "/in", lines: "Content-Type: application/json\t;x", body: "{}", status: 415, code: "unsupported_media_type"},
		"empty parameters":       {method: "POST", path: "/in", lines: "Content-Type: APPLICATION/JSON;;", body: "{}", status: 415, code: "unsupported_media_type"},
		"anything":               {method: "POST", path: "/in", lines: "Content-Type: */*", body: "{}", status: 415, code: "unsupported_media_type"},
		"gzip":                   {method: "POST", path: "/in", lines: asJSON + "\r\nContent-Encoding: gzip", body: "{}", status: 415, code: "unsupported_encoding"},
		"identity":               {method: "POST", path: "/in", lines: asJSON + "\r\nContent-Encoding: identity", body: "{}", status: 415, code: "unsupported_encoding"},
		"gzip twice":             {method: "POST", path: "/in", lines: asJSON + "\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip", body: "{}", status: 415, code: "unsupported_encoding"},
		"larger than it takes":   {method: "POST", path: "/in", lines: asJSON, body: strings.Repeat("1", 1001), status: 413, code: "body_too_large"},
		"where none is taken":    {method: "GET", path: "/in", lines: asJSON, body: "1", status: 413, code: "body_too_large"},
		"larger than the server": {method: "POST", path: "/large", lines: asJSON, body: strings.Repeat("1", 3001), status: 413, code: "body_too_large"},
		"far larger":             {method: "POST", path: "/large", lines: asJSON, body: strings.Repeat("1", 6_000_000), status: 413, code: "body_too_large"},
		"long header":            {method: "GET", path: "/in", lines: "X: " + strings.Repeat("x", 9000), status: 431, code: "headers_too_large"},
		"another expectation":    {method: "POST", path: "/in", lines: "Expect: wonders", status: 417, code: "expectation_failed"},

		"two content types":   {method: "POST", path: "/in", lines: asJSON + "\r\ncontent-type: text/plain", body: "{}", status: 400, code: "duplicate_header"},
		"two authorizations":  {method: "GET", path: "/in", lines: "Authorization: Bearer a\r\nAuthorization: Bearer a", status: 400, code: "duplicate_header"},
		"two sessions":        {method: "GET", path: "/in", lines: "Session: a\r\nSession: b", status: 400, code: "duplicate_header"},
		"two tokens":          {method: "GET", path: "/in", lines: "Session: a\r\nAuthorization: Bearer b", status: 400, code: "ambiguous_credentials"},
		"a key in the query":  {method: "GET", path: "/in?apikey=a", status: 400, code: "key_in_query"},
		"two keys":            {method: "GET", path: "/in?apikey=a&apikey=b", status: 400, code: "ambiguous_credentials"},
		"a key badly spelled": {method: "GET", path: "/in?apikey=%", status: 400, code: "bad_query"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(t, addr, tt.method, tt.path, tt.lines, tt.body)
			if got.status != tt.status || got.code(t) != tt.code || got.get("Allow") != tt.allow {
				t.Errorf("%s %s = %d %s, Allow: %s, want %d %s, Allow: %s",
					tt.method, tt.path, got.status, got.body, got.get("Allow"), tt.status, tt.code, tt.allow)
			}
		})
	}
}

func TestMediaTypesThatAreJSON(t *testing.T) {
	tests := map[string]bool{
		"application/json":                   true,
		"Application/JSON":                   true,
		"application/json; charset=utf-8":    true,
		"application/json;charset=UTF-8":     true,
		`application/json ; CHARSET="utf-8"`: true,
		"application/json;":                  false,
		"application/json; charset=":         false,
		"application/json; charset=utf-8;":   false,
		"application/json; charset=utf-16":   false,
		"application/json, text/plain":       false,
		"application/vnd.api+json":           false,
		"text/json":                          false,
		"":                                   false,
	}
	for in, want := range tests {
		if got := isJSON(in); got != want {
			t.Errorf("isJSON(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestBodiesArriveHoweverTheyAreSent(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "POST", path: "/in", max: 100, call: echo}, fake{method: "DELETE", path: "/in", max: 100, call: echo})
	const head = " /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	tests := map[string]struct{ raw, want string }{
		"with a length":         {"POST" + head + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "{}"},
		"in chunks":             {"POST" + head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}"},
		"on a DELETE":           {"DELETE" + head + "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}", "{}"},
		"none":                  {"POST" + head + "\r\n", ""},
		"none, and it says so":  {"POST" + head + "Content-Length: 0\r\n\r\n", ""},
		"none, in chunks":       {"POST" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
		"after a 100, continue": {"POST" + head + "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "{}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := parse(t, strings.TrimPrefix(talk(t, addr, tt.raw), "HTTP/1.1 100 Continue\r\n\r\n"))
			var have echoed
			if err := json.Unmarshal([]byte(got.body), &have); err != nil || got.status != 200 || have.Body != tt.want {
				t.Errorf("body %s = %d %q, want 200 and %q", name, got.status, got.body, tt.want)
			}
		})
	}
}

func TestAnswersAsTheyGoOut(t *testing.T) {
	answering := func(a engine.Answer) func(context.Context, *endpoint.Request) (engine.Answer, error) {
		return func(context.Context, *endpoint.Request) (engine.Answer, error) { return a, nil }
	}
	_, addr := start(t, Options{Origins: []string{"https://app.example.com"}},
		fake{method: "GET", path: "/plain"},
		fake{method: "GET", path: "/empty", call: answering(engine.Answer{Status: 204, Body: []byte("ignored")})},
		fake{method: "GET", path: "/401", call: answering(engine.Answer{Status: 401, Body: []byte("{}")})},
		fake{method: "GET", path: "/page", call: answering(engine.Answer{Status: 200, Body: []byte("<p>"), Headers: []engine.Header{
			{Name: "content-type", Value: "text/html"}, {Name: "Cache-Control", Value: "max-age=1"},
			{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}, {Name: "Link", Value: "<1>"}, {Name: "Link", Value: "<2>"}, {Name: "Vary", Value: "Accept"}}})},
		fake{method: "GET", path: "/split", call: answering(engine.Answer{Status: 200, Headers: []engine.Header{{Name: "X", Value: "1\r\nY: 2"}}})},
		fake{method: "GET", path: "/name", call: answering(engine.Answer{Status: 200, Headers: []engine.Header{{Name: "X:Y", Value: "1"}}})},
		fake{method: "GET", path: "/frame", call: answering(engine.Answer{Status: 200, Headers: []engine.Header{{Name: "content-LENGTH", Value: "1"}}})},
		fake{method: "GET", path: "/status", call: answering(engine.Answer{})},
	)

	got := ask(t, addr, "GET", "/plain", "", "")
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'", "Server": "", "Content-Length": "2", "Vary": "Origin"} {
		if got.get(name) != want {
			t.Errorf("GET /plain %s: %q, want %q", name, got.get(name), want)
		}
	}
	if head := ask(t, addr, "HEAD", "/plain", "", ""); head.status != 200 || head.body != "" || head.get("Content-Length") != "2" {
		t.Errorf("HEAD /plain = %d %q of %s bytes, want 200 without the body of 2", head.status, head.body, head.get("Content-Length"))
	}
	if head := ask(t, addr, "HEAD", "/nowhere", "", ""); head.status != 404 || head.body != "" {
		t.Errorf("HEAD /nowhere = %d %q, want 404 without a body", head.status, head.body)
	}
	if opt := ask(t, addr, "OPTIONS", "/plain", "", ""); opt.status != 204 || opt.body != "" || opt.get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("OPTIONS /plain = %d %q, Allow: %s, want 204, GET, HEAD, OPTIONS", opt.status, opt.body, opt.get("Allow"))
	}
	if empty := ask(t, addr, "GET", "/empty", "", ""); empty.status != 204 || empty.body != "" || empty.get("Content-Type") != "" {
		t.Errorf("GET /empty = %d %q as %q, want 204 without body or type", empty.status, empty.body, empty.get("Content-Type"))
	}
	if got := ask(t, addr, "GET", "/401", "", "").get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("GET /401 WWW-Authenticate: %q, want Bearer", got)
	}
	page := ask(t, addr, "GET", "/page", "", "")
	if page.get("Content-Type") != "text/html" || page.get("Cache-Control") != "max-age=1" || page.get("Set-Cookie") != "a=1 | b=2" || page.get("Link") != "<1> | <2>" || page.get("Vary") != "Origin | Accept" {
		t.Errorf("GET /page = %s, want its own headers in place of the defaults", page.header)
	}
	for _, path := range []string{"/split", "/name", "/frame", "/status"} {
		if got := ask(t, addr, "GET", path, "", ""); got.status != 500 || got.code(t) != "internal_error" || got.get("Y") != "" {
			t.Errorf("GET %s = %d %s, want 500 and nothing of the answer", path, got.status, got.header)
		}
	}
}

func TestBrowsersOfAllowedOriginsMayCall(t *testing.T) {
	const origin = "https://app.example.com"
	tests := map[string]struct {
		origins []string
		sent    string
		want    string
	}{
		"none allowed":   {nil, origin, ""},
		"allowed":        {[]string{"https://b.example", origin}, origin, origin},
		"all allowed":    {[]string{"*"}, origin, origin},
		"suffix":         {[]string{origin}, origin + ".evil.com", ""},
		"another scheme": {[]string{origin}, "http://app.example.com", ""},
		"null":           {[]string{"*"}, "null", ""},
		"no browser":     {[]string{"*"}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, addr := start(t, Options{Origins: tt.origins}, fake{method: "POST", path: "/in", max: 10})
			lines := "Origin: " + tt.sent
			if tt.sent == "" {
				lines = "X: 1"
			}
			for _, tc := range []struct {
				method, path, body string
				status             int
			}{{"POST", "/in", "", 200}, {"POST", "/in", strings.Repeat("x", 100), 413}, {"GET", "/out", "", 404}} {
				got := ask(t, addr, tc.method, tc.path, lines, tc.body)
				if got.status != tc.status || got.get("Access-Control-Allow-Origin") != tt.want {
					t.Errorf("%s %s from %q = %d, allowed %q, want %d, allowed %q", tc.method, tc.path, tt.sent, got.status,
						got.get("Access-Control-Allow-Origin"), tc.status, tt.want)
				}
			}
			pre := ask(t, addr, "OPTIONS", "/in", lines+"\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: session, x-client-key", "")
			methods, headers := "", ""
			if tt.want != "" {
				methods, headers = "OPTIONS, POST", "session, x-client-key"
			}
			if pre.status != 204 || pre.get("Access-Control-Allow-Methods") != methods || pre.get("Access-Control-Allow-Headers") != headers {
				t.Errorf("preflight from %q = %s, want 204, methods %q, headers %q", tt.sent, pre.header, methods, headers)
			}
		})
	}
}

// Buffers are reused from request to request: whatever an endpoint keeps must
// still be its own caller's afterwards.
func TestRequestsNeverMix(t *testing.T) {
	var mu sync.Mutex
	var kept []*endpoint.Request
	_, addr := start(t, Options{}, fake{method: "POST", path: "/users/{id}", max: 1000,
		call: func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
			mu.Lock()
			kept = append(kept, r)
			mu.Unlock()
			return echo(ctx, r)
		}})
	const clients, requests = 16, 40
	var wg sync.WaitGroup
	for i := range clients {
		c := dial(t, addr)
		wg.Go(func() {
			who := strings.Repeat(string(rune('a'+i)), 5+i)
			for range requests {
				fmt.Fprintf(c, "POST /users/%s?q=%s HTTP/1.1\r\nHost: h\r\nSession: %s\r\nAuthorization: %s\r\nUser-Agent: %s\r\n"+
					"X-Test: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", who, who, who, who, who, who, len(who), who)
				buf := make([]byte, 4096)
				n, err := c.Read(buf)
				if err != nil {
					t.Errorf("reading: %v", err)
					return
				}
				if strings.Count(string(buf[:n]), who) != 7 {
					t.Errorf("client %s got %s", who, buf[:n])
				}
			}
		})
	}
	wg.Wait()
	ids := make(map[string]bool)
	for _, r := range kept {
		who := r.Params[0]
		if r.Token != who || r.APIKey != who || r.UserAgent != who || string(r.Body) != who || r.RawQuery != "q="+who || r.Header("X-Test")[0] != who {
			t.Errorf("request of %s became %+v", who, *r)
		}
		ids[r.ID] = true
	}
	if len(ids) != clients*requests {
		t.Errorf("%d requests have %d ids, want one each", clients*requests, len(ids))
	}
}

func TestPipelinedRequestsKeepTheirIdentity(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "GET", path: "/me", call: func(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
		if r.Token == "" {
			return engine.Answer{}, engine.Fail(engine.Unauthenticated, "missing_session_token", "Sign in.")
		}
		return engine.Answer{Status: 200, Body: []byte("{}")}, nil
	}})
	got := talk(t, addr, "GET /me HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer tok\r\n\r\nGET /me HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	var codes []string
	for _, m := range statusLine.FindAllStringSubmatch(got, -1) {
		codes = append(codes, m[1])
	}
	if fmt.Sprint(codes) != "[200 401]" {
		t.Errorf("two requests of which one has a token = %v, want [200 401]", codes)
	}
}

func TestSlowlyArrivingRequestsEnd(t *testing.T) {
	_, addr := start(t, Options{ReadTimeout: 300 * time.Millisecond, IdleTimeout: 300 * time.Millisecond},
		fake{method: "POST", path: "/in", max: 1000})
	tests := map[string]struct {
		first, drip string
	}{
		"silence":             {"", ""},
		"half a header":       {"POST /in HTTP/1.1\r\nHost: h\r\nX: ", ""},
		"half a body":         {"POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", ""},
		"half a chunk":        {"POST /in HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", ""},
		"a header in drips":   {"POST /in HTTP/1.1\r\nHost: h\r\nX: ", "x"},
		"a body in drips":     {"POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n", "1"},
		"TLS on a plain port": {"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			io.WriteString(c, tt.first)
			if tt.drip != "" {
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					for {
						select {
						case <-time.After(50 * time.Millisecond):
							io.WriteString(c, tt.drip) // ends when the server has hung up
						case <-stop:
							return
						}
					}
				}()
			}
			begin := time.Now()
			raw, _ := io.ReadAll(c) // a reset ends it as well
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("%s: closed after %v, want about 300ms", name, took)
			}
			if len(raw) > 0 {
				if got := parse(t, string(raw)); got.status != 408 || got.code(t) != "request_timeout" {
					t.Errorf("%s = %d %s, want 408 request_timeout", name, got.status, got.body)
				}
			}
		})
	}
}
