package rest

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

// What two readers of the same bytes could take for different requests is
// refused, once, and the connection ends: nothing behind it is ever read as a
// request.
func TestNothingIsSmuggled(t *testing.T) {
	const get, post = "GET /me HTTP/1.1\r\nHost: h\r\n", "POST /in HTTP/1.1\r\nHost: h\r\n"
	const asJSON = "Content-Type: application/json\r\n"
	const smuggled = "GET /me HTTP/1.1\r\nHost: h\r\n\r\n"
	tests := map[string]struct {
		raw    string
		status []int // any of them; none is for a connection closed without a word
	}{
		"length and chunks":           {post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"chunks and length":           {post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1e\r\n" + smuggled + "\r\n0\r\n\r\n", []int{400}},
		"two lengths":                 {post + "Content-Length: 0\r\nContent-Length: 30\r\n\r\n" + smuggled, []int{400}},
		"two equal lengths":           {post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + smuggled, []int{400}},
		"list of lengths":             {post + "Content-Length: 3, 3\r\n\r\nabc" + smuggled, []int{400}},
		"signed length":               {post + "Content-Length: +3\r\n\r\nabc" + smuggled, []int{400}},
		"negative length":             {post + "Content-Length: -1\r\n\r\n" + smuggled, []int{400}},
		"hexadecimal length":          {post + "Content-Length: 0x3\r\n\r\nabc" + smuggled, []int{400}},
		"empty length":                {post + "Content-Length: \r\n\r\n" + smuggled, []int{400}},
		"length beyond 64 bits":       {post + "Content-Length: 18446744073709551619\r\n\r\nabc" + smuggled, []int{400, 413}},
		"length with an underscore":   {post + "Content-Length: 1_0\r\n\r\nabc" + smuggled, []int{400}},
		"unknown encoding":            {post + "Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + smuggled, []int{400, 501}},
		"identity encoding":           {post + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc" + smuggled, []int{400}},
		"identity alone":              {post + "Transfer-Encoding: identity\r\n\r\n" + smuggled, []int{400}},
		"two encodings":               {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"list of encodings":           {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}},
		"tab before chunked":          {post + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"folded encoding":             {post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"chunks on HTTP/1.0":          {"POST /in HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"bare LF in a chunk's line":   {post + "Transfer-Encoding: chunked\r\n\r\n3;\nabc\r\n0\r\n\r\n" + smuggled, []int{400, 408}},
		"huge chunk":                  {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc" + smuggled, []int{400, 413}},
		"negative chunk":              {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n" + smuggled, []int{400}},
		"chunk longer than it says":   {post + asJSON + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n" + smuggled, []int{400}},
		"forbidden trailer":           {post + asJSON + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer tok\r\n\r\n" + smuggled, []int{400}},
		"no host":                     {"GET /me HTTP/1.1\r\n\r\n" + smuggled, []int{400}},
		"two hosts":                   {get + "Host: other\r\n\r\n" + smuggled, []int{400}},
		"NUL in a value":              {get + "Authorization: Bearer tok\x00x\r\n\r\n" + smuggled, []int{400}},
		"CR in a name":                {get + "A\rB: x\r\n\r\n" + smuggled, []int{400}},
		"CR in a value":               {get + "A: x\rB: y\r\n\r\n" + smuggled, []int{400}},
		"bare LF ends a line":         {get + "A: x\nB: y\r\n\r\n" + smuggled, []int{400}},
		"bare LF ends the header":     {get + "A: x\r\n\n" + smuggled, []int{400}},
		"folded line":                 {get + "A: x\r\n y\r\n\r\n" + smuggled, []int{400}},
		"folded session":              {get + "Session: tok\r\n\tmore\r\n\r\n" + smuggled, []int{400}},
		"space before the colon":      {get + "Authorization : Bearer tok\r\n\r\n" + smuggled, []int{400}},
		"space in a name":             {get + "Content Length: 3\r\n\r\n" + smuggled, []int{400}},
		"space before the first name": {"GET /me HTTP/1.1\r\n Host: h\r\n\r\n" + smuggled, []int{400}},
		"no name":                     {get + ": x\r\n\r\n" + smuggled, []int{400}},
		"no colon":                    {get + "Authorization\r\n\r\n" + smuggled, []int{400}},
		"unknown version":             {"GET /me HTTP/9.9\r\nHost: h\r\n\r\n" + smuggled, []int{400, 505}},
		"HTTP/1.2":                    {"GET /me HTTP/1.2\r\nHost: h\r\n\r\n" + smuggled, []int{400, 505}},
		"HTTP/0.9":                    {"GET /me\r\n\r\n" + smuggled, []int{400, 505}},
		"spaces around the target":    {"GET  /me  HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled, []int{400}},
		"tab for a space":             {"GET\t/me HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled, []int{400}},
		"NUL in the target":           {"GET /me\x00 HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled, []int{400}},
		"HTTP/2 preface":              {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{0, 400, 505}},
		"TLS hello":                   {"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + strings.Repeat("\x00", 200), []int{0, 400, 408}},
		"two content types":           {post + asJSON + asJSON + "Content-Length: 2\r\n\r\n{}" + smuggled, []int{400}},
		"two expectations":            {post + "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}" + smuggled, []int{400}},
	}
	var called atomic.Int32
	count := func(context.Context, *endpoint.Request) (engine.Answer, error) {
		called.Add(1)
		return engine.Answer{Status: 200, Body: []byte("{}")}, nil
	}
	_, addr := start(t, Options{ReadTimeout: time.Second}, fake{method: "GET", path: "/me", call: count},
		fake{method: "POST", path: "/in", max: 1000, call: count})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := called.Load()
			raw := talk(t, addr, tt.raw)
			raw = strings.TrimPrefix(raw, "HTTP/1.1 100 Continue\r\n\r\n")
			answers := statusLine.FindAllStringSubmatch(raw, -1)
			status := 0
			if len(answers) > 0 {
				status, _ = strconv.Atoi(answers[0][1]) // three digits
			}
			accepted := false
			for _, s := range tt.status {
				accepted = accepted || s == status
			}
			if !accepted || len(answers) > 1 || called.Load() != before {
				t.Errorf("%q = %q after %d calls, want one of %v and no call", tt.raw, raw, called.Load()-before, tt.status)
			}
			if status == 0 {
				return
			}
			got := parse(t, raw)
			got.code(t)
			if got.get("Connection") != "close" || strings.Contains(raw, "contents:") {
				t.Errorf("%q = %q, want Connection: close and nothing of what was sent", tt.raw, raw)
			}
		})
	}
}

// The table above refuses by the dozen; this is what must still go through.
func TestOrdinaryRequestsAreNotRefused(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "GET", path: "/me"}, fake{method: "POST", path: "/in", max: 1000})
	tests := map[string]string{
		"HTTP/1.0":           "GET /me HTTP/1.0\r\n\r\n",
		"HTTP/1.0 with host": "GET /me HTTP/1.0\r\nHost: h\r\n\r\n",
		"absolute form":      "GET http://h/me HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"no space, no value": "GET /me HTTP/1.1\r\nHost:h\r\nConnection:close\r\nX:\r\n\r\n",
		"empty line before":  "\r\nGET /me HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"two of a kind":      "GET /me HTTP/1.1\r\nHost: h\r\nAccept: a\r\nAccept: b\r\nConnection: close\r\n\r\n",
		"text beyond ASCII":  "GET /me HTTP/1.1\r\nHost: h\r\nX: caf\xc3\xa9\r\nConnection: close\r\n\r\n",
		"an allowed trailer": "POST /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: 1\r\n\r\n",
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, talk(t, addr, raw)); got.status != 200 {
				t.Errorf("%q = %d %s, want 200", raw, got.status, got.body)
			}
		})
	}
}

func FuzzHead(f *testing.F) {
	f.Add("Host: h\r\nSession: tok\r\n\r\n")
	f.Add("A: x\r\n y\r\n\r\n")
	f.Add("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		h := head{raw: raw}
		if h.read() != nil {
			return
		}
		for name, want := range map[string]string{"session": h.session, "AUTHORIZATION": h.authorization, "Content-Type": h.contentType, "origin": h.origin} {
			got := h.values(name)
			if len(got) > 1 || strings.Join(got, "") != want {
				t.Errorf("%s of %q = %q, want %q once", name, raw, got, want)
			}
		}
	})
}

// A response that refuses a body must reach a client that is still sending it.
func TestRefusalsReachClientsThatAreStillSending(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "POST", path: "/in", max: 1000})
	c := dial(t, addr)
	io.WriteString(c, "POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n")
	chunk := strings.Repeat("x", 100_000)
	for range 80 {
		if _, err := io.WriteString(c, chunk); err != nil {
			t.Fatalf("sending the body: %v, want it taken until the response is read", err)
		}
	}
	raw, err := io.ReadAll(c)
	if got := parse(t, string(raw)); err != nil || got.status != 413 || got.code(t) != "body_too_large" {
		t.Errorf("a body of 8 MB = %d %s, %v, want 413 body_too_large", got.status, got.body, err)
	}
}
