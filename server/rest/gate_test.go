package rest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// occupy opens n connections that the server has answered once, so that it has
// counted them.
func occupy(t *testing.T, addr string, n int) []net.Conn {
	t.Helper()
	var cs []net.Conn
	for range n {
		c := dial(t, addr)
		io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
		if _, err := c.Read(make([]byte, 1000)); err != nil {
			t.Fatalf("opening connection %d: %v", len(cs)+1, err)
		}
		cs = append(cs, c)
	}
	return cs
}

func TestTooManyConnectionsAreTurnedAway(t *testing.T) {
	tests := map[string]struct {
		o      Options
		status int
		retry  string
	}{
		"at all":        {Options{MaxConns: 3}, 503, "1"},
		"from one host": {Options{MaxConnsPerHost: 3}, 429, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, addr := start(t, tt.o)
			cs := occupy(t, addr, 3)
			raw, _ := io.ReadAll(dial(t, addr)) // a reset may follow
			got := parse(t, string(raw))
			if got.status != tt.status || got.code(t) != "too_many_connections" || got.get("Connection") != "close" || got.get("Retry-After") != tt.retry {
				t.Errorf("the fourth connection = %q, want %d too_many_connections, closed, Retry-After: %s", raw, tt.status, tt.retry)
			}
			cs[0].Close()
			deadline := time.Now().Add(5 * time.Second)
			for {
				raw, _ := io.ReadAll(ended(t, addr))
				if strings.HasPrefix(string(raw), "HTTP/1.1 200") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("a connection after one has closed = %q, want 200", raw)
				}
			}
		})
	}
}

// ended is a connection with one request that asks to be the last.
func ended(t *testing.T, addr string) net.Conn {
	c := dial(t, addr)
	io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	return c
}

func TestProxiesAreNotOneHost(t *testing.T) {
	_, addr := start(t, Options{MaxConnsPerHost: 2, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	occupy(t, addr, 5)
}

func TestHostsAreCountedByTheirNetwork(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"10.1.2.3":             "invalid Prefix",
	}
	for in, want := range tests {
		if got := host(netip.MustParseAddr(in), proxies).String(); got != want {
			t.Errorf("host(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestBrowsersAreToldToStayWithTLSWhereItEndsHere(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	o := Options{HSTS: 24 * time.Hour, MaxConns: 1}
	s, addr := start(t, o)
	if got := ask(t, addr, "GET", "/healthz", "", "").get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security without TLS: %q, want none", got)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(tls.NewListener(ln, &tls.Config{Certificates: https.TLS.Certificates})) // ends with s
	c := tls.Client(dial(t, ln.Addr().String()), &tls.Config{InsecureSkipVerify: true})
	io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
	b := make([]byte, 1000)
	n, err := c.Read(b)
	if got := parse(t, string(b[:n])); err != nil || got.status != 200 || got.get("Strict-Transport-Security") != "max-age=86400" {
		t.Errorf("GET over TLS = %q, %v, want 200 and max-age=86400", b[:n], err)
	}
	if raw, _ := io.ReadAll(dial(t, ln.Addr().String())); len(raw) > 0 {
		t.Errorf("a second TLS connection got %q in plain text, want it closed", raw)
	}
}

// exhausted is a listener of a system that is out of file descriptors twice.
type exhausted struct {
	net.Listener
	left int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.left--; e.left >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return e.Listener.Accept()
}

func TestTheGateOutlivesAShortageOfDescriptors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(&exhausted{ln, 2}, Options{}.withDefaults())
	dial(t, ln.Addr().String())
	c, err := g.Accept()
	if err != nil {
		t.Fatalf("Accept after EMFILE = %v, want a connection", err)
	}
	if n := g.count(); n != 1 {
		t.Errorf("count = %d, want 1", n)
	}
	c.Close()
	c.Close()
	if n := g.count(); n != 0 || len(g.byHost) != 0 {
		t.Errorf("count after closing twice = %d of %d hosts, want 0", n, len(g.byHost))
	}
	g.Close()
	if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept of a closed gate = %v, want net.ErrClosed", err)
	}
}
