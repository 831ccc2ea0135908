package mongo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/user"
)

// uriVar names a MongoDB to test against in place of FerretDB. The tests make
// databases of their own in it, and drop them.
const uriVar = "MONGODB_URI"

var (
	shared   server // that of most tests; stopped by TestMain
	starting = sync.OnceValue(func() error {
		if shared.uri = os.Getenv(uriVar); shared.uri != "" {
			return nil
		}
		return shared.start()
	})
)

// errNoModules says that FerretDB is neither on this machine nor to be had from it.
var errNoModules = errors.New("downloading modules")

func TestMain(m *testing.M) {
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

// A server is FerretDB in a process of its own, or, as the shared one, the
// MongoDB of uriVar.
type server struct {
	uri   string
	dir   string
	child *exec.Cmd
	input io.Closer // the child ends with it
}

func (s *server) start() (err error) {
	if s.dir, err = os.MkdirTemp("", "sluice-ferret-"); err != nil {
		return err
	}
	data, binary := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "ferret.exe")
	if out, err := exec.Command("go", "mod", "download", "-C", "ferret").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %w\n%s", errNoModules, err, out)
	}
	build := exec.Command("go", "build", "-C", "ferret", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building FerretDB: %w\n%s", err, out)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	s.child = exec.Command(binary, data)
	s.child.Stderr = os.Stderr
	if s.input, err = s.child.StdinPipe(); err != nil {
		return err
	}
	out, err := s.child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.child.Start(); err != nil {
		return fmt.Errorf("starting FerretDB: %w", err)
	}
	s.uri, err = bufio.NewReader(out).ReadString('\n')
	s.uri = strings.TrimSpace(s.uri)
	return err
}

func (s *server) stop() {
	if s.input != nil {
		s.input.Close()
		s.child.Wait() // killed or not
		s.input = nil
	}
	os.RemoveAll(s.dir)
}

// serverURI returns the URI of the shared server, or skips the test.
func serverURI(t testing.TB) string {
	if testing.Short() {
		t.Skip("-short: starts a database")
	}
	if err := starting(); errors.Is(err, errNoModules) {
		t.Skipf("the module of FerretDB cannot be had: %v", err)
	} else if err != nil {
		t.Fatalf("starting the database = %v, want nil", err)
	}
	return shared.uri
}

// patience is the budget of calls to the shared server, which takes its time
// where much else runs on the machine.
const patience = 30 * time.Second

// openTest opens a database of the shared server, which may be open already.
func openTest(t testing.TB, name string, monitor *event.CommandMonitor) *DB {
	t.Helper()
	return openWith(t, settingsOf(t, serverURI(t)).SetTimeout(patience).SetMonitor(monitor), name)
}

func settingsOf(t testing.TB, uri string) *options.ClientOptions {
	t.Helper()
	o, _, err := settings(uri)
	if err != nil {
		t.Fatalf("settings(%s) = %v, want nil", uri, err)
	}
	return o
}

func openWith(t testing.TB, o *options.ClientOptions, name string) *DB {
	t.Helper()
	db, err := open(t.Context(), o, name)
	if err != nil {
		t.Fatalf("open(%s) = %v, want nil", name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		// A test may have closed the store, or ended the server.
		_ = db.users.Database().Drop(ctx)
		_ = db.Close()
	})
	return db
}

// newName returns a name for a database.
func newName() string { return "sluice_" + bson.NewObjectID().Hex() }

// addUser creates a user with an address.
func addUser(t testing.TB, db *DB, key string) user.User {
	t.Helper()
	now := time.Now()
	u := user.User{ID: bson.NewObjectID().Hex(), Email: key, EmailKey: key, CreationDtm: now, UpdatedDtm: now}
	if err := (Users{db}).Create(t.Context(), u, "hash"); err != nil {
		t.Fatalf("Users.Create(%s) = %v, want nil", key, err)
	}
	return u
}
