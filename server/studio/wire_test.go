package studio

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page declares the shapes of the API once more, for its compiler.
func TestPageAndServerDeclareTheSameShapes(t *testing.T) {
	here, there := structs(t), interfaces(t)
	var both int
	for name, page := range there {
		if server, ok := here[name]; !ok {
			t.Errorf("web/src/wire.ts declares %s, which the package does not", name)
		} else if !slices.Equal(server, page) {
			t.Errorf("%s has the fields\n%q in Go, and\n%q in web/src/wire.ts", name, server, page)
		} else {
			both++
		}
	}
	if both < 50 {
		t.Errorf("compared %d shapes, want 50 and more", both)
	}
}

// structs returns the names of the fields of each struct of the package, as JSON has them.
func structs(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*ast.StructType{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if of, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = of
				}
			}
			return true
		})
	}
	all := map[string][]string{}
	for name, of := range found {
		all[name] = names(of, found)
	}
	return all
}

// names returns those of a struct's fields, and of what is embedded in it.
func names(of *ast.StructType, found map[string]*ast.StructType) (all []string) {
	for _, f := range of.Fields.List {
		if len(f.Names) == 0 {
			if inner, ok := f.Type.(*ast.Ident); ok && found[inner.Name] != nil {
				all = append(all, names(found[inner.Name], found)...)
			}
		} else if f.Tag != nil {
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var (
	interfaceLine = regexp.MustCompile(`(?m)^export interface (\w+)(?: extends (?:Omit<)?(\w+).*)? \{$`)
	fieldLine     = regexp.MustCompile(`(?m)^  (\w+)\??: `)
)

// interfaces returns the names of the fields of each interface of wire.ts.
func interfaces(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("web/src/wire.ts")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for rest := string(text); ; {
		at := interfaceLine.FindStringSubmatchIndex(rest)
		if at == nil {
			return all
		}
		name, base := rest[at[2]:at[3]], ""
		if at[4] >= 0 {
			base = rest[at[4]:at[5]] // which is declared above
		}
		body, behind, _ := strings.Cut(rest[at[1]:], "\n}\n")
		fields := slices.Clone(all[base])
		for _, f := range fieldLine.FindAllStringSubmatch(body+"\n", -1) {
			fields = append(fields, f[1])
		}
		slices.Sort(fields)
		all[name], rest = slices.Compact(fields), behind
	}
}
