package mongotest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Database returns the URI of an empty database of the test's own, in the
// MongoDB that [URIVar] names or else in a FerretDB. It is dropped with the test.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv(URIVar)
	if server == "" {
		server = Need(t).URI
	}
	name := "sluice_" + bson.NewObjectID().Hex()
	uri, err := inside(server, name)
	if err != nil {
		t.Fatalf("reading %s = %v, want nil", URIVar, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		client, err := driver.Connect(options.Client().ApplyURI(uri))
		if err == nil {
			err = client.Database(name).Drop(ctx)
			_ = client.Disconnect(ctx) // nothing is left to lose
		}
		if err != nil {
			t.Errorf("dropping the test's database = %v, want nil", err)
		}
	})
	return uri
}

// inside is the URI of a database of a server.
func inside(server, name string) (string, error) {
	base, query, _ := strings.Cut(server, "?")
	scheme, rest, _ := strings.Cut(base, "://")
	hosts, users, _ := strings.Cut(rest, "/")
	settings, err := url.ParseQuery(query)
	if err != nil {
		return "", fmt.Errorf("reading its settings: %w", err)
	}
	if strings.Contains(hosts, "@") && !settings.Has("authSource") {
		settings.Set("authSource", cmp.Or(users, "admin")) // or it would be the new database
	}
	if query = settings.Encode(); query != "" {
		query = "?" + query
	}
	return scheme + "://" + hosts + "/" + name + query, nil
}
