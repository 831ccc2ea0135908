package lsp

import (
	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A word is a key or a value of the language, and what it means.
type word struct{ name, doc string }

var flowDocs = map[string]string{
	"about":     "What the flow does, in a sentence.",
	"endpoint":  "Method and path that the flow answers, as in `POST /orders/{id}`.",
	"session":   "Whether callers need a session: `required`, `optional` or `none`, or `{required: fresh 10m}` for one whose identity was proved a short while ago. There is no default.",
	"groups":    "Access groups of which the caller's session must have one.",
	"apiKey":    "Whether callers need an API key: `required`, `optional` or `none`. `$apiKey` is the key.",
	"clientKey": "Whether callers name their application by a public key in the header `X-Client-Key`: `required` or `none`. The setting `client-keys` says which there are.",
	"timeout":   "How long the flow may run, as in `5s`.",
	"limit":     "How often the same caller may call, as in `{rate: 10/min, per: [ip]}`.",
	"repeat":    "How a call is known for a repetition of an earlier one, which gets the same answer without running again.",
	"input":     "What the flow takes from a request: `path`, `query`, `headers` and `body`, with their types.",
	"answer":    "What the flow answers with: `json`, or `events` that it sends while it runs.",
	"output":    "Type of a successful answer's body, which is checked against it.",
	"enabled":   "`false` leaves the flow out of what is served. It is checked all the same.",
	"tags":      "Names under which documentation groups the flow.",
	"steps":     "What the flow does, from top to bottom. Every way through it ends in an answer.",
	"node":      "Name of the node that this flow is, as in `account.welcome`.",
	"params":    "What the node takes, with types. The steps read it as `$params`.",
	"outcomes":  "The ways out of the node that are not success, as in `{gone: {kind: notFound, about: There is no such order.}}`.",
}

var stepDocs = map[string]string{
	"node":     "Calls a node, such as `user.fetch`.",
	"id":       "Name by which steps further down refer to the result, as in `$user`.",
	"when":     "A condition as of `if`, without which the step is skipped. What it names may be absent below.",
	"with":     "Parameters of the node.",
	"on":       "What to do on each outcome of the node that is not success: steps, or `continue`.",
	"timeout":  "How long the step may take, as in `5s`.",
	"undo":     "Steps that take this one back when the flow fails further down.",
	"if":       "A condition: `$user.disabled`, `not $user` or `$body.age >= 18`.",
	"then":     "Steps that run where the condition holds.",
	"else":     "Steps that run otherwise.",
	"switch":   "Chooses one of the cases by a value.",
	"cases":    "Steps for each value.",
	"each":     "Runs steps for every item of a list.",
	"as":       "Name of the item inside the steps; `item` where it is not given.",
	"index":    "Name of the item's number, from 0.",
	"atOnce":   "How many items are worked on at the same time.",
	"do":       "Steps that run for each item.",
	"collect":  "What each item gives; the id of the step is the list of these.",
	"parallel": "Runs named lanes of steps at the same time.",
	"try":      "Steps whose failure can be caught or retried.",
	"retry":    "How often and after which waits the steps are tried again.",
	"catch":    "Steps for each code that the block can fail with, or `any`. `$error` is the failure.",
	"finally":  "Steps that run in the end in any case.",
	"let":      "Gives values names.",
	"send":     "Sends an event of a fixed name to the caller at once. For flows with `answer: events`.",
	"eventId":  "Text that the caller sends back as `Last-Event-ID` when it comes again.",
	"data":     "What the event carries, as JSON.",
	"respond":  "Answers with a status, and ends the flow.",
	"headers":  "Headers of the answer.",
	"body":     "Body of the answer.",
	"cookies":  "Cookies of the answer: a value, or `{value, maxAge, path}`.",
	"file":     "An answer that is no JSON: `{content, type, name}`. The type is a media type; with a name it is one to save.",
	"redirect": "Address to which the caller is sent.",
	"fail":     "Ends the flow with an error that errors.yaml declares.",
	"details":  "What the error tells beside code and message.",
	"return":   "What the node gives, and the end of its flow.",
}

var schemaDocs = map[string]string{
	"type": "What sort of value it is.", "title": "Short name, for documentation.", "description": "What it means, for documentation.",
	"examples": "Values for documentation.", "deprecated": "Whether callers should do without it.",
	"default": "Value where a request gives none.", "enum": "The allowed values.", "const": "The only allowed value.",
	"format":    "What sort of text it is, as in `email`.",
	"minLength": "Least number of characters.", "maxLength": "Largest number of characters.", "pattern": "Regular expression (RE2) that must match somewhere.",
	"minimum": "Least number.", "maximum": "Largest number.", "exclusiveMinimum": "Number that it must be above.",
	"exclusiveMaximum": "Number that it must be below.", "multipleOf": "Number of which it is a multiple.",
	"items": "Type of each item.", "minItems": "Least number of items.", "maxItems": "Largest number of items. A list that each walks needs it.",
	"uniqueItems": "Whether all items differ.", "properties": "Properties of the object, by name. `name?` may be absent.",
	"additionalProperties": "Type of the properties that are not named; `true` for any, `false` for none.",
	"minProperties":        "Least number of properties.", "maxProperties": "Largest number of properties.",
	"oneOf": "Types of which a value has exactly one. Objects that a `const` tells apart are known in the cases of a `switch` on it.",
	"anyOf": "Types of which a value has at least one.", "allOf": "Types that are merged into one: the properties of all objects.",
	"discriminator": "Property whose `const` tells the objects of `oneOf` apart, as in `kind`.",
	"not":           "Type that the value must not be of.",
	"if":            "Type that decides whether `then` or `else` must hold. Objects here say nothing of what they do not name.",
	"then":          "Type that must hold, too, where `if` does.", "else": "Type that must hold, too, where `if` does not.",
	"prefixItems": "Types of the first items. `items` is the type of those behind them; `false` for none.",
	"contains":    "Type that at least one item must be of.", "minContains": "Least number of items that `contains` is about.",
	"maxContains":       "Largest number of items that `contains` is about.",
	"patternProperties": "Types of properties by regular expressions (RE2) that their names match.",
	"propertyNames":     "Type of the names of properties that are not named here.",
	"dependentRequired": "What must be there, too, where a property is, as in `{card: [address]}`.",
	"dependentSchemas":  "Type that the object must be of, too, where a property is there.",
	"readOnly":          "A property that answers hold and requests must not.", "writeOnly": "A value that requests hold and no answer shows: it is secret.",
	"unevaluatedProperties": "`false`, as it is anyway: what is not declared is refused.",
}

// otherDocs are the keys of mappings that have always the same.
var otherDocs = map[sort][]word{
	inputSort: {
		{"path", "The names in the path, where they are more than texts."}, {"query", "What may stand behind the `?`."},
		{"headers", "Headers that the flow reads."}, {"body", "The body, as JSON."},
	},
	sessionSort: {{"required", "How long ago the identity was proved at most: `fresh 10m`."}},
	limitSort:   {{"rate", "A count for a time: `10/min`. Units are s, min, h and day."}, {"per", "What makes callers the same: `ip`, or references such as `$body.email`."}},
	repeatSort:  {{"header", "Header whose value is the same in a repetition."}, {"keep", "How long an answer is kept, as in `24h`."}},
	outcomeSort: {{"kind", "What sort of failure it is."}, {"about", "A sentence that callers may read."}},
	errorSort:   {{"status", "Status of the answer, from 400 to 599."}, {"message", "A sentence that the caller's user may read."}},
	retrySort: {
		{"times", "How often the block is tried again."}, {"wait", "Wait in front of the first retry, as in `100ms`."},
		{"factor", "By what the wait grows each time."}, {"upTo", "Longest wait."}, {"on", "Codes on which it is tried again."},
	},
}

// values are the words that stand for themselves, by where they stand.
var values = map[sort][]word{
	sessionSort: {
		{"required", "A caller without a live session is refused. `$session` is the session."},
		{"optional", "`$session` may be absent."}, {"none", "The endpoint is public, and has no `$session`."},
	},
	answerSort:    {{"json", "One answer, at the end."}, {"events", "Server-sent events: each `send` gives one at once, and `respond: 200` ends them."}},
	clientKeySort: {{"required", "A caller without the key of an application is refused. It is public and proves nothing."}, {"none", "No key of an application is asked for."}},
	apiKeySort:    {{"required", "A caller without an API key is refused. `$apiKey` is what is known of the key."}, {"optional", "`$apiKey` may be absent."}, {"none", "No key is asked for."}},
	truthSort:     {{"true", ""}, {"false", ""}},
	routeSort:     {{"continue", "Goes on with the step below. The step's result is absent then."}},
	kindSort: {
		{"invalid", "The caller sent something wrong (400)."}, {"unauthenticated", "The caller must sign in (401)."},
		{"forbidden", "The caller may not (403)."}, {"notFound", "There is no such thing (404)."},
		{"conflict", "It collides with what is there (409)."}, {"tooMany", "Too often; later it may work (429)."},
		{"unavailable", "A dependency is away; later it may work (503)."},
	},
}

// keyDoc says what a key means, or "".
func keyDoc(s spot, key string) string {
	switch s.sort {
	case flowSort:
		return flowDocs[key]
	case stepSort:
		return stepDocs[key]
	case typeSort:
		if engine.IsSchema(s.mapping()) {
			return schemaDocs[key]
		}
	default:
		return docOf(otherDocs[s.sort], key)
	}
	return ""
}

func docOf(words []word, name string) string {
	for _, w := range words {
		if w.name == name {
			return w.doc
		}
	}
	return ""
}

// verbOf returns the verb of a step, or "".
func verbOf(step *yaml.Node) string {
	for _, v := range engine.Verbs() {
		if childKey(step, v) >= 0 {
			return v
		}
	}
	return ""
}
