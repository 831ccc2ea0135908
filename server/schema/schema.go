// Package schema describes flow files in JSON Schema, so that editors complete
// them, explain them and mark mistakes while they are written. It is made from
// the nodes, whose parameters and outcomes it knows.
//
// It says what can be said of a file without reading it as a program: whether a
// $reference leads anywhere, and whether it has the right type, is what
// sluice check tells.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sluice/engine"
)

// A schema is a JSON object. Maps are written with their keys in order, so that
// the same nodes give the same bytes.
type schema map[string]any

// Flows describes the files of flows that can use the nodes.
func Flows(nodes []*engine.Node) ([]byte, error) {
	defs := schema{
		"endpointFlow": endpointFlow(),
		"nodeFlow":     nodeFlow(),
		"steps":        schema{"type": "array", "items": ref("step"), "minItems": 1},
		"step":         step(),
		"reference":    reference(),
		"duration":     duration(),
		"texts":        texts(),
		"type":         anyType(),
		"form":         form(),
		"property":     property(),
		"properties":   properties(),
	}
	for _, verb := range engine.Verbs() {
		defs["step."+verb] = verbStep(verb, nodes)
	}
	for _, n := range nodes {
		if len(n.In.Props) > 0 {
			defs["with."+n.Name] = parameters(n)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(schema{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Sluice flow",
		"description": "An endpoint of a backend, or a node, as a chain of steps.",
		"type":        "object",
		"if":          schema{"required": []string{"node"}},
		"then":        ref("nodeFlow"),
		"else":        ref("endpointFlow"),
		"$defs":       defs,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return b.Bytes(), nil
}

func ref(def string) schema { return schema{"$ref": "#/$defs/" + def} }

// described adds a description to a reference or a schema.
func described(s schema, text string) schema {
	with := schema{"description": text}
	for k, v := range s {
		with[k] = v
	}
	return with
}

// closed is an object of these properties and no others.
func closed(props schema, required ...string) schema {
	s := schema{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// reference is a value that is known when the flow runs.
func reference() schema {
	return schema{
		"description": "A reference such as $body.email, or an expression such as = $body.price * 2.",
		"type":        "string", "pattern": `^(\$[A-Za-z]|= )`,
	}
}

func duration() schema {
	return schema{
		"description": "A number with a unit: 500ms, 30s, 15m, 24h, 7d.",
		"type":        "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^[0-9]+d$`,
	}
}

func texts() schema {
	return schema{"oneOf": []schema{{"type": "string"}, {"type": "array", "items": schema{"type": "string"}}}}
}
