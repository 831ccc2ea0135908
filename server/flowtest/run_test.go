package flowtest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/server/flowtest"
)

// fails runs the tests of a folder and returns every expectation that was not met.
func fails(t *testing.T, files fstest.MapFS, set flowtest.Settings, o flowtest.Options) (*flowtest.Report, string) {
	t.Helper()
	s, err := flowtest.Load(files, set)
	if err != nil {
		t.Fatalf("Load = %v", err)
	}
	r, err := s.Run(t.Context(), o)
	if err != nil {
		t.Fatalf("Run = %v", err)
	}
	var lines []string
	for _, f := range r.Files {
		for _, one := range f.Tests {
			for _, fail := range one.Fails {
				lines = append(lines, fail.String())
			}
		}
	}
	return r, strings.Join(lines, "\n")
}

const signedIn = "- name: x\n  given: {users: [{email: ada@example.com, name: Ada}], session: ada}\n  send: {path: {id: 7}}\n  want: "

// An expectation is met, or what was got and what was wanted is told with its place.
func TestExpectations(t *testing.T) {
	for name, c := range map[string]struct{ want, fails string }{
		"met":           {"{status: 200, body: {id: 7, owner: {id: $ada.id, name: Ada}, tags: [a, b]}, headers: {x-card: 7}, ran: [owner]}", ""},
		"a whole body":  {"{body: {id: 7, side: null, owner: {any: true}, tags: {is: list}}, exact: true}", ""},
		"no events":     {"{audited: []}", ""},
		"events":        {"{audited: [signIn]}", "card.test.yaml:4:19: audited = [], want a list of 1 item"},
		"status":        {"{status: 201}", "card.test.yaml:4:18: status = 200, want 201"},
		"code":          {"{code: locked}", "card.test.yaml:4:16: code = none, want locked"},
		"value":         {"{body: {owner: {name: Eve}}}", `card.test.yaml:4:31: body.owner.name = "Ada", want "Eve"`},
		"number":        {"{body: {id: 8}}", "card.test.yaml:4:21: body.id = 7, want 8"},
		"number, text":  {"{body: {id: '7'}}", `card.test.yaml:4:21: body.id = 7, want "7"`},
		"same number":   {"{body: {id: 7.0}}", ""},
		"null":          {"{body: {side: front}}", `card.test.yaml:4:23: body.side = null, want "front"`},
		"absent":        {"{body: {owner: {age: 7}}}", "card.test.yaml:4:30: body.owner.age is absent, want 7"},
		"not absent":    {"{body: {id: {absent: true}}}", "card.test.yaml:4:21: body.id = 7, want it absent"},
		"any, absent":   {"{body: {no: {any: true}}}", "card.test.yaml:4:21: body.no is absent, want it there"},
		"is":            {"{body: {id: {is: uuid}, owner: {id: {is: uuid}, email: {is: email}, creationDtm: {is: time}}}}", "card.test.yaml:4:21: body.id = 7, want it to be: uuid"},
		"matches":       {`{body: {owner: {email: {matches: "^eve@"}, name: {matches: "^{$ada.name}$"}}}}`, `card.test.yaml:4:32: body.owner.email = "ada@example.com", want it to match ^eve@`},
		"list, length":  {"{body: {tags: [a]}}", `card.test.yaml:4:23: body.tags = ["a","b"], want a list of 1 item`},
		"list, item":    {"{body: {tags: [a, c]}}", `card.test.yaml:4:27: body.tags[1] = "b", want "c"`},
		"list, object":  {"{body: {tags: {a: 1}}}", `card.test.yaml:4:23: body.tags = ["a","b"], want an object`},
		"exact":         {"{body: {id: 7, side: null, owner: {any: true}}, exact: true}", `card.test.yaml:4:16: body.tags = ["a","b"], want it absent`},
		"header":        {"{headers: {X-Card: 8, X-No: {absent: true}}}", `card.test.yaml:4:28: header X-Card = "7", want "8"`},
		"ran":           {"{ran: []}", "card.test.yaml:4:15: ran = [owner], want []"},
		"skipped":       {"{skipped: [owner]}", "card.test.yaml:4:19: owner ran, want it skipped"},
		"stored":        {"{stored: {users: 1, sessions: 1}}", ""},
		"stored number": {"{stored: {users: 2}}", "card.test.yaml:4:26: 1 users are stored, want 2"},
		"stored which":  {"{stored: {users: [{name: Eve, disabled: {absent: true}}], sessions: [{id: $session.id, userId: $ada.id}]}}", `card.test.yaml:4:34: stored users[0].name = "Ada", want "Eve"`},
		"all at once":   {"{status: 404, body: {id: 8}}", "card.test.yaml:4:18: status = 200, want 404\ncard.test.yaml:4:34: body.id = 7, want 8"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := fails(t, folder(map[string]string{"card.test.yaml": signedIn + c.want + "\n"}), flowtest.Settings{}, flowtest.Options{}); got != c.fails {
				t.Errorf("want: %s fails with\n%s\nwant\n%s", c.want, got, c.fails)
			}
		})
	}
}

// counting is a flow that sends events.
const counting = `about: x
endpoint: GET /count/{to}
session: none
answer: events
input: {path: {to: {type: integer, maximum: 3}}}
steps:
  - send: count
    when: $path.to > 0
    eventId: first
    data: {n: 1}
  - send: count
    when: $path.to > 1
    data: {n: 2, of: [$path.to]}
  - fail: locked
    when: $path.to > 2
  - respond: 200
`

// Events are compared as data, with what ended them.
func TestExpectationsOfEvents(t *testing.T) {
	for name, c := range map[string]struct {
		to          string
		want, fails string
	}{
		"all":            {"2", "{status: 200, events: [{event: count, id: first, data: {n: 1}}, {event: count, id: {absent: true}, data: {of: [2]}}]}", ""},
		"none":           {"0", "{status: 200, events: []}", ""},
		"how many":       {"2", "{events: 3}", "count.test.yaml:3:18: 2 events were sent, want 3"},
		"another one":    {"1", "{events: [{event: done, data: {n: 2}}]}", "count.test.yaml:3:27: events[0].event = \"count\", want \"done\"\ncount.test.yaml:3:43: events[0].data.n = 1, want 2"},
		"too few":        {"1", "{events: [{}, {}]}", "count.test.yaml:3:18: events = [{\"data\":{\"n\":1},\"event\":\"count\",\"id\":\"first\"}], want a list of 2 items"},
		"failed":         {"3", "{status: 200, code: locked, events: [{}, {}, {event: error, data: {errors: [{origin: client}]}}]}", ""},
		"failed before":  {"4", "{status: 400, code: invalid_input, events: []}", ""},
		"failed in vain": {"2", "{code: locked}", "count.test.yaml:3:16: code = none, want locked"},
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(map[string]string{"count.yaml": counting, "count.test.yaml": "- name: x\n  send: {path: {to: " + c.to + "}}\n  want: " + c.want + "\n"})
			if _, got := fails(t, files, flowtest.Settings{}, flowtest.Options{}); got != c.fails {
				t.Errorf("want: %s fails with\n%s\nwant\n%s", c.want, got, c.fails)
			}
		})
	}
}

// Where the answer is another one than wanted, the reason is told as far as it
// is known.
func TestReasons(t *testing.T) {
	_, got := fails(t, folder(map[string]string{"card.test.yaml": `- name: an error of the caller
  send: {path: {id: seven}, query: {side: front}, ip: 198.51.100.7}
  want: {status: 200}
- name: an error of the flow
  send: {path: {id: 7}}
  want: {status: 423, codes: [locked, other]}
- name: something broken
  given: {users: [{email: ada@example.com}], session: ada}
  fake: {owner: {error: the disk is on fire}}
  send: {path: {id: 7}}
  want: {status: 200}
- name: a fake that is none
  given: {users: [{email: ada@example.com}], session: ada}
  fake: {owner: {out: {nam: Ada}}}
  send: {path: {id: 7}}
  want: {status: 200}
- name: a made-up user
  given: {users: [{email: ada@example.com}], session: ada}
  fake: {owner: {out: {name: Eve}}}
  send: {path: {id: 7}, query: {side: front}}
  want: {status: 200, body: {side: front, owner: {name: Eve, id: sample}}}
- name: a disabled user has no session
  given: {users: [{email: ada@example.com, disabled: true}], session: ada}
  send: {path: {id: 7}}
  want: {}
- name: an address that is none
  given: {users: [{email: ada}]}
  send: {path: {id: 7}}
  want: {}
`}), flowtest.Settings{}, flowtest.Options{})
	want := `card.test.yaml:3:18: status = 400, want 200 (the answer is {"errors":[{"origin":"client","code":"invalid_input","message":"Path.id must be an integer.","details":{"field":"path.id"}}]})
card.test.yaml:6:30: codes = locked, want locked, other
card.test.yaml:11:18: status = 500, want 200 (card.yaml:12:9: owner: internal internal_error: the disk is on fire)
card.test.yaml:16:18: status = 500, want 200 (card.yaml:12:9: owner: internal internal_error: the fake output of user.fetch: `
	if !strings.HasPrefix(got, want) {
		t.Errorf("the tests fail with\n%s\nwant\n%s ...", got, want)
	}
	rest := got[min(len(want), len(got)):]
	for _, part := range []string{
		"\ncard.test.yaml:22:3: the test cannot run: card.test.yaml:23:71: opening session session: proof is no longer valid",
		"\ncard.test.yaml:26:3: the test cannot run: card.test.yaml:27:19: creating user ada: ",
	} {
		if !strings.Contains(rest, part) {
			t.Errorf("the tests fail with\n%s\nwant %s", rest, part)
		}
	}
}

// Calls that must look the same are told apart by status, body, header and time.
func TestSame(t *testing.T) {
	const text = `- name: cards
  given: {users: [{email: ada@example.com}]}
  send: {path: {id: 7}}
  same: [status, headers, body]
  cases:
    - send: {path: {id: 7}}
    - {}
    - send: {path: {id: 8}}
    - given: {users: [{email: ada@example.com}], session: ada}
- name: times
  send: {path: {id: 7}}
  same: time
  time: {runs: 3, within: 1000}
  cases: [{}, {}]
`
	_, got := fails(t, folder(map[string]string{"card.test.yaml": text}), flowtest.Settings{}, flowtest.Options{})
	for _, want := range []string{
		"card.test.yaml:9:7: status of case 4 = 200, want 423 as in case 1",
		"card.test.yaml:9:7: headers of case 4 = Cache-Control: no-store; ",
		`card.test.yaml:8:7: body of case 3 = {"errors":[{"origin":"client","code":"locked","message":"The card is locked.","details":{"card":8}}]}, want {"errors":`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the test fails with\n%s\nwant %s", got, want)
		}
	}
	if strings.Contains(got, ":6:7:") || strings.Contains(got, ":7:7:") || strings.Contains(got, "time") {
		t.Errorf("the test fails with\n%s\nwant nothing of cases 1 and 2, and of times", got)
	}
}

// A leak of time is found.
func TestSameTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("it compares times")
	}
	flow := "about: Say whether an address has an account, by the time it takes.\nendpoint: POST /leak\nsession: none\ninput: {body: {email: string, password: {type: string, format: password}}}\nsteps:\n" +
		"  - id: user\n    node: user.fetch\n    with: {email: $body.email}\n    on:\n      notFound:\n        - fail: no\n" +
		"  - node: password.check\n    with: {user: $user, password: $body.password}\n    on:\n      mismatch:\n        - fail: no\n  - respond: 204\n"
	_, got := fails(t, fstest.MapFS{
		"leak.yaml":   {Data: []byte(flow)},
		"errors.yaml": {Data: []byte("\"no\": {status: 401, message: No.}\n")},
		"leak.test.yaml": {Data: []byte(`- name: nobody can tell who has an account
  given: {users: [{email: ada@example.com}]}
  same: [status, body, headers, time]
  time: {runs: 3}
  cases:
    - send: {body: {email: ada@example.com, password: x}}
    - send: {body: {email: eve@example.com, password: x}}
`)},
	}, flowtest.Settings{}, flowtest.Options{})
	if !regexp.MustCompile(`^leak\.test\.yaml:7:7: median time of case 2 = \S+, want that of case 1, \S+, within 25 %$`).MatchString(got) {
		t.Errorf("the test fails with\n%s\nwant a difference of times", got)
	}
}

// Variables have the value that a test gives, and API keys go along by themselves.
func TestSurroundings(t *testing.T) {
	flow := "about: Check the password that the server itself has.\nendpoint: POST /hook\nsession: none\napiKey: required\ninput: {headers: {X-Tag: string}}\nsteps:\n" +
		"  - id: user\n    node: user.fetch\n    with: {email: ada@example.com}\n" +
		"  - node: password.check\n    with: {user: $user, password: $env.WORD}\n    on:\n      mismatch:\n        - respond: 202\n          body: {ip: $request.ip, agent: $request.userAgent}\n" +
		"  - respond: 200\n    body: $headers.X-Tag\n"
	if _, got := fails(t, fstest.MapFS{
		"hook.yaml": {Data: []byte(flow)},
		"hook.test.yaml": {Data: []byte(`- name: the right word
  given: {env: {WORD: a ferry across the river}, users: [{email: ada@example.com, password: a ferry across the river}]}
  send: {headers: {X-Tag: "$$5"}}
  want: {status: 200, body: "$$5"}
- name: another word
  given: {users: [{email: ada@example.com, password: a ferry across the river}]}
  send: {headers: {X-Tag: t}, userAgent: curl/8, ip: "2001:db8::7"}
  want: {status: 202, body: {ip: "2001:db8::7", agent: curl/8}}
- name: a key that is none
  send: {headers: {X-Tag: t, Authorization: wrong}}
  want: {status: 401, code: invalid_API_key}
`)},
	}, flowtest.Settings{Vars: []string{"WORD"}}, flowtest.Options{}); got != "" {
		t.Errorf("the tests fail with\n%s\nwant none", got)
	}
}

// A report counts the ways, and is written in the forms that others read.
func TestReport(t *testing.T) {
	text := signedIn + "{status: 200}\n- name: <locked> & open\n  send: {path: {id: 7}}\n  want: {status: 200}\n"
	r, _ := fails(t, folder(map[string]string{"card.test.yaml": text}), flowtest.Settings{Dir: "cards"}, flowtest.Options{})
	if got, want := r.Summary(), "1 passed, 1 failed; ways covered 3 of 4 (75 %)"; got != want {
		t.Errorf("Summary = %q, want %q", got, want)
	}
	if got, want := strings.Join(r.Missed(), "\n"), "cards/card.yaml:12:9: owner: notFound"; got != want {
		t.Errorf("Missed = %s, want %s", got, want)
	}
	var b bytes.Buffer
	if err := r.WriteCoverage(&b); err != nil {
		t.Fatal(err)
	}
	var coverage struct {
		Ways, Covered int
		Flows         []struct {
			File  string
			Steps []struct {
				Step, Way string
				Times     int
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &coverage); err != nil || coverage.Covered != 3 || len(coverage.Flows) != 1 || coverage.Flows[0].Steps[3].Way != "notFound" {
		t.Errorf("WriteCoverage wrote %s, %v", b.Bytes(), err)
	}
	b.Reset()
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var junit struct {
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(b.Bytes(), &junit); err != nil || junit.Failures != 1 || junit.Cases[1].Name != "<locked> & open" || junit.Cases[1].Failure == nil {
		t.Errorf("WriteJUnit wrote %s, %v", b.Bytes(), err)
	}
	all := folder(map[string]string{"card.test.yaml": text})
	if r, _ := fails(t, all, flowtest.Settings{}, flowtest.Options{Only: regexp.MustCompile("card.*: <locked>")}); len(r.Files) != 1 || len(r.Files[0].Tests) != 1 {
		t.Errorf("Run of one test ran %v", r.Files)
	}
}

// A step with when: has two ways, and tests cover both.
func TestCoverageOfWhen(t *testing.T) {
	files := folder(map[string]string{"count.yaml": counting, "count.test.yaml": "- {name: x, send: {path: {to: 1}}, want: {events: 1}}\n"})
	report, got := fails(t, files, flowtest.Settings{}, flowtest.Options{})
	if got != "" {
		t.Fatalf("the tests fail with %s", got)
	}
	for _, f := range report.Flows {
		if f.File != "count.yaml" {
			continue
		}
		ways := map[string]int{}
		for _, w := range f.Ways {
			ways[fmt.Sprintf("%d %s %s", w.Line, w.Step, w.Name)] = w.Times
		}
		want := map[string]int{"8 when then": 1, "8 when else": 0, "12 when then": 0, "12 when else": 1, "15 when then": 0, "15 when else": 1}
		if !maps.Equal(ways, want) {
			t.Errorf("the ways are %v, want %v", ways, want)
		}
		return
	}
	t.Error("count.yaml is not among the flows")
}

// All paths lead through what is sent, and what is sent is JSON without secrets.
func TestPathsOfEvents(t *testing.T) {
	s, err := flowtest.Load(folder(map[string]string{"count.yaml": counting}), flowtest.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	walked, err := s.Paths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walked {
		if w.File == "count.yaml" && (w.Paths != 8 || len(w.Breaches) > 0) {
			t.Errorf("%d paths of count.yaml, %v, want 8 without a breach", w.Paths, w.Breaches)
		}
	}
}
