// Package rest serves endpoints over HTTP/1.1, on Fiber.
//
// A request passes through it once, from top to bottom of the package: the
// gate lets its connection in, the head is read in one pass and refused where
// two readers could understand it differently, the router finds the endpoint
// by the path exactly as it was sent, credentials and body are copied out of
// Fiber's buffers into an [endpoint.Request], the endpoint is called, and its
// answer or its error becomes the response. Every response that is not the
// endpoint's own has one JSON shape, whoever refused: the parser, the router,
// a timeout or a panic.
//
// What a [Server] serves is one immutable table. [Server.Swap] replaces it in
// one step; requests that began on the old table end on it.
package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
	"sluice/server/endpoint"
)

// An Endpoint is what a route leads to.
type Endpoint interface {
	Method() string // "GET"
	Path() string   // as in the flow: "/users/{id}/orders/{orderId}"
	MaxBody() int   // bytes of a body that it takes; 0 for none
	Call(ctx context.Context, r *endpoint.Request) (engine.Answer, error)
}

var _ Endpoint = (*endpoint.Endpoint)(nil)

// Options of a server. The zero value of each field means its default.
type Options struct {
	Logger *slog.Logger // default: slog.Default()

	ReadTimeout  time.Duration // for a whole request, header and body; default and maximum 10 s
	WriteTimeout time.Duration // for a whole response; default 10 s
	IdleTimeout  time.Duration // between two requests of a connection; default 60 s

	HeaderLimit     int // bytes of a request's line and header; default 8 KiB
	BodyLimit       int // bytes of a body, whatever the endpoint allows; default 4 MiB
	MaxConns        int // open connections; default 16,384
	MaxConnsPerHost int // open connections from one IPv4 address or IPv6 /64; default 4,096

	MaxStreams        int           // answers of events that are under way; default 1,024
	MaxStreamsPerHost int           // of these to one caller's IPv4 address or IPv6 /64; default 128
	Heartbeat         time.Duration // after which a stream without an event shows that it lives; default 15 s
	LastCall          time.Duration // for which a shutdown leaves streams running, whose callers can come back to another server; default 3 s

	// TrustedProxies are the peers whose X-Forwarded-For is believed. Empty
	// believes none, and then a caller's address is its peer's.
	TrustedProxies []netip.Prefix

	// Origins are the web pages that may call from a browser, as in
	// "https://app.example.com"; "*" lets every page call. Default: none.
	Origins []string

	// Base is a path in front of all others, as in "/e:abc", that clients whose
	// address has one may send. Default: none.
	Base string

	// KeyInQuery lets callers send their API key as ?apikey= in the address.
	// Default: only in a header.
	KeyInQuery bool

	// Cookie lets pages in browsers keep the token of their session in a cookie:
	// its SameSite, endpoint.Lax or endpoint.Strict. Default: no cookie is read.
	Cookie string

	// HSTS is for how long browsers must stay with HTTPS, told where this
	// server ends TLS itself. Default: not told.
	HSTS time.Duration

	// Ready reports why the server can't serve now, or nil. /readyz asks it.
	Ready func(ctx context.Context) error

	// Notice is how long Shutdown still accepts connections after /readyz has
	// turned to 503, so that load balancers can look elsewhere. Default: 0.
	Notice time.Duration
}

// stragglers is how long requests that outlived the deadline of a shutdown get
// to answer that they were cancelled.
const stragglers = time.Second

// A Server answers HTTP requests from a table of endpoints.
type Server struct {
	opts    Options
	log     *slog.Logger
	app     *fiber.App
	table   atomic.Pointer[node]
	probes  []Endpoint
	headers []header // of every response
	places  places
	ids     *ids
	closing atomic.Bool
	quiet   quiet
	streams streams

	base   context.Context // of every call; ends when a shutdown gives up waiting
	cancel context.CancelFunc

	mu    sync.Mutex
	gates []*gate // guarded by mu
}

// New makes a server that serves nothing but /healthz and /readyz until the
// first Swap.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, log: o.Logger, ids: newIDs(), places: places{keyInQuery: o.KeyInQuery, cookie: o.Cookie != ""}}
	s.base, s.cancel = context.WithCancel(context.Background())
	s.streams = streams{max: o.MaxStreams, perHost: o.MaxStreamsPerHost, byHost: map[netip.Prefix]int{}}
	s.streams.base, s.streams.cancel = context.WithCancel(s.base)
	s.probes = []Endpoint{health{}, ready{s}}
	s.headers = defaultHeaders()
	if err := s.Swap(nil); err != nil {
		panic("rest: " + err.Error())
	}

	s.app = fiber.New(fiber.Config{
		ReadTimeout:                  o.ReadTimeout,
		WriteTimeout:                 o.WriteTimeout,
		IdleTimeout:                  o.IdleTimeout,
		ReadBufferSize:               o.HeaderLimit,
		BodyLimit:                    o.BodyLimit,
		Concurrency:                  2 * o.MaxConns, // the gate is the limit; this one answers in plain text
		CaseSensitive:                true,
		StrictRouting:                true,
		DisableDefaultContentType:    true,
		DisablePreParseMultipartForm: true,
		DisableStartupMessage:        true,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			s.fail(c.Context(), s.begin(&c.Request().Header), err)
			return nil
		},
	})
	s.app.Use(s.serve)

	handler := s.app.Handler()
	srv := s.app.Server()
	srv.Handler = func(rc *fasthttp.RequestCtx) {
		// Fiber answers methods that it does not know in plain text.
		if !slices.Contains(fiber.DefaultMethods, string(rc.Method())) {
			s.fail(rc, s.begin(&rc.Request.Header), errMethodUnknown)
			return
		}
		handler(rc)
	}
	srv.ErrorHandler = s.unreadable
	srv.HeaderReceived = s.limits
	srv.LazyRequestTime = true
	srv.ReduceMemoryUsage = true
	srv.SecureErrorLogMessage = true
	return s
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	bound := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&o.ReadTimeout, 10*time.Second)
	def(&o.WriteTimeout, 10*time.Second)
	def(&o.IdleTimeout, time.Minute)
	bound(&o.HeaderLimit, 8<<10)
	bound(&o.BodyLimit, 4<<20)
	bound(&o.MaxConns, 16<<10)
	bound(&o.MaxConnsPerHost, 4<<10)
	bound(&o.MaxStreams, 1<<10)
	bound(&o.MaxStreamsPerHost, 128)
	def(&o.Heartbeat, 15*time.Second)
	def(&o.LastCall, 3*time.Second)
	o.ReadTimeout = min(o.ReadTimeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Swap serves eps from now on, in place of all endpoints before. Where two of
// them collide, or one with /healthz or /readyz, it reports every collision and
// changes nothing.
func (s *Server) Swap(eps []Endpoint) error {
	root := &node{}
	var errs []error
	for _, ep := range slices.Concat(s.probes, eps) {
		if err := root.insert(ep); err != nil {
			errs = append(errs, fmt.Errorf("routing %s %s: %w", ep.Method(), ep.Path(), err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	s.table.Store(root)
	return nil
}

// Handler returns what answers a request that was read already, for those who
// bring a server of their own and for benchmarks.
func (s *Server) Handler() fasthttp.RequestHandler { return s.app.Server().Handler }

// Serve accepts connections from ln until Shutdown, and then returns nil. It
// closes ln. A server can serve several listeners at once.
func (s *Server) Serve(ln net.Listener) error {
	g := newGate(ln, s.opts)
	s.mu.Lock()
	s.gates = append(s.gates, g)
	s.mu.Unlock()
	if s.closing.Load() {
		return ln.Close()
	}
	if err := s.app.Listener(g); err != nil {
		return fmt.Errorf("serving %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown ends the server in order: /readyz fails, listeners close, idle
// connections close, and running requests end by themselves, but for streams,
// which are ended after LastCall. When ctx ends
// first, their context is cancelled, they get a second to say so, all
// connections are closed, and Shutdown returns the error of ctx. Only the first
// call does all this; others return at once.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.closing.Swap(true) {
		return nil
	}
	select {
	case <-time.After(s.opts.Notice):
	case <-ctx.Done():
	}
	s.mu.Lock()
	gates := slices.Clone(s.gates)
	s.mu.Unlock()

	last := time.AfterFunc(s.opts.LastCall, s.streams.cancel)
	defer last.Stop()
	err := s.app.ShutdownWithContext(ctx)
	for _, g := range gates {
		// A Serve that came too late for Fiber to know it ends here.
		if cerr := g.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) && err == nil {
			err = cerr
		}
	}
	s.cancel()
	if err != nil {
		for _, g := range gates {
			g.drain(stragglers)
		}
		return fmt.Errorf("shutting down: %w", err)
	}
	return nil
}
