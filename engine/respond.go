package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *compiler) respond(st *step) {
	if c.silent != "" {
		c.problem(st.pos, "answer behind it", "%s cannot answer", c.silent)
	}
	if c.params != nil {
		c.problem(st.pos, "return gives a value back", "a flow with node: does not respond")
	}
	o := op{code: opRespond, status: st.status, pos: st.pos, step: "respond"}
	for _, m := range st.header {
		o.headers = append(o.headers, c.header(m, c.shown()))
	}
	for _, m := range st.cookies {
		if h, ok := c.cookie(m); ok {
			o.headers = append(o.headers, h)
		}
	}
	if st.value != nil {
		if st.status == 204 || st.status == 304 {
			c.problem(st.value.pos, "respond: 200 has one", "an answer with status %d has no body", st.status)
		}
		o.json = c.jsonPieces(st.value, nil)
		if c.Output != nil && st.status < 300 {
			c.output(st.value, c.Output, "respond.body")
		}
	} else if c.Output != nil && st.status < 300 && len(c.Output.Props) > 0 {
		c.problem(st.pos, "the flow declares one under output:", "the answer has no body")
	}
	c.emit(o)
	c.state.dead = true
}

var ownHeaders = []string{
	"content-type", "content-length", "transfer-encoding", "connection", "cache-control", "set-cookie", "date", "server", "trailer", "upgrade",
}

func (c *compiler) header(m member, shown Secrecy) headerOp {
	h := headerOp{name: m.name}
	lower := strings.ToLower(m.name)
	if !validHeaderName(m.name) {
		c.problem(m.at, "letters, digits and -", "%q cannot be the name of a header", m.name)
	} else if slices.Contains(ownHeaders, lower) {
		c.problem(m.at, "", "header %s is the server's own", m.name)
	}
	switch v := m.v; v.kind {
	case literalValue:
		text, ok := v.lit.(string)
		if !ok {
			text = string(appendAny(nil, v.lit))
		}
		h.parts = []textPart{{text: string(escapeHeader(nil, text))}}
	case refValue:
		h.parts = c.textParts([]rawPart{{path: v.path, at: v.pos}}, escapeHeader, "header "+m.name, shown)
	case textValue:
		h.parts = c.textParts(v.parts, escapeHeader, "header "+m.name, shown)
	default:
		c.problem(v.pos, "", "header %s must be a text", m.name)
	}
	return h
}

// cookie compiles a cookie of an answer: its value, or an object with value,
// maxAge and path. Scripts never see it, and it stays on this site.
func (c *compiler) cookie(m member) (headerOp, bool) {
	value := m.v
	path, age := "/", ""
	if value.kind == objectValue {
		object := value
		value = nil
		for _, p := range object.members {
			text, isText := p.v.lit.(string)
			switch {
			case p.name == "value":
				value = p.v
			case p.name == "path" && isText && strings.HasPrefix(text, "/"):
				path = text
			case p.name == "maxAge" && isText:
				d, err := parseDuration(text)
				if err != nil || d < 0 {
					c.problem(p.v.pos, "a number with a unit: 30m, 24h, 7d; 0s removes the cookie", "maxAge must be a duration")
				}
				age = fmt.Sprintf("; Max-Age=%d", int(d.Seconds()))
			default:
				c.problem(p.at, "value, maxAge as in 24h, path as in /app", "a cookie has no such %q", p.name)
			}
		}
	}
	if !validHeaderName(strings.ReplaceAll(m.name, "_", "-")) {
		c.problem(m.at, "letters, digits, - and _", "%q cannot be the name of a cookie", m.name)
	}
	if value == nil {
		c.problem(m.at, "as in {value: $token, maxAge: 24h}", "cookie %s has no value", m.name)
		return headerOp{}, false
	}
	h := c.header(member{"X-Cookie", m.at, value}, Once) // a cookie is never kept
	for i := range h.parts {
		h.parts[i].cookie = true
	}
	attributes := age + "; Path=" + path + "; HttpOnly; Secure; SameSite=Lax"
	h.parts = append(append([]textPart{{text: m.name + "="}}, h.parts...), textPart{text: attributes})
	h.name = "Set-Cookie"
	return h, true
}

func validHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

func (c *compiler) fail(st *step) {
	if c.final != "" {
		c.problem(st.pos, "", "%s cannot fail", c.final)
	}
	if out := c.outcome(st.word); out != nil {
		c.emit(op{code: opFail, leave: out, pos: st.pos, step: "fail " + st.word})
		c.state.dead = true
		return
	}
	d, ok := c.declared[st.word]
	if !ok && st.word != "" {
		known := slices.Sorted(maps.Keys(c.declared))
		for _, out := range c.outcomes {
			known = append(known, out.Name)
		}
		hint := didYouMean(st.word, known)
		if !strings.HasPrefix(hint, "did you mean") {
			hint = "declare it in errors.yaml with a status and a message"
		}
		c.problem(st.wordAt, hint, "error %q is not declared", st.word)
	}
	o := op{code: opFail, fail: d, pos: st.pos, step: "fail " + st.word}
	if st.value != nil {
		o.json = c.jsonPieces(st.value, nil)
	}
	c.fails[st.word] = Failure{Code: st.word, Kind: kindOf(d.Status), Status: d.Status}
	c.emit(o)
	c.state.dead = true
}
