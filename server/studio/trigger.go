package studio

import "sluice/engine"

// A Trigger is a way in which a flow is called: a method and a path, or, of a GraphQL
// field, MUTATION or QUERY and its address with the name of the field.
type Trigger struct {
	Kind   string `json:"kind"` // endpoint or graphql
	Method string `json:"method"`
	Path   string `json:"path"`
}

func (t Trigger) String() string { return t.Method + " " + t.Path }

// triggersOf are all triggers of a flow, none where it has none yet.
func triggersOf(f *engine.Flow) []Trigger {
	var all []Trigger
	for i, t := range f.Triggers() {
		kind := "graphql"
		if i == 0 && f.Method != "" {
			kind = "endpoint"
		}
		all = append(all, Trigger{kind, t.Method, t.Path})
	}
	return all
}

// triggerOf is the trigger by which a flow is known.
func triggerOf(f *engine.Flow) Trigger {
	if all := triggersOf(f); len(all) > 0 {
		return all[0]
	}
	return Trigger{}
}
