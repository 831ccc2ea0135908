package engine

import "slices"

// A Reply is an answer that a flow can give, as its callers see it: a respond.
type Reply struct {
	Status  int
	Body    *Type    // as it is written in JSON; nil for none, and for a file
	Media   string   // media type of a file, or of events; "" for JSON
	Headers []string // names of the headers that the flow sets, sorted
}

// Risks are what a run can meet beside the failures that its flow names.
type Risks struct {
	Expressions bool // a request may not fit what is computed from it
	Loops       bool // a request may ask for too many rounds, or events
	Nodes       bool // a dependency may be away, or take too long
}

// Risks tells what runs of the program can meet, with those of the flows that
// are nodes in it.
func (p *Program) Risks() Risks {
	r := Risks{Expressions: p.computes}
	for i := range p.ops {
		o := &p.ops[i]
		r.Loops = r.Loops || o.code == opEach || o.code == opSend
		if o.node != nil && o.node.flow == nil {
			r.Nodes = true
		} else if o.node != nil {
			inner := o.node.flow.Risks()
			r.Expressions = r.Expressions || inner.Expressions
			r.Loops = r.Loops || inner.Loops
			r.Nodes = r.Nodes || inner.Nodes
		}
	}
	return r
}

// reply notes what a respond answers.
func (c *compiler) reply(st *step, o *op) {
	r := Reply{Status: o.status, Media: o.media}
	for _, h := range o.headers {
		r.Headers = append(r.Headers, h.name)
	}
	slices.Sort(r.Headers)
	r.Headers = slices.Compact(r.Headers)
	if st.value != nil && st.file == nil {
		r.Body = c.written(st.value)
		if c.Output != nil && o.status < 300 {
			r.Body = promised(c.Output, r.Body)
		}
	}
	c.Replies = append(c.Replies, r)
}

// written is the type of the JSON that a value of an answer is written as. It is
// Any where there is no telling.
func (c *compiler) written(v *value) *Type {
	switch v.kind {
	case objectValue:
		t := &Type{Base: Object}
		for _, m := range v.members {
			t.Props = append(t.Props, &Prop{Name: m.name, Type: c.written(m.v)})
		}
		return t
	case listValue:
		t := &Type{Base: Array, Items: &Type{}}
		for i, item := range v.items {
			if w := c.written(item); i == 0 {
				t.Items = w
			} else if !same(t.Items, w) {
				t.Items = &Type{}
			}
		}
		return t
	}
	from, ok := c.infer(v)
	if !ok {
		return &Type{}
	}
	t := from.t.shown()
	t.Null = from.optional && t.Base != Any // what is absent is written as null
	return t
}

// same tells whether two types are written alike, as far as is easy to tell.
func same(a, b *Type) bool {
	return a.Base == b.Base && a.Null == b.Null && a.Format == b.Format && a.goType != nil && b.goType != nil && alike(a, b)
}

// shown is the type of the JSON that values of the type are written as: without
// what is hidden, and with optional properties only where they can be left out.
func (t *Type) shown() *Type {
	s := t.clone()
	s.Called, s.Shares = t.Called, t.Shares
	s.Null, s.Props, s.Union = t.Null && t.Base == Any, nil, nil // of data, null is written as it came
	for _, form := range t.Union {
		s.Union = append(s.Union, form.shown())
	}
	if t.Items != nil {
		s.Items = t.Items.shown()
	}
	for _, p := range t.Props {
		if p.Type.Secrecy != Hidden {
			s.Props = append(s.Props, &Prop{Name: p.Name, Doc: p.Doc, Type: p.Type.shown(), Optional: p.pointer || p.omit, ReadOnly: p.ReadOnly, Notes: p.Notes})
		}
	}
	return s
}

// promised is what a flow declares of its answer, with null where the value that
// was found for it can be absent.
func promised(declared, found *Type) *Type {
	if declared.Base == Any && !declared.ruled() {
		return found
	}
	t := declared.shown()
	t.Null = found.Null
	for _, p := range t.Props {
		d := declared.prop(p.Name)
		p.Optional = d.Optional
		if q := found.prop(p.Name); q != nil {
			p.Type = promised(d.Type, q.Type)
		}
	}
	if t.Items != nil && found.Items != nil {
		t.Items = promised(declared.Items, found.Items)
	}
	return t
}
