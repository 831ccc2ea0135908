package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

// fake is an endpoint made of its parts. Without a call it answers 200 and {}.
type fake struct {
	method, path string
	max          int
	call         func(ctx context.Context, r *endpoint.Request) (engine.Answer, error)
}

func (f fake) Method() string { return f.method }
func (f fake) Path() string   { return f.path }
func (f fake) MaxBody() int   { return f.max }

func (f fake) Call(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
	if f.call == nil {
		return engine.Answer{Status: 200, Body: []byte("{}")}, nil
	}
	return f.call(ctx, r)
}

// echo answers what its request holds.
func echo(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	body, err := json.Marshal(map[string]any{
		"params": r.Params, "query": r.RawQuery, "body": string(r.Body), "token": r.Token, "key": r.APIKey,
		"ip": r.IP.String(), "userAgent": r.UserAgent, "x": r.Header("x-test"),
	})
	return engine.Answer{Status: 200, Body: body}, err
}

// failing makes a call that ends in err.
func failing(err error) func(context.Context, *endpoint.Request) (engine.Answer, error) {
	return func(context.Context, *endpoint.Request) (engine.Answer, error) { return engine.Answer{}, err }
}

// record is a log that a test can read while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// start serves eps on a port of its own and shuts down with the test.
func start(t *testing.T, o Options, eps ...Endpoint) (s *Server, addr string) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s = New(o)
	if err := s.Swap(eps); err != nil {
		t.Fatalf("Swap = %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return s, ln.Addr().String()
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// talk sends raw bytes and returns all that comes back until the server closes.
func talk(t *testing.T, addr, raw string) string {
	t.Helper()
	c := dial(t, addr)
	io.WriteString(c, raw) // a server that hangs up early answers all the same
	got, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("reading after %.60q: %v", raw, err)
	}
	return string(got)
}

// ask sends a request with some header lines, on a connection of its own.
func ask(t *testing.T, addr, method, path, lines, body string) response {
	t.Helper()
	if lines != "" {
		lines += "\r\n"
	}
	if body != "" {
		lines += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return parse(t, talk(t, addr, method+" "+path+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+lines+"\r\n"+body))
}

// A response is what a test looks at.
type response struct {
	status int
	header string
	body   string
}

var statusLine = regexp.MustCompile(`HTTP/1\.1 (\d{3}) `)

func parse(t *testing.T, raw string) response {
	t.Helper()
	header, body, _ := strings.Cut(raw, "\r\n\r\n")
	m := statusLine.FindStringSubmatch(header)
	if m == nil {
		t.Fatalf("response = %q, want one of HTTP/1.1", raw)
	}
	status, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return response{status: status, header: header, body: body}
}

// get returns the values of a header, joined.
func (r response) get(name string) string {
	var vs []string
	for line := range strings.SplitSeq(r.header, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			vs = append(vs, v)
		}
	}
	return strings.Join(vs, " | ")
}

// code returns the code of the first error of a failure, after checking that
// the failure has the one shape of all failures.
func (r response) code(t *testing.T) string {
	t.Helper()
	var body struct {
		Errors []struct {
			Origin, Code, Message string
			Details               any
		}
	}
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("body of %d = %q, want errors (%v)", r.status, r.body, err)
	}
	e := body.Errors[0]
	origin := "client"
	if r.status >= 500 {
		origin = "server"
	}
	if e.Origin != origin || e.Code == "" || e.Message == "" || r.get("Content-Type") != "application/json" {
		t.Errorf("failure %d = %+v as %s, want origin %s, a code and a message as application/json", r.status, e, r.get("Content-Type"), origin)
	}
	return e.Code
}

func TestSwapReportsAllCollisionsAndKeepsWhatServes(t *testing.T) {
	s, addr := start(t, Options{}, fake{method: "GET", path: "/old"})
	err := s.Swap([]Endpoint{
		fake{method: "GET", path: "/healthz"},
		fake{method: "GET", path: "/new"},
		fake{method: "GET", path: "/new"},
		fake{method: "POST", path: "new"},
	})
	want := "routing GET /healthz: GET /healthz is there already\n" +
		"routing GET /new: GET /new is there already\n" +
		"routing POST new: a path starts with a slash"
	if err == nil || err.Error() != want {
		t.Errorf("Swap = %v, want %s", err, want)
	}
	if got := ask(t, addr, "GET", "/old", "", "").status; got != 200 {
		t.Errorf("GET /old after a refused swap = %d, want 200", got)
	}
	if err := s.Swap([]Endpoint{fake{method: "GET", path: "/new"}}); err != nil {
		t.Fatalf("Swap = %v", err)
	}
	if was, is := ask(t, addr, "GET", "/old", "", "").status, ask(t, addr, "GET", "/new", "", "").status; was != 404 || is != 200 {
		t.Errorf("GET /old, /new after a swap = %d, %d, want 404, 200", was, is)
	}
}

func TestARequestEndsOnTheTableItBeganOn(t *testing.T) {
	entered, swapped := make(chan struct{}), make(chan struct{})
	s, addr := start(t, Options{}, fake{method: "GET", path: "/slow", call: func(context.Context, *endpoint.Request) (engine.Answer, error) {
		close(entered)
		<-swapped
		return engine.Answer{Status: 200, Body: []byte(`"old"`)}, nil
	}})
	c := dial(t, addr)
	io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	<-entered
	if err := s.Swap(nil); err != nil {
		t.Fatalf("Swap = %v", err)
	}
	if got := ask(t, addr, "GET", "/slow", "", "").status; got != 404 {
		t.Errorf("GET /slow after the swap = %d, want 404", got)
	}
	close(swapped)
	raw, err := io.ReadAll(c)
	if got := parse(t, string(raw)); err != nil || got.status != 200 || got.body != `"old"` {
		t.Errorf("the request before the swap = %d %s, %v, want 200 %q", got.status, got.body, err, `"old"`)
	}
}

func TestProbes(t *testing.T) {
	var mu sync.Mutex
	var down error
	_, addr := start(t, Options{Ready: func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		return down
	}}, fake{method: "GET", path: "/{any}"})

	if got := ask(t, addr, "GET", "/healthz", "", ""); got.status != 200 || got.body != `{"status":"ok"}` {
		t.Errorf("/healthz = %d %s, want 200", got.status, got.body)
	}
	if got := ask(t, addr, "GET", "/readyz", "", ""); got.status != 200 || got.body != `{"status":"ready"}` {
		t.Errorf("/readyz = %d %s, want 200", got.status, got.body)
	}
	mu.Lock()
	down = errors.New("the store at mongodb://secret is away")
	mu.Unlock()
	got := ask(t, addr, "GET", "/readyz", "", "")
	if got.status != 503 || got.code(t) != "not_ready" || strings.Contains(got.body, "mongodb") || got.get("Retry-After") != "1" {
		t.Errorf("/readyz without a store = %d %s, want 503 not_ready, Retry-After: 1 and nothing of the cause", got.status, got.body)
	}
	if got := ask(t, addr, "GET", "/healthz", "", "").status; got != 200 {
		t.Errorf("/healthz without a store = %d, want 200", got)
	}
}
