// Package store opens the database that a URL names.
package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/server/store/health"
	"sluice/server/store/mongo"
	"sluice/server/store/sqlite"
)

// ErrOwned says that another process has the embedded store.
var ErrOwned = sqlite.ErrOwned

// A Store is an open database.
type Store struct {
	nodes.Stores
	Kind string // "SQLite" or "MongoDB"
	// Ready tells why the store cannot serve, or returns nil.
	Ready func(ctx context.Context) error
	// Check looks at everything, which can take its time.
	Check func(ctx context.Context) []health.Finding
	// Close makes what was acknowledged ready for the next start and lets go of
	// the database. Later calls return what the first did.
	Close func() error
}

// scheme is of two characters at least, as C: is a drive.
var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):`)

// Open opens a database:
//
//	data                    the directory data, with the embedded store in it
//	sqlite:data, file:data  the same
//	sqlite:data?cached=N    the same, with N sessions kept in memory
//	mongodb://host/data     the database data of a MongoDB, also as mongodb+srv
//
// A directory that is missing is made. The keys seal audit events, the first one
// new events.
func Open(ctx context.Context, address string, keys ...audit.Key) (*Store, error) {
	return open(ctx, address, false, keys)
}

// OpenStill opens a database to move all that it holds, or to move something
// into it: what has expired stays there until it is closed, and a database in
// which an import was cut off opens, too.
func OpenStill(ctx context.Context, address string, keys ...audit.Key) (*Store, error) {
	return open(ctx, address, true, keys)
}

// Dir returns the directory of the embedded store that an address names, or ""
// where it names another store.
func Dir(address string) string {
	m := scheme.FindStringSubmatch(address)
	if m == nil {
		return address
	}
	switch strings.ToLower(m[1]) {
	case "sqlite", "file":
		dir, _, _ := strings.Cut(address[len(m[0]):], "?")
		return strings.TrimPrefix(dir, "//")
	}
	return ""
}

// Exists tells whether there is a database already where an address names an
// embedded store. Of another store it says that there is.
func Exists(address string) bool {
	dir := Dir(address)
	return dir == "" || sqlite.Exists(dir)
}

func open(ctx context.Context, address string, still bool, keys audit.Keys) (*Store, error) {
	m := scheme.FindStringSubmatch(address)
	if m == nil {
		return openSQLite(ctx, address, sqlite.Options{Still: still, AuditKeys: keys})
	}
	switch name := strings.ToLower(m[1]); name {
	case "sqlite", "file":
		_, query, _ := strings.Cut(address[len(m[0]):], "?")
		o, err := options(query)
		if err != nil {
			return nil, fmt.Errorf("reading store URL: %w", err)
		}
		o.Still, o.AuditKeys = still, keys
		return openSQLite(ctx, Dir(address), o)
	case "mongodb", "mongodb+srv":
		return openMongo(ctx, name+address[len(m[1]):], still, keys)
	default:
		// Not the whole URL, which may hold a password.
		return nil, fmt.Errorf("store URL has the unknown scheme %q: give a directory, sqlite: and a directory, or a mongodb: URL", name)
	}
}

// options reads what follows the ? of a URL.
func options(query string) (o sqlite.Options, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return o, err
	}
	for name, given := range values {
		if name != "cached" || len(given) != 1 {
			return o, fmt.Errorf("%q is unknown or there more than once (cached=N is known)", name)
		}
		if o.Cached, err = strconv.Atoi(given[0]); err != nil || o.Cached < 1 {
			return o, fmt.Errorf("cached is %q, want a number from 1", given[0])
		}
	}
	return o, nil
}

func openSQLite(ctx context.Context, dir string, o sqlite.Options) (*Store, error) {
	if dir == "" {
		return nil, errors.New("store URL names no directory")
	}
	db, err := sqlite.Open(ctx, dir, o)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	check := func(ctx context.Context) []health.Finding { return append(db.Check(ctx), sqlite.FileModes(dir)) }
	return &Store{Stores: db.Stores(), Kind: "SQLite", Ready: db.Ready, Check: check, Close: db.Close}, nil
}

func openMongo(ctx context.Context, uri string, still bool, keys audit.Keys) (*Store, error) {
	how := mongo.Open
	if still {
		how = mongo.OpenUnfinished
	}
	db, err := how(ctx, uri, keys...)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	return &Store{Stores: db.Stores(), Kind: "MongoDB", Ready: db.Ready, Check: db.Check, Close: db.Close}, nil
}
