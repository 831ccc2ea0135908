package format

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// modeline begins the comment that tells editors the schema of a file.
const modeline = "# yaml-language-server:"

// arrange puts the keys of a flow and of its steps in order, in the tree and in
// the text alike. Files that are no flows stay as they are.
func arrange(n *yaml.Node, b *block) {
	if n == nil || n.Kind != yaml.MappingNode || !blocky(n) {
		return
	}
	known := engine.HeaderKeys()
	steps := false
	for i := 0; i < len(n.Content); i += 2 {
		steps = steps || n.Content[i].Value == "steps"
		if n.Content[i].Value == "node" {
			known = engine.NodeFlowKeys()
		}
	}
	if !steps {
		return
	}
	// What stands above the first key is of the whole file, but for what is said
	// right above it, which could be of the key.
	first := b.entries[0]
	top := slices.IndexFunc(first.lead, func(l string) bool { return strings.HasPrefix(l, modeline) }) + 1
	for i, l := range first.lead {
		if l == "" {
			top = max(top, i+1)
		}
	}
	above := first.lead[:top]
	first.lead = first.lead[top:]
	if !first.said() || n.Content[0].Value == known[0] {
		reorder(n, b, known)
	}
	b.entries[0].lead = append(slices.Clone(above), b.entries[0].lead...)
	for i, e := range b.entries {
		if n.Content[2*i].Value == "steps" {
			arrangeSteps(n.Content[2*i+1], e.inner)
		}
	}
}

// said tells whether there is a comment above an entry.
func (e *entry) said() bool { return strings.Join(e.lead, "") != "" }

// reorder sorts the entries of a mapping by the order of known keys. Where a key
// is not known all stays as it is.
func reorder(n *yaml.Node, b *block, known []string) {
	type pair struct {
		key, value *yaml.Node
		entry      *entry
	}
	pairs := make([]pair, len(b.entries))
	for i, e := range b.entries {
		pairs[i] = pair{n.Content[2*i], n.Content[2*i+1], e}
		if !slices.Contains(known, pairs[i].key.Value) {
			return
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return slices.Index(known, a.key.Value) - slices.Index(known, b.key.Value)
	})
	for i, p := range pairs {
		n.Content[2*i], n.Content[2*i+1], b.entries[i] = p.key, p.value, p.entry
	}
}

func arrangeSteps(n *yaml.Node, b *block) {
	if b == nil || n.Kind != yaml.SequenceNode || !blocky(n) {
		return
	}
	for i, e := range b.entries {
		if step := n.Content[i]; e.inner != nil && step.Kind == yaml.MappingNode && blocky(step) {
			arrangeStep(step, e.inner)
		}
	}
}

func arrangeStep(n *yaml.Node, b *block) {
	verb := ""
	for i := 0; i < len(n.Content); i += 2 {
		if verb == "" && engine.StepKeys(n.Content[i].Value) != nil {
			verb = n.Content[i].Value
		}
	}
	known := slices.DeleteFunc(engine.StepKeys(verb), func(k string) bool { return k == "id" })
	if !slices.ContainsFunc(b.entries, (*entry).said) {
		reorder(n, b, append([]string{"id"}, known...))
	}
	for i, e := range b.entries {
		value := n.Content[2*i+1]
		switch n.Content[2*i].Value {
		case "then", "else", "do", "try", "finally", "undo":
			arrangeSteps(value, e.inner)
		case "on", "cases", "catch", "parallel":
			if e.inner == nil || value.Kind != yaml.MappingNode || !blocky(value) {
				continue
			}
			for j, branch := range e.inner.entries {
				arrangeSteps(value.Content[2*j+1], branch.inner)
			}
		}
	}
}
