package lsp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"sluice/engine"
	"sluice/server"
	"sluice/server/lsp"
)

// An editor is the other end of a server under test.
type editor struct {
	t       *testing.T
	dir     string // of the flows
	in      io.WriteCloser
	answers chan packet
	told    chan packet // notifications
	ended   chan error
	last    int
}

type packet struct {
	ID     *int            `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int
		Message string
	} `json:"error"`
}

// project writes files below a folder flows, and returns it.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "flows")
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start runs a server on a folder, as an editor does.
func start(t *testing.T, dir string) *editor {
	t.Helper()
	e := run(t, dir)
	e.request("initialize", map[string]any{"rootUri": nil, "capabilities": map[string]any{}})
	e.notify("initialized", map[string]any{})
	return e
}

// run runs a server that nobody has spoken to.
func run(t *testing.T, dir string) *editor {
	t.Helper()
	fromEditor, in := io.Pipe()
	out, toEditor := io.Pipe()
	// It reads whatever comes, as clients do: what nobody looks at must not hold the server up.
	e := &editor{t: t, dir: dir, in: in, answers: make(chan packet, 100), told: make(chan packet, 1<<16), ended: make(chan error, 1)}
	open := func(string) (string, engine.Env, error) {
		_, env, err := server.Language(server.Config{Flows: dir})
		return dir, env, err
	}
	go func() {
		e.ended <- lsp.Serve(t.Context(), fromEditor, toEditor, open, slog.New(slog.NewTextHandler(io.Discard, nil)))
		toEditor.Close()
	}()
	go e.receive(out)
	return e
}

func (e *editor) receive(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(header.Get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var p packet
		if err := json.Unmarshal(body, &p); err != nil {
			e.t.Errorf("the server sent %q: %v", body, err)
		}
		if p.Method != "" {
			e.told <- p
		} else {
			e.answers <- p
		}
	}
}

func (e *editor) write(body string) {
	e.t.Helper()
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		e.t.Fatal(err)
	}
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	data, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
	if err != nil {
		e.t.Fatal(err)
	}
	e.write(string(data))
}

// ask sends a request and returns the answer, be it an error.
func (e *editor) ask(method string, params any) packet {
	e.t.Helper()
	e.last++
	data, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": e.last, "method": method, "params": params})
	if err != nil {
		e.t.Fatal(err)
	}
	e.write(string(data))
	p := <-e.answers
	if p.ID == nil || *p.ID != e.last {
		e.t.Fatalf("%s: answer %+v, want one to %d", method, p, e.last)
	}
	return p
}

func (e *editor) request(method string, params any) json.RawMessage {
	e.t.Helper()
	p := e.ask(method, params)
	if p.Error != nil {
		e.t.Fatalf("%s: %s", method, p.Error.Message)
	}
	return p.Result
}

func (e *editor) uri(name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(e.dir, name))}).String()
}

func (e *editor) open(name, text string) {
	e.t.Helper()
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": e.uri(name), "languageId": "yaml", "version": 1, "text": text,
	}})
}

func (e *editor) change(name, text string, version int) {
	e.t.Helper()
	e.notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": e.uri(name), "version": version}, "contentChanges": []any{map[string]any{"text": text}},
	})
}

// cursor is where the cursor stands in texts of tests.
const cursor = "‸"

// at opens a text, without its cursor, and returns the parameters of a request there.
func (e *editor) at(name, text string) map[string]any {
	e.t.Helper()
	before, behind, ok := strings.Cut(text, cursor)
	if !ok {
		e.t.Fatalf("there is no cursor in %q", text)
	}
	e.open(name, before+behind)
	line := before[strings.LastIndexByte(before, '\n')+1:]
	units := 0
	for _, r := range line {
		units++
		if r >= 0x10000 {
			units++
		}
	}
	return map[string]any{
		"textDocument": map[string]any{"uri": e.uri(name)},
		"position":     map[string]any{"line": strings.Count(before, "\n"), "character": units},
	}
}

func decode[T any](t *testing.T, data json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

// stop ends the server as editors do.
func (e *editor) stop() error {
	e.t.Helper()
	e.request("shutdown", nil)
	e.notify("exit", nil)
	return <-e.ended
}

func utf16Of(s string) []uint16    { return utf16.Encode([]rune(s)) }
func textOf(units []uint16) string { return string(utf16.Decode(units)) }
