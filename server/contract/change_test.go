package contract_test

import (
	"testing"

	"sluice/server/contract"
)

func TestPermitsTellsWhatWidens(t *testing.T) {
	const none, optional, required = "session: none\n", "session: optional\n", "session: required\n"
	for name, c := range map[string]struct {
		oldTop, oldSteps, top, steps string
		want                         string
	}{
		"nothing":                {oldTop: required, top: required},
		"session dropped":        {oldTop: required, top: none, want: "! POST /x: session required -> none"},
		"session made optional":  {oldTop: required + "groups: [a]\n", top: optional, want: "! POST /x: session required -> optional"},
		"optional dropped":       {oldTop: optional, top: none, want: "! POST /x: session optional -> none"},
		"session asked for":      {oldTop: none, top: required + "groups: [a]\n", want: "POST /x: session none -> required\nPOST /x: groups any -> a"},
		"group let in":           {oldTop: required + "groups: [a]\n", top: required + "groups: [b, a]\n", want: "! POST /x: groups a -> a, b"},
		"group exchanged":        {oldTop: required + "groups: [a]\n", top: required + "groups: [b]\n", want: "! POST /x: groups a -> b"},
		"group shut out":         {oldTop: required + "groups: [a, b]\n", top: required + "groups: [a]\n", want: "POST /x: groups a, b -> a"},
		"groups in other order":  {oldTop: required + "groups: [a, b]\n", top: required + "groups: [b, a]\n"},
		"groups removed":         {oldTop: required + "groups: [a]\n", top: required, want: "! POST /x: groups a -> any"},
		"key dropped":            {oldTop: none + "apiKey: required\n", top: none, want: "! POST /x: apiKey required -> none"},
		"key asked for":          {oldTop: none, top: none + "apiKey: required\n", want: "POST /x: apiKey none -> required"},
		"limit dropped":          {oldTop: none + "limit: {rate: 5/min}\n", top: none, want: "! POST /x: limit 5/min per ip -> none"},
		"limit raised":           {oldTop: none + "limit: {rate: 5/min}\n", top: none + "limit: {rate: 6/min}\n", want: "! POST /x: limit 5/min per ip -> 6/min per ip"},
		"limit of shorter time":  {oldTop: none + "limit: {rate: 5/min}\n", top: none + "limit: {rate: 5/s}\n", want: "! POST /x: limit 5/min per ip -> 5/s per ip"},
		"limit of larger bursts": {oldTop: none + "limit: {rate: 5/s}\n", top: none + "limit: {rate: 50/h}\n", want: "! POST /x: limit 5/s per ip -> 50/h per ip"},
		"limit lowered":          {oldTop: none + "limit: {rate: 5/min}\n", top: none + "limit: {rate: 5/h}\n", want: "POST /x: limit 5/min per ip -> 5/h per ip"},
		"limit of more callers": {oldTop: required + "limit: {rate: 5/min}\n", top: required + "limit: {rate: 5/min, per: [ip, $session.userId]}\n",
			want: "! POST /x: limit 5/min per ip -> 5/min per ip, $session.userId"},
		"limit of fewer callers": {oldTop: required + "limit: {rate: 5/min, per: [ip, $session.userId]}\n", top: required + "limit: {rate: 5/min}\n",
			want: "POST /x: limit 5/min per ip, $session.userId -> 5/min per ip"},
		"touches more": {oldTop: none, oldSteps: step("order.fetch"), top: none, steps: step("order.pay"),
			want: "POST /x: no longer reads orders\n! POST /x: now writes bills\n! POST /x: now writes orders\n! POST /x: now calls bank"},
		"touches less": {oldTop: none, oldSteps: step("mail.send"), top: none, want: "POST /x: no longer calls mail"},
	} {
		before := of(t, files{"x.yaml": one("POST /x", c.oldTop, c.oldSteps)})
		now := of(t, files{"x.yaml": one("POST /x", c.top, c.steps)})
		if got := told(contract.Permits(before, now)); got != c.want {
			t.Errorf("%s: Permits() =\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestPermitsKnowsEndpointsByTheRequestsTheyTake(t *testing.T) {
	before := of(t, files{"a.yaml": one("GET /a/{id}", "session: none\n", ""), "b.yaml": one("GET /b", "session: none\n", "")})
	now := of(t, files{"moved.yaml": one("GET /a/{key}", "session: none\n", ""), "c.yaml": one("POST /b", "session: required\n", "")})
	want := "! POST /b: new endpoint for any session\nGET /b: no longer there"
	if got := told(contract.Permits(before, now)); got != want {
		t.Errorf("Permits() =\n%s\nwant\n%s", got, want)
	}
}

func TestChangeStandsAtWhatIsResponsible(t *testing.T) {
	before := of(t, files{"x.yaml": one("POST /x", "session: required\nlimit: {rate: 1/s}\n", "")})
	now := of(t, files{"x.yaml": one("POST /x", "session: none\n", "  - if: true == true\n    then:\n"+
		"      - node: order.drop\n        with: {id: a}\n"+step("order.pay"))})
	want := map[string]string{
		"session required -> none": "x.yaml:3:10",
		"limit 1/s per ip -> none": "x.yaml:2:11",
		"now writes orders":        "x.yaml:7:9",
		"now writes bills":         "x.yaml:9:5",
		"now calls bank":           "x.yaml:9:5",
	}
	changes := contract.Permits(before, now)
	if len(changes) != len(want) {
		t.Errorf("Permits() = %v, want %d changes", changes, len(want))
	}
	for _, c := range changes {
		if got := c.Pos.String(); got != want[c.Text] {
			t.Errorf("%s stands at %s, want %s", c.Text, got, want[c.Text])
		}
	}
}

func TestDiffTellsWhatCallersSee(t *testing.T) {
	const none = "session: none\n"
	for name, c := range map[string]struct{ old, now, want string }{
		"answers":  {none, none + "timeout: 1m\n", "POST /x: timeout 30s -> 1m"},
		"repeat":   {none, none + "repeat: header:Idempotency-Key\n", "POST /x: repeat none -> by Idempotency-Key for 24h"},
		"new body": {none, none + "input: {body: {age: integer}}\n", "POST /x: new required body, object"},
		"properties": {
			none + "input: {body: {age: integer, name: string, \"lang?\": string}}\n",
			none + "input: {body: {age: string, \"name?\": string, place: {lat: number}}}\n",
			"POST /x: body.age is string, was integer\nPOST /x: body.name is optional, was required\n" +
				"POST /x: new required body.place, object\nPOST /x: no longer body.lang",
		},
		"bounds": {
			none + "input: {query: {\"n?\": {type: integer, maximum: 5}, \"k?\": {type: string, enum: [a, b]}}}\n",
			none + "input: {query: {\"n?\": {type: integer, minimum: 1, maximum: 9}, \"k?\": {type: string, enum: [a]}}}\n",
			"POST /x: query.n is integer from 1 to 9, was integer to 5\nPOST /x: query.k is a, was a|b",
		},
		"words": {
			none + "input: {query: {\"n?\": {type: integer, default: 1}}, body: {\"a?\": {type: array, items: {b: string}}}}\n",
			none + "input: {query: {\"n?\": {type: integer, default: 2, multipleOf: 2}}, body: {\"a?\": {type: array, items: {b: {type: number, exclusiveMinimum: 0}}}}}\n",
			"POST /x: query.n is integer in steps of 2, default 2, was integer, default 1\nPOST /x: body.a[].b is number above 0, was string",
		},
		"forms": {
			none + "input: {body: {pay: {oneOf: [{by: {type: string, const: card}, no: string}, {by: {type: string, const: bill}}]}, size: {oneOf: [integer, {a: string}]}}}\n",
			none + "input: {body: {pay: {oneOf: [{by: {type: string, const: card}, no: integer, \"cvc?\": string}, {by: {type: string, const: cash}}]}, size: {anyOf: [integer, {a: string, \"b?\": string}]}}}\n",
			"POST /x: body.pay is one by by of card|cash, was one by by of card|bill\nPOST /x: body.pay(card).no is integer, was string\n" +
				"POST /x: new optional body.pay(card).cvc, string\nPOST /x: new required body.pay(cash).by, cash\n" +
				"POST /x: body.size is any of integer, {a: string, b?: string}, was one of integer, {a: string}\nPOST /x: no longer body.pay(bill).by",
		},
		"rules": {
			none + "input: {body: {type: object, properties: {\"a?\": string, \"b?\": {type: string, not: {type: string, const: x}}}, dependentRequired: {a: [b]}}}\n",
			none + "input: {body: {type: object, properties: {\"a?\": string, \"b?\": {type: string, not: {type: string, enum: [x, y]}}}, anyOf: [{a: string}, {b: string}]}}\n",
			"POST /x: body is object, any of {a: string} | {b: string}, was object, with a b\nPOST /x: body.b is string, not x|y, was string, not x",
		},
		"default of a list": {
			none + "input: {body: {l: {type: array, items: {a: string}, default: []}}}\n",
			none + "input: {body: {l: {type: array, items: {a: string}, default: [{a: b}]}}}\n",
			"POST /x: body.l is list of object, default [{\"a\":\"b\"}], was list of object, default []",
		},
		"headers": {none, none + "input: {headers: {\"x-client?\": {type: string, format: uuid}}}\n", "POST /x: new optional headers.x-client, uuid"},
	} {
		before, now := of(t, files{"x.yaml": one("POST /x", c.old, "")}), of(t, files{"x.yaml": one("POST /x", c.now, "")})
		if got := told(contract.Diff(before, now)); got != c.want {
			t.Errorf("%s: Diff() =\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestDiffTellsEvents(t *testing.T) {
	sends := func(steps string) []contract.Contract {
		return of(t, files{"x.yaml": "about: x\nendpoint: POST /x\nsession: none\nanswer: events\nsteps:\n" + steps + "  - respond: 200\n"})
	}
	before := sends("  - send: a\n    data: {n: 1, text: b}\n  - send: a\n    data: {n: 1}\n  - send: old\n    data: [1]\n")
	now := sends("  - send: a\n    data: {n: 1.5, text: b}\n  - send: b\n    data: {n: 1}\n")
	want := "POST /x: events.a.n is number, was integer\nPOST /x: events.a.text is required, was optional\n" +
		"POST /x: new required events.b, object\nPOST /x: no longer events.old"
	if got := told(contract.Diff(before, now)); got != want {
		t.Errorf("Diff() =\n%s\nwant\n%s", got, want)
	}
}

func TestDiffTellsAnswers(t *testing.T) {
	before := of(t, files{"x.yaml": one("POST /x", "session: none\n", step("order.fetch"))})
	now := of(t, files{"x.yaml": "about: x\nendpoint: POST /x\nsession: none\nsteps:\n" + step("order.pay") + "  - respond: 200\n"})
	want := "POST /x: no longer reads orders\n! POST /x: now writes bills\n! POST /x: now writes orders\n! POST /x: now calls bank\n" +
		"POST /x: new answer 200\nPOST /x: new answer 409 declined\nPOST /x: no longer answers 204\nPOST /x: no longer answers 404 missing"
	if got := told(contract.Diff(before, now)); got != want {
		t.Errorf("Diff() =\n%s\nwant\n%s", got, want)
	}
}
