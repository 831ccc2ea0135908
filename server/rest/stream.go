package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sluice/engine"
)

// A streamer is an endpoint that can send events while it runs, through the Send
// of its request.
type streamer interface {
	Endpoint
	Streams() bool
}

const eventStream = "text/event-stream"

// chatter is how much a caller may send, in bytes, while it listens; nobody reads it.
const chatter = 64 << 10

// A stream is an endpoint that runs while what it sends is written: the body of a
// response, as server-sent events. The endpoint runs on a goroutine of its own.
// All other methods run on that of the connection, which waits for it: in Close,
// which fasthttp calls when the body was read to its end or could not be written.
type stream struct {
	s      *Server
	c      *call
	method string
	host   netip.Prefix // that it is counted for
	conn   *conn        // nil where there is none that we know

	ctx    context.Context // of the endpoint; ends when nobody listens any more
	cancel context.CancelFunc
	events chan engine.Event // unbuffered: who listens slowly is sent to slowly
	done   chan struct{}     // closed when the endpoint has ended
	answer engine.Answer     // there once done is closed
	err    error             // there once done is closed
	deaf   chan struct{}     // closed when nobody watches the connection any more
	gone   atomic.Bool       // the caller has hung up

	beat  *time.Timer
	left  []byte // what was not read yet
	ended bool
}

// stream runs an endpoint that can send, up to its first event, its end, or the
// time of the first heartbeat. What ended without an event is answered as by any
// endpoint; otherwise c.stream is the body of the answer.
func (s *Server) stream(rc *fasthttp.RequestCtx, c *call) (engine.Answer, error) {
	switch {
	case rc.IsHead():
		return engine.Answer{}, errMethod
	case !rc.Request.Header.IsHTTP11():
		return engine.Answer{}, errVersion // it has no way to tell where a body of unknown length ends
	}
	st := &stream{
		s: s, c: c, method: string(rc.Method()), host: host(c.IP, nil),
		events: make(chan engine.Event), done: make(chan struct{}), deaf: make(chan struct{}), beat: time.NewTimer(s.opts.Heartbeat),
	}
	if err := s.streams.enter(st.host); err != nil {
		return engine.Answer{}, err
	}
	rc.SetConnectionClose() // what comes behind the request is not read as another one
	st.ctx, st.cancel = context.WithCancel(s.streams.base)
	c.Send = st.send
	if st.conn, _ = rc.Conn().(*conn); st.conn != nil {
		_ = st.conn.SetReadDeadline(time.Time{}) // it fails where the connection is closed, as reading does
	}
	go st.run()
	go st.watch()
	if first, ok := st.next(); ok {
		st.left, c.stream = first, st
		return engine.Answer{}, nil
	}
	st.end()
	if st.gone.Load() {
		st.forsaken()
		return engine.Answer{}, errHungUp
	}
	return st.answer, st.err
}

// begin makes a stream the body of a response.
func (st *stream) begin(rc *fasthttp.RequestCtx) {
	if st.conn != nil {
		st.conn.patience.Store(int64(st.s.opts.WriteTimeout))
	}
	res := &rc.Response
	res.SetStatusCode(fiber.StatusOK)
	st.s.setDefaults(rc)
	res.Header.SetContentType(eventStream)
	res.Header.Set("X-Accel-Buffering", "no") // a proxy that gathers what it passes on would hold events back
	res.SetBodyStream(st, -1)
}

// run calls the endpoint.
func (st *stream) run() {
	defer close(st.done)
	defer func() {
		if p := recover(); p != nil {
			st.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	st.answer, st.err = st.c.route.ep.Call(st.ctx, &st.c.Request)
}

// watch ends the endpoint when the caller hangs up, which nobody would notice
// while there is nothing to write.
func (st *stream) watch() {
	defer close(st.deaf)
	if st.conn == nil {
		return
	}
	var b [512]byte
	for heard := 0; heard < chatter; {
		n, err := st.conn.Conn.Read(b[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return // by end
		}
		if heard += n; err != nil {
			break
		}
	}
	st.gone.Store(true)
	st.cancel()
}

// send hands an event over to whoever reads the body.
func (st *stream) send(ctx context.Context, e engine.Event) error {
	select {
	case st.events <- e:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sending an event: %w", ctx.Err())
	}
}

// next waits for an event, or the time to show that the stream still lives, and
// returns it as it is written. It is false when the endpoint has ended.
func (st *stream) next() ([]byte, bool) {
	st.beat.Reset(st.s.opts.Heartbeat)
	select {
	case e := <-st.events:
		return appendEvent(nil, e), true
	case <-st.beat.C:
		return []byte(":\n\n"), true
	case <-st.done:
		return nil, false
	}
}

// Read reads the body of the response. Each event is written as it comes.
func (st *stream) Read(p []byte) (int, error) {
	if len(st.left) == 0 && !st.ended {
		next, ok := st.next()
		if !ok {
			st.ended = true
			next = st.failure()
		}
		st.left = next
	}
	if len(st.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, st.left)
	st.left = st.left[n:]
	return n, nil
}

// failure is the event that tells why the endpoint failed; nil where it did not.
// The status of the response is gone by then.
func (st *stream) failure() []byte {
	if st.err == nil || st.gone.Load() {
		return nil
	}
	status, e := st.s.publish(st.method, st.c, st.err)
	return appendEvent(nil, engine.Event{Name: "error", Data: failureText(status, e)})
}

// Close ends the stream, and the endpoint where it still runs.
func (st *stream) Close() error {
	ended := st.ended
	st.end()
	if !ended || st.gone.Load() {
		st.forsaken()
	}
	return nil
}

// forsaken tells the log what went wrong in an endpoint to which nobody listens any
// more, beside that it was cancelled for it: steps that could not be taken back, too.
func (st *stream) forsaken() {
	if st.err == nil {
		return
	}
	var several interface {
		error
		Unwrap() []error
	}
	if _, status, told := public(st.err); !told && !errors.Is(st.err, context.Canceled) || errors.As(st.err, &several) {
		st.s.tell(st.method, st.c, status, told, st.err)
	}
}

// end waits for the goroutines of the stream.
func (st *stream) end() {
	st.cancel()
	<-st.done
	st.beat.Stop()
	if st.conn != nil {
		_ = st.conn.SetReadDeadline(time.Now()) // it fails where the connection is closed, and then watch has ended
	}
	<-st.deaf
	st.s.streams.leave(st.host)
}

// oneLine is the second lock behind the flow's checks: no event can hold another one.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")

// appendEvent writes an event as the standard has it.
func appendEvent(b []byte, e engine.Event) []byte {
	field := func(name, value string) {
		if value != "" {
			b = append(append(append(b, name...), oneLine.Replace(value)...), '\n')
		}
	}
	field("event: ", e.Name)
	field("id: ", e.ID)
	field("data: ", string(e.Data))
	return append(b, '\n')
}

// streams counts the streams that are open, so that they leave connections for others.
type streams struct {
	max, perHost int
	base         context.Context // of every stream; ends in a shutdown
	cancel       context.CancelFunc

	mu     sync.Mutex
	open   int                  // guarded by mu
	byHost map[netip.Prefix]int // guarded by mu; only hosts that listen
}

// enter counts a stream in, or says why there can be none.
func (s *streams) enter(h netip.Prefix) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open >= s.max:
		return errTooManyStreams
	case h.IsValid() && s.byHost[h] >= s.perHost:
		return errHostStreams
	}
	s.open++
	s.byHost[h]++
	return nil
}

func (s *streams) leave(h netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.byHost[h]--; s.byHost[h] == 0 {
		delete(s.byHost, h)
	}
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}
