package engine

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// clone is a copy of a type that can be changed before it is used.
func (t *Type) clone() *Type {
	return &Type{
		Base: t.Base, Name: t.Name, Nominal: t.Nominal, Hint: t.Hint, Format: t.Format, Secrecy: t.Secrecy, Enum: t.Enum, Min: t.Min, Max: t.Max,
		Above: t.Above, Below: t.Below, Step: t.Step, Pattern: t.Pattern, Unique: t.Unique, Items: t.Items, Props: t.Props, Open: t.Open, More: t.More,
		Loose: t.Loose, Null: t.Null, Union: t.Union, One: t.One, By: t.By, Rules: t.Rules,
		goType: t.goType, forms: t.forms, more: t.more, looks: t.looks,
	}
}

// maxLooks bounds how often a value can be looked at when it is read, so that
// forms inside forms cost no more than a request of some times the size.
const maxLooks = 50

// measured reports a type whose values would be looked at too often.
func (s *source) measured(n *yaml.Node, t *Type, what string) *Type {
	t.looks = 1
	deepest := func(inner *Type) { t.looks = max(t.looks, inner.looks) }
	for _, p := range t.Props {
		deepest(p.Type)
	}
	if t.Items != nil {
		deepest(t.Items)
	}
	sum := 0
	for _, form := range t.Union {
		if sum += max(1, form.looks); t.By != "" {
			deepest(form)
		}
	}
	if t.By == "" {
		t.looks = max(t.looks, sum)
	}
	for _, c := range t.Rules.conditions() {
		t.looks += max(1, c.looks)
	}
	if t.looks > maxLooks {
		s.problem(s.at(n), "a property with a const in each form tells them apart in one look", "a value of %s may have to be looked at %d times, at most %d are allowed", what, t.looks, maxLooks)
		t.looks = 1 // what holds it is no second mistake
	}
	return t
}

// orNull is a type with null, for places where null is a value: an item, or a
// body. It is held as data.
func (s *source) orNull(n *yaml.Node, t *Type, what string) *Type {
	if t.Base == Any {
		return t
	}
	bare := t.clone()
	bare.Null = false
	s.keepOpen(n, bare, what)
	return s.measured(n, (&Type{Union: []*Type{bare}, Null: true}).held(), what)
}

// keepOpen reports secrets in what is held as data, where they would not be
// known for secrets.
func (s *source) keepOpen(n *yaml.Node, t *Type, what string) {
	if t.hides() {
		s.problem(s.at(n), "put it beside, as a property of its own", "%s is held as data, in which no secret can be", what)
	}
}

// hides tells whether a value is or holds a secret.
func (t *Type) hides() bool {
	return t.Secrecy != Public || t.Items != nil && t.Items.hides() || slices.ContainsFunc(t.Union, (*Type).hides) ||
		slices.ContainsFunc(t.Props, func(p *Prop) bool { return p.Type.hides() })
}

// formed makes the type of its words. It returns nil where that was reported as
// impossible.
func (w *wording) formed() *Type {
	t := w.t
	switch c := w.choice; {
	case c.If != nil:
		t.rules().If = append(t.rules().If, c)
	case c.Then != nil || c.Else != nil:
		w.problem(w.at, "if: says of which values", "%s has then or else without an if", w.what)
	}
	for _, form := range t.Union { // that type: lists
		form.held()
	}
	switch {
	case w.forms != nil:
		t = w.union()
	case len(t.Union) > 0:
		for _, form := range t.Union {
			w.keepOpen(w.node, form, w.what)
		}
	}
	if t.By == "" && w.by != "" && len(t.Union) == 0 {
		w.problem(w.byAt, "oneOf: lists them", "%s has no forms that a discriminator could tell apart", w.what)
	}
	for i, part := range w.parts {
		if i == 0 && !w.typed && w.forms == nil {
			rules, null := t.Rules, t.Null
			t = part.clone()
			t.Name, t.Null, t.Rules = "", t.Null || null, rules.with(t.Rules)
			t.Props = ownProps(t.Props)
			continue
		}
		merged, why := meld(t, part)
		if why != "" {
			w.problem(w.at, "no value could be all of them", "allOf of %s contradicts itself: %s", w.what, why)
			return nil
		}
		t = merged
	}
	for _, part := range w.parts {
		if part.Called != "" {
			t.Shares = append(t.Shares, part)
		}
	}
	if len(w.parts) > 0 && t.By == "" && len(t.Union) > 0 {
		w.keepOpen(w.node, t, w.what)
	}
	return t
}

// union makes a type of the forms that oneOf or anyOf lists.
func (w *wording) union() *Type {
	t := w.t
	if len(w.forms) == 1 {
		form := w.forms[0].clone()
		form.Null, form.Rules = form.Null || t.Null, t.Rules.with(form.Rules)
		return form
	}
	t.Union, t.One = w.forms, w.one
	if t.Loose {
		return t
	}
	if w.by == "" {
		t.tagged("")
	} else if !t.tagged(w.by) {
		c := t.clash(w.by)
		w.problem(w.byAt, fmt.Sprintf("as in %s: {type: string, const: circle}", w.by), "of the forms of %s, %s %s", w.what, c.form.brief(), c.why)
		return t
	}
	for _, m := range w.mapping {
		if form := t.form(m.key); form == nil || form.Type.Name != m.value.Value {
			w.problem(m.at, "the const of each form says it already; mapping can be left out", "%s %s is not %s", w.by, m.key, m.value.Value)
		}
	}
	if t.By != "" {
		return t
	}
	base := t.Union[0].Base
	same := t.Union[0].scalar()
	for _, form := range t.Union {
		w.keepOpen(w.node, form, w.what)
		same = same && form.Base == base && form.goType == goHeld(&Type{Base: base}) && form.Rules == nil
	}
	if same {
		t.Base = base
	}
	return t
}

// with joins rules.
func (r *Rules) with(more *Rules) *Rules {
	if r == nil || more == nil {
		if r == nil {
			return more
		}
		return r
	}
	both := *r
	both.All = slices.Concat(r.All, more.All)
	both.Not = slices.Concat(r.Not, more.Not)
	both.Any = slices.Concat(r.Any, more.Any)
	both.If = slices.Concat(r.If, more.If)
	both.Patterns = slices.Concat(r.Patterns, more.Patterns)
	both.Needs = slices.Concat(r.Needs, more.Needs)
	both.Sealed = r.Sealed && more.Sealed
	if both.Names == nil {
		both.Names = more.Names
	}
	if both.Values == nil {
		both.Values = more.Values
	}
	if both.Prefix == nil {
		both.Prefix, both.Behind = more.Prefix, more.Behind
	}
	if both.Contains == nil {
		both.Contains, both.Least, both.Most = more.Contains, more.Least, more.Most
	}
	return &both
}

// clashes tells what two rules say both of and only one can.
func (r *Rules) clashes(more *Rules) string {
	switch {
	case r == nil || more == nil:
	case r.Names != nil && more.Names != nil:
		return "two say propertyNames"
	case r.Values != nil && more.Values != nil:
		return "two list values"
	case r.Prefix != nil && more.Prefix != nil:
		return "two say prefixItems"
	case r.Contains != nil && more.Contains != nil:
		return "two say contains"
	}
	return ""
}

// ownProps are copies of properties, for another object that holds them.
func ownProps(props []*Prop) []*Prop {
	if props == nil {
		return nil
	}
	own := make([]*Prop, len(props))
	for i, p := range props {
		own[i] = &Prop{
			Name: p.Name, Doc: p.Doc, Type: p.Type, Optional: p.Optional, Default: p.Default, HasDefault: p.HasDefault, ReadOnly: p.ReadOnly, Notes: p.Notes,
			pointer: p.Optional && !p.HasDefault || p.Type.Null || p.ReadOnly,
		}
	}
	return own
}

// meld merges two types into the type of what is both, or says why nothing is.
// Of objects it merges the properties.
func meld(a, b *Type) (*Type, string) {
	switch {
	case a == b:
		return a, ""
	case b.Union != nil && b.ruledByForms():
		return meldForms(b, a)
	case a.Union != nil && a.ruledByForms():
		return meldForms(a, b)
	case a.Nominal || b.Nominal:
		return nil, fmt.Sprintf("nothing else can be %s", article(b))
	case a.Base == Integer && b.Base == Number, b.Base == Any:
	case b.Base == Integer && a.Base == Number, a.Base == Any:
		a, b = b, a
	case a.Base != b.Base:
		return nil, fmt.Sprintf("%s is not %s", article(a), article(b))
	}
	t := a.clone()
	t.Name, t.Null, t.Secrecy, t.Unique = "", a.Null && b.Null, max(a.Secrecy, b.Secrecy), a.Unique || b.Unique
	t.Min, t.Max, t.Above, t.Below = larger(a.Min, b.Min), smaller(a.Max, b.Max), larger(a.Above, b.Above), smaller(a.Below, b.Below)
	why := a.Rules.clashes(b.Rules)
	t.Rules = a.Rules.with(b.Rules)
	also := &Type{Base: a.Base}
	switch {
	case why != "":
	case a.Format != "" && b.Format != "" && a.Format != b.Format:
		why = fmt.Sprintf("a text is not both %s and %s", a.Format, b.Format)
	case len(a.Enum) > 0 && len(b.Enum) > 0:
		t.Enum = slices.DeleteFunc(slices.Clone(a.Enum), func(e string) bool { return !slices.Contains(b.Enum, e) })
		if len(t.Enum) == 0 {
			why = fmt.Sprintf("%s is not %s", strings.Join(a.Enum, " or "), strings.Join(b.Enum, " or "))
		}
	case len(b.Enum) > 0:
		t.Enum = b.Enum
	}
	if t.Min != nil && t.Max != nil && *t.Min > *t.Max {
		why = "the least is more than the most"
	}
	if t.Format == "" {
		t.Format = b.Format
	}
	if t.Pattern == nil {
		t.Pattern = b.Pattern
	} else {
		also.Pattern = b.Pattern
	}
	if t.Step == nil {
		t.Step = b.Step
	} else {
		also.Step = b.Step
	}
	if also.Pattern != nil || also.Step != nil {
		own := Rules{}
		own.All = append(own.All, also.held())
		t.Rules = t.Rules.with(&own)
	}
	switch {
	case why != "":
	case t.Base == Array:
		t.Items, why = meld(a.Items, b.Items)
	case t.Base == Object && b.Base == Object:
		why = t.meldProps(a, b)
	}
	if why != "" {
		return nil, why
	}
	return t.held(), ""
}

// ruledByForms tells whether a type is nothing but one of its forms.
func (t *Type) ruledByForms() bool { return t.By != "" || t.Base == Any }

// meldForms merges each form of a union with another type; what cannot be both
// is no form any more.
func meldForms(u, other *Type) (*Type, string) {
	t := u.clone()
	t.Name, t.Base, t.By, t.Props, t.forms, t.Union = "", Any, "", nil, nil, nil
	t.Null = u.Null && other.Null
	var why string
	for _, form := range u.Union {
		both, no := meld(form, other)
		if no != "" {
			why = no
			continue
		}
		if both.Name = form.Name; both != form && form.Name != "" {
			both = both.clone()
		}
		t.Union = append(t.Union, both)
	}
	switch len(t.Union) {
	case 0:
		return nil, why
	case 1:
		return t.Union[0], ""
	}
	t.tagged(u.By)
	return t.held(), ""
}

// meldProps puts the properties of two objects together.
func (t *Type) meldProps(a, b *Type) string {
	t.Props = ownProps(a.Props)
	for _, q := range ownProps(b.Props) {
		p := t.prop(q.Name)
		if p == nil {
			t.Props = append(t.Props, q)
			continue
		}
		both, why := meld(p.Type, q.Type)
		switch {
		case why != "":
			return q.Name + ": " + why
		case p.HasDefault && q.HasDefault && p.Default != q.Default:
			return q.Name + " has two defaults"
		}
		p.Type, p.ReadOnly, p.Optional = both, p.ReadOnly || q.ReadOnly, p.Optional && q.Optional
		if !p.HasDefault {
			p.Default, p.HasDefault = q.Default, q.HasDefault
		}
		if p.Doc == "" {
			p.Doc = q.Doc
		}
		p.pointer = p.Optional && !p.HasDefault || p.Type.Null || p.ReadOnly
	}
	t.Open = a.Open && b.Open
	t.Loose = a.Loose || b.Loose
	switch {
	case a.Items != nil && b.Items != nil:
		var why string
		if t.Items, why = meld(a.Items, b.Items); why != "" {
			return "other properties: " + why
		}
	case a.Items == nil:
		t.Items = b.Items
	}
	t.More = !t.Open && !t.Loose && (a.More || b.More || t.Items != nil)
	if t.Open {
		t.Props = nil
	}
	return ""
}
