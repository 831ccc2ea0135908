package rest

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// caller returns the address that a request comes from: its peer's or, where
// the peer is a trusted proxy, the right-most address of X-Forwarded-For that is
// not one. Further left stands what the caller may have made up.
func caller(peer net.Addr, h *head, trusted []netip.Prefix) netip.Addr {
	ip := address(peer)
	if !within(ip, trusted) {
		return ip
	}
	for _, line := range slices.Backward(h.values("X-Forwarded-For")) {
		for hop := range backward(line) {
			named, err := parseHop(hop)
			if err != nil {
				return ip // whoever wrote this is not to be believed further
			}
			ip = named
			if !within(ip, trusted) {
				return ip
			}
		}
	}
	return ip
}

// backward yields the items of a comma-separated list from the last to the first.
func backward(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			i := strings.LastIndexByte(list, ',')
			if !yield(strings.Trim(list[i+1:], " \t")) || i < 0 {
				return
			}
			list = list[:i]
		}
	}
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(hop string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return plain(ap.Addr()), nil
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return plain(ip), err
}

// address returns the address of a connection's end; the zero Addr where it has
// none, as a Unix socket.
func address(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return plain(tcp.AddrPort().Addr())
}

// plain is ip in its one spelling, so that addresses can be compared.
func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

func within(ip netip.Addr, nets []netip.Prefix) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(ip) })
}
