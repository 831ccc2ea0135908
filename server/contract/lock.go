package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/engine"
)

// File is the name of the lock, which stands in the folder of the flows.
const File = "flows.lock"

const header = `# What the endpoints of these flows permit: who may call them, how often, and what
# they read, write and call. "sluice check" refuses flows that permit more than
# stands here, and "sluice lock" writes what they permit now: also after a conflict.
`

// Lock writes what contracts permit, a block an endpoint and a line a fact, so
// that git merges what was changed at different places.
func Lock(all []Contract) []byte {
	all = slices.Clone(all)
	sortContracts(all)
	b := []byte(header)
	for i := range all {
		c := &all[i]
		b = fmt.Appendf(b, "\n%s\n", c.Endpoint())
		b = fmt.Appendf(b, "  session: %s\n", c.Session)
		if c.Fresh > 0 {
			b = fmt.Appendf(b, "  fresh: %s\n", durationText(c.Fresh))
		}
		line := func(key string, items []string) {
			if len(items) > 0 {
				b = fmt.Appendf(b, "  %s: %s\n", key, listText(items))
			}
		}
		line("groups", c.Groups)
		if c.APIKey != engine.KeyNone {
			b = fmt.Appendf(b, "  apiKey: %s\n", c.APIKey)
		}
		if c.Limit != nil {
			b = fmt.Appendf(b, "  limit: %s\n", c.Limit)
		}
		line("reads", c.Reads)
		line("writes", c.Writes)
		line("calls", c.Calls)
	}
	return b
}

var lockKeys = []string{"session", "fresh", "groups", "apiKey", "limit", "reads", "writes", "calls"}

// ParseLock reads what [Lock] wrote. The problems name the file as given.
func ParseLock(file string, data []byte) ([]Contract, engine.Problems) {
	p := lockParser{file: file, seen: map[string]bool{}}
	for line := range strings.Lines(string(data)) {
		p.line++
		p.read(strings.TrimRight(line, " \r\n"))
	}
	p.closeBlock()
	slices.SortStableFunc(p.problems, func(a, b engine.Problem) int { return a.Line - b.Line })
	return p.all, p.problems
}

type lockParser struct {
	file     string
	line     int
	all      []Contract
	seen     map[string]bool // of the endpoints, and of the keys of the last one
	begun    int             // line of the last endpoint
	lost     bool            // the last endpoint could not be read, so what follows belongs to none
	problems engine.Problems
}

func (p *lockParser) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, engine.Problem{
		Pos: engine.Pos{File: p.file, Line: line, Column: 1}, Message: fmt.Sprintf(format, args...), Hint: "sluice lock writes it anew",
	})
}

func (p *lockParser) read(line string) {
	switch text := strings.TrimLeft(line, " "); {
	case text == "" || text[0] == '#':
	case text == line:
		p.endpoint(text)
	case p.lost:
	case len(p.all) == 0:
		p.problem(p.line, "there is no endpoint above this line")
	default:
		p.fact(&p.all[len(p.all)-1], text)
	}
}

func (p *lockParser) endpoint(text string) {
	p.closeBlock()
	method, path, _ := strings.Cut(text, " ")
	c := Contract{Method: method, Path: path}
	switch {
	case !strings.HasPrefix(path, "/") || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }):
		p.problem(p.line, "%q is no endpoint", text)
		p.lost = true
		return
	case p.seen[c.shape()]:
		p.problem(p.line, "%s is there twice", text)
	}
	p.seen[c.shape()] = true
	p.all = append(p.all, c)
	p.begun, p.lost = p.line, false
}

// closeBlock reports an endpoint of which the most important is not said: what
// is not said must never read as permitted.
func (p *lockParser) closeBlock() {
	if len(p.all) > 0 && !p.lost && !p.seen["session"] {
		p.problem(p.begun, "%s has no session", p.all[len(p.all)-1].Endpoint())
	}
	for _, key := range lockKeys {
		delete(p.seen, key)
	}
}

func (p *lockParser) fact(c *Contract, text string) {
	key, value, _ := strings.Cut(text, ": ")
	if p.seen[key] {
		p.problem(p.line, "%s is there twice for %s", key, c.Endpoint())
	}
	p.seen[key] = true
	ok := true
	switch key {
	case "session":
		ok = false
		for mode := engine.SessionNone; mode <= engine.SessionRequired; mode++ {
			if mode.String() == value {
				c.Session, ok = mode, true
			}
		}
	case "apiKey":
		ok = false
		for mode := engine.KeyOptional; mode <= engine.KeyInstead; mode++ {
			if mode.String() == value {
				c.APIKey, ok = mode, true
			}
		}
	case "fresh":
		var err error
		c.Fresh, err = time.ParseDuration(value)
		ok = err == nil && c.Fresh > 0
	case "limit":
		c.Limit, ok = parseLimit(value)
	case "groups":
		c.Groups, ok = parseList(value)
	case "reads":
		c.Reads, ok = parseList(value)
	case "writes":
		c.Writes, ok = parseList(value)
	case "calls":
		c.Calls, ok = parseList(value)
	default:
		p.problem(p.line, "%q says nothing about an endpoint", text)
	}
	if !ok {
		p.problem(p.line, "%s cannot be %q", key, value)
	}
}

func parseLimit(text string) (*engine.Limit, bool) {
	rate, per, _ := strings.Cut(text, " per ")
	count, each, ok := engine.ParseRate(rate)
	if !ok || per == "" {
		return nil, false
	}
	return &engine.Limit{Rate: count, Each: each, Per: strings.Split(per, ", ")}, true
}

// listText writes texts with commas; one that could be read as something else is
// quoted.
func listText(items []string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i] = item; item == "" || strconv.Quote(item) != `"`+item+`"` || strings.ContainsAny(item, ", ") {
			texts[i] = strconv.Quote(item)
		}
	}
	return strings.Join(texts, ", ")
}

// parseList reads what listText wrote, sorted.
func parseList(text string) (items []string, ok bool) {
	for {
		item, after := text, ""
		if strings.HasPrefix(text, `"`) {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, false
			}
			after = text[len(quoted):]
			item, _ = strconv.Unquote(quoted) // what QuotedPrefix returns can be unquoted
		} else if i := strings.Index(text, ", "); i >= 0 {
			item, after = text[:i], text[i:]
		}
		if item == "" && text == item {
			return nil, false
		}
		items = append(items, item)
		if after == "" {
			slices.Sort(items)
			return items, true
		}
		if text, ok = strings.CutPrefix(after, ", "); !ok {
			return nil, false
		}
	}
}
