package lsp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

type report struct {
	URI         string
	Version     *int
	Diagnostics []struct {
		Range struct {
			Start, End struct{ Line, Character int }
		}
		Severity        int
		Source, Message string
	}
}

// reports returns what was published for each file until the server rests.
func (e *editor) reports() map[string]report {
	e.t.Helper()
	synctest.Wait()
	all := map[string]report{}
	for {
		select {
		case p := <-e.told:
			if p.Method == "textDocument/publishDiagnostics" {
				r := decode[report](e.t, p.Params)
				all[r.URI] = r
			}
		default:
			return all
		}
	}
}

const fine = head + "steps:\n  - respond: 204\n"

// TestDiagnostics keeps the promise that what sluice check would say is told with its
// place, of texts that were not saved and of the files that they break.
func TestDiagnostics(t *testing.T) {
	dir := project(t, map[string]string{"good.yaml": fine, "errors.yaml": errorsYAML,
		"other.yaml": "about: x\nendpoint: GET /other\nsession: none\nsteps:\n  - fail: gone\n"})
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dir)
		defer e.stop()
		e.open("good.yaml", fine)
		time.Sleep(time.Second)
		for uri, r := range e.reports() {
			if len(r.Diagnostics) > 0 {
				t.Errorf("%s has %+v, want no problems", uri, r.Diagnostics)
			}
		}

		e.change("good.yaml", head+"steps:\n  - respond: 200\n    body: {text: \"😀 {$body.emial}\", n: 1}\n", 2)
		time.Sleep(time.Second)
		r := e.reports()[e.uri("good.yaml")]
		if len(r.Diagnostics) != 1 || r.Version == nil || *r.Version != 2 {
			t.Fatalf("a misspelt property gives %+v, want one problem of version 2", r)
		}
		d := r.Diagnostics[0]
		if want := `$body has no "emial" (did you mean email?)`; d.Message != want || d.Severity != 1 || d.Source != "sluice" {
			t.Errorf("it says %q, want %q", d.Message, want)
		}
		from := len([]rune(`    body: {text: "😀 {`)) + 1 // the emoji is two
		if d.Range.Start.Line != 10 || d.Range.Start.Character != from || d.Range.End.Character != from+len("$body.emial") {
			t.Errorf("it stands at %+v, want line 10 from %d to %d", d.Range, from, from+len("$body.emial"))
		}

		e.change("good.yaml", fine, 3)
		e.open("errors.yaml", "wrong: {status: 403, message: Wrong.}\n")
		time.Sleep(time.Second)
		got := e.reports()
		if r, ok := got[e.uri("good.yaml")]; !ok || len(r.Diagnostics) > 0 {
			t.Errorf("the mended file has %+v, want an empty report", r)
		}
		if r := got[e.uri("other.yaml")]; len(r.Diagnostics) != 1 {
			t.Errorf("a file whose error is gone has %+v, want one problem", r)
		}

		e.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": e.uri("errors.yaml")}})
		time.Sleep(time.Second)
		if r, ok := e.reports()[e.uri("other.yaml")]; !ok || len(r.Diagnostics) > 0 {
			t.Errorf("behind a close without a save the other file has %+v, want an empty report", r)
		}
	})
}

// TestPause keeps the promise that a file is checked when its author rests, and not
// at each key.
func TestPause(t *testing.T) {
	dir := project(t, nil)
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dir)
		defer e.stop()
		e.open("a.yaml", "about: x\n")
		for v := range 10 {
			e.change("a.yaml", "about: x\nend", v+2)
			time.Sleep(60 * time.Millisecond)
		}
		if got := e.reports(); len(got) != 0 {
			t.Errorf("while typing: %d reports, want none", len(got))
		}
		time.Sleep(60 * time.Millisecond)
		if got := e.reports()[e.uri("a.yaml")]; got.Version == nil || *got.Version != 11 {
			t.Errorf("after a pause: %+v, want a report of version 11", got)
		}
	})
}

// TestFilesBeyond keeps the promises that a file that was never saved counts, that
// flow tests and hidden files do not, and that files change on the disk.
func TestFilesBeyond(t *testing.T) {
	dir := project(t, map[string]string{"good.yaml": fine})
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dir)
		defer e.stop()
		e.open("new.yaml", "about: x\n")
		e.open("new.test.yaml", "- name: x\n")
		e.open("_draft.yaml", "about: x\n")
		time.Sleep(time.Second)
		got := e.reports()
		if len(got[e.uri("new.yaml")].Diagnostics) == 0 {
			t.Errorf("a file that was never saved has no problems, want some")
		}
		for _, name := range []string{"new.test.yaml", "_draft.yaml"} {
			if r, ok := got[e.uri(name)]; ok {
				t.Errorf("%s has %+v, want no report", name, r)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "good.yaml"), []byte("about: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{}})
		time.Sleep(time.Second)
		if r := e.reports()[e.uri("good.yaml")]; len(r.Diagnostics) == 0 {
			t.Errorf("a file that changed on the disk has %+v, want problems", r)
		}
	})
}

// TestManyFlows keeps the promise that an author is not kept waiting by the other
// files of a large folder.
func TestManyFlows(t *testing.T) {
	files := map[string]string{"good.yaml": fine}
	for i := range 500 {
		files[fmt.Sprintf("f%d.yaml", i)] = fmt.Sprintf("about: x\nendpoint: GET /f%d\nsession: none\nsteps:\n  - respond: 204\n", i)
	}
	dir := project(t, files)
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dir)
		defer e.stop()
		e.open("good.yaml", fine)
		time.Sleep(time.Second)
		e.reports()
		e.change("good.yaml", "about: x\n", 2)
		time.Sleep(time.Second)
		synctest.Wait()
		for _, when := range []string{"ahead of the check", "behind it"} {
			if r := decode[report](t, (<-e.told).Params); r.URI != e.uri("good.yaml") || len(r.Diagnostics) == 0 {
				t.Errorf("%s: %+v, want problems of good.yaml", when, r)
			}
		}
	})
}

// TestLife keeps the promises of the protocol around the rest: what comes before
// initialize and behind shutdown is refused, garbage is answered, and an exit without
// a shutdown is told from one with.
func TestLife(t *testing.T) {
	e := start(t, project(t, nil))
	if p := e.ask("textDocument/unheard", map[string]any{}); p.Error == nil || p.Error.Code != -32601 {
		t.Errorf("an unknown method gives %+v, want code -32601", p)
	}
	if p := e.ask("textDocument/hover", []int{1}); p.Error == nil || p.Error.Code != -32602 {
		t.Errorf("wrong parameters give %+v, want code -32602", p)
	}
	e.notify("$/setTrace", map[string]any{"value": "off"})
	e.write("{garbled")
	if p := <-e.answers; p.Error == nil || p.Error.Code != -32700 {
		t.Errorf("garbage gives %+v, want code -32700", p)
	}
	e.request("shutdown", nil)
	if p := e.ask("textDocument/hover", map[string]any{}); p.Error == nil || p.Error.Code != -32600 {
		t.Errorf("a request behind shutdown gives %+v, want code -32600", p)
	}
	e.notify("exit", nil)
	if err := <-e.ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	hasty := run(t, project(t, nil))
	if p := hasty.ask("textDocument/hover", map[string]any{}); p.Error == nil || p.Error.Code != -32002 {
		t.Errorf("a request in front of initialize gives %+v, want code -32002", p)
	}
	hasty.notify("exit", nil)
	if err := <-hasty.ended; err == nil {
		t.Error("Serve = nil behind an exit without a shutdown, want an error")
	}
}
