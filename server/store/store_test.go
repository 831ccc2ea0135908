package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/server/store"
)

func TestOpenTakesADirectoryInEverySpelling(t *testing.T) {
	for name, url := range map[string]func(dir string) string{
		"path":            func(dir string) string { return dir },
		"sqlite":          func(dir string) string { return "sqlite:" + dir },
		"sqlite in caps":  func(dir string) string { return "SQLite:" + dir },
		"with slashes":    func(dir string) string { return "sqlite://" + dir },
		"file":            func(dir string) string { return "file:" + dir },
		"with an option":  func(dir string) string { return "sqlite:" + dir + "?cached=10" },
		"odd characters":  func(dir string) string { return dir + "/a b%20#c?d" },
		"missing parents": func(dir string) string { return "sqlite:" + dir + "/a/b/c" },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(t.Context(), url(dir))
			if err != nil {
				t.Fatalf("Open(%q) = %v, want nil", url(dir), err)
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("Ready() = %v, want nil", err)
			}
			if s.Users == nil || s.Passwords == nil || s.Sessions == nil {
				t.Errorf("Open(%q) = %+v, want every store", url(dir), s)
			}
			for range 2 {
				if err := s.Close(); err != nil {
					t.Errorf("Close() = %v, want nil", err)
				}
			}
			if err := s.Ready(t.Context()); err == nil {
				t.Error("Ready() after Close = nil, want an error")
			}
			var found bool
			filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				found = found || e.Name() == "sluice.db"
				return err
			})
			if !found {
				t.Errorf("Open(%q) made no sluice.db below %s", url(dir), dir)
			}
		})
	}
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	for url, want := range map[string]string{
		"":                              "names no directory",
		"sqlite:":                       "names no directory",
		"mongodb://ada:secret@db/x?w=1": "w=1: writes must reach a majority",
		"MongoDB://ada:secret@/x":       "reading store URL",
		"mongo://ada:secret@db/x":       `unknown scheme "mongo"`,
		"postgres:x":                    `unknown scheme "postgres"`,
		"sqlite:data?cache=1":           `"cache" is unknown`,
		"sqlite:data?cached=0":          `cached is "0"`,
		"sqlite:data?cached=many":       `cached is "many"`,
		"sqlite:data?cached=1&cached=2": `"cached" is unknown or there more than once`,
	} {
		_, err := store.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want an error with %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) = %v, want the password kept out", url, err)
		}
	}
}
