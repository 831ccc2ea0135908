package schema

import (
	"slices"

	"sluice/engine"
)

// step describes a step: it does one thing.
func step() schema {
	var verbs []schema
	for _, v := range engine.Verbs() {
		verbs = append(verbs, ref("step."+v))
	}
	return schema{"type": "object", "oneOf": verbs}
}

// about says what each key of a step is for.
var about = map[string]string{
	"node.node": "Node that does the work.", "node.id": "Name by which steps below refer to what the node gives.",
	"node.with": "Parameters of the node.", "node.on": "Where the outcomes of the node lead.",
	"node.timeout": "How long the step may take.", "node.undo": "What takes the step back if the flow fails behind it.",
	"if.if": "A condition, as in $user.name or $body.age >= 18.", "if.then": "What is done where the condition holds.",
	"if.else":       "What is done where it does not hold.",
	"switch.switch": "Value by which one of the cases is chosen.", "switch.cases": "What is done, by the value.",
	"switch.else": "What is done for any other value.",
	"each.each":   "List whose items the steps are done for.", "each.id": "Name of the list of what collect gives.",
	"each.as": "Name of the item, item if nothing else is said.", "each.index": "Name of the item's number, which counts from 0.",
	"each.atOnce": "How many items are worked on at the same time.", "each.do": "What is done for each item.",
	"each.collect":      "What each item gives.",
	"parallel.parallel": "Lanes that run at the same time, by name.",
	"try.try":           "What may fail.", "try.retry": "How often, and when, it is tried again.",
	"try.catch": "What is done where it failed, by the code of the error; any is for all others.", "try.finally": "What is done in any case.",
	"let.let":   "Names for values.",
	"send.send": "Name of an event, which goes to the caller at once. For flows with answer: events.", "send.data": "What the event carries, as JSON.",
	"send.eventId":    "Text that the caller sends back as Last-Event-ID when it comes again.",
	"respond.respond": "Status of the answer, which ends the flow.", "respond.headers": "Headers of the answer.",
	"respond.body": "Body of the answer.", "respond.cookies": "Cookies of the answer. Scripts never see them.",
	"respond.file":     "An answer that is no JSON, in place of a body.",
	"respond.redirect": "Where the answer sends the caller.",
	"fail.fail":        "Code of the error, from errors.yaml, or an outcome of this node. It ends the flow.", "fail.details": "What else the error tells.",
	"return.return": "What the node gives, as an object. It ends the flow.",
}

// verbStep describes the steps of a verb.
func verbStep(verb string, nodes []*engine.Node) schema {
	props := schema{}
	for _, key := range engine.StepKeys(verb) {
		props[key] = described(stepKey(verb, key, nodes), about[verb+"."+key])
		if key == "when" {
			props[key] = schema{"type": "string", "description": "A condition, as of if. Where it does not hold, the step is skipped."}
		}
	}
	required := []string{verb}
	switch verb {
	case "if":
		required = append(required, "then")
	case "switch":
		required = append(required, "cases")
	case "each":
		required = append(required, "do")
	case "send":
		required = append(required, "data")
	}
	s := closed(props, required...)
	if verb == "node" && len(nodes) > 0 {
		var each []schema
		for _, n := range nodes {
			each = append(each, schema{
				"if":   schema{"properties": schema{"node": schema{"const": n.Name}}, "required": []string{"node"}},
				"then": uses(n),
			})
		}
		s["allOf"] = each
	}
	return s
}

// stepKey describes what stands behind a key of a step.
func stepKey(verb, key string, nodes []*engine.Node) schema {
	name := schema{"type": "string", "pattern": `^[a-z][A-Za-z0-9_]*$`}
	blocks := schema{"type": "object", "additionalProperties": ref("steps")}
	switch verb + "." + key {
	case "node.node":
		var names []schema
		for _, n := range nodes {
			names = append(names, schema{"const": n.Name, "description": n.Doc})
		}
		return schema{"type": "string", "oneOf": names}
	case "node.with", "let.let", "respond.headers", "respond.cookies", "fail.details":
		return schema{"type": "object"}
	case "node.on":
		return schema{"type": "object"}
	case "node.timeout":
		return ref("duration")
	case "node.undo", "if.then", "if.else", "switch.else", "each.do", "try.try", "try.finally":
		return ref("steps")
	case "switch.cases", "parallel.parallel", "try.catch":
		return blocks
	case "node.id", "each.id", "each.as", "each.index":
		return name
	case "each.atOnce":
		return schema{"type": "integer", "minimum": 1, "maximum": 64}
	case "each.each":
		return schema{"anyOf": []schema{ref("reference"), {"type": "array"}}}
	case "try.retry":
		return closed(schema{
			"times":  schema{"type": "integer", "minimum": 1, "maximum": 10, "description": "How often, at most."},
			"wait":   described(ref("duration"), "Time in front of the first retry."),
			"factor": schema{"type": "number", "minimum": 1, "maximum": 10, "description": "By which the wait grows."},
			"upTo":   described(ref("duration"), "Longest wait."),
			"on":     described(ref("texts"), "Codes of the errors behind which it is tried again."),
		})
	case "respond.file":
		return closed(schema{
			"content": schema{"description": "Text or bytes of the file."},
			"type":    schema{"type": "string", "description": "Media type, as in text/csv."},
			"name":    schema{"type": "string", "description": "Name under which a browser saves it. Without one it is shown."},
		}, "content", "type")
	case "send.send":
		return schema{"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$", "not": schema{"const": "error"}}
	case "respond.respond":
		return schema{"type": "integer", "minimum": 200, "maximum": 399}
	case "if.if", "fail.fail", "respond.redirect":
		return schema{"type": "string"}
	}
	return schema{} // any value
}

// uses narrows a step to a node.
func uses(n *engine.Node) schema {
	props := schema{}
	s := schema{"properties": props}
	props["with"] = closed(schema{})
	if len(n.In.Props) > 0 {
		props["with"] = ref("with." + n.Name)
	}
	takes := func(p *engine.Prop) bool { return !p.Optional }
	if slices.ContainsFunc(n.In.Props, takes) || len(n.Alternatives()) > 0 {
		s["required"] = []string{"with"}
	}
	outcomes := schema{}
	for _, o := range n.Outcomes {
		outcomes[o.Name] = schema{
			"description": o.Doc,
			"oneOf":       []schema{{"const": "continue", "description": "Go on with the step below."}, ref("steps")},
		}
	}
	props["on"] = closed(outcomes)
	return s
}

// parameters describes what a node takes.
func parameters(n *engine.Node) schema {
	props := schema{}
	var required []string
	for _, p := range n.In.Props {
		s := described(value(p.Type), p.Doc)
		if p.HasDefault {
			s["default"] = Default(p)
		}
		props[p.Name] = s
		if !p.Optional {
			required = append(required, p.Name)
		}
	}
	s := closed(props, required...)
	var ways []schema
	groups := n.Alternatives()
	for _, group := range groups {
		var others []schema
		for _, p := range slices.Concat(groups...) {
			if !slices.Contains(group, p) {
				others = append(others, schema{"required": []string{p}})
			}
		}
		way := schema{"required": group}
		if others != nil {
			way["not"] = schema{"anyOf": others}
		}
		ways = append(ways, way)
	}
	if ways != nil {
		s["oneOf"] = ways
	}
	return s
}
