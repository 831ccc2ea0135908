package engine

import "strconv"

// A piece is a stretch of the JSON that an answer is made of: fixed bytes, then
// a value.
type piece struct {
	fixed []byte
	ref   ref
	t     *Type       // of what ref leads to; nil for none
	text  []textPart  // of a text with references
	expr  *expression // whose result is of type t
}

// appendPieces writes the body of an answer.
func appendPieces(b []byte, pieces []piece, f frame) ([]byte, error) {
	for i := range pieces {
		p := &pieces[i]
		b = append(b, p.fixed...)
		switch {
		case p.expr != nil:
			result, err := p.expr.eval(f)
			if err != nil {
				return b, err
			}
			v := newOf(p.t)
			if err := p.t.store(result, v); err != nil {
				return b, err
			}
			b = p.t.appendJSON(b, v)
		case p.t != nil:
			if v := p.ref.at(f); v != nil {
				b = p.t.appendJSON(b, v)
			} else {
				b = append(b, "null"...)
			}
		case p.text != nil:
			b = appendString(b, joinParts(p.text, f))
		}
	}
	return b, nil
}

// jsonPieces compiles a value to what writes it as JSON.
func (c *compiler) jsonPieces(v *value, pieces []piece) []piece {
	fixed := func(s ...byte) {
		if n := len(pieces); n > 0 && pieces[n-1].t == nil && pieces[n-1].text == nil {
			pieces[n-1].fixed = append(pieces[n-1].fixed, s...)
			return
		}
		pieces = append(pieces, piece{fixed: s})
	}
	switch v.kind {
	case literalValue:
		fixed(appendAny(nil, v.lit)...)
	case exprValue:
		if e := c.compileExpression(v.lit.(string), v.pos); e != nil {
			pieces = append(pieces, piece{t: e.t, expr: e})
		}
	case refValue:
		from, ok := c.lookup(v.path, v.pos)
		if !ok {
			return pieces
		}
		if from.t.Secrecy == Hidden {
			c.problem(v.pos, "an answer never shows a secret", "%s is secret", from.text)
			return pieces
		}
		if c.shown() == Public && from.t.holdsFresh() {
			c.problem(v.pos, "remove repeat:, or answer without it", "%s holds a fresh secret, and answers of this flow are kept to be repeated", from.text)
		}
		pieces = append(pieces, piece{ref: from.ref, t: from.t})
	case textValue:
		pieces = append(pieces, piece{text: c.textParts(v.parts, nil, "the text", c.shown())})
	case listValue:
		fixed('[')
		for i, item := range v.items {
			if i > 0 {
				fixed(',')
			}
			pieces = c.jsonPieces(item, pieces)
		}
		fixed(']')
	case objectValue:
		fixed('{')
		for i, m := range v.members {
			if i > 0 {
				fixed(',')
			}
			fixed(append(appendString(nil, m.name), ':')...)
			pieces = c.jsonPieces(m.v, pieces)
		}
		fixed('}')
	}
	return pieces
}

// shown is how secret a value in an answer may be. A fresh secret is shown this
// once, unless the answer is kept to be repeated.
func (c *compiler) shown() Secrecy {
	if c.Repeat != nil {
		return Public
	}
	return Once
}

// output checks a body against what the flow declares under output:.
func (c *compiler) output(v *value, t *Type, what string) {
	switch {
	case t.By != "" && v.kind == objectValue:
		if form, _ := c.formMeant(v, t, what); form != nil {
			c.output(v, form.Type, what)
		}
	case t.Base == Any && t.ruled():
		c.outputData(v, t, what)
	case t.Base == Any:
	case v.kind == objectValue && t.Open:
	case v.kind == objectValue && t.Base == Object:
		given := map[string]bool{}
		for _, m := range v.members {
			given[m.name] = true
			if p := t.prop(m.name); p == nil && t.More {
				if t.Items != nil {
					c.output(m.v, t.Items, what+"."+m.name)
				}
			} else if p == nil {
				c.problem(m.at, DidYouMean(m.name, t.propNames()), "output does not declare %q", m.name)
			} else {
				c.output(m.v, p.Type, what+"."+m.name)
			}
		}
		for _, p := range t.Props {
			if !given[p.Name] && !p.Optional {
				c.problem(v.pos, "output declares it", "%s needs %q", what, p.Name)
			}
		}
	case v.kind == listValue && t.Base == Array:
		for _, item := range v.items {
			c.output(item, t.Items, what+" items")
		}
	case v.kind == refValue:
		if from, ok := c.quietLookup(v.path); ok {
			if why := answers(from.t, t, from.text); why != "" {
				c.problem(v.pos, "output declares it", "%s wants %s, but %s", what, article(t), why)
			}
		}
	case v.kind == textValue && t.Base == String:
	case v.kind == exprValue:
		if from, ok := c.infer(v); ok && !storable(from.t, t) {
			c.problem(v.pos, "output declares it", "%s wants %s, the expression gives %s", what, article(t), article(from.t))
		}
	case v.kind == literalValue && v.lit != nil:
		if why := setLiteral(t, v.lit, newOf(t)); why != "" {
			c.problem(v.pos, "", "%s %s", what, why)
		}
	default:
		c.problem(v.pos, "output declares it", "%s wants %s", what, article(t))
	}
}

// answers says why a value of one type is not written as another one declares,
// or "".
func answers(s, t *Type, text string) string {
	switch {
	case s == t || t.Base == Any && !t.ruled() || t.Base == Number && s.Base == Integer:
		return ""
	case t.Union != nil || s.Union != nil:
		return answersForm(s, t, text)
	case t.Base == Any: // with rules, of which a type says nothing
		return text + " may be anything"
	case s.Base != t.Base:
		return text + " is " + article(s)
	case t.Base == Array:
		return answers(s.Items, t.Items, "an item of "+text)
	case t.Base == Object && !t.Open:
		for _, p := range t.Props {
			q := s.prop(p.Name)
			if q == nil && p.Optional {
				continue
			}
			if q == nil || q.Type.Secrecy == Hidden {
				return text + " has no " + strconv.Quote(p.Name) + " to show"
			}
			if why := answers(q.Type, p.Type, text+"."+p.Name); why != "" {
				return why
			}
		}
	}
	return ""
}

// answersForm says why a value is written as none of the forms of a type, or "".
func answersForm(s, t *Type, text string) string {
	if s.Union != nil {
		for _, form := range s.Union {
			if why := answers(form, t, text); why != "" {
				return why
			}
		}
		return ""
	}
	for _, form := range t.Union {
		if answers(s, form, text) == "" {
			return ""
		}
	}
	return text + " is " + article(s)
}

// outputData checks a value against a type that is held as data: what is fixed
// in the flow as a whole, the rest by its type.
func (c *compiler) outputData(v *value, t *Type, what string) {
	if data, ok := v.constant(); ok {
		if inner := (&complaints{path: []byte(what)}); data != nil || !t.Null {
			if inner.check(t, data); inner.bad {
				c.problem(v.pos, "output declares it", "%s", inner.faults[0].Message)
			}
		}
		return
	}
	from, ok := c.infer(v)
	if !ok {
		return // which the body itself reports
	}
	if why := answers(from.t, t, from.text); why != "" {
		c.problem(v.pos, "output declares it", "%s wants %s, but %s", what, article(t), why)
	}
}
