package endpoint

import (
	"context"
	"net/netip"

	"sluice/engine"
)

// A Request is a call to an endpoint in no transport's words. Everything in it
// is a copy of its own, safe to keep.
type Request struct {
	ID        string                     // names the request in the log
	Params    []string                   // values of the path's parameters, decoded, in the path's order
	RawQuery  string                     // what follows the ?, as sent
	Header    func(name string) []string // values of a header, in order; nil where there is none
	Body      []byte                     // as sent; empty for none
	Token     string                     // session token, or "" where none was sent
	APIKey    string                     // API key, or "" where none was sent
	InCookie  bool                       // the token came in the session's cookie
	Keeps     bool                       // the caller is a page in a browser that keeps tokens in the cookie
	IP        netip.Addr                 // of the caller, behind trusted proxies the one they name
	UserAgent string                     // as sent

	// Send takes the events of an endpoint that streams, one at a time; its error
	// ends the call. It may be nil, and then they go nowhere.
	Send func(ctx context.Context, e engine.Event) error
}

// ipText is an address as text; a caller without one, as on a Unix socket, has none.
func ipText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}
