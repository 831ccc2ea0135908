package flowtest

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A test is one call of an endpoint and what must come of it, or several calls
// that must look the same.
type test struct {
	pos   engine.Pos
	name  string
	given given
	send  send
	fakes map[string]engine.Fake // by step
	want  *want                  // nil for none
	same  *same                  // nil for one call
}

// given is what is there before the call.
type given struct {
	users    []person
	sessions []opened
	kept     []kept
	codes    []madeCode
	key      *givenKey
	env      map[string]string
}

// A person is a user to be created, with a name to refer to.
type person struct {
	pos                       engine.Pos
	as, email, name, password string // no password where it is empty
	phone                     string // "" for none, and email where there is one
	disabled                  bool
	verified, reached         bool // address and phone number
	groups                    []string
	totp                      string // of totpWords; "" for no second factor
}

// totpWords say how far a user's second factor is.
var totpWords = []string{"enrolled", "active"}

// An opened session is one that is there before the call. The one named session
// is the caller's.
type opened struct {
	pos      engine.Pos
	as, user string
	groups   []string
	proved   time.Duration // how long ago the user proved who they are
	by       string        // session of who acts as the user in this one; "" for none
}

// A given key is the API key that the request carries. Tests refer to it as $key.
type givenKey struct {
	pos   engine.Pos
	roles []string
}

// send is the request. Its texts may hold references.
type send struct {
	body                 *yaml.Node // nil for none
	raw                  *string    // in place of body
	path, query, headers []entry
	ip, userAgent        string
	times                int // that the request is made; 0 for once
}

// same are calls that must look the same from outside.
type same struct {
	pos    engine.Pos
	parts  []string // of sameParts
	cases  []*test
	within int // percent that the medians of the times may differ
	runs   int // of each case, for the time
}

var (
	testKeys   = []string{"name", "each", "given", "send", "fake", "want", "same", "cases", "time"}
	givenKeys  = []string{"users", "sessions", "session", "key", "codes", "documents", "env"}
	personKeys = []string{"as", "email", "phone", "name", "password", "disabled", "emailVerified", "phoneVerified", "groups", "totp"}
	openedKeys = []string{"as", "user", "groups", "proved", "by"}
	sendKeys   = []string{"body", "raw", "path", "query", "headers", "ip", "userAgent", "times"}
	fakeKeys   = []string{"outcome", "out", "error"}
	caseKeys   = []string{"name", "given", "send", "fake"}
	timeKeys   = []string{"within", "runs"}
	sameParts  = []string{"status", "body", "headers", "time"}
)

// A subject is the flow that a file tests, and what its tests can name.
type subject struct {
	flow  *engine.Flow
	steps map[string]*engine.Node // by id, or node where there is none
	order []string                // the steps in the order of the text
	inner map[string]*engine.Node // by node flow and step, as in account.greeting/user
	vars  []string                // of the environment

	collections []*engine.Collection
}

// newSubject finds the node steps of a flow.
func newSubject(f *engine.Flow, nodes map[string]*engine.Node, app *engine.App, vars []string) *subject {
	sub := &subject{flow: f, steps: map[string]*engine.Node{}, vars: vars, collections: app.Collections, inner: map[string]*engine.Node{}}
	var walk func([]engine.Step)
	walk = func(steps []engine.Step) {
		for _, st := range steps {
			if st.Verb == "node" {
				name := nameOf(st)
				sub.steps[name] = nodes[st.Word]
				sub.order = append(sub.order, name)
			}
			for _, b := range st.Branches {
				walk(b.Steps)
			}
		}
	}
	walk(f.Steps)
	for _, n := range app.Nodes {
		sub.within(n.Name, n.Steps, nodes)
	}
	return sub
}

// within finds the node steps of a node flow.
func (s *subject) within(name string, steps []engine.Step, nodes map[string]*engine.Node) {
	for _, st := range steps {
		if st.Verb == "node" {
			s.inner[name+"/"+nameOf(st)] = nodes[st.Word]
		}
		for _, b := range st.Branches {
			s.within(name, b.Steps, nodes)
		}
	}
}

// nameOf is the name by which tests know a step of a node.
func nameOf(st engine.Step) string {
	if st.ID != "" {
		return st.ID
	}
	return st.Word
}

// A reader reads the tests of one file.
type reader struct {
	source
	*subject
}

// tests reads all tests of a file.
func (r *reader) tests(root *yaml.Node) []*test {
	var tests []*test
	first := map[string]int{}
	for _, n := range root.Content {
		if n.Kind != yaml.MappingNode {
			r.problem(n, "as in - name: ...", "a test must be a mapping of keys to values")
			continue
		}
		for _, row := range r.rows(n) {
			t := r.test(row)
			if line, twice := first[t.name]; twice && t.name != "" {
				r.problem(n, "", "a test of the name %q is in line %d", t.name, line)
			}
			first[t.name] = n.Line
			tests = append(tests, t)
		}
	}
	return tests
}

func (r *reader) test(n *yaml.Node) *test {
	t := &test{pos: r.at(n), fakes: map[string]engine.Fake{}}
	entries := r.mapping(n, "a test", testKeys...)
	ns := r.namesOf(n)
	for _, e := range entries {
		switch e.key.Value {
		case "name":
			t.name = r.text(e.value, "name")
		case "each":
			r.problem(e.key, "", "each is given twice")
		case "given":
			t.given = r.given(e.value)
			r.checkReferences(e.value, ns)
		case "send":
			t.send = r.send(e.value, ns)
		case "fake":
			t.fakes = r.fakes(e.value)
		case "want":
			t.want = r.want(e.value, ns)
		case "same":
			t.same = r.same(n, e.value)
		case "cases", "time":
			if keyIndex(n, "same") < 0 {
				r.problem(e.key, "as in same: [status, body]", "%s is for tests with same:", e.key.Value)
			}
		}
	}
	if t.name == "" {
		r.problem(n, "name: what the endpoint promises", "a test needs a name")
	}
	if t.want == nil && t.same == nil {
		r.problem(n, "as in want: {status: 200}", "a test needs want: or same:")
	}
	if t.same == nil {
		r.wholePath(n, t.send)
	}
	return t
}

// wholePath reports the parameters of the path that a test does not send.
func (r *reader) wholePath(n *yaml.Node, s send) {
	for _, name := range r.flow.Params {
		if !slices.ContainsFunc(s.path, func(e entry) bool { return e.key.Value == name }) {
			r.problem(n, "as in send: {path: {"+name+": ...}}", "the path of %s needs %q", r.flow.File, name)
		}
	}
}

// namesOf finds what a test can refer to, before the rest of it is read.
func (r *reader) namesOf(n *yaml.Node) names {
	ns := names{}
	i := keyIndex(n, "given")
	if i < 0 {
		return ns
	}
	quiet := &reader{source{file: r.file}, r.subject}
	g := quiet.given(n.Content[i+1])
	for _, p := range g.users {
		ns.declare(p.as, userProps)
	}
	for _, s := range g.sessions {
		ns.declare(s.as, sessionProps)
	}
	for _, c := range g.codes {
		ns.declare(c.as, codeProps)
	}
	if g.key != nil {
		ns.declare("key", keyProps)
	}
	for _, k := range g.kept {
		if k.as != "" {
			ns.declare(k.as, documentProps(k))
		}
	}
	return ns
}

func (r *reader) given(n *yaml.Node) given {
	var g given
	known := map[string]bool{}
	named := func(at *yaml.Node, as string) {
		if known[as] {
			r.problem(at, "give one of them another name with as:", "two of those given are named %q", as)
		}
		known[as] = true
	}
	entries := r.mapping(n, "given", givenKeys...)
	for _, e := range entries {
		switch e.key.Value {
		case "users":
			for _, item := range r.items(e.value, "users", false) {
				p := r.person(item)
				named(item, p.as)
				g.users = append(g.users, p)
			}
		case "env":
			g.env = map[string]string{}
			for _, v := range r.mapping(e.value, "env") {
				if !slices.Contains(r.vars, v.key.Value) {
					r.unknown(v.key, r.vars, "the setting vars does not name %s, so flows cannot read it", v.key.Value)
				}
				g.env[v.key.Value] = r.text(v.value, v.key.Value)
			}
		}
	}
	for _, e := range entries { // behind the users, whom they name
		switch e.key.Value {
		case "session":
			o := r.opened(e.value, "session", g.users)
			named(e.value, o.as)
			g.sessions = append(g.sessions, o)
			if r.flow.Session == engine.SessionNone {
				r.problem(e.key, "give a session that it is not called with under sessions:", "%s takes no session", r.flow.File)
			}
		case "sessions":
			for _, item := range r.items(e.value, "sessions", false) {
				o := r.opened(item, "", g.users)
				named(item, o.as)
				g.sessions = append(g.sessions, o)
			}
		case "key":
			g.key = &givenKey{pos: r.at(e.value)}
			for _, k := range r.mapping(e.value, "key", "roles") {
				g.key.roles = r.groups(k.value)
			}
			if r.flow.APIKey == engine.KeyNone {
				r.problem(e.key, "remove it", "%s takes no API key", r.flow.File)
			}
		case "codes":
			for _, item := range r.items(e.value, "codes", false) {
				c := r.madeCode(item, g.users)
				named(item, c.as)
				g.codes = append(g.codes, c)
			}
		case "documents":
			g.kept = r.documents(e.value)
			for _, k := range g.kept {
				if k.as != "" {
					named(k.fields, k.as)
				}
			}
		}
	}
	return g
}

func (r *reader) person(n *yaml.Node) person {
	p := person{pos: r.at(n)}
	for _, e := range r.mapping(n, "a user", personKeys...) {
		switch e.key.Value {
		case "as":
			p.as = r.text(e.value, "as")
		case "email":
			p.email = r.text(e.value, "email")
		case "phone":
			p.phone = r.text(e.value, "phone")
		case "name":
			p.name = r.text(e.value, "name")
		case "password":
			p.password = r.text(e.value, "password")
		case "disabled":
			p.disabled = r.flag(e.value, "disabled")
		case "emailVerified":
			p.verified = r.flag(e.value, "emailVerified")
		case "phoneVerified":
			p.reached = r.flag(e.value, "phoneVerified")
		case "groups":
			p.groups = r.groups(e.value)
		case "totp":
			if p.totp = r.text(e.value, "totp"); !slices.Contains(totpWords, p.totp) {
				r.unknown(e.value, totpWords, "totp is enrolled or active, not %q", p.totp)
			}
		}
	}
	if p.email == "" && p.phone == "" {
		r.problem(n, "as in {email: ada@example.com}", "a user needs an e-mail address or a phone number")
	}
	if p.as == "" {
		p.as, _, _ = strings.Cut(cmp.Or(p.email, p.phone), "@")
	}
	return p
}

func (r *reader) groups(n *yaml.Node) (groups []string) {
	for _, g := range r.items(n, "groups", true) {
		groups = append(groups, r.text(g, "a group"))
	}
	return groups
}

// opened reads a session: the name of a user, or a mapping.
func (r *reader) opened(n *yaml.Node, as string, users []person) opened {
	o := opened{pos: r.at(n), as: as}
	who := n
	if n.Kind == yaml.ScalarNode {
		o.user = n.Value
	} else {
		for _, e := range r.mapping(n, "a session", openedKeys...) {
			switch e.key.Value {
			case "as":
				o.as = r.text(e.value, "as")
			case "user":
				o.user, who = r.text(e.value, "user"), e.value
			case "groups":
				o.groups = r.groups(e.value)
			case "proved":
				var err error
				if o.proved, err = engine.ParseDuration(r.text(e.value, "proved")); err != nil || o.proved < 0 {
					r.problem(e.value, "as in 20m", "proved must say how long ago")
				}
			case "by":
				o.by = r.text(e.value, "by")
			}
		}
	}
	if o.as == "" {
		r.problem(n, "as in {as: phone, user: ada}", "a session needs a name")
	}
	r.knownUser(who, o.user, users)
	return o
}

// knownUser reports the name of a user who is not given.
func (r *reader) knownUser(at *yaml.Node, name string, users []person) {
	var known []string
	for _, p := range users {
		if p.as != "" {
			known = append(known, p.as)
		}
	}
	if !slices.Contains(known, name) {
		r.problem(at, hint(name, known, "give users: first"), "no user named %q is given", name)
	}
}

func (r *reader) send(n *yaml.Node, ns names) send {
	var s send
	r.checkReferences(n, ns)
	for _, e := range r.mapping(n, "send", sendKeys...) {
		switch e.key.Value {
		case "body":
			s.body = e.value
		case "raw":
			raw := r.text(e.value, "raw")
			s.raw = &raw
		case "path":
			s.path = r.mapping(e.value, "path")
			for _, p := range s.path {
				if !slices.Contains(r.flow.Params, p.key.Value) {
					r.unknown(p.key, r.flow.Params, "the path of %s has no %q", r.flow.File, p.key.Value)
				}
				r.text(p.value, p.key.Value)
			}
		case "query":
			s.query = r.mapping(e.value, "query")
		case "headers":
			s.headers = r.mapping(e.value, "headers")
			for _, h := range s.headers {
				if strings.ContainsAny(h.key.Value+r.text(h.value, h.key.Value), "\r\n") {
					r.problem(h.key, "", "a header has no line breaks")
				}
			}
		case "ip":
			s.ip = r.text(e.value, "ip")
			if _, err := netip.ParseAddr(s.ip); err != nil {
				r.problem(e.value, "as in 192.0.2.7", "%q is no IP address", s.ip)
			}
		case "times":
			s.times = r.number(e.value, "times", 1, 1000)
		case "userAgent":
			s.userAgent = r.text(e.value, "userAgent")
		}
	}
	if s.body != nil && s.raw != nil {
		r.problem(n, "raw is for what body cannot say", "send has both body and raw")
	}
	return s
}
