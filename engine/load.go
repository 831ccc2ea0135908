package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// An App is a set of flows that passed every check together.
type App struct {
	Flows []*Flow     // endpoints, in the order of their files
	Nodes []*NodeFlow // nodes made of flows, in the order of their files

	Collections []*Collection // by name
	Warnings    Problems      // what works and is better done otherwise
}

// A NodeFlow is a node that is a flow.
type NodeFlow struct {
	*Node
	File  string
	Steps []Step // as written
}

const errorsFile = "errors.yaml"

// settingsFile can stand beside the flows. It is the server's to read.
const settingsFile = "sluice.yaml"

// Load reads, checks and compiles every flow file (*.yaml) below the root of a
// file system. Files and folders that begin with a dot or an underscore are left out,
// and so are flow tests (*.test.yaml). It returns all problems of all files; where there are
// any the app is nil: flows are loaded all together or not at all.
func Load(fsys fs.FS, env Env) (*App, error) {
	r, err := read(fsys, &env)
	if err != nil {
		return nil, err
	}
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return r.app, nil
}

// A reading is all that came of the files, whether they have problems or not.
type reading struct {
	app      *App
	env      *Env
	nodes    map[string]*Node
	declared map[string]Declared
	problems Problems
}

func read(fsys fs.FS, env *Env) (*reading, error) {
	env.declareVars()
	nodes, err := catalogue(env.Nodes)
	if err != nil {
		return nil, err
	}
	files, problems, err := flowFiles(fsys)
	if err != nil {
		return nil, err
	}
	declared, ps := loadErrors(fsys)
	problems = append(problems, ps...)
	env.types, ps = loadTypes(fsys, env)
	problems = append(problems, ps...)
	drafts, failed := make([]*draft, len(files)), make([]error, len(files))
	shared(len(files), func(i int) {
		var data []byte
		if data, failed[i] = fs.ReadFile(fsys, files[i]); failed[i] == nil {
			drafts[i] = parseFlow(files[i], data, env)
		}
	})
	if err := errors.Join(failed...); err != nil {
		return nil, fmt.Errorf("reading flows: %w", err)
	}
	compileNodes(drafts, env, nodes, declared)
	collisions(drafts)
	shared(len(drafts), func(i int) {
		if d := drafts[i]; d.read && d.params == nil {
			d.compile(env, nodes, declared)
			d.steps = nil
		}
	})
	app := &App{}
	for _, d := range drafts {
		if d.read && d.params == nil {
			app.Flows = append(app.Flows, d.Flow)
		}
		if n := nodes[d.name]; d.name != "" && n != nil && n.flow != nil {
			app.Nodes = append(app.Nodes, &NodeFlow{n, d.file, d.Steps})
		}
		problems = append(problems, d.problems...)
		app.Warnings = append(app.Warnings, d.warnings...)
	}
	app.Warnings = app.Warnings.sorted()
	for _, name := range slices.Sorted(maps.Keys(env.types.collections)) {
		app.Collections = append(app.Collections, env.types.collections[name])
	}
	return &reading{app, env, nodes, declared, problems.sorted()}, nil
}

// shared calls f for 0 to n-1, on as many goroutines as can run at once.
func shared(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// catalogue indexes nodes by name.
func catalogue(nodes []*Node) (map[string]*Node, error) {
	byName := make(map[string]*Node, len(nodes))
	for _, n := range nodes {
		if byName[n.Name] != nil {
			return nil, fmt.Errorf("node %s is registered twice", n.Name)
		}
		byName[n.Name] = n
	}
	return byName, nil
}

func flowFiles(fsys fs.FS) (files []string, problems Problems, err error) {
	err = fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		switch {
		case file != "." && (name[0] == '.' || name[0] == '_'):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() || file == errorsFile || file == typesFile || file == settingsFile || strings.HasSuffix(name, ".test.yaml"):
		case path.Ext(name) == ".yml":
			problems = append(problems, Problem{Pos: Pos{file, 1, 1}, Message: "flow files end in .yaml", Hint: "rename it to " + strings.TrimSuffix(name, ".yml") + ".yaml"})
		case path.Ext(name) == ".yaml":
			files = append(files, file)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("looking for flows: %w", err)
	}
	slices.Sort(files)
	return files, problems, nil
}

var errorCode = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

// loadErrors reads errors.yaml, where it exists: the errors that flows can fail with.
func loadErrors(fsys fs.FS) (map[string]Declared, Problems) {
	declared := map[string]Declared{}
	data, err := fs.ReadFile(fsys, errorsFile)
	if err != nil {
		return declared, nil
	}
	s := &source{file: errorsFile}
	root := s.parse(data)
	if root == nil {
		return declared, s.problems
	}
	for _, e := range s.mapping(root, "errors.yaml") {
		d := Declared{Code: e.key}
		if !errorCode.MatchString(e.key) {
			s.problem(e.at, "a letter, then letters, digits and _", "%q cannot be the code of an error", e.key)
		}
		for _, f := range s.mapping(e.value, "an error", "status", "message") {
			switch f.key {
			case "status":
				status, ok := s.parseValue(f.value).lit.(int64)
				if !ok || status < 400 || status > 599 {
					s.problem(s.at(f.value), "", "the status of an error must be from 400 to 599")
				}
				d.Status = int(status)
			case "message":
				d.Message, _ = s.text(f.value, "message")
			}
		}
		if d.Status == 0 || d.Message == "" {
			s.problem(e.at, "as in {status: 409, message: The order was paid already.}", "error %q needs a status and a message", e.key)
		}
		declared[e.key] = d
	}
	return declared, s.problems
}

// collisions reports endpoints that answer the same requests.
func collisions(drafts []*draft) {
	exact, loose := map[string]*draft{}, map[string]*draft{}
	for _, d := range drafts {
		if d.Method == "" || d.Path == "" {
			continue
		}
		shape := d.Method + " " + placeholders.ReplaceAllString(d.Path, "{$1}")
		if other := exact[shape]; other != nil {
			d.problem(d.pathPos, "in "+other.File+", line "+fmt.Sprint(other.pathPos.Line), "%s %s is there already as %s", d.Method, d.Path, other.Path)
			continue
		}
		exact[shape] = d
		folded := strings.ToLower(shape)
		if other := loose[folded]; other != nil {
			d.problem(d.pathPos, "in "+other.File+", line "+fmt.Sprint(other.pathPos.Line), "%s differs from %s only in capital letters", d.Path, other.Path)
			continue
		}
		loose[folded] = d
	}
}

// placeholders are {name} and {name...}, which are two things.
var placeholders = regexp.MustCompile(`\{[^}.]*(\.\.\.)?\}`)

// declareVars makes $env of the variables: an object of secret texts that every
// run shares.
func (e *Env) declareVars() {
	if len(e.Vars) == 0 {
		return
	}
	t := &Type{Base: Object}
	names := slices.Sorted(maps.Keys(e.Vars))
	for _, name := range names {
		t.Props = append(t.Props, &Prop{Name: name, Type: (&Type{Base: String, Secrecy: Hidden}).held()})
	}
	t.held()
	v := reflect.New(t.goType)
	for i, name := range names {
		v.Elem().Field(i).SetString(e.Vars[name])
	}
	e.vars, e.varsAt = t, unsafe.Pointer(v.Pointer())
}
