package graphql

import (
	"encoding/json"
	"fmt"
	"net/url"

	"sluice/engine"
	"sluice/server/endpoint"
)

// request puts the arguments of a field where its flow takes them.
func (x *execution) request(f *field, flow *engine.Flow) (*endpoint.Request, error) {
	r := *x.caller
	r.Params, r.RawQuery, r.Body = nil, "", nil
	args := map[string]any{}
	for _, a := range f.arguments {
		if v, there := literal(a.Value, x.work.variables); there {
			args[a.Name] = v
		}
	}
	for _, name := range flow.Params {
		text := ""
		if p := flow.Input.Path.Prop(name); p != nil {
			text = plain(args[name])
		}
		r.Params = append(r.Params, text)
	}
	if t := flow.Input.Query; t != nil {
		query := url.Values{}
		for _, p := range t.Props {
			v, there := fit(p, args)
			if !there {
				continue
			}
			list, several := v.([]any)
			if !several {
				list = []any{v}
			}
			for _, item := range list {
				query.Add(p.Name, plain(item))
			}
		}
		r.RawQuery = query.Encode()
	}
	if t := flow.Input.Body; t != nil {
		text, err := json.Marshal(fitObject(t, args))
		if err != nil {
			return nil, fmt.Errorf("writing arguments: %w", err)
		}
		r.Body = text
	}
	return &r, nil
}

// plain is a value as it stands in a path or a query.
func plain(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// fit returns a property as the flow takes it, where it is there. Of an optional
// one GraphQL says that it may be null; where the flow does not, null is absent.
func fit(p *engine.Prop, args map[string]any) (any, bool) {
	v, there := args[p.Name]
	if !there || v == nil && p.Optional && !p.Type.Null && p.Type.Base != engine.Any {
		return nil, false
	}
	return fitValue(p.Type, v), true
}

// fitValue makes a list of a single value where one is wanted, and leaves out what
// is absent in objects.
func fitValue(t *engine.Type, v any) any {
	if v == nil || t.Union != nil {
		return v
	}
	object, isObject := v.(map[string]any)
	switch {
	case t.Base == engine.Array:
		items, ok := v.([]any)
		if !ok {
			items = []any{v}
		}
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = fitValue(t.Items, item)
		}
		return list
	case isObject && whole(t):
		return fitObject(t, object)
	}
	return v
}

func fitObject(t *engine.Type, object map[string]any) map[string]any {
	fitted := map[string]any{}
	for _, p := range t.Props {
		if v, there := fit(p, object); there {
			fitted[p.Name] = v
		}
	}
	return fitted
}
