package engine

import (
	"context"
	"errors"
	"reflect"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm/runtime"
)

// The expression library has no clock and does not weigh texts. So in expressions
// that could take long or make much, the calls, sums of texts and rounds that do
// so are put in the hands of a meter, which each evaluation has.

const (
	maxMade    = 8 << 20               // bytes of texts and lists that one evaluation may make
	maxPattern = 1000                  // instructions of a compiled pattern
	clockPace  = 50 * time.Microsecond // between two looks at the clock, about
	maxStride  = 256                   // rounds between two looks
)

// meterName is the field of the environment that holds the meter.
const meterName = "M"

// mark stands in front of the names of functions that are metered.
const mark = "·"

var (
	errMuch      = errors.New("more than 8 MiB of texts and lists are made")
	errUncounted = errors.New("a list of unknown form")
)

// A meter bounds one evaluation: by the time of its run, and by what it makes.
type meter struct {
	ctx    context.Context
	made   int // bytes
	rounds int // until the clock is looked at
	stride int // rounds from one look to the next
	last   time.Time
	err    error // why the run is over
}

// tick counts a round, and tells when the run is over. It looks at the clock as
// often as the rounds are long.
func (m *meter) tick() error {
	if m.rounds--; m.rounds > 0 {
		return nil
	}
	now := time.Now()
	switch took := now.Sub(m.last); {
	case took > 2*clockPace:
		m.stride = max(1, m.stride/4)
	case took < clockPace:
		m.stride = min(maxStride, 2*m.stride)
	}
	m.last, m.rounds = now, m.stride
	m.err = m.ctx.Err()
	return m.err
}

// make counts bytes before they are made.
func (m *meter) make(bytes int) error {
	if m.made += bytes; m.made > maxMade || bytes < 0 {
		return errMuch
	}
	if bytes > 1<<16 {
		m.rounds = 0 // it takes its time
	}
	return m.tick()
}

// cheap are the functions that make nothing and take no time to speak of.
var cheap = []string{
	"len", "abs", "ceil", "floor", "round", "int", "float", "unix", "hasPrefix", "hasSuffix", "first", "last", "take", "duration", "date",
}

// heavy are those that can make far more than they get, or compare all with all.
var heavy = []string{"replace", "split", "join", "concat", "flatten", "uniq", "sort"}

// A metering puts what has to be metered in the hands of the meter. It runs on a
// tree whose types are known.
type metering struct {
	config *conf.Config
	done   bool // something is metered
	inside int  // predicates around
}

// walk rewrites a node and what is below it.
func (m *metering) walk(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.UnaryNode:
		m.walk(&v.Node)
	case *ast.BinaryNode:
		m.walk(&v.Left)
		m.walk(&v.Right)
		m.sum(n, v)
	case *ast.ChainNode:
		m.walk(&v.Node)
	case *ast.MemberNode:
		m.walk(&v.Node)
		m.walk(&v.Property)
	case *ast.SliceNode:
		m.walk(&v.Node)
		for _, side := range []*ast.Node{&v.From, &v.To} {
			if *side != nil {
				m.walk(side)
			}
		}
	case *ast.CallNode:
		m.all(v.Arguments)
		if callee, ok := v.Callee.(*ast.IdentifierNode); ok {
			m.call(n, callee.Value, v.Arguments)
		}
	case *ast.BuiltinNode:
		m.all(v.Arguments)
		m.call(n, v.Name, v.Arguments)
	case *ast.PredicateNode:
		m.inside++
		m.walk(&v.Node)
		m.inside--
		m.round(v)
	case *ast.ConditionalNode:
		m.walk(&v.Cond)
		m.walk(&v.Exp1)
		m.walk(&v.Exp2)
	case *ast.VariableDeclaratorNode:
		m.walk(&v.Value)
		m.walk(&v.Expr)
	case *ast.SequenceNode:
		m.all(v.Nodes)
	case *ast.ArrayNode:
		m.all(v.Nodes)
	case *ast.MapNode:
		m.all(v.Pairs)
	case *ast.PairNode:
		m.walk(&v.Key)
		m.walk(&v.Value)
	}
}

func (m *metering) all(nodes []ast.Node) {
	for i := range nodes {
		m.walk(&nodes[i])
	}
}

// metered puts a call of a metered function in the place of a node.
func (m *metering) metered(n *ast.Node, f *builtin.Function, args []ast.Node) {
	m.done = true
	m.config.Functions[f.Name] = f
	callee, field := ast.Node(&ast.IdentifierNode{Value: f.Name}), ast.Node(&ast.IdentifierNode{Value: meterName})
	callee.SetLocation((*n).Location())
	field.SetLocation((*n).Location())
	replace(n, &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{field}, args...)})
}

// round counts each round of a predicate.
func (m *metering) round(p *ast.PredicateNode) {
	tick := ast.Node(&ast.NilNode{})
	tick.SetLocation(p.Node.Location())
	m.metered(&tick, &builtin.Function{
		Name: mark + "round", Types: []reflect.Type{reflect.TypeFor[func(*meter) bool]()},
		Func: func(args ...any) (any, error) { return true, args[0].(*meter).tick() },
	}, nil)
	both := &ast.SequenceNode{Nodes: []ast.Node{tick, p.Node}}
	both.SetLocation(p.Node.Location())
	p.Node = both
}

// sum weighs the sum of two texts.
func (m *metering) sum(n *ast.Node, v *ast.BinaryNode) {
	kind := reflect.Interface
	if t := v.Type(); t != nil {
		kind = t.Kind()
	}
	if v.Operator != "+" || kind != reflect.String && kind != reflect.Interface {
		return
	}
	types := []reflect.Type{reflect.TypeFor[func(*meter, any, any) any]()}
	name := "+ of any"
	if kind == reflect.String {
		name, types = "+", []reflect.Type{reflect.TypeFor[func(*meter, string, string) string]()}
	}
	m.metered(n, &builtin.Function{Name: mark + name, Types: types, Func: func(args ...any) (any, error) {
		a, isText := args[1].(string)
		b, areTexts := args[2].(string)
		if isText && areTexts {
			if err := args[0].(*meter).make(len(a) + len(b)); err != nil {
				return nil, err
			}
			return a + b, nil
		}
		return runtime.Add(args[1], args[2]), nil
	}}, []ast.Node{v.Left, v.Right})
}

// call meters a call where it can take long: by itself, or by being made in every round.
func (m *metering) call(n *ast.Node, name string, args []ast.Node) {
	f := m.config.Builtins[name]
	if f == nil {
		f = m.config.Functions[name]
	}
	if f == nil || f.Predicate || strings.HasPrefix(name, mark) || slices.Contains(cheap, name) || m.inside == 0 && !slices.Contains(heavy, name) {
		return
	}
	m.metered(n, weighed(f), args)
}

// weighed is a function whose first argument is the meter.
func weighed(f *builtin.Function) *builtin.Function {
	w := &builtin.Function{Name: mark + f.Name, Func: func(args ...any) (any, error) {
		m, args := args[0].(*meter), slices.Clone(args[1:])
		for i := range args {
			args[i] = pointedTo(args[i])
		}
		bytes, err := makes(f.Name, args)
		if err != nil {
			return nil, err
		}
		if err := m.make(bytes); err != nil {
			return nil, err
		}
		switch {
		case f.Name == "uniq":
			return uniq(m, args[0])
		case f.Func != nil:
			return f.Func(args...)
		case f.Safe != nil:
			v, _, err := f.Safe(args...)
			return v, err
		}
		return f.Fast(args[0]), nil
	}}
	for _, t := range f.Types {
		w.Types = append(w.Types, withMeter(t))
	}
	if f.Validate != nil {
		w.Validate = func(args []reflect.Type) (reflect.Type, error) { return f.Validate(args[1:]) }
	}
	return w
}

// pointedTo is a value, or what it points to.
func pointedTo(v any) any {
	for p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil(); {
		p = p.Elem()
		v = p.Interface()
	}
	return v
}

// withMeter is the type of a function with the meter as its first argument.
func withMeter(t reflect.Type) reflect.Type {
	in, out := []reflect.Type{reflect.TypeFor[*meter]()}, []reflect.Type{}
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	return reflect.FuncOf(in, out, t.IsVariadic())
}

// cell is what one item of a list that holds anything takes, in bytes, with what
// it points to.
const cell = 32

// makes is about how many bytes a call makes, at most.
func makes(name string, args []any) (bytes int, err error) {
	text := func(i int) string { s, _ := args[i].(string); return s }
	switch {
	case name == "replace" && len(args) > 2:
		return len(text(0)) + (strings.Count(text(0), text(1)))*len(text(2)), nil
	case name == "split" && len(args) > 1:
		return len(text(0)) + cell*(1+strings.Count(text(0), text(1))), nil
	case name == "join":
		glue := 0
		if len(args) > 1 {
			glue = len(text(1))
		}
		list := reflect.ValueOf(args[0])
		if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
			return 0, errUncounted
		}
		for i := range list.Len() {
			item, _ := list.Index(i).Interface().(string)
			bytes += glue + len(item)
		}
		return bytes, nil
	}
	for _, a := range args {
		bytes += 2*weight(reflect.ValueOf(a), 3) + cell // escapes make a text longer
	}
	return bytes, nil
}

// weight is about how many bytes of a value a function copies, lists of lists down
// to a depth.
func weight(v reflect.Value, depth int) (bytes int) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Map:
		return 2 * cell * v.Len()
	case reflect.Slice, reflect.Array:
		bytes = cell * v.Len()
		switch kind := v.Type().Elem().Kind(); {
		case depth == 0 || kind != reflect.Slice && kind != reflect.Interface:
			return bytes
		}
		for i := range v.Len() {
			if item := v.Index(i); item.Kind() != reflect.Interface || item.Elem().Kind() == reflect.Slice {
				bytes += weight(item, depth-1)
			}
		}
	}
	return bytes
}

// uniq is the library's, which compares all with all, for lists of any length.
func uniq(m *meter, list any) (any, error) {
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return nil, errUncounted
	}
	kept, seen := []any{}, map[any]bool{}
	var others []any // that no map can hold
	for i := range v.Len() {
		item := v.Index(i).Interface()
		if key, ok := keyOf(item); ok {
			if !seen[key] {
				seen[key] = true
				kept = append(kept, item)
			}
			continue
		}
		there := false
		for _, o := range others {
			if err := m.tick(); err != nil {
				return nil, err
			}
			if there = runtime.Equal(item, o); there {
				break
			}
		}
		if !there {
			others = append(others, item)
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// keyOf makes a key that is the same for values that are equal in expressions.
func keyOf(v any) (key any, ok bool) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, true
	case int:
		return float64(v), int(float64(v)) == v && v < 1<<53 && v > -1<<53
	case int64:
		return float64(v), int64(float64(v)) == v && v < 1<<53 && v > -1<<53
	case float64:
		return v, v < 1<<53 && v > -1<<53 // which NaN is not, either
	}
	return nil, false
}

// pattern checks what a text is matched with: never anything that comes from a
// request, and nothing that takes long.
func (x *exprCompiler) pattern(v *ast.BinaryNode) {
	text, ok := v.Right.(*ast.StringNode)
	switch {
	case !ok:
		x.refuse(v.Right, "as in $body.code matches \"^[a-z]+$\"", "a pattern must stand in the flow")
	case tooComplex(text.Value):
		x.refuse(v.Right, "shorten its repetitions", "the pattern takes too long, it has more than %d parts", maxPattern)
	}
}

// tooComplex tells whether a pattern takes too much time for each character.
func tooComplex(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return false // told elsewhere
	}
	prog, err := syntax.Compile(re.Simplify())
	return err == nil && len(prog.Inst) > maxPattern
}
