package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"
)

type opCode uint8

const (
	opNode opCode = iota
	opIf
	opJump
	opSwitch
	opEach
	opGive // what an item of an each gives
	opParallel
	opTry
	opLet
	opSend
	opRespond
	opFail
	opReturn
	opEnd // of a block inside another op
)

// An op is one instruction of a program.
type op struct {
	code opCode
	slot int // where the result goes; -1 for nowhere
	next int // where the run goes on

	node     *Node
	proto    unsafe.Pointer // what moves write into a copy of: constants and defaults are set
	moves    []move
	checks   []check
	routes   []route
	declared []Declared    // of the outcomes that no route takes, those in errors.yaml
	wait     time.Duration // longest time of the node; 0 for that of the flow
	undo     int           // block that takes the step back; 0 for none
	undoing  bool          // it takes another one back: where it fails too, only the log learns of it

	test  test
	els   int // where the run goes on when the test fails, or no case fits
	key   func(frame) (string, error)
	cases map[string]int
	whole bool // the cases are all that the value can be

	t         *Type // of what moves make; of the list of each's results
	list      func(frame) (unsafe.Pointer, error)
	stride    uintptr // from one item to the next
	most      *float64
	filled    bool // the list has an item at least
	as, index int
	atOnce    int
	body      int // block of each and try

	lanes []int // blocks
	sets  []laneSlot

	retry   *retrySyntax
	catches map[string]int // blocks, by code
	finally int            // block; -1 for none
	from    ref            // of a let that is another name

	status  int
	headers []headerOp
	json    []piece
	content func(frame) ([]byte, error) // of a file, in place of json
	media   string                      // its media type
	size    uint32                      // of the longest body so far, up to a bound; atomic
	event   string                      // of send
	eventID []textPart
	fail    Declared
	leave   *Outcome // of a node flow

	pos  Pos
	step string
}

// A route says where an outcome leads.
type route struct {
	out  *Outcome
	next int
}

// A laneSlot is a slot that a lane sets.
type laneSlot struct{ lane, slot int }

// A check is made of a parameter whose value comes from elsewhere.
type check struct{ prop *Prop }

type headerOp struct {
	name  string
	parts []textPart
}

// A Program is the compiled steps of a flow. It does not change and can run
// any number of times at once.
type Program struct {
	ops      []op
	slots    int
	takes    [slotEnv]*Type // what it wants as inputs; nil for nothing
	vars     unsafe.Pointer
	computes bool // it has an expression
}

// Inputs are what a run starts from. Those that the flow takes must be there
// and be of its types; $session and $apiKey may be missing where they are optional.
type Inputs struct {
	Path, Query, Headers, Body, Session, Request, APIKey Value

	// Send takes the events that the flow sends, one at a time, and returns when
	// the caller can take another one. Its error, or the end of ctx, ends the run.
	// Where it is nil, events go nowhere.
	Send func(ctx context.Context, e Event) error
}

func (in *Inputs) frame(slots int) frame {
	f := make(frame, max(slots, int(rootSlots)))
	f[slotPath], f[slotQuery], f[slotHeaders], f[slotBody] = in.Path.p, in.Query.p, in.Headers.p, in.Body.p
	f[slotSession], f[slotRequest], f[slotAPIKey] = in.Session.p, in.Request.p, in.APIKey.p
	return f
}

// maxWork bounds the steps of one run, those of all its rounds and lanes.
const maxWork = 100_000

// undoTime is how long the steps that take others back may run, after the flow
// has failed.
const undoTime = 10 * time.Second

// A run is one run of a program, or of one of its lanes. One goroutine uses it.
type run struct {
	p      *Program
	answer Answer
	result unsafe.Pointer // of return
	work   *atomic.Int64  // steps so far, with those of flows around
	own    atomic.Int64
	ctx    context.Context // of its frames
	probe  *Probe          // nil in production
	out    *outlet         // nil where nobody listens

	undos []undone // steps to take back if the flow fails, in order
}

// An undone is a step that is to be taken back if the flow fails.
type undone struct {
	r *run
	o *op
	f frame
}

// An exitKind is how a block ended.
type exitKind uint8

const (
	fellOut exitKind = iota
	answered
	failed
)

// Run executes the program and returns its answer. An error is always an
// *[Error]. The run ends early when ctx does.
func (p *Program) Run(ctx context.Context, in Inputs) (Answer, error) {
	for i, v := range [slotEnv]*Value{&in.Path, &in.Query, &in.Headers, &in.Body, &in.Session, &in.Request, &in.APIKey} {
		if t := p.takes[i]; v.p != nil && t != nil && v.t != t.goType {
			panic(fmt.Sprintf("engine: $%s is a %s, want a %s", rootNames[i], v.t, t.goType))
		}
	}
	f := in.frame(p.slots)
	f[slotEnv] = p.vars
	r := newRun(p)
	r.listen(in.Send)
	if err := r.whole(ctx, f); err != nil {
		return Answer{}, err
	}
	return r.answer, nil
}

// whole runs the program and, where it fails, takes back what can be.
func (r *run) whole(ctx context.Context, f frame) *Error {
	r.under(ctx, f)
	_, err := r.block(ctx, f, 0)
	if err == nil {
		return nil
	}
	if errs := r.takeBack(ctx, 0); errs != nil {
		err.Err = errors.Join(err.Err, errs)
	}
	return err
}

// under tells a frame of the run the context that what takes long between two
// steps has to keep.
func (r *run) under(ctx context.Context, f frame) {
	r.ctx = ctx
	f[slotContext] = unsafe.Pointer(&r.ctx)
}

// block runs from an op to the end of its block, or to an answer.
func (r *run) block(ctx context.Context, f frame, pc int) (how exitKind, err *Error) {
	ops := r.p.ops
	defer func() {
		if p := recover(); p != nil {
			how, err = failed, ops[pc].error(Fail(Internal, "internal_error", "Something went wrong."), fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	for {
		o := &ops[pc]
		if r.probe != nil {
			if err := r.reach(o); err != nil {
				return failed, err
			}
		}
		switch o.code {
		case opNode:
			pc, err = r.node(ctx, o, f)
		case opIf:
			pc, err = r.decide(ctx, o, f)
		case opJump:
			pc = o.next
		case opSwitch:
			pc, err = r.pick(ctx, o, f)
		case opEach:
			how, err = r.each(ctx, o, f)
			pc = o.next
		case opGive:
			item, failure := copyOf(o.t, o.proto, o.moves, f)
			f[slotGiven] = item
			pc, err = o.next, o.failure(ctx, failure)
		case opParallel:
			pc, err = o.next, r.parallel(ctx, o, f)
		case opTry:
			how, err = r.try(ctx, o, f)
			pc = o.next
		case opLet:
			pc, err = o.next, o.let(ctx, f)
		case opSend:
			pc, err = o.next, r.send(ctx, o, f)
		case opRespond:
			r.answer, err = o.respond(ctx, f)
			how = answered
		case opFail:
			return failed, o.failing(ctx, f)
		case opReturn:
			if o.t != nil {
				var failure error
				r.result, failure = copyOf(o.t, o.proto, o.moves, f)
				err = o.failure(ctx, failure)
			}
			how = answered
		case opEnd:
			return fellOut, nil
		}
		if err != nil {
			return failed, err
		}
		if how != fellOut {
			return how, nil
		}
	}
}

// spend counts a step, a round or a lane.
func (r *run) spend(ctx context.Context, o *op) *Error {
	if err := ctx.Err(); err != nil {
		return o.broken(ctx, err)
	}
	if r.work.Add(1) > maxWork {
		return o.error(Fail(Invalid, "too_much_work", fmt.Sprintf("The request asks for more than %d steps.", maxWork)), nil)
	}
	return nil
}

// node runs the node of a step and says where the run goes on.
func (r *run) node(ctx context.Context, o *op, f frame) (next int, err *Error) {
	if err := r.spend(ctx, o); err != nil {
		return 0, err
	}
	if o.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.wait)
		defer cancel()
	}
	in, out := o.node.alloc(o.proto)
	for i := range o.moves {
		if err := o.moves[i].run(f, in); err != nil {
			return 0, o.failure(ctx, err)
		}
	}
	for i := range o.checks {
		if err := o.checks[i].run(in); err != nil {
			return 0, o.error(err, nil)
		}
	}
	failure := r.invoke(ctx, o, in, out)
	if r.probe != nil {
		way := "ok"
		if failure != nil {
			way = o.wayOf(failure)
		}
		if len(o.node.Outcomes) > 0 || failure != nil {
			r.took(o, way)
		}
	}
	if failure == nil {
		if o.slot >= 0 {
			f[o.slot] = out
		}
		if o.undo > 0 {
			r.undos = append(r.undos, undone{r, o, slices.Clone(f)})
		}
		return o.next, nil
	}
	for i := range o.routes {
		if errors.Is(failure, o.routes[i].out) {
			return o.routes[i].next, nil // the slot is empty: each round and each attempt begins anew
		}
	}
	return 0, o.leaving(ctx, failure)
}

// takeBack runs the undo blocks of the steps since a mark, the last first. It
// goes on when the request is over, and when one of them fails.
func (r *run) takeBack(ctx context.Context, mark int) (errs error) {
	undos := r.undos[mark:]
	r.undos = r.undos[:mark:mark]
	if len(undos) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	for _, u := range slices.Backward(undos) {
		u.f[slotContext] = unsafe.Pointer(&ctx) // that of the run may be over
		if _, err := u.r.block(ctx, u.f, u.o.undo); err != nil {
			errs = errors.Join(errs, fmt.Errorf("undoing %s: %w", u.o.step, err))
		}
	}
	return errs
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
	if why := c.prop.Type.deepFault(p, c.prop.Name); why != "" {
		return Fail(Invalid, "invalid_input", why)
	}
	return nil
}

// jitter spreads a wait over the half below and the half above it.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+1)
}
