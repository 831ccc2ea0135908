package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
)

// statuses are the kinds in HTTP's words.
var statuses = [...]int{
	engine.Internal:        fiber.StatusInternalServerError,
	engine.Invalid:         fiber.StatusBadRequest,
	engine.Unauthenticated: fiber.StatusUnauthorized,
	engine.Forbidden:       fiber.StatusForbidden,
	engine.NotFound:        fiber.StatusNotFound,
	engine.Conflict:        fiber.StatusConflict,
	engine.TooMany:         fiber.StatusTooManyRequests,
	engine.Unavailable:     fiber.StatusServiceUnavailable,
	engine.Timeout:         fiber.StatusGatewayTimeout,
}

// Status is what answers a failure of a kind, where the flow does not say.
func Status(k engine.Kind) int { return statuses[k] }

// What this package refuses by itself.
var (
	errMalformed   = refusal(fiber.StatusBadRequest, "bad_request", "The request is not well-formed HTTP.")
	errHeaderTwice = refusal(fiber.StatusBadRequest, "duplicate_header", "A header that may come once came twice.")
	errVersion     = refusal(fiber.StatusHTTPVersionNotSupported, "version_not_supported", "This server speaks HTTP/1.1.")
	errTooSlow     = refusal(fiber.StatusRequestTimeout, "request_timeout", "The request took too long to arrive.")
	errHeadTooLong = refusal(fiber.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The request's header is too large.")
	errExpectation = refusal(fiber.StatusExpectationFailed, "expectation_failed", "The only expectation met is 100-continue.")

	errBadPath       = refusal(fiber.StatusBadRequest, "bad_path", "The address is not spelled as addresses are.")
	errNoPath        = refusal(fiber.StatusNotFound, "not_found", "There is nothing at this address.")
	errMethod        = refusal(fiber.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method.")
	errMethodUnknown = refusal(fiber.StatusNotImplemented, "method_unknown", "No address takes this method.")

	errEncoding     = refusal(fiber.StatusUnsupportedMediaType, "unsupported_encoding", "The body must not be compressed.")
	errMediaType    = refusal(fiber.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json in UTF-8.")
	errBodyTooLarge = refusal(fiber.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than this address takes.")

	errAmbiguous  = refusal(fiber.StatusBadRequest, "ambiguous_credentials", "The request carries two different credentials.")
	errKeyInQuery = refusal(fiber.StatusBadRequest, "key_in_query", "API keys are not read from the address. Send it in the Authorization header.")
	errCrossSite  = engine.Fail(engine.Forbidden, "cross_site", "This page may not act for the one who is signed in here.")
	errBadQuery   = refusal(fiber.StatusBadRequest, "bad_query", "The query is not spelled as queries are.")

	errClosing      = engine.Fail(engine.Unavailable, "shutting_down", "The server is shutting down.")
	errTooManyConns = engine.Fail(engine.Unavailable, "too_many_connections", "The server has too many connections.")
	errHostConns    = engine.Fail(engine.TooMany, "too_many_connections", "There are too many connections from your address.")

	errTooManyStreams = engine.Fail(engine.Unavailable, "too_many_streams", "The server has too many open streams.")
	errHostStreams    = engine.Fail(engine.TooMany, "too_many_streams", "There are too many open streams to your address.")
	errHungUp         = engine.Fail(engine.Unavailable, "canceled", "The caller has hung up.")
)

func refusal(status int, code, message string) *engine.Error {
	e := engine.Fail(engine.Invalid, code, message)
	e.Status = status
	return e
}

// tell writes a failure of ours to the log. A dependency that is away or busy
// fails many calls at once, which are told together.
func (s *Server) tell(method string, c *call, status int, told bool, err error) {
	level, more := slog.LevelError, slog.Attr{}
	if told {
		level = slog.LevelWarn // a dependency, and the cause says which
		left, ok := s.quiet.say(c.pattern(), time.Now())
		if !ok {
			return
		}
		if left > 0 {
			more = slog.Int("alike", left)
		}
	}
	s.log.LogAttrs(s.base, level, "request failed",
		slog.String("request", c.ID), slog.Int("status", status),
		slog.String("method", method), slog.String("route", c.pattern()),
		slog.String("error", err.Error()), more)
}

// publish returns what the caller is told of err. What is the server's fault goes
// to the log, here and nowhere else, and its cause goes nowhere but there.
func (s *Server) publish(method string, c *call, err error) (status int, e *engine.Error) {
	if s.streams.base.Err() != nil && errors.Is(err, context.Canceled) {
		err = errClosing
	}
	e, status, told := public(err)
	if !told || status >= 500 && e.Err != nil {
		s.tell(method, c, status, told, err)
	}
	if !told {
		e = engine.Fail(engine.Internal, "internal_error", "Something went wrong on our side.")
		e.Items[0].Details = []byte(`{"requestId":"` + c.ID + `"}`)
	}
	return status, e
}

// fail answers that err happened.
func (s *Server) fail(rc *fasthttp.RequestCtx, c *call, err error) {
	status, e := s.publish(string(rc.Method()), c, err)
	s.setDefaults(rc)
	write(&rc.Response, status, e)
	s.clear(rc, c, status, e)
	if sent := c.Token != "" || c.APIKey != ""; status == fiber.StatusUnauthorized {
		rc.Response.Header.Set(fiber.HeaderWWWAuthenticate, challenge(sent, "invalid_token"))
	} else if status == fiber.StatusForbidden && sent {
		rc.Response.Header.Set(fiber.HeaderWWWAuthenticate, challenge(sent, "insufficient_scope"))
	}
	rc.Response.SkipBody = rc.IsHead()
}

// public returns the status of err, and err in its public form; told is false
// where it has none, so that callers learn nothing of it.
func public(err error) (e *engine.Error, status int, told bool) {
	if !errors.As(err, &e) || len(e.Items) == 0 || int(e.Kind) >= len(statuses) {
		return nil, fiber.StatusInternalServerError, false
	}
	status = e.Status
	if status == 0 {
		status = statuses[e.Kind]
		told = e.Kind != engine.Internal
	} else {
		told = status >= 400 && status <= 599 // a flow gave it a status, so a text for callers too
	}
	if !told {
		status = fiber.StatusInternalServerError
	}
	return e, status, told
}

// Told is the answer that an error becomes, as status and body, for those who show
// answers without serving them.
func Told(err error) (status int, body []byte) {
	e, status, told := public(err)
	if !told {
		e = engine.Fail(engine.Internal, "internal_error", "Something went wrong on our side.")
	}
	return status, failureText(status, e)
}

// challenge is what a caller whose credentials were not enough must bring. Only
// callers that sent some learn what was wrong with them.
func challenge(sent bool, problem string) string {
	if !sent {
		return "Bearer"
	}
	return `Bearer error="` + problem + `"`
}

// An item is one thing that is wrong, as the body of every failure lists them.
type item struct {
	Origin  string          `json:"origin"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
}

// failureText is the body of the answer that e happened.
func failureText(status int, e *engine.Error) []byte {
	origin := "client"
	if status >= 500 {
		origin = "server"
	}
	var body struct {
		Errors []item `json:"errors"`
	}
	for _, it := range e.Items {
		details := it.Details
		if !json.Valid(details) {
			details = nil
		}
		body.Errors = append(body.Errors, item{origin, it.Code, it.Message, details})
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic("rest: " + err.Error()) // texts and valid JSON marshal
	}
	return text
}

// write makes a response of e.
func write(res *fasthttp.Response, status int, e *engine.Error) {
	text := failureText(status, e)
	res.SetStatusCode(status)
	res.Header.SetContentType(fiber.MIMEApplicationJSON)
	res.SetBodyRaw(text)
	if wait := e.RetryAfter; wait > 0 {
		res.Header.Set(fiber.HeaderRetryAfter, strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	} else if status == fiber.StatusServiceUnavailable {
		res.Header.Set(fiber.HeaderRetryAfter, "1")
	}
}

// unreadable answers a request that could not be read to its end, and hangs up,
// since nobody knows where the next one would begin.
func (s *Server) unreadable(rc *fasthttp.RequestCtx, err error) {
	c := s.begin(&rc.Request.Header)
	if c.head.read() == nil {
		s.allowOrigin(rc, c.head.origin)
	}
	var small *fasthttp.ErrSmallBuffer
	var netErr net.Error
	switch {
	case errors.As(err, &netErr) && netErr.Timeout():
		rc.SetConnectionClose()
		s.fail(rc, c, errTooSlow)
		return
	case errors.As(err, &small):
		err = errHeadTooLong
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		err = errBodyTooLarge
	default:
		err = errMalformed
	}
	hangUp(rc)
	s.fail(rc, c, err)
}

// hangUp ends the connection behind the response. What the caller still sends
// is thrown away for a moment, or the reset that answers it could overtake the
// response.
func hangUp(rc *fasthttp.RequestCtx) {
	rc.SetConnectionClose()
	if c, ok := rc.Conn().(*conn); ok {
		c.linger.Store(true)
	}
}
