package openapi

import (
	"maps"
	"slices"

	"sluice/engine"
)

// union describes the forms that a value can have.
func (c *components) union(s object, t *engine.Type, request bool) {
	word := "anyOf"
	if t.One {
		word = "oneOf"
	}
	forms := c.list(t.Union, request)
	s[word] = forms
	if t.By == "" {
		return
	}
	mapping := map[string]string{}
	for i, form := range t.Union {
		ref, ok := forms[i]["$ref"].(string)
		if !ok {
			s["discriminator"] = object{"propertyName": t.By}
			return // a mapping names components
		}
		for _, p := range form.Props {
			if p.Name == t.By {
				for _, tag := range p.Type.Enum {
					mapping[tag] = ref
				}
			}
		}
	}
	s["discriminator"] = object{"propertyName": t.By, "mapping": mapping}
}

func (c *components) list(types []*engine.Type, request bool) []object {
	list := make([]object, len(types))
	for i, t := range types {
		list[i] = c.whole(t, request)
	}
	return list
}

// rules describes what else must hold of a value. Each word can stand once; what
// is left stands in allOf.
func (c *components) rules(s object, t *engine.Type, request bool) {
	r := t.Rules
	if r == nil {
		return
	}
	var rest []object
	add := func(words object) {
		for word := range words {
			if _, there := s[word]; there {
				rest = append(rest, words)
				return
			}
		}
		maps.Copy(s, words)
	}
	for _, f := range r.Any {
		word := "anyOf"
		if f.One {
			word = "oneOf"
		}
		add(object{word: c.list(f.Types, request)})
	}
	for _, not := range r.Not {
		add(object{"not": c.whole(not, request)})
	}
	for _, choice := range r.If {
		words := object{"if": c.whole(choice.If, request)}
		if choice.Then != nil {
			words["then"] = c.whole(choice.Then, request)
		}
		if choice.Else != nil {
			words["else"] = c.whole(choice.Else, request)
		}
		add(words)
	}
	if r.Values != nil {
		add(object{"enum": r.Values})
	}
	c.itemRules(s, r, request)
	c.propertyRules(s, t, request)
	if rest = slices.Concat(rest, c.list(r.All, request)); len(rest) > 0 {
		s["allOf"] = rest
	}
}

func (c *components) itemRules(s object, r *engine.Rules, request bool) {
	if r.Prefix != nil {
		s["prefixItems"] = c.list(r.Prefix, request)
	}
	if r.Behind != nil {
		s["items"] = c.whole(r.Behind, request)
	}
	if r.Contains == nil {
		return
	}
	s["contains"] = c.whole(r.Contains, request)
	if r.Least != nil {
		s["minContains"] = *r.Least
	}
	if r.Most != nil {
		s["maxContains"] = *r.Most
	}
}

func (c *components) propertyRules(s object, t *engine.Type, request bool) {
	r := t.Rules
	if r.Names != nil {
		s["propertyNames"] = c.whole(r.Names, request)
	}
	patterns := object{}
	for _, p := range r.Patterns {
		if goOnly.MatchString(p.Name.String()) {
			patterns = nil
			break // only the server can tell which properties that are
		}
		patterns[p.Name.String()] = c.whole(p.Type, request)
	}
	switch {
	case r.Patterns == nil:
	case patterns == nil:
		delete(s, "additionalProperties")
	default:
		s["patternProperties"] = patterns
		if r.Sealed && request {
			s["additionalProperties"] = false
		}
	}
	required, schemas := map[string][]string{}, object{}
	for _, need := range r.Needs {
		if need.Type != nil {
			schemas[need.Prop] = c.whole(need.Type, request)
		} else {
			required[need.Prop] = append(required[need.Prop], need.Props...)
		}
	}
	if len(required) > 0 {
		s["dependentRequired"] = required
	}
	if len(schemas) > 0 {
		s["dependentSchemas"] = schemas
	}
}
