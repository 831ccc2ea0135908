package rest

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
	"sluice/server/endpoint"
)

// A call is one request on its way. Endpoints see the Request in it.
//
// Its texts are parts of one string, the only copy that is made of them: id,
// target and header as they were sent. Nothing of a call points into Fiber's
// buffers, which the next request overwrites.
type call struct {
	endpoint.Request
	target string
	head   head
	route  *route    // nil until it is found
	few    [4]string // where Params lie, unless there are more
	stream *stream   // the body of the answer; nil where it has another one
}

// begin takes the texts of a request out of its buffers.
func (s *Server) begin(header *fasthttp.RequestHeader) *call {
	id, uri, raw := s.ids.next(), header.RequestURI(), header.RawHeaders()
	var b strings.Builder
	b.Grow(len(id) + len(uri) + len(raw))
	b.Write(id[:])
	b.Write(uri)
	b.Write(raw)
	text, c := b.String(), &call{}
	c.ID, c.target, c.head.raw = text[:len(id)], text[len(id):len(id)+len(uri)], text[len(id)+len(uri):]
	return c
}

// pattern names the route in the log, without anything that the caller sent.
func (c *call) pattern() string {
	if c.route == nil {
		return ""
	}
	return c.route.path
}

// serve answers one request. It never returns an error: what goes wrong is
// answered here too.
func (s *Server) serve(fc *fiber.Ctx) error {
	rc := fc.Context()
	c := s.begin(&rc.Request.Header)
	defer func() {
		if p := recover(); p != nil {
			s.fail(rc, c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	answer, err := s.call(rc, c)
	switch {
	case err == nil && c.stream != nil:
		c.stream.begin(rc)
	case err == nil:
		err = s.answer(rc, answer)
	}
	if err != nil {
		s.fail(rc, c, err)
	}
	if s.closing.Load() {
		rc.SetConnectionClose()
	}
	return nil
}

// call reads the request and calls its endpoint.
func (s *Server) call(rc *fasthttp.RequestCtx, c *call) (engine.Answer, error) {
	header := &rc.Request.Header
	if p := header.Protocol(); string(p) != "HTTP/1.1" && string(p) != "HTTP/1.0" {
		hangUp(rc)
		return engine.Answer{}, errVersion
	}
	if err := c.head.read(); err != nil {
		hangUp(rc)
		return engine.Answer{}, err
	}
	crossOrigin := s.allowOrigin(rc, c.head.origin)
	if c.head.expect != "" && !strings.EqualFold(c.head.expect, "100-continue") {
		return engine.Answer{}, errExpectation
	}

	path, query, ok := s.target(c.target)
	if !ok {
		return engine.Answer{}, errBadPath
	}
	var vals params
	place, n := s.table.Load().find(path[1:], &vals, 0)
	if place == nil {
		return engine.Answer{}, errNoPath
	}
	c.route = place.route(header.Method())
	if c.route == nil {
		rc.Response.Header.Set(fiber.HeaderAllow, place.allow)
		if !header.IsOptions() {
			return engine.Answer{}, errMethod
		}
		if crossOrigin {
			preflight(rc, &c.head, place.allow)
		}
		return engine.Answer{Status: fiber.StatusNoContent}, nil
	}

	if err := s.request(rc, c, vals[:n], query); err != nil {
		return engine.Answer{}, err
	}
	if ep, ok := c.route.ep.(streamer); ok && ep.Streams() {
		return s.stream(rc, c)
	}
	return c.route.ep.Call(s.base, &c.Request)
}

// request copies what the endpoint needs out of the buffers of rc into c.
func (s *Server) request(rc *fasthttp.RequestCtx, c *call, vals []string, query string) error {
	r := &c.Request
	r.Params = c.few[:0]
	for i, raw := range vals {
		read := decode
		if c.route.rest && i == len(vals)-1 {
			read = decodeRest
		}
		value, ok := read(raw)
		if !ok {
			return errBadPath
		}
		r.Params = append(r.Params, value)
	}
	body := rc.Request.Body()
	switch {
	case c.head.seen&seenContentEncoding != 0:
		return errEncoding
	case len(body) > c.route.ep.MaxBody():
		return errBodyTooLarge
	case len(body) > 0 && !isJSON(c.head.contentType):
		return errMediaType
	}
	r.Body = slices.Clone(body)
	g, err := s.places.credentials(&c.head, query)
	if err != nil {
		return err
	}
	r.Token, r.APIKey, r.RawQuery, r.InCookie = g.token, g.key, g.query, g.inCookie
	if err := s.browse(&rc.Request.Header, c); err != nil {
		return err
	}
	r.Header = c.head.values
	r.IP = caller(rc.RemoteAddr(), &c.head, s.opts.TrustedProxies)
	r.UserAgent = c.head.userAgent
	return nil
}

// isJSON says whether a media type is application/json, in UTF-8 if it names a
// charset. Nothing near it will do: a browser sends text/plain across origins
// unasked.
func isJSON(mediaType string) bool {
	name, param, has := strings.Cut(mediaType, ";")
	if !strings.EqualFold(strings.TrimRight(name, " \t"), "application/json") {
		return false
	}
	if !has {
		return true
	}
	key, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
	return strings.EqualFold(key, "charset") && strings.EqualFold(strings.Trim(value, `"`), "utf-8")
}

// unrouted is how long a body may be, in bytes, for a request without an
// endpoint to be told that.
const unrouted = 64 << 10

// limits bounds the body of a request as soon as its header is read, so that
// what an endpoint would refuse is never held in memory.
func (s *Server) limits(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	const chunked = -1
	if n := h.ContentLength(); n <= 0 && n != chunked {
		return fasthttp.RequestConfig{}
	}
	limit := unrouted
	if path, _, ok := s.target(string(h.RequestURI())); ok {
		var vals params
		if place, _ := s.table.Load().find(path[1:], &vals, 0); place != nil {
			if r := place.route(h.Method()); r != nil {
				limit = max(1, r.ep.MaxBody()) // 0 would mean no limit here; request refuses that byte
			}
		}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: min(limit, s.opts.BodyLimit)}
}
