package engine

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
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
	if st.redirect != nil {
		o.headers = append(o.headers, c.redirect(st))
	}
	if c.Sends && c.closing(st) {
		o.media, o.content = eventStream, func(frame) ([]byte, error) { return []byte{}, nil }
	} else if st.file != nil {
		c.file(st, &o)
	} else if st.value != nil {
		if st.status == 204 || st.status == 304 {
			c.problem(st.value.pos, "respond: 200 has one", "an answer with status %d has no body", st.status)
		}
		o.json = c.jsonPieces(st.value, nil)
		if c.Output != nil && st.status < 300 {
			c.output(st.value, c.Output, "respond.body")
		}
	} else if c.Output != nil && st.status < 300 && st.status != 204 && len(c.Output.Props) > 0 {
		c.problem(st.pos, "the flow declares one under output:", "the answer has no body")
	}
	c.reply(st, &o)
	c.emit(o)
	c.state.dead = true
}

// redirect compiles where an answer leads.
func (c *compiler) redirect(st *step) headerOp {
	if c.GraphQL != nil {
		c.problem(st.redirect.pos, "answer with a body", "a field of GraphQL leads nowhere")
	}
	if st.status < 300 {
		c.problem(st.redirect.pos, "303 leads to another page, 302 and 307 to another place for this one", "an answer with status %d leads nowhere", st.status)
	}
	return c.location(st.redirect, "redirect")
}

// location compiles an address in an answer. A request may choose a part of a
// path there, but never the host: its values are escaped, and the text around
// them has to fix the host.
func (c *compiler) location(v *value, what string) headerOp {
	h := headerOp{name: "Location"}
	switch v.kind {
	case literalValue:
		text, ok := v.lit.(string)
		if !ok || !fixedHost.MatchString(text) {
			c.problem(v.pos, redirectHint, "%s must be a URL or a path", what)
		}
		h.parts = []textPart{{text: string(escapeHeader(nil, text))}}
	case textValue:
		if v.parts[0].path != nil || !fixedStart.MatchString(v.parts[0].text) {
			c.problem(v.pos, redirectHint, "%s must say where it leads before its first reference", what)
		}
		h.parts = c.textParts(v.parts, escapeURI, what, c.shown())
	case refValue:
		if i := slices.Index(rootNames, v.path[0]); i >= 0 && i != slotParams && c.slotOf(v.path[0]) < 0 {
			c.problem(v.pos, redirectHint, "$%s comes from the request and cannot choose where %s leads", strings.Join(v.path, "."), what)
		}
		h.parts = c.textParts([]rawPart{{path: v.path, at: v.pos}}, escapeHeader, what, c.shown())
	case brokenValue:
	default:
		c.problem(v.pos, redirectHint, "%s must be a text", what)
	}
	return h
}

const redirectHint = "as in https://example.com/welcome, or /orders/{$order.id}"

// fixedHost matches a URL or a path, and fixedStart what can stand there in
// front of a reference: a URL with its whole host, or the beginning of a path.
var (
	fixedHost  = regexp.MustCompile(`^(https?://[A-Za-z0-9.-]+(:[0-9]+)?(/|$)|/([^/\\]|$))`)
	fixedStart = regexp.MustCompile(`^(https?://[A-Za-z0-9.-]+(:[0-9]+)?/|/([^/\\]|$))`)
)

var mediaType = regexp.MustCompile(`^[a-z]+/[a-z0-9.+-]+(; charset=utf-8)?$`)

// file compiles an answer that is no JSON: its content, media type and, for one
// to save, its name.
func (c *compiler) file(st *step, o *op) {
	at := st.pos
	given := map[string]bool{}
	for _, m := range st.file {
		at = m.at
		given[m.name] = true
		switch m.name {
		case "content":
			c.fileContent(m.v, o)
		case "type":
			text, _ := m.v.lit.(string)
			if !mediaType.MatchString(text) {
				c.problem(m.v.pos, "as in text/csv or application/pdf", "type must be a media type that the flow fixes")
			}
			o.media = text
		case "name":
			if name, ok := c.infer(m.v); !ok {
				c.report(m.v)
			} else if name.t.Base != String || name.optional || name.t.Secrecy != Public {
				c.problem(m.v.pos, "", "name must be a text")
			} else {
				o.headers = append(o.headers, headerOp{name: "Content-Disposition", parts: c.fileName(m.v)})
			}
		default:
			c.problem(m.at, DidYouMean(m.name, []string{"content", "type", "name"}), "a file has no %q", m.name)
		}
	}
	if !given["content"] || !given["type"] {
		c.problem(at, "as in file: {content: $report.csv, type: text/csv, name: report.csv}", "a file needs a content and a type")
	}
	if c.GraphQL != nil {
		c.problem(at, "answer with a body", "a field of GraphQL gives no file")
	}
	if c.Repeat != nil {
		c.problem(at, "remove repeat:", "answers of this flow are kept to be repeated, and a file is not")
	}
	if st.value != nil {
		c.problem(st.value.pos, "one of the two", "an answer has a body or a file")
	}
	if st.status == 204 || st.status >= 300 {
		c.problem(st.pos, "respond: 200 has one", "an answer with status %d has no file", st.status)
	}
}

// fileContent compiles what is in a file: a text or bytes.
func (c *compiler) fileContent(v *value, o *op) {
	from, ok := c.infer(v)
	switch {
	case !ok:
		c.report(v)
	case from.t.Secrecy == Hidden:
		c.problem(v.pos, "an answer never shows a secret", "%s is secret", from.text)
	case from.optional:
		c.problem(v.pos, askFirst(from), "content needs a value, %s may be absent", from.text)
	case from.t.goType == bytesType || from.t.Base == String && from.t.goType.Kind() == reflect.String:
		proto := newOf(from.t)
		moves := c.place(v, target{t: from.t, what: "content"}, proto, 0)
		isBytes := from.t.goType == bytesType
		o.content = func(f frame) ([]byte, error) {
			p, err := copyOf(from.t, proto, moves, f)
			switch {
			case err != nil:
				return nil, err
			case isBytes:
				return append([]byte{}, *(*[]byte)(p)...), nil
			}
			return append([]byte{}, *(*string)(p)...), nil
		}
	default:
		c.problem(v.pos, "a text or bytes", "%s is %s and cannot be a file", from.text, article(from.t))
	}
}

// fileName compiles the header by which a browser saves a file under a name
// (RFC 6266); whatever is in the name stays in the name.
func (c *compiler) fileName(v *value) []textPart {
	escape := func(b []byte, s string) []byte { return escapeURI(b, s) }
	parts := []textPart{{text: "attachment; filename*=UTF-8''"}}
	switch v.kind {
	case literalValue:
		return append(parts, textPart{text: string(escape(nil, v.lit.(string)))})
	case refValue:
		return append(parts, c.textParts([]rawPart{{path: v.path, at: v.pos}}, escape, "name", Public)...)
	case textValue:
		raw := slices.Clone(v.parts)
		for i := range raw {
			raw[i].text = string(escape(nil, raw[i].text))
		}
		return append(parts, c.textParts(raw, escape, "name", Public)...)
	}
	c.problem(v.pos, "a text, a reference or a text with references", "name cannot be computed here; let: can")
	return parts
}

var ownHeaders = []string{
	"content-type", "content-disposition", "content-length", "transfer-encoding", "connection", "cache-control", "set-cookie", "date", "server", "trailer", "upgrade",
}

func (c *compiler) header(m member, shown Secrecy) headerOp {
	h := headerOp{name: m.name}
	lower := strings.ToLower(m.name)
	if !validHeaderName(m.name) {
		c.problem(m.at, "letters, digits and -", "%q cannot be the name of a header", m.name)
	} else if slices.Contains(ownHeaders, lower) {
		c.problem(m.at, "", "header %s is the server's own", m.name)
	} else if lower == "location" {
		return c.location(m.v, "header "+m.name)
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
				d, err := ParseDuration(text)
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
		hint := DidYouMean(st.word, known)
		if !strings.HasPrefix(hint, "did you mean") {
			hint = "declare it in errors.yaml with a status and a message"
		}
		c.problem(st.wordAt, hint, "error %q is not declared", st.word)
	}
	o := op{code: opFail, fail: d, pos: st.pos, step: "fail " + st.word}
	if st.value != nil {
		o.json = c.jsonPieces(st.value, nil)
	}
	c.fails[st.word] = Failure{Code: st.word, Kind: kindOf(d.Status), Status: d.Status, Message: d.Message}
	c.emit(o)
	c.state.dead = true
}
