package cli_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
	"sluice/server/cli"
)

// A screen is an output that a test reads while it is written.
type screen struct {
	mu   sync.Mutex
	text string // guarded by mu
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text += string(p)
	return len(p), nil
}

// await returns the submatches of a pattern once it is on the screen.
func (s *screen) await(t *testing.T, pattern string) []string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		text := s.text
		s.mu.Unlock()
		if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("the screen shows\n%s\nwant %s", text, pattern)
		}
	}
}

// serve runs sluice serve in a folder until stop, which returns its exit code.
func serve(t *testing.T, dir string, args []string, opts ...server.Option) (stdout, stderr *screen, stop func() int) {
	t.Helper()
	stdout, stderr = &screen{}, &screen{}
	env := cli.Env{Stdout: stdout, Stderr: stderr, Dir: dir, Getenv: func(string) string { return "" }}
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		code <- cli.Main(ctx, env, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), opts...)
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { stop() })
	return stdout, stderr, stop
}

func TestServeTellsWhatItServesAndHowReloadsGo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	stdout, stderr, stop := serve(t, dir, nil)
	summary := stdout.await(t, `^Sluice \S.*\n
  address  (http://127\.0\.0\.1:\d+)
  flows    1 flow from (\S+), reloaded when they change
  store    SQLite in (\S+)
  studio   http://127\.0\.0\.1:\d+/_studio
  ready    in \d+ ms
\n`)
	if a, err := http.Get(summary[1] + "/a"); err != nil || a.StatusCode != 204 {
		t.Errorf("GET %s/a = %v, %v, want 204", summary[1], a, err)
	}
	if flows, data := filepath.Join(dir, "flows"), filepath.Join(dir, "data"); summary[2] != flows || summary[3] != data {
		t.Errorf("summary says %s and %s, want %s and %s", summary[2], summary[3], flows, data)
	}
	write(t, dir, map[string]string{"flows/a.yaml": hello("a")})
	stdout.await(t, `\n`+regexp.QuoteMeta(filepath.Join(dir, "flows", "a.yaml"))+`:2:15: a path begins with a slash \(write /a\)
1 problem in 1 file, still serving the last good version\n`)
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a"), "flows/b.yaml": hello("/b")})
	stdout.await(t, `\nreloaded: 2 flows in \d+ ms\n`)
	if code := stop(); code != 0 {
		t.Errorf("sluice serve, told to stop = %d, want 0", code)
	}
	stdout.await(t, `\nstopped\n$`)
	if stderr.text != "" {
		t.Errorf("stderr = %s, want nothing", stderr.text)
	}
}

func TestServeWithoutAFolderServesWhatComesWithSluice(t *testing.T) {
	stdout, _, _ := serve(t, t.TempDir(), nil)
	stdout.await(t, `  flows    \d+ flows that come with Sluice, as there is no folder flows here, \d+ not served\n`)
}

func TestServeNamesAddressesThatBrowsersOpen(t *testing.T) {
	stdout, _, _ := serve(t, t.TempDir(), []string{"--addr", ":0", "--min-password", "8"})
	stdout.await(t, `  address  http://localhost:\d+, and every other address of this machine\n`)
	stdout.await(t, `\n  Passwords may have 8 characters`)
}

func TestServeFailsInASentence(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	owned := t.TempDir()
	first, _, _ := serve(t, owned, nil)
	first.await(t, "ready")
	sealed := filepath.Join(t.TempDir(), "sealed")
	if err := os.WriteFile(sealed, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	check(t, map[string]try{
		"port in use": {args: "serve --addr " + taken.Addr().String(), code: 1,
			stderr: "sluice: " + taken.Addr().String() + " is in use by another program; choose another address with --addr\n"},
		"problems": {args: "serve", files: map[string]string{"flows/a.yaml": hello("a"), "flows/b.yaml": hello("b")}, code: 1,
			stderr: "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\nDIR/flows/b.yaml:2:15: a path begins with a slash (write /b)\n" +
				"sluice: not started: 2 problems in 2 files\n"},
		"problems of settings": {args: "serve", files: map[string]string{"sluice.yaml": "timeout: 30\n"}, code: 1,
			stderr: "DIR/sluice.yaml:1:10: timeout: want a duration with a unit, as in 500ms, 30s or 2m, not \"30\"\n"},
		"variable without a value": {args: "serve --vars TOKEN", code: 1,
			stderr: "sluice: vars names TOKEN, but there is no such environment variable\n"},
	})
	for data, want := range map[string]string{
		filepath.Join(owned, "data"):  "another process is serving from " + filepath.Join(owned, "data"),
		filepath.Join(sealed, "data"): sealed,
	} {
		code, _, stderr := try{args: "serve --addr 127.0.0.1:0 --data " + data}.run(t)
		if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("sluice serve --data %s = %d, %s, want one line with %q", data, code, stderr, want)
		}
	}
}

func TestServeLogsAsAsked(t *testing.T) {
	broken := engine.Define("test.break", "Breaks.", func(context.Context, struct{}) (engine.None, error) {
		return engine.None{}, errors.New("it broke")
	})
	for format, want := range map[string]string{"text": `level=ERROR msg="request failed" .*it broke`, "json": `"level":"ERROR","msg":"request failed",.*it broke`} {
		dir := t.TempDir()
		write(t, dir, map[string]string{"flows/a.yaml": strings.Replace(hello("/a"), "  - respond", "  - node: test.break\n  - respond", 1)})
		stdout, stderr, _ := serve(t, dir, []string{"--log-format", format}, server.With(broken))
		if _, err := http.Get(stdout.await(t, `address  (\S+)`)[1] + "/a"); err != nil {
			t.Error(err)
		}
		stderr.await(t, want)
	}
}
