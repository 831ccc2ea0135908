package server_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
)

// next waits for a reload that is wanted. Those that come before it may have
// caught a change half-way, or be of the change before.
func (r *running) next(t *testing.T, wanted func(server.Reload) bool) server.Reload {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case l := <-r.reloads:
			if wanted(l) {
				return l
			}
		case <-late:
			t.Fatal("flows were not reloaded")
		}
	}
}

func good(l server.Reload) bool { return l.Err == nil }
func bad(l server.Reload) bool  { return l.Err != nil }

// says tells what GET path answers, in short.
func (r *running) says(t *testing.T, path string) string {
	t.Helper()
	status, body := ask(t, "GET", r.url+path, "", "")
	switch status {
	case 200:
		return body
	case 404:
		return "nothing"
	}
	t.Fatalf("GET %s = %d %s", path, status, body)
	return ""
}

func TestChangedFlowsAreServedAndBadOnesAreNot(t *testing.T) {
	dir := t.TempDir()
	flow := filepath.Join(dir, "flows", "a.yaml")
	write(t, dir, map[string]string{"flows/a.yaml": hello("one")})
	r := run(t, server.Config{Dir: dir})
	for _, step := range []struct {
		what   string
		change func() error
		result func(server.Reload) bool
		path   string
		says   string
	}{
		{"the start", nil, nil, "/hello", `{"word":"one"}`},
		{"a change", func() error { return os.WriteFile(flow, []byte(hello("two")), 0o600) }, good, "/hello", `{"word":"two"}`},
		{"a mistake", func() error { return os.WriteFile(flow, []byte("about: x\n"), 0o600) }, bad, "/hello", `{"word":"two"}`},
		{"its correction", func() error { return os.WriteFile(flow, []byte(hello("three")), 0o600) }, good, "/hello", `{"word":"three"}`},
		{"a save by rename", func() error {
			write(t, dir, map[string]string{"flows/.a.yaml.swp": hello("four")})
			return os.Rename(filepath.Join(dir, "flows", ".a.yaml.swp"), flow)
		}, good, "/hello", `{"word":"four"}`},
		{"a new folder", func() error {
			write(t, dir, map[string]string{"flows/new/deep/b.yaml": strings.Replace(hello("deep"), "/hello", "/deep", 1)})
			return nil
		}, func(l server.Reload) bool { return l.Err == nil && l.Flows == 2 }, "/deep", `{"word":"deep"}`},
		{"a change in it", func() error {
			write(t, dir, map[string]string{"flows/new/deep/b.yaml": strings.Replace(hello("deeper"), "/hello", "/deep", 1)})
			return nil
		}, good, "/deep", `{"word":"deeper"}`},
		{"its end", func() error { return os.RemoveAll(filepath.Join(dir, "flows", "new")) },
			func(l server.Reload) bool { return l.Err == nil && l.Flows == 1 }, "/deep", "nothing"},
		{"the end of the root", func() error { return os.Rename(filepath.Join(dir, "flows"), filepath.Join(dir, "old")) }, bad, "/hello", `{"word":"four"}`},
		{"another root", func() error {
			write(t, dir, map[string]string{"next/a.yaml": hello("five")})
			return os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "flows"))
		}, good, "/hello", `{"word":"five"}`},
		{"a change below it", func() error { return os.WriteFile(flow, []byte(hello("six")), 0o600) }, good, "/hello", `{"word":"six"}`},
	} {
		if step.change != nil {
			if err := step.change(); err != nil {
				t.Fatal(err)
			}
			r.next(t, func(l server.Reload) bool { return step.result(l) && r.says(t, step.path) == step.says })
		}
		if got := r.says(t, step.path); got != step.says {
			t.Fatalf("after %s, GET %s = %s, want %s", step.what, step.path, got, step.says)
		}
	}
}

func TestReloadsLoseNoRequest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("one")})
	r := run(t, server.Config{Dir: dir})
	asked := make(chan bool)
	go func() {
		defer close(asked)
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			a, err := http.Get(r.url + "/hello")
			if err != nil || a.StatusCode != 200 {
				t.Errorf("GET /hello while flows reload = %v, %v, want 200", a, err)
				return
			}
			a.Body.Close()
		}
	}()
	for _, text := range []string{hello("two"), "broken", hello("three"), "", hello("four")} {
		write(t, dir, map[string]string{"flows/a.yaml": text})
		r.next(t, func(server.Reload) bool { return true })
	}
	<-asked
}

func TestReloadNamesEveryProblemWhereEditorsFindIt(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("one")})
	r := run(t, server.Config{Dir: dir})
	write(t, dir, map[string]string{"flows/a.yaml": hello("two") + "colour: red\n"})
	var problems engine.Problems
	if l := r.next(t, bad); !errors.As(l.Err, &problems) || l.Flows != 1 {
		t.Fatalf("Reload = %+v, want problems and the one flow of before", l)
	}
	want := filepath.Join(dir, "flows", "a.yaml") + ":7:1: unknown key \"colour\""
	if got := problems[0].String(); !strings.HasPrefix(got, want) {
		t.Errorf("problem = %s, want %s", got, want)
	}
}

func TestFilesThatAreNoFlowsReloadNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("one")})
	r := run(t, server.Config{Dir: dir})
	write(t, dir, map[string]string{"flows/.a.yaml.swp": "x", "flows/a.yaml~": "x", "flows/_draft.yaml": "x", "beside.yaml": "x"})
	if err := os.Chmod(filepath.Join(dir, "flows", "a.yaml"), 0o400); err != nil {
		t.Fatal(err)
	}
	select {
	case l := <-r.reloads:
		t.Errorf("Reload = %+v, want none", l)
	case <-time.After(400 * time.Millisecond):
	}
}

func TestHangupReloadsWithoutAWatch(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("one")})
	r := run(t, server.Config{Dir: dir, NoWatch: true})
	write(t, dir, map[string]string{"flows/a.yaml": hello("two")})
	select {
	case l := <-r.reloads:
		t.Errorf("Reload = %+v, want none before the signal", l)
	case <-time.After(300 * time.Millisecond): // by now it listens to signals
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	r.next(t, good)
	if got := r.says(t, "/hello"); got != `{"word":"two"}` {
		t.Errorf("GET /hello after SIGHUP = %s, want two", got)
	}
}
