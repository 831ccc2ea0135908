package flowtest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/server/endpoint"
	"sluice/server/rest"
)

const (
	defaultIP = "192.0.2.1"         // of callers that name none
	apiKey    = "key-of-flow-tests" // that requests carry where a flow wants one
)

// An answer is what came back over HTTP, and what happened on the way.
type answer struct {
	status  int
	headers map[string][]string // by canonical name
	body    []byte              // empty for none
	ran     []string            // steps of the flow whose nodes ran, in order
	took    time.Duration
	cause   string // what the log says went wrong, or ""
}

// call makes the request of a test, as often as it says, through the same text,
// router and endpoint as over the wire. What it returns is the last answer.
func (s *Suite) call(ctx context.Context, f *engine.Flow, t *test, ns names, token string) (*answer, error) {
	a := &answer{}
	probe := s.probe(f, t, a)
	ep := endpoint.New(f, endpoint.Deps{
		Sessions: s.stage.now.Sessions, Repeats: s.stage.now.Repeats, APIKeys: s.stage.now.Keys, Keys: endpoint.Keys{sha256.Sum256([]byte(apiKey)): true},
		Limits: s.stage.now.Limits, MaxBody: s.set.MaxBody,
	}).Probed(probe)
	log := &causes{}
	server := rest.New(rest.Options{Logger: slog.New(log), BodyLimit: s.set.MaxBody})
	if err := server.Swap([]rest.Endpoint{ep}); err != nil {
		return nil, err
	}
	text, err := request(f, &t.send, ns, token)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(cmp.Or(t.send.ip, defaultIP))
	for range max(1, t.send.times) {
		a.ran, log.text = nil, ""
		if err := a.ask(server.Handler(), text, ip); err != nil {
			return nil, err
		}
		a.cause = log.text
	}
	return a, ctx.Err()
}

// ask makes a request that comes from an address.
func (a *answer) ask(handler fasthttp.RequestHandler, text []byte, ip net.IP) error {
	var req fasthttp.Request
	if err := req.Read(bufio.NewReader(bytes.NewReader(text))); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	var rc fasthttp.RequestCtx
	rc.Init(&req, &net.TCPAddr{IP: ip, Port: 50_000}, nil)
	began := time.Now()
	handler(&rc)
	body := bytes.Clone(rc.Response.Body()) // events are sent while they are read
	a.took = time.Since(began)
	a.status, a.body, a.headers = rc.Response.StatusCode(), body, map[string][]string{}
	for name, value := range rc.Response.Header.All() {
		a.headers[string(name)] = append(a.headers[string(name)], string(value))
	}
	return nil
}

// probe stands in for nodes as the test says, and notes what ran.
func (s *Suite) probe(f *engine.Flow, t *test, a *answer) *engine.Probe {
	return &engine.Probe{
		Fake: func(at engine.At) (engine.Fake, bool) {
			name := at.Step
			if at.Pos.File != f.File { // inside a node that is a flow
				name = s.flowNode(at.Pos.File) + "/" + name
			}
			fake, ok := t.fakes[name]
			return fake, ok
		},
		Took: s.cover.took,
		Ran: func(c engine.Call) {
			s.ranMu.Lock()
			defer s.ranMu.Unlock()
			if c.Pos.File == f.File {
				a.ran = append(a.ran, c.Step)
			}
		},
	}
}

// flowNode names the node that the flow of a file is.
func (s *Suite) flowNode(file string) string {
	i := slices.IndexFunc(s.app.Nodes, func(n *engine.NodeFlow) bool { return n.File == file })
	if i < 0 {
		return ""
	}
	return s.app.Nodes[i].Name
}

// request writes a request as it goes over the wire.
func request(f *engine.Flow, s *send, ns names, token string) ([]byte, error) {
	path := f.Path
	for _, e := range s.path {
		value := ns.expand(e.value.Value)
		path = strings.ReplaceAll(path, "{"+e.key.Value+"}", url.PathEscape(value))
		path = strings.ReplaceAll(path, "{"+e.key.Value+"...}", value)
	}
	query := url.Values{}
	for _, e := range s.query {
		values := []*yaml.Node{e.value}
		if e.value.Kind == yaml.SequenceNode {
			values = e.value.Content
		}
		for _, v := range values {
			query.Add(e.key.Value, ns.expand(v.Value))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body, err := s.bodyText(ns)
	if err != nil {
		return nil, err
	}
	headers := [][2]string{{"Host", "flows.test"}, {"Content-Length", strconv.Itoa(len(body))}}
	add := func(name, value string) {
		for _, e := range s.headers {
			if strings.EqualFold(e.key.Value, name) {
				return // the test says otherwise
			}
		}
		if value != "" {
			headers = append(headers, [2]string{name, value})
		}
	}
	if len(body) > 0 {
		add("Content-Type", "application/json")
	}
	add("Session", token)
	add("User-Agent", s.userAgent)
	if f.APIKey != engine.KeyNone && query.Get("apikey") == "" {
		add("Authorization", apiKey)
	}
	if f.ClientKey {
		add("X-Client-Key", "client-of-flow-tests")
	}
	for _, e := range s.headers {
		headers = append(headers, [2]string{e.key.Value, ns.expand(e.value.Value)})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", f.Method, path)
	for _, h := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}

func (s *send) bodyText(ns names) ([]byte, error) {
	switch {
	case s.raw != nil:
		return []byte(ns.expand(*s.raw)), nil
	case s.body == nil:
		return nil, nil
	}
	text, err := json.Marshal(plainValue(s.body, ns.any))
	if err != nil {
		return nil, fmt.Errorf("writing body: %w", err)
	}
	return text, nil
}

// codes are the codes of the errors in an answer.
func (a *answer) codes() []string {
	var body struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(a.failure(), &body) != nil {
		return nil // another form
	}
	var codes []string
	for _, e := range body.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}

// json is the body as data, or nothing.
func (a *answer) json() any {
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nothing{}
	}
	return v
}

// header is the value of a header as data, or nothing.
func (a *answer) header(name string) any {
	values := a.headers[http.CanonicalHeaderKey(name)]
	if len(values) == 0 {
		return nothing{}
	}
	return strings.Join(values, ", ")
}

// causes is a log that keeps the last error.
type causes struct{ text string }

func (c *causes) Enabled(context.Context, slog.Level) bool { return true }
func (c *causes) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *causes) WithGroup(string) slog.Handler            { return c }

func (c *causes) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			c.text = a.Value.String()
		}
		return true
	})
	return nil
}
