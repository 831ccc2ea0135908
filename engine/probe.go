package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unsafe"
)

// A Probe watches a run and can stand in for its nodes and its decisions. It is
// for tests and the studio; every field may be nil. Lanes and rounds that run
// at once call it from several goroutines.
type Probe struct {
	// Reach is told each step that a run comes to, in front of it. Its error ends
	// the run there; where the context ends with it, nothing catches it.
	Reach func(at At) error
	// Fake stands in for the node of a step where it returns true.
	Fake func(at At) (Fake, bool)
	// Choose takes a way in the place of a condition or the value of a switch
	// where it returns true. The way is one of those offered.
	Choose func(at At, ways []string) (way string, ok bool)
	// Took is told each way that is taken out of a step that has several.
	Took func(w Way)
	// Ran is told each node that ran or was stood in for.
	Ran func(c Call)
}

// At is the step that a run is at.
type At struct {
	Pos  Pos
	Step string // its id, or its node or verb
	Node *Node  // of a step that runs one; nil otherwise
}

// A Fake is what a step does in the place of its node.
type Fake struct {
	Out     []byte // JSON of the output, or of some of its properties; the others are made up
	Same    Value  // the Result of a call of the same node, in place of Out
	Outcome string // the name of the way out; "" for success
	Err     error  // something broken, in place of both
}

// A Way is one of the ways out of a step.
type Way struct {
	Pos  Pos
	Step string
	Name string // ok or an outcome; then or else; a case or else; do or none; try or the code that was caught
}

// A Call is one run of a node, with secrets masked.
type Call struct {
	At
	In, Out []byte // JSON; Out is nil where the node left by an outcome
	Result  Value  // what it gave, with its secrets, for a Fake of another run
	Outcome string // "" for success, the name of an outcome, or error
	Err     error  // why it left; nil for success
	Start   time.Time
	Took    time.Duration
	Faked   bool
}

// RunProbed is Run with a probe.
func (p *Program) RunProbed(ctx context.Context, in Inputs, probe *Probe) (Answer, error) {
	f := in.frame(p.slots)
	f[slotEnv] = p.vars
	r := newRun(p)
	r.probe = probe
	r.listen(in.Send)
	if err := r.whole(ctx, f); err != nil {
		return Answer{}, err
	}
	return r.answer, nil
}

// Ways lists the ways out of every step that has several, in the order of the
// text. Those of node flows that are called are not among them.
func (p *Program) Ways() []Way {
	var ways []Way
	for i := range p.ops {
		o := &p.ops[i]
		for _, name := range o.ways() {
			ways = append(ways, Way{o.pos, o.step, name})
		}
	}
	slices.SortStableFunc(ways, func(a, b Way) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return ways
}

// Ways lists the ways out of the steps of a node flow, as those of a [Program].
func (n *NodeFlow) Ways() []Way { return n.flow.Ways() }

// ways names the ways out of an op; nil for one that has but one.
func (o *op) ways() []string {
	switch o.code {
	case opNode:
		names := []string{"ok"}
		for _, out := range o.node.Outcomes {
			if !o.undoing || slices.ContainsFunc(o.routes, func(r route) bool { return r.out == out }) {
				names = append(names, out.Name)
			}
		}
		if len(names) == 1 {
			return nil
		}
		return names
	case opIf:
		return []string{"then", "else"}
	case opSwitch:
		names := make([]string, 0, len(o.cases)+1)
		for name := range o.cases {
			names = append(names, name)
		}
		slices.Sort(names)
		if o.whole {
			return names
		}
		return append(names, "else")
	case opEach:
		if o.filled {
			return nil
		}
		return []string{"do", "none"}
	case opTry:
		names := make([]string, 0, len(o.catches)+1)
		for name := range o.catches {
			names = append(names, name)
		}
		slices.Sort(names)
		return append([]string{"try"}, names...)
	}
	return nil
}

// reach tells the probe that the run comes to a step. What is no step of its own is
// not told.
func (r *run) reach(o *op) *Error {
	if r.probe.Reach == nil || o.code == opJump || o.code == opGive || o.code == opEnd {
		return nil
	}
	if err := r.probe.Reach(At{o.pos, o.step, o.node}); err != nil {
		return o.error(Fail(Unavailable, "stopped", "The run was stopped."), err)
	}
	return nil
}

func (r *run) took(o *op, way string) {
	if r.probe != nil && r.probe.Took != nil {
		r.probe.Took(Way{o.pos, o.step, way})
	}
}

// choose asks the probe which way to take.
func (r *run) choose(o *op) (way string, ok bool) {
	if r.probe == nil || r.probe.Choose == nil {
		return "", false
	}
	return r.probe.Choose(At{o.pos, o.step, nil}, o.ways())
}

// invoke runs the node of a step, or what stands in for it.
func (r *run) invoke(ctx context.Context, o *op, in, out unsafe.Pointer) error {
	if r.probe == nil {
		return r.real(ctx, o, in, out)
	}
	start := time.Now()
	at := At{o.pos, o.step, o.node}
	var fake Fake
	faked := false
	if r.probe.Fake != nil {
		fake, faked = r.probe.Fake(at)
	}
	var err error
	if faked {
		err = o.node.pretend(fake, out)
	} else {
		err = r.real(ctx, o, in, out)
	}
	if r.probe.Ran != nil {
		c := Call{At: at, In: masked(o.node.In, in), Start: start, Took: time.Since(start), Faked: faked}
		if err == nil {
			c.Out, c.Result = masked(o.node.Out, out), Value{out, o.node.Out.goType}
		} else {
			c.Outcome, c.Err = o.wayOf(err), err
		}
		r.probe.Ran(c)
	}
	return err
}

func (r *run) real(ctx context.Context, o *op, in, out unsafe.Pointer) error {
	if o.node.flow != nil {
		return r.callFlow(ctx, o.node, in, out)
	}
	return o.node.call(ctx, in, out)
}

// wayOf names the way by which an error leaves a node.
func (o *op) wayOf(err error) string {
	for _, out := range o.node.Outcomes {
		if errors.Is(err, out) {
			return out.Name
		}
	}
	return "error"
}

// pretend writes a made-up output, or leaves as it is told.
func (n *Node) pretend(fake Fake, out unsafe.Pointer) error {
	switch {
	case fake.Err != nil:
		return fake.Err
	case fake.Outcome != "":
		if o := n.outcome(fake.Outcome); o != nil {
			return o
		}
		return fmt.Errorf("%s has no outcome %q", n.Name, fake.Outcome)
	}
	if fake.Same.p != nil && fake.Same.t == n.Out.goType {
		reflect.NewAt(n.Out.goType, out).Elem().Set(reflect.NewAt(n.Out.goType, fake.Same.p).Elem())
		return nil
	}
	n.Out.sample(out, 0)
	if fake.Out == nil {
		return nil
	}
	reader := &jsonReader{data: fake.Out, complaints: complaints{path: []byte("output")}, lenient: true}
	reader.value(n.Out, out)
	if reader.broken != "" {
		return fmt.Errorf("the fake output of %s %s", n.Name, reader.broken)
	}
	if len(reader.faults) > 0 {
		return fmt.Errorf("the fake output of %s: %s", n.Name, reader.faults[0].Message)
	}
	return nil
}

// Sample returns a value of the type that a request could hold: made up, within
// its bounds, with everything that is optional.
func (t *Type) Sample() Value {
	p := newOf(t)
	t.sample(p, 0)
	return Value{p, t.goType}
}

// SecretSample is the sample of every text that no answer may show.
const SecretSample = "a secret for a sample"

var samples = map[string]string{
	"email": "ada@example.com", "password": "a password for a sample", "uuid": "0198a000-0000-7000-8000-000000000001",
	"idn-email": "ada@example.com", "hostname": "example.com", "idn-hostname": "example.com", "time": "12:00:00Z", "uri-reference": "/a",
	"iri": "https://example.com/", "iri-reference": "/a", "uri-template": "/{a}", "json-pointer": "/a", "relative-json-pointer": "0", "regex": "a",
	"uri": "https://example.com/", "date": "2026-01-31", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
}

func (t *Type) sample(p unsafe.Pointer, depth int) {
	switch {
	case depth > 8:
	case t.goType == timeType:
		*(*time.Time)(p) = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	case t.Nominal:
		*(*string)(p) = "sample"
	case t.goType == bytesType:
		*(*[]byte)(p) = []byte("sample")
	case t.goType == durationType || t.Base == Integer:
		*(*int64)(p) = int64(t.sampleNumber())
	case t.Base == Number:
		*(*float64)(p) = t.sampleNumber()
	case t.Base == Boolean:
		*(*bool)(p) = len(t.Enum) == 0 || t.Enum[0] == "true"
	case t.Base == String:
		*(*string)(p) = t.sampleText()
	case t.Base == Any && t.Rules != nil && len(t.Rules.Values) > 0:
		*(*any)(p) = t.Rules.Values[0]
	case t.Base == Array && t.Rules != nil && t.Rules.Prefix != nil:
		list := make([]any, len(t.Rules.Prefix))
		for i, of := range t.Rules.Prefix {
			item := newOf(of)
			of.sample(item, depth+1)
			list[i] = plainOf(of)(item)
		}
		*(*[]any)(p) = list
	case t.Base == Array:
		n := 1
		if t.Min != nil {
			n = max(n, int(*t.Min))
		}
		if t.Max != nil {
			n = min(n, int(*t.Max))
		}
		list := reflect.MakeSlice(t.goType, n, n)
		for i := range n {
			t.Items.sample(list.Index(i).Addr().UnsafePointer(), depth+1)
		}
		reflect.NewAt(t.goType, p).Elem().Set(list)
	case t.By != "":
		form := t.forms[0]
		tag := t.Props[0]
		tag.Type.parseText(form.Type.tags(t.By)[0], unsafe.Add(p, tag.offset)) // one that it has
		form.Type.sample(form.held(unsafe.Add(p, form.offset)), depth+1)
	case t.Base == Any && t.Union != nil:
		form := newOf(t.Union[0])
		t.Union[0].sample(form, depth+1)
		*(*any)(p) = plainOf(t.Union[0])(form)
	case t.Base == Object && !t.Open:
		for _, prop := range t.Props {
			if prop.ReadOnly {
				continue
			}
			prop.Type.sample(prop.held(unsafe.Add(p, prop.offset)), depth+1)
		}
	}
}

func (t *Type) sampleNumber() float64 {
	switch {
	case len(t.Enum) > 0:
		n, _ := strconv.ParseFloat(t.Enum[0], 64) // which came from a number
		return n
	case t.Above != nil && t.Step == nil && t.Below != nil:
		return (*t.Above + *t.Below) / 2
	case t.Above != nil && t.Step == nil:
		return *t.Above + 1
	case t.Step != nil && t.Min == nil && t.Above == nil:
		return *t.Step
	case t.Min != nil:
		return *t.Min
	case t.Max != nil:
		return min(1, *t.Max)
	}
	return 1
}

func (t *Type) sampleText() string {
	s := samples[t.Format]
	switch {
	case len(t.Enum) > 0:
		return t.Enum[0]
	case t.Secrecy == Hidden:
		s = SecretSample
	case t.Pattern != nil && s == "":
		if s = patternSample(t.Pattern); s != "" {
			return s
		}
		s = "sample"
	case s == "":
		s = "sample"
	}
	if t.Min != nil {
		for float64(len(s)) < *t.Min {
			s += "s"
		}
	}
	if t.Max != nil && float64(len(s)) > *t.Max && t.Format == "" {
		s = s[:int(*t.Max)]
	}
	return s
}
