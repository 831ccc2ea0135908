package flowtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// forms are what {is: ...} knows.
var forms = map[string]func(v any) bool{
	"text":    func(v any) bool { _, ok := v.(string); return ok },
	"number":  func(v any) bool { _, ok := v.(json.Number); return ok },
	"integer": func(v any) bool { n, ok := v.(json.Number); return ok && !strings.ContainsAny(string(n), ".eE") },
	"boolean": func(v any) bool { _, ok := v.(bool); return ok },
	"object":  func(v any) bool { _, ok := v.(map[string]any); return ok },
	"list":    func(v any) bool { _, ok := v.([]any); return ok },
	"uuid":    textForm(func(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }),
	"email":   textForm(func(s string) bool { a, err := mail.ParseAddress(s); return err == nil && a.Address == s }),
	"time":    textForm(func(s string) bool { _, err := time.Parse(time.RFC3339Nano, s); return err == nil }),
}

func textForm(f func(string) bool) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && f(s) }
}

// nothing stands for a value that is not there.
type nothing struct{}

// A match compares what was got with what is wanted and notes every difference.
type match struct {
	file   string
	names  names
	exact  bool
	differ func(at engine.Pos, format string, args ...any)
}

// value compares one value; what is how the user knows it, as in body.user.id.
func (m *match) value(n *yaml.Node, got any, what string) {
	at := engine.Pos{File: m.file, Line: n.Line, Column: n.Column}
	if key, arg, ok := matcherOf(n); ok {
		m.matcher(at, key, arg, got, what)
		return
	}
	if got == (nothing{}) {
		m.differ(at, "%s is absent, want %s", what, show(plainValue(n, m.names.any)))
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		object, ok := got.(map[string]any)
		if !ok {
			m.differ(at, "%s = %s, want an object", what, show(got))
			return
		}
		m.object(at, n, object, what)
	case yaml.SequenceNode:
		list, ok := got.([]any)
		if !ok || len(list) != len(n.Content) {
			m.differ(at, "%s = %s, want %s", what, show(got), counted(len(n.Content)))
			return
		}
		for i, item := range n.Content {
			m.value(item, list[i], fmt.Sprintf("%s[%d]", what, i))
		}
	default:
		if want := plainValue(n, m.names.any); !equal(got, want) {
			m.differ(at, "%s = %s, want %s", what, show(got), show(want))
		}
	}
}

func (m *match) object(at engine.Pos, n *yaml.Node, got map[string]any, what string) {
	named := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		named[key] = true
		inside, ok := got[key]
		if !ok {
			inside = nothing{}
		}
		m.value(n.Content[i+1], inside, what+"."+key)
	}
	if !m.exact {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if !named[key] {
			m.differ(at, "%s.%s = %s, want it absent", what, key, show(got[key]))
		}
	}
}

func (m *match) matcher(at engine.Pos, key string, arg *yaml.Node, got any, what string) {
	switch {
	case key == "absent":
		if got != (nothing{}) {
			m.differ(at, "%s = %s, want it absent", what, show(got))
		}
	case got == (nothing{}):
		m.differ(at, "%s is absent, want it there", what)
	case key == "is":
		if !forms[arg.Value](got) {
			m.differ(at, "%s = %s, want it to be: %s", what, show(got), arg.Value)
		}
	case key == "matches":
		s, ok := got.(string)
		if pattern := m.names.expand(arg.Value); !ok || !regexp.MustCompile(pattern).MatchString(s) {
			m.differ(at, "%s = %s, want it to match %s", what, show(got), pattern)
		}
	}
}

// equal compares a value of an answer with a plain one; 1 and 1.0 are equal.
func equal(got, want any) bool {
	a, isNumber := got.(json.Number)
	if !isNumber {
		return got == want
	}
	x, ok := new(big.Rat).SetString(string(a))
	y, fine := new(big.Rat).SetString(fmt.Sprint(want))
	switch want.(type) {
	case json.Number, float64:
		return ok && fine && x.Cmp(y) == 0
	}
	return false
}

func counted(n int) string {
	if n == 1 {
		return "a list of 1 item"
	}
	return fmt.Sprintf("a list of %d items", n)
}

// show writes a value as short JSON.
func show(v any) string {
	if v == (nothing{}) {
		return "nothing"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return short(strings.TrimSpace(b.String()))
}

// short cuts a text for a message.
func short(s string) string {
	const most = 200
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + " ..."
	}
	return s
}
