package openapi

import (
	"path"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/schema"
)

// An operation is one endpoint.
type operation struct {
	ID          string            `json:"operationId"`
	Summary     string            `json:"summary,omitempty"`
	Description string            `json:"description,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Security    []object          `json:"security"`
	Parameters  []parameter       `json:"parameters,omitempty"`
	Body        object            `json:"requestBody,omitempty"`
	Responses   map[string]object `json:"responses"`
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description,omitempty"`
	Required    bool   `json:"required,omitempty"`
	Schema      object `json:"schema"`
}

// operation describes a flow under a path of its shape.
func (c *components) operation(f *engine.Flow, at string) operation {
	about := strings.TrimSpace(f.About)
	op := operation{Summary: firstSentence(about), Tags: f.Tags, Security: security(f), Responses: map[string]object{}}
	if op.Summary != about {
		op.Description = about
	}
	if dir := path.Dir(f.File); len(op.Tags) == 0 && dir != "." {
		op.Tags = []string{dir}
	}
	names := placeholder.FindAllString(at, -1)
	for i, name := range f.Params {
		for _, p := range f.Input.Path.Props {
			if p.Name == name {
				param := c.parameter(p, "path")
				if strings.Contains(f.Path, "{"+name+"...}") {
					param.Description = "All the rest of the path, with its slashes."
				}
				param.Name, param.Required = strings.Trim(names[i], "{}"), true
				op.Parameters = append(op.Parameters, param)
			}
		}
	}
	op.Parameters = append(op.Parameters, c.parameters(f.Input.Query, "query")...)
	op.Parameters = append(op.Parameters, c.parameters(f.Input.Headers, "header")...)
	if f.Repeat != nil {
		op.Parameters = withRepeat(op.Parameters, f.Repeat)
	}
	if body := f.Input.Body; body != nil {
		op.Body = object{"content": object{"application/json": object{"schema": c.taken(body)}}, "required": !body.TakesNothing()}
	}
	for status, r := range c.replies(f) {
		op.Responses[status] = r
	}
	for status, r := range failures(f) {
		op.Responses[status] = r
	}
	op.Responses["default"] = object{"$ref": "#/components/responses/" + refused}
	return op
}

// firstSentence cuts a text behind its first full stop.
func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1]
	}
	return s
}

func (c *components) parameters(t *engine.Type, in string) []parameter {
	var all []parameter
	if t != nil && t.Open {
		return []parameter{{Name: "any", In: in, Description: "Parameters of any names.", Schema: c.taken(t)}}
	}
	if t != nil {
		for _, p := range t.Props {
			all = append(all, c.parameter(p, in))
		}
	}
	return all
}

func (c *components) parameter(p *engine.Prop, in string) parameter {
	s := c.taken(p.Type)
	if p.HasDefault {
		s = with(s, "default", schema.Default(p))
	}
	s = noted(s, p.Notes)
	return parameter{Name: p.Name, In: in, Description: p.Doc, Required: !p.Optional, Schema: s}
}

// withRepeat adds the header that tells a call which comes again, unless the
// flow takes it by itself.
func withRepeat(params []parameter, r *engine.Repeat) []parameter {
	if slices.ContainsFunc(params, func(p parameter) bool { return p.In == "header" && strings.EqualFold(p.Name, r.Header) }) {
		return params
	}
	return append(params, parameter{
		Name: r.Header, In: "header",
		Description: "What the caller calls this call. A call of the same name is answered as the first was, and does not run again.",
		Schema:      object{"type": "string", "pattern": "^[!-~]{1,255}$"},
	})
}

// Names of the security schemes.
const (
	bySession = "session"
	byBearer  = "bearer"
	byKey     = "apiKey"
	byClient  = "clientKey"
)

func securitySchemes() object {
	return object{
		bySession: object{"type": "apiKey", "in": "header", "name": "Session", "description": "Token of a session."},
		byBearer:  object{"type": "http", "scheme": "bearer", "description": "Token of a session."},
		byKey:     object{"type": "apiKey", "in": "header", "name": "Authorization", "description": "API key, without a word in front of it."},
		byClient:  object{"type": "apiKey", "in": "header", "name": "X-Client-Key", "description": "Public key of the caller's application."},
	}
}

// security lists the credentials that a flow is called with, each a way to call
// it. Authorization holds a token or a key, and never both.
func security(f *engine.Flow) []object {
	ways := [][]string{{}}
	switch f.APIKey {
	case engine.KeyRequired:
		ways = [][]string{{byKey}}
	case engine.KeyOptional:
		ways = [][]string{{byKey}, {}}
	}
	var all []object
	add := func(schemes ...string) {
		way := object{}
		if f.ClientKey {
			way[byClient] = []string{}
		}
		for _, s := range schemes {
			way[s] = []string{}
		}
		all = append(all, way)
	}
	if f.Session != engine.SessionNone {
		for _, way := range ways {
			add(append([]string{bySession}, way...)...)
			if !slices.Contains(way, byKey) {
				add(append([]string{byBearer}, way...)...)
			}
		}
	}
	if f.Session != engine.SessionRequired {
		for _, way := range ways {
			add(way...)
		}
	}
	return all
}
