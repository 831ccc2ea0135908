package lsp

import (
	"fmt"
	"strings"

	"sluice/engine"
)

// describe tells a type in a few words, as in "string (email)".
func describe(t *engine.Type) string {
	if t == nil {
		return "unknown"
	}
	text := t.String()
	if len(t.Enum) > 0 {
		text = strings.Join(t.Enum, " or ")
	}
	if t.Format != "" && t.Format != "duration" && t.Format != "date-time" {
		text += " (" + t.Format + ")"
	}
	switch t.Secrecy {
	case engine.Hidden:
		text += ", secret"
	case engine.Once:
		text += ", secret, shown once"
	}
	return text
}

func described(t *engine.Type, optional bool) string {
	if optional {
		return describe(t) + ", may be absent"
	}
	return describe(t)
}

// presence says what happens where a parameter is not given.
func presence(p *engine.Prop) string {
	switch {
	case p.HasDefault:
		return "default " + p.Default
	case p.Optional:
		return "optional"
	}
	return "required"
}

// nodeDoc is the documentation of a node, in Markdown.
func nodeDoc(n *engine.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n%s\n", n.Name, n.Doc)
	if len(n.In.Props) > 0 {
		b.WriteString("\n**Parameters**\n\n")
	}
	for _, p := range n.In.Props {
		fmt.Fprintf(&b, "- `%s`: %s, %s. %s\n", p.Name, describe(p.Type), presence(p), p.Doc)
	}
	if groups := n.Alternatives(); len(groups) > 0 {
		texts := make([]string, len(groups))
		for i, g := range groups {
			texts[i] = "`" + strings.Join(g, "` and `") + "`"
		}
		fmt.Fprintf(&b, "\nEither %s.\n", strings.Join(texts, " or "))
	}
	if len(n.Out.Props) > 0 {
		b.WriteString("\n**Results**\n\n")
	}
	b.WriteString(propsDoc(n.Out))
	if len(n.Outcomes) > 0 {
		b.WriteString("\n**Outcomes**\n\n")
	}
	for _, o := range n.Outcomes {
		fmt.Fprintf(&b, "- `%s` (%s): %s\n", o.Name, o.Kind, o.Doc)
	}
	return b.String()
}

// propsDoc lists the properties of an object, in Markdown.
func propsDoc(t *engine.Type) string {
	var b strings.Builder
	for _, p := range t.Props {
		fmt.Fprintf(&b, "- `%s`: %s. %s\n", p.Name, described(p.Type, p.Optional && !p.HasDefault), p.Doc)
	}
	return b.String()
}

// typeDoc is a name with its type and the properties in it, in Markdown.
func typeDoc(name string, t *engine.Type, optional bool, doc string) string {
	text := fmt.Sprintf("`%s`: %s\n", name, described(t, optional))
	if doc != "" {
		text += "\n" + doc + "\n"
	}
	if t == nil {
		return text
	}
	if t.Hint != "" {
		text += "\nWhere one comes from: " + t.Hint + "\n"
	}
	of := t
	if t.Base == engine.Array && t.Items != nil {
		of = t.Items
	}
	if props := propsDoc(of); props != "" {
		text += "\n" + props
	}
	return text
}

func prop(t *engine.Type, name string) *engine.Prop {
	if t == nil {
		return nil
	}
	for _, p := range t.Props {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// A found reference is what one leads to.
type found struct {
	t        *engine.Type
	optional bool
	doc      string
}

// rootText says what the names are that no step sets.
var rootText = map[string]string{
	"path": "The names in the path.", "query": "What stands behind the `?` of the address.", "headers": "Headers of the request.",
	"body": "Body of the request.", "session": "The caller's session.", "request": "The request itself.",
	"apiKey": "The caller's API key, without its secret.",
	"env":    "Environment variables that flows may read.", "params": "What the node was given.", "error": "The failure that was caught.",
}

// scopeForm returns the form that a value of a union is known to have, and the type
// of any other value.
func scopeForm(s engine.Scope, t *engine.Type, path []string) *engine.Type {
	if form := s.Forms["$"+strings.Join(path, ".")+"."+t.By]; t.By != "" && form != nil {
		return form
	}
	return t
}

// follow returns what a path of names leads to in a scope.
func follow(s engine.Scope, path []string) (found, bool) {
	n, ok := s.Name(path[0])
	if !ok {
		return found{}, false
	}
	f := found{t: n.Type, optional: n.Optional}
	if n.Pos.File == "" {
		f.doc = rootText[n.Name]
	}
	for i, name := range path[1:] {
		p := prop(f.t, name)
		if p == nil && f.t != nil {
			p = prop(scopeForm(s, f.t, path[:i+1]), name)
		}
		if p == nil {
			return found{}, false
		}
		f = found{p.Type, f.optional || p.Optional && !p.HasDefault, p.Doc}
		if s.Proven["$"+strings.Join(path[:i+2], ".")] {
			f.optional = false
		}
	}
	return f, true
}
