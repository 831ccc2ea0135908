package contract_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"sluice/engine"
	"sluice/server"
	"sluice/server/contract"
)

func TestLockReadsBackAsItWasWritten(t *testing.T) {
	all := of(t, files{
		"a.yaml": one("POST /b", "session: required\ngroups: [\"a, b\", b, '\"c\"', \"d\\te\"]\nlimit: {rate: 3/day, per: [$session.userId]}\n", step("order.pay")),
		"b.yaml": one("GET /b", "session: optional\napiKey: required\n", step("order.fetch")),
		"c.yaml": one("GET /a/{id}", "session: none\n", ""),
	})
	text := contract.Lock(all)
	read, problems := contract.ParseLock("flows.lock", text)
	if len(problems) > 0 {
		t.Fatalf("ParseLock(%s) = %v, want no problems", text, problems)
	}
	if again := contract.Lock(read); !bytes.Equal(again, text) {
		t.Errorf("Lock(ParseLock(text)) =\n%s\nwant\n%s", again, text)
	}
	if changes := contract.Permits(read, all); len(changes) > 0 {
		t.Errorf("Permits() = %v, want nothing", changes)
	}
	_, facts, _ := strings.Cut(string(text), "\n\n")
	want := `GET /a/{id}
  session: none

GET /b
  session: optional
  apiKey: required
  reads: orders

POST /b
  session: required
  groups: "\"c\"", "a, b", b, "d\te"
  limit: 3/day per $session.userId
  writes: bills, orders
  calls: bank
`
	if facts != want {
		t.Errorf("Lock() =\n%s\nwant\n%s", facts, want)
	}
}

func TestLockIsRefusedWhereItCannotBeRead(t *testing.T) {
	const again = " (sluice lock writes it anew)"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                 {"", ""},
		"comments":              {"# a\n\n  # b\n", ""},
		"no endpoint":           {"  session: none\n", "l:1:1: there is no endpoint above this line" + again},
		"not an endpoint":       {"GET\n  session: none\n  nonsense\n", `l:1:1: "GET" is no endpoint` + again},
		"no session":            {"GET /a\n\nGET /b\n  session: none\n", "l:1:1: GET /a has no session" + again},
		"no session at the end": {"GET /a\n  reads: x\n", "l:1:1: GET /a has no session" + again},
		"twice":                 {"GET /a/{x}\n  session: none\nGET /a/{y}\n  session: none\n", "l:3:1: GET /a/{y} is there twice" + again},
		"fact twice":            {"GET /a\n  session: none\n  session: required\n", "l:3:1: session is there twice for GET /a" + again},
		"unknown fact":          {"GET /a\n  session: none\n  sesion: none\n", `l:3:1: "sesion: none" says nothing about an endpoint` + again},
		"session":               {"GET /a\n  session: non\n", `l:2:1: session cannot be "non"` + again},
		"key":                   {"GET /a\n  session: none\n  apiKey: none\n", `l:3:1: apiKey cannot be "none"` + again},
		"limit":                 {"GET /a\n  session: none\n  limit: 5/week per ip\n", `l:3:1: limit cannot be "5/week per ip"` + again},
		"list":                  {"GET /a\n  session: none\n  reads: \"a\n", `l:3:1: reads cannot be "\"a"` + again},
		"conflict": {"GET /a\n  session: none\n<<<<<<< HEAD\n  reads: x\n=======\n  reads: y\n>>>>>>> other\n",
			`l:3:1: "<<<<<<< HEAD" is no endpoint` + again + "\n" + `l:5:1: "=======" is no endpoint` + again + "\n" + `l:7:1: ">>>>>>> other" is no endpoint` + again},
	} {
		_, problems := contract.ParseLock("l", []byte(c.text))
		got := ""
		if len(problems) > 0 {
			got = problems.Error()
		}
		if got != c.want {
			t.Errorf("%s: ParseLock(%q) =\n%s\nwant\n%s", name, c.text, got, c.want)
		}
	}
}

// What parses must say the same when it is written and read again.
func FuzzParseLock(f *testing.F) {
	f.Add("GET /a\n  session: none\n")
	f.Add("POST /b/{id}\n  session: required\n  groups: a, \"b, c\"\n  limit: 5/min per ip, $body.email\n  apiKey: required\n  reads: x\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, problems := contract.ParseLock("l", []byte(text))
		if len(problems) > 0 {
			return
		}
		written := contract.Lock(all)
		read, problems := contract.ParseLock("l", written)
		if len(problems) > 0 || len(contract.Permits(all, read)) > 0 || len(contract.Permits(read, all)) > 0 {
			t.Errorf("ParseLock(Lock(%q)) = %v, %v", text, read, problems)
		}
	})
}

func TestLockOfTheShippedFlowsIsCurrent(t *testing.T) {
	flows, err := server.Check(server.Config{Dir: "../..", Flows: "flows"})
	if err != nil {
		t.Fatal(err)
	}
	want := contract.Lock(contract.Of(&engine.App{Flows: flows.All, Nodes: flows.Nodes}))
	got, err := os.ReadFile("../../flows/" + contract.File)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("flows/%s = %s (%v), want what sluice lock writes:\n%s", contract.File, got, err, want)
	}
}
