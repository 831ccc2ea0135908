package engine

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"gopkg.in/yaml.v3"
)

// A condition is what if: asks: whether a value is there (or true), or how two
// values compare.
//
// This is the seam for expressions: parseCondition and compileCondition are all
// that knows how a condition is written.
type condition struct {
	pos         Pos
	not         bool
	left, right *value
	op          string // "" without a right side
}

const conditionHint = "as in $user.disabled, not $user or $body.age >= 18"

var compareOps = []string{"==", "!=", "<=", ">=", "<", ">"}

func (s *source) parseCondition(n *yaml.Node) *condition {
	c := &condition{pos: s.at(n)}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		s.problem(c.pos, conditionHint, "if must be a condition")
		return nil
	}
	rest := strings.TrimSpace(n.Value)
	for _, not := range []string{"not ", "!"} { // YAML takes a bare ! for a tag, so it needs quotes
		if after, ok := strings.CutPrefix(rest, not); ok {
			c.not, rest = true, after
			break
		}
	}
	for _, op := range compareOps {
		if left, right, ok := strings.Cut(rest, op); ok && c.op == "" {
			c.op = op
			c.left, c.right = s.operand(left, c.pos), s.operand(right, c.pos)
		}
	}
	if c.op == "" {
		c.left = s.operand(rest, c.pos)
	}
	if c.left == nil || c.op != "" && c.right == nil {
		return nil
	}
	if c.not && c.op != "" {
		s.problem(c.pos, "turn the comparison round instead", "not cannot stand in front of a comparison")
		return nil
	}
	if c.left.kind != refValue {
		s.problem(c.pos, conditionHint, "a condition begins with a reference")
		return nil
	}
	return c
}

// operand reads one side of a comparison.
func (s *source) operand(text string, at Pos) *value {
	text = strings.TrimSpace(text)
	v := &value{pos: at}
	switch {
	case strings.HasPrefix(text, "$"):
		v.kind = refValue
		if v.path = s.parseRef(text[1:], at); v.path == nil {
			return nil
		}
	case text == "true" || text == "false":
		v.lit = text == "true"
	case len(text) >= 2 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0]:
		v.lit = text[1 : len(text)-1]
	default:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			v.lit = i
		} else if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 {
			v.lit = f
		} else {
			s.problem(at, "a reference, a number, true, false or a text in quotes", "%q cannot stand in a condition", text)
			return nil
		}
	}
	return v
}

// compileCondition returns how the condition is decided, and the reference that
// it proves to be there: in then, or with not in else.
func (c *compiler) compileCondition(cond *condition) (test func(frame) bool, proves string) {
	left, ok := c.lookup(cond.left.path, cond.left.pos)
	if !ok {
		return nil, ""
	}
	if left.t.Secrecy != Public && cond.op != "" {
		c.problem(cond.pos, "password.check compares passwords", "%s is secret and cannot be compared", left.text)
		return nil, ""
	}
	r := left.ref
	if cond.op == "" {
		isBool := left.t.Base == Boolean
		if !left.optional && !isBool && !left.omitted {
			c.problem(cond.pos, "compare it, as in "+left.text+" == ...", "%s is always there, so it decides nothing", left.text)
			return nil, ""
		}
		there := func(p unsafe.Pointer) bool { return p != nil }
		switch {
		case isBool:
			there = func(p unsafe.Pointer) bool { return p != nil && *(*bool)(p) }
		case left.omitted:
			empty := isZero(left.t.goType)
			there = func(p unsafe.Pointer) bool { return p != nil && !empty(p) }
		}
		want := !cond.not
		return func(f frame) bool { return there(r.at(f)) == want }, left.text
	}
	if left.optional {
		c.problem(cond.pos, askFirst(left), "%s may be absent and cannot be compared", left.text)
		return nil, ""
	}
	return c.compileComparison(cond, left), ""
}

func (c *compiler) compileComparison(cond *condition, left typed) func(frame) bool {
	want, ok := verdicts[cond.op]
	if !ok {
		return nil
	}
	compare := comparer(left.t)
	if compare == nil || left.t.Base == Boolean && cond.op != "==" && cond.op != "!=" {
		c.problem(cond.pos, "", "%s is %s and cannot be compared by %s", left.text, article(left.t), cond.op)
		return nil
	}
	a := left.ref
	if cond.right.kind == refValue {
		right, ok := c.lookup(cond.right.path, cond.right.pos)
		if !ok {
			return nil
		}
		switch {
		case right.t.Secrecy != Public:
			c.problem(cond.pos, "password.check compares passwords", "%s is secret and cannot be compared", right.text)
		case right.optional:
			c.problem(cond.pos, askFirst(right), "%s may be absent and cannot be compared", right.text)
		case right.t.goType != left.t.goType && !(left.t.Nominal && right.t.Base == String) && !(right.t.Nominal && left.t.Base == String):
			c.problem(cond.pos, "", "%s is %s and %s is %s, they cannot be compared", left.text, article(left.t), right.text, article(right.t))
		default:
			b := right.ref
			return func(f frame) bool { return want(compare(a.at(f), b.at(f))) }
		}
		return nil
	}
	b := newOf(left.t)
	if left.t.Nominal {
		b = newOf(TypeOf[string]())
	}
	if why := setLiteral(left.t, cond.right.lit, b); why != "" {
		c.problem(cond.pos, "", "%s %s", left.text, why)
		return nil
	}
	return func(f frame) bool { return want(compare(a.at(f), b)) }
}

var verdicts = map[string]func(int) bool{
	"==": func(o int) bool { return o == 0 },
	"!=": func(o int) bool { return o != 0 },
	"<":  func(o int) bool { return o < 0 },
	"<=": func(o int) bool { return o <= 0 },
	">":  func(o int) bool { return o > 0 },
	">=": func(o int) bool { return o >= 0 },
}

// comparer orders two values of a type, or is nil where they have no order.
func comparer(t *Type) func(a, b unsafe.Pointer) int {
	switch {
	case t.goType == timeType:
		return func(a, b unsafe.Pointer) int { return (*(*time.Time)(a)).Compare(*(*time.Time)(b)) }
	case t.goType == bytesType:
		return nil
	case t.goType == durationType || t.Base == Integer:
		return func(a, b unsafe.Pointer) int { return cmp.Compare(*(*int64)(a), *(*int64)(b)) }
	case t.Base == String: // a nominal type begins with its text
		return func(a, b unsafe.Pointer) int { return cmp.Compare(*(*string)(a), *(*string)(b)) }
	case t.Base == Number:
		return func(a, b unsafe.Pointer) int { return cmp.Compare(*(*float64)(a), *(*float64)(b)) }
	case t.Base == Boolean:
		return func(a, b unsafe.Pointer) int {
			if *(*bool)(a) == *(*bool)(b) {
				return 0
			}
			return 1
		}
	}
	return nil
}
