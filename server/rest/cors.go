package rest

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// allowOrigin tells a browser that the page at origin may read this response,
// whatever its status, if the page is one of those that may call. It echoes the
// page instead of saying "*", since clients that include credentials accept no
// star. The origin "null" is anyone's and never allowed.
func (s *Server) allowOrigin(rc *fasthttp.RequestCtx, origin string) bool {
	if len(s.opts.Origins) == 0 {
		return false
	}
	header := &rc.Response.Header
	header.Set("Vary", "Origin")
	if origin == "" || origin == "null" {
		return false
	}
	if !slices.Contains(s.opts.Origins, origin) && !slices.Contains(s.opts.Origins, "*") {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	return true
}

// preflight answers what a browser asks before it sends a request of another
// page: the methods of the path, and every header that it names.
func preflight(rc *fasthttp.RequestCtx, h *head, allow string) {
	header := &rc.Response.Header
	header.Set("Access-Control-Allow-Methods", allow)
	header.Set("Access-Control-Max-Age", "600")
	if names := strings.Join(h.values("Access-Control-Request-Headers"), ", "); names != "" {
		header.Set("Access-Control-Allow-Headers", names)
	}
}
