package e2e

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A screen is an output that a test reads while it is written.
type screen struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await returns the submatches of a pattern once it is on the screen.
func (s *screen) await(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		text := s.String()
		if m := re.FindStringSubmatch(text); m != nil {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("the screen shows\n%s\nwant %s", text, pattern)
		}
	}
}

// A child is sluice serve in a process of its own.
type child struct {
	cmd            *exec.Cmd
	stdout, stderr *screen
	url            string
	took           time.Duration // from its start to its first 200
	ended          chan struct{} // closed once the process is gone
}

// serve starts sluice in a folder, on a free port, and returns when it answers.
// It is killed with the test unless it ended before.
func serve(t testing.TB, dir string, args ...string) *child {
	t.Helper()
	c := &child{stdout: &screen{}, stderr: &screen{}, ended: make(chan struct{})}
	c.cmd = exec.Command(binary, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = dir, c.stdout, c.stderr
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("starting sluice: %v", err)
	}
	go func() {
		defer close(c.ended)
		c.cmd.Wait() // how it ended is in its ProcessState
	}()
	t.Cleanup(c.kill)
	c.url = c.stdout.await(t, `address  (http://127\.0\.0\.1:\d+)`)[1]
	for end := began.Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		a, err := http.Get(c.url + "/readyz")
		if err == nil {
			a.Body.Close()
			if a.StatusCode == 200 {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("GET /readyz = %v, %v, want 200 within 10 s", a, err)
		}
	}
	c.took = time.Since(began)
	return c
}

// kill ends the process with SIGKILL and waits until it is gone.
func (c *child) kill() {
	c.cmd.Process.Kill() // an error means that it is gone already
	<-c.ended
}

// stop ends the process with SIGTERM and returns its exit code.
func (c *child) stop(t testing.TB) int {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stopping sluice: %v", err)
	}
	select {
	case <-c.ended:
	case <-time.After(15 * time.Second):
		t.Fatal("sluice runs 15 s after SIGTERM, want it to stop")
	}
	return c.cmd.ProcessState.ExitCode()
}

// addr is host and port of the child.
func (c *child) addr() string { return strings.TrimPrefix(c.url, "http://") }

// sluice runs one command in a folder to its end.
func sluice(t testing.TB, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log strings.Builder
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, &out, &log, append(os.Environ(), "NO_COLOR=1")
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("sluice %s: %v", strings.Join(args, " "), err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), log.String()
}
