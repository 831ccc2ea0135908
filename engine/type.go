package engine

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Base is the JSON form of a type.
type Base uint8

const (
	Any Base = iota
	String
	Boolean
	Integer
	Number
	Object
	Array
)

var baseNames = [...]string{Any: "any", String: "string", Boolean: "boolean", Integer: "integer", Number: "number", Object: "object", Array: "array"}

func (b Base) String() string { return baseNames[b] }

// Secrecy says where a value may go.
type Secrecy uint8

const (
	Public Secrecy = iota
	// Once is a secret that was just made: an answer may show it, a log may not.
	Once
	// Hidden never reaches an answer, a log, a trace or a text.
	Hidden
)

// A Type describes values: of a node's parameters and results, from the tags of
// their Go structs, or of a request, from the flow's input. Its words are those
// of JSON Schema 2020-12. A Type does not change after it was made.
type Type struct {
	Base    Base
	Name    string  // of a Go struct or a nominal type, for messages
	Called  string  // its name in types.yaml, or the one-word title that it has there; "" for others
	Shares  []*Type // those of types.yaml of which allOf made it
	Nominal bool    // only values of the same Go type fit
	Hint    string  // where a value of a nominal type comes from
	Format  string
	Secrecy Secrecy
	Enum    []string // allowed texts, or numbers as text
	Min     *float64 // least number, code points, items, properties or (for durations) nanoseconds
	Max     *float64
	Above   *float64       // exclusiveMinimum of a number
	Below   *float64       // exclusiveMaximum of a number
	Step    *float64       // multipleOf of a number
	Pattern *regexp.Regexp // matched anywhere in the text, as JSON Schema has it
	Unique  bool           // items of an array differ
	Items   *Type
	Props   []*Prop // of an object, in order
	Open    bool    // an object of any properties; Items is the type of each, where it has one
	More    bool    // an object with other properties beside Props; Items is the type of each of these, where it has one
	Loose   bool    // an object of which only Props are looked at; such types are conditions and hold no values
	Null    bool    // the value of a property may be null, which counts as absent
	Union   []*Type // the forms of which a value has one
	One     bool    // a value has exactly one of the forms of Union, where By does not tell them apart
	By      string  // property of the objects of Union whose value tells which one it is; it is the one of Props
	Rules   *Rules  // what else must hold of a value; nil for nothing

	goType reflect.Type // how values are held in memory
	forms  []*Prop      // where values of the forms of Union are held, where By tells them apart
	more   uintptr      // offset of the map that holds what More allows
	looks  int          // how often a value can be looked at when it is read
	once   sync.Once
	write  writer // compiled on first use, see appendJSON
}

// A Prop is one property of an object.
type Prop struct {
	Name     string
	Doc      string
	Type     *Type
	Optional bool   // may be absent
	Default  string // as text, of an array, an object or data as JSON; meaningful where HasDefault
	ReadOnly bool   // an answer holds it, a request must not
	Notes    Notes

	HasDefault bool

	field   string  // name of the Go field
	offset  uintptr // from the start of the object
	depth   int     // of the embedded struct it comes from
	pointer bool    // held as a pointer, nil when absent
	omit    bool    // left out of JSON when zero
	instead string  // the parameter that must be given where this one may be absent
	guarded bool    // only there in endpoints that demand access groups
}

// Notes are what documentation says of a property beside its type. They change nothing.
type Notes struct {
	Title      string
	Examples   []any // data, each a value of the type
	Deprecated bool
}

// Nominal is implemented by Go structs that are types of their own in flows:
// nothing else fits where one is wanted. Their first field is a string, and
// where a text is wanted they read as it.
type Nominal interface {
	// FlowType returns the name of the type and where an author gets a value of it.
	FlowType() (name, hint string)
}

func (t *Type) prop(name string) *Prop {
	for _, p := range t.Props {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (t *Type) propNames() []string {
	names := make([]string, len(t.Props))
	for i, p := range t.Props {
		names[i] = p.Name
	}
	return names
}

// holdsFresh tells whether a value holds a secret that an answer shows once.
func (t *Type) holdsFresh() bool {
	return t.Secrecy == Once || t.Items != nil && t.Items.holdsFresh() || slices.ContainsFunc(t.Union, (*Type).holdsFresh) ||
		slices.ContainsFunc(t.Props, func(p *Prop) bool { return p.Type.holdsFresh() })
}

// String names the type as messages do: "string", "list of User".
func (t *Type) String() string {
	switch {
	case t.Name != "":
		return t.Name
	case t.Union != nil:
		return t.formNames()
	case t.Base == Array && t.Items.Base != Any:
		return "list of " + t.Items.String() + "s"
	case t.Base == Array:
		return "list"
	case t.goType == timeType:
		return "time"
	case t.goType == durationType:
		return "duration"
	}
	return t.Base.String()
}

// article puts a or an in front of a type's name.
func article(t *Type) string {
	s := t.String()
	switch {
	case s == "any":
		return "data of any form"
	case t.Name == "" && t.Union != nil:
		return s // which has its articles
	}
	if strings.ContainsRune("aeiouAEIO", rune(s[0])) {
		return "an " + s
	}
	return "a " + s
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bytesType    = reflect.TypeFor[[]byte]()
	anyType      = reflect.TypeFor[any]()
	anyMapType   = reflect.TypeFor[map[string]any]()
	nominalType  = reflect.TypeFor[Nominal]()
	noneType     = reflect.TypeFor[None]()
)

// goHeld gives the Go type that holds values of a type which a flow declared.
func goHeld(t *Type) reflect.Type {
	switch t.Base {
	case String:
		switch t.Format {
		case "date-time":
			return timeType
		case "duration":
			return durationType
		}
		return reflect.TypeFor[string]()
	case Boolean:
		return reflect.TypeFor[bool]()
	case Integer:
		return reflect.TypeFor[int64]()
	case Number:
		return reflect.TypeFor[float64]()
	case Array:
		return reflect.SliceOf(t.Items.goType)
	case Object:
		switch {
		case t.Open:
			return anyMapType
		case t.By != "":
			return holdProps(append([]*Prop{t.Props[0]}, t.forms...))
		case t.More:
			more := &Prop{Type: &Type{goType: anyMapType}}
			st := holdProps(append(slices.Clone(t.Props), more))
			t.more = more.offset
			return st
		}
		return holdProps(t.Props)
	}
	return anyType
}

// holdProps makes the struct that holds properties, and notes where. Field names
// are by position only, so that the number of distinct Go types, which the
// runtime keeps for ever, stays small.
func holdProps(props []*Prop) reflect.Type {
	fields := make([]reflect.StructField, len(props))
	for i, p := range props {
		ft := p.Type.goType
		if p.pointer {
			ft = reflect.PointerTo(ft)
		}
		fields[i] = reflect.StructField{Name: "F" + strconv.Itoa(i), Type: ft}
	}
	st := reflect.StructOf(fields)
	for i, p := range props {
		p.field, p.offset = st.Field(i).Name, st.Field(i).Offset
	}
	return st
}

// structType reads the type of a node's input or output from its Go struct. It
// panics where the struct is wrong, naming where.
func structType(rt reflect.Type, where string) *Type {
	if rt.Kind() != reflect.Struct {
		panic(fmt.Sprintf("engine: %s is a %s, want a struct", where, rt))
	}
	return typeOf(rt, where, nil)
}

// TypeOf reads the type of a Go value, as [Define] does for a node's output. It
// panics where the type cannot be used in flows.
func TypeOf[T any]() *Type { return typeOf(reflect.TypeFor[T](), reflect.TypeFor[T]().String(), nil) }

func typeOf(rt reflect.Type, where string, within []reflect.Type) *Type {
	t := &Type{goType: rt}
	switch {
	case rt == timeType:
		t.Base, t.Format = String, "date-time"
		return t
	case rt == durationType:
		t.Base, t.Format = String, "duration"
		return t
	case rt == bytesType:
		t.Base, t.Format = String, "byte"
		return t
	case rt == anyType:
		return t
	case rt == anyMapType:
		t.Base, t.Open = Object, true
		return t
	}
	switch rt.Kind() {
	case reflect.String:
		t.Base = String
	case reflect.Bool:
		t.Base = Boolean
	case reflect.Int, reflect.Int64:
		t.Base = Integer
	case reflect.Float64:
		t.Base = Number
	case reflect.Slice:
		t.Base, t.Items = Array, typeOf(rt.Elem(), where+" items", within)
	case reflect.Struct:
		if slices.Contains(within, rt) {
			panic(fmt.Sprintf("engine: %s: %s contains itself", where, rt))
		}
		t.Base, t.Name = Object, exported(rt.Name())
		if rt.Implements(nominalType) {
			if rt.NumField() == 0 || rt.Field(0).Type.Kind() != reflect.String {
				panic(fmt.Sprintf("engine: %s: the first field of nominal %s is no string", where, rt))
			}
			t.Base, t.Nominal = String, true
			t.Name, t.Hint = reflect.Zero(rt).Interface().(Nominal).FlowType()
			return t
		}
		t.addFields(rt, 0, 0, where, append(within, rt))
	default:
		panic(fmt.Sprintf("engine: %s: a %s cannot be used in flows", where, rt))
	}
	if rt.PkgPath() != "" && rt.Kind() != reflect.Struct {
		panic(fmt.Sprintf("engine: %s: use the plain type instead of %s, or make it nominal", where, rt))
	}
	return t
}

// exported leaves the names of unexported structs out of messages.
func exported(name string) string {
	if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
		return name
	}
	return ""
}

// addFields adds the properties of a struct; those of embedded structs come as
// its own, and an outer one hides an embedded one of the same name.
func (t *Type) addFields(rt reflect.Type, base uintptr, depth int, where string, within []reflect.Type) {
	for f := range rt.Fields() {
		at := where + "." + f.Name
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && tag == "":
			if f.Type.Kind() != reflect.Struct {
				panic(fmt.Sprintf("engine: %s: only structs can be embedded", at))
			}
			t.addFields(f.Type, base+f.Offset, depth+1, at, append(within, f.Type))
			continue
		case name == "-":
			continue
		case !f.IsExported():
			panic(fmt.Sprintf("engine: %s is not exported (or hide it with json:\"-\")", at))
		case name == "":
			panic(fmt.Sprintf("engine: %s has no json name", at))
		case f.Tag.Get("doc") == "":
			panic(fmt.Sprintf("engine: %s has no documentation", at))
		}
		p := &Prop{Name: name, Doc: f.Tag.Get("doc"), field: f.Name, offset: base + f.Offset, depth: depth, instead: f.Tag.Get("absent")}
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft, p.pointer, p.Optional = ft.Elem(), true, true
		}
		if strings.Contains(options, "omitzero") || strings.Contains(options, "omitempty") {
			p.omit, p.Optional = true, true
		}
		p.Type = typeOf(ft, at, within)
		p.Type.readTags(f.Tag, at)
		p.guarded = f.Tag.Get("guard") == "groups"
		if d, ok := f.Tag.Lookup("default"); ok {
			p.Default, p.HasDefault, p.Optional = d, true, true
			if why := p.Type.parseText(d, newOf(p.Type)); why != "" && !strings.HasPrefix(d, "$") {
				panic(fmt.Sprintf("engine: %s: its default %s", at, why))
			}
		}
		switch old := t.prop(name); {
		case old == nil:
			t.Props = append(t.Props, p)
		case p.depth < old.depth:
			*old = *p
		case p.depth == old.depth:
			panic(fmt.Sprintf("engine: %s: there is another %q", at, name))
		}
	}
}

func (t *Type) readTags(tag reflect.StructTag, at string) {
	switch s := tag.Get("secret"); s {
	case "":
	case "true":
		t.Secrecy = Hidden
	case "once":
		t.Secrecy = Once
	default:
		panic(fmt.Sprintf("engine: %s: secret is %q, want true or once", at, s))
	}
	if f := tag.Get("format"); f != "" {
		if formats[f] == nil {
			panic(fmt.Sprintf("engine: %s: format %q is not known", at, f))
		}
		t.Format = f
	}
	if e := tag.Get("enum"); e != "" {
		t.Enum = strings.Split(e, "|")
	}
	t.Min, t.Max = t.bound(tag.Get("min"), at), t.bound(tag.Get("max"), at)
}

func (t *Type) bound(s, at string) *float64 {
	if s == "" {
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if t.goType == durationType {
		var d time.Duration
		d, err = ParseDuration(s)
		v = float64(d)
	}
	if err != nil {
		panic(fmt.Sprintf("engine: %s: bound %q: %v", at, s, err))
	}
	return &v
}

// A Value is a typed value that enters a run from outside.
type Value struct {
	p unsafe.Pointer
	t reflect.Type
}

// ValueOf wraps a value for [Program.Run], which reads but never changes it.
func ValueOf[T any](v *T) Value { return Value{unsafe.Pointer(v), reflect.TypeFor[T]()} }
