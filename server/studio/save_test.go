package studio_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/server"
	"sluice/server/studio"
)

const hello = "about: Say hello.\nendpoint: GET /hi\nsession: none\nsteps:\n  - respond: 200\n    body: {hello: world}\n"

func TestSavedFlowIsServed(t *testing.T) {
	d := open(t, server.Config{})
	saved := call[studio.Saved](d, "POST", "flow/save", studio.Save{File: "a/new/hi.yaml", Text: hello})
	if d.read("a/new/hi.yaml") != hello || !saved.Served || saved.Revision == "" {
		t.Fatalf("save = %+v, want the file as it was sent", saved)
	}
	wait(t, "GET /hi", func() bool { status, _, _ := d.send("GET", "/hi", "", nil); return status == 200 })
	moved := call[studio.Saved](d, "POST", "flow/rename", studio.Renaming{File: "a/new/hi.yaml", To: "hi.yaml", Revision: saved.Revision})
	if d.read("hi.yaml") != hello || d.read("a/new/hi.yaml") != "" || moved.Revision != saved.Revision {
		t.Errorf("rename = %+v, want the file at its new place", moved)
	}
	if gone := call[studio.Saved](d, "POST", "flow/delete", studio.Removal{File: "hi.yaml", Revision: saved.Revision}); d.read("hi.yaml") != "" || gone.Revision != "" {
		t.Errorf("delete = %+v, want the file gone", gone)
	}
}

func TestSaveOverwritesNothingThatItDoesNotKnow(t *testing.T) {
	d := open(t, server.Config{})
	sh := call[studio.Sheet](d, "GET", "flow?file=auth/me.yaml", nil)
	theirs := sh.Text + "# theirs\n"
	d.write("auth/me.yaml", theirs)
	for path, in := range map[string]any{
		"flow/save":   studio.Save{File: "auth/me.yaml", Text: sh.Text + "# ours\n", Revision: sh.Revision},
		"flow/delete": studio.Removal{File: "auth/me.yaml", Revision: sh.Revision},
		"flow/rename": studio.Renaming{File: "auth/me.yaml", To: "auth/you.yaml", Revision: sh.Revision},
	} {
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		status, _, text := d.send("POST", "/_studio/api/"+path, string(body), nil)
		var told struct {
			Errors []struct {
				Code    string
				Details studio.Theirs
			}
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil || status != 409 || told.Errors[0].Code != "changed_on_disk" || told.Errors[0].Details.Text != theirs || told.Errors[0].Details.Base != sh.Text {
			t.Errorf("POST %s = %d %s, want 409 with both texts", path, status, text)
		}
	}
	if d.read("auth/me.yaml") != theirs {
		t.Error("the file was changed")
	}
	body := `{"file": "auth/me.yaml", "to": "auth/sign-in.yaml", "revision": "` + call[studio.Sheet](d, "GET", "flow?file=auth/me.yaml", nil).Revision + `"}`
	if status, _, text := d.send("POST", "/_studio/api/flow/rename", body, nil); status != 409 || !strings.Contains(text, `"exists"`) {
		t.Errorf("rename onto another file = %d %s, want 409 exists", status, text)
	}
}
