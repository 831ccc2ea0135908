package studio_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sluice/server"
	"sluice/server/studio"
)

func value(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// Sign-in is built from an empty file as a hand at the page would do it.
func TestGesturesBuildAFlow(t *testing.T) {
	d := open(t, server.Config{})
	text := ""
	for _, g := range []studio.Gesture{
		{Do: "set", At: "endpoint", Value: value("POST /in")},
		{Do: "set", At: "session", Value: value("none")},
		{Do: "set", At: "about", Value: value("Sign a user in.")},
		{Do: "set", At: "input/body/email", Value: json.RawMessage(`{"type": "string", "format": "email"}`)},
		{Do: "set", At: "input/body/password", Value: json.RawMessage(`{"type": "string", "format": "password"}`)},
		{Do: "insert", At: "steps/0", Node: "user.fetch"},
		{Do: "route", At: "steps/0", Outcome: "notFound", To: "continue"},
		{Do: "insert", At: "steps/1", Node: "password.check"},
		{Do: "set", At: "steps/1/with/account", Value: value("$body.email")},
		{Do: "route", At: "steps/1", Outcome: "mismatch", To: "fail", Code: "invalid_credentials"},
		{Do: "insert", At: "steps/2", Node: "session.create"},
		{Do: "insert", At: "steps/3", Verb: "respond"},
		{Do: "set", At: "steps/3/body/session", Value: value("$session")},
		{Do: "rename", At: "steps/1", To: "proof"},
	} {
		made := call[studio.Edited](d, "POST", "flow/edit", studio.Gestures{File: "in.yaml", Text: text, Edits: []studio.Gesture{g}})
		text = made.Text
	}
	want := `about: Sign a user in.
endpoint: POST /in
session: none
input:
  body:
    email: {type: string, format: email}
    password: {type: string, format: password}
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  - id: proof
    node: password.check
    with: {user: $user, password: $body.password, account: $body.email}
    on:
      mismatch:
        - fail: invalid_credentials
  - id: session
    node: session.create
    with: {userId: $proof.userId}
  - respond: 200
    body: {session: $session}
`
	if text != want {
		t.Fatalf("gestures make\n%s\nwant\n%s", text, want)
	}
	if sh := call[studio.Sheet](d, "POST", "flow/draw", studio.Draft{File: "in.yaml", Text: text}); len(sh.Problems) != 0 {
		t.Errorf("the flow has the problems %+v, want none", sh.Problems)
	}
	named := call[studio.Edited](d, "POST", "flow/edit", studio.Gestures{File: "in.yaml", Text: text, Edits: []studio.Gesture{{Do: "name", At: "input/body/email", To: "mail"}}})
	if got, want := named.Text, strings.ReplaceAll(strings.Replace(text, "    email:", "    mail:", 1), "$body.email", "$body.mail"); got != want {
		t.Errorf("name gives\n%s\nwant\n%s", got, want)
	}
	copied := call[studio.Edited](d, "POST", "flow/edit", studio.Gestures{File: "in.yaml", Text: text, Edits: []studio.Gesture{{Do: "copy", At: "steps/0", To: "steps/1"}}})
	if !strings.Contains(copied.Text, "  - id: user2\n    node: user.fetch\n") || copied.At != "steps/1" {
		t.Errorf("copy gives %s at %s, want a free id", copied.Text, copied.At)
	}
}

func TestOffersFitTheirField(t *testing.T) {
	d := open(t, server.Config{})
	text := d.read("auth/sign-in.yaml")
	for place, want := range map[string]string{"steps/3/with/userId": "$proof.userId", "steps/0/with/email": "$body.email", "steps/1/with/user": "$user"} {
		got := call[studio.Offers](d, "POST", "flow/complete", studio.Question{File: "auth/sign-in.yaml", Text: text, Place: place}).Offers
		if len(got) == 0 || got[0].Text != want || !got[0].Fits {
			t.Errorf("complete(%s) = %+v, want %s first", place, got, want)
		}
	}
	got := call[studio.Offers](d, "POST", "flow/complete", studio.Question{File: "a.yaml", Text: "steps:\n  - node: us\n", Line: 2, Column: 13}).Offers
	if !slices.ContainsFunc(got, func(o studio.Offer) bool { return o.Text == "user.fetch" && o.From == 11 && o.Kind == "node" }) {
		t.Errorf("complete behind node: us = %+v, want user.fetch from column 11", got)
	}
}

func TestProblemsStandAtTheirPlace(t *testing.T) {
	d := open(t, server.Config{})
	text := strings.Replace(d.read("auth/sign-in.yaml"), "with: {email: $body.email}", "with: {email: $body.emial}", 1)
	sh := call[studio.Sheet](d, "POST", "flow/draw", studio.Draft{File: "auth/sign-in.yaml", Text: text})
	if len(sh.Problems) != 1 || sh.Problems[0].Place != "steps/0" || sh.Problems[0].Field != "with/email" || sh.Problems[0].Hint != "did you mean email?" {
		t.Errorf("problems = %+v, want one at steps/0, with/email", sh.Problems)
	}
	if sh.Problems[0].To <= sh.Problems[0].Column {
		t.Errorf("problem = %+v, want what it marks", sh.Problems[0])
	}
	two := strings.Replace(d.read("auth/me.yaml"), "GET /auth/me", "POST /auth/sign-in", 1)
	if sh := call[studio.Sheet](d, "POST", "flow/draw", studio.Draft{File: "auth/me.yaml", Text: two}); len(sh.Problems) != 1 || !strings.Contains(sh.Problems[0].Message, "is there already") {
		t.Errorf("problems of two endpoints of one path = %+v, want one", sh.Problems)
	}
}
