package mongo

import (
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

func TestURLThatPromisesLessIsRefused(t *testing.T) {
	for query, want := range map[string]string{
		"w=0":                           "w=0: writes must reach a majority",
		"w=1":                           "w=1: writes must reach a majority",
		"w=2":                           "w=2: writes must reach a majority",
		"w=eu":                          "w=eu: writes must reach a majority",
		"journal=false":                 "journal=false: writes must reach the journal",
		"readPreference=secondary":      "readPreference=secondary: a secondary may not know",
		"retryWrites=false":             "retryWrites=false: a failover would fail",
		"readConcernLevel=available":    "readConcernLevel=available: local and linearizable are known",
		"maxPoolSize=many":              "reading store URL",
		"w=majority":                    "",
		"w=majority&journal=true":       "",
		"readPreference=primary":        "",
		"readConcernLevel=linearizable": "",
	} {
		uri := "mongodb://ada:secret@db1:27017,db2:27018/app?" + query
		_, _, err := settings(uri)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("settings(%q) = %v, want %q", uri, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("settings(%q) = %v, want the password kept out", uri, err)
		}
	}
}

func TestSettingsAreSaidAndNotLeftToDefaults(t *testing.T) {
	o, name, err := settings("mongodb://db/app?maxPoolSize=50&timeoutMS=60000")
	if err != nil {
		t.Fatalf("settings() = %v, want nil", err)
	}
	if name != "app" || *o.Timeout != 2*time.Second || *o.ServerSelectionTimeout != 2*time.Second ||
		*o.MaxPoolSize != 50 || *o.MinPoolSize == 0 || *o.MaxConnIdleTime == 0 || *o.MaxConnecting != 4 ||
		*o.AppName != "sluice" || !*o.RetryWrites || o.ReadPreference.Mode() != readpref.PrimaryMode ||
		o.WriteConcern.W != "majority" || !*o.WriteConcern.Journal || o.ReadConcern.Level != "local" {
		t.Errorf("settings() = %+v of %s, want all of it set", o, name)
	}
}

func TestDatabaseOfAURL(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://db":                         "sluice",
		"mongodb://db/":                        "sluice",
		"mongodb://db/?w=majority":             "sluice",
		"mongodb://a:b@db1:1,db2:2/app":        "app",
		"mongodb+srv://a:b@cluster.test/app?x": "app",
	} {
		if got := databaseOf(uri); got != want {
			t.Errorf("databaseOf(%q) = %q, want %q", uri, got, want)
		}
	}
}
