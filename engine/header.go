package engine

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

var headerKeys = []string{
	"about", "endpoint", "graphql", "session", "groups", "apiKey", "clientKey", "timeout", "limit", "repeat", "input", "answer", "output", "enabled", "tags", "steps",
}

// maxTimeout bounds what a flow may ask for.
const maxTimeout = 5 * time.Minute

// draft is a flow while it is read.
type draft struct {
	*Flow
	*source
	root     *yaml.Node // while it is read
	read     bool       // it is YAML
	steps    *block
	name     string // of a node flow
	nameAt   Pos
	params   *Type      // of a node flow; nil for an endpoint
	outcomes []*Outcome // of a node flow
	gives    *Type      // of a node flow that returns something
	limitKey []*value   // what per: lists
	watch    *watch     // nil where nobody takes notes
}

// parseFlow reads a flow file as far as it can be read without knowing nodes.
func parseFlow(file string, data []byte, env *Env) *draft {
	d := parseTree(file, data, env)
	d.read, d.root = d.root != nil, nil // the tree is many times as large as what was made of it
	return d
}

func parseTree(file string, data []byte, env *Env) *draft {
	d := &draft{Flow: &Flow{File: file, Enabled: true, Timeout: env.timeout(), Places: map[string]Pos{}}, source: &source{file: file, types: env.types.of(path.Dir(file))}}
	if d.root = d.parse(data); d.root == nil {
		return d
	}
	if isNodeFlow(d.root) {
		d.nodeFlow()
		return d
	}
	d.pathPos = d.at(d.root)
	given := map[string]entry{}
	missing := func(key, hint, message string) {
		if _, ok := given[key]; !ok && d.root.Kind == yaml.MappingNode && !d.misspelt(key) {
			d.problem(d.at(d.root), hint, "%s", message)
		}
	}
	for _, e := range d.mapping(d.root, "a flow", headerKeys...) {
		given[e.key] = e
		d.Places[e.key] = d.at(e.value)
		d.header(e)
	}
	if _, ok := given["graphql"]; !ok {
		missing("endpoint", "endpoint: METHOD /path", "the flow has no endpoint")
	}
	missing("session", "session: required, optional or none; there is no default, so that nothing is public by accident", "the flow does not say whether it wants a session")
	missing("steps", "steps: with at least a respond", "the flow has no steps")
	if e, ok := given["repeat"]; ok && d.Method == "GET" {
		d.problem(e.at, "remove it", "a GET changes nothing and can be repeated anyway")
	}
	if e, ok := given["apiKey"]; ok && d.APIKey == KeyInstead && d.Session != SessionRequired {
		d.problem(e.at, "session: required", "a key can only stand in for a session that is asked for")
	}
	if e, ok := given["groups"]; ok && d.Session != SessionRequired {
		d.problem(e.at, "session: required", "groups can only be asked of a session")
	}
	d.completeEvents(given)
	d.completePath()
	d.completeField()
	return d
}

// misspelt tells whether an unknown key of the flow was meant to be a certain one.
func (d *draft) misspelt(key string) bool {
	for i := 0; i < len(d.root.Content); i += 2 {
		if DidYouMean(d.root.Content[i].Value, headerKeys) == "did you mean "+key+"?" && d.root.Content[i].Value != key {
			return true
		}
	}
	return false
}

// header reads one key of the top of a flow.
func (d *draft) header(e entry) {
	switch e.key {
	case "about":
		d.About, _ = d.text(e.value, "about")
	case "endpoint":
		d.pathPos = d.at(e.value)
		if t, ok := d.text(e.value, "endpoint"); ok {
			d.endpoint(t, d.pathPos)
		}
	case "graphql":
		d.graphql(e.value)
	case "session":
		d.session(e.value)
	case "groups":
		d.Groups = d.texts(e.value, "groups")
		if len(d.Groups) == 0 {
			d.problem(d.at(e.value), "name at least one", "groups is empty")
		}
	case "apiKey":
		if i := slices.Index(keyModes, e.value.Value); i >= 0 && e.value.Tag == "!!str" {
			d.APIKey = KeyMode(i)
		} else {
			d.problem(d.at(e.value), DidYouMean(e.value.Value, keyModes), "apiKey cannot be %q", e.value.Value)
		}
	case "clientKey":
		switch e.value.Value {
		case "required":
			d.ClientKey = true
		case "none":
		default:
			d.problem(d.at(e.value), "required or none", "clientKey cannot be %q", e.value.Value)
		}
	case "timeout":
		if t, ok := d.duration(e.value, "timeout"); ok {
			d.Timeout = t
		}
	case "limit":
		d.limit(e.value)
	case "repeat":
		d.repeat(e.value)
	case "input":
		d.input(e.value)
	case "answer":
		d.answerKey(e)
	case "output":
		d.Output = d.parseType(e.value, "output")
	case "enabled":
		var ok bool
		if d.Enabled, ok = d.parseValue(e.value).lit.(bool); !ok {
			d.problem(d.at(e.value), "true or false", "enabled must be a boolean")
		}
	case "tags":
		d.Tags = d.texts(e.value, "tags")
	case "steps":
		d.steps = d.parseBlock(e.value, "steps")
	}
}

var (
	methods     = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	pathSegment = regexp.MustCompile(`^([A-Za-z0-9._~-]+|\{[A-Za-z][A-Za-z0-9_]*(\.\.\.)?\})$`)
	reserved    = []string{"/healthz", "/readyz", "/_studio"}
)

func (d *draft) endpoint(text string, at Pos) {
	method, path, ok := strings.Cut(text, " ")
	if !ok || strings.Contains(path, " ") {
		d.problem(at, "as in POST /orders/{id}", "endpoint must be a method, a space and a path")
		return
	}
	if !slices.Contains(methods, method) {
		hint := "one of " + strings.Join(methods, ", ")
		if slices.Contains(methods, strings.ToUpper(method)) {
			hint = "write " + strings.ToUpper(method)
		}
		d.problem(at, hint, "there is no method %q", method)
	}
	d.Method, d.Path = method, path
	at.Column += len(method) + 1
	if !strings.HasPrefix(path, "/") {
		d.problem(at, "write /"+path, "a path begins with a slash")
		return
	}
	if path == "/" {
		return
	}
	segs := strings.Split(path[1:], "/")
	for i, seg := range segs {
		at.Column++
		switch {
		case seg == "":
			d.problem(at, "a path has no empty parts and no slash at its end", "part of the path is empty")
		case seg == "." || seg == ".." || !pathSegment.MatchString(seg):
			d.problem(at, "letters, digits, . _ ~ -, a {name} or, for all the rest, a {name...}", "%q cannot be part of a path", seg)
		case seg[0] == '{':
			name, whole := strings.CutSuffix(seg[1:len(seg)-1], "...")
			if whole && i < len(segs)-1 {
				d.problem(at, "nothing can follow it", "{%s...} is all the rest of the path", name)
			}
			if slices.Contains(d.Params, name) {
				d.problem(at, "", "{%s} stands twice in the path", name)
			}
			d.Params = append(d.Params, name)
		}
		at.Column += len(seg)
	}
	d.notReserved(path, d.pathPos)
}

func (d *draft) notReserved(path string, at Pos) {
	for _, r := range reserved {
		if path == r || strings.HasPrefix(path, r+"/") {
			d.problem(at, "choose another path", "%s is the server's own", r)
		}
	}
}

// durationText writes a duration as authors do: 5m, not 5m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// ParseDuration reads a duration as flows write it: what [time.ParseDuration]
// does, and whole days as in 90d.
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

func (d *draft) limit(n *yaml.Node) {
	d.Limit = &Limit{Rate: 1, Each: time.Minute}
	rated := false
	for _, e := range d.mapping(n, "limit", "rate", "per") {
		switch e.key {
		case "rate":
			rated = true
			count, each, ok := ParseRate(e.value.Value)
			if !ok {
				d.problem(d.at(e.value), "as in 10/min; units are s, min, h, day", "rate must be a count for a time")
				continue
			}
			d.Limit.Rate, d.Limit.Each = count, each
		case "per":
			if e.value.Kind != yaml.SequenceNode || len(e.value.Content) == 0 {
				d.problem(d.at(e.value), "as in [ip, $body.email]", "per must be a list")
				continue
			}
			for _, c := range e.value.Content {
				if c.Value == "ip" {
					d.limitKey = append(d.limitKey, &value{kind: refValue, pos: d.at(c), path: []string{"request", "ip"}})
				} else if v := d.parseValue(c); v.kind == refValue {
					d.limitKey = append(d.limitKey, v)
				} else {
					d.problem(v.pos, "ip, or a reference such as $body.email", "a limit cannot be per this")
				}
			}
		}
	}
	if n.Kind == yaml.MappingNode && !rated {
		d.problem(d.at(n), "as in rate: 10/min", "limit has no rate")
	}
	if len(d.limitKey) == 0 {
		d.limitKey = []*value{{kind: refValue, pos: d.at(n), path: []string{"request", "ip"}}}
	}
	for _, v := range d.limitKey {
		text := v.String()
		if text == "$request.ip" {
			text = "ip"
		}
		d.Limit.Per = append(d.Limit.Per, text)
	}
}

// repeat reads header:NAME, or header and keep.
func (d *draft) repeat(n *yaml.Node) {
	d.Repeat = &Repeat{Keep: 24 * time.Hour}
	name := n
	if n.Kind == yaml.MappingNode {
		name = nil
		for _, e := range d.mapping(n, "repeat", "header", "keep") {
			switch e.key {
			case "header":
				name = e.value
				d.Repeat.Header = e.value.Value
			case "keep":
				if keep, ok := d.duration(e.value, "keep"); ok {
					d.Repeat.Keep = keep
				}
			}
		}
	} else {
		d.Repeat.Header, _ = strings.CutPrefix(n.Value, "header:")
		if !strings.HasPrefix(n.Value, "header:") {
			name = nil
		}
	}
	switch {
	case name == nil || !validHeaderName(d.Repeat.Header):
		d.problem(d.at(n), "as in repeat: header:Idempotency-Key", "repeat must name a header")
	case d.Repeat.Keep > 30*24*time.Hour:
		d.problem(d.at(n), "", "keep can be at most 30d")
	}
}

func (d *draft) input(n *yaml.Node) {
	for _, e := range d.mapping(n, "input", "path", "query", "headers", "body") {
		t := d.parseType(e.value, "input."+e.key)
		if t == nil {
			continue
		}
		switch e.key {
		case "body":
			d.Input.Body = t
			continue
		case "path":
			d.Input.Path = t
		case "query":
			if t.Base == Any && t.Name == "" && !t.ruled() {
				t = (&Type{Base: Object, Open: true}).held() // what comes is always an object
				d.Input.Query = t
				continue
			}
			d.Input.Query = t
		case "headers":
			d.Input.Headers = t
		}
		if t.Base != Object || t.Open {
			hint := "name each one, as in id: string"
			if e.key == "query" {
				hint += ", or say any"
			}
			d.problem(d.at(e.value), hint, "input.%s must name what it takes", e.key)
			continue
		}
		for _, p := range t.Props {
			flat := p.Type
			if flat.Base == Array && e.key != "path" {
				flat = flat.Items
			}
			if flat.Base == Object || flat.Base == Array || flat.Base == Any {
				d.problem(d.at(e.value), "string, integer, number or boolean", "input.%s.%s comes as text and cannot be %s", e.key, p.Name, article(p.Type))
			}
		}
	}
}

// completePath makes input.path and the names in the path one.
func (d *draft) completePath() {
	if d.Input.Path == nil {
		d.Input.Path = &Type{Base: Object}
	}
	for _, p := range d.Input.Path.Props {
		if !slices.Contains(d.Params, p.Name) {
			d.problem(d.pathPos, fmt.Sprintf("write {%s} in the path", p.Name), "input.path names %q, which is not in the path", p.Name)
		}
	}
	for _, name := range d.Params {
		if d.Input.Path.prop(name) == nil {
			d.Input.Path.Props = append(d.Input.Path.Props, &Prop{Name: name, Type: &Type{Base: String, goType: goHeld(&Type{Base: String})}})
		}
	}
	for _, t := range []*Type{d.Input.Path, d.Input.Query, d.Input.Headers} {
		if t != nil && t.Base == Object && !t.Open {
			t.goType = goHeld(t)
		}
	}
}

// outcome returns an outcome of a node flow, or nil.
func (d *draft) outcome(name string) *Outcome {
	for _, o := range d.outcomes {
		if o.Name == name {
			return o
		}
	}
	return nil
}
