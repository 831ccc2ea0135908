package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client calls one server. It is safe for many goroutines.
type client struct {
	url   string
	agent string // User-Agent header
	from  string // X-Forwarded-For header; "" for none
	http  *http.Client

	patience int // how often a request that is answered by 503 is sent again

	mu    sync.Mutex
	heard []heard // every answer so far where keep is set; guarded by mu
	keep  bool    // set before the first call
}

// A heard answer, and what it answers.
type heard struct {
	call string // "GET /auth/me"
	answer
}

type answer struct {
	status int
	header http.Header
	text   string

	again int // how often the request was sent before and answered by 503
}

func newClient(url string) *client {
	return &client{url: url, agent: "e2e/1.0", http: &http.Client{
		Timeout: 30 * time.Second,
		// A connection for each of the test's goroutines, and none shared
		// between tests.
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}}
}

// as returns a client with a User-Agent of its own on the same connections.
func (c *client) as(agent string) *client { return &client{url: c.url, agent: agent, http: c.http} }

// at returns a client that says it calls for an address, on the same connections.
func (c *client) at(ip string) *client {
	return &client{url: c.url, agent: c.agent, from: ip, http: c.http}
}

// try sends a request, and again as far as the client is patient.
func (c *client) try(ctx context.Context, method, path, token, body string) (a answer, err error) {
	for n := 0; ; n++ {
		a, err = c.once(ctx, method, path, token, body)
		if a.again = n; err != nil || a.status != 503 || n == c.patience {
			return a, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// once sends a request. An answer counts once it was read to its end.
func (c *client) once(ctx context.Context, method, path, token, body string) (answer, error) {
	q, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("making request: %w", err)
	}
	q.Header.Set("User-Agent", c.agent)
	if c.from != "" {
		q.Header.Set("X-Forwarded-For", c.from)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if scheme, rest, two := strings.Cut(token, " "); two {
		q.Header.Set("Authorization", scheme+" "+rest)
	} else if token != "" {
		q.Header.Set("Session", token)
	}
	r, err := c.http.Do(q)
	if err != nil {
		return answer{}, fmt.Errorf("calling %s %s: %w", method, path, err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer of %s %s: %w", method, path, err)
	}
	a := answer{status: r.StatusCode, header: r.Header, text: string(text)}
	if c.keep {
		c.mu.Lock()
		c.heard = append(c.heard, heard{method + " " + path, a})
		c.mu.Unlock()
	}
	return a, nil
}

// patient is try for what takes a hash, which a slow machine may have no time for:
// it comes back a few times where it is told to.
func (c *client) patient(ctx context.Context, method, path, token, body string) (a answer, err error) {
	for range 10 {
		if a, err = c.try(ctx, method, path, token, body); err != nil || a.code() != "busy" {
			break
		}
	}
	return a, err
}

// want sends a request and ends the test where the status is another one.
func (c *client) want(t testing.TB, status int, method, path, token, body string) answer {
	t.Helper()
	a, err := c.try(t.Context(), method, path, token, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != status {
		t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, a.status, a.text, status)
	}
	return a
}

// code is the code of the first error in an answer, or "".
func (a answer) code() string {
	var body struct{ Errors []struct{ Code string } }
	if json.Unmarshal([]byte(a.text), &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code
}

// into reads an answer as JSON.
func (a answer) into(v any) error {
	if err := json.Unmarshal([]byte(a.text), v); err != nil {
		return fmt.Errorf("reading %q: %w", a.text, err)
	}
	return nil
}

// A me is what sign-up, sign-in and GET /auth/me answer; the last without Token.
type me struct {
	User struct {
		ID, Email, Name string
	}
	Session view
}

// A view is a session as answers show it.
type view struct {
	ID, UserID, Token string
	AccessGroupKeys   []string
	Current           bool
	UserAgent         struct {
		Family, Major string
		OS            struct{ Family string }
	}
}

// password is good enough for everybody.
const password = "a ferry across the river"

func credentials(email, password string) string {
	return fmt.Sprintf(`{"email": %q, "password": %q}`, email, password)
}

// enter signs up or in, as path says, and ends the test where that fails.
func (c *client) enter(t testing.TB, path, email, password string) (m me) {
	t.Helper()
	a, err := c.patient(t.Context(), "POST", path, "", credentials(email, password))
	if err == nil {
		err = a.into(&m)
	}
	if err != nil || m.Session.Token == "" {
		t.Fatalf("POST %s as %s = %d %s, %v, want a session", path, email, a.status, a.text, err)
	}
	return m
}
