package engine

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"gopkg.in/yaml.v3"
)

// A condition is what if: and when: ask: whether a value is there or true, which is
// looked up in place, or an expression.
type condition struct {
	pos  Pos
	not  bool
	path []string // of a reference that stands alone
	text string   // of an expression
}

const conditionHint = "as in $user.disabled, not $user or $body.age >= 18"

// parseCondition reads what stands behind a key.
func (s *source) parseCondition(n *yaml.Node, key string) *condition {
	c := &condition{pos: s.at(n)}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		s.problem(c.pos, conditionHint, "%s must be a condition", key)
		return nil
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		c.pos.Column++
	}
	c.text = strings.TrimSpace(strings.TrimPrefix(n.Value, "= "))
	rest := c.text
	for _, not := range []string{"not ", "!"} { // YAML takes a bare ! for a tag, so it needs quotes
		if after, ok := strings.CutPrefix(rest, not); ok {
			c.not, rest = true, strings.TrimSpace(after)
			break
		}
	}
	if name, ok := strings.CutPrefix(rest, "$"); ok && refPattern.MatchString(name) {
		c.path = strings.Split(name, ".")
	}
	return c
}

// A test decides a condition in a run.
type test func(f frame) (bool, error)

// compileCondition returns how the condition is decided, and the references
// that it proves to be there: in then, or with not in else.
func (c *compiler) compileCondition(cond *condition) (decide test, proves []proof) {
	if cond.path != nil {
		v, ok := c.lookup(cond.path, cond.pos)
		if !ok {
			return nil, nil
		}
		there := c.presenceTest(v, cond.pos)
		if there == nil {
			return nil, nil
		}
		want := !cond.not
		return func(f frame) (bool, error) { return there(f) == want, nil }, []proof{{text: v.text}}
	}
	e := c.compileExpression(cond.text, cond.pos)
	if e == nil {
		return nil, nil
	}
	if e.t.Base != Boolean {
		c.problem(cond.pos, conditionHint, "a condition is true or false, this is %s", article(e.t))
		return nil, nil
	}
	return func(f frame) (bool, error) {
		v, err := e.eval(f)
		b, _ := v.(bool)
		return b, err
	}, e.proves
}

// presenceTest decides whether a value is there, and true where it is a
// boolean. It is nil where that is no question.
func (c *compiler) presenceTest(v typed, at Pos) func(frame) bool {
	r := v.ref
	switch {
	case v.t.Base == Boolean:
		return func(f frame) bool { p := r.at(f); return p != nil && *(*bool)(p) }
	case v.omitted:
		empty := isZero(v.t.goType)
		return func(f frame) bool { p := r.at(f); return p != nil && !empty(p) }
	case v.optional:
		return existence(r)
	}
	c.problem(at, "compare it, as in "+v.text+" == ...", "%s is always there, so it decides nothing", v.text)
	return nil
}

// operand rewrites one side of and, or and not, where a reference may stand
// alone to ask whether it is there. It returns what it proves when it holds.
func (x *exprCompiler) operand(n *ast.Node) (proves []proof) {
	path := refPath(*n)
	if path == nil {
		x.rewrite(n)
		if e, ok := x.conjuncts[*n]; ok {
			return e
		}
		return nil
	}
	i, v, ok := x.field(*n, path)
	if !ok {
		return nil
	}
	if v.t.Base == Boolean && !v.optional {
		replace(n, &ast.IdentifierNode{Value: x.types[2*i+1].Name})
		return nil
	}
	there := x.presenceTest(v, x.start(*n))
	if there == nil {
		x.broken = true
		return nil
	}
	x.fields[i].asks = there
	replace(n, &ast.IdentifierNode{Value: x.types[2*i].Name})
	return []proof{{text: v.text}}
}

// logic rewrites and, or, not. What the left side of an and proves holds on its
// right.
func (x *exprCompiler) logic(n *ast.Node) bool {
	switch v := (*n).(type) {
	case *ast.UnaryNode:
		if v.Operator != "!" && v.Operator != "not" {
			return false
		}
		x.operand(&v.Node)
		return true
	case *ast.BinaryNode:
		switch v.Operator {
		case "or", "||":
			x.operand(&v.Left)
			x.operand(&v.Right)
			return true
		case "and", "&&":
			left := x.operand(&v.Left)
			undo := x.assume(left)
			right := x.operand(&v.Right)
			undo()
			x.conjuncts[*n] = append(left, right...)
			return true
		}
	}
	return false
}

// A proof is what is known where a condition holds: that a reference is there,
// or which form a union has of which it is the tag.
type proof struct {
	text string
	form *Prop // nil for one that is there
}

// hold notes what is proved. It returns false where that was known.
func (p proof) hold(s *state) bool {
	switch {
	case p.form != nil && s.forms[p.text] == nil:
		s.know(p.text, p.form)
		return true
	case p.form == nil && !s.proven[p.text]:
		s.proven[p.text] = true
		return true
	}
	return false
}

// assume takes what is proved for known until the returned function is called.
func (x *exprCompiler) assume(proofs []proof) func() {
	var added []proof
	for _, p := range proofs {
		if p.hold(&x.state) {
			added = append(added, p)
		}
	}
	return func() {
		for _, p := range added {
			if p.form != nil {
				delete(x.state.forms, p.text)
			} else {
				delete(x.state.proven, p.text)
			}
		}
	}
}

// formProof returns what a comparison of a tag with a literal proves.
func (x *exprCompiler) formProof(v *ast.BinaryNode) []proof {
	path := refPath(v.Left)
	if v.Operator != "==" || path == nil {
		return nil
	}
	var tag any
	switch right := v.Right.(type) {
	case *ast.StringNode:
		tag = right.Value
	case *ast.IntegerNode:
		tag = right.Value
	case *ast.BoolNode:
		tag = right.Value
	default:
		return nil
	}
	from, ok := x.quietLookup(path)
	if !ok || from.tagOf == nil {
		return nil
	}
	if form := from.tagOf.form(caseKey(tag)); form != nil {
		return []proof{{from.text, form}}
	}
	return nil
}

// existence is how a field is told to be there.
func existence(r ref) func(frame) bool {
	return func(f frame) bool { return r.at(f) != nil }
}
