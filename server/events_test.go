package server_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
)

// packing holds a node that waits for a test, and one that can be taken back.
type packing struct {
	goOn   chan struct{}
	undone chan string
}

type packed struct {
	Name string `json:"name" doc:"What is packed."`
}

func (p *packing) nodes() []*engine.Node {
	return []*engine.Node{
		engine.Define("box.wait", "Waits until somebody says go.", func(ctx context.Context, _ packed) (engine.None, error) {
			select {
			case <-p.goOn:
				return engine.None{}, nil
			case <-ctx.Done():
				return engine.None{}, ctx.Err()
			}
		}),
		engine.Define("box.open", "Opens a box.", func(context.Context, packed) (engine.None, error) { return engine.None{}, nil }),
		engine.Define("box.close", "Closes a box.", func(_ context.Context, in packed) (engine.None, error) {
			p.undone <- in.Name
			return engine.None{}, nil
		}),
	}
}

const packFlow = `about: Pack.
endpoint: GET /pack/{name}
session: none
answer: events
timeout: 1m
input:
  headers: {"last-event-id?": integer}
steps:
  - node: box.open
    with: {name: $path.name}
    undo:
      - node: box.close
        with: {name: $path.name}
  - fail: too_small
    when: $path.name == "elephant"
  - respond: 204
    when: $headers.last-event-id
  - send: opened
    eventId: 1
    data: {name: $path.name}
  - node: box.wait
    with: {name: $path.name}
  - fail: too_small
    when: $path.name == "piano"
  - send: packed
    data: {name: $path.name}
  - respond: 200
`

// TestEventsComeWhileTheFlowRuns keeps the promises of answer: events from the flow
// to the wire: each event at once, a failure as an answer or as an event, and a run
// that is taken back when nobody listens any more.
func TestEventsComeWhileTheFlowRuns(t *testing.T) {
	p := &packing{make(chan struct{}), make(chan string, 1)}
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/pack.yaml": packFlow, "flows/errors.yaml": "too_small: {status: 409, message: The box is too small.}\n"})
	r := run(t, server.Config{Dir: dir}, server.With(p.nodes()...))

	listen := func(name, last string) (*http.Response, func() string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/pack/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		return res, func() string {
			var event []string
			for lines.Scan() && lines.Text() != "" {
				event = append(event, lines.Text())
			}
			return strings.Join(event, "; ")
		}
	}
	expect := func(next func() string, want string) {
		t.Helper()
		if got := next(); got != want {
			t.Fatalf("the stream goes on with %q, want %q", got, want)
		}
	}

	_, next := listen("oar", "")
	expect(next, `event: opened; id: 1; data: {"name":"oar"}`)
	p.goOn <- struct{}{} // the flow still waits: the first event did not wait for its end
	expect(next, `event: packed; data: {"name":"oar"}`)
	expect(next, "")

	_, next = listen("piano", "")
	expect(next, `event: opened; id: 1; data: {"name":"piano"}`)
	p.goOn <- struct{}{}
	expect(next, `event: error; data: {"errors":[{"origin":"client","code":"too_small","message":"The box is too small."}]}`)
	expect(next, "")
	if got := <-p.undone; got != "piano" {
		t.Errorf("a failure took back %s, want piano", got)
	}

	if res, next := listen("elephant", ""); res.StatusCode != 409 || !strings.Contains(next(), "too_small") {
		t.Errorf("a failure in front of the first event = %d, want 409 too_small", res.StatusCode)
	}
	<-p.undone
	if res, _ := listen("oar", "1"); res.StatusCode != 204 {
		t.Errorf("a caller who comes back = %d, want 204", res.StatusCode)
	}

	res, next := listen("sail", "")
	expect(next, `event: opened; id: 1; data: {"name":"sail"}`)
	res.Body.Close()
	select {
	case got := <-p.undone:
		if got != "sail" {
			t.Errorf("hanging up took back %s, want sail", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a caller hung up and the flow goes on")
	}
}
