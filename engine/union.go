package engine

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// A union is a type whose values have one of several forms. Where these are
// objects that one property tells apart, a value is held as the tag and one
// pointer for each form, of which one is not nil, so that a switch on the tag
// makes the properties of the form known. Other unions are held as data.

// brief names a type in a list of forms, by what callers can see of it.
func (t *Type) brief() string {
	switch {
	case t.Name != "":
		return article(t)
	case len(t.Enum) > 0:
		return strings.Join(t.Enum, " or ")
	case t.Base == Integer || t.Base == Number:
		return t.briefNumber()
	case formats[t.Format] != nil:
		return formats[t.Format].what
	case t.Base == String && t.Pattern != nil:
		return "a string that matches " + t.Pattern.String()
	case t.Base == String && (t.Min != nil || t.Max != nil):
		return "a string of " + between(t.Min, t.Max) + " characters"
	case t.Base == Object && len(t.Props) > 0:
		return "an object with " + strings.Join(t.propNames(), ", ")
	case t.Base == Array && t.Items.Base != Any:
		return "a list whose items are each " + t.Items.brief()
	}
	return article(t)
}

// briefNumber names numbers, as in "an integer from 1 to 5".
func (t *Type) briefNumber() string {
	name := article(jsonName(t))
	for _, bound := range []struct {
		word string
		v    *float64
	}{{" from ", t.Min}, {" above ", t.Above}, {" up to ", t.Max}, {" below ", t.Below}, {" in steps of ", t.Step}} {
		if bound.v != nil {
			name += bound.word + plainNumber(*bound.v)
		}
	}
	return name
}

func between(least, most *float64) string {
	switch {
	case least == nil:
		return "at most " + plainNumber(*most)
	case most == nil:
		return "at least " + plainNumber(*least)
	}
	return plainNumber(*least) + " to " + plainNumber(*most)
}

func formNames(forms []*Type) string {
	var names []string
	for _, t := range forms {
		if name := t.brief(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

func (t *Type) formNames() string { return formNames(t.Union) }

// tagged makes a union by a tag of one whose forms are objects that a property
// tells apart, and returns false where there is no such property. The name of
// the property is given, or looked for.
func (t *Type) tagged(by string) bool {
	if by == "" {
		for _, p := range t.Union[0].Props {
			if by == "" && t.clash(p.Name) == nil {
				by = p.Name
			}
		}
	}
	if by == "" || t.clash(by) != nil {
		return false
	}
	tag := &Type{Base: t.Union[0].prop(by).Type.Base}
	var forms []*Type
	for _, form := range t.Union {
		tag.Enum = append(tag.Enum, form.tags(by)...)
		if form.By == by { // a union of the same tag brings its forms
			forms = append(forms, form.Union...)
		} else {
			forms = append(forms, form)
		}
	}
	t.Base, t.By, t.Union, t.One = Object, by, forms, true
	t.Props = []*Prop{{Name: by, Doc: "Which of the forms it is.", Type: tag.held()}}
	for _, form := range forms {
		t.forms = append(t.forms, &Prop{Type: form, pointer: true})
	}
	return true
}

// A clash is why a property does not tell the forms of a union apart.
type clash struct {
	form *Type
	why  string
}

// clash returns why a property does not tell the forms apart, or nil.
func (t *Type) clash(by string) *clash {
	seen := map[string]bool{}
	base := Any
	for i, form := range t.Union {
		p := form.prop(by)
		switch {
		case form.Base != Object || form.Open || form.Loose:
			return &clash{form, "is no object whose properties are named"}
		case p == nil || len(p.Type.Enum) == 0 || p.Optional || p.ReadOnly || p.Type.Null || p.Type.Secrecy != Public || !p.Type.scalar():
			return &clash{form, fmt.Sprintf("does not say which %q it has", by)}
		case i > 0 && p.Type.Base != base || p.Type.Base == Number:
			return &clash{form, fmt.Sprintf("has a %q of another type", by)}
		}
		base = p.Type.Base
		for _, e := range p.Type.Enum {
			if seen[e] {
				return &clash{form, fmt.Sprintf("has the %s %s, as another form does", by, e)}
			}
			seen[e] = true
		}
	}
	return nil
}

// form returns which form a tag tells, or nil.
func (t *Type) form(tag string) *Prop {
	for _, f := range t.forms {
		if slices.Contains(f.Type.tags(t.By), tag) {
			return f
		}
	}
	return nil
}

// tags are the values that a property of a form can have.
func (t *Type) tags(by string) []string { return t.prop(by).Type.Enum }

// among tells whether there are tags and all of them are among others.
func among(tags, others []string) bool {
	return len(tags) > 0 && !slices.ContainsFunc(tags, func(e string) bool { return !slices.Contains(others, e) })
}

// formBeside returns the only form of which no tag is among some, or nil.
func (t *Type) formBeside(tags []string) *Prop {
	var left *Prop
	for _, f := range t.forms {
		if !among(f.Type.tags(t.By), tags) {
			if left != nil {
				return nil
			}
			left = f
		}
	}
	return left
}

// formAt returns the form that the value at a place has, and where it is; nil
// while it has none.
func (t *Type) formAt(p unsafe.Pointer) (*Prop, unsafe.Pointer) {
	for _, f := range t.forms {
		if v := *(*unsafe.Pointer)(unsafe.Add(p, f.offset)); v != nil {
			return f, v
		}
	}
	return nil, nil
}

// tagged looks at data as a value of a union by a tag.
func (c *complaints) tagged(t *Type, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fault("must be an object")
		return
	}
	tag, there := m[t.By]
	if form := c.formOf(t, tag, there); form != nil {
		c.check(form.Type, m)
	}
}

// formOf returns the form that a tag tells, or says what is wrong with the tag.
func (c *complaints) formOf(t *Type, tag any, there bool) *Prop {
	var form *Prop
	why := "is missing"
	if there {
		if why = t.Props[0].Type.scalarFault(tag); why == "" {
			form = t.form(tagText(tag))
		}
	}
	if form == nil {
		c.within(t.By, func() { c.fault(why) })
	}
	return form
}

// tagText is a tag as enum has it.
func tagText(tag any) string {
	if f, ok := tag.(float64); ok {
		return plainNumber(f)
	}
	return caseKey(tag)
}

// form reads a value of a union by a tag.
func (r *jsonReader) form(t *Type, p unsafe.Pointer) {
	tag, there := r.ahead(t.By)
	if r.lenient && !there {
		if form, v := t.formAt(p); form != nil {
			r.value(form.Type, v)
			return
		}
	}
	form := r.formOf(t, tag, there)
	if form == nil {
		r.any()
		return
	}
	if old, _ := t.formAt(p); old != nil {
		*(*unsafe.Pointer)(unsafe.Add(p, old.offset)) = nil // of a sample
	}
	t.Props[0].Type.parseText(tagText(tag), unsafe.Add(p, t.Props[0].offset)) // which formOf has looked at
	r.value(form.Type, form.held(unsafe.Add(p, form.offset)))
}

// ahead returns a property of the object that follows, and reads nothing. What
// is wrong with the text is found when it is read.
func (r *jsonReader) ahead(name string) (v any, there bool) {
	peek := jsonReader{data: r.data, i: r.i, depth: r.depth}
	peek.members(func(key string) {
		if v = peek.any(); key == name && peek.broken == "" {
			there = true
			peek.fail("is read far enough")
		}
	})
	return v, there
}

// unionWriter writes the form that a value has.
func (t *Type) unionWriter() writer {
	return func(b []byte, p unsafe.Pointer) []byte {
		form, v := t.formAt(p)
		if form == nil {
			return append(b, "null"...)
		}
		return form.Type.appendJSON(b, v)
	}
}

// plainUnion makes data of the form that a value has.
func plainUnion(t *Type) func(unsafe.Pointer) any {
	makers := make(map[*Prop]func(unsafe.Pointer) any, len(t.forms))
	for _, form := range t.forms {
		makers[form] = plainOf(form.Type)
	}
	return func(p unsafe.Pointer) any {
		if form, v := t.formAt(p); form != nil {
			return makers[form](v)
		}
		return nil
	}
}

// know notes which form a value has, by the reference to its tag.
func (s *state) know(tag string, form *Prop) {
	if form == nil {
		return
	}
	if s.forms == nil {
		s.forms = map[string]*Prop{}
	}
	s.forms[tag] = form
}

// formWith is a value in the form that it is known to have, where a name is a
// property of that form.
func (s *state) formWith(v typed, name string) typed {
	for v.t.By != "" && v.t.By != name {
		form := s.forms[v.text+"."+v.t.By]
		if form == nil {
			break
		}
		v.t, v.ref = form.Type, v.ref.into(form)
	}
	return v
}

// alike tells whether a value of one type can be copied to a place of another
// word by word. Types that flows declare are held by the position of their
// properties, so that two objects can be held alike and mean different things.
func alike(s, t *Type) bool {
	switch {
	case s == t:
		return true
	case s.goType != t.goType || s.Base != t.Base || s.Secrecy != Public && t.Secrecy == Public || s.By != t.By:
		return false
	case s.Base == Array && s.goType != bytesType:
		return alike(s.Items, t.Items)
	case s.By != "":
		return slices.EqualFunc(s.Union, t.Union, func(a, b *Type) bool { return a == b || alike(a, b) && slices.Equal(a.tags(s.By), b.tags(s.By)) })
	case s.Base == Object && !s.Open:
		return slices.EqualFunc(s.Props, t.Props, func(p, q *Prop) bool { return p.Name == q.Name && p.pointer == q.pointer && alike(p.Type, q.Type) })
	}
	return true
}

// convertForm returns the moves between a union by a tag and another type.
func convertForm(from typed, t *Type, at uintptr) (moves []move, why string) {
	r := from.ref
	if alike(from.t, t) {
		return copyMoves(t.goType, r, 0, at), ""
	}
	for _, form := range t.forms {
		if !alike(from.t, form.Type) || !among(from.t.tags(t.By), form.Type.tags(t.By)) {
			continue
		}
		tag, of := t.Props[0], form.Type.prop(t.By)
		return append(copyMoves(tag.Type.goType, r.into(of), 0, at+tag.offset), move{op: moveAddress, from: r, to: at + form.offset}), ""
	}
	if t.Base != Any && !t.Open {
		return nil, unlike
	}
	make := plainOf(from.t)
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		p := r.at(f)
		switch {
		case p == nil:
		case t.Open:
			*(*map[string]any)(to), _ = make(p).(map[string]any)
		default:
			*(*any)(to) = make(p)
		}
		return nil
	}}}, ""
}

// placeForm makes a value of a union of an object in a flow, whose form is told
// by its tag.
func (c *compiler) placeForm(v *value, t *Type, at uintptr, what string) []move {
	form, tag := c.formMeant(v, t, what)
	if form == nil {
		return nil
	}
	made := newOf(t)
	if why := setLiteral(t.Props[0].Type, tag, unsafe.Add(made, t.Props[0].offset)); why != "" {
		return nil // formMeant has told
	}
	inner := newOf(form.Type)
	moves := c.place(v, target{t: form.Type, what: what}, inner, 0)
	whole := copyMoves(t.goType, ref{}, 0, 0)
	return []move{{op: moveBuilt, to: at, made: func(f frame, to unsafe.Pointer) error {
		value, err := copyOf(form.Type, inner, moves, f)
		if err != nil {
			return err
		}
		if err := runMoves(whole, frame{made}, to); err != nil {
			return err
		}
		*(*unsafe.Pointer)(unsafe.Add(to, form.offset)) = value
		return nil
	}}}
}

// formMeant returns the form of which an object in a flow is, and its tag, or
// reports why there is no telling.
func (c *compiler) formMeant(v *value, t *Type, what string) (*Prop, any) {
	for _, m := range v.members {
		if m.name != t.By {
			continue
		}
		if m.v.kind == literalValue {
			if form := t.form(caseKey(m.v.lit)); form != nil {
				return form, m.v.lit
			}
		}
		c.problem(m.v.pos, "one of "+strings.Join(t.Props[0].Type.Enum, ", "), "%s must say here which form %s has", t.By, what)
		return nil, nil
	}
	c.problem(v.pos, "one of "+strings.Join(t.Props[0].Type.Enum, ", "), "%s needs %q", what, t.By)
	return nil, nil
}
