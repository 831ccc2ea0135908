package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A source is a Go file whose style is looked at.
type source struct {
	name string // slash-separated, from the root of the module
	text string
	set  *token.FileSet
	file *ast.File
}

func parseSource(name, text string) (*source, error) {
	s := &source{name: name, text: text, set: token.NewFileSet()}
	var err error
	s.file, err = parser.ParseFile(s.set, name, text, parser.ParseComments)
	return s, err
}

func (s *source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// A slip is a place that is not as the house writes, and what to write instead.
type slip struct {
	pos  token.Pos
	what string
}

const maxLines = 600 // of a file

var (
	emptyNames = []string{"util", "utils", "helper", "helpers", "common", "manager", "types", "impl", "misc", "base"}
	unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	banner     = regexp.MustCompile(`^(//|/\*)\s*[-=*#~_]{4,}`)
)

// slips returns what is not in the style of the house.
func (s *source) slips() (all []slip) {
	slipped := func(pos token.Pos, what string) { all = append(all, slip{pos, what}) }
	if n := strings.Count(s.text, "\n"); n > maxLines {
		slipped(s.file.Package, "a file has at most "+strconv.Itoa(maxLines)+" lines: one idea a file")
	}
	if slices.Contains(emptyNames, strings.TrimSuffix(s.file.Name.Name, "_test")) {
		slipped(s.file.Name.Pos(), "a package is named after what it holds; this name could hold anything")
	}
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if unfinished.MatchString(c.Text) {
				slipped(c.Pos(), "finish it, or say in a sentence what is missing and why that is right")
			}
			if banner.MatchString(c.Text) {
				slipped(c.Pos(), "no banners: what needs one is a file of its own")
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				slipped(n.Pos(), "no init: dependencies arrive by closure, nodes are listed in main")
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && !s.isTest() && strings.Contains(strings.ToLower(n.Value), "failed to") {
				slipped(n.Pos(), `say what was being done, as in "reading user: %w"; that it failed is clear`)
			}
		case *ast.SelectorExpr:
			s.selector(n, slipped)
		case *ast.CallExpr:
			s.call(n, slipped)
		}
		return true
	})
	return all
}

// selector looks at a name of another package.
func (s *source) selector(n *ast.SelectorExpr, slipped func(token.Pos, string)) {
	pkg, ok := n.X.(*ast.Ident)
	if !ok || s.isTest() {
		return
	}
	switch name := pkg.Name + "." + n.Sel.Name; name {
	case "fmt.Print", "fmt.Printf", "fmt.Println":
		if !within(path.Dir(s.name), "server/cli", "server/cmd", ".ci") {
			slipped(n.Pos(), "only the command prints: return an error, or log once at the edge")
		}
	case "http.DefaultClient", "http.Get", "http.Post", "http.PostForm", "http.Head":
		slipped(n.Pos(), "the default client waits for ever: take an *http.Client with a timeout from whoever calls")
	case "log.Fatal", "log.Fatalf", "log.Fatalln", "os.Exit":
		if !within(path.Dir(s.name), "server/cli", "server/cmd", ".ci") {
			slipped(n.Pos(), "only the command ends the process: return an error")
		}
	}
}

// call looks at how an error is wrapped.
func (s *source) call(n *ast.CallExpr, slipped func(token.Pos, string)) {
	fun, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || s.isTest() || fun.Sel.Name != "Errorf" || len(n.Args) < 2 {
		return
	}
	if pkg, ok := fun.X.(*ast.Ident); !ok || pkg.Name != "fmt" {
		return
	}
	layout, ok := n.Args[0].(*ast.BasicLit)
	if last, isName := n.Args[len(n.Args)-1].(*ast.Ident); ok && isName && last.Name == "err" && !strings.Contains(layout.Value, "%w") {
		slipped(n.Pos(), "wrap an error with %w, so that errors.Is finds it")
	}
}

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}

func TestEveryFileKeepsTheStyle(t *testing.T) {
	root := os.DirFS("..")
	files := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules" || name == "data"):
			return fs.SkipDir
		case d.IsDir() && name != "." && exists(root, name+"/go.mod"):
			return fs.SkipDir // a module of its own
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		files++
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s, err := parseSource(name, string(text))
		if err != nil {
			return err
		}
		for _, slip := range s.slips() {
			at := s.set.Position(slip.pos)
			t.Errorf("%s:%d: %s", at.Filename, at.Line, slip.what)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("looked at %d files, want those of the whole module", files)
	}
}

func TestStyleKnowsASlip(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		slips      int
	}{
		"clean":                    {"nodes/user/user.go", "package user\n\n// A User is a person.\ntype User struct{}\n", 0},
		"init":                     {"nodes/user/user.go", "package user\n\nfunc init() {}\n", 1},
		"a method named init":      {"nodes/user/user.go", "package user\n\ntype T int\n\nfunc (T) init() {}\n", 0},
		"empty name":               {"nodes/util/util.go", "package util\n", 1},
		"empty name of a test":     {"nodes/util/util_test.go", "package util_test\n", 1},
		"unfinished":               {"engine/run.go", "package engine\n\n// TO" + "DO: more.\nvar x int\n", 1},
		"a word in a text":         {"engine/run.go", "package engine\n\nvar x = \"TO" + "DO\"\n", 0},
		"banner":                   {"engine/run.go", "package engine\n\n//-------- types --------\n", 1},
		"failed to":                {"engine/run.go", "package engine\n\nvar e = errors.New(\"failed to read\")\n", 1},
		"failed to in a test":      {"engine/run_test.go", "package engine\n\nvar e = \"failed to read\"\n", 0},
		"print":                    {"engine/run.go", "package engine\n\nfunc f() { fmt.Println(1) }\n", 1},
		"print to a writer":        {"engine/run.go", "package engine\n\nfunc f() { fmt.Fprintln(w, 1) }\n", 0},
		"print in the command":     {"server/cli/cli.go", "package cli\n\nfunc f() { fmt.Println(1) }\n", 0},
		"print in an example":      {"engine/example_test.go", "package engine\n\nfunc Example() { fmt.Println(1) }\n", 0},
		"default client":           {"nodes/http/call.go", "package http\n\nvar c = http.DefaultClient\n", 1},
		"get":                      {"nodes/http/call.go", "package http\n\nfunc f() { http.Get(\"x\") }\n", 1},
		"exit":                     {"engine/run.go", "package engine\n\nfunc f() { os.Exit(1) }\n", 1},
		"error not wrapped":        {"engine/run.go", "package engine\n\nfunc f() error { return fmt.Errorf(\"reading: %v\", err) }\n", 1},
		"error wrapped":            {"engine/run.go", "package engine\n\nfunc f() error { return fmt.Errorf(\"reading: %w\", err) }\n", 0},
		"a file of too many ideas": {"engine/run.go", "package engine\n" + strings.Repeat("\n", maxLines), 1},
	} {
		s, err := parseSource(c.file, c.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := s.slips(); len(got) != c.slips {
			t.Errorf("%s: slips(%q) = %v, want %d", name, c.text, got, c.slips)
		}
	}
}
