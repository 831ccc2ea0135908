package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A browser is Chromium with a device of its user, driven by the program in the
// folder browser.
type browser struct {
	orders io.Writer
	told   *bufio.Reader
}

// browse opens a page in a browser that ends with the test. It skips the test
// with -short, and where there is no Chromium or what drives it cannot be had.
func browse(t *testing.T, page string) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: starts a browser")
	}
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("there is no chromium, chromium-browser or google-chrome on PATH")
	}
	if out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-C", "browser").CombinedOutput(); err != nil {
		t.Skipf("the modules that drive a browser cannot be had: %v\n%s", err, out)
	}
	driver := filepath.Join(t.TempDir(), "browser.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "browser", "-o", driver, ".").CombinedOutput(); err != nil {
		t.Fatalf("building what drives a browser = %v\n%s, want nil", err, out)
	}
	cmd := exec.Command(driver, chromium, page)
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the browser = %v, want nil", err)
	}
	t.Cleanup(func() {
		orders.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("the browser ended with %v, want nil", err)
		}
	})
	b := &browser{orders, bufio.NewReader(told)}
	if line, err := b.told.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the browser says %q, %v, want it ready", line, err)
	}
	return b
}

// order tells the browser what to do, and returns what comes of it.
func (b *browser) order(t *testing.T, o map[string]any) (value json.RawMessage, failure string) {
	t.Helper()
	text, err := json.Marshal(o)
	if err == nil {
		_, err = b.orders.Write(append(text, '\n'))
	}
	var line []byte
	if err == nil {
		line, err = b.told.ReadBytes('\n')
	}
	var told struct {
		Value json.RawMessage
		Error string
	}
	if err == nil {
		err = json.Unmarshal(line, &told)
	}
	if err != nil {
		t.Fatalf("the browser says %q to %s, %v, want an answer", line, text, err)
	}
	return told.Value, told.Error
}

// do tells the browser what must not fail.
func (b *browser) do(t *testing.T, o map[string]any) json.RawMessage {
	t.Helper()
	value, failure := b.order(t, o)
	if failure != "" {
		t.Fatalf("the browser says %s to %v, want no error", failure, o)
	}
	return value
}

// A reply is what a script of the page got from the server.
type reply struct {
	Status int
	Body   json.RawMessage
}

// run runs a script of the page that calls the server, and wants a status.
func (b *browser) run(t *testing.T, script string, status int, code string) answer {
	t.Helper()
	var r reply
	if err := json.Unmarshal(b.do(t, map[string]any{"run": script}), &r); err != nil {
		t.Fatalf("%s = %v, want an answer of the server", script, err)
	}
	a := answer{status: r.Status, text: string(r.Body)}
	if a.status != status || a.code() != code {
		t.Fatalf("%s = %d %s, want %d %s", script, a.status, a.text, status, code)
	}
	return a
}

// refuses wants the browser itself to refuse a script.
func (b *browser) refuses(t *testing.T, script, why string) {
	t.Helper()
	if value, failure := b.order(t, map[string]any{"run": script}); !strings.Contains(failure, why) {
		t.Errorf("%s = %s, %q in the browser, want %s", script, value, failure, why)
	}
}
