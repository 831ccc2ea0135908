package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes/memory"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/endpoint"
)

const placing = `endpoint: POST /shops/{shop}/orders
session: optional
timeout: 5s
repeat: {header: Idempotency-Key, keep: 1h}
input:
  path: {shop: string}
  query: {"n?": integer}
  body: {what: string}
steps:
  - id: order
    node: order.place
    with: {what: $body.what}
  - respond: 201
    headers: {Location: "/orders/{$order.number}"}
    cookies: {last: $body.what}
    body: $order
`

// A shop is a world with a node that places orders, one after the other.
type shop struct {
	*world
	mu     sync.Mutex
	placed int                             // guarded by mu
	before func(ctx context.Context) error // the order is placed; may be nil
}

type orderIn struct {
	What string `json:"what" doc:"What is ordered."`
}

type order struct {
	Number int    `json:"number" doc:"How many orders there are."`
	What   string `json:"what" doc:"What was ordered."`
}

var soldOut = engine.NewOutcome("soldOut", engine.Conflict, "There is none left.")

func newShop(t *testing.T) *shop { return &shop{world: newWorld(t)} }

func (s *shop) place(ctx context.Context, in orderIn) (order, error) {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return order{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.placed++
	return order{s.placed, in.What}, nil
}

func (s *shop) endpoints(t *testing.T, flows ...string) []*endpoint.Endpoint {
	t.Helper()
	return s.world.endpoints(t, []*engine.Node{engine.Define("order.place", "Places an order.", s.place, soldOut)}, flows...)
}

// named returns the headers of a request that carries names of the call.
func named(names ...string) func(string) []string {
	return func(header string) []string {
		if header == "Idempotency-Key" {
			return names
		}
		return nil
	}
}

// tea is a request for tea under names of the call.
func tea(names ...string) endpoint.Request {
	return endpoint.Request{
		Params: []string{"a"}, Body: []byte(`{"what":"tea"}`), Header: named(names...), IP: netip.MustParseAddr("192.0.2.7"),
	}
}

// with returns a request that was changed.
func with(r endpoint.Request, change func(*endpoint.Request)) endpoint.Request {
	change(&r)
	return r
}

func wantAnswer(t *testing.T, what string, e *endpoint.Endpoint, r endpoint.Request, want string) {
	t.Helper()
	if got := ask(t, e, r); got != want {
		t.Errorf("%s = %s, want %s", what, got, want)
	}
}

// A repetition gets the answer of the first call, without its cookies and with
// a mark, until the answer has been kept for its time.
func TestRepetitionIsAnsweredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newShop(t).endpoints(t, placing)[0]
		call := func() string {
			r := tea("a")
			a, err := e.Call(t.Context(), &r)
			if err != nil {
				t.Fatalf("Call = %v, want nil", err)
			}
			return fmt.Sprintf("%d %v %s", a.Status, a.Headers, a.Body)
		}
		first := `201 [{Location /orders/%d} {Set-Cookie last=tea; Path=/; HttpOnly; Secure; SameSite=Lax}] {"number":%[1]d,"what":"tea"}`
		again := `201 [{Location /orders/%d} {Idempotency-Replayed true}] {"number":%[1]d,"what":"tea"}`
		for i, c := range []struct {
			after  time.Duration
			layout string
			number int
		}{
			{0, first, 1}, {0, again, 1}, {time.Minute, again, 1}, {59*time.Minute - 1, again, 1},
			{1, first, 2}, {0, again, 2},
		} {
			time.Sleep(c.after)
			if got, want := call(), fmt.Sprintf(c.layout, c.number); got != want {
				t.Errorf("call %d = %s\nwant %s", i, got, want)
			}
		}
	})
}

// A call is known by the caller and the name together, and only answers the
// request that it was.
func TestRepetitionIsKnown(t *testing.T) {
	const again, anew, reused = `201 {"number":1,"what":"tea"}`, `201 {"number":2,"what":"tea"}`, "invalid idempotency_key_reused"
	s := newShop(t)
	ada := s.addSession(t, "u1")
	bob := s.addUser(t, "u2")
	keyed := strings.Replace(strings.Replace(placing, "optional", "none", 1), "steps", "apiKey: required\nsteps", 1)
	from := func(ip string) func(*endpoint.Request) {
		return func(r *endpoint.Request) { r.IP = netip.MustParseAddr(ip) }
	}
	token := func(token string) func(*endpoint.Request) { return func(r *endpoint.Request) { r.Token = token } }
	key := func(key string) func(*endpoint.Request) { return func(r *endpoint.Request) { r.APIKey = key } }
	for name, c := range map[string]struct {
		flow          string
		first, second endpoint.Request
		want          string
	}{
		"same address":              {placing, tea("a"), tea("a"), again},
		"another address":           {placing, tea("a"), with(tea("a"), from("192.0.2.8")), anew},
		"same session":              {placing, with(tea("a"), token(s.token)), with(tea("a"), token(s.token)), again},
		"another session of theirs": {placing, with(tea("a"), token(s.token)), with(tea("a"), token(ada)), again},
		"same user elsewhere":       {placing, with(tea("a"), token(s.token)), with(with(tea("a"), token(ada)), from("192.0.2.8")), again},
		"another user":              {placing, with(tea("a"), token(s.token)), with(tea("a"), token(bob)), anew},
		"signed out":                {placing, with(tea("a"), token(s.token)), tea("a"), anew},
		"same API key elsewhere":    {keyed, with(tea("a"), key("key-1")), with(with(tea("a"), key("key-1")), from("192.0.2.8")), again},
		"another API key":           {keyed, with(tea("a"), key("key-1")), with(tea("a"), key("key-3")), anew},
		"key that nobody checked":   {placing, with(tea("a"), key("x")), with(tea("a"), key("y")), again},
		"another name":              {placing, tea("a"), tea("b"), anew},
		"name in capitals":          {placing, tea("a"), tea("A"), anew},
		"no name, then one":         {placing, tea(), tea("a"), anew},
		"no name, twice":            {placing, tea(), tea(), anew},
		"another body":              {placing, tea("a"), with(tea("a"), func(r *endpoint.Request) { r.Body = []byte(`{"what":"gin"}`) }), reused},
		"another path":              {placing, tea("a"), with(tea("a"), func(r *endpoint.Request) { r.Params = []string{"b"} }), reused},
		"space that moved": {placing, with(tea("a"), func(r *endpoint.Request) { r.Params = []string{" a"} }),
			with(tea("a"), func(r *endpoint.Request) { r.Body = []byte(`{"what":"tea"} `) }), reused},
		"another query": {placing, tea("a"), with(tea("a"), func(r *endpoint.Request) { r.RawQuery = "n=1" }), reused},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := &shop{world: s.world}
			fresh.Repeats = memory.New().Repeats
			e := fresh.endpoints(t, c.flow)[0]
			wantAnswer(t, "first call", e, c.first, `201 {"number":1,"what":"tea"}`)
			wantAnswer(t, "second call", e, c.second, c.want)
		})
	}
}

// addSession opens one more session and returns its token.
func (w *world) addSession(t *testing.T, userID string) string {
	t.Helper()
	now := time.Now()
	token, hash := session.NewToken()
	made := session.Session{ID: "session of " + userID + token, UserID: user.ProvenID{ID: userID}, Idle: time.Hour, End: now.Add(time.Hour), ExpiresDtm: now.Add(time.Hour)}
	if err := w.Sessions.Create(t.Context(), hash, made); err != nil {
		t.Fatal(err)
	}
	return token
}

// addUser creates a user and returns the token of a session.
func (w *world) addUser(t *testing.T, id string) string {
	t.Helper()
	if err := w.Users.Create(t.Context(), user.User{ID: id, Email: id, EmailKey: id}, ""); err != nil {
		t.Fatal(err)
	}
	return w.addSession(t, id)
}

func TestSameNameInAnotherFlowIsAnotherCall(t *testing.T) {
	eps := newShop(t).endpoints(t, placing, strings.Replace(placing, "/orders", "/wishes", 1))
	wantAnswer(t, "first flow", eps[0], tea("a"), `201 {"number":1,"what":"tea"}`)
	wantAnswer(t, "second flow", eps[1], tea("a"), `201 {"number":2,"what":"tea"}`)
}

func TestReusedNameHasItsOwnStatus(t *testing.T) {
	e := newShop(t).endpoints(t, placing)[0]
	wantAnswer(t, "first call", e, tea("a"), `201 {"number":1,"what":"tea"}`)
	other := with(tea("a"), func(r *endpoint.Request) { r.Body = []byte(`{"what":"gin"}`) })
	_, err := e.Call(t.Context(), &other)
	if failed, ok := errors.AsType[*engine.Error](err); !ok || failed.Status != 422 {
		t.Errorf("Call(another request) = %v, want status 422", err)
	}
}

// A name is 1 to 255 visible characters of ASCII, given once.
func TestNameOfACall(t *testing.T) {
	e := newShop(t).endpoints(t, placing)[0]
	const odd, twice = "invalid invalid_input(Headers.Idempotency-Key must be 1 to 255 visible characters of ASCII.)", "invalid invalid_input(Headers.Idempotency-Key is given twice.)"
	for name, c := range map[string]struct {
		names []string
		want  string // "" for any answer
	}{
		"one character":  {[]string{"x"}, ""},
		"longest":        {[]string{strings.Repeat("x", 255)}, ""},
		"quoted":         {[]string{`"8e03978e-40d5-43dd-bc93-6894a57f9324"`}, ""},
		"first and last": {[]string{"!~"}, ""},
		"empty":          {[]string{""}, odd},
		"too long":       {[]string{strings.Repeat("x", 256)}, odd},
		"space":          {[]string{"a b"}, odd},
		"tab":            {[]string{"a\tb"}, odd},
		"delete":         {[]string{"a\x7f"}, odd},
		"not ASCII":      {[]string{"é"}, odd},
		"not UTF-8":      {[]string{"\xff"}, odd},
		"twice the same": {[]string{"a", "a"}, twice},
		"two":            {[]string{"a", "b"}, twice},
	} {
		got := ask(t, e, tea(c.names...))
		if c.want == "" && !strings.HasPrefix(got, "201 ") || c.want != "" && got != c.want {
			t.Errorf("%s: Call = %s, want %s", name, got, c.want)
		}
	}
}

// Of many calls at once one runs; the others hear that it does, and when to ask again.
func TestOneOfManyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.before = func(context.Context) error { time.Sleep(2 * time.Second); return nil }
		e := s.endpoints(t, placing)[0]
		const callers = 20
		var wg sync.WaitGroup
		errs := make([]error, callers)
		for i := range callers {
			wg.Go(func() {
				r := tea("a")
				_, errs[i] = e.Call(t.Context(), &r)
			})
		}
		wg.Wait()
		ran := 0
		for _, err := range errs {
			failed, ok := errors.AsType[*engine.Error](err)
			switch {
			case err == nil:
				ran++
			case !ok || failed.Kind != engine.Conflict || failed.Items[0].Code != "request_in_progress" || failed.RetryAfter != time.Second:
				t.Errorf("Call = %v, want request_in_progress and to come back after a second", err)
			}
		}
		if ran != 1 || s.placed != 1 {
			t.Errorf("%d of %d calls were answered and %d orders placed, want 1 and 1", ran, callers, s.placed)
		}
		wantAnswer(t, "call after that", e, tea("a"), `201 {"number":1,"what":"tea"}`)
	})
}

// However a call fails, it can be tried again, with another request as well.
func TestFailureCanBeTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		before func(ctx context.Context) error
		want   string
	}{
		"outcome":     {func(context.Context) error { return soldOut }, "conflict soldOut"},
		"broken":      {func(context.Context) error { return errors.New("broken") }, "internal internal_error"},
		"unavailable": {func(context.Context) error { return engine.ErrUnavailable }, "unavailable unavailable"},
		"panic":       {func(context.Context) error { panic("broken") }, "internal internal_error"},
		"timeout":     {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "timeout timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				e := s.endpoints(t, placing)[0]
				s.before = c.before
				for range 2 {
					wantAnswer(t, "failing call", e, tea("a"), c.want)
				}
				s.before = nil
				wantAnswer(t, "next call", e, with(tea("a"), func(r *endpoint.Request) { r.RawQuery = "n=1" }), `201 {"number":1,"what":"tea"}`)
			})
		})
	}
}

// faulty are repeats whose methods can fail.
type faulty struct {
	repeat.Store
	claim, settle error
}

func (f *faulty) Claim(ctx context.Context, c repeat.Claim, now time.Time) (*engine.Answer, error) {
	if f.claim != nil {
		return nil, f.claim
	}
	return f.Store.Claim(ctx, c, now)
}

func (f *faulty) Keep(ctx context.Context, c repeat.Claim, a engine.Answer, until, now time.Time) error {
	if f.settle != nil {
		return f.settle
	}
	return f.Store.Keep(ctx, c, a, until, now)
}

func (f *faulty) Release(ctx context.Context, c repeat.Claim) error {
	if f.settle != nil {
		return f.settle
	}
	return f.Store.Release(ctx, c)
}

func TestNothingRunsWhileTheStoreIsAway(t *testing.T) {
	s := newShop(t)
	away := &faulty{Store: s.Repeats, claim: engine.ErrUnavailable}
	s.Repeats = away
	e := s.endpoints(t, placing)[0]
	wantAnswer(t, "call while the store is away", e, tea("a"), "unavailable unavailable")
	if s.placed != 0 {
		t.Errorf("orders while the store is away = %d, want 0", s.placed)
	}
	wantAnswer(t, "call without a name", e, tea(), `201 {"number":1,"what":"tea"}`)
	away.claim = nil
	wantAnswer(t, "call when it is back", e, tea("a"), `201 {"number":2,"what":"tea"}`)
}

// A call of which nobody could note how it ended, as after a crash, runs once
// more when its claim ends, ten seconds behind the flow's timeout.
func TestClaimThatNothingCameOfEnds(t *testing.T) {
	for name, c := range map[string]struct {
		before error
		want   string
		next   string
	}{
		"answered": {nil, `201 {"number":1,"what":"tea"}`, `201 {"number":2,"what":"tea"}`},
		"failed":   {soldOut, "conflict soldOut", `201 {"number":1,"what":"tea"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				away := &faulty{Store: s.Repeats, settle: engine.ErrUnavailable}
				s.Repeats, s.before = away, func(context.Context) error { return c.before }
				e := s.endpoints(t, placing)[0]
				wantAnswer(t, "call", e, tea("a"), c.want)
				away.settle, s.before = nil, nil
				wantAnswer(t, "call after that", e, tea("a"), "conflict request_in_progress")
				time.Sleep(15*time.Second - 1)
				wantAnswer(t, "call just before the claim ends", e, tea("a"), "conflict request_in_progress")
				time.Sleep(time.Nanosecond)
				for range 2 {
					wantAnswer(t, "call when the claim has ended", e, tea("a"), c.next)
				}
			})
		})
	}
}

// A call that takes so long that another one runs meanwhile leaves that one's
// answer alone.
func TestLateCallChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		var calls atomic.Int32
		s.before = func(context.Context) error {
			if calls.Add(1) == 1 {
				time.Sleep(time.Minute) // whatever the timeout
			}
			return nil
		}
		e := s.endpoints(t, placing)[0]
		var wg sync.WaitGroup
		wg.Go(func() { wantAnswer(t, "late call", e, tea("a"), `201 {"number":2,"what":"tea"}`) })
		time.Sleep(15 * time.Second)
		for range 2 {
			wantAnswer(t, "call when the claim has ended", e, tea("a"), `201 {"number":1,"what":"tea"}`)
		}
		wg.Wait()
		wantAnswer(t, "call when the late one is over", e, tea("a"), `201 {"number":1,"what":"tea"}`)
	})
}

func TestLongAnswerIsNotKept(t *testing.T) {
	flow := strings.Replace(placing, "    body: $order\n", "    body: $order.what\n", 1)
	text := func(n int) string { return strings.Repeat("x", n-len(`""`)) }
	for name, c := range map[string]struct {
		long   int // bytes of the answer
		placed int // by two calls
	}{
		"as long as it can be": {repeat.MaxBody, 1},
		"a byte longer":        {repeat.MaxBody + 1, 2},
	} {
		s := newShop(t)
		e := s.endpoints(t, flow)[0]
		r := with(tea("a"), func(r *endpoint.Request) { r.Body = []byte(`{"what":"` + text(c.long) + `"}`) })
		for range 2 {
			if got, want := ask(t, e, r), `201 "`+text(c.long)+`"`; got != want {
				t.Errorf("%s: Call = %.80s (%d bytes), want %.80s (%d bytes)", name, got, len(got), want, len(want))
			}
		}
		if s.placed != c.placed {
			t.Errorf("%s: orders after two calls = %d, want %d", name, s.placed, c.placed)
		}
	}
}

// A kept answer is given to those only who may call, and counts as a call.
func TestRepetitionPassesTheGuards(t *testing.T) {
	s := newShop(t)
	e := s.endpoints(t, strings.Replace(placing, "steps", "limit: {rate: 4/h}\nsteps", 1))[0]
	mine := with(tea("a"), func(r *endpoint.Request) { r.Token = s.token })
	for _, c := range []struct {
		name    string
		request endpoint.Request
		want    string
	}{
		{"first", mine, `201 {"number":1,"what":"tea"}`},
		{"again", mine, `201 {"number":1,"what":"tea"}`},
		{"wrong input", with(mine, func(r *endpoint.Request) { r.Body = []byte(`{}`) }), "invalid invalid_input(Body.what is missing.)"},
		{"third", mine, `201 {"number":1,"what":"tea"}`},
		{"fourth", mine, `201 {"number":1,"what":"tea"}`},
		{"one too many", mine, "tooMany rate_limit_exceeded"},
	} {
		wantAnswer(t, c.name, e, c.request, c.want)
	}
	if _, err := s.Sessions.End(t.Context(), session.Which{Hash: s.hash}, time.Now()); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, "signed out", e, mine, "unauthenticated invalid_session_token")
}
