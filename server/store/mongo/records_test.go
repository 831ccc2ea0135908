package mongo

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes/record"
	"sluice/nodes/user"
	"sluice/server/store/health"
)

// reopen opens a database as a server does at its start.
func reopen(t *testing.T, db *DB) error {
	t.Helper()
	uri := shared.URI
	at := strings.Index(uri, "?")
	if at < 0 {
		at = len(uri)
	}
	again, err := Open(t.Context(), strings.TrimSuffix(uri[:at], "/")+"/"+db.users.Database().Name()+uri[at:])
	if err == nil {
		err = again.Close()
	}
	return err
}

// A kill in the middle of an import is made by an import that panics on its way,
// as then nothing is tidied up either.
func TestStartRefusesAnImportThatWasCutOff(t *testing.T) {
	for name, replace := range map[string]bool{"into an empty database": false, "in place of what was there": true} {
		db := openTest(t, newName(), nil)
		if replace {
			addUser(t, db, "before@example.com")
		}
		if err := reopen(t, db); err != nil {
			t.Fatalf("%s: Open() before an import = %v, want nil", name, err)
		}
		u := record.UserOf(user.User{ID: "u", EmailKey: "ada@example.com", CreationDtm: time.Now(), UpdatedDtm: time.Now()}, "hash")
		func() {
			defer func() { recover() }()
			_ = Records{db}.Import(t.Context(), func(yield func(record.Record, error) bool) {
				yield(u, nil)
				panic("killed")
			}, replace)
		}()
		if err := reopen(t, db); !errors.Is(err, record.ErrUnfinished) {
			t.Errorf("%s: Open() after an import that was cut off = %v, want %v", name, err, record.ErrUnfinished)
		}
		whole := func(yield func(record.Record, error) bool) { yield(u, nil) }
		if err := (Records{db}).Import(t.Context(), whole, false); !errors.Is(err, record.ErrUnfinished) {
			t.Errorf("%s: Import() after one that was cut off = %v, want %v", name, err, record.ErrUnfinished)
		}
		if err := (Records{db}).Import(t.Context(), whole, true); err != nil {
			t.Errorf("%s: Import() with replace = %v, want nil", name, err)
		}
		if err := reopen(t, db); err != nil {
			t.Errorf("%s: Open() after a whole import = %v, want nil", name, err)
		}
	}
}

func TestLaterSchemaIsRefusedAndLeftAlone(t *testing.T) {
	db := openTest(t, newName(), nil)
	if err := reopen(t, db); err != nil {
		t.Fatalf("Open() = %v, want nil", err)
	}
	for _, version := range []int64{schema + 1, schema + 100} {
		if _, err := db.state.UpdateOne(t.Context(), where(is("_id", schemaMark)), bson.M{"$set": bson.M{"version": version}}); err != nil {
			t.Fatal(err)
		}
		if err := reopen(t, db); err == nil || !strings.Contains(err.Error(), "run a later release") {
			t.Errorf("Open() of schema %d = %v, want a refusal", version, err)
		}
		raw, err := db.state.FindOne(t.Context(), where(is("_id", schemaMark))).Raw()
		if got, ok := raw.Lookup("version").AsInt64OK(); err != nil || !ok || got != version {
			t.Errorf("schema after the refusal = %d, %v, want %d", got, err, version)
		}
	}
}

func TestCheckFindsASoundDatabaseSound(t *testing.T) {
	db := openTest(t, newName(), nil)
	seen := map[string]bool{}
	for _, f := range db.Check(t.Context()) {
		seen[f.Name] = true
		if f.Level == health.Fail {
			t.Errorf("Check() = %+v, want nothing to fail", f)
		}
	}
	for _, name := range []string{"store", "fsync", "indexes", "clock", "replicas"} {
		if !seen[name] {
			t.Errorf("Check() says nothing of %s", name)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if found := db.Check(t.Context()); len(found) != 1 || found[0].Level != health.Fail {
		t.Errorf("Check() of a database that is away = %+v, want one failure", found)
	}
}
