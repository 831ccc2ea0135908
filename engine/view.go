package engine

import (
	"maps"
	"unsafe"
)

// mask is what stands for a secret in a trace.
const mask = "•••"

// masked is a value as JSON for a trace: nothing secret is in it, be it hidden
// or shown once.
func masked(t *Type, p unsafe.Pointer) []byte { return appendAny(nil, view{masks: true}.of(t, p)) }

// Example returns a made-up value that a request could hold, as JSON: with all that is
// optional, or with only what is required. Secrets in it are made up as well, and shown.
func (t *Type) Example(required bool) []byte {
	p := newOf(t)
	t.sample(p, 0)
	return appendAny(nil, view{required: required}.of(t, p))
}

// A view makes data of values, with everything that is in them.
type view struct {
	masks    bool // secrets
	required bool // leaves out what may be absent
}

func (w view) of(t *Type, p unsafe.Pointer) any {
	switch {
	case w.masks && t.Secrecy != Public:
		return mask
	case t.Base == Array && t.goType != bytesType:
		list := make([]any, sliceLen(p))
		size := t.goType.Elem().Size()
		for i := range list {
			list[i] = w.of(t.Items, unsafe.Add(slicePointer(p), uintptr(i)*size))
		}
		return list
	case t.By != "":
		if form, v := t.formAt(p); form != nil {
			return w.of(form.Type, v)
		}
		return nil
	case t.Base == Object && !t.Open:
		object := make(map[string]any, len(t.Props))
		if t.More {
			maps.Copy(object, *(*map[string]any)(unsafe.Add(p, t.more)))
		}
		for _, prop := range t.Props {
			if w.required && (prop.Optional || prop.HasDefault) {
				continue
			}
			v := unsafe.Add(p, prop.offset)
			if prop.pointer {
				v = *(*unsafe.Pointer)(v)
			}
			if v != nil {
				object[prop.Name] = w.of(prop.Type, v)
			}
		}
		return object
	}
	return plainOf(t)(p)
}

// Masked is what a run of the flow starts from as JSON for a trace, in the parts of a
// request: path, query, headers and body.
func (f *Flow) Masked(in Inputs) []byte {
	parts := map[string]any{}
	for name, part := range map[string]struct {
		t *Type
		v Value
	}{"path": {f.Input.Path, in.Path}, "query": {f.Input.Query, in.Query}, "headers": {f.Input.Headers, in.Headers}, "body": {f.Input.Body, in.Body}} {
		if part.t != nil && part.v.p != nil {
			parts[name] = view{masks: true}.of(part.t, part.v.p)
		}
	}
	return appendAny(nil, parts)
}
