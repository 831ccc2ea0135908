package endpoint

import (
	"net/url"
	"slices"
	"strings"

	"sluice/engine"
)

// readQuery reads a query as its type says; parameters that it does not name
// are refused, as unknown properties of a body are.
func readQuery(t *engine.Type, raw string) (engine.Value, []engine.Fault) {
	values, err := url.ParseQuery(withPlus(t, raw))
	if err != nil {
		return engine.Value{}, []engine.Fault{{Field: "query", Message: "query is not well formed"}}
	}
	if t != nil && t.Open {
		return t.ReadAnyTexts("query", values)
	}
	var v engine.Value
	var faults []engine.Fault
	read := 0
	if t != nil {
		v, faults = t.ReadTexts("query", func(name string) []string {
			if values[name] != nil {
				read++
			}
			return values[name]
		})
	}
	if read < len(values) {
		faults = append(faults, engine.Fault{Field: "query", Message: "query has a parameter that is not known"})
	}
	return v, faults
}

// withPlus keeps the + of e-mail addresses, which have no spaces: clients that do
// not encode one mean the sign itself.
func withPlus(t *engine.Type, raw string) string {
	if t == nil || !strings.Contains(raw, "+") {
		return raw
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if slices.ContainsFunc(t.Props, func(p *engine.Prop) bool { return p.Name == name && p.Type.Format == "email" }) {
			pairs[i] = name + "=" + strings.ReplaceAll(value, "+", "%2B")
		}
	}
	return strings.Join(pairs, "&")
}
