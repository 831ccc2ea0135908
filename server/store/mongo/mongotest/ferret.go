// Package mongotest gives tests a database with MongoDB's protocol: FerretDB in
// a process of its own, or the MongoDB that an environment variable names, and
// in front of either lines that fail as networks and replica sets do.
package mongotest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// URIVar names a MongoDB to test against in place of FerretDB. The tests make
// databases of their own in it, and drop them.
const URIVar = "MONGODB_URI"

// ErrNoModules says that FerretDB is neither on this machine nor to be had from it.
var ErrNoModules = errors.New("downloading modules")

// A Ferret is FerretDB in a process of its own, with empty databases.
type Ferret struct {
	URI string // ends with /

	dir   string
	child *exec.Cmd
	input io.Closer // the child ends with it
}

// Start builds and starts FerretDB.
func Start() (f *Ferret, err error) {
	f = &Ferret{}
	if f.dir, err = os.MkdirTemp("", "sluice-ferret-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Stop()
		}
	}()
	where, err := exec.Command("go", "list", "-f", "{{.Dir}}", "sluice/server/store/mongo").Output()
	if err != nil {
		return nil, fmt.Errorf("looking for FerretDB: %w", err)
	}
	module := filepath.Join(strings.TrimSpace(string(where)), "ferret")
	data, binary := filepath.Join(f.dir, "data"), filepath.Join(f.dir, "ferret.exe")
	if out, err := exec.Command("go", "mod", "download", "-C", module).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoModules, err, out)
	}
	build := exec.Command("go", "build", "-C", module, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building FerretDB: %w\n%s", err, out)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	f.child = exec.Command(binary, data)
	f.child.Stderr = os.Stderr
	if f.input, err = f.child.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.child.Start(); err != nil {
		return nil, fmt.Errorf("starting FerretDB: %w", err)
	}
	f.URI, err = bufio.NewReader(out).ReadString('\n')
	f.URI = strings.TrimSpace(f.URI)
	return f, err
}

// Addr is host and port.
func (f *Ferret) Addr() string { return strings.Trim(strings.TrimPrefix(f.URI, "mongodb://"), "/") }

// Process is that of FerretDB.
func (f *Ferret) Process() *os.Process { return f.child.Process }

// Stop ends the process, if it runs, and removes its data.
func (f *Ferret) Stop() {
	if f.input != nil {
		f.input.Close()
		if f.child.Process != nil {
			f.child.Wait() // killed or not
		}
		f.input = nil
	}
	os.RemoveAll(f.dir)
}

// Need returns a FerretDB that ends with the test, and skips the test with
// -short or where FerretDB cannot be had.
func Need(t testing.TB) *Ferret {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: starts a database")
	}
	f, err := Start()
	if errors.Is(err, ErrNoModules) {
		t.Skipf("the module of FerretDB cannot be had: %v", err)
	} else if err != nil {
		t.Fatalf("starting the database = %v, want nil", err)
	}
	t.Cleanup(f.Stop)
	return f
}
