package rest

import (
	"bufio"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// session is a request as clients send it most: with a session and no body.
const session = "GET /users/4711/orders?page=2 HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0\r\n" +
	"Session: sls_0123456789abcdefghijklmnopqrstuvwxyz0123456\r\n\r\n"

// run measures a handler on one request, read once.
func run(b *testing.B, handler fasthttp.RequestHandler, raw string, want int) {
	var rc fasthttp.RequestCtx
	rc.Init(&fasthttp.Request{}, nil, nil)
	if err := rc.Request.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		handler(&rc)
		if got := rc.Response.StatusCode(); got != want {
			b.Fatalf("status = %d, want %d", got, want)
		}
		rc.Response.Reset()
	}
}

// BenchmarkServe sets the whole of serve beside a handler written by hand in
// Fiber, which does less: it takes every spelling and checks nothing.
func BenchmarkServe(b *testing.B) {
	body := []byte(`{"orders":[]}`)
	b.Run("fiber", func(b *testing.B) {
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		app.Get("/users/:id/orders", func(c *fiber.Ctx) error {
			if c.Params("id") == "" || c.Get("Session") == "" || c.Query("page") == "" {
				return fiber.ErrBadRequest
			}
			c.Set("Content-Type", "application/json")
			c.Set("Cache-Control", "no-store")
			c.Set("X-Content-Type-Options", "nosniff")
			c.Set("Content-Security-Policy", "default-src 'none'")
			return c.Send(body)
		})
		run(b, app.Handler(), session, 200)
	})
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("rest/routes=%d", n), func(b *testing.B) {
			s := New(Options{Logger: slog.New(slog.DiscardHandler)})
			eps := []Endpoint{fake{method: "GET", path: "/users/{id}/orders"}}
			for i := range n - 1 {
				eps = append(eps, fake{method: "GET", path: fmt.Sprintf("/area%d/{id}", i)})
			}
			if err := s.Swap(eps); err != nil {
				b.Fatal(err)
			}
			run(b, s.app.Server().Handler, session, 200)
		})
	}
	b.Run("rest/not found", func(b *testing.B) {
		run(b, New(Options{}).app.Server().Handler, session, 404)
	})
}
