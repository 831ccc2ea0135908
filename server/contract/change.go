package contract

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
)

// A Change is one difference between what an endpoint was and what it is.
type Change struct {
	Endpoint string     // METHOD /path
	What     string     // endpoint, session, groups, apiKey, limit, reads, writes, calls, timeout, repeat, answers, input, output or events
	Text     string     // as in "session required -> none"
	Wider    bool       // it permits what was not permitted before
	Pos      engine.Pos // of what is responsible; no File where the endpoint is gone
}

// Permits returns the changes of what endpoints permit: who may call them, how
// often, and what they touch.
func Permits(before, now []Contract) []Change {
	return compare(before, now, (*comparison).permits)
}

// Diff returns all changes.
func Diff(before, now []Contract) []Change {
	return compare(before, now, func(c *comparison) {
		c.permits()
		c.promises()
	})
}

// A comparison is of an endpoint with what it was.
type comparison struct {
	old, now *Contract
	changes  []Change
}

// compare compares the endpoints of each shape by what. An endpoint that came is
// one change and so is one that went; the others come in the order of now.
func compare(before, now []Contract, what func(*comparison)) []Change {
	old := map[string]*Contract{}
	for i := range before {
		old[before[i].shape()] = &before[i]
	}
	var changes []Change
	for i := range now {
		c := &comparison{now: &now[i]}
		shape := now[i].shape()
		if c.old = old[shape]; c.old == nil {
			c.add("endpoint", true, "new endpoint for %s", who(&now[i]))
		} else {
			what(c)
		}
		delete(old, shape)
		changes = append(changes, c.changes...)
	}
	for i := range before {
		if gone := &before[i]; old[gone.shape()] == gone {
			changes = append(changes, Change{Endpoint: gone.Endpoint(), What: "endpoint", Text: "no longer there"})
		}
	}
	return changes
}

// who says who may call as the object of "for".
func who(c *Contract) string {
	if w := c.Who(); w != "public" {
		return w
	}
	return "everybody"
}

func (c *comparison) add(what string, wider bool, format string, args ...any) {
	c.addAt(what, what, wider, format, args...)
}

func (c *comparison) addAt(place, what string, wider bool, format string, args ...any) {
	c.changes = append(c.changes, Change{c.now.Endpoint(), what, fmt.Sprintf(format, args...), wider, c.now.place(place)})
}

func (c *comparison) permits() {
	old, now := c.old, c.now
	if old.Session != now.Session {
		c.add("session", now.Session < old.Session, "session %s -> %s", old.Session, now.Session)
	}
	if now.Session == engine.SessionRequired && old.Fresh != now.Fresh {
		wider := old.Fresh > 0 && (now.Fresh == 0 || now.Fresh > old.Fresh)
		c.add("session", wider, "session fresh for %s -> %s", freshText(old.Fresh), freshText(now.Fresh))
	}
	// A session that is no longer required has no groups, which goes without saying.
	if now.Session == engine.SessionRequired && !slices.Equal(old.Groups, now.Groups) {
		wider := len(old.Groups) > 0 && (len(now.Groups) == 0 || len(without(now.Groups, old.Groups)) > 0)
		c.add("groups", wider, "groups %s -> %s", groups(old.Groups), groups(now.Groups))
	}
	if old.APIKey != now.APIKey {
		c.add("apiKey", easierKey(old, now), "apiKey %s -> %s", old.APIKey, now.APIKey)
	}
	if from, to := old.Limit.String(), now.Limit.String(); from != to {
		c.add("limit", looser(old.Limit, now.Limit), "limit %s -> %s", from, to)
	}
	for _, t := range []struct {
		what, verb string
		old, now   []string
	}{{"reads", "read", old.Reads, now.Reads}, {"writes", "write", old.Writes, now.Writes}, {"calls", "call", old.Calls, now.Calls}} {
		for _, name := range without(t.now, t.old) {
			c.addAt(t.what+" "+name, t.what, true, "now %s %s", t.what, name)
		}
		for _, name := range without(t.old, t.now) {
			c.add(t.what, false, "no longer %s %s", t.what, name)
		}
	}
}

// promises compares what callers see.
func (c *comparison) promises() {
	old, now := c.old, c.now
	if old.Timeout != now.Timeout {
		c.add("timeout", false, "timeout %s -> %s", durationText(old.Timeout), durationText(now.Timeout))
	}
	if from, to := repeatText(old.Repeat), repeatText(now.Repeat); from != to {
		c.add("repeat", false, "repeat %s -> %s", from, to)
	}
	for _, status := range without(now.Answers, old.Answers) {
		c.add("answers", false, "new answer %d", status)
	}
	for _, f := range without(now.Failures, old.Failures) {
		c.add("answers", false, "new answer %d %s", f.Status, f.Code)
	}
	for _, status := range without(old.Answers, now.Answers) {
		c.add("answers", false, "no longer answers %d", status)
	}
	for _, f := range without(old.Failures, now.Failures) {
		c.add("answers", false, "no longer answers %d %s", f.Status, f.Code)
	}
	c.fields("input", old.Input, now.Input)
	c.fields("output", old.Output, now.Output)
	c.fields("events", old.Events, now.Events)
}

func (c *comparison) fields(what string, old, now []Field) {
	named := func(list []Field, name string) (Field, bool) {
		if i := slices.IndexFunc(list, func(f Field) bool { return f.Name == name }); i >= 0 {
			return list[i], true
		}
		return Field{}, false
	}
	told := "" // with it, what is inside it is told
	inside := func(f Field) bool {
		return told != "" && (strings.HasPrefix(f.Name, told+".") || strings.HasPrefix(f.Name, told+"[") || strings.HasPrefix(f.Name, told+"("))
	}
	for _, f := range now {
		was, ok := named(old, f.Name)
		switch {
		case !ok && inside(f):
			continue
		case !ok:
			told = f.Name
			c.add(what, false, "new %s %s, %s", f.presence(), f.Name, f.Type)
			continue
		}
		if was.Type != f.Type {
			c.add(what, false, "%s is %s, was %s", f.Name, f.Type, was.Type)
		}
		if was.Required != f.Required {
			c.add(what, false, "%s is %s, was %s", f.Name, f.presence(), was.presence())
		}
	}
	told = ""
	for _, f := range old {
		if _, ok := named(now, f.Name); !ok && !inside(f) {
			told = f.Name
			c.add(what, false, "no longer %s", f.Name)
		}
	}
}

// without returns what of a is not in b.
func without[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(v T) bool { return slices.Contains(b, v) })
}

func groups(list []string) string {
	if len(list) == 0 {
		return "any"
	}
	return strings.Join(list, ", ")
}

// freshText says how old the proof of a session may be.
func freshText(d time.Duration) string {
	if d == 0 {
		return "ever"
	}
	return durationText(d)
}

func repeatText(r *engine.Repeat) string {
	if r == nil {
		return "none"
	}
	return "by " + r.Header + " for " + durationText(r.Keep)
}

// looser tells whether a limit lets through what another one did not: more calls
// at once or in the long run, or callers told apart by more.
func looser(old, now *engine.Limit) bool {
	switch {
	case old == nil:
		return false
	case now == nil:
		return true
	}
	inTheLongRun := float64(now.Rate)*float64(old.Each) > float64(old.Rate)*float64(now.Each)
	return inTheLongRun || now.Rate > old.Rate || len(without(now.Per, old.Per)) > 0
}

// durationText writes a duration as authors do: 5m, not 5m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// easierKey tells whether what is asked of keys lets somebody in who was not let in
// before. Where a key does instead of a session, that is whoever has only one of two
// that were asked for.
func easierKey(old, now *Contract) bool {
	if now.APIKey == engine.KeyInstead {
		return old.Session == engine.SessionRequired || old.APIKey == engine.KeyRequired
	}
	return old.APIKey != engine.KeyInstead && now.APIKey < old.APIKey
}
