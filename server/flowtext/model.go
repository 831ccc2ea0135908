package flowtext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// What changes mean: the same on a tree, without a text.

// keys are the parts of a place.
func keys(place string) (all []string) {
	if place == "" {
		return nil
	}
	for part := range strings.SplitSeq(place, "/") {
		all = append(all, unescape.Replace(part))
	}
	return all
}

func clone(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i := range n.Content {
		c.Content[i] = clone(n.Content[i])
	}
	return &c
}

// Same tells whether two trees mean the same. The order of the keys of a mapping
// means nothing.
func Same(a, b *yaml.Node) bool {
	if isNull(a) || isNull(b) {
		return isNull(a) && isNull(b)
	}
	if a.Kind != b.Kind || a.Kind == yaml.ScalarNode && (a.Tag != b.Tag || a.Value != b.Value) || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(a.Content); i += 2 {
			j := keyOf(b, a.Content[i].Value)
			if j < 0 || !Same(a.Content[i+1], b.Content[j+1]) {
				return false
			}
		}
		return true
	}
	for i := range a.Content {
		if !Same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// keyOf is the index of a key in a mapping's content, or -1.
func keyOf(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// step goes down by one key of a tree. It returns where its value is held, or nil.
func held(n *yaml.Node, key string) **yaml.Node {
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		if i := keyOf(n, key); i >= 0 {
			return &n.Content[i+1]
		}
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return &n.Content[i]
		}
	}
	return nil
}

// modelIn does a change in the collection that the last of some keys is in, which
// is made where it is not there.
func modelIn(n *yaml.Node, path []string, numbered bool, do func(in *yaml.Node, key string) error) (*yaml.Node, error) {
	if len(path) == 1 {
		if isNull(n) || n.Kind == yaml.ScalarNode && numbered {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			if numbered {
				n = list()
			}
		}
		return n, do(n, path[0])
	}
	if isNull(n) {
		n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	at := held(n, path[0])
	if at == nil {
		if n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("%s: %w", path[0], errNowhere)
		}
		n.Content = append(n.Content, Word(path[0]), nil)
		at = &n.Content[len(n.Content)-1]
	}
	inner, err := modelIn(*at, path[1:], numbered, do)
	*at = inner
	return n, err
}

func modelSet(n *yaml.Node, path []string, v *yaml.Node) (*yaml.Node, error) {
	if len(path) == 0 {
		return v, nil
	}
	_, err := strconv.Atoi(path[len(path)-1])
	numbered := err == nil && IsStep(Join("", path...))
	return modelIn(n, path, numbered, func(in *yaml.Node, key string) error {
		if at := held(in, key); at != nil {
			*at = v
			return nil
		}
		switch in.Kind {
		case yaml.MappingNode:
			in.Content = append(in.Content, Word(key), v)
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(key); err != nil || i < 0 {
				return fmt.Errorf("%s is no number of an item", key)
			}
			in.Content = append(in.Content, v)
		default:
			return fmt.Errorf("%s is below what is no mapping", key)
		}
		return nil
	})
}

func modelInsert(n *yaml.Node, path []string, v *yaml.Node) (*yaml.Node, error) {
	if len(path) == 0 {
		return nil, errNowhere
	}
	return modelIn(n, path, true, func(in *yaml.Node, key string) error {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || in.Kind != yaml.SequenceNode {
			return fmt.Errorf("%s is no place in a list", strings.Join(path, "/"))
		}
		in.Content = slices.Insert(in.Content, min(i, len(in.Content)), v)
		return nil
	})
}

func modelUnset(n *yaml.Node, path []string) (*yaml.Node, error) {
	at := &n
	for i, key := range path {
		inner := held(*at, key)
		if inner == nil {
			return nil, fmt.Errorf("removing %s: %w", strings.Join(path, "/"), errNowhere)
		}
		if i+1 < len(path) {
			at = inner
			continue
		}
		if (*at).Kind == yaml.MappingNode {
			k := keyOf(*at, key)
			(*at).Content = slices.Delete((*at).Content, k, k+2)
		} else {
			k, _ := strconv.Atoi(key) // held found it
			(*at).Content = slices.Delete((*at).Content, k, k+1)
		}
	}
	if n != nil && len(n.Content) == 0 {
		return nil, nil
	}
	return n, nil
}

func modelKey(n *yaml.Node, path []string, name string) (*yaml.Node, error) {
	at := n
	for i, key := range path {
		if i+1 == len(path) {
			at.Content[keyOf(at, key)].Value = name
			return n, nil
		}
		at = *held(at, key)
	}
	return n, nil
}
