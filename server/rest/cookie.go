package rest

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
	"sluice/server/endpoint"
)

// sessionCookie returns the token in the session's cookie, or "". Two different
// ones are refused, in one header or in several.
func sessionCookie(h *head) (token string, err error) {
	for _, line := range h.values(fiber.HeaderCookie) {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != endpoint.CookieName || value == "" {
				continue
			}
			if token != "" && token != value {
				return "", errAmbiguous
			}
			token = value
		}
	}
	return token, nil
}

// A page is what a browser says of the page that makes a request.
type page uint8

const (
	noPage    page = iota // nothing: no browser, or an old one
	ownPage               // it is of this host, or may call by a setting
	otherPage             // it is of another site
)

// pageOf tells by Sec-Fetch-Site and Origin, which scripts cannot set, what page
// makes a request. A page that may call is one that the setting names: "*" names
// none here.
func (s *Server) pageOf(h *head) page {
	origin, sites := h.origin, h.values("Sec-Fetch-Site")
	if slices.Contains(s.opts.Origins, origin) && origin != "" && origin != "*" {
		return ownPage
	}
	switch {
	case len(sites) > 1:
		return otherPage
	case len(sites) == 1 && (sites[0] == "same-origin" || sites[0] == "none"):
		return ownPage
	case len(sites) == 1:
		return otherPage
	case origin == "":
		return noPage
	}
	_, host, ok := strings.Cut(origin, "://")
	if hosts := h.values(fiber.HeaderHost); ok && len(hosts) == 1 && strings.EqualFold(host, hosts[0]) {
		return ownPage
	}
	return otherPage
}

// browse says what the session's cookie means for a request. A request that
// changes something counts by its cookie only where it comes from a page that may
// call: browsers send the cookie along whoever asks them to.
func (s *Server) browse(header *fasthttp.RequestHeader, c *call) error {
	if s.opts.Cookie == "" {
		return nil
	}
	from := s.pageOf(&c.head)
	c.Keeps = from == ownPage
	if c.InCookie && from != ownPage && !header.IsGet() && !header.IsHead() {
		return errCrossSite
	}
	return nil
}

// clear takes a cookie away whose session has ended, so that the browser does not
// send it for ever.
func (s *Server) clear(rc *fasthttp.RequestCtx, c *call, status int, e *engine.Error) {
	if c.InCookie && status == fiber.StatusUnauthorized && e.Items[0].Code == "invalid_session_token" {
		gone := endpoint.ClearCookie(s.opts.Cookie)
		rc.Response.Header.Add(gone.Name, gone.Value)
	}
}
