package schema

import "sluice/engine"

// endpointFlow describes the top of an endpoint's flow.
func endpointFlow() schema {
	word := func(text string, words ...string) schema { return schema{"description": text, "enum": words} }
	inputs := schema{}
	for name, text := range map[string]string{
		"path": "The {names} of the path.", "query": "Behind the question mark of the address.", "headers": "Headers of the request.", "body": "The JSON of the request.",
	} {
		inputs[name] = described(ref("type"), text)
	}
	known := schema{
		"about": schema{"type": "string", "description": "What the endpoint is for, in a sentence."},
		"endpoint": schema{
			"type": "string", "pattern": `^(GET|POST|PUT|PATCH|DELETE) /\S*$`,
			"description": "Method and path, as in POST /orders/{id}.",
		},
		"session": described(schema{"anyOf": []schema{
			{"enum": []string{"required", "optional", "none"}},
			closed(schema{"required": schema{"type": "string", "pattern": `^fresh [0-9]`, "description": "How long ago the identity was proved at most, as in fresh 10m."}}, "required"),
		}}, "Whether the caller needs a session. There is no default, so that nothing is public by accident."),
		"groups":    described(ref("texts"), "Access groups of which the caller's session must have one."),
		"apiKey":    word("Whether the caller needs an API key. Flows see it as $apiKey.", "required", "optional", "none"),
		"clientKey": word("Whether the caller names its application by a public key, as X-Client-Key.", "required", "none"),
		"timeout":   described(ref("duration"), "How long the flow may run, 5m at most."),
		"limit": described(closed(schema{
			"rate": schema{"type": "string", "pattern": `^[1-9][0-9]*/(s|min|h|day)$`, "description": "A count for a time, as in 10/min."},
			"per": schema{
				"description": "What makes callers the same: ip, or references.", "type": "array", "minItems": 1,
				"items": schema{"anyOf": []schema{{"const": "ip"}, ref("reference")}},
			},
		}, "rate"), "How often the same caller may call."),
		"input":   described(closed(inputs), "What the request must be. Everything that is not named is refused."),
		"answer":  word("What the flow answers with: one answer, or events that it sends while it runs.", "json", "events"),
		"output":  described(ref("type"), "Body of a successful answer. What the flow answers is checked against it."),
		"enabled": schema{"type": "boolean", "description": "Whether the endpoint is served."},
		"tags":    described(ref("texts"), "Words by which endpoints are grouped in documentation."),
		"steps":   described(ref("steps"), "What the endpoint does, from top to bottom."),
	}
	return closed(only(known, engine.HeaderKeys()), "endpoint", "session", "steps")
}

// nodeFlow describes the top of a node flow.
func nodeFlow() schema {
	known := schema{
		"about":  schema{"type": "string", "minLength": 1, "description": "What the node does, in a sentence."},
		"node":   schema{"type": "string", "pattern": `^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$`, "description": "Name of the node, as in account.welcome."},
		"params": described(ref("properties"), "What the node takes. Its steps see it as $params."),
		"outcomes": schema{
			"description": "How the node ends other than by success; fail: NAME leaves by one.", "type": "object",
			"additionalProperties": closed(schema{
				"kind":  schema{"description": "What the outcome means to a caller.", "enum": []string{"invalid", "unauthenticated", "forbidden", "notFound", "conflict", "tooMany", "unavailable"}},
				"about": schema{"description": "A sentence that a caller may read.", "type": "string", "minLength": 1},
			}, "kind", "about"),
		},
		"steps": described(ref("steps"), "What the node does, from top to bottom."),
	}
	return closed(only(known, engine.NodeFlowKeys()), "about", "node", "steps")
}

// only keeps what the engine knows, and describes what is new there in general.
func only(known schema, keys []string) schema {
	props := schema{}
	for _, k := range keys {
		props[k] = known[k]
		if known[k] == nil {
			props[k] = true
		}
	}
	return props
}
