package flowtext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// wide is how long a line may become before a collection is written in lines of
// its own.
const wide = 100

// FromJSON makes a tree of JSON, in the order in which it is written.
func FromJSON(data []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := decode(d)
	if err != nil {
		return nil, fmt.Errorf("reading the value: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading the value: something stands behind it")
	}
	return n, nil
}

func decode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if v == '{' {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		for d.More() {
			c, err := decode(d)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, c)
		}
		_, err := d.Token() // the end; names and values come in turns
		return n, err
	case string:
		return Word(v), nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

// Word is a text as a tree.
func Word(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

// Map is a mapping of one key.
func Map(key string, v *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{Word(key), v}}
}

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// scalarText writes a scalar on one line, in quotes where it needs them.
func scalarText(n *yaml.Node) string {
	if n.Tag != "!!str" || plainly(n.Value, "k: %s\n", "{k: %s, l: [%[1]s]}\n", "%s: k\n") {
		return n.Value
	}
	return strconv.Quote(n.Value) // whose escapes are those of YAML
}

// keyText writes a key that has a line of its own: less needs quotes there than
// inside { }, as the question mark of what may be absent does.
func keyText(key string) string {
	if plainly(key, "%s: k\n") {
		return key
	}
	return scalarText(Word(key))
}

// plainly tells whether a text can stand without quotes in texts, which have it as the
// first key or else as the first value.
func plainly(s string, texts ...string) bool {
	if s == "" || len(s) > 1<<12 || strings.ContainsAny(s, "\n\r\t") {
		return false
	}
	for _, around := range texts {
		root, second, mistake := engine.ReadYAML("", fmt.Appendf(nil, around, s))
		if mistake != nil || second != nil || root.Kind != yaml.MappingNode || len(root.Content) < 2 {
			return false
		}
		v := root.Content[1]
		if strings.HasPrefix(around, "%s") {
			v = root.Content[0]
		}
		if v.Kind != yaml.ScalarNode || v.Tag != "!!str" || v.Value != s || v.Anchor != "" || v.LineComment != "" {
			return false
		}
	}
	return true
}

// Inline writes a value on one line.
func Inline(n *yaml.Node) string { return inline(n) }

func inline(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return scalarText(n)
	}
	var parts []string
	if n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			parts = append(parts, inline(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		parts = append(parts, scalarText(n.Content[i])+": "+inline(n.Content[i+1]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Entry writes a key with its value as lines of a mapping at a column: on one line where
// it is short, or else on lines below.
func Entry(key string, v *yaml.Node, column int) []string {
	head, below := lines(v, "entry/value", column+2)
	return append([]string{strings.TrimRight(strings.Repeat(" ", column)+keyText(key)+": "+head, " ")}, below...)
}

// lines writes what stands at a place, behind a key or a dash at a column: on
// one line where it is short, or else on lines below.
func lines(n *yaml.Node, place string, column int) (head string, below []string) {
	if n.Kind == yaml.ScalarNode || len(n.Content) == 0 || !roomy(n, place) && column+len(inline(n)) <= wide {
		return inline(n), nil
	}
	in := strings.Repeat(" ", column)
	if n.Kind == yaml.SequenceNode {
		for i, c := range n.Content {
			below = append(below, item(c, Join(place, strconv.Itoa(i)), column)...)
		}
		return "", below
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := keyText(n.Content[i].Value) + ":"
		h, more := lines(n.Content[i+1], Join(place, n.Content[i].Value), column+2)
		below = append(append(below, strings.TrimRight(in+key+" "+h, " ")), more...)
	}
	return "", below
}

// item writes an item of a list whose dash is at a column.
func item(n *yaml.Node, place string, column int) []string {
	in := strings.Repeat(" ", column)
	head, below := lines(n, place, column+2)
	if head != "" {
		return append([]string{in + "- " + head}, below...)
	}
	below[0] = in + "- " + strings.TrimLeft(below[0], " ")
	return below
}

// roomy tells whether what stands at a place is written in lines of its own
// however short it is: steps, and what they and the request are made of.
func roomy(n *yaml.Node, place string) bool {
	if place == "" || IsBlock(place) || IsStep(place) {
		return true
	}
	step, below := StepOf(place)
	if step != "" {
		return namedKeys[below] && slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind == yaml.SequenceNode })
	}
	around, key := Split(place)
	return place == "input" || place == "params" || around == "input" && key != ""
}
