package engine

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// decide tests the condition of an if and says where the run goes on.
func (r *run) decide(ctx context.Context, o *op, f frame) (next int, err *Error) {
	if r.probe != nil {
		if way, ok := r.choose(o); ok {
			r.took(o, way)
			if way == "then" {
				return o.next, nil
			}
			return o.els, nil
		}
	}
	yes, failure := o.test(f)
	if failure != nil {
		return 0, o.failure(ctx, failure)
	}
	if yes {
		r.took(o, "then")
		return o.next, nil
	}
	r.took(o, "else")
	return o.els, nil
}

// pick finds the case of a switch and says where the run goes on.
func (r *run) pick(ctx context.Context, o *op, f frame) (next int, err *Error) {
	key, chosen := r.choose(o)
	if !chosen {
		var failure error
		if key, failure = o.key(f); failure != nil {
			return 0, o.failure(ctx, failure)
		}
	}
	if next, ok := o.cases[key]; ok {
		r.took(o, key)
		return next, nil
	}
	r.took(o, "else")
	return o.els, nil
}

func (o *op) let(ctx context.Context, f frame) *Error {
	if o.t == nil {
		f[o.slot] = o.from.at(f)
		return nil
	}
	v, failure := copyOf(o.t, o.proto, o.moves, f)
	f[o.slot] = v
	return o.failure(ctx, failure)
}

func (o *op) respond(ctx context.Context, f frame) (a Answer, err *Error) {
	a.Status = o.status
	for i := range o.headers {
		h := &o.headers[i]
		a.Headers = append(a.Headers, Header{h.name, joinParts(h.parts, f)})
	}
	if o.content != nil {
		var failure error
		a.Type = o.media
		if a.Body, failure = o.content(f); failure != nil {
			return Answer{}, o.failure(ctx, failure)
		}
		return a, nil
	}
	if o.json == nil {
		return a, nil
	}
	size := atomic.LoadUint32(&o.size)
	var failure error
	if a.Body, failure = appendPieces(make([]byte, 0, size+64), o.json, f); failure != nil {
		return Answer{}, o.failure(ctx, failure)
	}
	if n := uint32(len(a.Body)); n > size && n < 1<<16 {
		atomic.StoreUint32(&o.size, n)
	}
	return a, nil
}

func (o *op) failing(ctx context.Context, f frame) *Error {
	if o.leave != nil {
		return o.error(Fail(o.leave.Kind, o.leave.Name, o.leave.Doc), o.leave)
	}
	e := o.fail.error()
	if o.json != nil {
		var failure error
		if e.Items[0].Details, failure = appendPieces(nil, o.json, f); failure != nil {
			return o.failure(ctx, failure)
		}
	}
	return o.error(e, nil)
}

// each runs its block for every item, in order or several at once. The results
// stand in the order of the items in any case.
func (r *run) each(ctx context.Context, o *op, f frame) (exitKind, *Error) {
	at, failure := o.list(f)
	if failure != nil {
		return failed, o.failure(ctx, failure)
	}
	n := 0
	var first unsafe.Pointer
	if at != nil {
		n, first = sliceLen(at), slicePointer(at)
	}
	if o.most != nil && float64(n) > *o.most {
		return failed, o.error(Fail(Invalid, "too_much_work", "A list is longer than it may be."), nil)
	}
	if n == 0 {
		r.took(o, "none")
	} else {
		r.took(o, "do")
	}
	var results reflect.Value
	give := func(int, unsafe.Pointer) {}
	if o.slot >= 0 {
		results = reflect.MakeSlice(o.t.goType, n, n)
		give = func(i int, p unsafe.Pointer) {
			if p != nil {
				results.Index(i).Set(reflect.NewAt(o.t.goType.Elem(), p).Elem())
			}
		}
	}
	round := func(ctx context.Context, r *run, f frame, i int) (exitKind, *Error) {
		if err := r.spend(ctx, o); err != nil {
			return failed, err
		}
		f[o.as] = unsafe.Add(first, uintptr(i)*o.stride)
		if o.index >= 0 {
			f[o.index] = unsafe.Pointer(&i)
		}
		f[slotGiven] = nil
		how, err := r.block(ctx, f, o.body)
		if err == nil {
			give(i, f[slotGiven])
		}
		return how, err
	}
	var how exitKind
	var err *Error
	if o.atOnce == 1 {
		start := slices.Clone(f)
		for i := 0; i < n && how == fellOut; i++ {
			how, err = round(ctx, r, f, i)
			copy(f, start) // what one round sets is not there in the next
		}
	} else {
		err = r.together(ctx, o, n, o.atOnce, func(ctx context.Context, lane *run, i int) *Error {
			own := slices.Clone(f)
			lane.under(ctx, own)
			_, err := round(ctx, lane, own, i)
			return err
		})
	}
	if err != nil || how != fellOut {
		return how, err
	}
	if o.slot >= 0 {
		list := reflect.New(o.t.goType)
		list.Elem().Set(results)
		f[o.slot] = list.UnsafePointer()
	}
	return fellOut, nil
}

// parallel runs its lanes at once. What each lane sets is there behind it.
func (r *run) parallel(ctx context.Context, o *op, f frame) *Error {
	frames := make([]frame, len(o.lanes))
	err := r.together(ctx, o, len(o.lanes), len(o.lanes), func(ctx context.Context, lane *run, i int) *Error {
		if err := lane.spend(ctx, o); err != nil {
			return err
		}
		frames[i] = slices.Clone(f)
		lane.under(ctx, frames[i])
		_, err := lane.block(ctx, frames[i], o.lanes[i])
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range o.sets {
		f[s.slot] = frames[s.lane][s.slot]
	}
	return nil
}

// together calls f for 0 to n-1, at most so many at once, and waits for all.
// The first error cancels the others and is what comes back. Each call has a
// run of its own for what it may have to take back.
func (r *run) together(ctx context.Context, o *op, n, atOnce int, f func(ctx context.Context, lane *run, i int) *Error) *Error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	lanes := make([]run, n)
	var wg sync.WaitGroup
	var once sync.Once
	var first *Error
	next := atomic.Int64{}
	for range min(n, atOnce) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || inner.Err() != nil {
					return
				}
				lanes[i] = run{p: r.p, work: r.work, probe: r.probe, out: r.out}
				if err := f(inner, &lanes[i], i); err != nil {
					once.Do(func() { first = err })
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	for i := range lanes {
		r.undos = append(r.undos, lanes[i].undos...)
	}
	if first == nil && ctx.Err() != nil {
		return o.broken(ctx, ctx.Err()) // not all of them were called
	}
	return first
}

// try runs its block, again where it may help, and turns to a catch where the
// block fails. What the block did is taken back before either.
func (r *run) try(ctx context.Context, o *op, f frame) (how exitKind, err *Error) {
	mark := len(r.undos)
	start := slices.Clone(f)
	for attempt := 0; ; attempt++ {
		how, err = r.block(ctx, f, o.body)
		if err == nil {
			break
		}
		if errs := r.takeBack(ctx, mark); errs != nil {
			err.Err = errors.Join(err.Err, errs)
		}
		if !o.again(ctx, err, attempt) {
			break
		}
		copy(f, start)
	}
	if err == nil {
		r.took(o, "try")
	} else {
		code := err.Items[0].Code
		block, ok := o.catches[code]
		if !ok {
			code = "any"
			block, ok = o.catches[code]
		}
		// A request that is over cannot be saved by going on.
		if ok && ctx.Err() == nil {
			r.took(o, code)
			f[slotError] = unsafe.Pointer(&caughtError{err.Items[0].Code, err.Items[0].Message})
			how, err = r.block(ctx, f, block)
		}
	}
	if o.finally >= 0 {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		own := f[slotContext]
		f[slotContext] = unsafe.Pointer(&end)
		defer func() { f[slotContext] = own }()
		if _, late := r.block(end, f, o.finally); late != nil && err == nil {
			return failed, late
		}
	}
	return how, err
}

// again waits in front of the next attempt and tells whether there is one.
func (o *op) again(ctx context.Context, err *Error, attempt int) bool {
	if o.retry == nil || attempt >= o.retry.times {
		return false
	}
	if codes := o.retry.on; len(codes) > 0 && !slices.Contains(codes, err.Items[0].Code) ||
		len(codes) == 0 && err.Kind != Unavailable && err.Kind != TooMany && err.Kind != Timeout {
		return false
	}
	wait := float64(o.retry.wait)
	for range attempt {
		wait = min(wait*o.retry.factor, float64(o.retry.upTo))
	}
	timer := time.NewTimer(jitter(time.Duration(wait)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// leaving makes the error of a node that no on: routes.
func (o *op) leaving(ctx context.Context, err error) *Error {
	for _, out := range o.node.Outcomes {
		if !errors.Is(err, out) {
			continue
		}
		wait := time.Duration(0)
		var e *exit
		if errors.As(err, &e) {
			wait = e.wait
		}
		told := Fail(out.Kind, out.Name, out.sentence(err))
		for _, d := range o.declared {
			if d.Code == out.Name {
				told = d.error()
			}
		}
		told.RetryAfter = wait
		return o.error(told, err)
	}
	return o.broken(ctx, err)
}

// failure makes the error of a value that could not be made; nil stays nil.
func (o *op) failure(ctx context.Context, err error) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errExpression):
		return o.error(Fail(Invalid, "expression_failed", "The request does not fit what is computed from it."), err)
	}
	return o.broken(ctx, err)
}

// broken makes the error of something that is no way out of the node.
func (o *op) broken(ctx context.Context, err error) *Error {
	var inner *Error
	switch {
	case errors.As(err, &inner): // of a node that is a flow
		return inner
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
