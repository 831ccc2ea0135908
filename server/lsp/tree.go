package lsp

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A sort is what can stand at a place of a file.
type sort uint8

const (
	otherSort sort = iota // what nothing is known of
	flowSort
	inputSort
	typeSort  // a word, a schema or the properties of an object
	propsSort // name: type
	formatSort
	limitSort
	repeatSort
	sessionSort
	apiKeySort
	clientKeySort
	answerSort
	truthSort
	outcomesSort // of a node flow
	outcomeSort
	kindSort
	blockSort // a list of steps
	stepSort
	idSort
	nodeSort
	nodeNameSort // the name that a node flow gives itself
	paramsSort   // with:
	onSort
	routeSort  // behind an outcome: continue, or a block
	blocksSort // name: block
	catchSort
	retrySort
	failSort
	valueSort
	conditionSort
	errorsSort // errors.yaml
	errorSort
	typesSort // types.yaml
)

// inside are the sorts of what stands behind the keys of a mapping; that of "" is
// behind every other key.
var inside = map[sort]map[string]sort{
	flowSort: {
		"session": sessionSort, "apiKey": apiKeySort, "clientKey": clientKeySort, "limit": limitSort, "repeat": repeatSort, "input": inputSort, "answer": answerSort, "output": typeSort,
		"enabled": truthSort, "params": typeSort, "outcomes": outcomesSort, "steps": blockSort, "node": nodeNameSort,
	},
	inputSort:    {"": typeSort},
	propsSort:    {"": typeSort},
	typesSort:    {"": typeSort},
	limitSort:    {"per": valueSort},
	outcomesSort: {"": outcomeSort},
	outcomeSort:  {"kind": kindSort},
	stepSort: {
		"id": idSort, "as": idSort, "index": idSort, "node": nodeSort, "with": paramsSort, "on": onSort, "undo": blockSort, "if": conditionSort, "when": conditionSort,
		"then": blockSort, "else": blockSort, "switch": valueSort, "cases": blocksSort, "each": valueSort, "do": blockSort,
		"collect": valueSort, "parallel": blocksSort, "try": blockSort, "retry": retrySort, "catch": catchSort, "finally": blockSort,
		"let": valueSort, "eventId": valueSort, "data": valueSort, "headers": valueSort, "body": valueSort, "cookies": valueSort, "file": valueSort, "redirect": valueSort, "fail": failSort,
		"details": valueSort, "return": valueSort,
	},
	paramsSort: {"": valueSort},
	valueSort:  {"": valueSort},
	onSort:     {"": routeSort},
	blocksSort: {"": blockSort},
	catchSort:  {"": blockSort},
	errorsSort: {"": errorSort},
}

var schemaInside = map[string]sort{
	"type": typeSort, "items": typeSort, "additionalProperties": typeSort, "properties": propsSort, "format": formatSort, "uniqueItems": truthSort,
	"oneOf": typeSort, "anyOf": typeSort, "allOf": typeSort, "not": typeSort, "if": typeSort, "then": typeSort, "else": typeSort,
	"prefixItems": typeSort, "contains": typeSort, "propertyNames": typeSort, "patternProperties": propsSort, "dependentSchemas": propsSort,
	"readOnly": truthSort, "writeOnly": truthSort, "unevaluatedProperties": truthSort,
}

// behind is the sort of what stands behind a key.
func (s sort) behind(mapping *yaml.Node, key string) sort {
	if s == typeSort {
		if engine.IsSchema(mapping) {
			return schemaInside[key]
		}
		return typeSort
	}
	if in, ok := inside[s][key]; ok {
		return in
	}
	return inside[s][""]
}

// item is the sort of what stands in a list.
func (s sort) item() sort {
	switch s {
	case blockSort, routeSort:
		return stepSort
	case valueSort, typeSort:
		return s
	}
	return otherSort
}

// rootSort is the sort of a whole file.
func rootSort(file string) sort {
	switch file {
	case "errors.yaml":
		return errorsSort
	case "types.yaml":
		return typesSort
	case "sluice.yaml": // of settings
		return otherSort
	}
	return flowSort
}

// child returns what stands behind a key of a mapping, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if k := childKey(n, key); k >= 0 {
		return n.Content[k+1]
	}
	return nil
}

// childKey returns the index of a key in a mapping's content, or -1.
func childKey(n *yaml.Node, key string) int {
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return i
			}
		}
	}
	return -1
}

// A spot is one scalar of a file, and where it stands.
type spot struct {
	node *yaml.Node
	sort sort   // of a key: of its mapping
	name string // of a value: its key, "" in a list
	key  bool
	up   []level // what it stands in, outermost first
}

// A level is a mapping or a list around a spot.
type level struct {
	node *yaml.Node
	sort sort
	name string // key behind which it stands, "" in a list
}

// within returns the innermost level of a sort around the spot, or nil.
func (s spot) within(of sort) *yaml.Node {
	for i := len(s.up) - 1; i >= 0; i-- {
		if s.up[i].sort == of {
			return s.up[i].node
		}
	}
	return nil
}

// mapping returns the mapping that the spot is a key of or stands in, or nil.
func (s spot) mapping() *yaml.Node {
	if n := len(s.up); n > 0 && s.up[n-1].node.Kind == yaml.MappingNode {
		return s.up[n-1].node
	}
	return nil
}

// walk visits every scalar of a tree, in the order of the text, until told to stop.
func walk(root *yaml.Node, of sort, visit func(spot) (goOn bool)) {
	var up []level
	var in func(n *yaml.Node, of sort, name string) bool
	in = func(n *yaml.Node, of sort, name string) bool {
		switch n.Kind {
		case yaml.ScalarNode:
			return visit(spot{node: n, sort: of, name: name, up: up})
		case yaml.MappingNode:
			up = append(up, level{n, of, name})
			defer func() { up = up[:len(up)-1] }()
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				if k.Kind == yaml.ScalarNode && !visit(spot{node: k, sort: of, name: name, key: true, up: up}) {
					return false
				}
				if !in(v, of.behind(n, k.Value), k.Value) {
					return false
				}
			}
		case yaml.SequenceNode:
			up = append(up, level{n, of, name})
			defer func() { up = up[:len(up)-1] }()
			for _, c := range n.Content {
				if !in(c, of.item(), "") {
					return false
				}
			}
		}
		return true
	}
	if root != nil {
		in(root, of, "")
	}
}

var badLine = regexp.MustCompile(`line (\d+):`)

// parse reads a tree. Where the text is no YAML the tree is nil, and bad is about
// where it went wrong, from 1, or 0.
func parse(s string) (root *yaml.Node, bad int) {
	defer func() {
		if recover() != nil { // the YAML library panics on some garbage
			root = nil
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s), &doc); err != nil {
		if m := badLine.FindStringSubmatch(err.Error()); m != nil {
			bad, _ = strconv.Atoi(m[1]) // digits
		}
		return nil, bad
	}
	if len(doc.Content) == 0 {
		return nil, 0
	}
	return doc.Content[0], 0
}

// readable parses a text, without the line that keeps it from being YAML where
// there is one.
func readable(t text) *yaml.Node {
	root, bad := parse(t.S)
	for n := bad; root == nil && n >= max(0, bad-3) && bad > 0; n-- {
		from, to := t.Line(n)
		root, _ = parse(t.S[:from] + strings.Repeat(" ", to-from) + t.S[to:])
	}
	return root
}
