package flowtest

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// names are what the texts of a test can refer to as $name.property: users and
// sessions that are given.
type names map[string]map[string]string

var (
	userProps    = []string{"id", "email", "phone", "name", "totp", "recovery"}
	sessionProps = []string{"id", "token", "userId"}
	keyProps     = []string{"id", "key"}
	codeProps    = []string{"code"}

	reference = regexp.MustCompile(`^\$([A-Za-z][A-Za-z0-9_-]*)\.([A-Za-z][A-Za-z0-9_]*)$`)
	inText    = regexp.MustCompile(`\{\$([A-Za-z][A-Za-z0-9_-]*)\.([A-Za-z][A-Za-z0-9_]*)\}`)
)

// expand replaces references by what they refer to. A text that begins with two
// dollars stands for itself without the first.
func (ns names) expand(text string) string {
	if rest, ok := strings.CutPrefix(text, "$$"); ok {
		return "$" + rest
	}
	if m := reference.FindStringSubmatch(text); m != nil {
		return ns[m[1]][m[2]]
	}
	return inText.ReplaceAllStringFunc(text, func(part string) string {
		m := inText.FindStringSubmatch(part)
		return ns[m[1]][m[2]]
	})
}

func (ns names) any(text string) any { return ns.expand(text) }

// declare makes a name known before its values are.
func (ns names) declare(name string, props []string) {
	ns[name] = map[string]string{}
	for _, p := range props {
		ns[name][p] = ""
	}
}

// checkReferences reports the references of a tree that lead nowhere.
func (s *source) checkReferences(n *yaml.Node, ns names) {
	if n == nil {
		return
	}
	for _, c := range n.Content {
		s.checkReferences(c, ns)
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || strings.HasPrefix(n.Value, "$$") {
		return
	}
	found := inText.FindAllStringSubmatch(n.Value, -1)
	if strings.HasPrefix(n.Value, "$") {
		m := reference.FindStringSubmatch(n.Value)
		if m == nil {
			s.problem(n, "write $name.property, or $$ for a text that begins with a dollar", "%q is no reference", n.Value)
			return
		}
		found = [][]string{m}
	}
	for _, m := range found {
		props, ok := ns[m[1]]
		switch _, has := props[m[2]]; {
		case !ok:
			s.problem(n, hint(m[1], slices.Collect(maps.Keys(ns)), "given: names users and sessions"), "there is no $%s here", m[1])
		case !has:
			s.problem(n, hint(m[2], slices.Collect(maps.Keys(props)), ""), "$%s has no %q", m[1], m[2])
		}
	}
}

// rows makes of a test with each: one test a row, with $case.NAME replaced by
// what the row has under the name. Other tests come back as they are.
func (s *source) rows(test *yaml.Node) []*yaml.Node {
	i := keyIndex(test, "each")
	if i < 0 {
		return []*yaml.Node{test}
	}
	list := test.Content[i+1]
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		s.problem(list, "as in each: [{email: a}, {email: b}]", "each must be a list of cases")
		return nil
	}
	var tests []*yaml.Node
	for _, row := range list.Content {
		values := map[string]*yaml.Node{}
		for _, e := range s.mapping(row, "a case") {
			values[e.key.Value] = e.value
		}
		one := s.filled(test, values)
		one.Content = slices.Delete(one.Content, i, i+2)
		if j := keyIndex(one, "name"); j >= 0 && one.Content[j+1].Kind == yaml.ScalarNode {
			one.Content[j+1].Value += ": " + caseName(row, values)
		}
		tests = append(tests, one)
	}
	return tests
}

// caseName is a name for a case: its own, or all that it has.
func caseName(row *yaml.Node, values map[string]*yaml.Node) string {
	if n := values["name"]; n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var parts []string
	for i := 0; i+1 < len(row.Content); i += 2 {
		if v := row.Content[i+1]; v.Kind == yaml.ScalarNode {
			parts = append(parts, v.Value)
		}
	}
	return strings.Join(parts, ", ")
}

var caseInText = regexp.MustCompile(`\{\$case\.([A-Za-z][A-Za-z0-9_]*)\}`)

// filled copies a tree with $case.NAME replaced. What was put in stands at the
// place where it is used.
func (s *source) filled(n *yaml.Node, values map[string]*yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, inside := range n.Content {
		c.Content[i] = s.filled(inside, values)
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		return &c
	}
	value := func(name string) *yaml.Node {
		v := values[name]
		if v == nil {
			s.problem(n, hint(name, slices.Collect(maps.Keys(values)), ""), "a case has no %q", name)
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
		}
		return v
	}
	if name, ok := strings.CutPrefix(n.Value, "$case."); ok {
		c = *value(name)
		c.Line, c.Column = n.Line, n.Column
		return &c
	}
	c.Value = caseInText.ReplaceAllStringFunc(n.Value, func(part string) string {
		return value(caseInText.FindStringSubmatch(part)[1]).Value
	})
	return &c
}

// keyIndex is where a key of a mapping stands in its Content, or -1.
func keyIndex(n *yaml.Node, key string) int {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return i
			}
		}
	}
	return -1
}
