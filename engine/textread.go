package engine

import (
	"reflect"
	"unicode/utf8"
	"unsafe"
)

// ReadTexts reads an object of which each property comes as texts: the
// parameters of a path, a query or headers. It returns all faults at once.
func (t *Type) ReadTexts(name string, texts func(prop string) []string) (Value, []Fault) {
	v := reflect.New(t.goType)
	var faults []Fault
	for _, prop := range t.Props {
		given := texts(prop.Name)
		p := unsafe.Add(v.UnsafePointer(), prop.offset)
		why := ""
		switch {
		case prop.ReadOnly:
			if len(given) > 0 {
				why = "must not be given"
			}
		case len(given) == 0 && prop.HasDefault:
			prop.setDefault(p)
		case len(given) == 0 && !prop.Optional:
			why = "is missing"
		case len(given) == 0:
		case !validTexts(given):
			why = "must be UTF-8 without control characters"
		case prop.Type.Base == Array:
			why = prop.readTexts(given, p)
		case len(given) > 1:
			why = "is given twice"
		default:
			why = prop.Type.parseText(given[0], prop.held(p))
		}
		if why != "" && len(faults) < maxFaults {
			field := name + "." + prop.Name
			faults = append(faults, Fault{field, field + " " + why})
		}
	}
	return Value{v.UnsafePointer(), t.goType}, faults
}

// ReadAnyTexts reads a query of any parameters as data: each is a text, or a list
// of them where it stands several times.
func (t *Type) ReadAnyTexts(name string, given map[string][]string) (Value, []Fault) {
	all := make(map[string]any, len(given))
	for key, texts := range given {
		if !validTexts([]string{key}) || !validTexts(texts) {
			return Value{}, []Fault{{name, name + " must be UTF-8 without control characters"}}
		}
		if len(texts) == 1 {
			all[key] = texts[0]
			continue
		}
		list := make([]any, len(texts))
		for i, text := range texts {
			list[i] = text
		}
		all[key] = list
	}
	return Value{reflect.ValueOf(&all).UnsafePointer(), t.goType}, nil
}

// setDefault writes the default, which was checked when the flow was loaded.
func (prop *Prop) setDefault(p unsafe.Pointer) {
	if p = prop.held(p); prop.Type.scalar() {
		prop.Type.parseText(prop.Default, p)
		return
	}
	r := &jsonReader{data: []byte(prop.Default)}
	r.value(prop.Type, p)
}

// held returns where the value of a present property is to be put.
func (prop *Prop) held(p unsafe.Pointer) unsafe.Pointer {
	if !prop.pointer {
		return p
	}
	v := reflect.New(prop.Type.goType).UnsafePointer()
	*(*unsafe.Pointer)(p) = v
	return v
}

func (prop *Prop) readTexts(given []string, p unsafe.Pointer) string {
	t, p := prop.Type, prop.held(p)
	slice := reflect.NewAt(t.goType, p).Elem()
	slice.Set(reflect.MakeSlice(t.goType, len(given), len(given)))
	for i, s := range given {
		if why := t.Items.parseText(s, slice.Index(i).Addr().UnsafePointer()); why != "" {
			return why
		}
	}
	return t.fault(p)
}

func validTexts(given []string) bool {
	for _, s := range given {
		if !utf8.ValidString(s) || !validHeader(s) {
			return false
		}
	}
	return true
}
