package contract

import (
	"encoding/json"
	"fmt"
	"strings"

	"sluice/engine"
)

// deep writes a type with the properties of objects, in one line.
func deep(t *engine.Type) string {
	if t.Base != engine.Object || t.Open || t.Union != nil {
		return words(t)
	}
	props := make([]string, len(t.Props))
	for i, p := range t.Props {
		props[i] = p.Name + ": " + deep(p.Type)
		if p.Optional {
			props[i] = p.Name + "?: " + deep(p.Type)
		}
	}
	return "{" + strings.Join(props, ", ") + "}" + ruleWords(t.Rules)
}

func deepList(types []*engine.Type, between string) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = deep(t)
	}
	return strings.Join(texts, between)
}

// unionWords writes the forms that a value can have: the tags, where these tell
// them apart.
func unionWords(t *engine.Type) string {
	switch {
	case t.By != "":
		return "one by " + t.By + " of " + strings.Join(t.Props[0].Type.Enum, "|")
	case t.One:
		return "one of " + deepList(t.Union, ", ")
	}
	return "any of " + deepList(t.Union, ", ")
}

// ruleWords writes what else must hold of a value, each behind a comma.
func ruleWords(r *engine.Rules) string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, ", "+format, args...) }
	for _, t := range r.All {
		say("%s", deep(t))
	}
	for _, f := range r.Any {
		if f.One {
			say("one of %s", deepList(f.Types, " | "))
		} else {
			say("any of %s", deepList(f.Types, " | "))
		}
	}
	for _, t := range r.Not {
		say("not %s", deep(t))
	}
	for _, c := range r.If {
		say("if %s", deep(c.If))
		if c.Then != nil {
			say("then %s", deep(c.Then))
		}
		if c.Else != nil {
			say("else %s", deep(c.Else))
		}
	}
	if r.Values != nil {
		if text, err := json.Marshal(r.Values); err == nil { // which come from a file of text
			say("one of %s", text)
		}
	}
	count := func(word string, v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf(" %s %g", word, *v)
	}
	if r.Contains != nil {
		say("holds%s%s %s", count("from", r.Least), count("to", r.Most), deep(r.Contains))
	}
	if r.Prefix != nil {
		say("first (%s)", deepList(r.Prefix, ", "))
	}
	if r.Behind != nil {
		say("then %s", deep(r.Behind))
	}
	if r.Names != nil {
		say("names %s", words(r.Names))
	}
	for _, p := range r.Patterns {
		say("names like %s are %s", p.Name, deep(p.Type))
	}
	for _, n := range r.Needs {
		if n.Type != nil {
			say("with %s %s", n.Prop, deep(n.Type))
		} else {
			say("with %s %s", n.Prop, strings.Join(n.Props, " and "))
		}
	}
	return b.String()
}
