package flowtest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/engine"
	"sluice/server/flowtest"
)

// card is a flow with everything that tests can name.
const card = `about: Show a card to a signed-in user.
endpoint: GET /cards/{id}
session: optional
input:
  path: {id: integer}
  query:
    side?: {type: string, enum: [front, back]}
steps:
  - if: $session
    then:
      - id: owner
        node: user.fetch
        with: {id: $session.userId}
      - respond: 200
        headers: {X-Card: "{$path.id}"}
        body: {id: $path.id, side: $query.side, owner: $owner, tags: [a, b]}
  - fail: locked
    details: {card: $path.id}
`

func folder(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{
		"card.yaml":   {Data: []byte(card)},
		"errors.yaml": {Data: []byte("locked: {status: 423, message: The card is locked.}\n")},
	}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// A mistake in a test file is told with its place and with what was meant.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "card.test.yaml:1:1: the file is empty (a test begins with - name:)"},
		"no list":   {"name: x\n", "card.test.yaml:1:1: a test file must be a list of tests (a test begins with - name:)"},
		"no YAML":   {"- name: x\n  want: {status: 200\n", "card.test.yaml:1:1: this is not YAML: did not find expected ',' or '}'"},
		"no test":   {"- x\n", "card.test.yaml:1:3: a test must be a mapping of keys to values (as in - name: ...)"},
		"anchor":    {"- &a {name: x}\n", "card.test.yaml:1:3: anchors, aliases, tags and merge keys cannot be used in flow tests (write the value out where it is used, or use each:)"},
		"documents": {"- {name: x, send: {path: {id: 1}}, want: {status: 200}}\n---\n- {}\n", "card.test.yaml:2:1: there is a second document behind --- (write all tests in one list)"},
		"key": {"- name: x\n  sned: {}\n  send: {path: {id: 1}}\n  want: {status: 200, staus: 1}\n",
			"card.test.yaml:2:3: unknown key \"sned\" of a test (did you mean send?)\ncard.test.yaml:4:23: unknown key \"staus\" of want (did you mean status?)"},
		"key twice":   {"- name: x\n  send: {path: {id: 1}}\n  want: {status: 200}\n  want: {status: 201}\n", "card.test.yaml:4:3: key \"want\" is given twice (first in line 3)"},
		"name twice":  {"- {name: x, send: {path: {id: 1}}, want: {}}\n- {name: x, send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:2:3: a test of the name \"x\" is in line 1"},
		"nothing":     {"- send: {path: {id: 1}}\n", "card.test.yaml:1:3: a test needs a name (name: what the endpoint promises)\ncard.test.yaml:1:3: a test needs want: or same: (as in want: {status: 200})"},
		"path":        {"- {name: x, want: {}}\n", "card.test.yaml:1:3: the path of card.yaml needs \"id\" (as in send: {path: {id: ...}})"},
		"path name":   {"- {name: x, send: {path: {id: 1, idd: 2}}, want: {}}\n", "card.test.yaml:1:34: the path of card.yaml has no \"idd\" (known: id)"},
		"status":      {"- {name: x, send: {path: {id: 1}}, want: {status: ok}}\n", "card.test.yaml:1:51: status must be a number from 100 to 599"},
		"no events":   {"- {name: x, send: {path: {id: 1}}, want: {events: 1}}\n", "card.test.yaml:1:43: card.yaml does not answer with events (answer: events in the flow)"},
		"two bodies":  {"- {name: x, send: {path: {id: 1}, body: {}, raw: x}, want: {}}\n", "card.test.yaml:1:19: send has both body and raw (raw is for what body cannot say)"},
		"address":     {"- {name: x, send: {path: {id: 1}, ip: here}, want: {}}\n", "card.test.yaml:1:39: \"here\" is no IP address (as in 192.0.2.7)"},
		"step":        {"- {name: x, send: {path: {id: 1}}, fake: {onwer: {}}, want: {skipped: [own]}}\n", "card.test.yaml:1:43: card.yaml has no step \"onwer\" with a node (did you mean owner?)\ncard.test.yaml:1:72: card.yaml has no step \"own\" with a node (did you mean owner?)"},
		"outcome":     {"- {name: x, send: {path: {id: 1}}, fake: {owner: {outcome: notfound}}, want: {}}\n", "card.test.yaml:1:60: user.fetch has no outcome \"notfound\" (did you mean notFound?)"},
		"two fakes":   {"- {name: x, send: {path: {id: 1}}, fake: {owner: {outcome: notFound, error: x}}, want: {}}\n", "card.test.yaml:1:50: a fake is one of outcome, out and error"},
		"user":        {"- {name: x, given: {users: [{name: Ada}], session: ada}, send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:1:29: a user needs an e-mail address or a phone number (as in {email: ada@example.com})\ncard.test.yaml:1:52: no user named \"ada\" is given (give users: first)"},
		"user twice":  {"- {name: x, given: {users: [{email: a@b.example}, {email: a@c.example}]}, send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:1:51: two of those given are named \"a\" (give one of them another name with as:)"},
		"variable":    {"- {name: x, given: {env: {KEYY: x}}, send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:1:27: the setting vars does not name KEYY, so flows cannot read it (did you mean KEY?)"},
		"reference":   {"- {name: x, send: {path: {id: $ada}}, want: {body: {a: $ada.id, b: \"{$x.y}\"}}}\n", "card.test.yaml:1:31: \"$ada\" is no reference (write $name.property, or $$ for a text that begins with a dollar)\ncard.test.yaml:1:56: there is no $ada here (given: names users and sessions)\ncard.test.yaml:1:68: there is no $x here (given: names users and sessions)"},
		"property":    {"- {name: x, given: {users: [{email: ada@example.com}]}, send: {path: {id: $ada.password}}, want: {}}\n", "card.test.yaml:1:75: $ada has no \"password\" (known: email, id, name, phone, recovery, totp)"},
		"case":        {"- {name: x, each: [{a: 1}], send: {path: {id: $case.b}}, want: {}}\n", "card.test.yaml:1:47: a case has no \"b\" (known: a)"},
		"no cases":    {"- {name: x, each: [], send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:1:19: each must be a list of cases (as in each: [{email: a}, {email: b}])"},
		"matcher":     {"- {name: x, send: {path: {id: 1}}, want: {body: {id: {is: uid}, side: {matches: \"(\"}}}}\n", "card.test.yaml:1:59: nothing is \"uid\" (did you mean uuid?)\ncard.test.yaml:1:81: this is no regular expression: error parsing regexp: missing closing ): `(`"},
		"same":        {"- {name: x, same: [sttus], cases: [{send: {path: {id: 1}}}]}\n", "card.test.yaml:1:19: same needs two cases at least (cases: [{send: ...}, {send: ...}])\ncard.test.yaml:1:20: answers have no \"sttus\" to compare (did you mean status?)"},
		"stray cases": {"- {name: x, cases: [], send: {path: {id: 1}}, want: {}}\n", "card.test.yaml:1:13: cases is for tests with same: (as in same: [status, body])"},
		"audited":     {"- {name: x, send: {path: {id: 1}}, want: {audited: [signin, {kinds: x}]}}\n", "card.test.yaml:1:53: no audit event is of kind \"signin\" (did you mean signIn?)\ncard.test.yaml:1:62: unknown key \"kinds\" of an event (did you mean kind?)"},
		"stored":      {"- {name: x, send: {path: {id: 1}}, want: {stored: {users: [{mail: x}]}}}\n", "card.test.yaml:1:61: unknown key \"mail\" of one of users (did you mean email?)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := flowtest.Load(folder(map[string]string{"card.test.yaml": c.text}), flowtest.Settings{Vars: []string{"KEY"}})
			var problems engine.Problems
			if !errors.As(err, &problems) || err.Error() != c.want {
				t.Errorf("Load(%q) = %v\nwant %s", c.text, err, c.want)
			}
		})
	}
}

// A test file stands beside an endpoint.
func TestOrphans(t *testing.T) {
	node := "about: Find nobody.\nnode: nobody.find\noutcomes:\n  none: {kind: notFound, about: Nobody.}\nsteps:\n  - fail: none\n"
	for name, want := range map[string]string{
		"crad.test.yaml":   "there is no endpoint in crad.yaml to test (the tests of orders.yaml are in orders.test.yaml)",
		"nobody.test.yaml": "there is no endpoint in nobody.yaml to test (a node is tested by the flows that use it)",
	} {
		_, err := flowtest.Load(folder(map[string]string{name: "- name: x\n", "nobody.yaml": node}), flowtest.Settings{})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Load with %s = %v, want ... %s", name, err, want)
		}
	}
}
