package studio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/flows"
	"sluice/nodes/audit"
	"sluice/nodes/user"
	"sluice/server"
	"sluice/server/admin"
	"sluice/server/studio"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A desk is a server with the shipped flows in a folder of its own, and its studio.
type desk struct {
	*testing.T
	url, dir string
	token    string // of the session that calls carry; "" for none
}

// open starts a server.
func open(t *testing.T, conf server.Config) *desk {
	t.Helper()
	conf.Dir, conf.Addr = t.TempDir(), "127.0.0.1:0"
	d := &desk{T: t, dir: filepath.Join(conf.Dir, "flows")}
	err := fs.WalkDir(flows.FS, ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(file) != ".yaml" && filepath.Ext(file) != ".txt" && filepath.Ext(file) != ".html" {
			return err
		}
		text, err := fs.ReadFile(flows.FS, file)
		if err == nil {
			d.write(file, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), conf, server.Log(slog.New(slog.DiscardHandler)), server.OnReload(func(server.Reload) {}))
	if err != nil {
		t.Fatal(err)
	}
	d.url = "http://" + s.Summary().Addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
	return d
}

func (d *desk) write(file, text string) {
	d.Helper()
	name := filepath.Join(d.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) read(file string) string {
	text, err := os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(file)))
	if err != nil {
		return ""
	}
	return string(text)
}

// send makes a request as the page does, but for the headers that are given.
func (d *desk) send(method, path, body string, header map[string]string) (int, http.Header, string) {
	d.Helper()
	q, err := http.NewRequestWithContext(d.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	q.Header.Set("X-Studio", "1")
	if d.token != "" {
		q.Header.Set("Session", d.token)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		q.Header.Set(k, v)
	}
	if host := q.Header.Get("Host"); host != "" {
		q.Host = host
	}
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		d.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		d.Fatal(err)
	}
	return a.StatusCode, a.Header, string(text)
}

// call makes a call of the API and reads its answer.
func call[Out any](d *desk, method, path string, in any) (out Out) {
	d.Helper()
	body := ""
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			d.Fatal(err)
		}
		body = string(text)
	}
	status, _, text := d.send(method, "/_studio/api/"+path, body, nil)
	if status != 200 {
		d.Fatalf("%s %s of %s = %d %s, want 200", method, path, body, status, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		d.Fatalf("%s %s = %s: %v", method, path, text, err)
	}
	return out
}

func TestStudioAnswersItsOwnPageOnly(t *testing.T) {
	d := open(t, server.Config{})
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"the page":                {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": d.url}, 200},
		"a program":               {nil, 200},
		"no mark":                 {map[string]string{"X-Studio": ""}, 403},
		"another page":            {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"the page of another one": {map[string]string{"Origin": "https://evil.example.com"}, 403},
		"a name that leads here":  {map[string]string{"Host": "evil.example.com"}, 403},
		"a proxy":                 {map[string]string{"X-Forwarded-For": "203.0.113.7"}, 403},
	} {
		if status, _, body := d.send("GET", "/_studio/api/app", "", c.header); status != c.status {
			t.Errorf("GET app by %s = %d %.200s, want %d", name, status, body, c.status)
		}
	}
}

func TestStudioOfAGroupWantsItsSessions(t *testing.T) {
	d := open(t, server.Config{StudioGroup: "owners"})
	if status, _, body := d.send("GET", "/_studio/api/app", "", nil); status != 401 || !strings.Contains(body, "missing_session_token") {
		t.Errorf("GET app without a session = %d %s, want 401", status, body)
	}
	if a := call[studio.Access](d, "GET", "access", nil); a.Open || a.SignIn != "/auth/sign-in" || a.Group != "owners" {
		t.Errorf("access = %+v, want it closed, with the path to sign in", a)
	}
	d.token = d.signUp()
	if status, _, body := d.send("GET", "/_studio/api/app", "", nil); status != 403 || !strings.Contains(body, "missing_access_group") {
		t.Errorf("GET app with a session of no group = %d %s, want 403", status, body)
	}
	if status, _, _ := d.send("GET", "/_studio/mail", "", nil); status != 403 && status != 404 {
		t.Errorf("GET mail = %d, want it refused where others can reach the studio", status)
	}
}

// signUp makes a user and returns the token of a session.
func (d *desk) signUp() string {
	d.Helper()
	_, _, body := d.send("POST", "/auth/sign-up", `{"email": "ada@example.com", "password": "a ferry across the river"}`, nil)
	var made struct{ Session struct{ Token string } }
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.Session.Token == "" {
		d.Fatalf("POST /auth/sign-up = %s, %v, want a session", body, err)
	}
	return made.Session.Token
}

// What is changed in the studio is in the audit log with who changed it: the one who
// is signed in, or on a machine of one's own the studio.
func TestChangesAreInTheAuditLog(t *testing.T) {
	for _, group := range []string{"", "beta"} {
		d := open(t, server.Config{StudioGroup: group})
		who := audit.Studio
		if group != "" {
			d.token = d.signUp()
			d.send("POST", "/examples/beta", "", map[string]string{"Session": d.token}) // which lets everyone in
			who = call[studio.Access](d, "GET", "access", nil).User
		}
		call[struct{}](d, "POST", "flow/save", studio.Save{File: "hello.yaml", Text: "about: Say hello.\nendpoint: GET /hello\nsession: none\nsteps:\n  - respond: 204\n"})
		call[admin.Users](d, "POST", "do/user.list", admin.ListUsers{Limit: 5})
		call[user.User](d, "POST", "do/user.add", admin.AddUser{Email: "bob@example.com", Password: "a ferry across the river"})
		var got []string
		for _, e := range call[admin.Events](d, "POST", "do/audit.list", admin.ListEvents{Limit: 50}).Events {
			if e.Actor == who && (e.Kind == audit.StudioUsed || e.Kind == audit.UserCreated && e.Subject != who) {
				got = append(got, string(e.Kind)+" "+e.Details["what"]+" "+e.Details["file"])
			}
		}
		if want := []string{"studioUsed flow/save hello.yaml", "userCreated  "}; !slices.Equal(got, want) {
			t.Errorf("with group %q the log has of %q %q, want %q", group, who, got, want)
		}
	}
}

func TestReadOnlyStudioChangesNothing(t *testing.T) {
	d := open(t, server.Config{StudioReadOnly: true})
	for path, body := range map[string]string{
		"flow/save": `{"file": "x.yaml", "text": "a: b\n", "revision": ""}`, "flow/delete": `{"file": "auth/me.yaml", "revision": "x"}`,
		"run": `{"file": "auth/me.yaml"}`, "do/user.delete": `{"user": "a"}`, "test/keep": `{"run": "x", "name": "y"}`,
	} {
		if status, _, got := d.send("POST", "/_studio/api/"+path, body, nil); status != 403 || !strings.Contains(got, "read_only") {
			t.Errorf("POST %s = %d %s, want 403 read_only", path, status, got)
		}
	}
	if users := call[admin.Users](d, "POST", "do/user.list", admin.ListUsers{Limit: 5}); users.Users == nil {
		t.Errorf("user.list = %+v, want a list", users)
	}
}

func TestPagesAreTheStudiosAlone(t *testing.T) {
	d := open(t, server.Config{})
	status, header, body := d.send("GET", "/_studio", "", nil)
	if status == 404 {
		t.Skip("the page is not built")
	}
	if status != 200 || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'self'") || !strings.Contains(body, "<html") {
		t.Errorf("GET /_studio = %d %v %.100s, want the page with its policy", status, header, body)
	}
	if status, _, body := d.send("GET", "/_studio", "", map[string]string{"If-None-Match": header.Get("ETag")}); status != 304 || body != "" {
		t.Errorf("GET /_studio again = %d %.100s, want 304", status, body)
	}
	if status, _, _ := d.send("GET", "/_studio", "", map[string]string{"Host": "evil.example.com"}); status != 403 {
		t.Errorf("GET /_studio by another name = %d, want 403", status)
	}
}

func TestSheetStaysAsItIs(t *testing.T) {
	d := open(t, server.Config{})
	for _, file := range []string{"auth/sign-in.yaml", "examples/shop/checkout.yaml"} {
		sh := call[struct {
			Drawing, Problems any
			Steps             []map[string]any
		}](d, "GET", "flow?file="+file, nil)
		for _, st := range sh.Steps {
			for _, known := range []string{"inputs", "outputs", "scope"} {
				delete(st, known) // which tests of nodes and types are about
			}
		}
		got, err := json.MarshalIndent(sh, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(file), ".yaml")+".json")
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(append(got, '\n'), want) {
			t.Errorf("sheet of %s is not that of %s, %v; look at it with -update", file, golden, err)
		}
	}
}

func TestEveryStepHasItsPlaceAndItsBox(t *testing.T) {
	d := open(t, server.Config{})
	for _, f := range call[studio.App](d, "GET", "app", nil).Flows {
		sh := call[studio.Sheet](d, "GET", "flow?file="+f.File, nil)
		if sh.Drawing == nil || len(sh.Steps) == 0 || !sh.Readable {
			t.Errorf("%s has %d steps and drawing %v, want some", f.File, len(sh.Steps), sh.Drawing)
			continue
		}
		ids := map[string]bool{"": true}
		for _, b := range sh.Drawing.Boxes {
			if ids[b.ID] {
				t.Errorf("%s: two boxes are %q", f.File, b.ID)
			}
			ids[b.ID] = true
		}
		for _, st := range sh.Steps {
			if !ids[st.Place] {
				t.Errorf("%s: step %s of line %d has no box", f.File, st.Place, st.Span.Line)
			}
		}
		for _, e := range sh.Drawing.Edges {
			if e.To != "" && !ids[e.To] {
				t.Errorf("%s: edge %s leads to %q, which is no box", f.File, e.ID, e.To)
			}
		}
	}
}

// wait asks until an answer is as it should be.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func TestBadCallsAreTheCallersFault(t *testing.T) {
	d := open(t, server.Config{})
	long := strings.Repeat("x", 100_000)
	deep := strings.Repeat("[", 20_000)
	bodies := []string{
		"", "{}", "null", "[]", "1", `"x"`, "{", `{"file": 1}`, `{"unknown": 1}`, "{} {}", `{"file": ""}`, `{"file": "../x.yaml", "text": "a"}`,
		`{"file": "/etc/passwd.yaml"}`, `{"file": "auth/me.yaml"}`, `{"file": "auth/me.yaml", "text": "\u0000"}`, `{"file": "auth/.x.yaml", "text": ""}`,
		`{"file": "auth/sign-in.yaml", "text": "steps: &a [*a]\n"}`, `{"file": "auth/sign-in.yaml", "text": "steps:\n- - -"}`,
		`{"file": "a.yaml", "text": "steps: [{if: }, {}, 1, [], {each: $x, do: []}]"}`, `{"file": "a.yaml", "text": "` + deep + `"}`,
		`{"file": "a.yaml", "text": "` + long + `"}`, deep, `{"file": "a.yaml", "text": "", "line": -1, "column": 99999999}`,
		`{"file": "a.yaml", "text": "a: b", "place": "steps/99999999999999999999/with/x"}`, `{"file": "a.yaml", "text": "a: b\n", "line": 1, "column": 5}`,
		`{"file": "a.yaml", "text": "", "edits": [{"do": "set", "at": "steps/-1/with", "value": 1}]}`,
		`{"file": "a.yaml", "text": "a: b", "edits": [{"do": "move", "at": "", "to": "a"}, {"do": "x"}]}`,
		`{"file": "a.yaml", "text": "steps: []", "edits": [{"do": "insert", "at": "steps/0"}]}`,
		`{"file": "a.yaml", "text": "steps: []", "edits": [{"do": "insert", "at": "steps/0", "yaml": "- ["}]}`,
		`{"file": "a.yaml", "text": "a: b", "edits": [{"do": "wrap", "at": "a", "verb": "if"}, {"do": "rename", "at": "a", "to": "1"}]}`,
		`{"file": "a.yaml", "text": "a: b", "edits": [{"do": "set", "at": "~2/~", "value": {"a": {"b": [null]}}}]}`,
		`{"file": "auth/me.yaml", "revision": "nonsense", "to": "auth/you.yaml"}`, `{"file": "auth/me.yaml", "revision": "", "text": "x"}`,
		`{"file": "auth/sign-in.yaml", "input": {"body": {"email": 1}}}`, `{"file": "auth/me.yaml", "session": {}}`, `{"file": "auth/me.yaml", "again": "x"}`,
		`{"file": "auth/me.yaml", "session": {"user": "nobody"}}`, `{"file": "auth/me.yaml", "session": {"token": "sls_x"}}`,
		`{"file": "auth/sign-in.yaml", "fakes": {"steps/0": {"outcome": "no"}}}`, `{"file": "auth/sign-in.yaml", "from": "steps/99", "alone": true}`,
		`{"file": "auth/sign-in.yaml", "input": {"headers": {"a\r\nb": "c"}}}`, `{"file": "examples/shop/charge.yaml"}`, `{"run": "x", "name": ""}`,
		`{"user": "nobody", "limit": -1}`, `{"id": "x"}`, `{"name": "x", "scope": "y"}`,
	}
	paths := []string{
		"flow/draw", "flow/edit", "flow/complete", "flow/format", "flow/save", "flow/delete", "flow/rename", "run", "test/keep", "do/nothing", "do/store.backup",
	}
	for _, name := range admin.Names() {
		paths = append(paths, "do/"+name)
	}
	for _, path := range paths {
		for _, body := range bodies {
			if status, _, got := d.send("POST", "/_studio/api/"+path, body, nil); status >= 500 {
				t.Errorf("POST %s of %.200s = %d %s, want no fault of the server", path, body, status, got)
			}
		}
	}
	for _, path := range []string{"flow", "flow?file=", "flow?file=..%2Fx.yaml", "flow?file=a&file=b", "flow?file=%00.yaml", "flow?file=%zz", "trace", "trace?id=x", "tests"} {
		if status, _, got := d.send("GET", "/_studio/api/"+path, "", nil); status >= 500 || status == 200 {
			t.Errorf("GET %s = %d %s, want a refusal", path, status, got)
		}
	}
	if left := call[studio.App](d, "GET", "app", nil); slices.ContainsFunc(left.Flows, func(f studio.FlowEntry) bool { return f.File == "passwd.yaml" }) {
		t.Error("a file outside of the folder was written")
	}
}

func TestAppListsWhatThereIs(t *testing.T) {
	d := open(t, server.Config{})
	a := call[studio.App](d, "GET", "app", nil)
	i := slices.IndexFunc(a.Flows, func(f studio.FlowEntry) bool { return f.File == "auth/sign-in.yaml" })
	if i < 0 || a.Flows[i].Name != "POST /auth/sign-in" || !a.Flows[i].Served || !a.Flows[i].Tests || a.Flows[i].Session != "none" {
		t.Errorf("app has the flows %+v, want auth/sign-in.yaml as it is", a.Flows)
	}
	n := slices.IndexFunc(a.Nodes, func(n studio.NodeInfo) bool { return n.Name == "password.check" })
	if n < 0 || a.Nodes[n].Family != "password" || len(a.Nodes[n].Inputs) == 0 || a.Nodes[n].Outcomes[0].Status == 0 {
		t.Errorf("app has the nodes %+v, want password.check with what it takes", a.Nodes)
	}
	if !a.Served || len(a.Problems) != 0 || !slices.Contains(a.Folders, "examples/shop") || !slices.Contains(a.Groups, "admin") || a.ReadOnly {
		t.Errorf("app = %+v, want it without problems, with folders and groups", a)
	}
	d.write("auth/sign-in.yaml", strings.Replace(d.read("auth/sign-in.yaml"), "$body.email", "$body.emial", 1))
	wait(t, "the problem", func() bool { return !call[studio.App](d, "GET", "app", nil).Served })
	a = call[studio.App](d, "GET", "app", nil)
	if len(a.Problems) != 1 || a.Problems[0].File != "auth/sign-in.yaml" || a.Flows[i].Problems != 1 {
		t.Errorf("app has the problems %+v, want that of auth/sign-in.yaml", a.Problems)
	}
	if p := fmt.Sprint(a.Problems[0].Place, a.Problems[0].Field); !strings.Contains(p, "") || a.Problems[0].Hint == "" {
		t.Errorf("problem is at %s, want its place and a hint", p)
	}
}
