package engine

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	bytecode "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Limits of one expression.
const (
	maxExprNodes  = 200       // of its syntax tree
	maxExprMemory = 100_000   // cells that one evaluation may fill
	maxPredicates = 2         // nested in one another
	maxIterations = 1_000_000 // of nested predicates, by the bounds of their lists
)

// An expression is a compiled value that begins with "= ", or a condition.
// References in it are resolved and typed by the flow's own checker; the
// expression library sees a struct of plain typed fields, one for each
// reference, and cannot reach anything else.
type expression struct {
	t       *Type // of the result
	program *vm.Program
	fields  []exprField
	metered bool
	meterAt uintptr    // of the field that holds the meter, where it is metered
	spare   *sync.Pool // of *evaluation
	proves  []proof    // what is known when the expression is true
}

// An exprField fills one field of the environment.
type exprField struct {
	ref    ref
	moves  []move           // of the value into the environment
	exists uintptr          // of the field that tells whether it is there
	asks   func(frame) bool // how that is found out; nil where nobody asks
}

// exprCompiler compiles one expression of a flow.
type exprCompiler struct {
	*compiler
	src    string
	pos    Pos
	fields []exprField
	types  []reflect.StructField
	byText map[string]int // field of a reference, by its text
	items  []*Type        // what # is, innermost last; nil where it is not known
	broken bool
	rounds float64 // of the predicates around

	conjuncts map[ast.Node][]proof // what a node proves when it is true
}

// compileExpression compiles an expression whose text begins at a place. It
// returns nil where it reported a problem.
func (c *compiler) compileExpression(src string, at Pos) *expression {
	c.computes = true
	x := &exprCompiler{compiler: c, src: src, pos: at, byText: map[string]int{}, rounds: 1, conjuncts: map[ast.Node][]proof{}}
	config := exprConfig()
	tree, err := parser.ParseWithConfig(src, config)
	if err != nil {
		x.told(err)
		return nil
	}
	var t *Type
	if !x.logic(&tree.Node) {
		t = x.rewrite(&tree.Node)
	}
	if x.broken {
		return nil
	}
	proves := x.conjuncts[tree.Node]
	fields := len(x.types)
	env := reflect.StructOf(append(x.types, reflect.StructField{Name: meterName, Type: reflect.TypeFor[*meter]()}))
	config.WithEnv(reflect.Zero(env).Interface()) // a struct and no pointer, so that fields are found by index
	rt, err := checker.Check(tree, config)
	if err != nil {
		x.told(err)
		return nil
	}
	if t == nil {
		t = resultType(rt)
	}
	m := &metering{config: config}
	if m.walk(&tree.Node); m.done {
		if _, err := checker.Check(tree, config); err != nil {
			x.told(err)
			return nil
		}
	}
	if err := optimizer.Optimize(&tree.Node, config); err != nil {
		x.told(err)
		return nil
	}
	// What the optimizer puts in has no types yet, and the compiler would stumble. What
	// the checker does not know of it stays as it is.
	_, _ = checker.Check(tree, config)
	program, err := assemble(tree, config)
	if err != nil {
		x.told(err)
		return nil
	}
	for i := range x.fields {
		f := &x.fields[i]
		f.exists = env.Field(2 * i).Offset
		for j := range f.moves {
			f.moves[j].to += env.Field(2*i + 1).Offset
		}
	}
	spare := &sync.Pool{New: func() any {
		v := reflect.New(env)
		return &evaluation{machine: vm.VM{MemoryBudget: maxExprMemory}, env: v.Interface(), fields: v.Elem(), p: v.UnsafePointer()}
	}}
	e := &expression{t: t, program: program, fields: x.fields, spare: spare, proves: proves}
	if e.metered = m.done; e.metered {
		e.meterAt = env.Field(fields).Offset
	}
	return e
}

// assemble is the library's Compile, which panics on some trees that the checker lets through.
func assemble(tree *parser.Tree, config *conf.Config) (p *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be compiled: %v", r)
		}
	}()
	if p, err = bytecode.Compile(tree, config); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n") // of a panic it gives the stack, too
		return nil, fmt.Errorf("cannot be compiled: %s", line)
	}
	return p, nil
}

// told reports an error of the expression library at its place.
func (x *exprCompiler) told(err error) {
	at, message := x.pos, err.Error()
	var e *file.Error
	if errors.As(err, &e) {
		at, message = x.place(e.From), e.Message
	}
	hint := ""
	if name, ok := strings.CutPrefix(message, "unknown name "); ok {
		message = fmt.Sprintf("there is no function or value %s", strings.Fields(name)[0])
		hint = "values begin with $, and texts stand in quotes"
	}
	if strings.HasPrefix(message, "unexpected token EOF") {
		message, hint = "the expression ends too early", "put it in quotes where it holds a # or, inside { }, a comma: YAML ends it there"
	}
	x.problem(at, hint, "%s", goWords.Replace(message))
}

// goWords puts the names of flow types in the place of Go's.
var goWords = strings.NewReplacer("float64", "number", "int64", "integer", "(int)", "(integer)", " int ", " integer ", " int)", " integer)",

	" bool)", " boolean)", " bool ", " boolean ", "interface {}", "data of any form", "[]", "list of ", mark, "", "time.Time", "time", "time.Duration", "duration")

// place is where a rune of the expression stands in the file.
func (x *exprCompiler) place(from int) Pos {
	at := x.pos
	i := 0
	for _, r := range x.src {
		if i == from {
			break
		}
		if i++; r == '\n' {
			at.Line, at.Column = at.Line+1, 1
		} else {
			at.Column++
		}
	}
	return at
}

func (x *exprCompiler) refuse(n ast.Node, hint, format string, args ...any) {
	x.broken = true
	x.problem(x.start(n), hint, format, args...)
}

// start is where a node begins; the library's own location of a member is its dot.
func (x *exprCompiler) start(n ast.Node) Pos {
	for {
		switch v := n.(type) {
		case *ast.MemberNode:
			n = v.Node
		case *ast.ChainNode:
			n = v.Node
		default:
			return x.place(n.Location().From)
		}
	}
}

// rewrite puts typed fields of the environment in the place of references, and
// properties of lists' items by the names of their Go fields. It returns the
// type of the node where it is one that flows declare, else nil.
func (x *exprCompiler) rewrite(n *ast.Node) *Type {
	if path := refPath(*n); path != nil {
		return x.reference(n, path)
	}
	if x.logic(n) {
		return nil
	}
	switch v := (*n).(type) {
	case *ast.IdentifierNode:
		if strings.HasPrefix(v.Value, "$") || envField.MatchString(v.Value) {
			x.refuse(v, "name what you need, as in $body.email", "%q is not a reference", v.Value)
		}
	case *ast.UnaryNode:
		x.rewrite(&v.Node)
	case *ast.BinaryNode:
		return x.binary(n, v)
	case *ast.ChainNode:
		return x.rewrite(&v.Node)
	case *ast.MemberNode:
		return x.member(v)
	case *ast.SliceNode:
		t := x.rewrite(&v.Node)
		for _, side := range []*ast.Node{&v.From, &v.To} {
			if *side != nil {
				x.rewrite(side)
			}
		}
		return t
	case *ast.CallNode:
		if _, ok := v.Callee.(*ast.MemberNode); ok {
			x.refuse(v, "use a function, as in format($user.creationDtm, \"2006-01-02\")", "methods cannot be called")
			return nil
		}
		for i := range v.Arguments {
			x.rewrite(&v.Arguments[i])
		}
	case *ast.BuiltinNode:
		return x.builtin(v)
	case *ast.PredicateNode:
		x.rewrite(&v.Node)
	case *ast.PointerNode:
		if v.Name == "" && len(x.items) > 0 {
			return x.items[len(x.items)-1]
		}
	case *ast.ConditionalNode:
		x.rewrite(&v.Cond)
		a, b := x.rewrite(&v.Exp1), x.rewrite(&v.Exp2)
		if a == b {
			return a
		}
	case *ast.VariableDeclaratorNode:
		x.rewrite(&v.Value)
		return x.rewrite(&v.Expr)
	case *ast.SequenceNode:
		for i := range v.Nodes {
			x.rewrite(&v.Nodes[i])
		}
	case *ast.ArrayNode:
		for i := range v.Nodes {
			x.rewrite(&v.Nodes[i])
		}
	case *ast.MapNode:
		for i := range v.Pairs {
			x.rewrite(&v.Pairs[i])
		}
	case *ast.PairNode:
		x.rewrite(&v.Key)
		x.rewrite(&v.Value)
	}
	return nil
}

// envField matches the names of the environment's own fields.
var envField = regexp.MustCompile(`^([HV][0-9]+|M)$`)

// refPath returns the names of a reference such as $body.email, or nil.
func refPath(n ast.Node) []string {
	switch v := n.(type) {
	case *ast.IdentifierNode:
		if name, ok := strings.CutPrefix(v.Value, "$"); ok && name != "" && name != "env" && !strings.Contains(name, "$") {
			return []string{name}
		}
	case *ast.ChainNode:
		return refPath(v.Node)
	case *ast.MemberNode:
		name, ok := v.Property.(*ast.StringNode)
		if before := refPath(v.Node); ok && before != nil {
			return append(before, name.Value)
		}
	}
	return nil
}

// reference replaces a reference by its field.
func (x *exprCompiler) reference(n *ast.Node, path []string) *Type {
	i, from, ok := x.field(*n, path)
	if !ok {
		return nil
	}
	if from.optional {
		x.refuse(*n, askFirst(from)+", or give a value for then: "+from.text+" ?? ...", "%s may be absent", from.text)
		return nil
	}
	replace(n, &ast.IdentifierNode{Value: x.types[2*i+1].Name})
	return from.t
}

func replace(n *ast.Node, by ast.Node) {
	by.SetLocation((*n).Location())
	*n = by
}

// field returns the field of a reference, made on its first use.
func (x *exprCompiler) field(n ast.Node, path []string) (int, typed, bool) {
	from, ok := x.lookup(path, x.start(n))
	if !ok {
		x.broken = true
		return 0, from, false
	}
	if from.t.Secrecy != Public {
		x.refuse(n, "", "%s is secret and cannot be part of an expression", from.text)
		return 0, from, false
	}
	if i, ok := x.byText[from.text]; ok {
		return i, from, true
	}
	i := len(x.fields)
	rt := from.t.goType
	moves := copyMoves(rt, from.ref, 0, 0)
	if from.t.Nominal {
		rt = reflect.TypeFor[string]()
		moves = copyMoves(rt, from.ref, 0, 0)
	}
	x.byText[from.text] = i
	x.fields = append(x.fields, exprField{ref: from.ref, moves: moves})
	x.types = append(x.types,
		reflect.StructField{Name: fmt.Sprintf("H%d", i), Type: reflect.TypeFor[bool]()},
		reflect.StructField{Name: fmt.Sprintf("V%d", i), Type: rt})
	return i, from, true
}

// binary rewrites the operators that ask whether a reference is there: ?? and
// the comparison with nil.
func (x *exprCompiler) binary(n *ast.Node, v *ast.BinaryNode) *Type {
	if v.Operator == "matches" {
		x.pattern(v)
	}
	left := refPath(v.Left)
	_, isNil := v.Right.(*ast.NilNode)
	if left == nil || v.Operator != "??" && !(isNil && (v.Operator == "==" || v.Operator == "!=")) {
		if proofs := x.formProof(v); proofs != nil {
			x.conjuncts[*n] = proofs
		}
		x.rewrite(&v.Left)
		x.rewrite(&v.Right)
		return nil
	}
	i, from, ok := x.field(v.Left, left)
	if !ok {
		return nil
	}
	switch {
	case from.optional:
		x.fields[i].asks = existence(from.ref)
	case from.omitted:
		x.fields[i].asks = x.presenceTest(from, x.start(v.Left))
	default:
		x.refuse(v.Left, "", "%s is always there", from.text)
		return nil
	}
	var there ast.Node = &ast.IdentifierNode{Value: x.types[2*i].Name}
	there.SetLocation(v.Left.Location())
	switch v.Operator {
	case "!=":
		replace(n, there)
		x.conjuncts[there] = []proof{{text: from.text}}
	case "==":
		replace(n, &ast.UnaryNode{Operator: "!", Node: there})
	default:
		x.rewrite(&v.Right)
		value := v.Left
		replace(&value, &ast.IdentifierNode{Value: x.types[2*i+1].Name})
		replace(n, &ast.ConditionalNode{Ternary: true, Cond: there, Exp1: value, Exp2: v.Right})
		return from.t
	}
	return nil
}

// member rewrites the property of an item.
func (x *exprCompiler) member(v *ast.MemberNode) *Type {
	t := x.rewrite(&v.Node)
	name, isName := v.Property.(*ast.StringNode)
	if !isName {
		x.rewrite(&v.Property)
		if t != nil && t.Base == Array {
			return t.Items
		}
		return nil
	}
	if t == nil || t.Base != Object || t.Open {
		return nil
	}
	p := t.prop(name.Value)
	switch {
	case p == nil:
		x.refuse(v.Property, DidYouMean(name.Value, t.propNames()), "there is no %q here", name.Value)
	case p.Type.Secrecy != Public:
		x.refuse(v.Property, "", "%q is secret and cannot be part of an expression", name.Value)
	default:
		name.Value = p.field
		return p.Type
	}
	return nil
}

// builtin rewrites a call of a function, and bounds those that walk a list.
func (x *exprCompiler) builtin(v *ast.BuiltinNode) *Type {
	if len(v.Arguments) == 0 {
		return nil
	}
	list := x.rewrite(&v.Arguments[0])
	var item *Type
	if list != nil && list.Base == Array {
		item = list.Items
	}
	walks := slices.ContainsFunc(v.Arguments, func(a ast.Node) bool { _, ok := a.(*ast.PredicateNode); return ok })
	before := x.rounds
	if walks {
		n, known := listBound(v.Arguments[0], list)
		if !known {
			x.refuse(v, "give the list maxItems where it is declared", "%s walks a list of unknown length", v.Name)
			return nil
		}
		if x.rounds *= max(n, 1); x.rounds > maxIterations {
			x.refuse(v, "", "these functions could take %s rounds, at most %d are allowed", plainNumber(x.rounds), maxIterations)
		}
		x.items = append(x.items, item)
		if len(x.items) > maxPredicates {
			x.refuse(v, "", "functions that walk lists can be nested %d deep", maxPredicates)
		}
	}
	same := item != nil
	for i := 1; i < len(v.Arguments); i++ {
		t := x.rewrite(&v.Arguments[i])
		same = same && t != nil && t.Base == Array && alike(item, t.Items) && alike(t.Items, item)
	}
	if walks {
		x.items = x.items[:len(x.items)-1]
		x.rounds = before
	}
	switch v.Name {
	case "filter", "sort", "sortBy", "reverse", "take", "uniq":
		return list
	case "find", "findLast", "first", "last":
		return item
	case "concat":
		if same {
			return (&Type{Base: Array, Items: item}).held()
		}
	}
	return nil
}

// listBound is how many items a list has at most.
func listBound(n ast.Node, t *Type) (float64, bool) {
	switch v := n.(type) {
	case *ast.ArrayNode:
		return float64(len(v.Nodes)), true
	case *ast.BinaryNode:
		from, ok1 := v.Left.(*ast.IntegerNode)
		to, ok2 := v.Right.(*ast.IntegerNode)
		if v.Operator == ".." && ok1 && ok2 {
			return float64(to.Value - from.Value + 1), true
		}
	case *ast.BuiltinNode:
		if len(v.Arguments) > 0 && slices.Contains([]string{"filter", "map", "sort", "sortBy", "reverse", "take", "uniq"}, v.Name) {
			return listBound(v.Arguments[0], t)
		}
	}
	if t != nil && t.Base == Array && t.Max != nil {
		return *t.Max, true
	}
	return 0, false
}
