package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

// open serves eps without the shutdown of start, which is here what is tested.
func open(t *testing.T, o Options, eps ...Endpoint) (s *Server, addr string, served <-chan error) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	s = New(o)
	if err := s.Swap(eps); err != nil {
		t.Fatalf("Swap = %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	return s, ln.Addr().String(), done
}

func TestShutdownEndsInOrder(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, addr, served := open(t, Options{Notice: 300 * time.Millisecond},
		fake{method: "GET", path: "/fast"},
		fake{method: "GET", path: "/slow", call: func(ctx context.Context, _ *endpoint.Request) (engine.Answer, error) {
			close(entered)
			<-leave
			return engine.Answer{Status: 200, Body: []byte(`"done"`)}, ctx.Err()
		}})
	idle := dial(t, addr)
	io.WriteString(idle, "GET /fast HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := idle.Read(make([]byte, 1000)); err != nil {
		t.Fatalf("reading the answer on the idle connection: %v", err)
	}
	slow := dial(t, addr)
	io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-entered

	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	for !s.closing.Load() {
		time.Sleep(time.Millisecond)
	}
	if got := ask(t, addr, "GET", "/readyz", "", ""); got.status != 503 || got.code(t) != "shutting_down" {
		t.Errorf("/readyz while notice is given = %d %s, want 503 shutting_down", got.status, got.body)
	}
	got := parse(t, talk(t, addr, "GET /fast HTTP/1.1\r\nHost: h\r\n\r\n"))
	if got.status != 200 || got.get("Connection") != "close" {
		t.Errorf("GET /fast while notice is given = %d %s, want 200 and the connection closed", got.status, got.header)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	if _, err := s.gates[0].Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after the notice = %v, want the listener closed", err)
	}
	if _, err := io.ReadAll(idle); err != nil {
		t.Errorf("the idle connection: %v, want it closed", err)
	}
	select {
	case err := <-down:
		t.Fatalf("Shutdown = %v before the running request ended", err)
	default:
	}
	close(leave)
	raw, err := io.ReadAll(slow)
	if got := parse(t, string(raw)); err != nil || got.status != 200 || got.body != `"done"` || got.get("Connection") != "close" {
		t.Errorf("the running request = %d %s, %v, want 200 and the connection closed", got.status, got.body, err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v, want nil", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("a second Shutdown = %v, want nil", err)
	}
}

func TestShutdownCancelsWhatOutlivesItsDeadline(t *testing.T) {
	entered := make(chan struct{})
	s, addr, served := open(t, Options{}, fake{method: "GET", path: "/slow", call: func(ctx context.Context, _ *endpoint.Request) (engine.Answer, error) {
		close(entered)
		<-ctx.Done()
		return engine.Answer{}, ctx.Err()
	}})
	slow := dial(t, addr)
	io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "shutting down: ") {
		t.Errorf("Shutdown = %v, want its deadline", err)
	}
	if took := time.Since(begin); took < 300*time.Millisecond || took > 300*time.Millisecond+2*stragglers {
		t.Errorf("Shutdown took %v, want the deadline and little more", took)
	}
	raw, err := io.ReadAll(slow)
	if got := parse(t, string(raw)); err != nil || got.status != 503 || got.code(t) != "shutting_down" {
		t.Errorf("the cancelled request = %d %s, %v, want 503 shutting_down", got.status, got.body, err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestShutdownClosesWhatIgnoresItsContext(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, addr, _ := open(t, Options{}, fake{method: "GET", path: "/deaf", call: func(context.Context, *endpoint.Request) (engine.Answer, error) {
		close(entered)
		<-leave
		return engine.Answer{Status: 200}, nil
	}})
	defer close(leave)
	deaf := dial(t, addr)
	io.WriteString(deaf, "GET /deaf HTTP/1.1\r\nHost: h\r\n\r\n")
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown = %v, want its context's error", err)
	}
	if raw, err := io.ReadAll(deaf); err != nil || len(raw) > 0 {
		t.Errorf("the deaf request = %q, %v, want its connection closed", raw, err)
	}
}

func TestServeAfterShutdownEndsAtOnce(t *testing.T) {
	s := New(Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatalf("Shutdown = %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(ln); err != nil {
		t.Errorf("Serve after Shutdown = %v, want nil", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Serve = %v, want the listener closed", err)
	}
}
