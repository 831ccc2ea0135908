package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/server"
)

// inside runs a server in this process, with a log to write to, and returns a
// client of it.
func inside(t *testing.T, dir string, log slog.Handler, opts ...server.Option) *client {
	t.Helper()
	s, err := server.New(t.Context(), server.Config{Dir: dir, Addr: "127.0.0.1:0", NoWatch: true},
		append(opts, server.Log(slog.New(log)))...)
	if err != nil {
		t.Fatalf("New() = %v, want nil", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c := newClient("http://" + s.Summary().Addr.String())
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
	return c
}

// TestNobodyIsTakenForAnother lets many users share few connections, so that
// requests of different users follow each other in the same buffers.
func TestNobodyIsTakenForAnother(t *testing.T) {
	const clients, conns = 32, 6
	c := inside(t, open(t), slog.DiscardHandler)
	c.http.Transport = &http.Transport{MaxConnsPerHost: conns, MaxIdleConnsPerHost: conns}
	users := make([]me, clients)
	for n := range users {
		users[n] = c.enter(t, "/auth/sign-up", fmt.Sprintf("user%d@example.com", n), password)
	}
	var answers atomic.Int64
	end := time.Now().Add(time.Duration(times(1, 4, 60)) * time.Second)
	var wg sync.WaitGroup
	for n, u := range users {
		wg.Go(func() {
			mine := c.as(fmt.Sprintf("agent%d/%d.0", n, n+1))
			tokens := []string{u.Session.Token}
			for i := 0; time.Now().Before(end) && !t.Failed(); i++ {
				fresh, err := foreign(t, mine, u, tokens[rand.IntN(len(tokens))], i)
				if err != nil {
					t.Errorf("user %d: %v", n, err)
				}
				if fresh != "" {
					tokens = append(tokens, fresh)
				}
				answers.Add(1)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d answers to %d users on %d connections, 0 foreign", answers.Load(), clients, conns)
}

// foreign makes one of several requests of a user and fails where the answer
// holds anything of somebody else. It returns the token of a new session, or "".
func foreign(t *testing.T, c *client, u me, token string, i int) (fresh string, err error) {
	var got me
	switch i % 8 {
	case 0:
		a, err := c.try(t.Context(), "POST", "/test/again", token, "")
		if err == nil {
			err = a.into(&got)
		}
		agent := got.Session.UserAgent
		if err != nil || got.Session.UserID != u.User.ID || agent.Family+"/"+agent.Major+".0" != c.agent {
			return "", fmt.Errorf("POST /test/again = %d %s, %v, want a session of %s with %s", a.status, a.text, err, u.User.ID, c.agent)
		}
		return got.Session.Token, nil
	case 1:
		a, err := c.try(t.Context(), "GET", "/auth/sessions?limit=5", token, "")
		var page struct{ Sessions []view }
		if err == nil {
			err = a.into(&page)
		}
		for _, s := range page.Sessions {
			if s.UserID != u.User.ID {
				err = fmt.Errorf("a session of %s", s.UserID)
			}
		}
		if err != nil || len(page.Sessions) == 0 {
			return "", fmt.Errorf("GET /auth/sessions = %d %s, %v, want those of %s only", a.status, a.text, err, u.User.ID)
		}
	case 2, 3:
		text := fmt.Sprintf("%s-%d", u.User.ID, i)
		a, err := c.try(t.Context(), "POST", "/test/echo/"+text+"?word="+text, token, fmt.Sprintf(`{"text": %q}`, text))
		want := fmt.Sprintf(`{"part":%q,"word":%q,"text":%q,"agent":%q}`, text, text, text, c.agent)
		if err != nil || a.text != want {
			return "", fmt.Errorf("POST /test/echo = %d %s, %v, want %s", a.status, a.text, err, want)
		}
	default:
		a, err := c.try(t.Context(), "GET", "/auth/me", token, "")
		if err == nil {
			err = a.into(&got)
		}
		if err != nil || got.User.ID != u.User.ID || got.User.Email != u.User.Email || got.Session.UserID != u.User.ID {
			return "", fmt.Errorf("GET /auth/me = %d %s, %v, want %s", a.status, a.text, err, u.User.ID)
		}
	}
	return "", nil
}
