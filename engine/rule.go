package engine

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// Rules are what a type asks of a value beside its form. They are checked on the
// value as data. The types in them are conditions: their objects say nothing of
// properties that they do not name.
type Rules struct {
	All      []*Type // each holds
	Not      []*Type // none holds
	Any      []Forms // of each, some hold
	If       []Choice
	Values   []any    // the value is one of these; nil where it may be any
	Contains *Type    // some items are of this type
	Least    *float64 // of these; nil for one
	Most     *float64
	Prefix   []*Type // of the first items of an array
	Behind   *Type   // of the items behind Prefix; nil for any
	Names    *Type   // of the names of properties that are not in Props
	Patterns []Pattern
	Sealed   bool // names that match none of Patterns are refused
	Needs    []Need
}

// Forms are types of which a value has some, or exactly one.
type Forms struct {
	Types []*Type
	One   bool
}

// A Choice is what must hold of values of which If holds, and of those of which
// it does not; nil for nothing.
type Choice struct{ If, Then, Else *Type }

// A Pattern is the type of properties whose names match it.
type Pattern struct {
	Name *regexp.Regexp
	Type *Type
}

// A Need is what an object must have that has a property.
type Need struct {
	Prop  string
	Props []string // that it must have, too
	Type  *Type    // that it must be of; nil for none
}

// conditions lists the types in rules.
func (r *Rules) conditions() []*Type {
	if r == nil {
		return nil
	}
	list := slices.Concat(r.All, r.Not, r.Prefix, []*Type{r.Contains, r.Behind, r.Names})
	for _, f := range r.Any {
		list = append(list, f.Types...)
	}
	for _, c := range r.If {
		list = append(list, c.If, c.Then, c.Else)
	}
	for _, p := range r.Patterns {
		list = append(list, p.Type)
	}
	for _, n := range r.Needs {
		list = append(list, n.Type)
	}
	return slices.DeleteFunc(list, func(t *Type) bool { return t == nil })
}

// complaints are what is wrong with a value, with where.
type complaints struct {
	path   []byte // of what is looked at
	faults []Fault
	quiet  bool // only whether anything is wrong is asked for
	bad    bool
	forms  int // of unions around, of which the form that was meant is told
}

// maxTold bounds how many unions inside one another are told in detail, for each
// of them looks at the value again.
const maxTold = 3

func (c *complaints) fault(message string) {
	c.bad = true
	if !c.quiet && len(c.faults) < maxFaults {
		field := string(c.path)
		c.faults = append(c.faults, Fault{field, field + " " + message})
	}
}

// within runs f with a name added to the path.
func (c *complaints) within(name string, f func()) {
	n := len(c.path)
	c.path = append(append(c.path, '.'), name...)
	f()
	c.path = c.path[:n]
}

// holds tells whether data is of a type.
func (t *Type) holds(v any) bool {
	c := complaints{quiet: true}
	c.check(t, v)
	return !c.bad
}

// check looks at data as a value of a type.
func (c *complaints) check(t *Type, v any) {
	if c.quiet && c.bad || v == nil && t.Null {
		return
	}
	before := len(c.faults)
	switch {
	case t.By != "":
		c.tagged(t, v)
		return
	case t.Nominal:
		c.fault("must not be given")
		return
	case t.Base == Array && t.goType != bytesType:
		c.array(t, v)
	case t.Base == Object:
		m, ok := v.(map[string]any)
		if !ok {
			c.fault("must be an object")
			return
		}
		c.object(t, m)
	case t.Base != Any:
		if why := t.scalarFault(v); why != "" {
			c.fault(why)
			return
		}
	}
	if t.Union != nil {
		c.union(Forms{t.Union, t.One}, v)
	}
	if t.Rules != nil && len(c.faults) == before {
		c.rules(t, v)
	}
}

// scalarFault says what is wrong with data that should be a text, a number or a
// boolean.
func (t *Type) scalarFault(v any) string {
	wrong := "must be " + article(jsonName(t))
	switch t.Base {
	case String:
		switch s, ok := textIn(v); {
		case !ok:
			return wrong
		case t.goType == timeType || t.goType == durationType || t.goType == bytesType:
			return t.parseText(s, newOf(t))
		default:
			return t.textFault(s)
		}
	case Boolean:
		b, ok := v.(bool)
		if !ok {
			return wrong
		}
		return t.truthFault(b)
	case Integer:
		n, ok := v.(int64)
		if f, isFloat := v.(float64); isFloat && f == float64(int64(f)) && f <= 1<<53 && f >= -1<<53 {
			n, ok = int64(f), true
		}
		if !ok {
			return wrong
		}
		return t.numberFault(float64(n), strconv.FormatInt(n, 10))
	}
	f, ok := v.(float64)
	if n, isInt := v.(int64); isInt {
		f, ok = float64(n), true
	}
	if !ok {
		return wrong
	}
	return t.numberFault(f, plainNumber(f))
}

// textIn is the text that data is in JSON.
func textIn(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	case time.Duration:
		return durationText(v), true
	case []byte:
		return base64.StdEncoding.EncodeToString(v), true
	}
	return "", false
}

func (c *complaints) array(t *Type, v any) {
	list, ok := v.([]any)
	if !ok {
		c.fault("must be an array")
		return
	}
	if why := t.count(float64(len(list)), "item", "items"); why != "" {
		c.fault(why)
	} else if t.Unique && !unique(list) {
		c.fault("must not have an item twice")
	}
	if t.Items.Base == Any && t.Items.Union == nil && t.Items.Rules == nil {
		return
	}
	for i, item := range list {
		c.within(strconv.Itoa(i), func() { c.check(t.Items, item) })
	}
}

// unique tells whether no item of a list stands twice.
func unique(list []any) bool {
	seen := make(map[string]bool, len(list))
	var b []byte
	for _, item := range list {
		if b = appendAny(b[:0], item); seen[string(b)] {
			return false
		}
		seen[string(b)] = true
	}
	return true
}

func (c *complaints) object(t *Type, m map[string]any) {
	known := 0
	for _, p := range t.Props {
		v, there := m[p.Name]
		if there {
			known++
		}
		switch {
		case there && p.ReadOnly:
			c.within(p.Name, func() { c.fault("must not be given") })
		case there:
			c.within(p.Name, func() { c.check(p.Type, v) })
		case !p.Optional && !p.ReadOnly:
			c.within(p.Name, func() { c.fault("is missing") })
		}
	}
	if why := t.count(float64(len(m)), "property", "properties"); why != "" {
		c.fault(why)
	}
	if known == len(m) || t.Loose && t.Rules == nil && t.Items == nil {
		return
	}
	unknown := false
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if t.prop(name) == nil && !c.other(t, name, m[name]) {
			unknown = true
		}
	}
	if unknown {
		c.unknown(t)
	}
}

func (c *complaints) unknown(t *Type) {
	c.fault("has a property that is not known (known: " + joinOr(t.propNames(), "none") + ")")
}

// other looks at a property that is not one of Props. It returns false where the
// type does not allow it.
func (c *complaints) other(t *Type, name string, v any) bool {
	matched := false
	if t.Rules != nil {
		for _, p := range t.Rules.Patterns {
			if p.Name.MatchString(name) {
				matched = true
				c.within("*", func() { c.check(p.Type, v) })
			}
		}
	}
	switch {
	case matched:
	case !t.Open && !t.More && !t.Loose, t.Rules != nil && t.Rules.Sealed:
		return false
	case t.Items != nil:
		c.within("*", func() { c.check(t.Items, v) })
	}
	return true
}

// union asks that data has some of several forms. Where it has none, what is
// wrong is told of the form that was meant, if there is no doubt which one that was.
func (c *complaints) union(f Forms, v any) {
	fits := 0
	for _, t := range f.Types {
		if !t.holds(v) {
			continue
		}
		if fits++; !f.One {
			return
		}
		if fits == 2 {
			c.fault("must have only one of its forms, and has several")
			return
		}
	}
	if fits == 1 {
		return
	}
	var meant []*Type
	for _, t := range f.Types {
		if t.looksLike(v) {
			meant = append(meant, t)
		}
	}
	switch {
	case c.quiet || len(meant) != 1 || c.forms == maxTold:
		c.fault("must be " + formNames(f.Types))
	default:
		c.forms++
		c.check(meant[0], v)
		c.forms--
	}
}

// looksLike tells whether data has at least the form of a type.
func (t *Type) looksLike(v any) bool {
	switch {
	case t.By != "":
		_, ok := v.(map[string]any)
		return ok
	case t.Base == Any:
		return true
	}
	switch v.(type) {
	case map[string]any:
		return t.Base == Object
	case []any:
		return t.Base == Array
	case bool:
		return t.Base == Boolean
	case int64, float64:
		return t.Base == Integer || t.Base == Number
	case nil:
		return false
	}
	return t.Base == String
}

// rules looks at data of a form that is right.
func (c *complaints) rules(t *Type, v any) {
	r := t.Rules
	for _, all := range r.All {
		c.check(all, v)
	}
	for _, f := range r.Any {
		c.union(f, v)
	}
	for _, not := range r.Not {
		if not.holds(v) {
			c.fault("must not be " + not.brief())
		}
	}
	for _, choice := range r.If {
		then := choice.Then
		if !choice.If.holds(v) {
			then = choice.Else
		}
		if then != nil {
			c.check(then, v)
		}
	}
	if r.Values != nil && !slices.ContainsFunc(r.Values, func(one any) bool { return sameData(one, v) }) {
		c.fault("must be one of " + string(appendAny(nil, r.Values)))
	}
	switch v := v.(type) {
	case []any:
		c.itemRules(r, v)
	case map[string]any:
		c.propertyRules(t, v)
	}
}

func sameData(a, b any) bool { return string(appendAny(nil, a)) == string(appendAny(nil, b)) }

func (c *complaints) itemRules(r *Rules, list []any) {
	for i, item := range list {
		switch {
		case i < len(r.Prefix):
			c.within(strconv.Itoa(i), func() { c.check(r.Prefix[i], item) })
		case r.Behind != nil:
			c.within(strconv.Itoa(i), func() { c.check(r.Behind, item) })
		}
	}
	if r.Contains == nil {
		return
	}
	least := 1.0
	if r.Least != nil {
		least = *r.Least
	}
	n := 0.0
	for _, item := range list {
		if r.Contains.holds(item) {
			n++
		}
		if r.Most != nil && n > *r.Most {
			c.fault("must have at most " + items(*r.Most, r.Contains))
			return
		}
	}
	if n < least {
		c.fault("must have at least " + items(least, r.Contains))
	}
}

// items says how many items of a type there are, as in "1 item that is a string".
func items(n float64, t *Type) string {
	if n == 1 {
		return "1 item that is " + t.brief()
	}
	return plainNumber(n) + " items that are each " + t.brief()
}

func (c *complaints) propertyRules(t *Type, m map[string]any) {
	r := t.Rules
	if r.Names != nil {
		for name := range m {
			if t.prop(name) != nil {
				continue
			}
			inner := complaints{}
			if inner.check(r.Names, name); inner.bad {
				c.fault("has a property whose name" + inner.faults[0].Message)
				break // one of them is told
			}
		}
	}
	for _, need := range r.Needs {
		if _, there := m[need.Prop]; !there {
			continue
		}
		for _, name := range need.Props {
			if _, there := m[name]; !there {
				c.within(name, func() { c.fault("is missing, it goes with " + need.Prop) })
			}
		}
		if need.Type != nil {
			c.check(need.Type, m)
		}
	}
}

// flaw is fault for a value of a name that was not read: it looks at what is in
// data and at the rules, too. It returns a sentence, or "".
func (t *Type) flaw(name string, p unsafe.Pointer) string {
	if why := t.fault(p); why != "" {
		return name + " " + why
	}
	if !t.ruled() || t.scalar() {
		return ""
	}
	c := complaints{path: []byte(name)}
	if c.check(t, plainOf(t)(p)); c.bad {
		return c.faults[0].Message
	}
	return ""
}

// ruled tells whether more is asked of a value than its form says.
func (t *Type) ruled() bool { return t.Rules != nil || t.Union != nil && t.By == "" }

// scalar tells whether values are texts, numbers or booleans.
func (t *Type) scalar() bool {
	return t.Base == String || t.Base == Boolean || t.Base == Integer || t.Base == Number
}

// ruleFault is what is wrong with a scalar beside its bounds.
func (t *Type) ruleFault(p unsafe.Pointer) string {
	c := complaints{}
	v := plainOf(t)(p)
	if t.Union != nil {
		c.union(Forms{t.Union, t.One}, v)
	}
	if t.Rules != nil && !c.bad {
		c.rules(t, v)
	}
	if !c.bad {
		return ""
	}
	return strings.TrimSpace(c.faults[0].Message)
}
