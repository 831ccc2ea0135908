package engine

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// maxFresh bounds how long a proof of identity can count as fresh.
const maxFresh = 24 * time.Hour

// session reads a mode, or {required: fresh 10m}.
func (d *draft) session(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		if i := slices.Index(sessionModes, n.Value); i >= 0 && n.Tag == "!!str" {
			d.Session = SessionMode(i)
		} else {
			d.problem(d.at(n), DidYouMean(n.Value, sessionModes), "session cannot be %q", n.Value)
		}
		return
	}
	const hint = "as in session: {required: fresh 10m}"
	for _, e := range d.mapping(n, "session", "required") {
		d.Session = SessionRequired
		word, span, two := strings.Cut(e.value.Value, " ")
		age, err := ParseDuration(span)
		switch {
		case e.value.Kind != yaml.ScalarNode || word != "fresh" || !two || err != nil:
			d.problem(d.at(e.value), hint, "session cannot be required %q", e.value.Value)
		case age < time.Minute || age > maxFresh:
			d.problem(d.at(e.value), hint, "a session can be fresh for 1m to %s", durationText(maxFresh))
		default:
			d.Fresh = age
		}
	}
	if d.Session == SessionNone && len(n.Content) == 0 {
		d.problem(d.at(n), hint, "session says nothing")
	}
}
