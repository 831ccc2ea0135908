package engine

import (
	"context"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// All memory access of compiled flows is in this file, in jsonread.go, textread.go, union.go
// and in jsonwrite.go: values are read and written at offsets that the checker took
// from their Go types, so that moving a field costs a few nanoseconds and no
// reflection. Every access is typed, so that the garbage collector sees each
// pointer that is written.

// Integers of flows are 64 bits wide, in Go's int too.
var _ [strconv.IntSize - 64]struct{}

// A frame holds what a run knows: for each slot where its value is, or nil
// while it has none.
type frame []unsafe.Pointer

// context is that of the run, for what takes long between two steps.
func (f frame) context() context.Context {
	if p := (*context.Context)(f[slotContext]); p != nil {
		return *p
	}
	return context.Background()
}

// A ref is the way to a value in a frame: into a slot, and from there through
// the pointers of optional values.
type ref struct {
	slot   int
	offset uintptr
	hops   []uintptr // each follows a pointer and adds an offset
}

// at returns where the value is, or nil when it is absent.
func (r *ref) at(f frame) unsafe.Pointer {
	p := f[r.slot]
	if p == nil {
		return nil
	}
	p = unsafe.Add(p, r.offset)
	for _, hop := range r.hops {
		p = *(*unsafe.Pointer)(p)
		if p == nil {
			return nil
		}
		p = unsafe.Add(p, hop)
	}
	return p
}

// into returns the ref of a property.
func (r ref) into(p *Prop) ref {
	if n := len(r.hops); n > 0 {
		r.hops = append(r.hops[:n-1:n-1], r.hops[n-1]+p.offset)
	} else {
		r.offset += p.offset
	}
	if p.pointer {
		r.hops = append(r.hops[:len(r.hops):len(r.hops)], 0)
	}
	return r
}

// A moveOp is how one word or value is copied.
type moveOp uint8

const (
	moveBool moveOp = iota
	move64
	moveString
	moveSlice
	moveIface
	movePointer
	moveTime
	moveFloat   // integer to number
	moveAddress // a value to a pointer to it
	moveBuilt   // by a function
)

// A move writes one parameter of a node.
type move struct {
	op   moveOp
	from ref
	add  uintptr // behind the place that from leads to
	to   uintptr
	made func(f frame, to unsafe.Pointer) error // of moveBuilt
}

func (m *move) run(f frame, in unsafe.Pointer) error {
	to := unsafe.Add(in, m.to)
	if m.op == moveBuilt {
		return m.made(f, to)
	}
	p := m.from.at(f)
	if p == nil {
		return nil // an absent value leaves the default
	}
	p = unsafe.Add(p, m.add)
	switch m.op {
	case moveBool:
		*(*bool)(to) = *(*bool)(p)
	case move64:
		*(*uint64)(to) = *(*uint64)(p)
	case moveString:
		*(*string)(to) = *(*string)(p)
	case moveSlice:
		*(*[]struct{})(to) = *(*[]struct{})(p)
	case moveIface:
		*(*any)(to) = *(*any)(p)
	case movePointer:
		*(*unsafe.Pointer)(to) = *(*unsafe.Pointer)(p)
	case moveTime:
		*(*time.Time)(to) = *(*time.Time)(p)
	case moveFloat:
		*(*float64)(to) = float64(*(*int64)(p))
	case moveAddress:
		*(*unsafe.Pointer)(to) = p
	}
	return nil
}

// copyMoves are the moves that copy a value of a Go type, word by word.
func copyMoves(rt reflect.Type, from ref, add, to uintptr) []move {
	m := move{from: from, add: add, to: to}
	switch {
	case rt == timeType:
		m.op = moveTime
	case rt.Kind() == reflect.Bool:
		m.op = moveBool
	case rt.Kind() == reflect.String:
		m.op = moveString
	case rt.Kind() == reflect.Slice:
		m.op = moveSlice
	case rt.Kind() == reflect.Interface:
		m.op = moveIface
	case rt.Kind() == reflect.Map || rt.Kind() == reflect.Pointer:
		m.op = movePointer
	case rt.Kind() == reflect.Struct:
		var all []move
		for f := range rt.Fields() {
			all = append(all, copyMoves(f.Type, from, add+f.Offset, to+f.Offset)...)
		}
		return all
	case rt.Size() == 8:
		m.op = move64
	default:
		// A field of a shape that flows never see (a small integer, an array)
		// inside a struct that they pass on whole.
		m.op = moveBuilt
		m.made = func(f frame, dst unsafe.Pointer) error {
			if p := from.at(f); p != nil {
				reflect.NewAt(rt, dst).Elem().Set(reflect.NewAt(rt, unsafe.Add(p, add)).Elem())
			}
			return nil
		}
	}
	return []move{m}
}

// sliceLen is the length of the slice at p, whatever its items are.
func sliceLen(p unsafe.Pointer) int { return len(*(*[]struct{})(p)) }

// slicePointer is where the items of the slice at p are.
func slicePointer(p unsafe.Pointer) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(*(*[]struct{})(p)))
}

// uniqueItems tells whether no item of an array stands twice.
func uniqueItems(t *Type, p unsafe.Pointer) bool {
	v := reflect.NewAt(t.goType, p).Elem()
	if !t.Items.scalar() || t.Items.goType == bytesType {
		list, _ := plainOf(t)(p).([]any)
		return unique(list)
	}
	seen := make(map[any]bool, v.Len())
	for i := range v.Len() {
		item := v.Index(i).Interface()
		if seen[item] {
			return false
		}
		seen[item] = true
	}
	return true
}

// newOf makes room for a value of a type.
func newOf(t *Type) unsafe.Pointer { return reflect.New(t.goType).UnsafePointer() }

// runMoves runs moves into one value.
func runMoves(moves []move, f frame, to unsafe.Pointer) error {
	for i := range moves {
		if err := moves[i].run(f, to); err != nil {
			return err
		}
	}
	return nil
}
