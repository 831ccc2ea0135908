package engine

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/expr-lang/expr/vm"
)

// An evaluation is what one evaluation needs: a machine and an environment.
// They are used again, and the environment is wiped in between.
type evaluation struct {
	machine vm.VM
	env     any            // pointer to the struct
	fields  reflect.Value  // the struct
	p       unsafe.Pointer // the same
	meter   meter
}

// errExpression is wrapped by what goes wrong when an expression is evaluated,
// such as an index out of range: the values did not fit it.
var errExpression = errors.New("evaluating expression")

// eval returns the result, as a Go value of the result's type.
func (e *expression) eval(f frame) (any, error) {
	ev := e.spare.Get().(*evaluation)
	for i := range e.fields {
		field := &e.fields[i]
		if field.asks != nil {
			*(*bool)(unsafe.Add(ev.p, field.exists)) = field.asks(f)
		}
		if err := runMoves(field.moves, f, ev.p); err != nil {
			return nil, err
		}
	}
	if e.metered {
		ev.meter = meter{ctx: f.context(), stride: 1}
		*(**meter)(unsafe.Add(ev.p, e.meterAt)) = &ev.meter
	}
	v, err := ev.machine.Run(e.program, ev.env)
	over := ev.meter.err
	ev.meter.ctx = nil
	ev.fields.SetZero()
	e.spare.Put(ev)
	if over != nil {
		return nil, fmt.Errorf("evaluating expression: %w", over)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errExpression, err)
	}
	return v, nil
}
