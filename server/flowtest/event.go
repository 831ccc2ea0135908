package flowtest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// An event is one that an answer of events holds.
type event struct{ name, id, data string }

var eventKeys = []string{"event", "id", "data"}

// events reads what must have been sent: how many events, or which.
func (r *reader) events(key, n *yaml.Node) {
	if !r.flow.Sends {
		r.problem(key, "answer: events in the flow", "%s does not answer with events", r.flow.File)
	}
	if n.Kind == yaml.ScalarNode {
		r.number(n, "events", 0, 1<<20)
		return
	}
	for _, item := range r.items(n, "events", false) {
		r.mapping(item, "an event", eventKeys...)
		r.checkMatchers(item)
	}
}

// streams tells whether the answer is made of events.
func (a *answer) streams() bool {
	types := a.headers["Content-Type"]
	return len(types) == 1 && types[0] == "text/event-stream"
}

// events are those in the answer, none where it is of another sort.
func (a *answer) events() (all []event) {
	if !a.streams() {
		return nil
	}
	for text := range strings.SplitSeq(string(a.body), "\n\n") {
		var e event
		for line := range strings.SplitSeq(text, "\n") {
			field, value, _ := strings.Cut(line, ": ")
			switch field {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			}
		}
		if e != (event{}) { // a heartbeat is none
			all = append(all, e)
		}
	}
	return all
}

// shownEvents are the events as tests write them.
func (a *answer) shownEvents() []any {
	shown := []any{}
	for _, e := range a.events() {
		one := map[string]any{"event": e.name, "data": (&answer{body: []byte(e.data)}).json()}
		if e.id != "" {
			one["id"] = e.id
		}
		shown = append(shown, one)
	}
	return shown
}

// failure is the JSON that tells what went wrong: the body, or the last event of
// an answer of events.
func (a *answer) failure() []byte {
	if !a.streams() {
		return a.body
	}
	all := a.events()
	if n := len(all); n > 0 && all[n-1].name == "error" {
		return []byte(all[n-1].data)
	}
	return nil
}
