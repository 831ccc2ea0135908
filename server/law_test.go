package server_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// within tells whether a package is p or below it.
func within(pkg string, of ...string) bool {
	return slices.ContainsFunc(of, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

// standard tells whether a package is of Go's own library: its path begins with
// no domain and is not of this module.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != "sluice"
}

var (
	transports = []string{"sluice/server/rest", "sluice/server/graphql"}
	web        = []string{"net/http", "github.com/gofiber", "github.com/valyala/fasthttp"}
	drivers    = map[string]string{ // and the only folder that may use each
		"modernc.org/sqlite": "sluice/server/store/sqlite",
		"go.mongodb.org":     "sluice/server/store/mongo",
		"database/sql":       "sluice/server/store",
	}
)

// breach says which law of the house an import breaks, or "".
func breach(pkg, imported string) string {
	for driver, home := range drivers {
		if within(imported, driver) && !within(pkg, home) {
			return "a driver appears in its store folder only"
		}
	}
	own := within(imported, "sluice")
	switch {
	case within(pkg, "sluice/engine"):
		if within(imported, web...) {
			return "the engine knows no HTTP"
		}
		if !standard(imported) && !within(imported, "sluice/engine", "gopkg.in/yaml.v3", "github.com/expr-lang/expr") {
			return "the engine imports the standard library, yaml.v3 and the expression library only"
		}
	case within(pkg, "sluice/nodes"):
		if within(imported, "github.com/gofiber", "github.com/valyala/fasthttp") {
			return "nodes know no transport"
		}
		if own && !within(imported, "sluice/engine", "sluice/nodes") {
			return "nodes import the engine and each other only"
		}
	case within(pkg, "sluice/flows"):
		if !standard(imported) {
			return "flows are data"
		}
	case within(pkg, "sluice/server/endpoint"):
		if within(imported, web...) || own && !within(imported, "sluice/engine", "sluice/nodes", "sluice/server/endpoint") {
			return "endpoints know no transport"
		}
	case within(pkg, "sluice/server/store"):
		if own && !within(imported, "sluice/engine", "sluice/nodes", "sluice/server/store") {
			return "stores know nodes only"
		}
	case within(pkg, transports...):
		if within(imported, transports...) && !within(imported, pkg) {
			return "transports never import each other"
		}
		if within(imported, "sluice/server/store") {
			return "transports know no store"
		}
	}
	return ""
}

func TestEveryImportKeepsTheLaw(t *testing.T) {
	root := os.DirFS("..")
	files := 0
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (d.Name()[0] == '.' || d.Name()[0] == '_' || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		files++
		src, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if law := breach("sluice/"+path.Dir(file), imported); law != "" {
				t.Errorf("%s imports %s: %s", file, imported, law)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("looked at %d files, want those of the whole module", files)
	}
}

func TestLawKnowsABreach(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		breaks        bool
	}{
		{"sluice/engine", "reflect", false},
		{"sluice/engine", "gopkg.in/yaml.v3", false},
		{"sluice/engine/enginetest", "sluice/engine", false},
		{"sluice/engine", "net/http", true},
		{"sluice/engine", "golang.org/x/text/unicode/norm", true},
		{"sluice/engine", "sluice/nodes", true},
		{"sluice/engine", "database/sql", true},
		{"sluice/nodes/user", "sluice/engine", false},
		{"sluice/nodes/user", "github.com/google/uuid", false},
		{"sluice/nodes/http", "net/http", false},
		{"sluice/nodes/user", "github.com/gofiber/fiber/v2", true},
		{"sluice/nodes/user", "github.com/valyala/fasthttp", true},
		{"sluice/nodes/user", "modernc.org/sqlite/lib", true},
		{"sluice/nodes/user", "go.mongodb.org/mongo-driver/v2/mongo", true},
		{"sluice/nodes/user", "sluice/server/endpoint", true},
		{"sluice/flows", "embed", false},
		{"sluice/flows", "sluice/engine", true},
		{"sluice/server/endpoint", "sluice/nodes/session", false},
		{"sluice/server/endpoint", "sluice/server/rest", true},
		{"sluice/server/endpoint", "net/http", true},
		{"sluice/server/rest", "sluice/server/endpoint", false},
		{"sluice/server/rest", "sluice/server/graphql", true},
		{"sluice/server/graphql", "sluice/server/rest", true},
		{"sluice/server/rest", "sluice/server/store/sqlite", true},
		{"sluice/server/store/sqlite", "modernc.org/sqlite", false},
		{"sluice/server/store/mongo", "modernc.org/sqlite", true},
		{"sluice/server/store/mongo", "go.mongodb.org/mongo-driver/v2/bson", false},
		{"sluice/server/store/sqlite", "sluice/server/endpoint", true},
		{"sluice/server", "sluice/server/rest", false},
		{"sluice/server/cli", "modernc.org/sqlite", true},
	} {
		if got := breach(c.pkg, c.imported); (got != "") != c.breaks {
			t.Errorf("breach(%s, %s) = %q, want one: %t", c.pkg, c.imported, got, c.breaks)
		}
	}
}
