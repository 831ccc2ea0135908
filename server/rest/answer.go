package rest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
)

// answer writes what an endpoint answered. It writes nothing where it returns
// an error.
func (s *Server) answer(rc *fasthttp.RequestCtx, a engine.Answer) error {
	if a.Status < 200 || a.Status > 599 {
		return fmt.Errorf("answering: %d is no status", a.Status)
	}
	for _, h := range a.Headers {
		if err := checkHeader(h); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	res := &rc.Response
	res.SetStatusCode(a.Status)
	s.setDefaults(rc)
	if a.Body != nil && a.Status != fiber.StatusNoContent && a.Status != fiber.StatusNotModified {
		res.Header.SetContentType(fiber.MIMEApplicationJSON)
		if a.Type != "" {
			res.Header.SetContentType(a.Type)
		}
		res.SetBodyRaw(a.Body)
	}
	if a.Status == fiber.StatusUnauthorized {
		res.Header.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	for i, h := range a.Headers {
		if repeated(a.Headers[:i], h.Name) {
			res.Header.Add(h.Name, h.Value)
		} else {
			res.Header.Set(h.Name, h.Value)
		}
	}
	return nil
}

// repeated says whether a header stands beside what is there: the first of a
// name replaces the default, those after it do not. Cookies always stand side
// by side, and so does Vary, which allowOrigin may have set.
func repeated(before []engine.Header, name string) bool {
	for _, h := range before {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return strings.EqualFold(name, fiber.HeaderSetCookie) || strings.EqualFold(name, fiber.HeaderVary)
}

// A header as Fiber takes it fastest.
type header struct{ name, value []byte }

// defaultHeaders are those of every response: nothing here is for a cache, to
// be guessed at, or to be run as a page.
func defaultHeaders() []header {
	return []header{
		{[]byte("Cache-Control"), []byte("no-store")},
		{[]byte("X-Content-Type-Options"), []byte("nosniff")},
		{[]byte("Content-Security-Policy"), []byte("default-src 'none'")},
	}
}

func (s *Server) setDefaults(rc *fasthttp.RequestCtx) {
	h := &rc.Response.Header
	for _, d := range s.headers {
		h.SetCanonical(d.name, d.value)
	}
	if s.opts.HSTS > 0 {
		if c, ok := rc.Conn().(*conn); ok && c.tls {
			h.Set(fiber.HeaderStrictTransportSecurity, "max-age="+strconv.Itoa(int(s.opts.HSTS.Seconds())))
		}
	}
}

// checkHeader refuses what would end the header early, and what decides where
// the response ends. Flows that say so don't load; this is the second lock.
func checkHeader(h engine.Header) error {
	if h.Name == "" || strings.ContainsFunc(h.Name, notToken) {
		return fmt.Errorf("%q is no name of a header", h.Name)
	}
	if strings.ContainsAny(h.Value, "\r\n\x00") {
		return fmt.Errorf("header %s has a line break or NUL", h.Name)
	}
	switch strings.ToLower(h.Name) {
	case "connection", "content-length", "keep-alive", "server", "trailer", "transfer-encoding", "upgrade":
		return fmt.Errorf("header %s is not an endpoint's to set", h.Name)
	}
	return nil
}

func notToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
