package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/engine"
)

// A Field is one value of a request or an answer, as in body.items[].sku. A star stands for names that
// the caller chooses.
type Field struct {
	Name     string
	Type     string // in the words of flows
	Required bool
}

func (f Field) presence() string {
	if f.Required {
		return "required"
	}
	return "optional"
}

func inputFields(f *engine.Flow) []Field {
	var list []Field
	for _, part := range []struct {
		name string
		t    *engine.Type
	}{{"path", f.Input.Path}, {"query", f.Input.Query}, {"headers", f.Input.Headers}} {
		if part.t != nil && part.t.Open {
			list = append(list, Field{part.name, words(part.t), false})
		} else if part.t != nil {
			list = appendInside(list, part.name, part.t)
		}
	}
	if body := f.Input.Body; body != nil {
		list = appendFields(list, "body", body, !body.TakesNothing())
	}
	return list
}

// eventFields are the events that a flow sends. Where one is sent at several places,
// what all of them carry is required.
func eventFields(f *engine.Flow) (list []Field) {
	sends := map[string]int{}
	for _, e := range f.Events {
		sends[e.Name]++
	}
	times := map[string]int{}
	for _, e := range f.Events {
		for _, field := range appendFields(nil, "events."+e.Name, e.Data, true) {
			i := slices.IndexFunc(list, func(f Field) bool { return f.Name == field.Name })
			if i < 0 {
				i = len(list)
				list = append(list, field)
			}
			if !strings.Contains(" or "+list[i].Type+" or ", " or "+field.Type+" or ") {
				list[i].Type += " or " + field.Type
			}
			list[i].Required = list[i].Required && field.Required
			times[field.Name]++
		}
	}
	for i := range list {
		name, _, _ := strings.Cut(strings.TrimPrefix(list[i].Name, "events."), ".")
		name, _, _ = strings.Cut(name, "[")
		list[i].Required = list[i].Required && times[list[i].Name] == sends[name]
	}
	return list
}

// appendFields adds a value and what is inside it.
func appendFields(list []Field, name string, t *engine.Type, required bool) []Field {
	return appendInside(append(list, Field{name, words(t), required}), name, t)
}

// appendInside adds what is inside a value: the properties of an object, or of
// the objects in a list or under names that the caller chooses.
func appendInside(list []Field, name string, t *engine.Type) []Field {
	if t.Items != nil {
		if t.Base == engine.Array {
			return appendInside(list, name+"[]", t.Items)
		}
		list = appendInside(list, name+".*", t.Items)
	}
	if t.By != "" {
		for _, form := range t.Union {
			tag := ""
			for _, p := range form.Props {
				if p.Name == t.By {
					tag = strings.Join(p.Type.Enum, "|")
				}
			}
			list = appendInside(list, name+"("+tag+")", form)
		}
		return list
	}
	for _, p := range t.Props {
		if p.ReadOnly && strings.HasPrefix(name, "body") {
			continue // which a request must not have
		}
		at := len(list)
		list = appendFields(list, name+"."+p.Name, p.Type, !p.Optional && !p.ReadOnly)
		if p.HasDefault {
			list[at].Type += ", default " + p.Default
		}
	}
	return list
}

// words writes what a value may be, without the properties of objects.
func words(t *engine.Type) string {
	var b strings.Builder
	switch {
	case t.Union != nil:
		b.WriteString(unionWords(t))
	case t.Base == engine.Array:
		b.WriteString("list of " + words(t.Items))
	case t.Open && t.Items != nil:
		b.WriteString("object of " + words(t.Items))
	case t.Open:
		b.WriteString("any object")
	case len(t.Enum) > 0:
		b.WriteString(strings.Join(t.Enum, "|"))
	case t.Format != "":
		b.WriteString(t.Format)
	default:
		b.WriteString(t.Base.String())
	}
	if t.Pattern != nil {
		b.WriteString(" like " + t.Pattern.String())
	}
	bound := func(word string, v *float64) {
		if v != nil {
			fmt.Fprintf(&b, " %s %s", word, number(t, *v))
		}
	}
	bound("from", t.Min)
	bound("above", t.Above)
	bound("to", t.Max)
	bound("below", t.Below)
	bound("in steps of", t.Step)
	if t.Unique {
		b.WriteString(" without repetitions")
	}
	if t.More {
		b.WriteString(" and others")
	}
	b.WriteString(ruleWords(t.Rules))
	if t.Null {
		b.WriteString(" or null")
	}
	return b.String()
}

func number(t *engine.Type, v float64) string {
	if t.Format == "duration" {
		return time.Duration(v).String()
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
