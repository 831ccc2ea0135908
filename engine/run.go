package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

type opCode uint8

const (
	opNode opCode = iota
	opIf
	opJump
	opRespond
	opFail
)

// An op is one instruction of a program.
type op struct {
	code opCode
	slot int // where the output of a node goes; -1 for nowhere
	next int // where the run goes on

	node     *Node
	proto    unsafe.Pointer // the node's input, constants and defaults set
	moves    []move
	checks   []check
	routes   []route
	declared []Declared // of the outcomes that no route takes, those in errors.yaml

	test func(frame) bool
	els  int // where the run goes on when the test fails

	status  int
	headers []headerOp
	body    []piece
	size    uint32 // of the longest body so far, up to a bound; atomic
	fail    Declared

	pos  Pos
	step string
}

// A route says where an outcome leads.
type route struct {
	out  *Outcome
	next int
}

// A check is made of a parameter whose value comes from elsewhere.
type check struct {
	prop *Prop
	what string
}

type headerOp struct {
	name  string
	parts []textPart
}

// A Program is the compiled steps of a flow. It does not change and can run
// any number of times at once.
type Program struct {
	ops   []op
	slots int
	takes [slotEnv]*Type // what it wants as inputs; nil for nothing
	vars  unsafe.Pointer
}

// Inputs are what a run starts from. Those that the flow takes must be there
// and be of its types; $session may be missing where it is optional.
type Inputs struct {
	Path, Query, Headers, Body, Session, Request Value
}

func (in *Inputs) frame(slots int) frame {
	f := make(frame, max(slots, rootSlots))
	f[slotPath], f[slotQuery], f[slotHeaders], f[slotBody] = in.Path.p, in.Query.p, in.Headers.p, in.Body.p
	f[slotSession], f[slotRequest] = in.Session.p, in.Request.p
	return f
}

// Run executes the program and returns its answer. An error is always an
// *[Error]. The run ends early when ctx does.
func (p *Program) Run(ctx context.Context, in Inputs) (Answer, error) {
	for i, v := range [slotEnv]*Value{&in.Path, &in.Query, &in.Headers, &in.Body, &in.Session, &in.Request} {
		if t := p.takes[i]; v.p != nil && t != nil && v.t != t.goType {
			panic(fmt.Sprintf("engine: $%s is a %s, want a %s", rootNames[i], v.t, t.goType))
		}
	}
	f := in.frame(p.slots)
	f[slotEnv] = p.vars
	return p.run(ctx, f)
}

func (p *Program) run(ctx context.Context, f frame) (answer Answer, err error) {
	pc := 0
	defer func() {
		if r := recover(); r != nil {
			err = p.ops[pc].error(Fail(Internal, "internal_error", "Something went wrong."), fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
		}
	}()
	for {
		o := &p.ops[pc]
		switch o.code {
		case opNode:
			if err := ctx.Err(); err != nil {
				return Answer{}, o.broken(ctx, err)
			}
			next, err := o.call(ctx, f)
			if err != nil {
				return Answer{}, err
			}
			pc = next
		case opIf:
			if pc = o.els; o.test(f) {
				pc = o.next
			}
		case opJump:
			pc = o.next
		case opRespond:
			answer.Status = o.status
			for i := range o.headers {
				h := &o.headers[i]
				answer.Headers = append(answer.Headers, Header{h.name, joinParts(h.parts, f)})
			}
			if o.body != nil {
				size := atomic.LoadUint32(&o.size)
				answer.Body = appendPieces(make([]byte, 0, size+64), o.body, f)
				if n := uint32(len(answer.Body)); n > size && n < 1<<16 {
					atomic.StoreUint32(&o.size, n)
				}
			}
			return answer, nil
		case opFail:
			e := o.fail.error()
			if o.body != nil {
				e.Items[0].Details = appendPieces(nil, o.body, f)
			}
			return Answer{}, o.error(e, nil)
		}
	}
}

// call runs the node of a step and says where the run goes on.
func (o *op) call(ctx context.Context, f frame) (next int, err error) {
	in, out := o.node.alloc(o.proto)
	for i := range o.moves {
		o.moves[i].run(f, in)
	}
	for i := range o.checks {
		if err := o.checks[i].run(in); err != nil {
			return 0, o.error(err, nil)
		}
	}
	err = o.node.call(ctx, in, out)
	if err == nil {
		if o.slot >= 0 {
			f[o.slot] = out
		}
		return o.next, nil
	}
	for i := range o.routes {
		if errors.Is(err, o.routes[i].out) {
			return o.routes[i].next, nil
		}
	}
	return 0, o.leave(ctx, err)
}

func (c *check) run(in unsafe.Pointer) *Error {
	p := unsafe.Add(in, c.prop.offset)
	if c.prop.pointer {
		if p = *(*unsafe.Pointer)(p); p == nil {
			return nil
		}
	}
	if c.prop.omit && isZero(c.prop.Type.goType)(p) {
		return nil
	}
	if why := c.prop.Type.fault(p); why != "" {
		return Fail(Invalid, "invalid_input", c.prop.Name+" "+why)
	}
	return nil
}

// leave makes the error of a node that no on: routes.
func (o *op) leave(ctx context.Context, err error) error {
	for _, out := range o.node.Outcomes {
		if !errors.Is(err, out) {
			continue
		}
		sentence := out.Doc
		var e *exit
		if errors.As(err, &e) && e.sentence != "" {
			sentence = e.sentence
		}
		told := Fail(out.Kind, out.Name, sentence)
		for _, d := range o.declared {
			if d.Code == out.Name {
				told = d.error()
			}
		}
		return o.error(told, err)
	}
	return o.broken(ctx, err)
}

// broken makes the error of something that is no way out of the node.
func (o *op) broken(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrUnavailable):
		return o.error(Fail(Unavailable, "unavailable", "The service is busy or away. Try again in a moment."), err)
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return o.error(Fail(Timeout, "timeout", "The request took longer than it may."), err)
	case ctx.Err() != nil:
		return o.error(Fail(Unavailable, "canceled", "The server is going down. Try again in a moment."), err)
	}
	return o.error(Fail(Internal, "internal_error", "Something went wrong."), err)
}

func (o *op) error(e *Error, cause error) *Error {
	e.Pos, e.Step, e.Err = o.pos, o.step, cause
	return e
}
