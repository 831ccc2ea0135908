package engine

// infer returns the type of a value without reporting anything; ok is false
// where there is something to report.
func (c *compiler) infer(v *value) (typed, bool) {
	switch v.kind {
	case refValue:
		return c.quietLookup(v.path)
	case textValue:
		return typed{t: (&Type{Base: String}).held(), text: "the text"}, true
	case exprValue:
		n := len(c.problems)
		e := c.compileExpression(v.lit.(string), v.pos)
		c.problems = c.problems[:n]
		if e == nil {
			return typed{}, false
		}
		return typed{t: e.t, text: "the expression"}, true
	case literalValue:
		base := Any
		switch v.lit.(type) {
		case string:
			base = String
		case bool:
			base = Boolean
		case int64:
			base = Integer
		case float64:
			base = Number
		}
		return typed{t: (&Type{Base: base}).held(), text: "the literal"}, true
	case listValue:
		return c.inferList(v)
	case objectValue:
		t := &Type{Base: Object}
		for _, m := range v.members {
			from, ok := c.infer(m.v)
			if !ok {
				return typed{}, false
			}
			t.Props = append(t.Props, &Prop{Name: m.name, Type: from.t, Optional: from.optional, pointer: from.optional})
		}
		return typed{t: t.held(), text: "the object"}, true
	}
	return typed{}, false
}

func (c *compiler) inferList(v *value) (typed, bool) {
	var item *Type
	for _, i := range v.items {
		from, ok := c.infer(i)
		if !ok {
			return typed{}, false
		}
		if item == nil {
			item = from.t
		}
		if !alike(item, from.t) || !alike(from.t, item) || from.optional {
			item = (&Type{}).held()
			break
		}
	}
	if item == nil {
		item = (&Type{}).held()
	}
	n := float64(len(v.items))
	return typed{t: (&Type{Base: Array, Items: item, Max: &n}).held(), text: "the list"}, true
}

// report reports what is wrong with a value that infer could not type.
func (c *compiler) report(v *value) { c.plainMaker(v) }
