package mongotest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Line leads to a server as a bad network does. It is safe for many
// goroutines. What it is told holds for connections that are open, too.
type Line struct {
	listener net.Listener
	to       string
	silent   atomic.Bool
	delay    atomic.Int64 // nanoseconds

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
}

// NewLine returns a line to an address. It ends with the test.
func NewLine(t testing.TB, to string) *Line {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen() = %v, want nil", err)
	}
	l := &Line{listener: inner, to: to, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		inner.Close()
		l.Cut()
	})
	go l.accept()
	return l
}

// URI is that of the server at the other end.
func (l *Line) URI() string { return "mongodb://" + l.listener.Addr().String() + "/" }

// Silence loses all that is said, both ways, while it is on.
func (l *Line) Silence(on bool) { l.silent.Store(on) }

// Delay holds up all that is said, each way.
func (l *Line) Delay(by time.Duration) { l.delay.Store(int64(by)) }

// Cut ends all connections, in the middle of what is said.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

func (l *Line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.to)
		if err != nil {
			client.Close()
			continue
		}
		l.mu.Lock()
		l.conns[client], l.conns[server] = true, true
		l.mu.Unlock()
		go l.carry(server, client)
		go l.carry(client, server)
	}
}

// carry hands on what one side says until either hangs up.
func (l *Line) carry(to, from net.Conn) {
	defer func() {
		to.Close()
		from.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, to)
		delete(l.conns, from)
	}()
	text := make([]byte, 32<<10)
	for {
		n, err := from.Read(text)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(l.delay.Load()))
		if l.silent.Load() {
			continue
		}
		if _, err := to.Write(text[:n]); err != nil {
			return
		}
	}
}
