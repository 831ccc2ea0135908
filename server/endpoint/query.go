package endpoint

import (
	"net/url"

	"sluice/engine"
)

// readQuery reads a query as its type says; parameters that it does not name
// are refused, as unknown properties of a body are.
func readQuery(t *engine.Type, raw string) (engine.Value, []engine.Fault) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return engine.Value{}, []engine.Fault{{Field: "query", Message: "query is not well formed"}}
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
