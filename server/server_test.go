package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
)

// hello is a flow that answers GET /hello with a word.
func hello(word string) string {
	return "about: Say a word.\nendpoint: GET /hello\nsession: none\nsteps:\n  - respond: 200\n    body: {word: " + word + "}\n"
}

// write puts files into a folder; their names have slashes.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A running server, and what its test must know.
type running struct {
	*server.Server
	url     string
	reloads chan server.Reload
	stop    func() // and wait for the end
}

// run starts a server on a port and data of its own, and stops it with the test.
func run(t *testing.T, c server.Config, opts ...server.Option) *running {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	c.Addr = "127.0.0.1:0"
	r := &running{reloads: make(chan server.Reload, 100)}
	opts = append(opts, server.Log(slog.New(slog.DiscardHandler)), server.OnReload(func(l server.Reload) { r.reloads <- l }))
	var err error
	if r.Server, err = server.New(t.Context(), c, opts...); err != nil {
		t.Fatalf("New(%+v) = %v, want nil", c, err)
	}
	r.url = "http://" + r.Summary().Addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// ask sends a request and returns the status and the body of the answer.
func ask(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	q, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		q.Header.Set("Session", token)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a.StatusCode, string(text)
}

func TestShippedFlowsSignUpInAndOut(t *testing.T) {
	r := run(t, server.Config{})
	tokens := map[string]string{}
	const ada = `{"email": "ada@example.com", "password": "a ferry across the river"}`
	for _, step := range []struct {
		what, method, path, token, body string
		keep                            string // name for the token of the answer
		status                          int
		has                             string
	}{
		{what: "sign up", method: "POST", path: "/auth/sign-up", body: ada, keep: "first", status: 201, has: "ada@example.com"},
		{what: "sign up again", method: "POST", path: "/auth/sign-up", body: ada, status: 409, has: "emailTaken"},
		{what: "sign in", method: "POST", path: "/auth/sign-in", body: ada, keep: "second", status: 200},
		{what: "sign in elsewhere", method: "POST", path: "/auth/sign-in", body: ada, keep: "third", status: 200},
		{what: "wrong password", method: "POST", path: "/auth/sign-in", body: `{"email": "ada@example.com", "password": "another one altogether"}`, status: 401, has: "invalid_credentials"},
		{what: "who am I", method: "GET", path: "/auth/me", token: "second", status: 200, has: "ada@example.com"},
		{what: "who am I, without a session", method: "GET", path: "/auth/me", status: 401, has: "missing_session_token"},
		{what: "sessions", method: "GET", path: "/auth/sessions", token: "second", status: 200, has: `"current":true`},
		{what: "sign out", method: "POST", path: "/auth/sign-out", token: "second", status: 204},
		{what: "the token is dead", method: "GET", path: "/auth/me", token: "second", status: 401, has: "invalid_session_token"},
		{what: "the others live", method: "GET", path: "/auth/me", token: "first", status: 200},
		{what: "sign out everywhere", method: "POST", path: "/auth/sign-out-all", token: "third", status: 200, has: `"ended":2`},
		{what: "all are dead", method: "GET", path: "/auth/me", token: "first", status: 401},
		{what: "this one too", method: "GET", path: "/auth/me", token: "third", status: 401},
		{what: "sign in anew", method: "POST", path: "/auth/sign-in", body: ada, keep: "fourth", status: 200},
		{what: "and be somebody again", method: "GET", path: "/auth/me", token: "fourth", status: 200},
	} {
		status, body := ask(t, step.method, r.url+step.path, tokens[step.token], step.body)
		if status != step.status || !strings.Contains(body, step.has) {
			t.Fatalf("%s: %s %s = %d %s, want %d with %s", step.what, step.method, step.path, status, body, step.status, step.has)
		}
		if step.keep != "" {
			var answer struct{ Session struct{ Token string } }
			if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Session.Token == "" {
				t.Fatalf("%s: answer %s has no token", step.what, body)
			}
			tokens[step.keep] = answer.Session.Token
		}
	}
}

func TestSessionsOutliveARestart(t *testing.T) {
	c := server.Config{Dir: t.TempDir()}
	r := run(t, c)
	_, body := ask(t, "POST", r.url+"/auth/sign-up", "", `{"email": "ada@example.com", "password": "a ferry across the river"}`)
	var answer struct{ Session struct{ Token string } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r = run(t, c)
	if status, body := ask(t, "GET", r.url+"/auth/me", answer.Session.Token, ""); status != 200 {
		t.Errorf("GET /auth/me after a restart = %d %s, want 200", status, body)
	}
}

func TestNothingStartsWithAProblem(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"flows/a.yaml": strings.Replace(hello("a"), "respond", "respnd", 1),
		"flows/b.yaml": hello("b"),
		"flows/c.yaml": hello("c") + "colour: red\n",
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	c := server.Config{Dir: dir, Addr: addr}
	_, err = server.New(t.Context(), c)
	var problems engine.Problems
	if !errors.As(err, &problems) || len(problems) < 3 {
		t.Fatalf("New with three problems = %v, want all of them", err)
	}
	if want := filepath.Join(dir, "flows", "a.yaml"); problems[0].File != want {
		t.Errorf("problem is in %s, want %s", problems[0].File, want)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Errorf("Dial(%s) = nil, want a port that was never opened", addr)
	}
	// What New opened it has closed: the data are free for the next.
	write(t, dir, map[string]string{"flows/a.yaml": strings.Replace(hello("a"), "/hello", "/a", 1), "flows/c.yaml": ""})
	if err := os.Remove(filepath.Join(dir, "flows", "c.yaml")); err != nil {
		t.Fatal(err)
	}
	run(t, server.Config{Dir: dir})
}

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	owned := t.TempDir()
	run(t, server.Config{Dir: owned})
	for name, c := range map[string]struct {
		conf server.Config
		want string
	}{
		"a folder that is not there":    {server.Config{Flows: "flws"}, "there is no folder"},
		"a file for a folder":           {server.Config{Flows: "file"}, "is a file"},
		"a variable without a value":    {server.Config{Vars: []string{"NOT_SET"}}, "vars names NOT_SET"},
		"a folder without flows":        {server.Config{Folders: []string{"shop"}}, "folders names shop"},
		"a folder that compat has":      {server.Config{Folders: []string{"altogic"}}, "which the setting compat switches on"},
		"a system without flows":        {server.Config{Compat: []string{"tenant"}}, "there is no folder of flows for its clients"},
		"an address that is taken":      {server.Config{Addr: taken.Addr().String()}, "address already in use"},
		"mail from nobody":              {server.Config{MailURL: "smtp://mail.example.com", AppURL: "https://app.example.com"}, "mail-url wants mail-from"},
		"mail that leads nowhere":       {server.Config{MailURL: "smtp://mail.example.com", MailFrom: "a@example.com"}, "mail-url wants mail-from"},
		"mail from no address":          {server.Config{MailURL: "smtp://mail.example.com", MailFrom: "shop", AppURL: "https://app.example.com"}, "no address"},
		"a store that is not known":     {server.Config{Store: "oracle://ada:secret@db"}, "oracle"},
		"data that another process has": {server.Config{Data: filepath.Join(owned, "data")}, "another process"},
	} {
		t.Run(name, func(t *testing.T) {
			c.conf.Dir = t.TempDir()
			write(t, c.conf.Dir, map[string]string{"file": "x", "flows/a.yaml": hello("a")})
			if c.conf.Addr == "" {
				c.conf.Addr = "127.0.0.1:0"
			}
			_, err := server.New(t.Context(), c.conf, server.Getenv(func(string) string { return "" }))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("New(%+v) = %v, want %q", c.conf, err, c.want)
			}
		})
	}
}

func TestVariablesReachFlowsThatMayReadThem(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": `
about: Say where the secret is checked.
endpoint: GET /secret
session: none
steps:
  - node: test.compare
    with: {text: $env.SECRET}
  - respond: 204
`})
	type in struct {
		Text string `json:"text" secret:"true" doc:"Text."`
	}
	got := make(chan string, 1)
	compare := engine.Define("test.compare", "Notes a text.", func(_ context.Context, i in) (engine.None, error) {
		got <- i.Text
		return engine.None{}, nil
	})
	r := run(t, server.Config{Dir: dir, Vars: []string{"SECRET"}}, server.With(compare),
		server.Getenv(func(name string) string { return "value of " + name }))
	if status, body := ask(t, "GET", r.url+"/secret", "", ""); status != 204 {
		t.Fatalf("GET /secret = %d %s, want 204", status, body)
	}
	if text := <-got; text != "value of SECRET" {
		t.Errorf("$env.SECRET = %q, want %q", text, "value of SECRET")
	}
}

func TestOnlyChosenFoldersAreServed(t *testing.T) {
	r := run(t, server.Config{Folders: []string{"auth"}})
	if status, _ := ask(t, "GET", r.url+"/auth/me", "", ""); status != 401 {
		t.Errorf("GET /auth/me = %d, want 401", status)
	}
	if status, _ := ask(t, "GET", r.url+"/examples/beta", "", ""); status != 404 {
		t.Errorf("GET /examples/beta = %d, want 404: its folder is not served", status)
	}
}

func TestFlowsThatAreOffAreNotServed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("a") + "enabled: false\n"})
	r := run(t, server.Config{Dir: dir})
	if status, _ := ask(t, "GET", r.url+"/hello", "", ""); status != 404 {
		t.Errorf("GET /hello = %d, want 404", status)
	}
	if s := r.Summary(); len(s.All) != 1 || len(s.Served) != 0 {
		t.Errorf("Summary() = %d flows, %d served, want 1 and 0", len(s.All), len(s.Served))
	}
}

func TestSummaryNotesWhatIsWeak(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("a") + "apiKey: required\n"})
	for least, want := range map[int]string{8: "second factor", 6: "guessing"} {
		notes := strings.Join(run(t, server.Config{Dir: dir, Data: fmt.Sprint("data", least), MinPassword: least}).Summary().Notes, "\n")
		for _, want := range []string{"a.yaml", fmt.Sprint(least, " characters"), want} {
			if !strings.Contains(notes, want) {
				t.Errorf("Notes = %q, want %q in them", notes, want)
			}
		}
	}
}

func TestFlowsOfOtherSystemsAreServedWhereTheyAreWanted(t *testing.T) {
	files := map[string]string{}
	for file, path := range map[string]string{"flows/own/a.yaml": "/a", "flows/b.yaml": "/b", "flows/altogic/c.yaml": "/c", "flows/tenant/d.yaml": "/d"} {
		files[file] = strings.Replace(hello("a"), "/hello", path, 1)
	}
	for name, tt := range map[string]struct {
		conf server.Config
		want string
	}{
		"none":         {server.Config{}, "/b /a"},
		"one":          {server.Config{Compat: []string{"altogic"}}, "/c /b /a"},
		"both":         {server.Config{Compat: []string{"tenant", "altogic"}}, "/c /b /a /d"},
		"with folders": {server.Config{Folders: []string{"own"}, Compat: []string{"tenant"}}, "/a /d"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.conf.Dir = t.TempDir()
			write(t, tt.conf.Dir, files)
			flows, err := server.Check(tt.conf)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range flows.Served {
				got = append(got, f.Path)
			}
			if strings.Join(got, " ") != tt.want || len(flows.All) != 4 {
				t.Errorf("Check(%v) serves %v of %d, want %s of 4", tt.conf.Compat, got, len(flows.All), tt.want)
			}
		})
	}
}

func TestABasePathMayStandInFront(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("a")})
	r := run(t, server.Config{Dir: dir, BasePath: "/e:abc"})
	for path, want := range map[string]int{"/hello": 200, "/e:abc/hello": 200, "/e:abd/hello": 404, "/e:abchello": 404, "/e:abc": 404, "/e:abc/e:abc/hello": 404} {
		if status, _ := ask(t, "GET", r.url+path, "", ""); status != want {
			t.Errorf("GET %s = %d, want %d", path, status, want)
		}
	}
}

func TestStopAnswersWhatRuns(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": `
about: Take a while.
endpoint: GET /slow
session: none
steps:
  - node: test.wait
  - respond: 200
    body: {done: true}
`})
	began, end := make(chan bool), make(chan bool)
	wait := engine.Define("test.wait", "Waits.", func(context.Context, struct{}) (engine.None, error) {
		close(began)
		<-end
		return engine.None{}, nil
	})
	r := run(t, server.Config{Dir: dir, Notice: 300 * time.Millisecond}, server.With(wait))
	answered := make(chan int, 1)
	go func() {
		a, err := http.Get(r.url + "/slow")
		if err != nil {
			answered <- 0
			return
		}
		a.Body.Close()
		answered <- a.StatusCode
	}()
	<-began
	stopped := make(chan bool)
	go func() { r.stop(); close(stopped) }()
	ready := 200
	for range 20 {
		if ready, _ = ask(t, "GET", r.url+"/readyz", "", ""); ready == 503 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if ready != 503 {
		t.Errorf("GET /readyz of a server that stops = %d, want 503", ready)
	}
	close(end)
	if status := <-answered; status != 200 {
		t.Errorf("GET /slow across the stop = %d, want 200", status)
	}
	<-stopped
	if _, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://")); err == nil {
		t.Error("Dial() after the stop = nil, want an error")
	}
}
