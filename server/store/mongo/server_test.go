package mongo

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

// shared is the FerretDB of most tests; stopped by TestMain. It is nil where
// [mongotest.URIVar] names a MongoDB.
var (
	shared   *mongotest.Ferret
	starting = sync.OnceValues(func() (uri string, err error) {
		if uri = os.Getenv(mongotest.URIVar); uri != "" {
			return uri, nil
		}
		if shared, err = mongotest.Start(); err != nil {
			return "", err
		}
		return shared.URI, nil
	})
)

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		shared.Stop()
	}
	os.Exit(code)
}

// serverURI returns the URI of the shared server, or skips the test.
func serverURI(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: starts a database")
	}
	uri, err := starting()
	if errors.Is(err, mongotest.ErrNoModules) {
		t.Skipf("the module of FerretDB cannot be had: %v", err)
	} else if err != nil {
		t.Fatalf("starting the database = %v, want nil", err)
	}
	return uri
}

// needFerret skips the test where the shared server is no FerretDB.
func needFerret(t testing.TB) {
	t.Helper()
	if serverURI(t); shared == nil {
		t.Skip(mongotest.URIVar + " is set: this needs a server that is reached by one address and without options")
	}
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
