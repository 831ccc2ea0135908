package studio_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/server"
	"sluice/server/admin"
	"sluice/server/studio"
)

const ada = `{"email": "ada@example.com", "password": "a ferry across the river"}`

func signIn(change func(*studio.Run)) studio.Run {
	in := studio.Run{File: "auth/sign-in.yaml", Input: studio.Input{Body: json.RawMessage(ada)}}
	change(&in)
	return in
}

// ways are the steps of a trace with the way out of each and what stood in for it.
func ways(t *studio.Trace) (all []string) {
	for _, st := range t.Steps {
		all = append(all, strings.TrimSpace(st.Place+" "+st.Way+" "+st.Faked))
	}
	return all
}

func TestRunTellsWhatEachStepTookAndGave(t *testing.T) {
	d := open(t, server.Config{})
	d.signUp()
	ran := call[studio.Ran](d, "POST", "run", signIn(func(*studio.Run) {}))
	want := []string{"steps/0 ok", "steps/1 ok", "steps/2 else", "steps/3 ok", "steps/4"}
	if got := ways(ran.Trace); !slices.Equal(got, want) || ran.Trace.Answer.Status != 200 || ran.Trace.Answer.Place != "steps/4" {
		t.Fatalf("run = %v, %+v, want %v and 200", got, ran.Trace.Answer, want)
	}
	whole, err := json.Marshal(ran.Trace.Steps)
	if err != nil || strings.Contains(string(whole), "a ferry across") || strings.Contains(string(whole), "sls_") {
		t.Errorf("steps = %s, %v, want no secret in them", whole, err)
	}
	for name, c := range map[string]struct {
		in      studio.Run
		want    []string
		stopped string
	}{
		"a fake":           {signIn(func(r *studio.Run) { r.Fakes = map[string]studio.Canned{"steps/1": {Outcome: "mismatch"}} }), []string{"steps/0 ok", "steps/1 mismatch fake", "steps/1/on/mismatch/0"}, ""},
		"up to a step":     {signIn(func(r *studio.Run) { r.UpTo = "steps/1" }), []string{"steps/0 ok", "steps/1 ok"}, "steps/2"},
		"from a step":      {signIn(func(r *studio.Run) { r.From, r.Again = "steps/3", ran.ID }), []string{"steps/0 ok recorded", "steps/1 ok recorded", "steps/2 else", "steps/3 ok", "steps/4"}, ""},
		"a step by itself": {signIn(func(r *studio.Run) { r.From, r.Again, r.Alone = "steps/1", ran.ID, true }), []string{"steps/0 ok recorded", "steps/1 ok"}, "steps/2"},
		"a step that was not reached": {
			signIn(func(r *studio.Run) { r.From, r.Alone = "steps/2/then/0", true }), []string{"steps/0 ok made up", "steps/1 ok made up", "steps/2 then", "steps/2/then/0 stale"}, "",
		},
	} {
		got := call[studio.Ran](d, "POST", "run", c.in).Trace
		if !slices.Equal(ways(got), c.want) || got.Stopped != c.stopped {
			t.Errorf("run with %s = %v, stopped at %q, want %v and %q", name, ways(got), got.Stopped, c.want, c.stopped)
		}
	}
}

func TestRunOfATextThatIsNotSavedIsCompiledApart(t *testing.T) {
	d := open(t, server.Config{})
	text := strings.Replace(d.read("auth/me.yaml"), "session: required", "session: none", 1)
	if ran := call[studio.Ran](d, "POST", "run", studio.Run{File: "auth/me.yaml", Text: &text}); ran.Trace != nil || len(ran.Problems) == 0 || ran.Problems[0].Place == "" {
		t.Errorf("run of a flow with a mistake = %+v, want its problems and no trace", ran)
	}
	text = "about: Say hello.\nendpoint: GET /hi\nsession: none\nsteps:\n  - respond: 200\n    body: {hello: world}\n"
	if ran := call[studio.Ran](d, "POST", "run", studio.Run{File: "hi.yaml", Text: &text}); ran.Trace == nil || string(ran.Trace.Answer.Body) != `{"hello":"world"}` {
		t.Errorf("run of a new flow = %+v, want its answer", ran)
	}
	if status, _, _ := d.send("GET", "/hi", "", nil); status != 404 {
		t.Errorf("GET /hi = %d, want 404: the flow was not saved", status)
	}
}

func TestSessionOfARunEndsWithIt(t *testing.T) {
	d := open(t, server.Config{})
	d.signUp()
	ran := call[studio.Ran](d, "POST", "run", studio.Run{File: "auth/me.yaml", Session: &studio.Caller{User: "ada@example.com"}})
	if ran.Trace.Answer.Status != 200 {
		t.Errorf("run as ada = %+v, want 200", ran.Trace.Answer)
	}
	who := call[admin.Person](d, "POST", "do/user.show", admin.ShowUser{User: "ada@example.com"})
	if who.Sessions != 1 {
		t.Errorf("ada has %d sessions after the run, want the one of the sign-up", who.Sessions)
	}
}

func TestSessionOfNobodyIsGoodForOneRun(t *testing.T) {
	d := open(t, server.Config{})
	in := studio.Run{File: "auth/me.yaml", Session: &studio.Caller{Made: true}, Fakes: map[string]studio.Canned{"steps/0": {Out: json.RawMessage(`{"id": "u7"}`)}}}
	ran := call[studio.Ran](d, "POST", "run", in)
	if ran.Trace.Answer.Status != 200 || !strings.Contains(string(ran.Trace.Answer.Body), `"id":"u7"`) {
		t.Errorf("run of a made-up session = %+v, want 200 with the fake", ran.Trace.Answer)
	}
	if kept := call[studio.Kept](d, "POST", "test/keep", studio.Keep{Run: ran.ID, Name: "nobody in particular"}); !kept.Written || !strings.Contains(kept.Test, "fake: {user: {out: {id: u7}}}") {
		t.Errorf("keep = %+v, want a test with the fake as it was given", kept)
	}
}

func TestRunBecomesATest(t *testing.T) {
	d := open(t, server.Config{})
	d.signUp()
	before := d.read("auth/sign-in.test.yaml")
	ran := call[studio.Ran](d, "POST", "run", signIn(func(*studio.Run) {}))
	kept := call[studio.Kept](d, "POST", "test/keep", studio.Keep{Run: ran.ID, Name: "a run: signs in", Fake: true})
	if !kept.Written || len(kept.Result.Fails) > 0 || d.read("auth/sign-in.test.yaml") != strings.TrimRight(before, "\n")+"\n\n"+kept.Test {
		t.Errorf("keep = %+v, want the test behind the others", kept)
	}
	status, _, body := d.send("POST", "/_studio/api/tests", `{"file": "auth/sign-in.yaml", "name": "a run: signs in"}`, nil)
	if status != 200 || !strings.Contains(body, "event: file\n") || !strings.Contains(body, `{"passed":1,"failed":0,`) || !strings.Contains(body, `{"place":"steps/0","way":"ok","times":1}`) {
		t.Errorf("tests = %d %.500s, want the one that passes, and its ways", status, body)
	}
}

func TestLiveShowsCallsAsTheyCome(t *testing.T) {
	d := open(t, server.Config{})
	q, err := http.NewRequestWithContext(t.Context(), "GET", d.url+"/_studio/api/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-Studio", "1")
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	lines := bufio.NewScanner(a.Body)
	next := func(event string) string {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == "event: "+event && lines.Scan() {
				return strings.TrimPrefix(lines.Text(), "data: ")
			}
		}
		t.Fatalf("live ended without the event %s: %v", event, lines.Err())
		return ""
	}
	next("state")
	d.send("POST", "/auth/sign-in", ada, nil)
	var c studio.LiveCall
	if text := next("call"); json.Unmarshal([]byte(text), &c) != nil || c.File != "auth/sign-in.yaml" || c.Status != 401 || c.Code != "invalid_credentials" || !c.Traced {
		t.Errorf("call = %s, want the sign-in that was refused", text)
	}
	tr := call[studio.Trace](d, "GET", "trace?id="+c.ID, nil)
	if got := ways(&tr); !slices.Contains(got, "steps/1 mismatch") || strings.Contains(string(tr.Request.Input), "a ferry") || !strings.Contains(string(tr.Request.Input), "ada@example.com") {
		t.Errorf("trace = %v of %s, want the way that was taken, without the password", got, tr.Request.Input)
	}
	var stats []studio.FlowStats
	if text := next("stats"); json.Unmarshal([]byte(text), &stats) != nil || len(stats) != 1 || stats[0].Calls != 1 || stats[0].Fails != 1 || stats[0].P50 <= 0 || len(stats[0].Steps) == 0 {
		t.Errorf("stats = %s, want those of the one call", text)
	}
}
