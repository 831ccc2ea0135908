package rest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/engine"
)

// A gate is a listener that counts. It turns connections away, in JSON, when
// there are too many at all or too many from one host, and it keeps listening
// when the system runs out of file descriptors, which would end Fiber's loop.
type gate struct {
	net.Listener
	max, maxPerHost int
	proxies         []netip.Prefix // speak for many hosts, so they aren't counted as one
	full, tooMany   []byte         // the responses to those turned away

	mu     sync.Mutex
	open   map[*conn]struct{}   // guarded by mu
	byHost map[netip.Prefix]int // guarded by mu; only hosts with open connections
}

func newGate(ln net.Listener, o Options) *gate {
	return &gate{
		Listener: ln, max: o.MaxConns, maxPerHost: o.MaxConnsPerHost, proxies: o.TrustedProxies,
		full: wire(fasthttp.StatusServiceUnavailable, errTooManyConns), tooMany: wire(fasthttp.StatusTooManyRequests, errHostConns),
		open: make(map[*conn]struct{}), byHost: make(map[netip.Prefix]int),
	}
}

// wire is e as the bytes of a last response.
func wire(status int, e *engine.Error) []byte {
	var res fasthttp.Response
	write(&res, status, e)
	res.SetConnectionClose()
	var b bytes.Buffer
	if _, err := res.WriteTo(&b); err != nil {
		panic("rest: " + err.Error()) // a buffer takes everything
	}
	return b.Bytes()
}

func (g *gate) Accept() (net.Conn, error) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		c, err := g.Listener.Accept()
		if passing(err) {
			time.Sleep(pause)
			pause = min(2*pause, longest)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("accepting: %w", err)
		}
		pause = shortest
		_, secure := c.(*tls.Conn)
		in := &conn{Conn: c, gate: g, tls: secure, host: host(address(c.RemoteAddr()), g.proxies)}
		refusal := g.enter(in)
		if refusal == nil {
			return in, nil
		}
		if !secure { // a TLS client would have to shake hands first
			c.SetWriteDeadline(time.Now().Add(time.Second)) // the write tells if it failed
			c.Write(refusal)                                // a courtesy; nobody waits for it
		}
		c.Close() // nothing is left to lose
	}
}

// passing says whether a failure to accept goes away by itself.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// enter counts c in, or returns the response that turns it away.
func (g *gate) enter(c *conn) (refusal []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.open) >= g.max {
		return g.full
	}
	if c.host.IsValid() {
		if g.byHost[c.host] >= g.maxPerHost {
			return g.tooMany
		}
		g.byHost[c.host]++
	}
	g.open[c] = struct{}{}
	return nil
}

func (g *gate) leave(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, in := g.open[c]; !in {
		return
	}
	delete(g.open, c)
	if !c.host.IsValid() {
		return
	}
	if g.byHost[c.host]--; g.byHost[c.host] == 0 {
		delete(g.byHost, c.host)
	}
}

// drain waits at most d for the connections to end, and ends the others.
func (g *gate) drain(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && g.count() > 0; {
		time.Sleep(10 * time.Millisecond)
	}
	g.mu.Lock()
	left := make([]*conn, 0, len(g.open))
	for c := range g.open {
		left = append(left, c)
	}
	g.mu.Unlock()
	for _, c := range left {
		c.Conn.Close() // by force: whether the peer hears of it is up to it
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

// host is what connections are counted by: an IPv4 address or the /64 that one
// IPv6 subscriber has. It is zero for trusted proxies and for Unix sockets.
func host(ip netip.Addr, proxies []netip.Prefix) netip.Prefix {
	if !ip.IsValid() || within(ip, proxies) {
		return netip.Prefix{}
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// A conn is a connection that a gate has counted in.
type conn struct {
	net.Conn
	gate   *gate
	host   netip.Prefix
	tls    bool
	linger atomic.Bool // throw away what still comes, before closing

	patience atomic.Int64 // how long one write may take, in nanoseconds; 0 where all of a response has a deadline
}

func (c *conn) Write(b []byte) (int, error) {
	if d := c.patience.Load(); d > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(time.Duration(d))); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	defer c.gate.leave(c)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Swap(false) {
		const enough = 32 << 20 // bytes; who sends more deserves the reset
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(time.Second)) == nil {
			io.Copy(io.Discard, io.LimitReader(c.Conn, enough)) // how it ends doesn't matter
		}
	}
	return c.Conn.Close()
}
