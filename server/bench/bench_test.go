// Package bench measures Sluice beside handlers written by hand in Fiber that
// do the same work on the same store, in one run, so that the ratio holds
// whatever the machine is.
package bench

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"sluice/engine"
	"sluice/flows"
	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/nodes/data"
	"sluice/nodes/password"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
	"sluice/server/rest"
	"sluice/server/store"
)

const (
	email  = "ada@example.com"
	secret = "correct horse battery staple"
)

// A bench is a store with one user and one session, and two servers on it.
type bench struct {
	stores nodes.Stores
	hasher *password.Hasher
	userID string
	token  string
	ours   fasthttp.RequestHandler
	theirs fasthttp.RequestHandler
}

func setUp(b *testing.B) *bench {
	b.Helper()
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	hasher, err := password.NewHasher(password.Settings{})
	if err != nil {
		b.Fatal(err)
	}
	s.Recorder = audit.NewRecorder(s.Audit, audit.Options{}) // which the handlers written by hand go without
	w := &bench{stores: s.Stores, hasher: hasher, userID: uuid.NewString()}
	hash, err := hasher.New(b.Context(), secret)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	u := user.User{ID: w.userID, Email: email, EmailKey: email, Name: "Ada", CreationDtm: now, UpdatedDtm: now}
	if err := s.Users.Create(b.Context(), u, hash); err != nil {
		b.Fatal(err)
	}
	w.token = w.open(b)
	w.ours, w.theirs = w.sluice(b), w.byHand()
	return w
}

// open creates a session as both sides do at a sign-in.
func (w *bench) open(tb testing.TB) string {
	token, h := session.NewToken()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := session.Session{
		ID: uuid.Must(uuid.NewV7()).String(), UserID: user.ProvenID{ID: w.userID}, CreationDtm: now, LastSeenDtm: now, ExpiresDtm: now.Add(time.Hour),
		End: now.Add(24 * time.Hour), Idle: time.Hour, AccessGroupKeys: []string{}, IP: "127.0.0.1", UserAgent: session.ParseUserAgent("bench"),
	}
	if err := w.stores.Sessions.Create(tb.Context(), h, s); err != nil {
		tb.Fatal(err)
	}
	return token
}

// sluice serves the shipped flows, without the limits that a benchmark would run into.
func (w *bench) sluice(b *testing.B) fasthttp.RequestHandler {
	b.Helper()
	app, err := engine.Load(flows.FS, engine.Env{
		Nodes: nodes.Core(w.stores, w.hasher, nodes.Post{}, nodes.Trust{}), Session: engine.TypeOf[session.Session](), Request: engine.TypeOf[endpoint.Facts](),
		Document: engine.TypeOf[data.Head](),
	})
	if err != nil {
		b.Fatal(err)
	}
	s := rest.New(rest.Options{Logger: slog.New(slog.DiscardHandler)})
	var eps []rest.Endpoint
	for _, f := range app.Flows {
		f.Limit = nil
		eps = append(eps, endpoint.New(f, endpoint.Deps{Sessions: w.stores.Sessions, MaxBody: 1 << 16, Audit: w.stores.Recorder}))
	}
	if err := s.Swap(eps); err != nil {
		b.Fatal(err)
	}
	return s.Handler()
}

// byHand is what a careful developer writes in Fiber for these two endpoints:
// typed bodies, the same store, the same response headers, encoding/json.
func (w *bench) byHand() fasthttp.RequestHandler {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 64 << 10})
	app.Use(func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "no-store")
		c.Set("X-Content-Type-Options", "nosniff")
		c.Set("Content-Security-Policy", "default-src 'none'")
		return c.Next()
	})
	type answer struct {
		User    user.User `json:"user"`
		Session any       `json:"session"`
	}
	failed := func(c *fiber.Ctx, status int, code string) error {
		return c.Status(status).JSON(fiber.Map{"errors": []fiber.Map{{"origin": "client", "code": code, "message": code}}})
	}
	app.Get("/auth/me", func(c *fiber.Ctx) error {
		token := strings.Clone(c.Get("Session"))
		if token == "" {
			return failed(c, 401, "missing_session_token")
		}
		h, ok := session.HashOf(token)
		if !ok {
			return failed(c, 401, "invalid_session_token")
		}
		now := time.Now()
		s, err := w.stores.Sessions.Get(c.Context(), h, now)
		if err != nil {
			return failed(c, 401, "invalid_session_token")
		}
		if s.TouchDue(now) {
			w.stores.Sessions.Touch(h, now)
		}
		u, err := w.stores.Users.ByID(c.Context(), s.UserID.ID)
		if err != nil {
			return failed(c, 404, "notFound")
		}
		return c.JSON(answer{u, s})
	})
	app.Post("/auth/sign-in", func(c *fiber.Ctx) error {
		var in struct{ Email, Password string }
		if err := json.Unmarshal(c.BodyRaw(), &in); err != nil || in.Email == "" || in.Password == "" {
			return failed(c, 400, "invalid_input")
		}
		_, key, err := user.EmailKey(in.Email)
		if err != nil {
			return failed(c, 401, "invalid_credentials")
		}
		u, err := w.stores.Users.ByEmail(c.Context(), key)
		if err != nil {
			return failed(c, 401, "invalid_credentials")
		}
		hash, err := w.stores.Passwords.Hash(c.Context(), u.ID)
		if err != nil {
			return failed(c, 401, "invalid_credentials")
		}
		if ok, _, err := w.hasher.Check(c.Context(), hash, in.Password); err != nil || !ok {
			return failed(c, 401, "invalid_credentials")
		}
		token, h := session.NewToken()
		now := time.Now().UTC().Truncate(time.Millisecond)
		s := session.Session{
			ID: uuid.Must(uuid.NewV7()).String(), UserID: user.ProvenID{ID: u.ID, Epoch: u.Epoch}, CreationDtm: now, LastSeenDtm: now,
			ExpiresDtm: now.Add(time.Hour), End: now.Add(24 * time.Hour), Idle: time.Hour, AccessGroupKeys: []string{},
			IP: c.IP(), UserAgent: session.ParseUserAgent(c.Get("User-Agent")),
		}
		if err := w.stores.Sessions.Create(c.Context(), h, s); err != nil {
			return failed(c, 503, "unavailable")
		}
		s.Token = token
		return c.JSON(answer{u, s})
	})
	return app.Handler()
}

func (w *bench) me(r *fasthttp.Request) {
	r.Header.SetMethod("GET")
	r.SetRequestURI("/auth/me")
	r.Header.SetHost("localhost")
	r.Header.Set("Session", w.token)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
}

func (w *bench) signIn(r *fasthttp.Request) {
	r.Header.SetMethod("POST")
	r.SetRequestURI("/auth/sign-in")
	r.Header.SetHost("localhost")
	r.Header.SetContentType("application/json")
	r.SetBodyString(`{"email":"` + email + `","password":"` + secret + `"}`)
}

// BenchmarkMe is GET /auth/me: read the session, read the user, answer both.
// ratio is what the handler written by hand takes, divided by what Sluice
// takes: 1 is as fast, less is slower.
func BenchmarkMe(b *testing.B) {
	w := setUp(b)
	b.Run("handler", func(b *testing.B) { w.compareHandlers(b, w.me, 200) })
	b.Run("http", func(b *testing.B) { w.compareServers(b, w.me, 100) })
}

// BenchmarkSignIn is POST /auth/sign-in. Nearly all of it is argon2id and the
// write to disk, on both sides.
func BenchmarkSignIn(b *testing.B) {
	w := setUp(b)
	b.Run("http", func(b *testing.B) { w.compareServers(b, w.signIn, 2) })
}

// compareHandlers calls both handlers in turns, without a network.
func (w *bench) compareHandlers(b *testing.B, request func(*fasthttp.Request), batch int) {
	one := func(h fasthttp.RequestHandler) func() {
		var rc fasthttp.RequestCtx
		rc.Init(&fasthttp.Request{}, nil, nil)
		var sent fasthttp.Request
		request(&sent)
		if err := rc.Request.Read(bufio.NewReader(strings.NewReader(sent.String()))); err != nil {
			b.Fatal(err)
		}
		return func() {
			for range batch {
				rc.Response.Reset()
				if h(&rc); rc.Response.StatusCode() != 200 {
					b.Fatalf("status %d: %s", rc.Response.StatusCode(), rc.Response.Body())
				}
			}
		}
	}
	compare(b, batch, one(w.ours), one(w.theirs))
}

// compareServers sends the requests of both through loopback, from as many
// connections as there are cores.
func (w *bench) compareServers(b *testing.B, request func(*fasthttp.Request), batch int) {
	one := func(h fasthttp.RequestHandler) func() {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		srv := &fasthttp.Server{Handler: h, NoDefaultServerHeader: true}
		go srv.Serve(ln)
		b.Cleanup(func() { srv.Shutdown() })
		client := &fasthttp.HostClient{Addr: ln.Addr().String(), MaxConns: runtime.GOMAXPROCS(0)}
		return func() {
			var wg sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				wg.Go(func() {
					var r fasthttp.Request
					var a fasthttp.Response
					request(&r)
					for range batch {
						if err := client.Do(&r, &a); err != nil || a.StatusCode() != 200 {
							b.Errorf("%v %d %s", err, a.StatusCode(), a.Body())
							return
						}
					}
				})
			}
			wg.Wait()
		}
	}
	compare(b, batch*runtime.GOMAXPROCS(0), one(w.ours), one(w.theirs))
}

// compare runs batches of both sides in turns and reports what one call of
// each takes.
func compare(b *testing.B, batch int, ours, theirs func()) {
	ours()
	theirs()
	var a, h time.Duration
	n := 0
	for b.Loop() {
		start := time.Now()
		ours()
		mid := time.Now()
		theirs()
		a, h, n = a+mid.Sub(start), h+time.Since(mid), n+batch
	}
	b.ReportMetric(float64(a.Nanoseconds())/float64(n), "sluice-ns/call")
	b.ReportMetric(float64(h.Nanoseconds())/float64(n), "byhand-ns/call")
	b.ReportMetric(h.Seconds()/a.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}
