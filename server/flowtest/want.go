package flowtest

import (
	"maps"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// want is what must come of a call. Each part keeps its place in the file.
type want struct {
	pos       engine.Pos
	status    *yaml.Node
	codes     *yaml.Node // a text, or a list
	oneCode   bool       // only the first is looked at
	body      *yaml.Node
	events    *yaml.Node // a number, or a list
	exact     bool       // the body has no properties that want does not name
	headers   []entry
	users     *yaml.Node // of the store: a number, or a list
	sessions  *yaml.Node
	documents []entry    // by collection
	mail      *yaml.Node // that was sent: a number, or a list
	ran       *yaml.Node
	skipped   *yaml.Node
	audited   *yaml.Node // a list of kinds, or of events
}

var (
	wantKeys   = []string{"status", "code", "codes", "body", "events", "exact", "headers", "stored", "mail", "ran", "skipped", "audited"}
	storedKeys = []string{"users", "sessions", "documents"}
	userKeys   = []string{"id", "email", "emailVerified", "phone", "phoneVerified", "name", "disabled", "groups", "creationDtm", "updatedDtm", "password"}
	shownKeys  = []string{"id", "userId", "accessGroupKeys", "ip", "userAgent", "creationDtm", "expiresDtm", "lastSeenDtm", "authenticatedDtm", "impersonatedBy"}
	mailKeys   = []string{"to", "subject", "text", "html"}
	matchers   = []string{"is", "matches", "absent", "any"}
)

func (r *reader) want(n *yaml.Node, ns names) *want {
	w := &want{pos: r.at(n)}
	r.checkReferences(n, ns)
	for _, e := range r.mapping(n, "want", wantKeys...) {
		switch e.key.Value {
		case "status":
			r.number(e.value, "status", 100, 599)
			w.status = e.value
		case "code", "codes":
			if w.codes != nil {
				r.problem(e.key, "codes: takes a list", "want has both code and codes")
			}
			w.codes, w.oneCode = e.value, e.key.Value == "code"
			for _, c := range r.items(e.value, "codes", true) {
				r.text(c, e.key.Value)
			}
		case "body":
			w.body = e.value
			r.checkMatchers(e.value)
		case "events":
			w.events = e.value
			r.events(e.key, e.value)
		case "exact":
			w.exact = r.flag(e.value, "exact")
		case "headers":
			w.headers = r.mapping(e.value, "headers")
			for _, h := range w.headers {
				r.checkMatchers(h.value)
			}
		case "stored":
			r.stored(e.value, w)
		case "mail":
			w.mail = e.value
			r.listed(e.value, "mail", mailKeys)
		case "audited":
			r.audited(e.value, w)
		case "ran", "skipped":
			for _, step := range r.items(e.value, e.key.Value, true) {
				if name := r.text(step, "a step"); name != "" && r.steps[name] == nil {
					r.unknownStep(step)
				}
			}
			if e.key.Value == "ran" {
				w.ran = e.value
			} else {
				w.skipped = e.value
			}
		}
	}
	return w
}

// stored reads what must be in the store: how many, or which.
func (r *reader) stored(n *yaml.Node, w *want) {
	for _, e := range r.mapping(n, "stored", storedKeys...) {
		if e.key.Value == "documents" {
			r.storedDocuments(e.value, w)
			continue
		}
		keys := userKeys
		if e.key.Value == "users" {
			w.users = e.value
		} else {
			w.sessions, keys = e.value, shownKeys
		}
		r.listed(e.value, e.key.Value, keys)
	}
}

// listed reads how many of something there must be, or which.
func (r *reader) listed(n *yaml.Node, what string, keys []string) {
	if n.Kind == yaml.ScalarNode {
		r.number(n, what, 0, 1<<20)
		return
	}
	for _, item := range r.items(n, what, false) {
		r.mapping(item, "one of "+what, keys...)
		r.checkMatchers(item)
	}
}

// matcherOf returns the key and the value of a mapping that is a matcher.
func matcherOf(n *yaml.Node) (key string, value *yaml.Node, ok bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || !slices.Contains(matchers, n.Content[0].Value) {
		return "", nil, false
	}
	return n.Content[0].Value, n.Content[1], true
}

func (r *reader) checkMatchers(n *yaml.Node) {
	key, value, ok := matcherOf(n)
	switch {
	case !ok:
		if n.Kind == yaml.MappingNode {
			r.mapping(n, "what is wanted")
		}
		for _, c := range n.Content {
			r.checkMatchers(c)
		}
	case key == "is":
		if forms[value.Value] == nil {
			r.problem(value, hint(value.Value, slices.Collect(maps.Keys(forms)), ""), "nothing is %q", value.Value)
		}
	case key == "matches":
		if _, err := regexp.Compile(r.text(value, "matches")); err != nil {
			r.problem(value, "", "this is no regular expression: %v", err)
		}
	default:
		if !r.flag(value, key) && value.Value == "false" {
			r.problem(value, "leave it out", "%s can only be true", key)
		}
	}
}

// same reads calls that must look the same. What a case does not say itself it
// has from the test.
func (r *reader) same(test, n *yaml.Node) *same {
	sm := &same{pos: r.at(n), within: 25, runs: 15}
	for _, p := range r.items(n, "same", true) {
		if !slices.Contains(sameParts, r.text(p, "same")) {
			r.unknown(p, sameParts, "answers have no %q to compare", p.Value)
		}
		sm.parts = append(sm.parts, p.Value)
	}
	if i := keyIndex(test, "time"); i >= 0 {
		for _, e := range r.mapping(test.Content[i+1], "time", timeKeys...) {
			switch e.key.Value {
			case "within":
				sm.within = r.number(e.value, "within", 1, 1000)
			case "runs":
				sm.runs = r.number(e.value, "runs", 3, 1000)
			}
		}
	}
	i := keyIndex(test, "cases")
	if i < 0 || len(test.Content[i+1].Content) < 2 {
		r.problem(n, "cases: [{send: ...}, {send: ...}]", "same needs two cases at least")
		return sm
	}
	for _, c := range r.items(test.Content[i+1], "cases", false) {
		r.mapping(c, "a case", caseKeys...)
		one := r.test(overlaid(test, c))
		one.pos = r.at(c)
		sm.cases = append(sm.cases, one)
	}
	return sm
}

// overlaid is a test with the keys of one of its cases.
func overlaid(test, c *yaml.Node) *yaml.Node {
	one := &yaml.Node{Kind: yaml.MappingNode, Line: c.Line, Column: c.Column}
	add := func(from *yaml.Node, skip func(key string) bool) {
		if from.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(from.Content); i += 2 {
			if key := from.Content[i].Value; slices.Contains(testKeys, key) && !skip(key) {
				one.Content = append(one.Content, from.Content[i], from.Content[i+1])
			}
		}
	}
	add(c, func(string) bool { return false })
	add(test, func(key string) bool {
		return key == "same" || key == "cases" || key == "time" || keyIndex(c, key) >= 0
	})
	if keyIndex(one, "want") < 0 { // same is enough
		one.Content = append(one.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "want", Line: c.Line, Column: c.Column},
			&yaml.Node{Kind: yaml.MappingNode, Line: c.Line, Column: c.Column})
	}
	return one
}
