package rest

import (
	"net"
	"net/netip"
	"testing"
)

func TestOnlyTrustedProxiesNameTheCaller(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct {
		peer   string
		header string
		want   string
	}{
		"no proxy":             {"192.0.2.1:9", "", "192.0.2.1"},
		"spoofed":              {"192.0.2.1:9", "X-Forwarded-For: 1.2.3.4", "192.0.2.1"},
		"spoofed real ip":      {"10.0.0.1:9", "X-Real-IP: 1.2.3.4", "10.0.0.1"},
		"one proxy":            {"10.0.0.1:9", "X-Forwarded-For: 1.2.3.4", "1.2.3.4"},
		"the caller lied":      {"10.0.0.1:9", "X-Forwarded-For: 127.0.0.1, 1.2.3.4", "1.2.3.4"},
		"two proxies":          {"10.0.0.1:9", "X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.9.9.9", "1.2.3.4"},
		"two lines":            {"10.0.0.1:9", "X-Forwarded-For: 9.9.9.9\r\nx-forwarded-for: 1.2.3.4", "1.2.3.4"},
		"nothing but proxies":  {"10.0.0.1:9", "X-Forwarded-For: 10.1.1.1,10.2.2.2", "10.1.1.1"},
		"no address":           {"10.0.0.1:9", "X-Forwarded-For: 1.2.3.4, unknown", "10.0.0.1"},
		"empty":                {"10.0.0.1:9", "X-Forwarded-For: ", "10.0.0.1"},
		"with a port":          {"10.0.0.1:9", "X-Forwarded-For: 1.2.3.4:5678", "1.2.3.4"},
		"IPv6":                 {"[fd00::1]:9", "X-Forwarded-For: 2001:db8::1", "2001:db8::1"},
		"IPv6 in brackets":     {"[fd00::1]:9", "X-Forwarded-For: [2001:db8::1]", "2001:db8::1"},
		"IPv6 with a port":     {"[fd00::1]:9", "X-Forwarded-For: [2001:db8::1]:80", "2001:db8::1"},
		"IPv4 in IPv6":         {"[::ffff:10.0.0.1]:9", "X-Forwarded-For: ::ffff:1.2.3.4", "1.2.3.4"},
		"zones are the host's": {"[fe80::1%eth0]:9", "", "fe80::1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := head{raw: tt.header + "\r\n\r\n"}
			if err := h.read(); err != nil {
				t.Fatalf("read(%q) = %v", tt.header, err)
			}
			peer := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.peer))
			if got := caller(peer, &h, trusted); got != netip.MustParseAddr(tt.want) {
				t.Errorf("caller(%s, %q) = %s, want %s", tt.peer, tt.header, got, tt.want)
			}
		})
	}
}

func TestUnixSocketsHaveNoAddress(t *testing.T) {
	if got := caller(&net.UnixAddr{Name: "s"}, &head{}, nil); got.IsValid() {
		t.Errorf("caller(unix socket) = %s, want none", got)
	}
}
