package rest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

// sending is an endpoint that sends events.
type sending struct{ fake }

func (sending) Streams() bool { return true }

func sends(path string, call func(ctx context.Context, r *endpoint.Request) (engine.Answer, error)) sending {
	return sending{fake{method: "GET", path: path, call: call}}
}

var closingAnswer = engine.Answer{Status: 200, Type: eventStream, Body: []byte{}}

// listen asks for a stream and returns what is read of it as it comes.
func listen(t *testing.T, addr, path string) (*http.Response, *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("GET %s = %v", path, err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res, bufio.NewReader(res.Body)
}

// next reads one event, without the empty line behind it.
func next(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("reading an event = %q, %v", text+line, err)
		}
		if line == "\n" {
			return strings.TrimSuffix(text, "\n")
		}
		text += line
	}
}

func rest(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading to the end = %q, %v", all, err)
	}
	return string(all)
}

func TestEventsComeAsTheyAreSent(t *testing.T) {
	goOn := make(chan struct{})
	_, addr := start(t, Options{}, sends("/count", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
		for _, e := range []engine.Event{{Name: "tick", ID: "1", Data: []byte(`{"n":1}`)}, {Name: "tick", ID: "2\nevent: forged\r\x00", Data: []byte(`2`)}} {
			if err := r.Send(ctx, e); err != nil {
				return engine.Answer{}, err
			}
			<-goOn
		}
		return closingAnswer, nil
	}))
	res, r := listen(t, addr, "/count")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff", "Connection": "",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if res.StatusCode != 200 || !res.Close {
		t.Errorf("status = %d, close = %t, want 200 on a connection that ends", res.StatusCode, res.Close)
	}
	if got, want := next(t, r), "event: tick\nid: 1\ndata: {\"n\":1}"; got != want {
		t.Errorf("the first event = %q, want %q", got, want)
	}
	goOn <- struct{}{} // only now the endpoint goes on
	if got, want := next(t, r), "event: tick\nid: 2 event: forged  \ndata: 2"; got != want {
		t.Errorf("the second event = %q, want %q", got, want)
	}
	goOn <- struct{}{}
	if got := rest(t, r); got != "" {
		t.Errorf("behind the events came %q, want the end", got)
	}
}

func TestStreamsThatEndWithoutAnEventAreAnsweredAsOthers(t *testing.T) {
	var log record
	_, addr := start(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))},
		sends("/gone", failing(engine.Fail(engine.NotFound, "gone", "It is gone."))),
		sends("/broken", failing(errors.New("disk 3"))),
		sends("/panic", func(context.Context, *endpoint.Request) (engine.Answer, error) { panic("disk 4") }),
		sends("/empty", func(context.Context, *endpoint.Request) (engine.Answer, error) { return closingAnswer, nil }),
		sends("/json", nil))
	for path, want := range map[string]struct {
		status    int
		code, typ string
	}{
		"/gone":   {404, "gone", "application/json"},
		"/broken": {500, "internal_error", "application/json"},
		"/panic":  {500, "internal_error", "application/json"},
		"/empty":  {200, "", "text/event-stream"},
		"/json":   {200, "", "application/json"},
	} {
		got := ask(t, addr, "GET", path, "", "")
		if got.status != want.status || want.code != "" && got.code(t) != want.code || got.get("Content-Type") != want.typ {
			t.Errorf("GET %s = %d %s %s, want %d %s %s", path, got.status, got.get("Content-Type"), got.body, want.status, want.typ, want.code)
		}
	}
	if got := ask(t, addr, "HEAD", "/json", "", ""); got.status != 405 {
		t.Errorf("HEAD = %d, want 405", got.status)
	}
	if got := parse(t, talk(t, addr, "GET /json HTTP/1.0\r\nHost: h\r\n\r\n")); got.status != 505 {
		t.Errorf("HTTP/1.0 = %d, want 505", got.status)
	}
	if text := log.String(); !strings.Contains(text, "disk 3") || !strings.Contains(text, "disk 4") {
		t.Errorf("the log = %s, want what was broken", text)
	}
}

func TestAFailureBehindAnEventIsAnEvent(t *testing.T) {
	var log record
	fails := func(err error) func(context.Context, *endpoint.Request) (engine.Answer, error) {
		return func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
			if err := r.Send(ctx, engine.Event{Name: "a", Data: []byte("1")}); err != nil {
				return engine.Answer{}, err
			}
			return engine.Answer{}, err
		}
	}
	_, addr := start(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))},
		sends("/late", fails(engine.Fail(engine.Conflict, "sold_out", "There are none left."))),
		sends("/broken", fails(errors.New("disk 3"))))
	_, r := listen(t, addr, "/late")
	if got, want := rest(t, r), "event: a\ndata: 1\n\nevent: error\ndata: {\"errors\":[{\"origin\":\"client\",\"code\":\"sold_out\",\"message\":\"There are none left.\"}]}\n\n"; got != want {
		t.Errorf("GET /late = %q, want %q", got, want)
	}
	_, r = listen(t, addr, "/broken")
	if got := rest(t, r); !strings.Contains(got, `"code":"internal_error"`) || strings.Contains(got, "disk") {
		t.Errorf("GET /broken = %q, want an internal error that says no more", got)
	}
	if text := log.String(); !strings.Contains(text, "disk 3") || strings.Contains(text, "sold_out") {
		t.Errorf("the log = %s, want what was broken and nothing else", text)
	}
}

func TestAQuietStreamShowsThatItLives(t *testing.T) {
	_, addr := start(t, Options{Heartbeat: 20 * time.Millisecond}, sends("/quiet", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
		time.Sleep(100 * time.Millisecond)
		return engine.Answer{}, engine.Fail(engine.NotFound, "gone", "It is gone.")
	}))
	res, r := listen(t, addr, "/quiet")
	got := rest(t, r)
	if n := strings.Count(got, ":\n\n"); res.StatusCode != 200 || n < 2 || !strings.HasSuffix(got, "\n\n") || !strings.Contains(got, "event: error\n") {
		t.Errorf("GET /quiet = %d %q, want heartbeats and then an event named error", res.StatusCode, got)
	}
}

func TestACallerWhoHangsUpEndsTheEndpoint(t *testing.T) {
	for name, first := range map[string]bool{"in front of the first event": false, "between two events": true} {
		t.Run(name, func(t *testing.T) {
			var log record
			entered, ended := make(chan struct{}), make(chan error, 1)
			s, addr := start(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, sends("/long", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
				if first {
					if err := r.Send(ctx, engine.Event{Name: "a", Data: []byte("1")}); err != nil {
						return engine.Answer{}, err
					}
				}
				close(entered)
				<-ctx.Done()
				ended <- ctx.Err()
				return engine.Answer{}, ctx.Err()
			}))
			c := dial(t, addr)
			io.WriteString(c, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
			<-entered
			if first {
				if _, err := c.Read(make([]byte, 100)); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("its context ended with %v, want it cancelled", err)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the endpoint runs on")
			}
			for end := time.Now().Add(5 * time.Second); s.streams.count() > 0; {
				if time.Now().After(end) {
					t.Fatal("the stream is counted still")
				}
				time.Sleep(time.Millisecond)
			}
			if log.String() != "" {
				t.Errorf("the log = %s, want nothing", log.String())
			}
		})
	}
}

func TestASlowReaderEndsTheEndpoint(t *testing.T) {
	ended := make(chan error, 1)
	_, addr := start(t, Options{WriteTimeout: 100 * time.Millisecond}, sends("/flood", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
		data := []byte(`"` + strings.Repeat("x", 1<<16) + `"`)
		for {
			if err := r.Send(ctx, engine.Event{Name: "a", Data: data}); err != nil {
				ended <- err
				return engine.Answer{}, err
			}
		}
	}))
	c := dial(t, addr)
	io.WriteString(c, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n") // and reads nothing
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the endpoint runs on")
	}
}

func TestAStreamOutlivesTheTimeOfOneWrite(t *testing.T) {
	_, addr := start(t, Options{WriteTimeout: 100 * time.Millisecond, ReadTimeout: 100 * time.Millisecond}, sends("/slow", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
		for range 3 {
			if err := r.Send(ctx, engine.Event{Name: "a", Data: []byte("1")}); err != nil {
				return engine.Answer{}, err
			}
			time.Sleep(150 * time.Millisecond)
		}
		return closingAnswer, nil
	}))
	_, r := listen(t, addr, "/slow")
	if got, want := rest(t, r), strings.Repeat("event: a\ndata: 1\n\n", 3); got != want {
		t.Errorf("GET /slow = %q, want %q", got, want)
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	s, addr, served := open(t, Options{LastCall: 50 * time.Millisecond}, sends("/long", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
		if err := r.Send(ctx, engine.Event{Name: "a", Data: []byte("1")}); err != nil {
			return engine.Answer{}, err
		}
		<-ctx.Done()
		return engine.Answer{}, ctx.Err()
	}))
	_, r := listen(t, addr, "/long")
	next(t, r)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v, want nil", err)
	}
	if got := rest(t, r); !strings.HasPrefix(got, "event: error\n") || !strings.Contains(got, "shutting_down") {
		t.Errorf("the stream ended with %q, want an event that tells of the shutdown", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestStreamsLeaveConnectionsForOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		opts   Options
		status int
	}{"of all callers": {Options{MaxStreams: 1}, 503}, "of one caller": {Options{MaxStreamsPerHost: 1}, 429}} {
		t.Run(name, func(t *testing.T) {
			leave := make(chan struct{})
			_, addr := start(t, tt.opts, fake{method: "GET", path: "/other"}, sends("/long", func(ctx context.Context, r *endpoint.Request) (engine.Answer, error) {
				if err := r.Send(ctx, engine.Event{Name: "a", Data: []byte("1")}); err != nil {
					return engine.Answer{}, err
				}
				select {
				case <-leave:
				case <-ctx.Done():
				}
				return closingAnswer, ctx.Err()
			}))
			_, r := listen(t, addr, "/long")
			next(t, r)
			if got := ask(t, addr, "GET", "/long", "", ""); got.status != tt.status || got.code(t) != "too_many_streams" {
				t.Errorf("a second stream = %d %s, want %d too_many_streams", got.status, got.body, tt.status)
			}
			if got := ask(t, addr, "GET", "/other", "", ""); got.status != 200 {
				t.Errorf("another endpoint = %d, want 200", got.status)
			}
			close(leave)
			if got := rest(t, r); got != "" {
				t.Errorf("the end of the stream = %q, want nothing", got)
			}
			if got := ask(t, addr, "GET", "/long", "", ""); got.status != 200 {
				t.Errorf("a stream behind it = %d %s, want 200", got.status, got.body)
			}
		})
	}
}
