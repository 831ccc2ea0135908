package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// The syntax tree of a flow's steps.

// A block is a list of steps that run one after the other.
type block struct {
	pos   Pos
	steps []*step
}

// A step does one thing, that of its verb.
type step struct {
	pos  Pos
	verb string
	id   string // "" without one
	idAt Pos

	word   string   // what stands behind the verb: the node, the code; as written
	wordAt Pos      // of what stands behind the verb
	with   []member // of node; or the names of let
	value  *value   // of switch and each; the body of respond, the data of send, the details of fail, what return gives
	cond   *condition
	blocks []branch // what may run inside: the outcomes of on, the cases of switch, then, else, lanes ...
	wait   time.Duration

	status   int
	header   []member
	cookies  []member
	redirect *value
	file     []member
	eventID  *value // of send
	each     *eachSyntax
	retry    *retrySyntax

	node     *Node // that runs, once the step was compiled
	guards   *step // of an if that a when: stands for: the step that has it; else nil
	whole    bool  // the cases of a switch are all that its value can be
	misspelt bool  // a key was not known, so what is missing may be what it meant
}

// A branch is a block inside a step, by its role and, where the role has
// several, its name.
type branch struct {
	role  string // on, then, else, case, do, lane, try, catch, finally or undo
	name  string
	at    Pos
	goOn  bool // on: continue
	block *block
}

type eachSyntax struct {
	as, index     string
	asAt, indexAt Pos
	atOnce        int
	collect       *value
}

type retrySyntax struct {
	times  int
	wait   time.Duration // in front of the first retry
	upTo   time.Duration // longest wait
	factor float64       // of the wait, from one retry to the next
	on     []string      // codes; empty for all that may pass
}

// inside returns the block of a role, or nil.
func (st *step) inside(role string) *block {
	for _, b := range st.blocks {
		if b.role == role {
			return b.block
		}
	}
	return nil
}

// stepKeys are the known keys of a step, by its verb. The verb comes first.
var stepKeys = map[string][]string{
	"node":     {"node", "id", "when", "with", "on", "timeout", "undo"},
	"if":       {"if", "then", "else"},
	"switch":   {"switch", "when", "cases", "else"},
	"each":     {"each", "id", "when", "as", "index", "atOnce", "do", "collect"},
	"parallel": {"parallel", "when"},
	"try":      {"try", "when", "retry", "catch", "finally"},
	"let":      {"let", "when"},
	"send":     {"send", "when", "eventId", "data"},
	"respond":  {"respond", "when", "headers", "body", "file", "cookies", "redirect"},
	"fail":     {"fail", "when", "details"},
	"return":   {"return", "when"},
}

var verbs = []string{"node", "if", "switch", "each", "parallel", "try", "let", "send", "respond", "fail", "return"}

var idPattern = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

// parseBlock reads a list of steps.
func (s *source) parseBlock(n *yaml.Node, what string) *block {
	b := &block{pos: s.at(n)}
	if n.Kind != yaml.SequenceNode {
		s.problem(s.at(n), "each step begins with a dash", "%s must be a list of steps", what)
		return b
	}
	if len(n.Content) == 0 {
		s.problem(s.at(n), "each step begins with a dash", "%s is empty", what)
	}
	for _, c := range n.Content {
		if st := s.parseStep(c); st != nil {
			b.steps = append(b.steps, st)
		}
	}
	return b
}

func (s *source) parseStep(n *yaml.Node) *step {
	if n.Kind != yaml.MappingNode {
		s.problem(s.at(n), "as in - node: user.fetch", "a step must be a mapping of keys to values")
		return nil
	}
	entries := s.mapping(n, "a step")
	st := &step{pos: s.at(n)}
	for _, e := range entries {
		if stepKeys[e.key] == nil {
			continue
		}
		if st.verb != "" {
			s.problem(e.at, "make it a step of its own", "a step does one thing, this one has %s and %s", st.verb, e.key)
			continue
		}
		st.verb, st.pos = e.key, e.at
	}
	if st.verb == "" {
		for _, e := range entries {
			if h := DidYouMean(e.key, verbs); strings.HasPrefix(h, "did you mean") {
				s.problem(e.at, h, "unknown key %q", e.key)
				return nil
			}
		}
		s.problem(st.pos, "one of "+strings.Join(verbs, ", "), "this step does not say what it does")
		return nil
	}
	var when *step
	for _, e := range entries {
		if !slices.Contains(stepKeys[st.verb], e.key) {
			if e.key == "when" {
				s.problem(e.at, "put it into the condition, as in $user and $body.full", "if has a condition already")
			} else if stepKeys[e.key] == nil { // a second verb was told already
				s.problem(e.at, DidYouMean(e.key, stepKeys[st.verb]), "unknown key %q beside %s", e.key, st.verb)
				st.misspelt = true
			}
			continue
		}
		if e.key == "when" {
			when = s.parseWhen(st, e)
			continue
		}
		s.stepKey(st, e)
	}
	if needs := map[string]string{"if": "then", "each": "do", "switch": "case"}[st.verb]; needs != "" && st.inside(needs) == nil && !st.misspelt {
		s.problem(st.pos, "", "%s has no %s", st.verb, strings.Replace(needs, "case", "cases", 1))
	}
	if when != nil {
		return when
	}
	return st
}

// parseWhen reads the condition of a step: it makes an if around it, which is all
// that when: means to what follows.
func (s *source) parseWhen(st *step, e entry) *step {
	inner := &block{pos: st.pos, steps: []*step{st}}
	return &step{pos: e.at, verb: "if", guards: st, cond: s.parseCondition(e.value, "when"), blocks: []branch{{role: "then", at: st.pos, block: inner}}}
}

// start is where the step is told to be: at its verb, also where it is an if that
// a when: stands for.
func (st *step) start() Pos {
	if st.guards != nil {
		return st.guards.pos
	}
	return st.pos
}

// names are what the step itself names, without the steps inside it.
func (st *step) names() (all []string) {
	if st.id != "" {
		all = append(all, st.id)
	}
	if st.verb == "let" {
		for _, m := range st.with {
			all = append(all, m.name)
		}
	}
	return all
}

// stepKey reads one key of a step.
func (s *source) stepKey(st *step, e entry) {
	at := s.at(e.value)
	if e.key == st.verb {
		st.wordAt = at
	}
	one := func(role string) {
		st.blocks = append(st.blocks, branch{role: role, at: e.at, block: s.parseBlock(e.value, e.key)})
	}
	switch st.verb + "." + e.key {
	case "node.node", "fail.fail", "send.send":
		st.word, _ = s.text(e.value, e.key)
	case "node.id", "each.id":
		st.id, st.idAt = s.name(e.value, "id"), at
	case "node.with":
		st.with = s.members(e.value, "with")
	case "let.let":
		st.with = s.members(e.value, "let")
	case "node.on":
		s.parseOn(st, e.value)
	case "node.timeout":
		st.wait, _ = s.duration(e.value, "timeout")
	case "node.undo":
		one("undo")
	case "if.if":
		st.cond = s.parseCondition(e.value, "if")
	case "if.then", "if.else", "switch.else", "each.do", "try.try", "try.finally":
		one(e.key)
	case "switch.switch", "each.each", "respond.body", "send.data", "fail.details", "return.return":
		st.value = s.parseValue(e.value)
	case "send.eventId":
		st.eventID = s.parseValue(e.value)
	case "switch.cases":
		s.named(st, "case", e.value, e.key)
	case "try.catch":
		s.named(st, "catch", e.value, e.key)
	case "parallel.parallel":
		s.named(st, "lane", e.value, e.key)
	case "try.retry":
		st.retry = s.parseRetry(e.value)
	case "respond.respond":
		s.parseStatus(st, e.value)
	case "respond.headers":
		st.header = append(st.header, s.members(e.value, "headers")...)
	case "respond.redirect":
		st.redirect = s.parseValue(e.value)
	case "respond.file":
		st.file = s.members(e.value, "file")
	case "respond.cookies":
		st.cookies = s.members(e.value, "cookies")
	default:
		s.eachKey(st, e)
	}
}

func (s *source) eachKey(st *step, e entry) {
	if st.each == nil {
		st.each = &eachSyntax{as: "item", asAt: st.pos, atOnce: 1}
	}
	switch e.key {
	case "as":
		st.each.as, st.each.asAt = s.name(e.value, "as"), s.at(e.value)
	case "index":
		st.each.index, st.each.indexAt = s.name(e.value, "index"), s.at(e.value)
	case "atOnce":
		n, ok := s.parseValue(e.value).lit.(int64)
		if !ok || n < 1 || n > maxAtOnce {
			s.problem(s.at(e.value), "", "atOnce must be a number from 1 to %d", maxAtOnce)
			n = 1
		}
		st.each.atOnce = int(n)
	case "collect":
		st.each.collect = s.parseValue(e.value)
	}
}

// name reads the name of something that references can begin with.
func (s *source) name(n *yaml.Node, what string) string {
	name, ok := s.text(n, what)
	if ok && !idPattern.MatchString(name) {
		s.problem(s.at(n), "a letter, then letters, digits and _", "%q cannot be an id", name)
	}
	return name
}

func (s *source) parseStatus(st *step, n *yaml.Node) {
	status, ok := s.parseValue(n).lit.(int64)
	if !ok || status < 200 || status > 399 {
		s.problem(s.at(n), "a failure is answered by fail: CODE", "respond wants a status from 200 to 399")
		status = 200
	}
	st.status = int(status)
}

// named reads blocks by their names.
func (s *source) named(st *step, role string, n *yaml.Node, what string) {
	for _, e := range s.mapping(n, what) {
		st.blocks = append(st.blocks, branch{role: role, name: e.key, at: e.at, block: s.parseBlock(e.value, what+" "+e.key)})
	}
}

func (s *source) parseOn(st *step, n *yaml.Node) {
	for _, e := range s.mapping(n, "on") {
		b := branch{role: "on", name: e.key, at: e.at}
		if e.value.Kind == yaml.ScalarNode {
			if b.goOn = e.value.Value == "continue"; !b.goOn {
				s.problem(s.at(e.value), "continue, or a list of steps", "%q is nothing to do on an outcome", e.value.Value)
				continue
			}
		} else {
			b.block = s.parseBlock(e.value, "on "+e.key)
		}
		st.blocks = append(st.blocks, b)
	}
}

// Bounds of what a flow may ask for.
const (
	maxAtOnce  = 64
	maxRetries = 10
	maxWait    = time.Minute
)

func (s *source) parseRetry(n *yaml.Node) *retrySyntax {
	r := &retrySyntax{times: 3, wait: 100 * time.Millisecond, upTo: 5 * time.Second, factor: 2}
	for _, e := range s.mapping(n, "retry", "times", "wait", "factor", "upTo", "on") {
		v := s.parseValue(e.value)
		switch e.key {
		case "times":
			times, ok := v.lit.(int64)
			if !ok || times < 1 || times > maxRetries {
				s.problem(v.pos, "", "times must be a number from 1 to %d", maxRetries)
				times = 1
			}
			r.times = int(times)
		case "factor":
			switch f := v.lit.(type) {
			case int64:
				r.factor = float64(f)
			case float64:
				r.factor = f
			}
			if r.factor < 1 || r.factor > 10 {
				s.problem(v.pos, "", "factor must be a number from 1 to 10")
			}
		case "wait", "upTo":
			d, ok := s.duration(e.value, e.key)
			if ok && d > maxWait {
				s.problem(v.pos, "", "%s can be at most %s", e.key, durationText(maxWait))
			}
			if e.key == "wait" {
				r.wait = d
			} else {
				r.upTo = d
			}
		case "on":
			r.on = s.texts(e.value, "on")
		}
	}
	return r
}

// duration reads a positive duration with a unit.
func (s *source) duration(n *yaml.Node, what string) (time.Duration, bool) {
	t, err := ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || err != nil {
		s.problem(s.at(n), "a number with a unit: 500ms, 30s, 15m, 24h, 7d", "%s must be a duration", what)
		return 0, false
	}
	if t <= 0 {
		s.problem(s.at(n), "", "%s must be longer than nothing", what)
		return 0, false
	}
	return t, true
}

// caseKey is a literal as the name of a case.
func caseKey(lit any) string { return fmt.Sprint(lit) }
