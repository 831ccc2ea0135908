package rest

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"sluice/engine"
	"sluice/server/endpoint"
)

// health says that the process lives, which is all that it says.
type health struct{}

func (health) Method() string { return fiber.MethodGet }
func (health) Path() string   { return "/healthz" }
func (health) MaxBody() int   { return 0 }

func (health) Call(context.Context, *endpoint.Request) (engine.Answer, error) {
	return engine.Answer{Status: 200, Body: []byte(`{"status":"ok"}`)}, nil
}

// ready says whether the server should be sent requests.
type ready struct{ s *Server }

func (ready) Method() string { return fiber.MethodGet }
func (ready) Path() string   { return "/readyz" }
func (ready) MaxBody() int   { return 0 }

func (r ready) Call(ctx context.Context, _ *endpoint.Request) (engine.Answer, error) {
	if r.s.closing.Load() {
		return engine.Answer{}, errClosing
	}
	if r.s.opts.Ready != nil {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if err := r.s.opts.Ready(ctx); err != nil {
			e := engine.Fail(engine.Unavailable, "not_ready", "The server is not ready.")
			e.Err = err
			return engine.Answer{}, e
		}
	}
	return engine.Answer{Status: 200, Body: []byte(`{"status":"ready"}`)}, nil
}
