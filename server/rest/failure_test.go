package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server/endpoint"
)

func TestKindsBecomeStatuses(t *testing.T) {
	long := engine.Fail(engine.TooMany, "rate_limited", "Slow down.")
	long.RetryAfter = 1500 * time.Millisecond
	teapot := engine.Fail(engine.Invalid, "teapot", "No coffee here.")
	teapot.Status = 418
	declared := engine.Fail(engine.Internal, "till_broken", "The till is broken.")
	declared.Status = 502
	nonsense := engine.Fail(engine.Invalid, "nonsense", "x")
	nonsense.Status = 200
	tests := map[string]struct {
		err               error
		status            int
		code, retry, auth string
	}{
		"invalid":             {engine.Fail(engine.Invalid, "c", "m"), 400, "c", "", ""},
		"unauthenticated":     {engine.Fail(engine.Unauthenticated, "c", "m"), 401, "c", "", "Bearer"},
		"forbidden":           {engine.Fail(engine.Forbidden, "c", "m"), 403, "c", "", ""},
		"not found":           {engine.Fail(engine.NotFound, "c", "m"), 404, "c", "", ""},
		"conflict":            {engine.Fail(engine.Conflict, "c", "m"), 409, "c", "", ""},
		"too many":            {engine.Fail(engine.TooMany, "c", "m"), 429, "c", "", ""},
		"too many for now":    {long, 429, "rate_limited", "2", ""},
		"unavailable":         {engine.Fail(engine.Unavailable, "c", "m"), 503, "c", "1", ""},
		"timeout":             {engine.Fail(engine.Timeout, "c", "m"), 504, "c", "", ""},
		"internal":            {engine.Fail(engine.Internal, "c", "secret"), 500, "internal_error", "", ""},
		"wrapped":             {fmt.Errorf("calling: %w", engine.Fail(engine.NotFound, "c", "m")), 404, "c", "", ""},
		"own status":          {teapot, 418, "teapot", "", ""},
		"own server status":   {declared, 502, "till_broken", "", ""},
		"a status of success": {nonsense, 500, "internal_error", "", ""},
		"nothing to tell":     {&engine.Error{Kind: engine.NotFound}, 500, "internal_error", "", ""},
		"anything else":       {errors.New("secret dsn mongodb://u:p@h"), 500, "internal_error", "", ""},
		"unknown kind":        {engine.Fail(99, "c", "m"), 500, "internal_error", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, addr := start(t, Options{}, fake{method: "GET", path: "/", call: failing(tt.err)})
			got := ask(t, addr, "GET", "/", "", "")
			if got.status != tt.status || got.code(t) != tt.code || got.get("Retry-After") != tt.retry || got.get("WWW-Authenticate") != tt.auth {
				t.Errorf("%v = %d %s, Retry-After: %s, WWW-Authenticate: %s, want %d %s, %s, %s", tt.err,
					got.status, got.body, got.get("Retry-After"), got.get("WWW-Authenticate"), tt.status, tt.code, tt.retry, tt.auth)
			}
			if strings.Contains(got.body, "secret") {
				t.Errorf("%v = %s, which tells the cause", tt.err, got.body)
			}
			if got.get("Cache-Control") != "no-store" || got.get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%v = %s, want the headers of every response", tt.err, got.header)
			}
		})
	}
}

func TestFailuresListEveryItem(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "GET", path: "/", call: failing(&engine.Error{Kind: engine.Invalid, Items: []engine.Item{
		{Code: "a", Message: `a "quoted" <text>`, Details: []byte(`{"field":"email"}`)},
		{Code: "b", Message: "second"},
		{Code: "c", Message: "third", Details: []byte(`{broken`)},
	}})})
	const want = `{"errors":[{"origin":"client","code":"a","message":"a \"quoted\" \u003ctext\u003e","details":{"field":"email"}},` +
		`{"origin":"client","code":"b","message":"second"},{"origin":"client","code":"c","message":"third"}]}`
	if got := ask(t, addr, "GET", "/", "", "").body; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}

func TestChallengesNameWhatWasSent(t *testing.T) {
	_, addr := start(t, Options{},
		fake{method: "GET", path: "/401", call: failing(engine.Fail(engine.Unauthenticated, "c", "m"))},
		fake{method: "GET", path: "/403", call: failing(engine.Fail(engine.Forbidden, "c", "m"))})
	tests := map[string]struct{ path, lines, want string }{
		"nothing":          {"/401", "", "Bearer"},
		"empty headers":    {"/401", "Session: \r\nAuthorization: ", "Bearer"},
		"a token":          {"/401", "Session: x", `Bearer error="invalid_token"`},
		"a bearer":         {"/401", "Authorization: Bearer x", `Bearer error="invalid_token"`},
		"another scheme":   {"/401", "Authorization: Basic eDp5", `Bearer error="invalid_token"`},
		"a key":            {"/401", "Authorization: x", `Bearer error="invalid_token"`},
		"not enough":       {"/403", "Session: x", `Bearer error="insufficient_scope"`},
		"not for everyone": {"/403", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, addr, "GET", tt.path, tt.lines, "").get("WWW-Authenticate"); got != tt.want {
				t.Errorf("WWW-Authenticate after %q = %q, want %q", tt.lines, got, tt.want)
			}
		})
	}
}

func TestTheLogHasTheCauseOnceAndNoSecret(t *testing.T) {
	unavailable := engine.Fail(engine.Unavailable, "store_away", "Later.")
	unavailable.Err = errors.New("dialling the cause")
	tests := map[string]struct {
		call  func(context.Context, *endpoint.Request) (engine.Answer, error)
		level string // "" for no line
		cause string
	}{
		"a bug":                {failing(errors.New("the cause")), "ERROR", "the cause"},
		"a panic":              {func(context.Context, *endpoint.Request) (engine.Answer, error) { panic("the cause") }, "ERROR", "failure_test.go"},
		"a dependency":         {failing(unavailable), "WARN", "dialling the cause"},
		"too busy":             {failing(engine.Fail(engine.Unavailable, "busy", "Later.")), "", ""},
		"the caller's own":     {failing(engine.Fail(engine.NotFound, "c", "m")), "", ""},
		"an answer of success": {nil, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var log record
			_, addr := start(t, Options{KeyInQuery: true, Logger: slog.New(slog.NewJSONHandler(&log, nil))}, fake{method: "GET", path: "/users/{id}", call: tt.call})
			got := ask(t, addr, "GET", "/users/hidden?apikey=hidden&q=hidden", "Session: hidden", "")
			if tt.level == "" {
				if log.String() != "" {
					t.Errorf("the log has %s, want nothing", log.String())
				}
				return
			}
			var line struct{ Level, Request, Method, Route, Error string }
			if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
				t.Fatalf("the log has %q, want one line (%v)", log.String(), err)
			}
			if line.Level != tt.level || line.Method != "GET" || line.Route != "/users/{id}" || !strings.Contains(line.Error, tt.cause) {
				t.Errorf("the log has %+v, want %s, GET, /users/{id} and %s", line, tt.level, tt.cause)
			}
			if strings.Contains(log.String(), "hidden") {
				t.Errorf("the log has %s, which holds what the caller sent", log.String())
			}
			if strings.Contains(got.body, "cause") || strings.Contains(got.body, ".go") {
				t.Errorf("body = %s, which tells the cause", got.body)
			}
			if got.status == 500 && !strings.Contains(got.body, `"details":{"requestId":"`+line.Request+`"}`) {
				t.Errorf("body = %s, want the request id %s of the log", got.body, line.Request)
			}
		})
	}
}

func TestAPanicEndsOneRequestOnly(t *testing.T) {
	_, addr := start(t, Options{}, fake{method: "GET", path: "/", call: func(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
		if r.Token == "boom" {
			panic(r.Token)
		}
		return engine.Answer{Status: 200, Body: []byte("{}")}, nil
	}})
	got := talk(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nSession: boom\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	var codes []string
	for _, m := range statusLine.FindAllStringSubmatch(got, -1) {
		codes = append(codes, m[1])
	}
	if fmt.Sprint(codes) != "[500 200]" {
		t.Errorf("a panic and a request behind it = %v, want [500 200]", codes)
	}
}
